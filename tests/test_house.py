"""CONTRIBUTING.md says how long things get, and that must be so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "operator" / "chipwise"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[str, Function]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                yield f"{path.relative_to(PACKAGE)}:{node.name}", node


def lines(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def parameters(node: Function) -> int:
    every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return sum(argument.arg not in ("self", "cls") for argument in every)


def is_exempt(node: Function) -> bool:
    """A command takes its options, a constructor its parts."""
    return node.name == "__init__" or any(
        "click" in ast.unparse(decorator) for decorator in node.decorator_list
    )


def test_no_module_is_longer_than_300_lines():
    found = {
        str(p.relative_to(PACKAGE)): len(p.read_text("utf-8").splitlines()) for p in PACKAGE.rglob("*.py")
    }
    assert {name: count for name, count in found.items() if count > 300} == {}


def test_few_functions_are_long_and_none_very():
    found = {name: lines(node) for name, node in functions()}
    assert {name: count for name, count in found.items() if count > 70} == {}
    assert sum(count > 30 for count in found.values()) < len(found) / 40
    assert max(found, key=lambda name: found[name]) == "cluster/decide.py:decide"


def test_few_functions_take_many_parameters_and_none_but_commands_and_constructors_very_many():
    found = {name: parameters(node) for name, node in functions() if not is_exempt(node)}
    assert {name: count for name, count in found.items() if count > 8} == {}
    assert sum(count > 5 for count in found.values()) < len(found) / 40
