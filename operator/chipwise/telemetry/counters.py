"""What is counted as it happens; everything else is read from the latest state when it is asked for (``collector``).

Every label has a closed set of values: reasons, verbs, kinds of write. None names a workload.
"""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

#: Seconds. A dozen workloads take milliseconds, ten thousand some fifteen seconds.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0)


class Requests:
    """Requests to the API server, in whatever process asks it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "chipwise_api_requests",
            "Requests to the API server that ended.",
            ("verb", "resource"),
            registry=registry,
        )
        self._errors = Counter(
            "chipwise_api_errors",
            "Those of them without a good answer, by what was wrong.",
            ("verb", "resource", "error"),
            registry=registry,
        )

    def asked(self, verb: str, resource: str, error: str) -> None:
        """One has ended; ``error`` is empty for a good answer."""
        self._ended.labels(verb, resource).inc()
        if error:
            self._errors.labels(verb, resource, error).inc()


@dataclass(frozen=True, slots=True)
class Counters:
    """Made by ``counters``, once for a registry."""

    decisions: Counter
    started: Counter
    finished: Counter
    failed: Counter
    writes: Counter
    requests: Requests
    decide_seconds: Histogram


def counters(registry: CollectorRegistry) -> Counters:
    """Register all of them."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    moves = "of a template that was written, to another place (Move) or back to its author (Restore)"
    return Counters(
        decisions=Counter(
            "chipwise_decisions",
            "Decisions about one workload that differ from the one before.",
            ("decision", "reason"),
            registry=registry,
        ),
        started=Counter("chipwise_moves_started", f"Rollouts {moves}.", ("kind",), registry=registry),
        finished=Counter(
            "chipwise_moves_finished",
            "Such rollouts that ended where they should.",
            ("kind",),
            registry=registry,
        ),
        failed=Counter(
            "chipwise_moves_failed",
            "Such rollouts that ended elsewhere: undone by hand, turned round, or gone with their Deployment.",
            ("kind",),
            registry=registry,
        ),
        writes=Counter(
            "chipwise_writes",
            "Writes on Deployments by what they were for and what came of them: done, conflict or refused.",
            ("kind", "result"),
            registry=registry,
        ),
        requests=Requests(registry),
        decide_seconds=Histogram(
            "chipwise_decide_seconds", "Seconds that a decision took.", buckets=_SECONDS, registry=registry
        ),
    )
