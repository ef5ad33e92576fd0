"""The open models that ship, with their shape and where it was read."""

from __future__ import annotations

from chipwise import catalog
from chipwise.catalog import ModelEntry
from chipwise.cli.catalogue.asked import Asked, granted
from chipwise.cli.catalogue.section import Document, Section
from chipwise.cli.sheet import Block, Column, Sheet

_SHAPE = (
    *("parameters", "activeParameters", "layers", "hiddenSize", "attentionHeads", "kvHeads", "headDim"),
    *(
        "maxContextTokens",
        "experts",
        "expertsPerToken",
        "latentDim",
        "slidingWindow",
        "slidingLayers",
        "linearLayers",
    ),
)
_BILLION = 1e9


def documents(asked: Asked) -> list[Document]:
    """In order of name."""
    found = catalog.models() if asked.name is None else (granted(catalog.model_entry(asked.name)),)
    return [_document(model) for model in sorted(found, key=lambda model: model.name)]


def _document(model: ModelEntry) -> Document:
    shape = dict.fromkeys(_SHAPE) | model.fields
    return {
        "name": model.name,
        "model": model.id,
        "aliases": list(model.aliases),
        **shape,
        "attention": model.attention,
        "weights": model.weights,
        "published": dict(model.published),
        "sources": dict(model.sources),
        "note": model.note,
    }


def sheet(entries: list[Document]) -> Sheet:
    """A row each; parameters in billions."""
    columns = (
        Column("NAME"),
        Column("MODEL", spare=2),
        Column("BILLION", right=True),
        Column("ACTIVE", right=True),
        Column("LAYERS", right=True, spare=4),
        Column("HIDDEN", right=True, spare=5),
        Column("KV HEADS", right=True, spare=3),
        Column("HEAD", right=True, spare=6),
        Column("EXPERTS", right=True),
        Column("CONTEXT", right=True),
        Column("ATTENTION"),
        Column("WEIGHTS", spare=1),
    )
    return Sheet("", columns, tuple(_row(entry) for entry in entries))


def _row(entry: Document) -> tuple[str, ...]:
    experts = f"{entry['expertsPerToken']} of {entry['experts']}" if entry["experts"] else "-"
    return (
        entry["name"],
        entry["model"],
        _billion(entry["parameters"]),
        _billion(entry["activeParameters"] or entry["parameters"]),
        str(entry["layers"]),
        str(entry["hiddenSize"]),
        str(entry["kvHeads"]),
        str(entry["headDim"]),
        experts,
        str(entry["maxContextTokens"]),
        entry["attention"],
        entry["weights"],
    )


def _billion(count: int) -> str:
    return f"{count / _BILLION:.2f}"


def lines(entry: Document) -> list[tuple[str, str]]:
    """Every figure that is not at its default."""
    stated = entry["published"]
    makers = stated["parameters"] + (f", {stated['active']} for each token" if "active" in stated else "")
    return [
        ("model", entry["model"]),
        ("same shape", ", ".join(entry["aliases"]) or "no other id is listed"),
        *((name, str(entry[name])) for name in _SHAPE if entry[name] is not None),
        ("attention", entry["attention"]),
        ("weights", entry["weights"]),
        ("published", makers),
        *([("note", entry["note"])] if entry["note"] else []),
    ]


def more(entry: Document) -> tuple[Block, ...]:
    """Where the figures were read."""
    return (Sheet("Sources", (Column("KEY"), Column("SOURCE")), tuple(entry["sources"].items())),)


SECTION: Section[Asked] = Section("model", documents, sheet, lines, more)
