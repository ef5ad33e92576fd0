"""The operator on a real local control plane: its memory with 100 workloads and 200 nodes, and how soon a price becomes a write.

A bare patch is measured before each price change, one for one, so that both see the same server in the same minutes. The bar is the
design's: p99 of price to write at most the quiet window, the time to solve and five of the bare client's p99 together.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from chipwise.control.quiet import QuietWindow

from benchmarks.figures import Figure, rounded
from benchmarks.fleet import NODES, WORKLOADS, authored, platform, workloads
from benchmarks.processes import memory_mb
from benchmarks.server import (
    DEPLOYMENTS,
    JSON_PATCH,
    MERGE_PATCH,
    POOLS,
    Server,
    generation,
    opened,
    rolled_out,
)
from e2e.cluster import Cluster, start_cluster
from e2e.cluster.fleet import apply
from e2e.cluster.start import delete_cluster
from e2e.operator_process import OperatorProcess, install_chart, service_account_kubeconfig

CLUSTER = "chipwise-bench"
FLIPS = 30
MEMORY_BAR = 150.0
BARE_FACTOR = 5
_LONGEST_SETTLING = 240.0
_ACT = '"act":'
_DEARER, _CHEAPER = "30.00", "10.00"


def measure() -> list[Figure]:
    """Start from an empty control plane, which is removed in the end."""
    delete_cluster(CLUSTER)
    cluster = start_cluster(CLUSTER)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measured(cluster, Path(folder))
    finally:
        cluster.delete()


def _measured(cluster: Cluster, folder: Path) -> list[Figure]:
    install_chart(cluster)
    print(f"operator: {NODES} nodes, {WORKLOADS} workloads", flush=True)
    apply(cluster, platform())
    apply(cluster, authored())
    cluster.run_kubectl(
        "--namespace",
        "bench",
        "wait",
        "deployment",
        "--all",
        "--for=jsonpath={.status.observedGeneration}",
        "--timeout=60s",
    )
    kubeconfig = service_account_kubeconfig(cluster, folder / "kubeconfig")
    flags = ("--log-level", "debug", "--log-format", "json")
    with OperatorProcess(kubeconfig, folder / "operator.log", *flags) as operator:
        apply(cluster, workloads())
        _settle(operator)
        assert operator.pid is not None
        settled = memory_mb(operator.pid, "VmRSS")
        prices, bare = asyncio.run(_flips(cluster, operator))
        figures = _memory(settled, operator.pid)
        solves = solve_seconds(operator.log)
        if len(solves) < FLIPS:
            raise RuntimeError(f"{len(solves)} moves of flip in the operator's log:\n{operator.log_tail()}")
        return [*figures, *_latency(prices, bare, solves[-FLIPS:])]


def _settle(operator: OperatorProcess) -> None:
    """Until the operator is at rest: all moves are made, all status is told."""
    end = time.monotonic() + _LONGEST_SETTLING
    while True:
        before = operator.log
        time.sleep(_pause(before, 5.0))
        print(
            f"operator: {before.count(_ACT)} writes, {memory_mb(operator.pid or 0, 'VmRSS'):.0f} MB",
            flush=True,
        )
        if operator.log == before and _ACT in before:
            return
        if time.monotonic() > end or not operator.is_alive:
            raise RuntimeError(f"the operator did not come to rest:\n{operator.log_tail()}")


def _memory(settled: float, pid: int) -> list[Figure]:
    what = f"operator, {WORKLOADS} workloads, {NODES} nodes"
    return [
        Figure("operator.memory.settled", f"{what}: resident at rest", rounded(settled), "MB", MEMORY_BAR),
        Figure(
            "operator.memory.peak",
            f"{what}: highest, after all moves",
            rounded(memory_mb(pid, "VmHWM")),
            "MB",
            MEMORY_BAR,
        ),
    ]


async def _flips(cluster: Cluster, operator: OperatorProcess) -> tuple[list[float], list[float]]:
    """Seconds from a price to the write it causes, and seconds of a bare patch, each ``FLIPS`` times."""
    prices, bare = [], []
    async with opened(cluster.kubeconfig) as server:
        for number in range(FLIPS):
            await _rest(operator)
            bare.append(await _bare_patch(server, number))
            await _rest(operator)
            prices.append(await _flip(server, _DEARER if number % 2 == 0 else _CHEAPER))
            if number % 10 == 9:
                print(
                    f"operator: {number + 1} of {FLIPS} price changes, last {prices[-1] * 1000:.0f} ms",
                    flush=True,
                )
            if not operator.is_alive:
                raise RuntimeError(f"the operator died:\n{operator.log_tail()}")
        await _rest(operator)  # the last write is logged after it is seen
    return prices, bare


async def _flip(server: Server, amount: str) -> float:
    _, before = await server.until("flip", rolled_out)
    known = generation(before)
    await server.patch(f"{POOLS}/flip-a", {"spec": {"price": {"amount": amount}}}, MERGE_PATCH)
    begin = time.perf_counter()
    written, _ = await server.until("flip", lambda seen: generation(seen) > known)
    return written - begin


async def _bare_patch(server: Server, number: int) -> float:
    """A template as large as the one that a move writes, with as large annotations, on the Deployment as it was read."""
    _, seen = await server.until("bare", lambda _: True)
    known, metadata = generation(seen), seen["metadata"]
    template: dict[str, Any] = json.loads(json.dumps(seen["spec"]["template"]))
    template["metadata"].setdefault("annotations", {})["bench"] = str(number)
    note = {"bench/base": json.dumps(template), "bench/placement": "p" * 400}
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
        {"op": "add", "path": "/spec/template", "value": template},
        {"op": "add", "path": "/metadata/annotations", "value": {**metadata.get("annotations", {}), **note}},
    ]
    begin = time.perf_counter()
    await server.patch(f"{DEPLOYMENTS}/bare", operations, JSON_PATCH)
    written, _ = await server.until("bare", lambda found: generation(found) > known)
    return written - begin


async def _rest(operator: OperatorProcess) -> None:
    """Until nothing was logged, and so nothing decided, for longer than a decision takes: what the last change set off is over."""
    while True:
        before = operator.log
        await asyncio.sleep(_pause(before, 1.0))
        if operator.log == before:
            return


def _pause(log: str, least: float) -> float:
    last = [float(entry["seconds"]) for entry in _entries(log) if entry.get("message") == "decided"][-1:]
    return least + 2 * sum(last)


def _entries(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def solve_seconds(log: str) -> list[float]:
    """What each decision took that led to a move of ``flip``, from the operator's log in JSON."""
    found, last = [], math.nan
    for entry in _entries(log):
        if entry.get("message") == "decided":
            last = entry["seconds"]
        elif entry.get("act") == "Moving" and entry["message"].startswith("bench/flip:"):
            found.append(last)
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest rank: for 30 values the 99th percentile is the largest."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _latency(prices: Sequence[float], bare: Sequence[float], solves: Sequence[float]) -> list[Figure]:
    quiet = QuietWindow().idle
    worst, bare_worst, solve_worst = (quantile(each, 0.99) for each in (prices, bare, solves))
    allowed = quiet + solve_worst + BARE_FACTOR * bare_worst

    def ms(name: str, what: str, seconds: float) -> Figure:
        return Figure(f"operator.price.{name}", what, rounded(1000 * seconds), "ms")

    return [
        ms("p50", f"a price changes, to the first write, of {len(prices)}: p50", median(prices)),
        ms("p99", f"a price changes, to the first write, of {len(prices)}: p99", worst),
        ms("quiet", "of which the quiet window", quiet),
        ms("solve", "of which deciding, from the operator's log: p99", solve_worst),
        ms("bare.p50", f"a bare client's patch to its watch, of {len(bare)}: p50", median(bare)),
        ms("bare.p99", f"a bare client's patch to its watch, of {len(bare)}: p99", bare_worst),
        Figure(
            "operator.price.ratio",
            f"p99 against quiet window + deciding + {BARE_FACTOR} bare p99",
            rounded(worst / allowed),
            "x",
            1.0,
        ),
        Figure(
            "operator.price.excess",
            "p50 less quiet window and deciding, against the bare p50",
            rounded((median(prices) - quiet - median(solves)) / median(bare)),
            "x",
        ),
    ]
