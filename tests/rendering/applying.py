"""A model of client-side ``kubectl apply``: the strategic merge of a changed file over what is live.

Maps merge by key, the lists below entry by entry, all other lists are replaced; what the last file had and the new one has not is
deleted. Where new entries land in a merged list differs between clients (kubectl sends an element order, a bare patch puts new
entries first), so it is a parameter.
"""

from __future__ import annotations

from copy import deepcopy
from enum import Enum
from typing import Any

from chipwise.rendering.defaults import normalise
from chipwise.rendering.manifest import Document, Manifest

_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "topologySpreadConstraints": "topologyKey",
}
_RETAIN_KEYS = frozenset({"volumes", "strategy"})


class NewEntries(Enum):
    FIRST = "first"
    LAST = "last"
    IN_FILE_ORDER = "in file order"


def applied(
    live: Manifest, last: Manifest, new: Manifest, placement: NewEntries = NewEntries.IN_FILE_ORDER
) -> Manifest:
    """What the API server stores after the author applies the file ``new``, having applied ``last`` before."""
    template = _merge(live.template, last.template, new.template, "template", placement)
    strategy = _merge(live.strategy, last.strategy, new.strategy, "strategy", placement)
    return normalise(Manifest(template, strategy))


def _merge(live: Any, last: Any, new: Any, name: str, placement: NewEntries) -> Any:
    if isinstance(new, dict) and isinstance(live, dict):
        return _merge_map(live, last if isinstance(last, dict) else {}, new, name, placement)
    if isinstance(new, list) and isinstance(live, list) and name in _MERGE_KEYS:
        return _merge_list(live, last if isinstance(last, list) else [], new, name, placement)
    return deepcopy(new)


def _merge_map(live: Document, last: Document, new: Document, name: str, placement: NewEntries) -> Document:
    result = {key: deepcopy(value) for key, value in live.items() if key not in last or key in new}
    for key, value in new.items():
        result[key] = (
            _merge(live[key], last.get(key), value, key, placement) if key in live else deepcopy(value)
        )
    if name in _RETAIN_KEYS and new:
        result = {key: value for key, value in result.items() if key in new}
    return result


def _merge_list(
    live: list[Any], last: list[Any], new: list[Any], name: str, placement: NewEntries
) -> list[Any]:
    key = _MERGE_KEYS[name]
    before, wanted, known = ({entry[key]: entry for entry in entries} for entries in (live, new, last))
    merged = {
        at: _merge(before[at], known.get(at), entry, name, placement) if at in before else deepcopy(entry)
        for at, entry in wanted.items()
    }
    kept = [at for at in before if at in wanted or at not in known]
    fresh = [at for at in wanted if at not in before]
    if placement is NewEntries.FIRST:
        order = fresh + kept
    elif placement is NewEntries.LAST:
        order = kept + fresh
    else:
        order = [*wanted, *(at for at in kept if at not in wanted)]
    return [merged[at] if at in merged else deepcopy(before[at]) for at in order]
