"""Which of the groups on offer to grow: those by which the pod that loses most loses least.

A pod of a workload has an opinion about the groups that it could use; all other pods have none. A group is worth what the pod in it that
loses most would lose there against the best group that is offered to that pod. The groups with the least are the answer, so a group that
nobody has an opinion about is never taken out because of one that somebody has, and there is always an answer. Among several Cluster
Autoscaler asks the next expander of its chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chipwise.expander.book import Scores


@dataclass(frozen=True, slots=True)
class Offer:
    """One node group, and the pods that it would help. A pod is told by any token that is the same in all offers."""

    group: str
    pods: Sequence[bytes]


class TooLateError(Exception):
    """There is no time left to have an opinion."""


def best(
    offers: Sequence[Offer], scores_of: Callable[[bytes], Scores | None], is_late: Callable[[], bool]
) -> list[int]:
    """Indices of the offers to answer with, in order: all of them where nobody has an opinion. Raises TooLateError."""
    offered: dict[bytes, set[str]] = {}
    scores: dict[bytes, Scores | None] = {}
    for offer in offers:
        if is_late():
            raise TooLateError
        for pod in offer.pods:
            if pod not in scores:
                scores[pod] = scores_of(pod)
            if scores[pod] is not None:
                offered.setdefault(pod, set()).add(offer.group)
    losses = _losses(offered, scores)
    worth: list[float] = []
    for offer in offers:
        if is_late():
            raise TooLateError
        worth.append(
            max((losses[pod].get(offer.group, 0.0) for pod in offer.pods if pod in losses), default=0.0)
        )
    least = min(worth, default=0.0)
    return [index for index, loss in enumerate(worth) if loss == least]


def _losses(
    offered: Mapping[bytes, Iterable[str]], scores: Mapping[bytes, Scores | None]
) -> dict[bytes, Mapping[str, float]]:
    """Pods of one workload mostly have the same offers: they are weighed once."""
    known: dict[tuple[int, frozenset[str]], Mapping[str, float]] = {}
    found: dict[bytes, Mapping[str, float]] = {}
    for pod, groups in offered.items():
        mine = scores[pod]
        if mine is None:
            continue
        token = (id(mine), frozenset(groups))
        if token not in known:
            known[token] = mine.losses(token[1])
        if known[token]:
            found[pod] = known[token]
    return found
