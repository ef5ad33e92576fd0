"""Workloads that need more replicas where they are: as many as the nodes will take, and no pod that would only pend.

They come after the moves that start now, highest priority first. What the nodes do not take is asked for again with the next decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chipwise.cluster.authorship import Authorship
from chipwise.cluster.renewal import home_option
from chipwise.cluster.situation import Pods, in_flight
from chipwise.cluster.subject import Subject
from chipwise.placement.ground import Truth
from chipwise.placement.moves import Decision, Move
from chipwise.placement.outlook import Outlook
from chipwise.placement.problem import Option, Problem


def after_the_moves(truth: Truth, moves: Iterable[Move]) -> Outlook:
    """The nodes with everybody in place, and with the pods of all moves that start now about to come."""
    outlook = Outlook(truth)
    for move in moves:
        if move.decision is Decision.MOVE and move.step == 1 and move.target is not None:
            target = move.target
            outlook.enter(move.workload, replace(target, replicas=target.replicas + move.spare))
    return outlook


def growth(
    subjects: Mapping[str, Subject],
    pods: Mapping[str, Pods],
    problem: Problem,
    moves: Iterable[Move],
    outlook: Outlook,
) -> dict[str, int]:
    """The replicas that each workload may be scaled up to where it is, for those that need more than they have."""
    found: dict[str, int] = {}
    staying = [m.workload for m in moves if m.decision is not Decision.MOVE]
    for key in sorted(staying, key=lambda key: (-subjects[key].priority, key)):
        subject, option = subjects[key], home_option(problem.workload(key), subjects[key])
        if (
            option is None
            or not _may_grow(subject, pods[key])
            or option.replicas <= subject.deployment.replicas
        ):
            continue
        bound = sum(pod.node is not None for pod in (*pods[key].new, *pods[key].old))
        more = max(0, option.replicas - bound)
        found[key] = max(subject.deployment.replicas, bound + outlook.grow(key, _part(option, more)))
    return found


def _may_grow(subject: Subject, pods: Pods) -> bool:
    return (
        subject.reading.authorship is Authorship.OURS
        and not subject.replicas_external
        and not in_flight(subject, pods)
    )


def _part(option: Option, replicas: int) -> Option:
    """So many of its replicas, with their share of the quotas."""
    usage = tuple((name, -(-amount * replicas // option.replicas)) for name, amount in option.usage)
    return replace(option, replicas=replicas, usage=usage)
