"""Single entries of llm-inferno's files as parts of our manifests: a class, a pool, a variant, traffic and objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.manifests import Document, decimal, manifest

#: Chips of one node: the usual size. It must divide every capacity, so that no chip is lost to the shape.
CHIPS_PER_NODE = 8


@dataclass(frozen=True, slots=True)
class Accelerator:
    """``chips`` of a type. ``cost`` is dollars per hour and chip."""

    record: Record
    name: str
    type: str
    chips: int
    cost: Decimal


def largest(profiles: Sequence[Document]) -> Mapping[str, int]:
    """The most chips that a replica has of each type."""
    found: dict[str, int] = {}
    for one in (one for profile in profiles for one in profile["spec"]["variants"]):
        kind = one["className"]
        found[kind] = max(found.get(kind, 0), one["chips"])
    return found


def chip_class(unit: Accelerator) -> Document:
    """An AcceleratorClass for the type of an accelerator."""
    record, chips = unit.record, unit.chips
    spec = {
        "vendor": "not stated",
        "chip": record.text("type"),
        "memory": f"{decimal(record.number('memSize') / chips)}G",
        "memoryBandwidthGBps": max(1, round(record.number("memBW") / chips)),
        "resourceName": f"example.com/{unit.type}",
    }
    return manifest("AcceleratorClass", unit.type, spec)


def pool(unit: Accelerator, nodes: int) -> Document:
    """Its AcceleratorPool, billed by the chip."""
    source = f"accelerator-data.json: {unit.record.text('name')}, {decimal(unit.record.number('cost'))} cents/h for {unit.chips} chip(s)"
    return manifest(
        "AcceleratorPool",
        unit.type,
        {
            "className": unit.type,
            "nodeSelector": {"example.com/accelerator": unit.type},
            "shape": {"chips": CHIPS_PER_NODE, "cpu": "64", "memory": "512Gi"},
            "nodes": {"min": 0, "max": nodes},
            "price": {"amount": decimal(unit.cost), "currency": "USD", "unit": "Chip", "source": source},
        },
    )


def variant(record: Record, accelerator: Accelerator) -> Document:
    """One entry of model-data.json as a variant, with the coefficients fitted there."""
    fitted = record.record("perfParms")
    return {
        "name": accelerator.name,
        "className": accelerator.type,
        "chips": record.count("accCount") * accelerator.chips,
        "precision": "bf16",
        "startupSeconds": 1,
        "performance": {
            "coefficients": {
                "alpha": decimal(fitted.number("alpha")),
                "beta": decimal(fitted.number("beta", zero=True)),
                "gamma": decimal(fitted.number("gamma", zero=True)),
                "maxBatchSize": record.count("maxBatchSize"),
                "atTokens": record.count("atTokens"),
            },
            "source": f"model-data.json: {record.text('name')} on {record.text('acc')}",
        },
    }


def traffic(load: Record) -> Mapping[str, Any]:
    """Arrivals a minute become requests a second."""
    return {
        "meanRequestsPerSecond": decimal(load.number("arrivalRate") / 60),
        "inputTokens": load.count("AvgInTokens"),
        "outputTokens": load.count("AvgOutTokens"),
    }


def objectives(service: Record, server: Record) -> list[Document]:
    """A target of zero means that there is none."""
    model = server.text("model")
    targets = [target for target in service.records("modelTargets") if target.text("model") == model]
    if len(targets) != 1:
        said = "has no target" if not targets else "has several targets"
        raise service.error(
            "modelTargets", f"{said} for model {model!r}, which server {server.text('name')!r} serves"
        )
    (target,) = targets
    if target.has("slo-tps") and target.number("slo-tps", zero=True):
        raise target.error(
            "slo-tps", "cannot be carried over: chipwise has objectives for TTFT and TPOT; set it to 0"
        )
    found: list[Document] = [
        {"metric": metric, "statistic": "Mean", "threshold": f"{decimal(target.number(field, zero=True))}ms"}
        for metric, field in (("TPOT", "slo-itl"), ("TTFT", "slo-ttft"))
        if target.number(field, zero=True)
    ]
    if not found:
        raise target.error("slo-itl", "is zero and so is slo-ttft: chipwise needs at least one objective")
    return found
