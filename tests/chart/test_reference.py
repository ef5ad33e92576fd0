"""docs/chart.md says what the chart has: its values, its alerts, and metrics and reasons that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from chipwise.reasons import Reason

from charts import reference

ROOT = Path(__file__).resolve().parents[2]
ALERTS = yaml.safe_load((ROOT / "charts/chipwise/files/alerts.yaml").read_text())
SCHEMA = {
    "properties": {
        "plain": {"type": "integer"},
        "shared": {"$ref": "#/$defs/probe"},
        "open": {"type": "object"},
    },
    "$defs": {"probe": {"properties": {"seconds": {"type": "integer"}}}},
}


def test_the_document_is_written_from_the_chart():
    text = reference.DOCUMENT.read_text()
    assert reference.written(text) == text, "run: make chart-docs"


def test_a_comment_above_a_value_documents_it():
    """Of several lines, up to one that is none; an open object is one value, and a comment further up is nobody's."""
    text = "# far\n\n# one\n# two\nplain: 1\nshared:\n  # inside\n  seconds: 2\n# map\nopen: {a: 1}\n"
    assert reference.values(text, SCHEMA) == [
        reference.Value("plain", 1, "one two", is_leaf=True),
        reference.Value("shared", None, "", is_leaf=False),
        reference.Value("shared.seconds", 2, "inside", is_leaf=True),
        reference.Value("open", {"a": 1}, "map", is_leaf=True),
    ]


@pytest.mark.parametrize("text", ["plain: 1\n", "# far\n\nplain: 1\n", "# known to nobody\nother: 1\n"])
def test_a_value_without_a_comment_or_schema_is_an_error(text: str):
    with pytest.raises(reference.Undocumented):
        reference.values(text, SCHEMA)


def test_a_stale_document_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stale = tmp_path / "chart.md"
    stale.write_text(reference.DOCUMENT.read_text().replace("`replicaCount` | `2`", "`replicaCount` | `1`"))
    monkeypatch.setattr(reference, "DOCUMENT", stale)
    assert reference.main(["--check"]) == 1
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0


def series() -> dict[str, set[str]]:
    """Every metric of the operator and of the expander with its labels."""
    rows = re.findall(
        r"^\| `(chipwise_\w+)` \| \w+ \| (.*?) \|",
        "".join((ROOT / page).read_text() for page in ("docs/metrics.md", "docs/cluster-autoscaler.md")),
        re.MULTILINE,
    )
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_metrics_and_labels_that_are_there(alert: dict[str, str]):
    """In the release's namespace alone. What is shown of a label is grouped by it."""
    selected = re.findall(r"(chipwise_\w+)\{([^}]*)\}", alert["expr"])
    assert len(selected) == len(re.findall(r"chipwise_\w+", alert["expr"])) > 0
    known = series()
    grouped = {
        label.strip() for group in re.findall(r"by \((.*?)\)", alert["expr"]) for label in group.split(",")
    }
    for name, selector in selected:
        matched = {part.partition("=")[0].strip() for part in selector.split(",")} - {"WHERE"}
        assert matched | grouped <= known[name]
        assert "WHERE" in selector
    assert set(re.findall(r"\$labels\.(\w+)", alert["summary"])) <= grouped


def test_reasons_and_decisions_in_alerts_exist():
    """A name that nobody uses would never fire."""
    text = "".join(alert["expr"] for alert in ALERTS)
    assert set(re.findall(r'reason="(\w+)"', text)) <= {reason.value for reason in Reason}
    (told,) = re.findall(
        r"^\| `chipwise_workloads` .*$", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE
    )
    assert set(re.findall(r'decision="(\w+)"', text)) <= set(re.findall(r"`(\w+)`", told))


def test_every_file_and_command_that_an_alert_names_is_there():
    """Whoever reads it at night follows it."""
    named = re.findall(r"docs/\w+\.md", "".join(alert["description"] for alert in ALERTS))
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]
