"""Label selectors of a pod template, as documents: what they select."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipwise.rendering.affinity import expression_holds


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """As ``metav1.LabelSelectorAsSelector``: none at all selects nothing, an empty one everything."""
    if selector is None:
        return False
    stated = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in stated.items()) and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return expression_holds(expression, labels.get(expression["key"]))
