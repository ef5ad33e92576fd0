"""The folder format of llm-inferno's sample data: accelerators, capacity, models, service classes and servers as JSON files.

Its words in ours: an accelerator is ``multiplicity`` chips of a *type*, and a type is a class with one pool that is billed by the chip
(costs are cents per hour and accelerator); a model on an accelerator is a variant of ``accCount`` x ``multiplicity`` chips; a server is
a workload (arrival rates are per minute); ITL and TTFT of its service class are its objectives, in the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.inferno_parts import (
    CHIPS_PER_NODE,
    Accelerator,
    chip_class,
    largest,
    objectives,
    pool,
    traffic,
    variant,
)
from chipwise.cli.importers.manifests import Document, Names, Section, check, decimal, manifest, render, write
from chipwise.cli.importers.reading import read_json

#: "Unlimited": far more than any plan uses.
UNLIMITED_NODES = 100_000

EXAMPLES = """\b
Examples:
  chipwise import inferno tests/data/inferno-small -o fleet.yaml
  chipwise import inferno tests/data/inferno-small --unlimited --namespace serving
"""

_ACCELERATORS = """\
From accelerator-data.json{capacity}.
MADE UP, for the format knows none: vendor and resourceName (under example.com/), nodeSelector, and of a node its CPU, its memory and
that it has {chips} chips. Replace them with your own before this is applied to a cluster."""
_CLASSES = """\
From serviceclass-data.json. A lower number there is a higher priority, and the higher value here."""
_MODELS = """\
From model-data.json. MADE UP, for the format knows none: precision, and startupSeconds (the least there is)."""
_SERVERS = """\
From server-data.json, objectives from serviceclass-data.json. The Deployments that targetRef names need not exist for a plan.
mode is left at Off: nothing is written until it is set to Rollout."""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "-o",
    "--output",
    default="-",
    metavar="FILE",
    help="Where to write the manifests; - (the default) is standard output.",
)
@click.option("--unlimited", is_flag=True, help="Lift all capacities, as optimizer-data.json may say too.")
@click.option(
    "--namespace",
    default="default",
    show_default=True,
    metavar="NAME",
    help="The namespace of the workloads.",
)
def inferno(folder: Path, output: str, namespace: str, *, unlimited: bool) -> None:
    """Turn the folder DIR, in the format of llm-inferno's sample data, into manifests.

    DIR holds accelerator-data.json, capacity-data.json, model-data.json, serviceclass-data.json, server-data.json and, if
    need be, optimizer-data.json.
    """
    sections = Folder(folder, namespace, unlimited=unlimited).sections()
    check(folder, sections)
    write(render(f"Written by chipwise import inferno from the folder {folder.name}.", sections), output)


Named = TypeVar("Named")


class Folder:
    """What the files say, joined. Reading raises BadInput. Mappings are by the names of the files."""

    def __init__(self, folder: Path, namespace: str, *, unlimited: bool) -> None:
        self._folder, self._namespace = folder, namespace
        self._unlimited = unlimited or self._says_unlimited()
        self._accelerators = self._read_accelerators()
        self._models: dict[str, str] = {}
        self._classes: dict[str, tuple[Record, str]] = {}

    def sections(self) -> tuple[Section, ...]:
        """Everything, in an order that depends on names only."""
        profiles = self._profiles()
        priorities = self._priorities()
        capacity = "" if self._unlimited else " and capacity-data.json"
        return (
            Section(_ACCELERATORS.format(capacity=capacity, chips=CHIPS_PER_NODE), self._supply(profiles)),
            Section(_CLASSES, priorities),
            Section(_MODELS, profiles),
            Section(_SERVERS, self._workloads()),
        )

    def _says_unlimited(self) -> bool:
        path = self._folder / "optimizer-data.json"
        return path.exists() and read_json(path).record("optimizer").flag("unlimited")

    def _file(self, name: str) -> Record:
        return read_json(self._folder / f"{name}-data.json")

    def _read_accelerators(self) -> dict[str, Accelerator]:
        names, types, found = Names(), Names(), dict[str, Accelerator]()
        for record in self._file("accelerator").records("accelerators"):
            name, chips = names.new(record, "name"), record.count("multiplicity")
            cost = record.number("cost") / 100 / chips
            found[record.text("name")] = Accelerator(record, name, types.safe(record, "type"), chips, cost)
        return found

    def _supply(self, profiles: Sequence[Document]) -> tuple[Document, ...]:
        """A class and a pool for each type; no pool where the type has no capacity."""
        nodes, most = self._nodes(), largest(profiles)
        documents: list[Document] = []
        for kind in sorted({accelerator.type for accelerator in self._accelerators.values()}):
            members = [a for a in self._accelerators.values() if a.type == kind]
            smallest = min(members, key=lambda a: (a.chips, a.name))
            if most.get(kind, 0) > CHIPS_PER_NODE:
                said = f"a replica of {most[kind]} chips does not fit the {CHIPS_PER_NODE} chips that a node is taken to have"
                raise smallest.record.error("type", said)
            for odd in members:
                if odd.cost != smallest.cost:
                    said = f"makes {decimal(odd.cost)} $/h for a chip, and {decimal(smallest.cost)} in {smallest.name}"
                    raise odd.record.error("cost", f"{said}; a type has one price")
            documents.append(chip_class(smallest))
            count = UNLIMITED_NODES if nodes is None else nodes.get(kind, 0)
            if count:
                documents.append(pool(smallest, count))
        return tuple(documents)

    def _nodes(self) -> Mapping[str, int] | None:
        """Nodes of each type; None without limits. A type without capacity has none."""
        if self._unlimited:
            return None
        types, found = Names(), dict[str, int]()
        for record in self._file("capacity").records("count"):
            kind, count = types.new(record, "type"), record.count("count", zero=True)
            if count % CHIPS_PER_NODE:
                said = f"must be a multiple of {CHIPS_PER_NODE}, the chips that a node is taken to have, not {count}"
                raise record.error("count", said)
            found[kind] = count // CHIPS_PER_NODE
        return found

    def _profiles(self) -> tuple[Document, ...]:
        names, variants = Names(), dict[str, dict[str, Document]]()
        for record in self._file("model").records("models"):
            model = record.text("name")
            self._models[model] = names.safe(record, "name")
            accelerator = _named(self._accelerators, record, "acc", "accelerator")
            known = variants.setdefault(model, {})
            if accelerator.name in known:
                raise record.error("acc", f"{model} on {record.text('acc')} is there twice; keep one")
            known[accelerator.name] = variant(record, accelerator)
        return tuple(
            manifest(
                "ModelProfile",
                name,
                {"model": model, "variants": [v for _, v in sorted(variants[model].items())]},
            )
            for name, model in sorted((name, model) for model, name in self._models.items())
        )

    def _priorities(self) -> tuple[Document, ...]:
        names, ranked = Names(), list[tuple[int, str]]()
        for record in self._file("serviceclass").records("serviceClasses"):
            name = names.new(record, "name")
            self._classes[record.text("name")] = record, name
            ranked.append((record.count("priority", zero=True), name))
        order = sorted({priority for priority, _ in ranked}, reverse=True)
        return tuple(
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name},
                "value": 100 * (1 + order.index(priority)),
                "description": f"Service class of priority {priority}.",
            }
            for priority, name in sorted(ranked)
        )

    def _workloads(self) -> tuple[Document, ...]:
        names, found = Names(), dict[str, Document]()
        for record in self._file("server").records("servers"):
            name = names.new(record, "name")
            found[name] = manifest("InferenceWorkload", name, self._server(record, name), self._namespace)
        return tuple(document for _, document in sorted(found.items()))

    def _server(self, record: Record, name: str) -> Mapping[str, Any]:
        model = _named(self._models, record, "model", "model")
        service, priority = _named(self._classes, record, "class", "serviceclass")
        now = record.record("currentAlloc")
        spec = {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "modelProfileName": model,
            "traffic": traffic(now.record("load")),
            "objectives": objectives(service, record),
            "priorityClassName": priority,
        }
        if record.has("maxBatchSize") and record.count("maxBatchSize", zero=True):
            raise record.error("maxBatchSize", "cannot be carried over; state it in model-data.json")
        if record.has("minNumReplicas") and record.count("minNumReplicas", zero=True):
            spec["replicas"] = {"min": record.count("minNumReplicas")}
        if record.flag("keepAccelerator") and now.values.get("accelerator"):
            spec["allowedVariants"] = [_named(self._accelerators, now, "accelerator", "accelerator").name]
        return spec


def _named(known: Mapping[str, Named], record: Record, field: str, file: str) -> Named:
    """What the name in ``field`` means, as another file says."""
    name = record.text(field)
    if name not in known:
        raise record.error(
            field, f"{name!r} is not in {file}-data.json, which has {', '.join(sorted(known))}"
        )
    return known[name]
