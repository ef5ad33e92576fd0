"""The part of a Deployment that chipwise may write: its pod template and its rollout strategy. Never its replicas.

Also the one exception of this package: a document that cannot be rendered, with its typed reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from chipwise.reasons import Reason, Refusal

Document = dict[str, Any]  # JSON as the API server returns it


class RenderingRefused(Exception):  # noqa: N818  it is an answer with a reason, not a fault
    """The author's document and the variant do not go together. ``refusal`` says why and what would help."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason.value}: {message}")
        self.refusal = Refusal(reason, message)


@dataclass(frozen=True, slots=True)
class Manifest:
    """``spec.template`` and ``spec.strategy`` of a Deployment. The documents inside are shared, not copied: do not change them."""

    template: Document
    strategy: Document


def manifest_of(deployment: Mapping[str, Any]) -> Manifest:
    """Copy what a Deployment says now. An absent strategy reads as empty."""
    spec = deployment["spec"]
    return Manifest(template=deepcopy(spec["template"]), strategy=deepcopy(spec.get("strategy") or {}))
