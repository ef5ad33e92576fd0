"""The run of record: what the nodes cost with chipwise and without, under one Karpenter, through a price change and a stockout.

Two fleets of the same shape run side by side. At the start H100 is the cheapest for both. One stays there; the other is chipwise's.
Nodes are billed from the creation of their NodeClaim to its end, at the price of each moment, so that both copies of a move and nodes
that stand empty until Karpenter takes them away are in the bill. All prices are examples, and `example.com/maia` is made up.
"""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace

import pytest

from e2e.nodebill import Tariff
from e2e.nodepools import Fleet
from e2e.nodestage import Stage

pytestmark = pytest.mark.e2e

AT_FIRST = {"h100": "50.00", "mi300": "60.00", "maia": "70.00"}
#: Seconds before the first change and after the last: moves are rare, and this run would be one overlap otherwise.
BEFORE, AFTER = 5.0, 75.0


def spent(stage: Stage) -> float:
    """What the operator says that the pools of a fleet cost now, in dollars an hour."""
    found = re.findall(r"listening on (http://\S+)", stage.operator.log)
    with urllib.request.urlopen(f"{found[-1]}/metrics", timeout=30) as answer:  # noqa: S310 - the address was logged by our own process
        text = answer.read().decode()
    name = re.escape(stage.fleet.name)
    lines = re.findall(
        rf'^chipwise_pool_cost_per_hour{{[^}}]*pool="{name}-[^}}]*}} (\S+)$', text, re.MULTILINE
    )
    assert lines, text
    return sum(map(float, lines))


def claims(stage: Stage) -> list[float]:
    """What the operator said that each move saves, in dollars an hour, in order of time."""
    told = sorted(stage.events("Moving"), key=lambda event: str(event["eventTime"]))
    return [float(re.findall(r"saves ([0-9.]+) \$/h", each["note"])[0]) for each in told]


class Meter:
    """The operator's own figure, integrated: dollars since it was begun."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._moment, self._rate, self.total = stage, time.time(), spent(stage), 0.0

    def tick(self) -> bool:
        """Read it once more."""
        now = time.time()
        self.total += self._rate * (now - self._moment) / 3600
        self._moment, self._rate = now, spent(self._stage)
        return False


def watched(meter: Meter, check: Callable[[], bool]) -> Callable[[], bool]:
    """The check, with the meter read at each look."""

    def look() -> bool:
        meter.tick()
        return check()

    return look


def record(stage: Stage) -> None:
    """H100, then a price change while Maia is out of stock, then Maia."""
    kept = Stage(
        replace(stage.fleet, name="kept", mode="Off"),
        stage.cluster,
        stage.admin,
        stage.operator,
        stage.karpenter,
    ).build()
    tariff = Tariff(AT_FIRST)
    for one in (stage, kept):
        one.begin()
        stays(one)
    begun, meter = time.time(), Meter(stage)
    at_first = tariff.rate(stage.nodes_seen, begun)
    rest(meter, BEFORE)

    stage.set_class_ready("maia", ready=False, reason="InsufficientCapacity", message="out of stock")
    stage.eventually(lambda: not stage.ready("NodePool", stage.fleet.pool("maia")), "a stockout of Maia")
    for chip, amount in (("mi300", "30.00"), ("maia", "10.00")):
        tariff.change(chip, amount)
        for one in (stage, kept):
            one.set_price(chip, amount)
    arrive(stage, meter, "mi300", "h100")
    stage.set_class_ready("maia", ready=True)
    arrive(stage, meter, "maia", "mi300")
    rest(meter, AFTER)

    ended = time.time()
    meter.tick()
    managed, stayed = (tariff.cost(one.nodes_seen, begun, ended) for one in (stage, kept))
    realised = at_first - tariff.rate(stage.nodes_seen, ended)
    claimed = sum(claims(stage))
    print(
        f"record: {ended - begun:.0f} s, kept {stayed:.4f} $, managed {managed:.4f} $ ({managed / stayed:.0%}), by the operator's "
        f"own meter {meter.total:.4f} $; moves claim {claims(stage)} $/h, realised {realised:.2f} $/h"
    )
    assert claims(stage) == [40.0, 40.0]
    assert managed < stayed
    assert kept.placed() == "h100"
    assert claimed == pytest.approx(realised, rel=0.05)
    assert meter.total == pytest.approx(managed, rel=0.05)
    assert stayed - meter.total == pytest.approx(stayed - managed, rel=0.05)


def stays(stage: Stage) -> None:
    """Wait for the first decision: at the start H100 is the cheapest."""
    stage.eventually(lambda: stage.placed() == "h100", "at the start H100 is the cheapest")


def arrive(stage: Stage, meter: Meter, chip: str, before: str) -> None:
    """Wait for a move to its end: every pod serves, and no node of the chip before is left."""
    there = watched(meter, lambda: stage.is_on(chip) and stage.placed() == chip)
    stage.eventually(there, f"settled on {chip}", 90)
    stage.eventually(watched(meter, lambda: not stage.nodes(before)), f"no node of {before} is left", 150)


def rest(meter: Meter, seconds: float) -> None:
    """Nothing happens for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        meter.tick()
        time.sleep(0.5)


@pytest.mark.story(Fleet("record", prices=AT_FIRST), record)
def test_the_nodes_cost_less_than_staying_and_savings_are_as_claimed(story: None) -> None:
    """Total node cost, overlap included, is below that of staying; claimed and realised savings differ by 5 % at most."""
