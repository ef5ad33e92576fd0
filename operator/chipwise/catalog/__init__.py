"""Chips, open models, instance types and dated on-demand prices that ship with chipwise, each figure with its source: docs/catalogue.md.

Everything is read from ``data/`` when it is first asked for. A lookup answers with the entry, or with a Refusal that names near ones.
"""

from chipwise.catalog.chip_figures import ChipEntry, Discovery, Figure
from chipwise.catalog.dated_prices import PriceList, Quote
from chipwise.catalog.machines import Instance
from chipwise.catalog.model_shapes import ModelEntry
from chipwise.catalog.records import BrokenCatalogue
from chipwise.catalog.shelf import (
    chip,
    chips,
    instance,
    instances,
    model,
    model_entry,
    models,
    most_chips,
    price,
    price_lists,
    quotes,
)

__all__ = [
    "BrokenCatalogue",
    "ChipEntry",
    "Discovery",
    "Figure",
    "Instance",
    "ModelEntry",
    "PriceList",
    "Quote",
    "chip",
    "chips",
    "instance",
    "instances",
    "model",
    "model_entry",
    "models",
    "most_chips",
    "price",
    "price_lists",
    "quotes",
]
