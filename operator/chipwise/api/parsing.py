"""From a document to a typed object, by the same rules as the API server's admission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from chipwise.api.accelerator_class import AcceleratorClass
from chipwise.api.accelerator_pool import AcceleratorPool
from chipwise.api.custom_object import API_VERSION
from chipwise.api.errors import InvalidObject, Problem
from chipwise.api.inference_workload import InferenceWorkload
from chipwise.api.model_profile import ModelProfile
from chipwise.api.placement_policy import PlacementPolicy
from chipwise.api.sentences import problems

Kind = AcceleratorClass | AcceleratorPool | ModelProfile | InferenceWorkload | PlacementPolicy

KINDS: Mapping[str, type[Kind]] = {
    model.__name__: model
    for model in (AcceleratorClass, AcceleratorPool, ModelProfile, InferenceWorkload, PlacementPolicy)
}


def parse(document: Any) -> Kind:
    """Read the object that a document describes, defaults filled in. Raises InvalidObject with everything that is wrong with it."""
    if not isinstance(document, Mapping):
        raise InvalidObject("?", "?", (Problem("", f"must be an object, not {document!r}"),))
    kind, name = _identity(document)
    if document.get("apiVersion") != API_VERSION:
        said = Problem("apiVersion", f"must be {API_VERSION}, not {document.get('apiVersion')!r}")
        raise InvalidObject(kind, name, (said,))
    model = KINDS.get(kind)
    if model is None:
        raise InvalidObject(
            kind, name, (Problem("kind", f"must be one of {', '.join(KINDS)}, not {kind!r}"),)
        )
    try:
        return model.model_validate(dict(document))
    except ValidationError as error:
        raise InvalidObject(kind, name, problems(error)) from None


def _identity(document: Mapping[str, Any]) -> tuple[str, str]:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return str(document.get("kind") or "?"), str(name or "?")
