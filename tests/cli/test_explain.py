"""``chipwise explain``: one workload of the joint decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fleet import EXAMPLES, deployment, invoke, planned, supply, workload, write

FIELDS = [
    "currency",
    "namespace",
    "name",
    "mode",
    "placed",
    "placements",
    "costPerHour",
    "amortisedPerHour",
    "current",
    "decision",
    "reason",
    "message",
    "deployment",
    "modelProfile",
    "policy",
    "priority",
    "traffic",
    "objectives",
    "sentences",
    "move",
    "candidates",
    "performance",
    "decisions",
]


@pytest.fixture
def fleet(tmp_path):
    return write(
        tmp_path,
        *supply(),
        workload("chat"),
        deployment("chat", "dear", 3),
        workload("hasty", threshold="5ms"),
        workload("code", mode="Off"),
        workload("code", namespace="test", mode="Off"),
    )


def explained(fleet: Path, *arguments: Any, exit_code: int = 0) -> Any:
    result = invoke("explain", *arguments, "-f", fleet, "-o", "json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def test_every_documented_field_is_there(fleet):
    document = explained(fleet, "chat")
    assert list(document) == FIELDS
    assert list(document["performance"][0]) == [
        "variant",
        "statedBy",
        "kind",
        "points",
        "statistic",
        "engine",
        "engineVersion",
        "measuredAt",
        "source",
    ]


def test_it_is_the_same_decision_as_the_plans(fleet):
    wanted = next(each for each in planned(fleet, exit_code=1)["workloads"] if each["name"] == "chat")
    found = explained(fleet, "prod/chat")
    assert {name: wanted[name] for name in wanted} == {name: found[name] for name in wanted}


def test_text_has_sentences_candidates_move_and_sources(fleet):
    text = invoke("explain", "chat", "-f", fleet).stdout
    for wanted in (
        "prod/chat gets 1 replica of cheap-x2 on cheap",
        "Move (Moved): Moves from dear-x2 on dear to cheap-x2 on cheap",
        "TPOT Mean <= 40ms",
        "Runs now on dear: 3 x dear-x2",
        "bench of cheap",
    ):
        assert wanted in text
    assert "\x1b" not in text


def test_each_refused_candidate_has_its_typed_reason(fleet):
    document = explained(fleet, "hasty", exit_code=1)
    assert {("cheap-x2", "ObjectiveMissed"), ("dear-x2", "ObjectiveMissed")} == {
        (one["variant"], one["reason"]) for one in document["candidates"]
    }
    assert document["reason"] == "NoFeasibleVariant"


def test_what_cannot_be_decided_about_says_what_is_missing(tmp_path):
    fleet = write(tmp_path, *supply(), workload("chat", priorityClassName="gold"))
    result = invoke("explain", "chat", "-f", fleet)
    assert result.exit_code == 1
    assert "Not decided about (PriorityClassMissing): no PriorityClass is named gold" in result.stdout


def test_an_unknown_workload_ends_with_2_and_the_known_ones(fleet):
    result = invoke("explain", "chatt", "-f", fleet)
    assert result.exit_code == 2
    assert (
        "there is no InferenceWorkload chatt: the known ones are prod/chat, prod/code, prod/hasty, test/code"
        in result.stderr
    )


def test_a_name_in_several_namespaces_must_be_said_in_full(fleet):
    result = invoke("explain", "code", "-f", fleet)
    assert result.exit_code == 2
    assert "say which of prod/code, test/code" in result.stderr
    assert explained(fleet, "code", "-n", "test")["namespace"] == "test"
    assert explained(fleet, "test/code")["namespace"] == "test"


def test_two_namespaces_at_once_are_refused(fleet):
    assert invoke("explain", "test/code", "-n", "prod", "-f", fleet).exit_code == 2


def test_an_override_of_performance_is_named_as_what_was_used(tmp_path):
    point = {"concurrency": 8, "inputTokens": 100, "outputTokens": 100, "ttft": "90ms", "tpot": "19ms"}
    own = {"variantName": "dear-x2", "performance": {"points": [point], "source": "our own bench"}}
    document = explained(write(tmp_path, *supply(), workload("chat", performance=[own])), "chat")
    assert tuple(document["performance"][0][name] for name in ("statedBy", "source")) == (
        "InferenceWorkload",
        "our own bench",
    )


def test_the_arithmetic_can_be_checked(fleet):
    """5 requests/s over 6.1 a replica, one of the 4 chips of a node, and what staying would cost."""
    sentences = explained(fleet, "chat")["sentences"]
    for wanted in (
        "requests/s at the peak over",
        "of one replica are 0.6",
        "TPOT 20.0 ms of at most 40ms",
        "bounded by batch cap of 16",
        "source: bench of cheap",
        "for which 1 node of cheap at 16.00 $/h are billed",
        "Where it runs now, on dear-x2 on dear, it would add 80.00 $/h",
        "$/h more than there",
    ):
        assert any(wanted in line for line in sentences), (wanted, sentences)


def test_replicas_beyond_the_need_say_whose_they_are(tmp_path):
    fleet = write(tmp_path, *supply(), workload("chat", replicas={"min": 3}))
    assert any(
        "so 1 would do; 3 are the minimum, 3" in line for line in explained(fleet, "chat")["sentences"]
    )
    external = {"min": 1, "managedBy": "External"}
    fleet = write(tmp_path, *supply(), workload("chat", replicas=external), deployment("chat", "dear", 2))
    found = explained(fleet, "chat")["sentences"]
    assert any("2 are what its author or autoscaler runs" in line for line in found), found


def test_every_workload_of_the_examples_can_be_explained():
    for each in planned(EXAMPLES, exit_code=1)["workloads"]:
        result = invoke("explain", f"{each['namespace']}/{each['name']}", "-f", EXAMPLES)
        assert result.exit_code == (0 if each["placed"] else 1)
        assert "Performance used" in result.stdout
