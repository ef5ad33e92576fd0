"""Field descriptions out of the source: the string literal that follows a field in its class body.

pydantic can do this itself (``use_attribute_docstrings``), but at import of every model: with 60 models that doubles the time that
``chipwise --help`` takes. Only the generator of CRDs needs them.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel


def field_descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return the description by field name, inherited fields included. A field without one is missing from the answer."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found.update(_by_class(base.__module__).get(base.__qualname__, {}))
    return {name: text for name, text in found.items() if name in model.model_fields}


@cache
def _by_class(module: str) -> dict[str, dict[str, str]]:
    source = inspect.getsourcefile(sys.modules[module])
    if source is None:
        return {}
    tree = ast.parse(Path(source).read_text(encoding="utf-8"))
    return {node.name: _of_body(node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def _of_body(node: ast.ClassDef) -> dict[str, str]:
    return {
        field.target.id: inspect.cleandoc(text.value.value).replace("\n", " ")
        for field, text in pairwise(node.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
