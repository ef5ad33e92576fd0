"""What the expander counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics

from chipwise.expander.answers import Answer

#: Seconds: a few pods take a millisecond, and Cluster Autoscaler waits for five seconds.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """``registry`` is what is shown; the labels are closed lists."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "chipwise_expander_answers", "Answers to Cluster Autoscaler.", ("answer",), registry=self.registry
        )
        self._seconds = Histogram(
            "chipwise_expander_seconds",
            "Seconds that an answer took.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._requests = Counter(
            "chipwise_api_requests",
            "Requests to the API server that ended.",
            ("verb", "resource"),
            registry=self.registry,
        )
        self._errors = Counter(
            "chipwise_api_errors",
            "Those of them without a good answer, by what was wrong.",
            ("verb", "resource", "error"),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def answered(self, answer: Answer, seconds: float) -> None:
        """One answer was given."""
        self._answers.labels(answer.value).inc()
        self._seconds.observe(seconds)

    def asked(self, verb: str, resource: str, error: str) -> None:
        """One request to the API server has ended; ``error`` is empty for a good answer."""
        self._requests.labels(verb, resource).inc()
        if error:
            self._errors.labels(verb, resource, error).inc()


def not_synced(synced: Mapping[str, bool]) -> Sequence[str]:
    """Which lists are not complete, a sentence each."""
    return tuple(f"{name}: not listed yet" for name, done in synced.items() if not done)
