"""What a decision promises, and whom it turns away: what a scheduler, real or modelled, is asked to prove."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chipwise.cluster.decide import Decision
from chipwise.cluster.demand import demand
from chipwise.cluster.feasibility import Case
from chipwise.control.acts import Act, Kind, acts_of
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.problem import Option
from chipwise.reasons import Reason, Refusal

from e2e.admin import Document

FULL = frozenset({Reason.CAPACITY_EXHAUSTED, Reason.FRAGMENTED})


def promises(decision: Decision) -> list[tuple[Act, int]]:
    """The template writes of a decision, and how many pods each makes at once."""
    return [
        (act, min(act.deployment.replicas, act.record.replicas))
        for act in acts_of(decision)
        if act.kind is Kind.MOVE and act.record is not None
    ]


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
