"""Open models: the architecture as ``config.json`` tells it, what it is recounted from, and what its makers publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.catalog.records import BrokenCatalogue, Record, entries, sourced
from chipwise.performance import Architecture
from chipwise.performance.computing import WEIGHT_BITS

_REQUIRED = ("parameters", "layers", "hiddenSize", "kvHeads", "headDim")
_OF_CONFIGS = ("attentionHeads", "maxContextTokens")
"""What every ``config.json`` has and a ModelProfile may leave out."""

_OPTIONAL = (
    *_OF_CONFIGS,
    *("activeParameters", "experts", "expertsPerToken", "latentDim"),
    *("slidingWindow", "slidingLayers", "linearLayers"),
)
_FIELDS = (
    *("name", "id", "aliases", *_REQUIRED, *_OPTIONAL, "weights", "counted", "published", "sources", "note"),
)


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model. ``weights`` is the format of the checkpoint ``id``; ``aliases`` are ids of the same shape, perhaps in other formats.

    ``counted`` is what the parameters are recounted from (docs/catalogue.md), ``published`` what the makers state in words.
    """

    name: str
    id: str
    aliases: tuple[str, ...]
    architecture: Architecture
    weights: str
    counted: Mapping[str, Any]
    published: Mapping[str, str]
    sources: Mapping[str, str]
    note: str | None

    @property
    def attention(self) -> str:
        """The kind of attention in a word or two: what of a token is kept."""
        a = self.architecture
        kinds = ["latent" if a.latent_dim else "heads"]
        kinds += ["sliding"] if a.sliding_layers else []
        kinds += ["linear"] if a.linear_layers else []
        return "+".join(kinds)

    @property
    def fields(self) -> dict[str, int]:
        """The architecture in the words of ModelProfile.spec.architecture, without what is at its default."""
        a = self.architecture
        return {
            "parameters": a.parameters,
            **({"activeParameters": a.active_parameters} if a.active_parameters != a.parameters else {}),
            "layers": a.layers,
            "hiddenSize": a.hidden_size,
            **({"attentionHeads": a.attention_heads} if a.attention_heads else {}),
            "kvHeads": a.kv_heads,
            "headDim": a.head_dim,
            **({"maxContextTokens": a.max_context_tokens} if a.max_context_tokens else {}),
            **({"experts": a.experts, "expertsPerToken": a.experts_per_token} if a.experts else {}),
            **({"latentDim": a.latent_dim} if a.latent_dim else {}),
            **({"slidingWindow": a.sliding_window} if a.sliding_window else {}),
            **({"slidingLayers": a.sliding_layers} if a.sliding_layers else {}),
            **({"linearLayers": a.linear_layers} if a.linear_layers else {}),
        }


def read(document: Any) -> tuple[ModelEntry, ...]:
    """The models of ``models.yaml``, in its order. Raises BrokenCatalogue."""
    sources = document.get("sources", {}) if isinstance(document, dict) else {}
    return entries(document, "models", "models.yaml", lambda record: _model(record, sources))


def given(record: Record) -> ModelEntry:
    """A model of somebody's own: name or id, architecture and weights; the rest may be left out. Raises BrokenCatalogue."""
    record.only(_FIELDS)
    name = record.some_text("name") or record.text("id")
    published = record.fields.get("published") or {}
    return ModelEntry(
        name=name,
        id=record.some_text("id") or name,
        aliases=record.texts("aliases"),
        architecture=_architecture(record),
        weights=_weights(record),
        counted={},
        published={str(key): str(value) for key, value in published.items()},
        sources={},
        note=record.some_text("note"),
    )


def _weights(record: Record) -> str:
    weights = record.text("weights")
    if weights not in WEIGHT_BITS:
        raise BrokenCatalogue(f"{record.where}: weights must be one of {', '.join(WEIGHT_BITS)}")
    return weights


def _model(record: Record, sources: Mapping[str, str]) -> ModelEntry:
    record.only(_FIELDS)
    named = sourced(record.texts("sources", least=1), sources, record.where)
    for field in _OF_CONFIGS:
        record.count(field)
    published = record.under("published").only(("parameters", "active"))
    return ModelEntry(
        name=record.text("name"),
        id=record.text("id"),
        aliases=record.texts("aliases"),
        architecture=_architecture(record),
        weights=_weights(record),
        counted=record.under("counted").fields,
        published={name: published.text(name) for name in published.fields},
        sources={name: sources[name] for name in named},
        note=record.some_text("note"),
    )


def _architecture(record: Record) -> Architecture:
    counts = {name: record.count(name) for name in _REQUIRED}
    optional = {name: record.some_count(name) for name in _OPTIONAL}
    found = Architecture(
        parameters=counts["parameters"],
        active_parameters=optional["activeParameters"] or counts["parameters"],
        layers=counts["layers"],
        hidden_size=counts["hiddenSize"],
        kv_heads=counts["kvHeads"],
        head_dim=counts["headDim"],
        max_context_tokens=optional["maxContextTokens"],
        attention_heads=optional["attentionHeads"],
        experts=optional["experts"] or 0,
        experts_per_token=optional["expertsPerToken"] or 0,
        latent_dim=optional["latentDim"],
        sliding_window=optional["slidingWindow"],
        sliding_layers=optional["slidingLayers"] or 0,
        linear_layers=optional["linearLayers"] or 0,
    )
    if problem := _contradiction(found):
        raise BrokenCatalogue(f"{record.where}: {problem}")
    return found


def _contradiction(a: Architecture) -> str | None:
    """What ModelProfile would refuse, as far as an entry of the catalogue can be wrong about it."""
    if a.active_parameters > a.parameters:
        return "activeParameters must not exceed parameters"
    if a.attention_heads is not None and a.attention_heads < a.kv_heads:
        return "attentionHeads must not be below kvHeads"
    if a.experts_per_token > a.experts or (a.experts and not a.experts_per_token):
        return "expertsPerToken must be between 1 and experts"
    if (a.sliding_window is None) != (a.sliding_layers == 0):
        return "slidingWindow and slidingLayers go together"
    if a.sliding_layers + a.linear_layers > a.layers:
        return "slidingLayers and linearLayers must not exceed layers"
    return _too_few(a)


def _too_few(a: Architecture) -> str | None:
    """Parameters that the rest of the shape does not leave room for; each bound is far below what any real model has.

    A token uses at least its share of the experts, for what is not an expert is used whole. Of a layer with attention, one matrix at
    least is from the hidden state to what is kept of a token.
    """
    if float(a.active_parameters) * a.experts < float(a.parameters) * a.experts_per_token:
        return "activeParameters must not be below parameters x expertsPerToken / experts"
    kept = a.latent_dim or a.kv_heads * a.head_dim
    least = (a.layers - a.linear_layers) * a.hidden_size * kept
    for name, stated in (("parameters", a.parameters), ("activeParameters", a.active_parameters)):
        if stated < least:
            return f"{name} {stated} must be at least {least}, for the keys of layers of this size alone"
    return None
