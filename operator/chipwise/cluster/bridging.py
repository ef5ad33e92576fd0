"""The bridge of a workload as it is observed: which move it belongs to, and where that leads.

Ahead of a move the author's template is still the one over which the bridge was made. Behind it the template is written, and the
Deployment's own record says that it was for the bridge's place. A bridge that is neither is left over from a move that was given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chipwise.cluster.facts import DeploymentFact, PodFact
from chipwise.cluster.homes import Home
from chipwise.cluster.pools import PoolView
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.placement.bridge import Crossing
from chipwise.placement.problem import Option
from chipwise.rendering.bridge import Bridge, digest
from chipwise.rendering.record import Record


def is_ahead(subject: Subject) -> bool:
    """The bridge stands and the author's template is still to be written for its place."""
    bridge, record = bridge_of(subject), subject.record
    if bridge is None or is_behind(subject) or (record is not None and record.restoring):
        return False
    return bridge.over == digest(subject.deployment.document["spec"]["template"])


def is_behind(subject: Subject) -> bool:
    """The author's template is written for the place where the bridge stands."""
    return was_made_for(bridge_of(subject), subject.record)


def was_made_for(bridge: Bridge | None, record: Record | None) -> bool:
    """The recorded placement is the bridge's."""
    if bridge is None or record is None or record.restoring:
        return False
    return (record.pools[0], record.variant) == bridge.place


def bridge_of(subject: Subject) -> Bridge | None:
    """What the bridge says of itself."""
    return subject.bridge.bridge if subject.bridge is not None else None


def replicas_for(subject: Subject, target: Option | None) -> int:
    """How many replicas are asked of a bridge that belongs to the move to ``target``, or to the one that led where it runs.

    0 for one that is left over.
    """
    if subject.bridge is None or not (is_behind(subject) or leads_to(subject, target)):
        return 0
    return subject.bridge.replicas


def destination(subject: Subject, options: Iterable[Option]) -> Option | None:
    """Where the move leads that the bridge belongs to; None if that cannot be any more, or there is none.

    While somebody else owns the author's replicas the bridge cannot be taken in, so nothing is begun.
    """
    bridge = bridge_of(subject)
    if bridge is None or not (is_behind(subject) or (is_ahead(subject) and not subject.replicas_external)):
        return None
    return next((option for option in options if (option.pool, option.variant) == bridge.place), None)


def leads_to(subject: Subject, target: Option | None) -> bool:
    """The bridge stands for a move to ``target`` whose template is still to be written."""
    bridge = bridge_of(subject)
    if bridge is None or target is None or (target.pool, target.variant) != bridge.place:
        return False
    return is_ahead(subject)


def pods(subject: Subject, snapshot: Snapshot) -> tuple[PodFact, ...]:
    """Pods of the bridge that are not terminating."""
    if subject.bridge is None:
        return ()
    return tuple(p for p in snapshot.pods_by_deployment.get(subject.bridge.key, ()) if not p.deleting)


def as_placed(subject: Subject, views: Mapping[str, PoolView]) -> Subject | None:
    """The bridge of a move that has not begun, as if it were the placement; None where there is none, or its pool is gone."""
    bridge = bridge_of(subject)
    if subject.bridge is None or bridge is None or bridge.pool not in views or not is_ahead(subject):
        return None
    variant = subject.profile.spec.variant(bridge.variant)
    chips = variant.chips if variant else 0
    resource_name = views[bridge.pool].resource_name
    home = Home(bridge.pool, bridge.variant, resource_name, chips, subject.bridge.replicas)
    return replace(subject, home=home, deployment=subject.bridge, bridge=None)


def crossing(
    deployment: DeploymentFact,
    bridge: DeploymentFact | None,
    snapshot: Snapshot,
    *,
    wanted: int,
    spare: int = 1,
    most: int | None = None,
) -> Crossing:
    """What the steps of a bridge look at."""
    return Crossing(
        wanted=wanted,
        replicas=deployment.replicas,
        ready=_ready(deployment, snapshot) if deployment.uniform else 0,
        bridge=bridge.replicas if bridge is not None else 0,
        bridge_ready=_ready(bridge, snapshot) if bridge is not None else 0,
        spare=spare,
        most=most,
    )


def may_go(deployment: DeploymentFact, bridge: DeploymentFact, snapshot: Snapshot) -> bool:
    """Whether a bridge that no move needs can be taken away: nothing of it serves, or the author's Deployment has all it asks for."""
    has_all = deployment.rolled_out and _ready(deployment, snapshot) >= deployment.replicas
    return bridge.ready_replicas == 0 or has_all


def _ready(deployment: DeploymentFact, snapshot: Snapshot) -> int:
    """Ready replicas, less those whose node is gone: for a while their status still says that they serve."""
    pods = () if snapshot.assume_nodes else snapshot.pods_by_deployment.get(deployment.key, ())
    lost = sum(p.ready and not p.deleting and p.node not in snapshot.nodes for p in pods)
    return max(0, deployment.ready_replicas - lost)
