"""JSON Patch (RFC 6902) as the API server applies it: all or nothing, on a copy."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any


class DoesNotFitError(Exception):
    """A test failed or a path is not there."""


def patched(document: Any, operations: Iterable[Mapping[str, Any]]) -> Any:
    """The patched copy. Raises DoesNotFitError."""
    root = {"": copy.deepcopy(document)}
    for operation in operations:
        kind, path = operation["op"], _steps(operation["path"])
        if kind == "test":
            if _get(root, path) != operation["value"]:
                raise DoesNotFitError(f"testing value {operation['path']} failed")
        elif kind == "add":
            _add(root, path, copy.deepcopy(operation["value"]))
        elif kind == "replace":
            _remove(root, path)
            _add(root, path, copy.deepcopy(operation["value"]))
        elif kind == "remove":
            _remove(root, path)
        elif kind == "copy":
            _add(root, path, copy.deepcopy(_get(root, _steps(operation["from"]))))
        elif kind == "move":
            _add(root, path, _remove(root, _steps(operation["from"])))
        else:
            raise AssertionError(f"no such operation: {kind}")
    return root[""]


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")]


def _at(parent: Any, step: str) -> Any:
    try:
        return parent[int(step)] if isinstance(parent, list) else parent[step]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise DoesNotFitError(f"no such path: {step!r}") from error


def _get(root: Any, path: list[str]) -> Any:
    for step in path:
        root = _at(root, step)
    return root


def _add(root: Any, path: list[str], value: Any) -> None:
    parent = _get(root, path[:-1])
    if isinstance(parent, list):
        index = len(parent) if path[-1] == "-" else int(path[-1])
        if index > len(parent):
            raise DoesNotFitError(f"no such index: {index}")
        parent.insert(index, value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise DoesNotFitError(f"no such parent: {path}")


def _remove(root: Any, path: list[str]) -> Any:
    parent = _get(root, path[:-1])
    value = _at(parent, path[-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]
    return value
