"""The arithmetic of one workload's decision as sentences that a person can check: why so many replicas, how fast, and what staying costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

from chipwise.api import InferenceWorkload
from chipwise.cli.words import cents, latency
from chipwise.cluster.decide import Decision
from chipwise.performance.confidence import words
from chipwise.placement.problem import Option

Document = dict[str, Any]


def sentences(
    decision: Decision, key: str, candidates: Sequence[Document], performance: Sequence[Document]
) -> list[str]:
    """Where it goes, how many and how fast, what that costs, what else there is. One that has no place says only why."""
    told = decision.shown.explainer.choice(key)
    option = decision.shown.plan.choice(key).option
    if option is None:
        return told
    workload = decision.snapshot.workloads[key]
    load = [*_how_many(workload, option), *_how_fast(workload, option, performance)]
    return [told[0], *load, *told[1:], *_staying(decision, key, candidates)]


def _how_many(workload: InferenceWorkload, option: Option) -> Iterator[str]:
    if option.figures is None:
        return
    traffic, one = workload.spec.traffic, option.figures.requests_per_second
    peak = float(traffic.peak_requests_per_second or traffic.mean_requests_per_second)
    needed = max(1, ceil(peak / one - 1e-9))
    text = f"{peak:g} requests/s at the peak over {one:.3g} of one replica are {peak / one:.2f}, so {needed} would do"
    yield text if needed == option.replicas else f"{text}; {option.replicas} are {_whose(workload, option)}"


def _whose(workload: InferenceWorkload, option: Option) -> str:
    least = workload.spec.replicas.min
    return f"the minimum, {least}" if option.replicas == least else "what its author or autoscaler runs"


def _how_fast(workload: InferenceWorkload, option: Option, performance: Sequence[Document]) -> Iterator[str]:
    """What is expected beside what is demanded (of means, as the figures are), and where it comes from."""
    figures = option.figures
    if figures is None:
        return
    means = {
        str(one.metric): f"{one.threshold}{words(one.confidence_share)}"
        for one in workload.spec.objectives
        if str(one.statistic) == "Mean"
    }
    expected = {"TTFT": figures.ttft_ms, "TPOT": figures.tpot_ms}
    said = [
        f"{metric} {latency(value)}" + (f" of at most {means[metric]}" if metric in means else "")
        for metric, value in expected.items()
    ]
    known = next((one for one in performance if one["variant"] == option.variant), None)
    source = f"; source: {known['source']}" if known is not None and known["source"] else ""
    yield f"At the peak {' and '.join(said)} are expected ({figures.provenance}, within {figures.band:.0%}{source})"
    yield (
        f"One replica serves up to {figures.requests_per_second:.3g} requests/s, bounded by {figures.binding}"
    )


def _staying(decision: Decision, key: str, candidates: Sequence[Document]) -> Iterator[str]:
    """What the bill would be with it where it runs now, next to the others of the plan."""
    running = decision.shown.running[key]
    chosen = next((one for one in candidates if one["chosen"]), None)
    here = next(
        (one for one in candidates if (one["pool"], one["variant"]) == (running.pool, running.variant)), None
    )
    if chosen is None or here is None or here is chosen or here["addedPerHour"] is None:
        return
    more = float(here["addedPerHour"]) - float(chosen["addedPerHour"])
    yield (
        f"Where it runs now, on {running.place}, it would add {cents(here['addedPerHour'])} $/h to the bill beside the others of the "
        f"plan, {abs(more):.2f} $/h {'more' if more >= 0 else 'less'} than there"
    )
