"""One order for everything, so that the same question asked in any order gets the same answer, byte for byte."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from chipwise.placement.problem import Option, Pool, Problem, Workload


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
    ceilings = tuple(
        replace(ceiling, each=tuple(sorted(ceiling.each)))
        for ceiling in sorted(problem.ceilings, key=lambda ceiling: ceiling.key)
    )
    shared = {pool for ceiling in ceilings for pool, _ in ceiling.each}
    pools = tuple(
        _pool(pool, shared=pool.name in shared) for pool in sorted(problem.pools, key=lambda pool: pool.name)
    )
    workloads = tuple(_ordered(w) for w in sorted(problem.workloads, key=lambda w: w.key))
    limits = tuple(sorted(problem.limits, key=lambda limit: limit.key))
    _unique("workload", [w.key for w in workloads])
    _unique("pool", [pool.name for pool in pools])
    _unique("limit", [limit.key for limit in limits])
    _unique("ceiling", [ceiling.key for ceiling in ceilings])
    _check(workloads, {pool.name for pool in pools})
    if unknown := shared - {pool.name for pool in pools}:
        raise MalformedProblemError(f"a ceiling is over the unknown pool {min(unknown)}")
    return Problem(workloads, pools, limits, ceilings)


def _pool(pool: Pool, *, shared: bool) -> Pool:
    """In order; nodes to come are told from others only where somebody counts them."""
    buckets = pool.buckets if shared else (replace(bucket, to_come=False) for bucket in pool.buckets)
    found = tuple(sorted(buckets))
    if len({bucket.room for bucket in found if bucket.to_come}) > 1:
        raise MalformedProblemError(f"the nodes to come of pool {pool.name} are not alike")
    return replace(pool, buckets=found)


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
