"""The chart's static parts: the kinds it ships, and that its values and their schema speak of the same things."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "chipwise"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}


def test_the_chart_ships_the_rendered_kinds() -> None:
    """files/crds is a link; where a checkout or an archive turned it into a copy, the copy may not be stale."""
    kinds = contents(ROOT / "crds")
    assert len(kinds) == 5
    assert contents(CHART / "files" / "crds") == kinds


def test_the_keep_annotation_can_be_added_as_text() -> None:
    """The template inserts annotations after the one top-level `metadata:` line; a kind must not bring its own."""
    for name, content in contents(ROOT / "crds").items():
        lines = content.decode().splitlines()
        assert lines.count("metadata:") == 1, name
        assert "annotations" not in yaml.safe_load(content)["metadata"], name


def missing(values: Any, schema: dict[str, Any], path: str = "") -> list[str]:
    """Paths that only one of the two knows."""
    properties = schema.get("properties")
    if not isinstance(values, dict) or properties is None:
        return []
    differing = [f"{path}.{key}" for key in values.keys() ^ (properties.keys() - {"global"})]
    return differing + [
        found
        for key in values.keys() & properties.keys()
        for found in missing(values[key], properties[key], f"{path}.{key}")
    ]


def test_values_and_schema_name_the_same_settings() -> None:
    """A setting without a schema would be refused, a schema without a setting is undocumented."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert missing(values, schema) == []
