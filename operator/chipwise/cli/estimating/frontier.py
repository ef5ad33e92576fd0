"""``chipwise estimate --frontier``: per chip the cheapest way to keep each TPOT, and where the cheapest chip changes with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from chipwise.catalog.answering import unheard_of
from chipwise.catalog.cases import absurd_load
from chipwise.catalog.chip_prices import Market
from chipwise.catalog.frontier import OBJECTIVES, OfChip, Wanted, Way, cheapest, frontiers
from chipwise.cli.answers import show_answer
from chipwise.cli.catalogue.asked import granted
from chipwise.cli.errors import BadInput
from chipwise.cli.estimating.asked import Asked, Said
from chipwise.cli.estimating.basis import Basis
from chipwise.cli.estimating.frontier_plot import drawn
from chipwise.cli.figures import band, count, money
from chipwise.cli.sheet import Block, Column, Sheet
from chipwise.cli.words import cents
from chipwise.performance.computing import WEIGHT_BITS
from chipwise.reasons import Refusal

Document = dict[str, Any]


def answer_frontier(asked: Asked, ttft_limit: str, market: Market, given: Basis, said: Said) -> bool:
    """Print the frontier, and draw it. Whether any chip has one. Raises BadInput."""
    from chipwise.api.durations import to_milliseconds  # noqa: PLC0415 - pydantic

    try:
        limit = to_milliseconds(ttft_limit)
    except ValueError as error:
        raise BadInput(f"--ttft {ttft_limit}: {error}") from error
    if said.plot is not None and said.plot.suffix.lower() != ".svg":
        raise BadInput(f"--plot {said.plot}: is drawn as SVG: name it .svg")
    if absurd := absurd_load(asked.load.input_tokens, asked.load.output_tokens, 1):
        raise BadInput(f"Invalid: {absurd}")
    if unknown := [each for each in asked.precisions if each.lower() not in WEIGHT_BITS]:
        raise BadInput(f"Invalid: precision {unknown[0]} is none of {', '.join(WEIGHT_BITS)}")
    model = granted(given.model_of(asked.model))
    load = asked.load
    precisions = tuple(each.lower() for each in asked.precisions)
    wanted = Wanted(
        load.input_tokens, load.output_tokens, limit, precisions, asked.engine, asked.engine_version
    )
    if unheard := unheard_of(given.estimator, asked.engine):
        click.echo(unheard, err=True)
    found, left_out = frontiers(model, wanted, market, given.estimator)
    document = _document(model.id, wanted, market, found, left_out) | {"learnt": given.learnt}
    if said.plot is not None and found:
        _write(said.plot, drawn(model.id, wanted, found))
    show_answer(document, said.form, _blocks(document))
    return bool(found)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


def _document(
    model: str,
    wanted: Wanted,
    market: Market,
    found: Sequence[OfChip],
    left_out: Sequence[tuple[str, Refusal]],
) -> Document:
    best = [(tpot, cheapest(found, tpot)) for tpot in OBJECTIVES]
    names = [pair[0].chip.name for _, pair in best if pair is not None]
    return {
        "model": model,
        "inputTokens": count(wanted.input_tokens),
        "outputTokens": count(wanted.output_tokens),
        "ttftLimitMilliseconds": wanted.ttft_ms,
        "currency": "USD",
        "pricesOf": [{"cloud": cloud, "region": region} for cloud, region in market.looked_in],
        "flips": sum(one != other for one, other in pairwise(names)),
        "cheapest": [
            {"tpotMilliseconds": tpot, "chip": pair[0].chip.name, **_way(pair[1])}
            if pair
            else {"tpotMilliseconds": tpot, "chip": None}
            for tpot, pair in best
        ],
        "chips": [
            {
                "chip": each.chip.name,
                "vendor": each.chip.vendor,
                "within": [
                    {"tpotMilliseconds": tpot, **(_way(way) if (way := each.within(tpot)) else {})}
                    for tpot in OBJECTIVES
                ],
                "frontier": [_way(way) for way in each.ways],
            }
            for each in found
        ],
        "leftOut": [
            {"chip": chip, "reason": refusal.reason.value, "message": refusal.message}
            for chip, refusal in left_out
        ],
    }


def _way(way: Way) -> Document:
    return {
        "chips": way.chips,
        "precision": way.precision,
        "concurrency": way.concurrency,
        "ttftMilliseconds": band(way.ttft_ms),
        "expectedTpotMilliseconds": band(way.tpot_ms),
        "costPerMillionOutputTokens": money(way.cost[0]),
        "costLow": money(way.cost[1]),
        "costHigh": money(way.cost[2]),
        "provenance": way.provenance,
        "pricePerChipHour": money(way.price.amount),
        "priceSource": way.price.words,
    }


def _blocks(document: Document) -> Iterator[Block]:
    where = ", ".join(f"{each['cloud']} {each['region']}" for each in document["pricesOf"])
    yield (
        f"{document['model']}, requests of {document['inputTokens']:g} input and {document['outputTokens']:g} output tokens, mean TTFT at most "
        f"{document['ttftLimitMilliseconds']:g} ms.\nDollars for a million output tokens, on demand, as the chips' part of a machine. "
        f"Prices of {where or 'no region'}."
    )
    if document["chips"]:
        yield _by_chip(document)
        yield _by_objective(document)
        yield _flips(document)
    if document["leftOut"]:
        rows = tuple((each["chip"], each["reason"], each["message"]) for each in document["leftOut"])
        yield Sheet("Left out", (Column("CHIP"), Column("REASON"), Column("WHY")), rows)


def _by_chip(document: Document) -> Sheet:
    columns = (
        Column("CHIP"),
        Column("$/CHIP-H", right=True),
        *(Column(f"TPOT {tpot:g} MS", right=True) for tpot in OBJECTIVES),
        Column("PRICE OF"),
    )
    best = {each["tpotMilliseconds"]: each["chip"] for each in document["cheapest"]}
    rows = []
    for chip in document["chips"]:
        cells = [
            cents(way.get("costPerMillionOutputTokens"))
            + ("*" if best[way["tpotMilliseconds"]] == chip["chip"] else "")
            for way in chip["within"]
        ]
        last = chip["frontier"][-1]
        rows.append((chip["chip"], last["pricePerChipHour"], *cells, last["priceSource"]))
    return Sheet("Cheapest way to keep a TPOT (* the cheapest of all, - none keeps it)", columns, tuple(rows))


def _by_objective(document: Document) -> Sheet:
    columns = (
        *(Column("TPOT", right=True), Column("CHEAPEST"), Column("CHIPS", right=True), Column("PRECISION")),
        *(Column("CONCURRENCY", right=True), Column("TTFT", right=True), Column("EXPECTED TPOT", right=True)),
        *(Column("TPOT BAND", right=True), Column("$/M", right=True), Column("PROVENANCE"), Column("")),
    )
    rows, before = [], None
    for each in document["cheapest"]:
        objective = f"{each['tpotMilliseconds']:g} ms"
        if each["chip"] is None:
            rows.append((objective, "none", *("-",) * 7, "-", ""))
            continue
        tpot = each["expectedTpotMilliseconds"]
        rows.append(
            (
                objective,
                each["chip"],
                str(each["chips"]),
                each["precision"],
                str(each["concurrency"]),
                f"{each['ttftMilliseconds']['value']:.0f} ms",
                f"{tpot['value']:.1f} ms",
                f"{tpot['low']:.3g} to {tpot['high']:.3g}",
                cents(each["costPerMillionOutputTokens"]),
                each["provenance"],
                "flips" if before not in (None, each["chip"]) else "",
            )
        )
        before = each["chip"]
    return Sheet("Cheapest chip by objective", columns, tuple(rows))


def _flips(document: Document) -> str:
    told: list[str] = []
    for each in document["cheapest"]:
        if each["chip"] and (not told or not told[-1].startswith(f"{each['chip']} ")):
            told.append(f"{each['chip']} from {each['tpotMilliseconds']:g} ms")
    if document["flips"]:
        return f"The cheapest chip changes with the objective: {', '.join(told)}."
    return "The cheapest chip is the same for all of these objectives."
