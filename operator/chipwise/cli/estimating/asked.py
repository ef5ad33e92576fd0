"""What is asked on the command line, and where prices come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chipwise import catalog
from chipwise.catalog.chip_prices import Market
from chipwise.catalog.sizing import Stated
from chipwise.cli.catalogue.asked import granted, stated_price
from chipwise.cli.errors import BadInput
from chipwise.performance.estimator import NOTHING_SAID, Serving

DEAREST = 10_000
"""Dollars for a chip and hour: beyond it is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Load:
    """Tokens of a request, and requests in service."""

    input_tokens: float
    output_tokens: float
    concurrency: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One model on chips of one or several kinds. Empty texts are what nobody stated."""

    model: str
    accelerators: tuple[str, ...]
    precisions: tuple[str, ...]
    sizes: Stated
    engine: str
    engine_version: str
    load: Load
    objectives: tuple[str, ...]
    serving: Serving = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Said:
    """``form`` is table, json, yaml or csv; ``plot`` where a drawing goes."""

    form: str
    plot: Path | None = None


def market(cloud: str | None, regions: Sequence[str], prices: Sequence[str]) -> Market:
    """Where prices are looked for. Raises BadInput for a region that no list has, and for a price that is none."""
    known = {(each.cloud, region) for each in catalog.price_lists() for region in each.regions}
    for region in regions:
        if not any(there == region and cloud in (None, of) for of, there in known):
            near = ", ".join(sorted({there for of, there in known if cloud in (None, of)}))
            raise BadInput(
                f"--region {region}: no list of prices has it; known are {near}; or state prices with --price"
            )
    if cloud and not regions and len([there for of, there in known if of == cloud]) != 1:
        names = ", ".join(sorted(there for of, there in known if of == cloud))
        raise BadInput(
            f"--cloud {cloud} needs --region, for prices differ by region: {names or 'no price of it is known; give --price'}"
        )
    return Market(cloud, tuple(regions), dict(_price(text) for text in prices))


def _price(text: str) -> tuple[str, float]:
    wanted = f"CHIP=AMOUNT, dollars for one chip and hour above 0 and up to {DEAREST:,}, such as h100=2.49"
    name, value = stated_price(text, wanted, DEAREST)
    return granted(catalog.chip(name)).name, float(value)
