"""Moves that need nodes to come wait until Cluster Autoscaler has answered whether these can be had.

Nothing is asked where the nodes that there are have the room, nor for a rescue, which has nothing to lose by going. An answer that was no,
or did not come in time, takes the place out of the question for that workload for a while, and the plan takes the next best.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chipwise.autoscaling.provisioning import Probe, ProbeState, digest_of
from chipwise.cluster.pools import PoolView
from chipwise.cluster.rooms import PODS, fits
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.cluster.targets import target
from chipwise.kube.resources import INFERENCE_WORKLOADS
from chipwise.placement.moves import Decision, Move
from chipwise.placement.problem import Option
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.manifest import RenderingRefused
from chipwise.rendering.render import render

#: Seconds beyond a node's boot that an answer may take.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A probe that a move waits for, with the pods that it is about and the workload that owns it."""

    probe: Probe
    template: Mapping[str, Any]
    owner: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Probing:
    """``wishes`` are what moves wait for or start upon, ``kept`` the names (with namespace) of answers that still hold.

    Whatever else of ours there is has had its day, and so have those that are ``spent``: if still wished for they are asked anew.
    """

    wishes: tuple[Wish, ...] = ()
    kept: frozenset[str] = frozenset()
    spent: frozenset[str] = frozenset()
    due_seconds: float | None = None


def refusal_of(state: ProbeState, view: PoolView, hold_seconds: float, now: datetime) -> Refusal | None:
    """Why a place is out of the question, if the answer was no, or none came in time."""
    left = _left(state, view, hold_seconds, now)
    if state.answer is True or left <= 0 or (state.answer is None and left > hold_seconds):
        return None
    words = state.words if state.answer is False else "no answer came in time"
    message = f"Cluster Autoscaler was asked for {state.probe.replicas} replicas on pool {view.name}: {words}"
    return Refusal(Reason.CAPACITY_REFUSED, message)


def _left(state: ProbeState, view: PoolView, hold_seconds: float, now: datetime) -> float:
    """Seconds for which an object counts. One without an answer has its time to come, and then counts as a no."""
    if not state.since:
        return view.boot_seconds + _PATIENCE + hold_seconds
    allowed = hold_seconds if state.answer is not None else view.boot_seconds + _PATIENCE + hold_seconds
    return allowed - (now - datetime.fromisoformat(state.since)).total_seconds()


def probed(
    moves: Iterable[Move],
    subjects: Mapping[str, Subject],
    views: Mapping[str, PoolView],
    snapshot: Snapshot,
    now: datetime,
) -> tuple[tuple[Move, ...], Probing]:
    """The moves with those that have to wait held, and what is to be asked."""
    kept, spent, due = _standing(subjects, views, snapshot, now)
    found, wishes = [], []
    for move in moves:
        wish = _wish(move, subjects[move.workload], views, snapshot)
        if wish is None:
            found.append(move)
            continue
        wishes.append(wish)
        state = snapshot.probes.get(wish.probe.key)
        may_go = state is not None and state.answer and wish.probe.key not in spent
        found.append(move if may_go else _held(move, wish))
    return tuple(found), Probing(tuple(wishes), kept, spent, due)


def _standing(
    subjects: Mapping[str, Subject], views: Mapping[str, PoolView], snapshot: Snapshot, now: datetime
) -> tuple[frozenset[str], frozenset[str], float | None]:
    """Refusals that hold, what is spent, and the seconds until either changes."""
    kept, spent, waits = set(), set(), []
    for key, state in snapshot.probes.items():
        view, subject = views.get(state.probe.pool), subjects.get(state.probe.workload)
        if view is None or subject is None:
            continue
        hold = subject.policy.cool_down.first_seconds
        left = _left(state, view, hold, now)
        waits += [wait for wait in (left, left - hold) if wait > 0]
        if left <= 0:
            spent.add(key)
        elif refusal_of(state, view, hold, now) is not None:
            kept.add(key)
    return frozenset(kept), frozenset(spent), min(waits, default=None)


def _held(move: Move, wish: Wish) -> Move:
    message = f"{move.message}: waits until Cluster Autoscaler has found room for {wish.probe.replicas} replicas on {wish.probe.pool}"
    return replace(move, decision=Decision.HOLD, reason=Reason.PROBING, message=message, step=None)


def _wish(move: Move, subject: Subject, views: Mapping[str, PoolView], snapshot: Snapshot) -> Wish | None:
    option = move.target
    if move.decision is not Decision.MOVE or move.reason is not Reason.MOVED or option is None:
        return None
    view = views[option.pool]
    if subject.bridge is not None or view.group is None or _has_room(option, view, snapshot):
        return None
    variant = subject.profile.spec.variant(option.variant)
    if variant is None:
        return None
    wanted = target(variant, (view,), subject.container, subject.words, surge=1)
    try:
        template = render(subject.reading.base, wanted).template
    except RenderingRefused:
        return None
    metadata = subject.workload.metadata
    owner = {
        "apiVersion": INFERENCE_WORKLOADS.api_version,
        "kind": INFERENCE_WORKLOADS.kind,
        "name": metadata.name,
        "uid": metadata.uid,
    }
    probe = Probe(subject.key, option.pool, option.variant, option.replicas, digest_of(template))
    return Wish(probe, template, owner)


def _has_room(option: Option, view: PoolView, snapshot: Snapshot) -> bool:
    """Whether the nodes that there are take all replicas."""
    one = {
        view.resource_name: option.footprint.chips,
        "cpu": option.footprint.cpu_milli,
        "memory": option.footprint.memory_bytes,
        PODS: 1,
    }
    left = option.replicas
    for node in view.usable_nodes:
        room = dict(snapshot.rooms[node.name].free)
        while left and fits(one, room):
            room = {name: count - one.get(name, 0) for name, count in room.items()}
            left -= 1
    return not left
