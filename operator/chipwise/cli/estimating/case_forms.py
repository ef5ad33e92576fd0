"""Estimated cases in the forms that can be asked for: a table to read, JSON and YAML as they stand, CSV with the columns of a table of rows."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from typing import Any

from chipwise.cli.answers import show_answer
from chipwise.cli.sheet import Block, Column, Sheet
from chipwise.cli.words import cents, latency
from chipwise.performance.confidence import words

Document = dict[str, Any]


def show_cases(document: Document, form: str) -> None:
    """To standard output."""
    if form == "csv":
        _csv(document)
    else:
        show_answer(document, form, _blocks(document))


def _csv(document: Document) -> None:
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(
        (
            *("model", "accelerator", "precision", "chips", "tensor_parallel", "pipeline_parallel"),
            *(
                "data_parallel",
                "expert_parallel",
                "engine",
                "engine_version",
                "input_tokens",
                "output_tokens",
            ),
            *("concurrency", "ttft_ms", "ttft_low", "ttft_high", "tpot_ms", "tpot_low", "tpot_high"),
            *("output_tokens_per_second", "cost_per_million_output_tokens", "provenance", "reason"),
        )
    )
    for entry in document["cases"]:
        bands = [entry[name] or {} for name in ("ttftMilliseconds", "tpotMilliseconds")]
        reason = [f"{entry['reason']}: {entry['message']}"] if entry["reason"] else entry["notes"]
        cells = [
            document["model"],
            *(entry[name] for name in ("accelerator", "precision", "chips", "tensorParallel")),
            *(entry[name] for name in ("pipelineParallel", "dataParallel", "expertParallel")),
            *(entry[name] for name in ("engine", "engineVersion")),
            document["inputTokens"],
            document["outputTokens"],
            entry["concurrency"],
            *(band.get(name) for band in bands for name in ("value", "low", "high")),
            *(entry[name] for name in ("outputTokensPerSecond", "costPerMillionOutputTokens", "provenance")),
            "; ".join(reason),
        ]
        table.writerow(cells)


def _blocks(document: Document) -> Iterator[Block]:
    learnt = document["learnt"]
    yield (
        f"{document['model']}, requests of {document['inputTokens']:g} input and {document['outputTokens']:g} output tokens. Means over "
        f"requests, each with the band that holds 90 % of measurements. Learnt from {learnt['rows']:,} rows ({learnt['from']})."
    )
    columns = (
        *(
            Column("CHIP"),
            Column("PRECISION"),
            Column("CHIPS", right=True),
            Column("CONCURRENCY", right=True),
        ),
        *(Column("TTFT", right=True), Column("TTFT BAND", right=True)),
        *(Column("TPOT", right=True), Column("TPOT BAND", right=True)),
        *(
            Column("TOKENS/S", right=True),
            Column("FIT", right=True, spare=1),
            Column("$/M TOKENS", right=True),
        ),
        *(Column("PROVENANCE"), Column("LEANS ON")),
    )
    yield Sheet("", columns, tuple(_row(entry) for entry in document["cases"]))
    if refused := [entry for entry in document["cases"] if entry["reason"]]:
        what = (Column("CHIP"), Column("CONCURRENCY", right=True), Column("REASON"), Column("WHY"))
        yield Sheet(
            "Not answered",
            what,
            tuple((e["accelerator"], f"{e['concurrency']:g}", e["reason"], e["message"]) for e in refused),
        )
    if judged := [(e, each) for e in document["cases"] for each in e["objectives"]]:
        yield Sheet("Objectives", _JUDGED, tuple(_verdict(*one) for one in judged))
    if notes := sorted({line for entry in document["cases"] for line in _notes(entry)}):
        yield "\n".join(notes)


_JUDGED = (
    *(Column("CHIP"), Column("CONCURRENCY", right=True), Column("OBJECTIVE")),
    *(Column("VERDICT"), Column("WHY")),
)


def _verdict(entry: Document, judged: Document) -> tuple[str, ...]:
    objective = f"{judged['metric']} {judged['statistic']} {judged['thresholdMilliseconds']:g} ms{words(judged['confidence'])}"
    verdict = {True: "met", False: "missed", None: judged["reason"] or "not answered"}[judged["met"]]
    why = "the threshold is within the band" if judged["certain"] is False else ""
    return entry["accelerator"], f"{entry['concurrency']:g}", objective, verdict, why


def _row(entry: Document) -> tuple[str, ...]:
    ttft, tpot = entry["ttftMilliseconds"], entry["tpotMilliseconds"]

    def band(told: dict[str, float] | None) -> tuple[str, str]:
        return (
            ("-", "-")
            if told is None
            else (latency(told["value"]), f"{told['low']:.3g} to {told['high']:.3g}")
        )

    rate, fit = entry["outputTokensPerSecond"], entry["requestsThatFit"]
    return (
        entry["accelerator"],
        entry["precision"] or "-",
        str(entry["chips"]),
        f"{entry['concurrency']:g}",
        *band(ttft),
        *band(tpot),
        "-" if rate is None else f"{rate:,.0f}",
        "-" if fit is None else f"{fit:,}",
        cents(entry["costPerMillionOutputTokens"]),
        entry["provenance"] or "-",
        entry["leansOn"] or "-",
    )


def _server(told: Document) -> str:
    batched = told["batchedTokens"]
    prompts = "one prompt a step" if batched == 1 else f"at most {batched:,} prompt tokens a step"
    held = f"prompts held back {told['heldSteps']:g} steps" if told["heldSteps"] else "no prompt held back"
    return f"a server with {prompts}, {held}, requests of {'equal' if told['equalLengths'] else 'varied'} lengths"


def _notes(entry: Document) -> Iterator[str]:
    for judged in entry["objectives"]:
        if judged["message"]:
            yield f"{judged['reason']}: {judged['message']}"
    if server := entry["server"]:
        yield f"{entry['accelerator']} at {entry['concurrency']:g}: {_server(server)}"
    for note in entry["notes"]:
        yield f"{entry['accelerator']} at {entry['concurrency']:g}: {note}"
    price = entry["price"]
    if price and price["perChipHour"] is None:
        yield f"{entry['accelerator']}: {price['reason']}: {price['message']}"
    elif price:
        yield f"{entry['accelerator']}: {price['perChipHour']} $ for a chip and hour, {price['source']}"
