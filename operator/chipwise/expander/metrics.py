"""What the expander counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics

from chipwise.expander.answers import Answer
from chipwise.telemetry.counters import Requests

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
        for answer in Answer:
            self._answers.labels(answer.value)
        self._seconds = Histogram(
            "chipwise_expander_seconds",
            "Seconds that an answer took.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.asked = Requests(self.registry).asked
        ProcessCollector(registry=self.registry)

    def answered(self, answer: Answer, seconds: float) -> None:
        """One answer was given."""
        self._answers.labels(answer.value).inc()
        self._seconds.observe(seconds)
