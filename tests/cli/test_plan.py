"""``chipwise plan``: the document field by field, its text, its exit codes."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
import yaml

from tests.cli.fleet import (
    EXAMPLES,
    ROOT,
    chip,
    deployment,
    invoke,
    planned,
    pool,
    profile,
    supply,
    variant,
    workload,
    write,
)

MONEY = r"-?[0-9]+\.[0-9]{4}"


class Money:
    """Equal to every amount as a string of four decimals."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(MONEY, other) is not None

    __hash__ = None  # type: ignore[assignment]


AMOUNT = Money()
TEXT, NUMBER, COUNT = (str,), (float, int), (int,)

SUMMARY: dict[str, Any] = {
    "currency": TEXT,
    "costPerHour": AMOUNT,
    "currentCostPerHour": AMOUNT,
    "sparePerHour": AMOUNT,
    "savingsPerHour": AMOUNT,
    "objectivePerHour": AMOUNT,
    "lowerBoundPerHour": AMOUNT,
    "gap": NUMBER,
    "optimal": (bool,),
    "timeLimited": (bool,),
    "placed": COUNT,
    "unplaced": COUNT,
    "modeOff": COUNT,
    "solveSeconds": NUMBER,
}
PLACEMENT: dict[str, Any] = {
    "pool": TEXT,
    "variant": TEXT,
    "acceleratorClass": TEXT,
    "replicas": COUNT,
    "chips": COUNT,
    "costPerHour": AMOUNT,
    "costPerMillionOutputTokens": AMOUNT,
    "ttftMilliseconds": NUMBER,
    "tpotMilliseconds": NUMBER,
    "provenance": TEXT,
    "requestsPerSecondOfOneReplica": NUMBER,
    "band": NUMBER,
}
CURRENT: dict[str, Any] = {
    "pool": TEXT,
    "variant": TEXT,
    "acceleratorClass": TEXT,
    "replicas": COUNT,
    "chips": COUNT,
    "costPerHour": AMOUNT,
    "amortisedPerHour": AMOUNT,
    "costPerMillionOutputTokens": AMOUNT,
}
CANDIDATE: dict[str, Any] = {
    "variant": TEXT,
    "pool": TEXT,
    "acceleratorClass": TEXT,
    "feasible": (bool,),
    "chosen": (bool,),
    "replicas": COUNT,
    "chips": COUNT,
    "addedPerHour": AMOUNT,
    "alonePerHour": AMOUNT,
    "amortisedPerHour": AMOUNT,
    "ttftMilliseconds": NUMBER,
    "tpotMilliseconds": NUMBER,
    "provenance": TEXT,
    "reason": (type(None),),
    "message": (type(None),),
}
WORKLOAD: dict[str, Any] = {
    "namespace": TEXT,
    "name": TEXT,
    "mode": TEXT,
    "placed": (bool,),
    "placements": (list,),
    "costPerHour": AMOUNT,
    "amortisedPerHour": AMOUNT,
    "current": (dict,),
    "decision": TEXT,
    "reason": TEXT,
    "message": TEXT,
    "candidates": (list,),
}
POOL: dict[str, Any] = {
    "name": TEXT,
    "acceleratorClass": TEXT,
    "usable": (bool,),
    "chipsUsed": COUNT,
    "chipsFree": COUNT,
    "nodes": COUNT,
    "nodesPaid": COUNT,
    "costPerHour": AMOUNT,
    "spare": (dict, type(None)),
    "pricePerHour": AMOUNT,
    "priceUnit": TEXT,
    "currency": TEXT,
    "reason": (type(None),),
    "message": (type(None),),
}
MOVE: dict[str, Any] = {
    "workload": TEXT,
    "from": TEXT,
    "to": TEXT,
    "savingsPerHour": AMOUNT,
    "decision": TEXT,
    "reason": TEXT,
    "message": TEXT,
    "step": COUNT,
    "further": (list,),
}


def keeps(schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Exactly these fields in this order, each of its type."""
    assert list(schema) == list(document)
    for name, wanted in schema.items():
        fits = document[name] == wanted if wanted is AMOUNT else isinstance(document[name], wanted)
        assert fits, (name, document[name])


@pytest.fixture
def moving(tmp_path):
    """One workload that runs on the dear chips and would be cheaper on the others."""
    return write(tmp_path, *supply(), workload("chat"), deployment("chat", "dear", 3))


def test_every_documented_field_is_there_with_its_type(moving):
    document = planned(moving)
    assert list(document) == [
        "summary",
        "workloads",
        "pools",
        "moves",
        "unreadable",
        "orphans",
        "orphansWaiting",
    ]
    keeps(SUMMARY, document["summary"])
    (chat,) = document["workloads"]
    keeps(WORKLOAD, chat)
    keeps(CURRENT, chat["current"])
    keeps(PLACEMENT, chat["placements"][0])
    for candidate in chat["candidates"]:
        keeps(CANDIDATE, candidate)
    for each in document["pools"]:
        keeps(POOL, each)
    for move in document["moves"]:
        keeps(MOVE, move)


def test_room_that_is_kept_warm_stands_beside_the_bill(tmp_path):
    """In the document and in the table, with the sum; without any there is not a word of it."""
    fleet = write(
        tmp_path,
        chip("cheap"),
        pool("cheap", "16.00", spare={"replicas": 2}),
        profile(variant("cheap")),
        workload("chat"),
    )
    document = planned(fleet)
    assert document["summary"]["costPerHour"] == "16.0000"
    assert document["summary"]["sparePerHour"] == "32.0000"
    (cheap,) = document["pools"]
    assert cheap["spare"] == {"replicas": 2, "chips": 8, "kept": 2, "costPerHour": "32.0000"}
    assert (cheap["costPerHour"], cheap["nodes"]) == ("16.0000", 1)
    shown = invoke("plan", "-f", fleet).output
    assert "Kept warm, beside the bill above" in shown
    assert "Room that is kept warm adds 32.00 $/h: 48.00 $/h in all." in shown


def test_where_nothing_is_kept_warm_it_is_not_mentioned(moving):
    assert planned(moving)["summary"]["sparePerHour"] == "0.0000"
    assert "warm" not in invoke("plan", "-f", moving).output


def test_a_workload_moves_where_the_bill_is_lower(moving):
    document = planned(moving)
    (move,) = document["moves"]
    assert move | {"message": ""} == {
        "workload": "prod/chat",
        "from": "dear-x2 on dear",
        "to": "cheap-x2 on cheap",
        "savingsPerHour": "64.0000",
        "decision": "Move",
        "reason": "Moved",
        "message": "",
        "step": 1,
        "further": [],
    }
    assert document["summary"]["costPerHour"] == "16.0000"
    assert document["summary"]["currentCostPerHour"] == "80.0000"
    assert document["summary"]["savingsPerHour"] == "64.0000"


def test_a_move_to_more_replicas_says_that_it_goes_over_a_bridge(tmp_path):
    """``plan`` and ``explain`` say how many replicas it carries."""
    crowded = workload(
        "chat", traffic={"meanRequestsPerSecond": "17", "inputTokens": 100, "outputTokens": 100}
    )
    path = write(tmp_path, *supply(), crowded, deployment("chat", "dear", 1))
    (move,) = planned(path)["moves"]
    assert move["decision"] == "Move"
    assert "on cheap over a bridge of 2 replicas, saves" in move["message"]
    assert "over a bridge of 2 replicas" in invoke("explain", "chat", "-f", path).stdout.replace("\n", " ")


def test_cost_per_million_tokens_is_the_bill_over_the_mean_traffic(moving):
    (chat,) = planned(moving)["workloads"]
    tokens_per_hour = 5 * 100 * 3600
    assert float(chat["placements"][0]["costPerMillionOutputTokens"]) == pytest.approx(
        16 / tokens_per_hour * 1e6, abs=1e-4
    )
    assert float(chat["current"]["costPerMillionOutputTokens"]) == pytest.approx(
        80 / tokens_per_hour * 1e6, abs=1e-4
    )


def test_yaml_is_the_same_document(moving):
    found = yaml.safe_load(invoke("plan", "-f", moving, "-o", "yaml", "--at", "2026-01-01T00:00:00Z").stdout)
    wanted = planned(moving)
    for document in (found, wanted):
        del document["summary"]["solveSeconds"]
    assert wanted == found


def test_the_order_of_documents_and_files_changes_no_byte(tmp_path):
    """All but solveSeconds, in JSON and in the table."""
    documents = (*supply(), workload("chat"), workload("code", mode="Off"), deployment("chat", "dear", 3))
    seen = set()
    for index, shuffled in enumerate((documents, documents[::-1], documents[3:] + documents[:3])):
        folder = tmp_path / str(index)
        folder.mkdir()
        write(folder, *shuffled[:2], name="b.json")
        write(folder, *shuffled[2:5], name="a.json")
        write(folder, *shuffled[5:], name="c.json")
        for paths in itertools.permutations(("a.json", "b.json", "c.json"), 3):
            text = invoke("plan", *(folder / path for path in paths), "-o", "json").stdout
            table = invoke("plan", *(folder / path for path in paths)).stdout
            seen.add((re.sub(r'"solveSeconds": .*', "", text), table))
    assert len(seen) == 1


def test_a_workload_without_a_deployment_is_planned(tmp_path):
    document = planned(write(tmp_path, *supply(), workload("chat")))
    (chat,) = document["workloads"]
    assert chat["current"] is None
    assert chat["placements"][0]["pool"] == "cheap"
    assert document["moves"][0]["from"] is None


def test_what_nobody_can_serve_ends_with_1_and_says_exactly_why(tmp_path):
    path = write(tmp_path, *supply(), workload("chat"), workload("hasty", threshold="5ms"))
    document = planned(path, exit_code=1)
    assert (document["summary"]["placed"], document["summary"]["unplaced"]) == (1, 1)
    hasty = document["workloads"][1]
    assert (hasty["placed"], hasty["placements"], hasty["costPerHour"]) == (False, [], None)
    assert hasty["reason"] == "NoFeasibleVariant"
    assert [one["reason"] for one in hasty["candidates"]] == ["ObjectiveMissed", "ObjectiveMissed"]
    assert "at best" in hasty["message"]
    text = invoke("plan", "-f", path).stdout
    assert "not placed: NoFeasibleVariant" in text
    assert hasty["message"] in text


def test_a_workload_that_cannot_be_decided_about_counts_as_unplaced(tmp_path):
    document = planned(write(tmp_path, *supply(), workload("chat", modelProfileName="none")), exit_code=1)
    (chat,) = document["workloads"]
    assert (chat["placed"], chat["decision"], chat["reason"]) == (False, "Unplaced", "ProfileMissing")
    assert "none" in chat["message"]


def test_an_unusable_pool_is_shown_with_its_reason(tmp_path):
    unpriced = pool("dear", "1")
    del unpriced["spec"]["price"]
    document = planned(
        write(
            tmp_path,
            chip("dear"),
            unpriced,
            chip("cheap"),
            pool("cheap", "16"),
            profile(variant("cheap")),
            workload("chat"),
        )
    )
    dear = document["pools"][1]
    assert (dear["usable"], dear["reason"], dear["pricePerHour"], dear["chipsUsed"]) == (
        False,
        "Unpriced",
        None,
        0,
    )


def test_a_price_in_another_currency_is_shown_in_that_currency(tmp_path):
    """The pool is refused; its price must not be taken for dollars, nor what runs there for a sum of them."""
    price = {"amount": "80", "currency": "EUR"}
    objects = (*supply()[:2], *supply()[3:], pool("dear", "80", price=price))
    path = write(tmp_path, *objects, workload("chat", allowedPools=["dear"]), deployment("chat", "dear", 1))
    document = planned(path, exit_code=1)
    cheap, dear = document["pools"]
    assert (dear["reason"], dear["currency"], dear["pricePerHour"]) == ("CurrencyMismatch", "EUR", "80.0000")
    assert (cheap["currency"], document["summary"]["currency"]) == ("USD", "USD")
    assert document["workloads"][0]["current"]["amortisedPerHour"] is None
    table = invoke("plan", "-f", path).stdout
    assert "80 EUR/node" in table
    assert "16 $/node" in table
    assert "80 $" not in table


def test_what_runs_and_has_no_place_is_said_to_go_on_costing(tmp_path):
    path = write(tmp_path, *supply(), workload("hasty", threshold="5ms"), deployment("hasty", "dear", 2))
    (hasty,) = planned(path, exit_code=1)["workloads"]
    assert (
        hasty["current"]["pool"],
        hasty["current"]["costPerHour"],
        hasty["current"]["amortisedPerHour"],
    ) == ("dear", None, "40.0000")
    assert "stays where it runs and goes on costing 40.00 $/h" in invoke("plan", "-f", path).stdout


def test_mode_off_is_planned_as_if_rollout_and_one_line_says_so(tmp_path):
    path = write(tmp_path, *supply(), workload("chat", mode="Off"), deployment("chat", "dear", 3))
    document = planned(path)
    assert document["summary"]["modeOff"] == 1
    assert tuple(document["moves"][0][name] for name in ("to", "decision", "reason")) == (
        "cheap-x2 on cheap",
        "Hold",
        "ModeOff",
    )
    assert invoke("plan", "-f", path).stdout.count("in mode Off") == 1


def test_savings_leave_out_what_stays_for_want_of_a_place():
    """The examples' summary: the bill of all that has a place falls by what the moves save."""
    document = planned(EXAMPLES, exit_code=1)
    summary = document["summary"]
    moved = sum(float(move["savingsPerHour"]) for move in document["moves"])
    assert float(summary["savingsPerHour"]) == pytest.approx(moved, abs=1e-3)
    assert float(summary["currentCostPerHour"]) - float(summary["costPerHour"]) == pytest.approx(
        moved, abs=1e-3
    )
    placed = [float(each["costPerHour"]) for each in document["workloads"] if each["placed"]]
    assert sum(placed) == pytest.approx(float(summary["costPerHour"]), abs=1e-3)
    assert sum(float(each["costPerHour"]) for each in document["pools"]) == pytest.approx(
        sum(placed), abs=1e-3
    )


def test_plain_text_is_aligned_and_has_neither_colours_nor_lines():
    text = invoke("plan", "-f", EXAMPLES).stdout
    assert text.isascii()
    assert "\x1b" not in text
    heading, *rows = text.splitlines()[2:9]
    at = heading.index("PLANNED")
    assert all(row[at - 2 : at] == "  " and row[at] != " " for row in rows[:6])


def test_manifests_come_through_standard_input(tmp_path):
    text = write(tmp_path, *supply(), workload("chat")).read_text()
    assert json.loads(invoke("plan", "-f", "-", "-o", "json", stdin=text).stdout)["summary"]["placed"] == 1


def test_files_behind_the_first_are_read_too(tmp_path):
    """So that a shell may expand ``-f *.yaml``."""
    first, second = (
        write(tmp_path, *supply(), name="a.json"),
        write(tmp_path, workload("chat"), name="b.json"),
    )
    assert "1 of 1 workloads placed" in invoke("plan", "-f", first, second).stdout


def test_a_fleet_without_workloads_is_no_error(tmp_path):
    assert "nothing to decide" in invoke("plan", "-f", write(tmp_path, *supply())).stdout


def test_money_is_named_in_the_pools_currency(tmp_path):
    euros = pool("cheap", "16", price={"amount": "16", "currency": "EUR"})
    path = write(tmp_path, chip("cheap"), euros, profile(variant("cheap")), workload("chat"))
    assert planned(path)["summary"]["currency"] == "EUR"
    assert "16.00 EUR/h" in invoke("plan", "-f", path).stdout


def test_files_and_a_cluster_at_once_are_refused(moving):
    result = invoke("plan", "-f", moving, "--context", "staging")
    assert result.exit_code == 2
    assert "either -f or --kubeconfig" in result.stderr


@pytest.mark.parametrize("moment", ["yesterday", "2026-01-01T00:00:00"])
def test_a_moment_must_be_a_time_with_a_zone(moving, moment):
    result = invoke("plan", "-f", moving, "--at", moment)
    assert result.exit_code == 2
    assert moment in result.stderr


@pytest.mark.parametrize("schema", [SUMMARY, WORKLOAD, CURRENT, PLACEMENT, CANDIDATE, POOL, MOVE])
def test_every_field_is_described(schema):
    text = (ROOT / "docs" / "cli.md").read_text().replace("[]`", "`")
    assert not [name for name in schema if f"`{name}`" not in text]


def test_what_runs_on_nodes_that_are_paid_for_anyway_is_not_said_to_be_absent(tmp_path):
    """A bill of nothing is not the same as nothing that runs."""
    committed = pool("dear", "80", committedNodes=4)
    path = write(
        tmp_path,
        chip("dear"),
        committed,
        profile(variant("dear")),
        workload("chat"),
        deployment("chat", "dear", 3),
    )
    assert "Now they cost 0.00 $/h. All moves together save 0.00 $/h." in invoke("plan", "-f", path).stdout
