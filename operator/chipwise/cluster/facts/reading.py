"""What the facts share: mappings as sorted pairs, and which resources hand out chips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipwise.rendering.quantity import whole

Document = Mapping[str, Any]
Pairs = tuple[tuple[str, str], ...]

#: Extended resources have a domain, and these two domains are the kubelet's own (kubernetes.io/docs: extended resources).
_NOT_CHIPS = ("kubernetes.io/", "requests.")


def pairs(mapping: Mapping[str, Any] | None) -> Pairs:
    """A mapping as sorted pairs, hashable."""
    return tuple(sorted((str(key), str(value)) for key, value in (mapping or {}).items()))


def extended(resources: Mapping[str, Any] | None) -> tuple[tuple[str, int], ...]:
    """The extended resources (names with a domain) among ``resources``, as sorted (name, count)."""
    found = []
    for name, amount in (resources or {}).items():
        if "/" in name and not name.startswith(_NOT_CHIPS):
            count = whole(amount)
            if count:
                found.append((name, count))
    return tuple(sorted(found))
