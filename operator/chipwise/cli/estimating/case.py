"""``chipwise estimate`` of cases named by flags: figures with bands, what they lean on, what fits, what a million tokens costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from chipwise.catalog import sizing
from chipwise.catalog.answering import Answers, answer, tokens_per_second, unheard_of
from chipwise.catalog.cases import Named, Sizes, case_of
from chipwise.catalog.chip_prices import Market
from chipwise.cli.catalogue.asked import granted
from chipwise.cli.errors import BadInput
from chipwise.cli.estimating import objectives
from chipwise.cli.estimating.asked import Asked
from chipwise.cli.estimating.basis import Basis
from chipwise.cli.estimating.case_forms import show_cases
from chipwise.cli.figures import band, count, money, per_million
from chipwise.performance.estimator import Case, Loads
from chipwise.performance.types import COVERED, Statistic
from chipwise.reasons import Reason, Refusal

Document = dict[str, Any]
_BAD_INPUT = (Reason.MODEL_UNKNOWN, Reason.CHIP_UNKNOWN, Reason.INVALID)


def answer_cases(asked: Asked, market: Market, given: Basis, form: str) -> bool:
    """Print the answer. Whether every case has figures, and every objective could be judged. Raises BadInput for what cannot be asked."""
    wanted = [objectives.read(text) for text in asked.objectives]
    sizes = granted(sizing.read(asked.sizes))
    setups = _named(asked, sizes.sizes)
    cases = _cases(setups, given)
    loads = asked.load.concurrency
    which = np.repeat(np.arange(len(cases)), len(loads))
    told = answer(
        given.estimator,
        cases,
        which,
        Loads(
            np.full(len(which), asked.load.input_tokens),
            np.full(len(which), asked.load.output_tokens),
            np.tile(np.array(loads, dtype=np.float64), len(cases)),
        ),
    )
    if absurd := [each for each in told.refusals.values() if each.reason in _BAD_INPUT]:
        raise BadInput(f"{absurd[0].reason.value}: {absurd[0].message}")
    named = list(product(setups, loads))
    entries = [
        _entry(replace(one, concurrency=load), cases[which[number]], told, number, market)
        for number, (one, load) in enumerate(named)
    ]
    unheard = unheard_of(given.estimator, asked.engine)
    for entry in entries:
        entry["objectives"] = [
            objectives.verdict(each, entry[f"{each.metric.value.lower()}Milliseconds"]) for each in wanted
        ]
        entry["notes"] += [each for each in (sizes.note, unheard) if each]
    document = {
        "model": next((case.model for case in cases if isinstance(case, Case)), asked.model),
        "inputTokens": count(asked.load.input_tokens),
        "outputTokens": count(asked.load.output_tokens),
        "statistic": Statistic.MEAN.value,
        "coverage": COVERED,
        "learnt": given.learnt,
        "cases": entries,
    }
    show_cases(document, form)
    return all(_is_whole(entry) for entry in entries)


def _is_whole(entry: Document) -> bool:
    return entry["answered"] and all(each["met"] is not None for each in entry["objectives"])


def _named(asked: Asked, sizes: Sizes) -> list[Named]:
    load = asked.load
    return [
        Named(
            asked.model,
            chip,
            precision,
            sizes,
            load.input_tokens,
            load.output_tokens,
            load.concurrency[0],
            asked.engine,
            asked.engine_version,
            asked.serving,
        )
        for chip in asked.accelerators
        for precision in asked.precisions or ("",)
    ]


def _cases(setups: Sequence[Named], given: Basis) -> list[Case | Refusal]:
    """Each setup. Raises BadInput for a name or a figure that nothing can be said of."""
    cases = [case_of(each, given.model_of) for each in setups]
    for case in cases:
        if isinstance(case, Refusal) and case.reason in _BAD_INPUT:
            raise BadInput(f"{case.reason.value}: {case.message}")
    return cases


def _entry(named: Named, case: Case | Refusal, told: Answers, number: int, market: Market) -> Document:
    refusal, note = told.refusals.get(number), told.notes.get(number)
    chips = named.sizes.chips
    entry: Document = {
        "accelerator": case.accelerator if isinstance(case, Case) else named.accelerator,
        "precision": case.precision if isinstance(case, Case) else named.precision,
        "chips": chips,
        "tensorParallel": named.sizes.tensor,
        "pipelineParallel": named.sizes.pipeline,
        "dataParallel": named.sizes.data,
        "expertParallel": named.sizes.expert,
        "engine": named.engine or None,
        "engineVersion": named.engine_version or None,
        "concurrency": count(named.concurrency),
        "answered": refusal is None,
        "ttftMilliseconds": None,
        "tpotMilliseconds": None,
        "provenance": None,
        "leansOn": None,
        "server": None,
        "requestsThatFit": None,
        "outputTokensPerSecond": None,
        "costPerMillionOutputTokens": None,
        "price": None,
        "reason": refusal.reason.value if refusal else None,
        "message": refusal.message if refusal else None,
        "notes": [f"{note.reason.value}: {note.message}"] if note else [],
    }
    if refusal is not None:
        return entry
    ttft, tpot = band(told.figures[:3, number].tolist()), band(told.figures[3:, number].tolist())
    served = float(told.served[number])
    rate = tokens_per_second(named.concurrency, named.output_tokens, ttft["value"], tpot["value"], served)
    return entry | {
        "ttftMilliseconds": ttft,
        "tpotMilliseconds": tpot,
        "provenance": str(told.provenance[number]),
        "leansOn": str(told.support[number]),
        "server": _server(*told.servers[:, number].tolist()),
        "requestsThatFit": int(told.held[number]),
        "outputTokensPerSecond": round(rate, 3),
        **_cost(entry["accelerator"], chips, rate, market),
    }


def _server(batched_tokens: float, held_steps: float, equal_lengths: float) -> Document:
    """The settings that the figures count with. One prompt a step is the least there is."""
    return {
        "batchedTokens": count(batched_tokens),
        "heldSteps": count(held_steps),
        "equalLengths": equal_lengths > 0,
    }


def _cost(chip: str, chips: int, rate: float, market: Market) -> Document:
    price = market.price(chip, chips)
    if isinstance(price, Refusal):
        return {
            "costPerMillionOutputTokens": None,
            "price": {
                "perChipHour": None,
                "source": None,
                "reason": price.reason.value,
                "message": price.message,
            },
        }
    return {
        "costPerMillionOutputTokens": per_million(price.amount * chips, rate),
        "price": {
            "perChipHour": money(price.amount),
            "source": price.words,
            "reason": None,
            "message": None,
        },
    }
