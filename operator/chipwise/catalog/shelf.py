"""The lookups: each file is read once, when it is first asked for, and a name that is not there is refused with near ones."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar

import yaml

from chipwise.catalog import chip_figures, dated_prices, machines, model_shapes
from chipwise.catalog.chip_figures import ChipEntry
from chipwise.catalog.dated_prices import PriceList, Quote
from chipwise.catalog.machines import Instance
from chipwise.catalog.model_shapes import ModelEntry
from chipwise.performance import Architecture
from chipwise.reasons import Reason, Refusal

Entry = TypeVar("Entry")
_NEAR = 5


@lru_cache(maxsize=1)
def chips() -> tuple[ChipEntry, ...]:
    """All chips, in the order of the file."""
    return chip_figures.read(_document("chips.yaml"))


@lru_cache(maxsize=1)
def models() -> tuple[ModelEntry, ...]:
    """All models, in the order of the file."""
    return model_shapes.read(_document("models.yaml"))


@lru_cache(maxsize=1)
def instances() -> tuple[Instance, ...]:
    """All instance types, in the order of the file."""
    return machines.read(_document("instances.yaml"))


@lru_cache(maxsize=1)
def price_lists() -> tuple[PriceList, ...]:
    """All price lists."""
    return dated_prices.read(_document("prices/lists.yaml"), lambda name: _text(f"prices/{name}"))


def chip(name: str) -> ChipEntry | Refusal:
    """The chip of this name or alias; case and ``_`` for ``-`` make no difference. Refused as CHIP_UNKNOWN."""
    found = _chips_by_name().get(_plain(name))
    return found or _unknown(Reason.CHIP_UNKNOWN, "chip", name, (each.name for each in chips()))


def model_entry(name: str) -> ModelEntry | Refusal:
    """The model of this name, Hugging Face id or alias, whatever the case. Refused as MODEL_UNKNOWN."""
    found = _models_by_name().get(name.lower())
    if found is not None:
        return found
    known = (word for each in models() for word in (each.name, each.id, *each.aliases))
    return _unknown(Reason.MODEL_UNKNOWN, "model", name, known)


def model(name: str) -> Architecture | Refusal:
    """The architecture of ``model_entry``. Refused as MODEL_UNKNOWN."""
    found = model_entry(name)
    return found if isinstance(found, Refusal) else found.architecture


def instance(name: str) -> Instance | Refusal:
    """The instance type of this name, whatever the case. Refused as INSTANCE_UNKNOWN."""
    found = next((each for each in instances() if each.name.lower() == name.lower()), None)
    return found or _unknown(
        Reason.INSTANCE_UNKNOWN, "instance type", name, (each.name for each in instances())
    )


def most_chips(of: ChipEntry) -> int:
    """The most chips of one machine: of a known instance type or of a server, whichever has more."""
    known = [each.chips for each in instances() if each.chip == of.name]
    return max([*known, of.chips_per_server.value or 1])


def quotes(cloud: str | None = None, region: str | None = None) -> tuple[Quote, ...]:
    """Every price, of one cloud and region if asked for, in order of cloud, instance type and region."""
    found = [
        Quote(each.cloud, there, name, amount, each.currency, each.date, each.source)
        for each in price_lists()
        for (there, name), amount in each.prices.items()
        if cloud in (None, each.cloud) and region in (None, there)
    ]
    return tuple(sorted(found, key=lambda quote: (quote.cloud, quote.instance, quote.region)))


def price(of: Instance, region: str) -> Quote | Refusal:
    """What a node costs there on demand. Refused as PRICE_UNKNOWN where no list says it: no region's price is taken for another's."""
    for each in price_lists():
        if each.cloud == of.cloud and (region, of.name) in each.prices:
            amount = each.prices[region, of.name]
            return Quote(of.cloud, region, of.name, amount, each.currency, each.date, each.source)
    known = sorted({quote.region for quote in quotes(of.cloud) if quote.instance == of.name})
    there = f"it is known in {', '.join(known)}" if known else "it is known in no region"
    return Refusal(
        Reason.PRICE_UNKNOWN,
        f"no price of {of.name} in {region or 'a region that is not named'}: {there}. Prices differ by region, so none is taken for "
        f"another's: give yours with --price {of.name}=AMOUNT",
    )


def _text(path: str) -> str:
    return (files("chipwise.catalog") / "data" / path).read_text(encoding="utf-8")


def _document(path: str) -> Any:
    return yaml.load(_text(path), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe


@lru_cache(maxsize=1)
def _chips_by_name() -> Mapping[str, ChipEntry]:
    return _by_name(chips(), lambda each: (each.name, *each.aliases))


@lru_cache(maxsize=1)
def _models_by_name() -> Mapping[str, ModelEntry]:
    return _by_name(models(), lambda each: (each.name, each.id, *each.aliases), str.lower)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _by_name(
    found: Iterable[Entry], names: Callable[[Entry], Iterable[str]], fold: Callable[[str], str] = _plain
) -> Mapping[str, Entry]:
    return {fold(name): each for each in found for name in names(each)}


def _unknown(reason: Reason, kind: str, name: str, known: Iterable[str]) -> Refusal:
    by_fold = {_plain(each): each for each in known}
    near = difflib.get_close_matches(_plain(name), by_fold, n=_NEAR, cutoff=0.5)
    tail = _plain(name).rpartition("/")[2]
    near += [fold for fold in by_fold if tail and tail in fold and fold not in near][: _NEAR - len(near)]
    said = f"near are {', '.join(by_fold[fold] for fold in near)}" if near else "none is near"
    return Refusal(reason, f"the catalogue has no {kind} {name}: {said}; see chipwise catalog")
