"""Entries of the catalogue as manifests: an AcceleratorClass, a ModelProfile, an AcceleratorPool. What is not published is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chipwise.autoscaling.platforms import PLATFORMS
from chipwise.catalog.cases import computing
from chipwise.catalog.chip_figures import ChipEntry
from chipwise.catalog.machines import Instance
from chipwise.catalog.model_shapes import ModelEntry
from chipwise.performance import Hardware, Shape
from chipwise.performance.computing import WEIGHT_BITS, WIDENED, computed_in
from chipwise.performance.memory import requests_that_fit
from chipwise.reasons import Reason, Refusal

Document = dict[str, Any]

API_VERSION = "chipwise.dev/v1alpha1"

_COUNTS = (1, 2, 4, 8, 16, 32, 64)
_REQUESTS, _TOKENS = 8, 8192
"""A variant has the fewest chips that hold its weights and so many requests of so many tokens."""

_SOURCE = 512
_UNSTATED = ("largestDomain", "chipsPerServer")
"""Figures that a class does not have."""

_HANDLES = {"azure": "AKS", "aws": "EKS managed node groups", "gcp": "GKE"}


def chip_class(chip: ChipEntry) -> Document:
    """The AcceleratorClass. Without a published resource name it has none, so it is shown and never used until somebody fills it in."""
    optional = {
        "interconnectGBps": chip.interconnect.value,
        "watts": chip.watts.value,
        "architecture": chip.architecture.value,
        "resourceName": chip.resource_name.value,
    }
    spec: Document = {
        "vendor": chip.vendor,
        "chip": chip.chip,
        "source": _sources(chip),
        "memory": chip.memory.value,
        "memoryBandwidthGBps": chip.bandwidth.value,
        "tflops": [{"precision": name, "dense": dense} for name, dense in chip.dense.items()],
        **{name: value for name, value in optional.items() if value is not None},
    }
    if chip.discovery:
        labels = [{"key": chip.discovery.label, "values": list(chip.discovery.values)}]
        spec["discovery"] = {"nodeLabels": labels}
    if chip.tolerations:
        spec["tolerations"] = [dict(each) for each in chip.tolerations]
    return _document("AcceleratorClass", chip.name, spec)


def _sources(chip: ChipEntry) -> str:
    """Which figure is from where, by the keys of the catalogue's sources, as many as there is room for."""
    said = [
        f"{name}: {' '.join(figure.sources)}"
        for name, figure in chip.figures().items()
        if figure.value is not None and name not in _UNSTATED
    ]
    text = "chipwise catalog (docs/catalogue.md), keys of sources: "
    while len(text) + len("; ".join(said)) > _SOURCE:
        said.pop()
    return text + "; ".join(said)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a profile is to be made: at which precisions (none: as the checkpoint is), and how long a container takes to serve."""

    precisions: Sequence[str] = ()
    startup_seconds: int = 600


def profile(
    model: ModelEntry, chips: Iterable[tuple[ChipEntry, int]], wanted: Wanted
) -> tuple[Document | None, tuple[Refusal, ...]]:
    """The ModelProfile with a variant for each chip and precision, and what was refused; None if nothing is left.

    ``chips`` come with the most of them that one node has. Refused are NO_PRECISION, INVALID (a precision that is none) and MEMORY_EXCEEDED.
    """
    variants: list[Document] = []
    refusals: list[Refusal] = []
    for chip, most in chips:
        for precision in wanted.precisions or (None,):
            found = _variant(model, chip, most, precision)
            if isinstance(found, Refusal):
                refusals.append(found)
            else:
                variants.append(found | {"startupSeconds": wanted.startup_seconds})
    if not variants:
        return None, tuple(refusals)
    spec = {"model": model.id, "architecture": model.fields, "variants": variants}
    return _document("ModelProfile", model.name, spec), tuple(refusals)


def _variant(model: ModelEntry, chip: ChipEntry, most: int, asked: str | None) -> Document | Refusal:
    precision = asked or _served(model, chip)
    computed = computing(chip, precision)
    if isinstance(computed, Refusal):
        return Refusal(computed.reason, f"{model.name}: {computed.message}")
    last: Refusal | None = None
    for count in (each for each in _COUNTS if each <= most):
        hardware = Hardware(model.architecture, computed, count, WEIGHT_BITS[precision])
        tokens = min(_TOKENS, model.architecture.max_context_tokens or _TOKENS)
        fits = requests_that_fit(hardware, Shape(tokens, 0))
        if isinstance(fits, int) and fits >= _REQUESTS:
            name = f"{chip.name}-x{count}-{precision}"
            return {"name": name, "className": chip.name, "chips": count, "precision": precision}
        last = fits if isinstance(fits, Refusal) else last
    said = last.message if last else f"{most} chips hold fewer than {_REQUESTS} requests of {_TOKENS} tokens."
    return Refusal(Reason.MEMORY_EXCEEDED, f"{model.name} at {precision} on {most} x {chip.name}: {said}")


def _served(model: ModelEntry, chip: ChipEntry) -> str:
    """The checkpoint's format; of 16 bits the one that the chip computes, for one can be read as the other."""
    if model.weights in WIDENED:
        return computed_in(model.weights, chip.dense) or model.weights
    return model.weights


@dataclass(frozen=True, slots=True)
class Bought:
    """What one node costs for an hour, and who says so as of which day (empty: whoever asked for the manifest)."""

    amount: Decimal
    currency: str
    source: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of a pool: the provider's name of the group or the NodePool, if there is one, how many at most, and what one offers."""

    region: str
    most: int
    node_pool: str | None = None
    karpenter: str | None = None
    cpu: str | None = None
    memory: str | None = None


def pool(instance: Instance, nodes: Nodes, bought: Bought) -> Document | Refusal:
    """The AcceleratorPool of one instance type in one region. Refused as SHAPE_UNKNOWN where nobody published what a node offers."""
    cpu = nodes.cpu or instance.allocatable_cpu or (str(instance.cpus) if instance.cpus else None)
    memory = nodes.memory or instance.allocatable_memory or instance.memory
    if cpu is None or memory is None:
        return Refusal(
            Reason.SHAPE_UNKNOWN,
            f"CPU and memory of {instance.name} were not read: give what its nodes show with --node-cpu and --node-memory",
        )
    shape = {"chips": instance.chips, "cpu": cpu, "memory": memory}
    spec: Document = {
        "className": instance.chip,
        **({"karpenter": {"nodePool": nodes.karpenter}} if nodes.karpenter else {}),
        "nodeSelector": _selector(instance, nodes),
        "shape": shape | ({"pods": instance.pods} if instance.pods else {}),
        "nodes": {"min": 0, "max": nodes.most},
        "capacityType": "OnDemand",
        "price": {
            "amount": format(bought.amount, "f"),
            "currency": bought.currency,
            "unit": "Node",
            "source": f"{instance.name}, {nodes.region}, on demand: {bought.source}"[:_SOURCE],
        },
    }
    found = _document("AcceleratorPool", f"{_name(instance.name)}-{_name(nodes.region)}", spec)
    dated = {"chipwise.dev/price-date": bought.date} if bought.date else {}
    found["metadata"]["annotations"] = {**dated, "chipwise.dev/price-source": bought.source}
    return found


def _selector(instance: Instance, nodes: Nodes) -> Mapping[str, str]:
    """Labels that a new node has from the start: the provider's name of the group, else size and region."""
    if nodes.node_pool:
        (platform,) = (each for each in PLATFORMS if each.name == _HANDLES[instance.cloud])
        return {platform.handles[0]: nodes.node_pool}
    return {
        "node.kubernetes.io/instance-type": instance.name,
        "topology.kubernetes.io/region": nodes.region,
    }


def _name(text: str) -> str:
    return "".join(each if each.isalnum() else "-" for each in text.lower())


def _document(kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
