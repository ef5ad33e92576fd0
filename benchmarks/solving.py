"""One solve in a process of its own: ``python -m benchmarks.solving WORKLOADS POOLS SEED`` prints what it took as JSON.

So it does of the order of node groups that the priority expander is told after it.
"""

from __future__ import annotations

import json
import os
import sys
import time

from chipwise.autoscaling.order import order_groups, worst_regrets
from chipwise.cluster.expansion import costs_of
from chipwise.placement.explain import Explainer
from chipwise.placement.solve import solve

from benchmarks.instances import instance
from benchmarks.processes import memory_mb


def main(workloads: int, pools: int, seed: int) -> None:
    problem = instance(workloads, pools, seed)
    held = memory_mb(os.getpid(), "VmRSS")
    begin, spent = time.perf_counter(), time.process_time()
    plan = solve(problem)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - spent
    explainer, groups = Explainer(problem, plan), {pool.name: pool.name for pool in problem.pools}
    begin = time.perf_counter()
    costs = costs_of({workload.key: explainer for workload in problem.workloads}, groups)
    order = order_groups(costs, {pool.name: pool.price_per_chip for pool in problem.pools})
    worst_regrets(order, costs)
    ordering = time.perf_counter() - begin
    chips = sum(b.room.chips * b.count for pool in problem.pools for b in pool.buckets)
    found = {
        "seconds": seconds,
        "cpu": cpu,
        "gap": plan.gap,
        "optimal": plan.optimal,
        "timeLimited": plan.time_limited,
        "placed": sum(choice.option is not None for choice in plan.choices),
        "costPerHour": plan.cost_per_hour,
        "chipsUsedShare": sum(use.chips_used for use in plan.pools) / chips,
        "options": sum(len(workload.options) for workload in problem.workloads),
        "orderSeconds": ordering,
        "heldMb": held,
        "peakMb": memory_mb(os.getpid(), "VmHWM"),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
