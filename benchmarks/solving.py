"""One solve in a process of its own: ``python -m benchmarks.solving WORKLOADS POOLS SEED`` prints what it took as JSON."""

from __future__ import annotations

import json
import os
import sys
import time

from chipwise.placement.solve import solve

from benchmarks.instances import instance
from benchmarks.processes import memory_mb


def main(workloads: int, pools: int, seed: int) -> None:
    problem = instance(workloads, pools, seed)
    held = memory_mb(os.getpid(), "VmRSS")
    begin, spent = time.perf_counter(), time.process_time()
    plan = solve(problem)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - spent
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
        "heldMb": held,
        "peakMb": memory_mb(os.getpid(), "VmHWM"),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
