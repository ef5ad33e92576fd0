"""What the author means by a write over our rendering: a three-way reading, field by field.

Where the current document equals our rendering, nobody wrote there and the author's base stands. Where it differs, the author wrote it.
So a file re-applied unchanged over a rendering, which leaves a mixture of both, reads as the base again, and a changed file as the
changed base. What the author takes away from the current document is taken away; what our rendering had taken away stays in the base
unless the author writes it anew, for nobody can see whether a missing thing is still wanted.

Lists with a natural key are read entry by entry, in the base's order unless the author reordered them. Tolerations have no key and
are one value to ``kubectl apply``: without any of ours left in them they were written anew as a whole. All other lists are one value.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from chipwise.rendering.manifest import Document, Manifest


class _Absent:
    """Stands for a field that is not there."""

    __slots__ = ()


_ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a field is read. ``keys`` name what tells the entries of a list apart; ``fields`` are those below that are no plain value.

    Of ``union`` only one member may be set, as in the source of a volume.
    """

    keys: tuple[str, ...] = ()
    fields: Mapping[str, _Shape] = field(default_factory=dict)
    union: frozenset[str] | None = None
    by_content: bool = False


_PLAIN = _Shape()
_HANDLER = _Shape(union=frozenset({"exec", "httpGet", "tcpSocket", "grpc", "sleep"}))
_CONTAINER_FIELDS: Mapping[str, _Shape] = {
    "env": _Shape(keys=("name",), union=frozenset({"value", "valueFrom"})),
    "volumeMounts": _Shape(keys=("mountPath",)),
    "volumeDevices": _Shape(keys=("devicePath",)),
    "ports": _Shape(keys=("containerPort", "protocol")),
    "startupProbe": _HANDLER,
    "readinessProbe": _HANDLER,
    "livenessProbe": _HANDLER,
    "lifecycle": _Shape(fields={"preStop": _HANDLER, "postStart": _HANDLER}),
}
_CONTAINERS = _Shape(keys=("name",), fields=_CONTAINER_FIELDS)
_TEMPLATE = _Shape(
    fields={
        "spec": _Shape(
            fields={
                "containers": _CONTAINERS,
                "initContainers": _CONTAINERS,
                "volumes": _Shape(keys=("name",), union=frozenset()),
                "tolerations": _Shape(by_content=True),
                "topologySpreadConstraints": _Shape(keys=("topologyKey", "whenUnsatisfiable")),
                "imagePullSecrets": _Shape(keys=("name",)),
                "resourceClaims": _Shape(keys=("name",)),
            },
        ),
    },
)


def author_intent(current: Manifest, rendered: Manifest, base: Manifest) -> Manifest:
    """Read ``current``, written over ``rendered``, as the author's new base. Equal to ``base`` where the author changed nothing."""
    template = _read(current.template, rendered.template, base.template, _TEMPLATE)
    strategy = _document(_read(current.strategy, rendered.strategy, base.strategy, _PLAIN))
    if strategy != base.strategy:
        strategy = _consistent(strategy, current.strategy)
    return Manifest(template=_document(template), strategy=strategy)


def _document(value: Any) -> Document:
    return {} if value is _ABSENT else deepcopy(value)


def _read(current: Any, rendered: Any, base: Any, shape: _Shape) -> Any:
    if _equal(current, rendered):
        return base
    if current is _ABSENT or current is None:
        return _ABSENT
    if isinstance(current, dict):
        return _read_fields(current, rendered, base, shape)
    if isinstance(current, list) and shape.by_content:
        return _read_contents(current, _as_list(rendered), _as_list(base))
    if isinstance(current, list) and shape.keys:
        return _read_entries(current, _as_list(rendered), _as_list(base), shape)
    return current


def _read_fields(current: Document, rendered: Any, base: Any, shape: _Shape) -> Any:
    emptied = base == {}  # the author's own empty struct, as in resources: {} or emptyDir: {}
    rendered, base = _as_dict(rendered), _as_dict(base)
    result: Document = {}
    for key in [*base, *(key for key in current if key not in base)]:
        below = shape.fields.get(key, _PLAIN)
        value = _read(current.get(key, _ABSENT), rendered.get(key, _ABSENT), base.get(key, _ABSENT), below)
        if value is not _ABSENT:
            result[key] = value
    if shape.union is not None and not shape.keys:
        _settle_union(result, current, shape.union)
    if not result and current and not emptied:
        return _ABSENT
    return result


def _read_entries(current: list[Any], rendered: list[Any], base: list[Any], shape: _Shape) -> Any:
    """Read a list whose entries have a key. One with a key twice is one value: which entry is meant cannot be told."""
    indexed = [{_key(entry, shape.keys): entry for entry in entries} for entries in (current, rendered, base)]
    if any(
        len(index) != len(entries) for index, entries in zip(indexed, (current, rendered, base), strict=True)
    ):
        return current
    now, ours, before = indexed
    entry_shape = _Shape(fields=shape.fields)
    result: dict[Hashable, Any] = {}
    for key in [*before, *(key for key in now if key not in before)]:
        value = _read(now.get(key, _ABSENT), ours.get(key, _ABSENT), before.get(key, _ABSENT), entry_shape)
        if value is _ABSENT:
            continue
        if shape.union is not None and key in now:
            members = shape.union or frozenset(value) - {"name"}
            _settle_union(value, now[key], members)
        result[key] = value
    order = _order(list(now), list(ours), list(before))
    return [result[key] for key in order if key in result] or _ABSENT


def _read_contents(current: list[Any], rendered: list[Any], base: list[Any]) -> Any:
    added = [entry for entry in rendered if entry not in base]
    removed = [entry for entry in base if entry not in rendered]
    edited = any(entry in current for entry in added)
    if not edited and (added or any(entry in current for entry in removed)):
        return current
    kept = [entry for entry in base if entry in current or entry not in rendered]
    return kept + [entry for entry in current if entry not in rendered and entry not in base] or _ABSENT


def _settle_union(value: Document, current: Mapping[str, Any], union: frozenset[str]) -> None:
    """Where two readings left two members of a union, keep what the author has now."""
    members = [key for key in value if key in union]
    if len(members) > 1 and any(key in current for key in members):
        for key in members:
            if key not in current:
                del value[key]


def _order(now: list[Hashable], ours: list[Hashable], before: list[Hashable]) -> list[Hashable]:
    """Keep the base's order, new entries after their neighbour; or the author's new order, the base's entries after theirs."""
    common = set(now) & set(ours)
    untouched = [key for key in now if key in common] == [key for key in ours if key in common]
    first, second = (before, now) if untouched else (now, before)
    order = list(first)
    for at, key in enumerate(second):
        if key not in order:
            neighbour = next((other for other in reversed(second[:at]) if other in order), None)
            order.insert(0 if neighbour is None else order.index(neighbour) + 1, key)
    return order


def _consistent(strategy: Document, current: Mapping[str, Any]) -> Document:
    """Mend a strategy of two types mixed by reading field by field: a rolling update needs its type and both its bounds."""
    if strategy.get("type") == "Recreate" and "rollingUpdate" in strategy:
        strategy["type"] = current.get("type", "RollingUpdate")
    if strategy.get("type") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    return strategy


def _key(entry: Mapping[str, Any], names: tuple[str, ...]) -> Hashable:
    return tuple(entry.get(name) for name in names)


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left in (None, _ABSENT) and right in (None, _ABSENT)
    return bool(left == right)


def _as_dict(value: Any) -> Document:
    return value if isinstance(value, dict) else {}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
