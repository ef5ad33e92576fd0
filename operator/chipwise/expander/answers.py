"""Answers one request: from what is in memory, in time, and never with less than what was offered where it has no opinion."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import StrEnum

from chipwise.expander.book import Book, Scores
from chipwise.expander.choice import Offer, TooLateError, best
from chipwise.expander.pods import deployment_of
from chipwise.expander.wire.expander_pb2 import BestOptionsRequest, BestOptionsResponse, Option

log = logging.getLogger(__name__)

#: Cluster Autoscaler waits for five seconds (kubernetes/autoscaler:cluster-autoscaler/expander/grpcplugin/grpc_client.go).
PATIENCE = 2.0
_SHOWN = 8


class Answer(StrEnum):
    """What was answered."""

    CHOSEN = "Chosen"  # fewer than were offered
    ALL = "All"  # no opinion, or the same of all
    NOT_SYNCED = "NotSynced"  # all, for not every list was complete yet
    LATE = "Late"  # all, for there was too much to weigh


class Answers:
    """``book`` is what is known, None before every list is complete. ``count`` is told of each answer, with the seconds that it took."""

    def __init__(
        self,
        book: Callable[[], Book | None],
        count: Callable[[Answer, float], object],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._book = book
        self._count = count
        self._clock = clock

    def best_options(self, request: BestOptionsRequest) -> BestOptionsResponse:
        """The offers that are worth most. Without any on offer there are none, else at least one."""
        begin = self._clock()
        answer, indices = self._chosen(request, begin + PATIENCE)
        chosen = [request.options[index] for index in indices]
        self._count(answer, self._clock() - begin)
        if answer is Answer.CHOSEN:
            groups = ", ".join(option.nodeGroupId for option in chosen[:_SHOWN])
            log.info("%d of %d node groups: %s", len(chosen), len(request.options), groups)
        elif answer is Answer.LATE:
            log.warning("%d node groups were too many to weigh in time", len(request.options))
        found = [Option(nodeGroupId=each.nodeGroupId, nodeCount=each.nodeCount) for each in chosen]
        return BestOptionsResponse(options=found)

    def _chosen(self, request: BestOptionsRequest, end: float) -> tuple[Answer, list[int]]:
        book, everything = self._book(), list(range(len(request.options)))
        if book is None:
            return Answer.NOT_SYNCED, everything

        def scores_of(pod: bytes) -> Scores | None:
            deployment = deployment_of(pod)
            return book.of(deployment) if deployment is not None else None

        try:
            offers = [Offer(option.nodeGroupId, _pods(option)) for option in request.options]
            found = best(offers, scores_of, lambda: self._clock() > end)
        except TooLateError:
            return Answer.LATE, everything
        return (Answer.CHOSEN if len(found) < len(everything) else Answer.ALL), found


def _pods(option: Option) -> list[bytes]:
    """Before 1.35 they came as messages: as bytes again they are told by their content too."""
    return list(option.podBytes) or [pod.SerializeToString(deterministic=True) for pod in option.pod]
