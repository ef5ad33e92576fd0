"""What a decision promises, and whom it turns away: what a scheduler, real or modelled, is asked to prove."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chipwise.cluster.decide import Decision
from chipwise.cluster.demand import demand
from chipwise.cluster.feasibility import Case
from chipwise.control.act import AnyAct, BridgeAct, Kind
from chipwise.control.acts import acts_of
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.problem import Option
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.bridge import name_of

from e2e.admin import Document

FULL = frozenset({Reason.CAPACITY_EXHAUSTED, Reason.FRAGMENTED})


@dataclass(frozen=True, slots=True)
class Promise:
    """A write that makes ``count`` pods of a template at once: of a Deployment, or of the bridge beside it; ``maker`` is its name."""

    act: AnyAct
    maker: str
    template: Document
    count: int


def promises(decision: Decision) -> list[Promise]:
    """The template writes of a decision, and the bridges that it builds."""
    found = []
    for act in acts_of(decision):
        deployment = act.deployment
        if isinstance(act, BridgeAct):
            if act.made_as is not None and act.bridge is None:
                manifest, _ = act.made_as
                maker = name_of(deployment.name, deployment.uid)
                found.append(Promise(act, maker, manifest.template, act.replicas))
        elif act.kind is Kind.MOVE and act.record is not None and act.manifest is not None:
            count = min(deployment.replicas, act.record.replicas)
            found.append(Promise(act, deployment.name, act.manifest.template, count))
    return found


def left_out(decision: Decision, bound: Callable[[str], int]) -> list[str]:
    """Workloads that run nowhere and have no place; none where anybody else has a claim that is still open.

    ``bound`` counts the pods of a Deployment that have a node.
    """
    found = []
    for key, subject in decision.subjects.items():
        choice, verdict = decision.choice(key), decision.move(key).decision
        runs = bound(subject.deployment.name)
        if choice.option is None:
            if not runs and choice.refusal and choice.refusal.reason in FULL:
                found.append(key)
        elif verdict is Verdict.HOLD or (verdict is Verdict.STAY and runs < choice.option.replicas):
            return []
    return found


def options(decision: Decision, key: str) -> Iterator[tuple[Option, Document]]:
    """All that the workload could have had, had there been room, each with the pods that it would have."""
    subject, snapshot, cooling = decision.subjects[key], decision.snapshot, decision.setbacks.cooling
    for option in demand(subject, snapshot, decision.views, (), cooling).options:
        variant = next(v for v in subject.profile.spec.variants if v.name == option.variant)
        template = Case(subject, variant, decision.views[option.pool], snapshot, cooling).template
        assert not isinstance(template, Refusal)
        yield option, dict(template)
