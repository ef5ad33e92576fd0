"""The nodes of one pool as they are, with all that is bound in its place, and the pods that are about to come.

The plan repacks in thought; the scheduler never does. It puts each new pod where it likes, by default where most is free, so that a
few small ones spoil many nodes for a large one. A number of replicas is *secure* when they all are bound however the pods that are
placed at the same time fall. For one kind of pod alone this is exact. Beside others it is a bound from below: what they spoil is at
most what each node loses if all of them land there, and at most what one pod can spoil times their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chipwise.placement.problem import Option
from chipwise.placement.terms import Terms

#: Amounts in the order of ``Ground.resources``, which begins with these.
Vector = tuple[int, ...]
FIRST = ("chips", "cpu", "memory", "pods")


@dataclass(frozen=True, slots=True)
class Site:
    """One node by name, or ``count`` nodes to come, which have no name. ``free`` may be below zero.

    ``leaving`` is what Terminating pods will give back.
    """

    name: str
    free: Vector
    leaving: Vector
    count: int = 1


@dataclass(frozen=True, slots=True)
class Crowd:
    """Pods alike that the scheduler is about to place, of the workload ``key`` if that is known.

    ``promised``: chipwise said that they will be bound. ``whole``: the other pods of its workload that are about to come are counted in
    it, and so are no rivals.
    """

    need: Vector
    count: int
    terms: Terms
    key: str = ""
    promised: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """One pool. ``resources`` are those of ``FIRST`` and whatever else its nodes hand out.

    ``held`` is what each workload's pods hold of each node.
    """

    pool: str
    resources: tuple[str, ...]
    sites: tuple[Site, ...]
    held: Mapping[str, Mapping[str, Vector]] = field(default_factory=dict)
    crowds: tuple[Crowd, ...] = ()


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known beside the problem: the nodes of each pool (a pool that is missing is taken on trust), and what quotas leave now."""

    grounds: Mapping[str, Ground] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)


def need_of(option: Option, resources: Sequence[str]) -> Vector | None:
    """What one replica takes; None if the nodes do not even know a resource that it asks for."""
    footprint, more = option.footprint, dict(option.terms.more) if option.terms else {}
    if not more.keys() <= set(resources):
        return None
    first = (footprint.chips, footprint.cpu_milli, footprint.memory_bytes, 1)
    return (*first, *(more.get(name, 0) for name in resources[len(first) :]))


def allows(terms: Terms, site: Site) -> bool:
    """Whether a replica may go there at all."""
    return site.name in terms.nodes if site.name else terms.new_nodes


def slots(free: Sequence[int], need: Vector, terms: Terms) -> int:
    """How many replicas a node takes that has ``free`` left."""
    most = min(have // want for have, want in zip(free, need, strict=True) if want)
    return max(0, min(1, most) if terms.one_per_node else most)


def plus(left: Sequence[int], right: Sequence[int]) -> list[int]:
    """Amount by amount."""
    return [one + other for one, other in zip(left, right, strict=True)]


def spoilt(free: Sequence[int], leaving: Vector, taken: Sequence[int]) -> list[int]:
    """What is left now of a node on which others land, who also may take what is leaving."""
    return [min(have, have + later - gone) for have, later, gone in zip(free, leaving, taken, strict=True)]


def worst(mine: Crowd, theirs: Vector) -> int:
    """How many replicas' room one pod of the others can spoil at most, on whatever node."""
    if mine.terms.one_per_node:
        return 1
    shares = zip(mine.need, theirs, strict=True)
    return max((-(-take // want) for want, take in shares if want), default=0)
