"""``chipwise catalog manifests``: classes, profiles and pools of what was chosen, checked as if somebody had written them by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from chipwise import catalog
from chipwise.catalog import ChipEntry, Instance, manifests
from chipwise.catalog.manifests import Bought, Nodes, Wanted
from chipwise.cli.catalogue import price_file
from chipwise.cli.catalogue.asked import granted, stated_price
from chipwise.cli.errors import BadInput
from chipwise.cli.importers.manifests import Document, Section, check, render, write
from chipwise.reasons import Reason, Refusal

_CLASSES = """\
Chips, with the sources of their figures as chipwise catalog chips NAME shows them. A class without resourceName is shown and never
used: nobody has published how Kubernetes shows the chip, so fill in what your device plugin registers."""
_PROFILES = """\
Models. No variant has been measured, so each is estimated and says so. chips is the least that holds the weights and a few requests;
startupSeconds is not known of anybody's image and disk: measure yours."""
_POOLS = """\
Pools. The price is on demand as of the day in the annotation: replace it with what you are billed. cpu and memory are what nodes show
to pods where that is published, else what the provider lists: lower them to what yours show. nodes.max is what was asked for."""

_PRICE = "an instance type and an amount above 0, such as p5.48xlarge=55.04"


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the catalogue is wanted. No chip means all; no model means no profiles; no instance, cloud or region means no pools."""

    chips: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    cloud: str | None = None
    wanted: Wanted = field(default_factory=Wanted)
    nodes: Nodes = field(default_factory=lambda: Nodes("", 1))
    prices: tuple[str, ...] = ()
    price_file: Path | None = None


def choice(options: Mapping[str, Any]) -> Choice:
    """The options of the command as a choice. Raises BadInput for what is about one group of nodes and asked for of several."""
    of_one = {name: options[name] for name in ("node_pool", "karpenter", "node_cpu", "node_memory")}
    given = [name.replace("_", "-") for name, value in of_one.items() if value is not None]
    if given and len(options["instances"]) != 1:
        raise BadInput(f"--{given[0]} is about one group of nodes: give exactly one --instance")
    return Choice(
        chips=options["chips"],
        models=options["models"],
        instances=options["instances"],
        cloud=options["cloud"],
        wanted=Wanted(options["precisions"], options["startup_seconds"]),
        nodes=Nodes(options["region"], options["max_nodes"], *of_one.values()),
        prices=options["prices"],
        price_file=options["price_file"],
    )


def made(choice: Choice, output: str) -> None:
    """Write the manifests, and on standard error what was left out and why. Raises BadInput; nothing is written then."""
    sizes = _sizes(choice)
    chips = _chips(choice, sizes)
    pools = tuple(_pool(size, choice) for size in sizes)
    profiles, refusals = _profiles(choice, chips)
    sections = [
        Section(_CLASSES, tuple(manifests.chip_class(chip) for chip in chips)),
        Section(_PROFILES, profiles),
        Section(_POOLS, pools),
    ]
    sections = [section for section in sections if section.documents]
    check(Path("chipwise catalog"), sections)
    for refusal in refusals:
        click.echo(f"left out, {refusal.reason.value}: {refusal.message}", err=True)
    write(render("Written by chipwise catalog manifests.", sections), output)


def _sizes(choice: Choice) -> tuple[Instance, ...]:
    """The instance types that become pools: those named, else those of the chosen chips that have a price in the region."""
    region = choice.nodes.region
    if choice.instances:
        if not region:
            raise BadInput("a pool needs --region: prices and labels differ by region")
        return tuple(granted(catalog.instance(name)) for name in choice.instances)
    if choice.cloud is None:
        if region:
            raise BadInput("--region needs --cloud or --instance: a region is of one provider")
        return ()
    if not region:
        raise BadInput("--cloud needs --region: prices and labels differ by region")
    chips = {granted(catalog.chip(name)).name for name in choice.chips}
    priced = {quote.instance for quote in catalog.quotes(choice.cloud, region)}
    found = [
        each for each in catalog.instances() if each.name in priced and (not chips or each.chip in chips)
    ]
    if not found:
        known = next((each.regions for each in catalog.price_lists() if each.cloud == choice.cloud), ())
        there = f"its prices are known in {', '.join(known)}" if known else "no price of it is known"
        raise BadInput(
            f"{Reason.PRICE_UNKNOWN.value}: {choice.cloud} has no priced machine with these chips in {region}: {there}; name one with "
            "--instance, and give its price with --price"
        )
    return tuple(found)


def _chips(choice: Choice, sizes: Iterable[Instance]) -> tuple[ChipEntry, ...]:
    """The chosen ones, else those of the pools, else all."""
    named = [granted(catalog.chip(name)) for name in choice.chips]
    of_sizes = [granted(catalog.chip(size.chip)) for size in sizes]
    found = {chip.name: chip for chip in (*named, *of_sizes)} or {chip.name: chip for chip in catalog.chips()}
    return tuple(found.values())


def _profiles(
    choice: Choice, chips: tuple[ChipEntry, ...]
) -> tuple[tuple[Document, ...], tuple[Refusal, ...]]:
    documents: list[Document] = []
    refusals: list[Refusal] = []
    for name in choice.models:
        model = granted(catalog.model_entry(name))
        found, refused = manifests.profile(
            model, [(chip, catalog.most_chips(chip)) for chip in chips], choice.wanted
        )
        refusals += refused
        if found is None:
            raise BadInput(
                f"no variant of {model.name} is left: {'; '.join(each.message for each in refused)}"
            )
        documents.append(found)
    return tuple(documents), tuple(refusals)


def _pool(size: Instance, choice: Choice) -> Document:
    found: Document = granted(manifests.pool(size, choice.nodes, _bought(size, choice)))
    return found


def _bought(size: Instance, choice: Choice) -> Bought:
    """The price on the command line, else in the file, else in the catalogue. Raises BadInput."""
    stated = dict(stated_price(text, _PRICE) for text in choice.prices)
    unknown = sorted(set(stated) - {each.name for each in catalog.instances()})
    if unknown:
        granted(catalog.instance(unknown[0]))
    if size.name in stated:
        return Bought(stated[size.name], "USD", "given with --price")
    if choice.price_file is not None:
        return _from_file(size, choice.nodes.region, choice.price_file)
    quote = granted(catalog.price(size, choice.nodes.region))
    return Bought(quote.amount, quote.currency, f"{quote.source}", quote.date)


def _from_file(size: Instance, region: str, path: Path) -> Bought:
    rows = [
        each for each in price_file.read(path) if (each.row.instance, each.row.region) == (size.name, region)
    ]
    good = {(each.on_demand, each.row.currency) for each in rows if not each.refusals}
    if len(good) == 1:
        amount, currency = good.pop()
        return Bought(amount or Decimal(0), currency, path.name)
    for each in rows:
        for refusal in each.refusals:
            raise BadInput(f"{path}: row {each.row.row}: {refusal.reason.value}: {refusal.message}")
    said = "has no row of" if not rows else "has several prices of"
    raise BadInput(f"{path}: {Reason.PRICE_UNKNOWN.value}: {said} {size.name} in {region}")
