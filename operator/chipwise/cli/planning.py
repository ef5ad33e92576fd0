"""The work of ``chipwise plan``: a decision as a table, as JSON or as YAML."""

from __future__ import annotations

from collections.abc import Iterator

from chipwise.cli.answers import show_answer
from chipwise.cli.options import Source
from chipwise.cli.report import Document, is_whole, plan_document
from chipwise.cli.sheet import Block, Column, Sheet
from chipwise.cli.source import decided
from chipwise.cli.words import cents, latency, per_hour, served, unit
from chipwise.reasons import Reason


def answer(source: Source, output: str) -> bool:
    """Print the plan. Whether everything could be placed. Raises BadInput."""
    document = plan_document(*decided(source))
    show_answer(document, output, blocks(document))
    return is_whole(document)


def blocks(document: Document) -> Iterator[Block]:
    """What a person reads, from the very document that a script gets."""
    if not document["workloads"] and not document["unreadable"]:
        yield "There is no InferenceWorkload: nothing to decide."
        return
    yield _headline(document)
    yield _workloads(document)
    for title, rows in (("Moves now", _moves(document, "Move")), ("Held", _moves(document, "Hold"))):
        if rows:
            what = (
                Column("WORKLOAD"),
                Column("TO"),
                Column("SAVES", right=True),
                Column("REASON"),
                Column("WHY"),
            )
            yield Sheet(title, what, rows)
    if lost := _unplaced(document):
        yield Sheet("Not placed", (Column("WORKLOAD"), Column("REASON"), Column("WHY")), lost)
    yield _pools(document)
    if warm := _spare(document):
        yield warm
    yield "\n".join(_notes(document))


def _headline(document: Document) -> str:
    summary = document["summary"]
    money = summary["currency"]
    now, saved = summary["currentCostPerHour"], float(summary["savingsPerHour"])
    text = f"{summary['placed']} of {len(document['workloads'])} workloads placed for {per_hour(summary['costPerHour'], money)}."
    if now is None:
        return f"{text} What runs now does not fit what is known of the pools, so it has no bill."
    if not any(workload["placed"] and workload["current"] for workload in document["workloads"]):
        return f"{text} Nothing that the plan places runs now."
    share = f" ({abs(saved) / float(now):.1%})" if float(now) else ""
    said = f"All moves together {'save' if saved >= 0 else 'add'} {per_hour(abs(saved), money)}{share}."
    return f"{text} Now they cost {per_hour(now, money)}. {said}"


def _workloads(document: Document) -> Sheet:
    money = unit(document["summary"]["currency"])
    columns = (
        Column("WORKLOAD"),
        Column("NOW"),
        Column(f"{money}/H", right=True),
        Column(f"{money}/M OUT", right=True, spare=4),
        Column("PLANNED"),
        Column(f"{money}/H", right=True),
        Column(f"{money}/M OUT", right=True, spare=2),
        Column("TTFT", right=True, spare=3),
        Column("TPOT", right=True, spare=1),
        Column("FIGURES", spare=5),
    )
    return Sheet("", columns, tuple(_workload(workload) for workload in document["workloads"]))


def _workload(workload: Document) -> tuple[str, ...]:
    now, name = workload["current"], f"{workload['namespace']}/{workload['name']}"
    left = (served(now), cents(now and now["costPerHour"]), cents(now and now["costPerMillionOutputTokens"]))
    if not workload["placed"]:
        return (name, *left, f"not placed: {workload['reason']}", "-", "-", "-", "-", "-")
    then = workload["placements"][0]
    right = (
        served(then),
        cents(then["costPerHour"]),
        cents(then["costPerMillionOutputTokens"]),
        latency(then["ttftMilliseconds"]),
        latency(then["tpotMilliseconds"]),
        then["provenance"] or "-",
    )
    return (name, *left, *right)


def _moves(document: Document, decision: str) -> tuple[tuple[str, ...], ...]:
    """Less what runs nowhere and is Off: the plan above says it all, and a note says so."""
    return tuple(
        (move["workload"], move["to"], cents(move["savingsPerHour"]), move["reason"], move["message"])
        for move in document["moves"]
        if move["decision"] == decision and (move["from"] or move["reason"] != Reason.MODE_OFF)
    )


def _unplaced(document: Document) -> tuple[tuple[str, ...], ...]:
    lost = [
        (f"{each['namespace']}/{each['name']}", each["reason"], each["message"])
        for each in document["workloads"]
        if not each["placed"]
    ]
    for each in document["unreadable"]:
        where = "/".join(part for part in (each["namespace"], each["name"]) if part)
        lost.append((f"{each['kind']} {where}", "Invalid", each["message"]))
    return tuple(lost)


def _pools(document: Document) -> Sheet:
    money = unit(document["summary"]["currency"])
    columns = (
        Column("POOL"),
        Column("CLASS"),
        Column("CHIPS USED", right=True),
        Column("FREE", right=True),
        Column("NODES", right=True),
        Column(f"{money}/H", right=True),
        Column("PRICE", right=True),
        Column("WHY NOT"),
    )
    return Sheet("Pools", columns, tuple(_pool(pool) for pool in document["pools"]))


def _pool(pool: Document) -> tuple[str, ...]:
    price = (
        f"{float(pool['pricePerHour']):g} {unit(pool['currency'])}/{pool['priceUnit'].lower()}"
        if pool["pricePerHour"]
        else "-"
    )
    used = (
        str(pool["chipsUsed"]),
        str(pool["chipsFree"]),
        str(pool["nodes"]),
        cents(pool["costPerHour"]),
        price,
    )
    return (pool["name"], pool["acceleratorClass"], *used, pool["message"] or "")


def _spare(document: Document) -> Sheet | None:
    """What is kept warm, and what it adds to the bill."""
    kept = [(pool["name"], pool["spare"]) for pool in document["pools"] if pool["spare"]]
    if not kept:
        return None
    money = unit(document["summary"]["currency"])
    columns = (
        Column("POOL"),
        Column("PLACEHOLDERS", right=True),
        Column("WITH ROOM", right=True),
        Column("CHIPS EACH", right=True),
        Column(f"{money}/H", right=True),
    )
    rows = tuple(
        (name, str(one["replicas"]), str(one["kept"]), str(one["chips"]), cents(one["costPerHour"]))
        for name, one in kept
    )
    return Sheet("Kept warm, beside the bill above", columns, rows)


def _notes(document: Document) -> Iterator[str]:
    summary = document["summary"]
    money = summary["currency"]
    proof = "proven optimal" if summary["optimal"] else f"gap {summary['gap']:.2%}"
    stopped = ", stopped by the clock" if summary["timeLimited"] else ""
    yield (
        f"Objective (bill and what moving costs over the payback horizon) {per_hour(summary['objectivePerHour'], money)}, "
        f"lower bound {per_hour(summary['lowerBoundPerHour'], money)}: {proof}{stopped}."
    )
    if any(pool["spare"] for pool in document["pools"]):
        total = float(summary["costPerHour"]) + float(summary["sparePerHour"])
        yield (
            f"Room that is kept warm adds {per_hour(summary['sparePerHour'], money)}: {per_hour(total, money)} in all."
        )
    if summary["modeOff"]:
        yield (
            f"{summary['modeOff']} of {len(document['workloads'])} workloads are in mode Off: this is where everything would go "
            "if all were in mode Rollout."
        )
    for workload in document["workloads"]:
        now = workload["current"]
        if now and not workload["placed"]:
            full = (
                per_hour(now["amortisedPerHour"], money) if now["amortisedPerHour"] else "an unknown amount"
            )
            counted = "not counted above" if now["costPerHour"] is None else "counted in what all cost now"
            yield (
                f"{workload['namespace']}/{workload['name']} stays where it runs and goes on costing {full} at full nodes, {counted}."
            )
    if document["orphans"]:
        yield f"Managed Deployments without a workload, to be restored: {', '.join(document['orphans'])}."
    for waiting in document["orphansWaiting"]:
        yield f"{waiting['deployment']} lost its workload and waits to be restored ({waiting['reason']}): {waiting['message']}."
