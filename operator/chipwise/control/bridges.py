"""The next write of a bridge: built before a move to more replicas, taken in after it, and gone whatever becomes of the move.

The rules are ``placement/bridge``'s. What is added here: a bridge of a move that was given up goes when nothing is lost by it, one
whose workload or Deployment is gone goes too, and the traces of chipwise come off a Deployment only when its bridge is gone.
"""

from __future__ import annotations

from collections.abc import Iterator

from chipwise.cluster import bridging
from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import DeploymentFact
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.control.act import Act, AnyAct, BridgeAct, Kind
from chipwise.placement.bridge import Action, Span, after_crossing, before_crossing, span
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.moves import Move
from chipwise.placement.problem import Option
from chipwise.rendering.bridge import Bridge, digest
from chipwise.rendering.manifest import Manifest
from chipwise.rendering.record import Record, too_large


def before_template(subject: Subject, move: Move, act: Act, snapshot: Snapshot) -> AnyAct | None:
    """``act`` writes the template of a move: it, or what must come before it. None where something is waited for."""
    deployment, standing, option, manifest = subject.deployment, subject.bridge, move.target, act.manifest
    if option is None or manifest is None or not _needs_a_bridge(subject, move, option, manifest):
        return act
    bridge = _bridge_for(subject, option, manifest)
    if standing is not None and standing.bridge != bridge:
        act_before = _out_of_the_way(subject, standing, snapshot)
        if act_before is not None or not bridging.leads_to(subject, option):
            return act_before  # else it is rendered otherwise than it would be today, and cannot be spared: it will do
    action = before_crossing(bridging.crossing(deployment, standing, snapshot, wanted=option.replicas))
    sentence, replicas = action.sentence, action.replicas
    match action.step:
        case Span.BUILD:
            return BridgeAct(Kind.BRIDGE, deployment, sentence, replicas, made_as=(manifest, bridge))
        case Span.WIDEN:
            return BridgeAct(Kind.BRIDGE_SCALE, deployment, sentence, replicas, standing)
    return act if action.step is Span.CROSS else None


def _needs_a_bridge(subject: Subject, move: Move, option: Option, manifest: Manifest) -> bool:
    """A rendering that is too large to be noted gets none: its template will be refused, and it would stand for nothing."""
    missing = move.source.over_a_bridge(option) and span(subject.deployment.replicas, option.replicas)
    return bool(missing) and too_large(subject.reading.base, manifest) is None


def taken_in(subject: Subject, wanted: int, spare: int, snapshot: Snapshot) -> AnyAct | None:
    """The next write for a bridge whose move's template is written."""
    if subject.bridge is None:
        return None
    seen = bridging.crossing(
        subject.deployment,
        subject.bridge,
        snapshot,
        wanted=wanted,
        spare=spare,
        most=_most(subject),
    )
    return _carried_out(after_crossing(seen), subject.deployment, subject.bridge)


def _most(subject: Subject) -> int | None:
    """What the owner of the author's replicas lets run: an autoscaler its maximum, somebody unknown what runs."""
    if not subject.replicas_external:
        return None
    return subject.autoscaler.maximum if subject.autoscaler is not None else subject.deployment.replicas


def left_over(subject: Subject, move: Move, decision: Decision) -> AnyAct | None:
    """Take the bridge of a move that was given up away, once that takes away nothing that is needed."""
    if move.decision is Verdict.MOVE and bridging.leads_to(subject, move.target):
        return None
    return not_wanted(subject, decision)


def not_wanted(subject: Subject, decision: Decision) -> AnyAct | None:
    """Take a bridge away that no move has use for. One behind its template is taken in, and not taken away."""
    bridge = subject.bridge
    if bridge is None or decision.frozen or subject.frozen_by is not None or bridging.is_behind(subject):
        return None
    why = "the move that it was made for is not made"
    return _removed(subject.deployment, bridge, decision.snapshot, why)


def last(act: Act | None, record: Record | None, decision: Decision) -> AnyAct | None:
    """``act`` gives a Deployment back to its author: before it takes our traces off, the bridge goes."""
    if act is None or act.kind not in (Kind.RESTORED, Kind.RELEASE):
        return act
    deployment = act.deployment
    bridge = decision.snapshot.bridges.get(deployment.key)
    if bridge is None:
        return act
    if decision.frozen:
        return None
    if record is not None and bridging.was_made_for(bridge.bridge, record):
        external = record.base_replicas is None or deployment.key in decision.snapshot.autoscaler_of
        if not external:
            seen = bridging.crossing(
                deployment, bridge, decision.snapshot, wanted=record.replicas, spare=bridge.replicas
            )
            return _carried_out(after_crossing(seen), deployment, bridge)
    return _removed(deployment, bridge, decision.snapshot, "the author's Deployment serves by itself")


def without_a_workload(decision: Decision) -> Iterator[BridgeAct]:
    """Bridges of a move that did not begin, when no workload can be decided about that would make it; and those whose Deployment is gone.

    What a Deployment that chipwise has moved still needs of its bridge is seen to where that Deployment is given back.
    """
    snapshot = decision.snapshot
    if decision.frozen:
        return
    for key, bridge in sorted(snapshot.bridges.items()):
        deployment = snapshot.deployments[key]
        if not deployment.managed and not _has_a_workload(bridge, key, decision):
            act = _removed(deployment, bridge, snapshot, "no workload is there to make its move")
            if act is not None:
                yield act
    for bridge in snapshot.stray_bridges:
        yield BridgeAct(Kind.UNBRIDGE, bridge, "its Deployment is gone: the bridge goes", 0, bridge)


def _has_a_workload(bridge: DeploymentFact, target: str, decision: Decision) -> bool:
    """One that can be decided about, or that is to be left alone."""
    snapshot, said = decision.snapshot, bridge.bridge
    if said is not None and any(
        (one.namespace, one.name) == (bridge.namespace, said.workload) for one in snapshot.unreadable
    ):
        return True
    names = (f"{bridge.namespace}/{name}" for name in snapshot.workloads_by_target.get(target, ()))
    return any(
        key not in decision.refused or str(snapshot.workloads[key].spec.mode) == "Off" for key in names
    )


def _bridge_for(subject: Subject, option: Option, manifest: Manifest) -> Bridge:
    return Bridge(
        deployment=subject.deployment.name,
        uid=subject.deployment.uid,
        workload=subject.workload.metadata.name,
        pool=option.pool,
        variant=option.variant,
        over=digest(subject.deployment.document["spec"]["template"]),
        rendered=digest(manifest.template),
    )


def _out_of_the_way(subject: Subject, standing: DeploymentFact, snapshot: Snapshot) -> AnyAct | None:
    """An earlier bridge is taken in where its template is written, else taken away; the new one comes after it."""
    if bridging.is_behind(subject) and subject.record is not None:
        return taken_in(subject, subject.record.replicas, 1, snapshot)
    return _removed(subject.deployment, standing, snapshot, "another move is made than it was made for")


def _carried_out(action: Action, deployment: DeploymentFact, bridge: DeploymentFact) -> AnyAct | None:
    match action.step:
        case Span.TAKE_IN:
            return Act(Kind.SCALE, deployment, action.sentence, replicas=action.replicas)
        case Span.NARROW | Span.REMOVE:
            kind = Kind.BRIDGE_SCALE if action.replicas else Kind.UNBRIDGE
            return BridgeAct(kind, deployment, action.sentence, action.replicas, bridge)
        case _:
            return None


def _removed(
    deployment: DeploymentFact, bridge: DeploymentFact, snapshot: Snapshot, why: str
) -> BridgeAct | None:
    if not bridging.may_go(deployment, bridge, snapshot):
        return None
    return BridgeAct(Kind.UNBRIDGE, deployment, f"{why}: the bridge goes", 0, bridge)
