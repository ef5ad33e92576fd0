"""Render the CustomResourceDefinitions from the models: ``python -m chipwise.api.crds [--check] DIR``.

The models are the only source; the rendered files are committed so that they can be read, reviewed and applied without Python.
"""

from __future__ import annotations

import argparse
import sys
from difflib import unified_diff
from pathlib import Path
from typing import Any

import yaml

from chipwise.api.custom_object import CATEGORY, GROUP, VERSION, Column, CustomObject
from chipwise.api.descriptions import field_descriptions
from chipwise.api.parsing import KINDS
from chipwise.api.structural import structural_schema

HEADER = "# Generated from chipwise.api. Edit the models there, then run: make crds\n"


def definition(model: type[CustomObject]) -> dict[str, Any]:
    """Build the CustomResourceDefinition of one kind. Raises UnfitSchema."""
    names = model.definition
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": model.__name__,
                "listKind": f"{model.__name__}List",
                "plural": names.plural,
                "singular": model.__name__.lower(),
                "shortNames": [names.short_name],
                "categories": [CATEGORY],
            },
            "scope": "Namespaced" if names.namespaced else "Cluster",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(column) for column in names.columns],
                    "schema": {"openAPIV3Schema": _schema(model)},
                }
            ],
        },
    }


def _schema(model: type[CustomObject]) -> dict[str, Any]:
    """Give apiVersion, kind and metadata no more than their types: the API server owns them."""
    described = field_descriptions(model)
    own = {
        "apiVersion": {"description": described["api_version"], "type": "string"},
        "kind": {"description": described["kind"], "type": "string"},
        "metadata": {"type": "object"},
    }
    found = structural_schema(model, without=own)
    return {**found, "required": ["spec"], "properties": {**own, **found["properties"]}}


def _column(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.name,
        "type": column.type,
        "description": column.description,
        "jsonPath": column.path,
    }
    return {**found, "priority": 1} if column.wide else found


def render() -> dict[str, str]:
    """File name to content, all kinds. The same models give the same bytes."""
    return {
        f"{GROUP}_{model.definition.plural}.yaml": HEADER
        + yaml.safe_dump(definition(model), sort_keys=False, width=110, allow_unicode=True)
        for model in KINDS.values()
    }


def differences(folder: Path) -> list[str]:
    """List what would change in ``folder``, as lines of a unified diff; files that no kind renders to are named too."""
    rendered = render()
    lines: list[str] = []
    for name, content in rendered.items():
        path = folder / name
        committed = path.read_text(encoding="utf-8") if path.exists() else ""
        lines += unified_diff(
            committed.splitlines(),
            content.splitlines(),
            f"{path} (committed)",
            f"{path} (rendered)",
            lineterm="",
            n=1,
        )
    strays = sorted(path.name for path in folder.glob("*.yaml") if path.name not in rendered)
    return lines + [f"{folder / name}: no kind renders to this file" for name in strays]


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or compare them; the exit code of the process."""
    parser = argparse.ArgumentParser(prog="python -m chipwise.api.crds", description=main.__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    options = parser.parse_args(arguments)
    if options.check:
        found = differences(options.folder)
        print("\n".join(found[:60]) if found else f"{options.folder} is up to date")
        if found:
            print(f"{len(found)} lines differ; run: make crds", file=sys.stderr)
        return 1 if found else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, content in render().items():
        (options.folder / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
