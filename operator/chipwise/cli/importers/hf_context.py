"""How many tokens a model serves by its config.json, as vLLM derives it where nobody states a length.

Source: ``_get_and_verify_max_len`` of vLLM. ``max_position_embeddings`` times the factor of the rope scaling; with yarn the factor is of
``original_max_position_embeddings``; su, longrope and llama3 have it in ``max_position_embeddings`` already, and so has Gemma 3.
"""

from __future__ import annotations

from decimal import Decimal

from chipwise.cli.importers.fields import Record

SCALED_ALREADY = frozenset(("su", "longrope", "llama3"))


def context_tokens(config: Record) -> int | None:
    """Tokens of input and output together; None if the config does not say. Raises BadInput with the key."""
    if not config.has("max_position_embeddings"):
        return None
    told = config.count("max_position_embeddings")
    place = next((key for key in ("rope_scaling", "rope_parameters") if config.has(key)), None)
    if place is None or "gemma3" in str(config.values.get("model_type")):
        return told
    scaling = config.record(place)
    kind = scaling.values.get("rope_type", scaling.values.get("type"))
    if kind in SCALED_ALREADY:
        return told
    factor = scaling.number("factor") if scaling.has("factor") else Decimal(1)
    if kind == "yarn":
        told = scaling.count("original_max_position_embeddings")
    return int(told * factor)
