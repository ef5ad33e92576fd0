"""How the servers of measured rows were set, by the recipes that their campaigns published: ``data/silicon/recipes.yaml``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from chipwise.catalog.records import BrokenCatalogue, Record, entries
from chipwise.performance.computing import WEIGHT_BITS
from chipwise.performance.estimator import NOTHING_SAID, Case, Serving

FILE = "silicon/recipes.yaml"
PROMPT, ONE_PROMPT = "prompt", 1.0
"""A step takes one prompt at least, so that so few tokens are one prompt a step, whatever its length."""


def _is_text(told: Any) -> bool:
    return isinstance(told, str) and told != ""


def _are_texts(told: Any) -> bool:
    return isinstance(told, list) and bool(told) and all(isinstance(each, str) for each in told)


def _is_count(told: Any) -> bool:
    return isinstance(told, int) and not isinstance(told, bool) and told > 0


def _are_counts(told: Any, many: int) -> bool:
    return isinstance(told, list) and len(told) == many and all(map(_is_count, told))


_CONDITIONS: dict[str, tuple[Callable[[Any], bool], Callable[[Case, Any], bool]]] = {
    "model": (_is_text, lambda case, told: case.model == told),
    "engine": (_is_text, lambda case, told: case.engine == told),
    "chips": (_are_texts, lambda case, told: case.accelerator in told),
    "precision": (
        lambda told: _is_text(told) and told in WEIGHT_BITS,
        lambda case, told: case.precision == told,
    ),
    "releases": (_are_texts, lambda case, told: case.engine_version in told),
    "lengths": (
        lambda told: _are_counts(told, 2),
        lambda case, told: [case.input_tokens, case.output_tokens] == told,
    ),
    "copies": (lambda told: isinstance(told, bool), lambda case, told: (case.data > 1) == told),
    "tensor": (_is_count, lambda case, told: case.tensor == told),
    "tensorBelow": (_is_count, lambda case, told: case.tensor < told),
    "concurrencyFrom": (_is_count, lambda case, told: case.concurrency >= told),
    "concurrencyBelow": (_is_count, lambda case, told: case.concurrency < told),
}
"""What a condition may be, and whether a case fulfils it."""

_SET = ("batchedTokens", "heldSteps")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which cases it is for, and how it sets their servers; None is what it does not say."""

    name: str
    conditions: tuple[tuple[str, Any], ...]
    batched_tokens: float | None
    held_steps: float | None

    def fits(self, case: Case) -> bool:
        """Whether the case is one of its."""
        return all(_CONDITIONS[name][1](case, told) for name, told in self.conditions)


@dataclass(frozen=True, slots=True)
class Campaign:
    """Rows of one benchmark: told by what is in their source."""

    name: str
    source: re.Pattern[str]
    equal_lengths: bool
    recipes: tuple[Recipe, ...]


def serving_of(case: Case, source: str) -> Serving:
    """How the server of a measured row was set; nothing is known of rows whose source names no campaign that is known."""
    campaign = next((each for each in campaigns() if each.source.match(source)), None)
    if campaign is None:
        return NOTHING_SAID
    batched = held = None
    for recipe in campaign.recipes:
        if recipe.fits(case):
            batched = batched if recipe.batched_tokens is None else recipe.batched_tokens
            held = held if recipe.held_steps is None else recipe.held_steps
    return Serving(batched, held, campaign.equal_lengths)


@lru_cache(maxsize=1)
def campaigns() -> tuple[Campaign, ...]:
    """All of the file."""
    text = (files("chipwise.catalog") / "data" / FILE).read_text("utf-8")
    return read(yaml.safe_load(text))


def read(document: Any) -> tuple[Campaign, ...]:
    """The campaigns of a document. Raises BrokenCatalogue."""
    return entries(document, "campaigns", FILE, _campaign)


def _campaign(record: Record) -> Campaign:
    record.only(("name", "source", "equalLengths", "from", "recipes"))
    record.text("from")
    equal = record.fields.get("equalLengths")
    if not isinstance(equal, bool):
        raise BrokenCatalogue(f"{record.where}: equalLengths must be true or false")
    try:
        source = re.compile(rf"({record.text('source')})")
    except re.error as error:
        raise BrokenCatalogue(f"{record.where}: source is no regular expression: {error}") from error
    return Campaign(
        record.text("name"), source, equal, entries(record.fields, "recipes", record.where, _recipe)
    )


def _recipe(record: Record) -> Recipe:
    record.only(("name", "from", *_CONDITIONS, *_SET))
    record.text("from")
    conditions = tuple((name, record.fields[name]) for name in _CONDITIONS if name in record.fields)
    for name, told in conditions:
        if not _CONDITIONS[name][0](told):
            raise BrokenCatalogue(f"{record.where}: {name} cannot be {told!r}")
    told = record.fields.get("batchedTokens")
    batched = ONE_PROMPT if told == PROMPT else record.some_count("batchedTokens")
    held = None if record.fields.get("heldSteps") is None else record.count("heldSteps", least=0)
    if batched is None and held is None:
        raise BrokenCatalogue(f"{record.where}: sets nothing")
    return Recipe(record.text("name"), conditions, batched, held)
