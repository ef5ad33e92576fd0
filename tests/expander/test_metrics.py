"""What is exposed is what docs/cluster-autoscaler.md says."""

from __future__ import annotations

import re
from pathlib import Path

from chipwise.expander.answers import Answer
from chipwise.expander.metrics import Metrics
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

PAGE = Path(__file__).parents[2] / "docs" / "cluster-autoscaler.md"


def test_the_table_has_every_metric():
    metrics = Metrics()
    metrics.answered(Answer.CHOSEN, 0.001)
    metrics.asked("list", "pods", "Forbidden")
    found = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    exposed = {
        one.name + ("_total" if one.type == "counter" else "")
        for one in found
        if one.name.startswith("chipwise_")
    }
    told = {
        name
        for line in re.findall(r"^\| `chipwise_.*$", PAGE.read_text(), re.MULTILINE)
        for name in re.findall(r"`(chipwise_\w+)`", line.split("|")[1])
    }
    assert exposed == told


def test_every_answer_is_explained():
    assert all(f"`{answer.value}`" in PAGE.read_text() for answer in Answer)


def test_an_answer_that_was_never_given_counts_as_none():
    """So that it is told from an expander that is not there, and what it grew by from the first."""
    text = generate_latest(Metrics().registry).decode()
    assert {f'chipwise_expander_answers_total{{answer="{answer.value}"}} 0.0' for answer in Answer} <= set(
        text.splitlines()
    )
