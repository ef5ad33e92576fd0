"""The joint choice: a problem in, a plan out. The same problem in any order gives the same plan."""

from __future__ import annotations

from collections.abc import Mapping

from chipwise.placement.billing import bill
from chipwise.placement.canonical import canonical
from chipwise.placement.ceilings import granted, nobody_s
from chipwise.placement.instance import amortised, number
from chipwise.placement.occupancy import Occupancy
from chipwise.placement.plan import Choice, Plan
from chipwise.placement.problem import Option, Problem, SolveLimits, Workload
from chipwise.placement.search import Found, Search
from chipwise.placement.shortfall import refusal
from chipwise.placement.spare import spare_uses

_DIGITS = 9


def solve(
    problem: Problem, limits: SolveLimits | None = None, warm: Mapping[str, Option] | None = None
) -> Plan:
    """Place as many workloads of each priority as possible, highest first, at the least billed and switching cost.

    ``warm`` is an earlier assignment to start from; it can change which of several equally good plans is found. Raises
    MalformedProblemError (canonical.py).
    """
    ordered = canonical(problem)
    instance = number(ordered)
    found = Found((), 0.0, 0.0, optimal=True, time_limited=False, grants=nobody_s(instance))
    if instance.seats:
        found = Search(instance, limits or SolveLimits()).run(warm or {})
    chosen = {
        workload.key: instance.seats[index].option
        for workload, index in zip(instance.workloads, found.chosen, strict=True)
        if index >= 0
    }
    shared = granted(ordered, dict(found.grants))
    billed = bill(shared, chosen)
    occupancy = Occupancy.loaded(number(shared) if found.grants else instance, found.chosen)
    if occupancy is None:  # pragma: no cover
        raise AssertionError("the plan does not fit")
    owners = {workload.key: owner for owner, workload in enumerate(instance.workloads)}
    prices = {pool.name: pool for pool in ordered.pools}

    def choice(workload: Workload) -> Choice:
        option = chosen.get(workload.key)
        if option is None:
            why = refusal(workload, instance, occupancy, owners.get(workload.key))
            return Choice(workload.key, None, 0.0, 0.0, why)
        own = amortised(prices[option.pool], option.chips)
        return Choice(workload.key, option, billed.shares[workload.key], round(own, _DIGITS))

    objective = billed.cost_per_hour + sum(
        option.switching_cost_per_hour for _, option in sorted(chosen.items())
    )
    bound = min(objective, found.bound)
    return Plan(
        choices=tuple(choice(workload) for workload in ordered.workloads),
        pools=billed.pools,
        cost_per_hour=billed.cost_per_hour,
        objective_per_hour=round(objective, _DIGITS),
        lower_bound_per_hour=round(objective if found.optimal else bound, _DIGITS),
        gap=0.0 if found.optimal or not objective else round((objective - bound) / objective, _DIGITS),
        optimal=found.optimal,
        time_limited=found.time_limited,
        grants=found.grants,
        spare=spare_uses(shared, chosen, billed),
    )
