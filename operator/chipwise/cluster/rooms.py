"""What every node has left, with all that is bound there in its place.

A pod holds its node's room until it is gone, Terminating or not. Allocatable may fall below what runs (a device plugin restarts): then
less than nothing is free, and nobody is thought to have lost a place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chipwise.cluster.facts import NodeFact, PodFact
from chipwise.rendering.footprint import Amounts

PODS = "pods"


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """``free`` is allocatable less all pods, below zero where these hold more; ``leaving`` what Terminating pods will give back.

    ``offered`` is allocatable, or what pods hold where that is more.
    """

    node: NodeFact
    pods: tuple[PodFact, ...]
    free: Amounts
    leaving: Amounts
    offered: Amounts


def room_of(node: NodeFact, pods: tuple[PodFact, ...]) -> NodeRoom:
    """``pods`` are all that are bound to the node."""
    held, has = total(pods), node_amounts(node)
    names = has.keys() | held.keys()
    return NodeRoom(
        node=node,
        pods=pods,
        free={name: has.get(name, 0) - held.get(name, 0) for name in names},
        leaving=total(pod for pod in pods if pod.deleting),
        offered={name: max(has.get(name, 0), held.get(name, 0)) for name in names},
    )


def node_amounts(node: NodeFact) -> Amounts:
    """Allocatable by resource."""
    return {
        "cpu": node.cpu_milli,
        "memory": node.memory_bytes,
        PODS: node.pods,
        **dict(node.chips),
        **dict(node.others),
    }


def pod_amounts(pod: PodFact) -> Amounts:
    """Requests by resource, and one pod slot."""
    return {
        "cpu": pod.cpu_milli,
        "memory": pod.memory_bytes,
        PODS: 1,
        **dict(pod.chips),
        **dict(pod.needs.others),
    }


def total(pods: Iterable[PodFact]) -> Amounts:
    """Requests of all ``pods`` together."""
    found: Amounts = {}
    for pod in pods:
        for name, count in pod_amounts(pod).items():
            found[name] = found.get(name, 0) + count
    return found


def fits(wanted: Amounts, *rooms: Amounts) -> bool:
    """Whether ``rooms`` together hold all that is ``wanted``."""
    return all(sum(room.get(name, 0) for room in rooms) >= count for name, count in wanted.items() if count)
