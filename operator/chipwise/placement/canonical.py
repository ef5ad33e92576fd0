"""One order for everything, so that the same question asked in any order gets the same answer, byte for byte."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from chipwise.placement.problem import Option, Problem, Workload


class MalformedProblemError(ValueError):
    """The problem contradicts itself: a duplicate name, an option in an unknown pool, a count below zero. The caller's mistake."""


def option_order(option: Option) -> tuple[Any, ...]:
    """A total order of one workload's options: equal keys mean equal for every decision."""
    return (
        option.pool,
        option.variant,
        option.replicas,
        option.footprint,
        option.switching_cost_per_hour,
        option.usage,
        repr(option.figures),
    )


def canonical(problem: Problem) -> Problem:
    """The same problem in order of names. Raises MalformedProblemError."""
    pools = tuple(
        replace(pool, buckets=tuple(sorted(pool.buckets)))
        for pool in sorted(problem.pools, key=lambda pool: pool.name)
    )
    workloads = tuple(_ordered(w) for w in sorted(problem.workloads, key=lambda w: w.key))
    limits = tuple(sorted(problem.limits, key=lambda limit: limit.key))
    _unique("workload", [w.key for w in workloads])
    _unique("pool", [pool.name for pool in pools])
    _unique("limit", [limit.key for limit in limits])
    _check(workloads, {pool.name for pool in pools})
    return Problem(workloads, pools, limits)


def _ordered(workload: Workload) -> Workload:
    if len(workload.options) < 2:
        return workload
    return replace(workload, options=tuple(sorted(workload.options, key=option_order)))


def _unique(kind: str, names: list[str]) -> None:
    for first, second in pairwise(names):
        if first == second:
            raise MalformedProblemError(f"two {kind}s are named {first}")


def _check(workloads: tuple[Workload, ...], pools: set[str]) -> None:
    for workload in workloads:
        for option in workload.options:
            if option.pool not in pools:
                raise MalformedProblemError(f"{workload.key} has an option in the unknown pool {option.pool}")
            if option.replicas < 1:
                raise MalformedProblemError(f"{workload.key} has an option with {option.replicas} replicas")
