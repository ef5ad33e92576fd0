"""What a decision promises, and whom it turns away: what a scheduler, real or modelled, is asked to prove."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
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
from chipwise.rendering.constraints import author_constraints
from chipwise.rendering.vocabulary import NO_CHIPS

from e2e.admin import Document

FULL = frozenset({Reason.CAPACITY_EXHAUSTED, Reason.FRAGMENTED})


#: Writes of a template, after which the Deployment controller makes pods of it.
_TEMPLATES = frozenset({Kind.MOVE, Kind.RENEW, Kind.RESTORE, Kind.ROLL_BACK})


@dataclass(frozen=True, slots=True)
class Promise:
    """A write after which pods of ``template`` are made at once: of a Deployment, or of the bridge beside it; ``maker`` is its name.

    ``count`` pods of the template must be bound then, where ``standing`` of them were there before.
    """

    act: AnyAct
    maker: str
    template: Document
    count: int
    standing: int = 0


def promises(decision: Decision) -> list[Promise]:
    """All writes of a decision that make pods: templates, more replicas, and the bridges that it builds."""
    found = [promise for act in acts_of(decision) if (promise := _promise(act)) is not None]
    return [each for each in found if each.act.kind is not Kind.RESTORE or _is_known(each, decision)]


def _is_known(promise: Promise, decision: Decision) -> bool:
    """Of nodes that are in no pool, as an author's may be, nothing is promised."""
    labels = [labels for view in decision.views.values() for labels in view.known_labels]
    return any(map(author_constraints(promise.template, NO_CHIPS).matches, labels))


def _promise(act: AnyAct) -> Promise | None:
    deployment = act.deployment
    if isinstance(act, BridgeAct):
        if act.made_as is None or act.bridge is not None:
            return None
        maker = name_of(deployment.name, deployment.uid)
        return Promise(act, maker, act.made_as[0].template, act.replicas)
    if act.kind in _TEMPLATES and act.manifest is not None:
        surge = act.manifest.strategy["rollingUpdate"]["maxSurge"]
        return Promise(act, deployment.name, act.manifest.template, min(deployment.replicas, surge))
    if act.kind is Kind.SCALE and act.replicas is not None and act.replicas > deployment.replicas:
        template = deployment.document["spec"]["template"]
        return Promise(act, deployment.name, template, act.replicas, deployment.replicas)
    return None


def claimed(decision: Decision, bound: Callable[[str], int]) -> frozenset[str]:
    """Pools in which somebody has a claim that is still open: who moves there later, or waits there for a node."""
    found = set()
    for key, subject in decision.subjects.items():
        option, verdict = decision.choice(key).option, decision.move(key).decision
        waits = verdict is Verdict.STAY and option and bound(subject.deployment.name) < option.replicas
        if option is not None and (verdict is Verdict.HOLD or waits):
            found.add(option.pool)
    return frozenset(found)


def left_out(decision: Decision, bound: Callable[[str], int]) -> list[str]:
    """Workloads that run nowhere and have no place. None where a quota is shared with somebody whose claim is still open.

    ``bound`` counts the pods of a Deployment that have a node.
    """
    if decision.snapshot.quotas and claimed(decision, bound):
        return []
    found = []
    for key, subject in decision.subjects.items():
        choice = decision.choice(key)
        full = choice.option is None and choice.refusal and choice.refusal.reason in FULL
        if full and not bound(subject.deployment.name):
            found.append(key)
    return found


def options(decision: Decision, key: str, closed: Container[str] = ()) -> Iterator[tuple[Option, Document]]:
    """All that the workload could have had outside the pools ``closed``, had there been room, each with the pods that it would have."""
    subject, snapshot, cooling = decision.subjects[key], decision.snapshot, decision.setbacks.cooling
    for option in demand(subject, snapshot, decision.views, (), cooling).options:
        if option.pool in closed:
            continue
        variant = next(v for v in subject.profile.spec.variants if v.name == option.variant)
        template = Case(subject, variant, decision.views[option.pool], snapshot, cooling).template
        assert not isinstance(template, Refusal)
        yield option, dict(template)
