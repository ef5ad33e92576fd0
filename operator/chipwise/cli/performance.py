"""Where the figures of one variant come from, for ``explain`` and ``catalog`` alike."""

from __future__ import annotations

from typing import Any

from chipwise.api import ModelProfile, Performance
from chipwise.performance import Shape, Unmeasured
from chipwise.performance.estimate import leans_on
from chipwise.reasons import Refusal

Document = dict[str, Any]

_FIGURES = ("points", "statistic", "engine", "engineVersion", "measuredAt")


def known(used: Performance | None, profile: ModelProfile) -> Document:
    """What ``used`` says of itself; without any, whether the speed can be estimated."""
    if used is None:
        can = profile.spec.architecture is not None
        source = "estimated from the architecture and the chip" if can else None
        return {"kind": "Estimate" if can else "None", **dict.fromkeys(_FIGURES), "source": source}
    return {
        "kind": "Points" if used.points is not None else "Coefficients",
        "points": len(used.points) if used.points is not None else None,
        "statistic": str(used.statistic),
        "engine": used.engine,
        "engineVersion": used.engine_version,
        "measuredAt": used.measured_at,
        "source": used.source,
    }


def leaning(known: Unmeasured, shape: Shape, max_concurrency: int | None) -> str | None:
    """In words what an estimate leans on; None where there is none, for the replica cannot serve such requests."""
    found = leans_on(known, shape, max_concurrency)
    if isinstance(found, Refusal):
        return None
    names = known.names
    return _LEANING[found].format(model=names.model, chip=names.accelerator, engine=names.engine)


_LEANING = {
    "Configuration": "estimated from measurements of {model} on {chip} with {engine}, at these lengths and other concurrencies",
    "Edge": "estimated from measurements of {model} on {chip} with {engine}, at these lengths, some concurrencies below those measured",
    "Beyond": "estimated from measurements of {model} on {chip} with {engine}, at these lengths, some concurrencies beyond those measured",
    "Release": "estimated from measurements of {model} on {chip} with {engine}, at these lengths, of other releases or with other settings",
    "Shape": "estimated from measurements of {model} on {chip} with {engine}, at other lengths",
    "Variant": "estimated from measurements of {model} on {chip} with {engine}, with other numbers of chips per replica",
    "Pair": "estimated from architecture and chip, corrected by measurements of {model} on {chip} with another engine or precision",
    "Model": "estimated from architecture and chip, corrected by measurements of {model} on other chips",
    "Chip": "estimated from architecture and chip, corrected by measurements of other models on {chip}",
    "None": "estimated from architecture and chip alone, for no measurement of either ships",
}
"""By ``estimator.Support``."""


def stated(one: Document) -> tuple[str, str, str, str]:
    """In words: how it is known, the statistic, the engine, the source."""
    how = f"{one['points']} points" if one["points"] else one["kind"].lower()
    engine = " ".join(part for part in (one["engine"], one["engineVersion"]) if part)
    source = ", ".join(part for part in (one["source"], one["measuredAt"]) if part)
    return how, one["statistic"] or "-", engine or "-", source or "not stated"
