"""Warm spare room: which placeholders there should be, what is to be written for that, and why some pool gets none.

Where a pool asks for it and cannot be used just now, what stands is left: a class that is mended in a minute must not cost warm nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chipwise.autoscaling.placeholders import Placeholders, Settings, document, name_of, owner, short
from chipwise.cluster.facts import DeploymentFact, PodFact, PriorityFact
from chipwise.cluster.pools import PoolView
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.verbs import Verb
from chipwise.kube.resources import ACCELERATOR_POOLS
from chipwise.reasons import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Change:
    """One write. ``uid`` is of the Deployment that is changed or deleted, ``document`` what it should be; ``pool`` is None if it is gone."""

    verb: Verb
    name: str
    pool: str | None
    uid: str = ""
    document: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a pool's wish stands: ``warm`` of ``replicas`` placeholders have a node. ``refusal``: why not all of them do."""

    replicas: int
    chips: int
    warm: int
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Spares:
    """What is to be written, in order of name, and how each pool that asks for spare room stands."""

    namespace: str
    changes: tuple[Change, ...]
    pools: Mapping[str, Keeping]


def with_spare(views: Mapping[str, PoolView], snapshot: Snapshot) -> dict[str, PoolView]:
    """The views with the placeholders that their pools ask for, as far as a node holds one."""
    return {name: replace(view, spare=_asked(view, snapshot)) for name, view in views.items()}


def _asked(view: PoolView, snapshot: Snapshot) -> Placeholders | None:
    spare = snapshot.pools[view.name].spec.spare
    if spare is None or view.refusal is not None:
        return None
    chips = spare.chips or view.room.chips
    if chips > view.room.chips:
        return None
    return Placeholders(
        view.name, spare.replicas, chips, view.resource_name, view.selector, tuple(view.tolerations)
    )


def spares(views: Mapping[str, PoolView], snapshot: Snapshot, settings: Settings) -> Spares:
    """Bring our Deployments in line with what the pools ask for. Others' are never touched."""
    standing = {
        one.name: one
        for one in snapshot.deployments.values()
        if one.spare is not None and one.namespace == settings.namespace and not one.deleting
    }
    asking = {name: view for name, view in views.items() if snapshot.pools[name].spec.spare is not None}
    unfit = _unfit(snapshot.priorities.get(settings.priority_class), settings)
    refused = {
        name: refusal
        for name, view in asking.items()
        if (refusal := unfit or _refusal(view, snapshot, settings))
    }
    changes, kept = [], _left_alone(refused, snapshot)
    for name, view in asking.items():
        if name in refused or view.spare is None:
            continue
        owned_by = owner(settings.priority_class, snapshot.priorities[settings.priority_class].uid)
        wanted = document(view.spare, settings, owned_by)
        kept.add(view.spare.name)
        change = _change(name, wanted, standing.get(view.spare.name))
        if change is not None:
            changes.append(change)
    known = {short(name): name for name in snapshot.pools}
    gone = [
        Change(Verb.DELETE, one.name, known.get(one.spare[0] if one.spare else ""), one.uid)
        for one in standing.values()
        if one.name not in kept
    ]
    return Spares(
        settings.namespace,
        tuple(sorted((*changes, *gone), key=lambda change: change.name)),
        {name: _keeping(view, snapshot, settings, refused.get(name)) for name, view in asking.items()},
    )


def _left_alone(refused: Mapping[str, Refusal], snapshot: Snapshot) -> set[str]:
    """Names of Deployments whose pools ask and cannot be answered now, those that do not pass their schema included."""
    unreadable = {one.name for one in snapshot.unreadable if one.kind == ACCELERATOR_POOLS.kind}
    return {name_of(pool) for pool in unreadable | refused.keys()}


def _unfit(found: PriorityFact | None, settings: Settings) -> Refusal | None:
    """Why no placeholder can be made for anybody."""
    name = settings.priority_class
    if found is None:
        message = f"there is no PriorityClass {name}, so no placeholder would be let in: the chart makes it with autoscaling.spare.enabled"
        return Refusal(Reason.PRIORITY_CLASS_MISSING, message)
    if found.value >= 0:
        message = f"PriorityClass {name} has the value {found.value}: placeholders must be below 0 to give way to pods without a class"
        return Refusal(Reason.SPARE_NOT_YIELDING, message)
    return None


def _refusal(view: PoolView, snapshot: Snapshot, settings: Settings) -> Refusal | None:
    """Why a pool that asks gets none."""
    if view.refusal is not None:
        return view.refusal
    if view.spare is None:
        asked = snapshot.pools[view.name].spec.spare
        chips = asked.chips if asked else 0
        message = f"spec.spare asks for {chips} chips together, and a node of pool {view.name} has {view.room.chips} ({view.shape_source})"
        return Refusal(Reason.NODE_TOO_SMALL, message)
    there = snapshot.deployments.get(f"{settings.namespace}/{view.spare.name}")
    if there is not None and there.spare is None:
        return Refusal(
            Reason.NAME_TAKEN, f"somebody else has a Deployment {there.key}, and it is left as it is"
        )
    return None


def _change(pool: str, wanted: Mapping[str, Any], there: DeploymentFact | None) -> Change | None:
    """None where it was written so and still has as many replicas."""
    metadata = wanted["metadata"]
    if there is None:
        return Change(Verb.CREATE, metadata["name"], pool, document=wanted)
    (digest,) = metadata["annotations"].values()
    if there.spare is not None and there.spare[1] == digest and there.replicas == wanted["spec"]["replicas"]:
        return None
    return Change(Verb.UPDATE, metadata["name"], pool, there.uid, wanted)


def _keeping(view: PoolView, snapshot: Snapshot, settings: Settings, refusal: Refusal | None) -> Keeping:
    asked = snapshot.pools[view.name].spec.spare
    pods = placeholders_of(view.name, snapshot)
    warm = sum(pod.node is not None and not pod.deleting for pod in pods)
    replicas = asked.replicas if asked else 0
    chips = view.spare.chips if view.spare else (asked.chips or 0 if asked else 0)
    if refusal is None and warm < replicas:
        refusal = _waiting(view, warm, replicas, pods, snapshot, settings)
    return Keeping(replicas, chips, warm, refusal)


def placeholders_of(pool: str, snapshot: Snapshot) -> tuple[PodFact, ...]:
    """Those of one pool, in order of namespace/name."""
    label = short(pool)
    return tuple(pod for _, pod in sorted(snapshot.placeholders.items()) if pod.spare_for == label)


def _waiting(
    view: PoolView,
    warm: int,
    replicas: int,
    pods: tuple[PodFact, ...],
    snapshot: Snapshot,
    settings: Settings,
) -> Refusal:
    """Nothing of a workload's: nobody fails by it, and nothing cools down."""
    there = snapshot.deployments.get(f"{settings.namespace}/{name_of(view.name)}")
    if there is not None and there.create_failure is not None:
        return Refusal(Reason.ADMISSION_REFUSED, there.create_failure.message)
    message = f"{warm} of {replicas} placeholders have a node"
    words = next((pod.progress.message for pod in pods if pod.progress and pod.progress.message), "")
    return Refusal(Reason.SPARE_WAITING, f"{message}: {words}" if words else message)
