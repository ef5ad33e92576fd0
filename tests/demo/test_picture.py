"""The picture of a decision is well-formed, complete and deterministic."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from e2e.demo.picture import decision_picture

TRAFFIC = {"meanRequestsPerSecond": "2", "peakRequestsPerSecond": "5.0"}
DOCUMENT = {
    "kind": "InferenceWorkload",
    "metadata": {"name": "chat"},
    "spec": {"traffic": TRAFFIC, "objectives": [{"metric": "TPOT", "threshold": "25ms"}]},
}


def candidate(pool: str, cost: str | None, *, chosen: bool = False, message: str = "") -> Any:
    return {
        "pool": pool,
        "variant": f"{pool}-x2",
        "feasible": cost is not None,
        "chosen": chosen,
        "replicas": 4,
        "chips": 8,
        "amortisedPerHour": cost,
        "message": message,
    }


def plan(*candidates: Any) -> Any:
    workload = {
        "name": "chat",
        "mode": "Rollout",
        "decision": "Move",
        "current": {"pool": "h100", "variant": "h100-x2"},
        "candidates": list(candidates),
    }
    return {
        "summary": {"currentCostPerHour": "100.0000", "costPerHour": "50.0000"},
        "workloads": [workload],
    }


def words(svg: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314 - our own
    return [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_every_candidate_is_told_with_its_figure_or_what_it_misses():
    """Costs for what could serve, the figure against the objective for what could not."""
    missed = "maia-x2 on maia: At the lowest load TPOT Mean is at best 26.8 ms, above 25 ms."
    said = words(
        decision_picture(
            plan(
                candidate("h100", "100.0000"),
                candidate("mi300x", "50.0000", chosen=True),
                candidate("maia", None, message=missed),
            ),
            [DOCUMENT],
        )
    )
    assert "TPOT at best 26.8 ms, above 25 ms" in said
    assert "100.00 $/h, 4 x 2 chips (runs here)" in said
    assert "50.00 $/h, 4 x 2 chips: chosen" in said
    assert "TPOT ≤ 25 ms" in said


def test_the_order_of_candidates_changes_nothing():
    """Same decision, same bytes."""
    both = (candidate("h100", "100.0000"), candidate("mi300x", "50.0000", chosen=True))
    assert decision_picture(plan(*both), [DOCUMENT]) == decision_picture(plan(*reversed(both)), [DOCUMENT])


def test_names_are_escaped():
    """A message may hold anything."""
    said = words(
        decision_picture(
            plan(candidate("h100", "1.0"), candidate("maia", None, message="a < b & c")), [DOCUMENT]
        )
    )
    assert "a < b & c" in said
