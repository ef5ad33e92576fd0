"""Models: the ModelProfiles with their variants, and what is known of the speed of each."""

from __future__ import annotations

from chipwise.api import ModelProfile, Variant
from chipwise.cli.catalogue.section import Document, Section, published, usable, use
from chipwise.cli.performance import known, stated
from chipwise.cli.sheet import Block, Column, Sheet
from chipwise.cluster.pools import class_refusal
from chipwise.cluster.snapshot import Snapshot
from chipwise.reasons import Reason, Refusal


def documents(snapshot: Snapshot) -> list[Document]:
    """A profile each, with its variants."""
    return [_document(profile, snapshot) for _, profile in sorted(snapshot.profiles.items())]


def _document(profile: ModelProfile, snapshot: Snapshot) -> Document:
    spec = profile.spec
    shape = spec.architecture
    return {
        "name": profile.metadata.name,
        "model": spec.model,
        "parameters": shape.parameters if shape else None,
        "activeParameters": shape.active_parameters if shape else None,
        "maxContextTokens": shape.max_context_tokens if shape else None,
        "variants": [_variant(profile, variant, snapshot) for variant in spec.variants],
    }


def _variant(profile: ModelProfile, variant: Variant, snapshot: Snapshot) -> Document:
    container = variant.container
    return {
        "name": variant.name,
        "acceleratorClass": variant.class_name,
        "chips": variant.chips,
        "precision": str(variant.precision),
        "image": container.image if container else None,
        "startupSeconds": variant.startup_seconds,
        "maxConcurrency": variant.max_concurrency,
        "performance": known(variant.performance, profile),
        **use(_refusal(variant, snapshot)),
    }


def _refusal(variant: Variant, snapshot: Snapshot) -> Refusal | None:
    """What stands in the way of the variant whatever the workload."""
    if variant.class_name not in snapshot.classes:
        return Refusal(Reason.CLASS_MISSING, f"no AcceleratorClass is named {variant.class_name}")
    nameless = class_refusal(snapshot.classes[variant.class_name])
    if nameless is not None:
        return nameless
    if not any(pool.spec.class_name == variant.class_name for pool in snapshot.pools.values()):
        return Refusal(Reason.NO_VARIANT, f"no AcceleratorPool is of class {variant.class_name}")
    return None


_VARIANT = (
    Column("VARIANT"),
    Column("CLASS"),
    Column("CHIPS", right=True),
    Column("PRECISION", spare=3),
    Column("KNOWN BY"),
    Column("STATISTIC", spare=5),
    Column("ENGINE", spare=4),
    Column("USABLE", spare=1),
    Column("SOURCE", spare=2),
)


def sheet(entries: list[Document]) -> Sheet:
    """A row for each variant."""
    columns = (Column("NAME"), Column("MODEL"), *_VARIANT)
    rows = (
        (entry["name"], entry["model"], *_row(variant)) for entry in entries for variant in entry["variants"]
    )
    return Sheet("", columns, tuple(rows))


def _row(variant: Document) -> tuple[str, ...]:
    how, statistic, engine, source = stated(variant["performance"])
    return (
        variant["name"],
        variant["acceleratorClass"],
        str(variant["chips"]),
        variant["precision"],
        how,
        statistic,
        engine,
        usable(variant),
        source,
    )


def lines(entry: Document) -> list[tuple[str, str]]:
    """The model; its variants follow as a table."""
    return [
        ("model", entry["model"]),
        ("parameters", _parameters(entry)),
        ("longest request", published(entry["maxContextTokens"], "tokens, input and output together")),
    ]


def _parameters(entry: Document) -> str:
    if entry["parameters"] is None:
        return "not stated"
    active = entry["activeParameters"]
    used = f", {active / 1e9:.1f} billion for each token" if active else ""
    return f"{entry['parameters'] / 1e9:.1f} billion{used}"


def more(entry: Document) -> tuple[Block, ...]:
    """The variants."""
    return (Sheet("Variants", _VARIANT, tuple(_row(variant) for variant in entry["variants"])),)


SECTION: Section[Snapshot] = Section("ModelProfile", documents, sheet, lines, more)
