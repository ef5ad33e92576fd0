"""Where each workload was and is, what that cost and costs, and why, as one table."""

from __future__ import annotations

from typing import Any

from chipwise.cli.sheet import Column, Sheet, plain
from chipwise.cli.words import cents, served

from e2e.demo.stage import Stage

Document = dict[str, Any]


def savings(stage: Stage, asked: Document, reached: Document) -> None:
    """Show the table, and check that the bill falls. `asked` and `reached` are plans: what ran before and after is in both."""
    teller = stage.teller
    columns = (
        Column("WORKLOAD"),
        Column("WAS"),
        Column("$/H", right=True),
        Column("IS"),
        Column("$/H", right=True),
        Column("SAVES", right=True),
        Column("$/M OUT", right=True),
        Column("WHY"),
    )
    then = {each["name"]: each for each in asked["workloads"]}
    rows = tuple(_saving(then[each["name"]], each) for each in reached["workloads"])
    teller.show(plain([Sheet("", columns, rows)]))
    was, now = (float(each["summary"]["currentCostPerHour"]) for each in (asked, reached))
    teller.check(
        "the bill falls",
        holds=now < was,
        expected=f"less than {was:.2f} $/h",
        seen=f"{was:.2f} -> {now:.2f} $/h, {was - now:.2f} $/h saved ({(was - now) / was:.0%})",
    )
    used = ", ".join(f"{count} {pool}" for pool, count in stage.nodes_in_use().items())
    teller.say(
        "$/H: its share of whole nodes, as few as all pods would fill (so it falls for what stays, too). $/M OUT: dollars per million "
        f"output tokens. The scheduler of this cluster spreads pods, and nothing removes nodes here: they are on {used} nodes now. "
        "Such a bill needs an autoscaler that consolidates."
    )
    teller.say(
        "Maia's price and resource name are made up; MI300X and Maia speeds are illustrative, not measured (examples/README.md)."
    )


def _saving(then: Document, now: Document) -> tuple[str, ...]:
    was, is_ = then["current"], now["current"]
    costs = (was["costPerHour"], is_["costPerHour"])
    saved = "-" if None in costs else f"{float(costs[0]) - float(costs[1]):.2f}"
    return (
        now["name"],
        served(was),
        cents(costs[0]),
        served(is_) if _place(is_) != _place(was) else "stays",
        cents(costs[1]),
        saved,
        cents(is_["costPerMillionOutputTokens"]),
        _why(now),
    )


def _place(current: Document) -> tuple[Any, ...]:
    return current["pool"], current["variant"], current["replicas"]


def _why(workload: Document) -> str:
    """One phrase: its next best, or what stands in the way of all that would be cheaper."""
    if workload["reason"] == "NoFeasibleVariant":
        return "NoFeasibleVariant: see 3"
    if workload["mode"] == "Off":
        chosen = workload["placements"][0]
        return f"ModeOff: {chosen['pool']} proposed, nothing written"
    others = [each for each in workload["candidates"] if not each["chosen"]]
    able = [each for each in others if each["feasible"]]
    if not able:
        return "no other chip meets its objectives"
    best = min(able, key=lambda each: float(each["amortisedPerHour"]))
    return f"next best is {best['pool']}, {cents(best['amortisedPerHour'])} $/h"
