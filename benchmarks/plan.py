"""How good a plan is, against what is proven, and what it takes: a published case through the command line, and random fleets."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, rounded
from benchmarks.processes import CHIPWISE, spend

#: Workloads, pools, and the bars: gap in per cent, seconds, MB. design: 0.1 % in 2 s, under 300 MB, for the largest.
RANDOM: tuple[tuple[int, int, tuple[float, float, float] | None], ...] = (
    (100, 10, None),
    (1_000, 30, None),
    (10_000, 50, (0.1, 2.0, 300.0)),
)
#: What the order of node groups may add to a decision at the size with bars.
ORDER_SECONDS = 1.0
SEED = 20260818
INFERNO = "tests/data/inferno-small"
INFERNO_OPTIMUM = 357.67
INFERNO_PUBLISHED = 397.43


def measure() -> list[Figure]:
    """Each solve in a fresh process."""
    figures = _inferno()
    for workloads, pools, bars in RANDOM:
        print(f"plan: {workloads} workloads x {pools} pools", flush=True)
        argv = (sys.executable, "-m", "benchmarks.solving", str(workloads), str(pools), str(SEED))
        figures += _of(workloads, pools, json.loads(spend(argv).output), bars)
    return figures


def _inferno() -> list[Figure]:
    print("plan: inferno-small", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inferno.yaml"
        path.write_text(spend((CHIPWISE, "import", "inferno", INFERNO)).output)
        used = spend((CHIPWISE, "plan", "-f", str(path), "-o", "json"))
    summary = json.loads(used.output)["summary"]
    cost = float(summary["costPerHour"])
    return [
        Figure("plan.inferno.cost", "inferno-small, dollars an hour", cost, "$/h"),
        Figure(
            "plan.inferno.off",
            f"inferno-small, away from the proven optimum {INFERNO_OPTIMUM}",
            rounded(abs(cost - INFERNO_OPTIMUM)),
            "$/h",
            0.01,
        ),
        Figure(
            "plan.inferno.unproven",
            "inferno-small, 0 where the solver proved it optimal",
            0 if summary["optimal"] else 1,
            "",
            0,
        ),
        Figure(
            "plan.inferno.published",
            f"inferno-small, against the published answer {INFERNO_PUBLISHED}",
            rounded(cost / INFERNO_PUBLISHED),
            "x",
        ),
        Figure("plan.inferno.solve", "inferno-small, solve", rounded(summary["solveSeconds"]), "s"),
        Figure("plan.inferno.memory", "inferno-small, whole process, peak", rounded(used.peak_mb), "MB"),
    ]


def _of(
    workloads: int, pools: int, found: dict[str, Any], bars: tuple[float, float, float] | None
) -> list[Figure]:
    size, name = f"{workloads:,} x {pools}", f"plan.{workloads}x{pools}"
    gap, seconds, memory = bars or (None, None, None)
    order = ORDER_SECONDS if bars else None
    note = f"{size}, {found['options']:,} options, {100 * found['chipsUsedShare']:.0f} % of the chips used"
    return [
        Figure(
            f"{name}.unplaced", f"{note}: workloads not placed", workloads - found["placed"], "workloads", 0
        ),
        Figure(f"{name}.gap", f"{size}: gap to the best proven bound", rounded(100 * found["gap"]), "%", gap),
        Figure(f"{name}.solve", f"{size}: solve, on the clock", rounded(found["seconds"]), "s", seconds),
        Figure(
            f"{name}.order",
            f"{size}: with --priority-expander, one order of the pools for all workloads, on top",
            rounded(found["orderSeconds"]),
            "s",
            order,
        ),
        Figure(f"{name}.cpu", f"{size}: solve, CPU", rounded(found["cpu"]), "s"),
        Figure(
            f"{name}.memory",
            f"{size}: peak of the process, the problem itself included",
            rounded(found["peakMb"]),
            "MB",
            memory,
        ),
    ]
