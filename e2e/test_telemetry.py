"""Probes, metrics and log of a real operator process."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import time
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from e2e.authored import Setup
from e2e.faults import Lab
from e2e.operator_process import OperatorProcess

pytestmark = pytest.mark.e2e

Samples = dict[tuple[str, ...], float]


def asked(operator: OperatorProcess, path: str) -> tuple[int, str]:
    """(status, body) of one GET; status 0 while nobody listens."""
    found = re.findall(r"listening on http://127\.0\.0\.1:(\d+)", operator.log)
    if not found:
        return 0, ""
    connection = http.client.HTTPConnection("127.0.0.1", int(found[-1]), timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def metrics(operator: OperatorProcess) -> dict[str, Samples]:
    """Values by the name of the sample, then by the values of the labels in order of their names."""
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(asked(operator, "/metrics")[1]):
        for one in family.samples:
            labels = tuple(value for _, value in sorted(one.labels.items()))
            found.setdefault(one.name, {})[labels] = one.value
    return found


def lines(operator: OperatorProcess) -> list[dict[str, Any]]:
    """The log, which is JSON to the last line."""
    return [json.loads(line) for line in operator.log.splitlines()]


def test_a_move_is_counted_and_logged(lab: Lab) -> None:
    """One decision a line with its fields, each move started and finished once, and the figures of the plan."""
    with lab.operator("--log-format", "json") as operator:
        world = lab.world(Setup("metrics", replicas=4, alternative_tpot=10), operator).build()
        world.settled("alt", replicas=2)
        lab.within(20, lambda: metrics(operator).get("chipwise_moves_finished_total"), "the move is counted")
        found = metrics(operator)
        assert asked(operator, "/livez") == (200, "ok\n")
        assert asked(operator, "/readyz") == (200, "ok\n")
        assert asked(operator, "/nothing")[0] == 404
        decided = [line for line in lines(operator) if "decision" in line]
    assert found["chipwise_leader"] == {(): 1.0}
    assert found["chipwise_moves_started_total"] == found["chipwise_moves_finished_total"] == {("Move",): 1.0}
    assert found["chipwise_writes_total"] == {("Moving", "done"): 1.0, ("Scaled", "done"): 1.0}
    assert found["chipwise_workloads"] == {("Stay", "Stays"): 1.0}
    assert found["chipwise_pool_price_per_hour"]["USD", "metrics-alt", "Node"] == 10.0
    assert found["chipwise_pool_chips"]["metrics-alt", "used"] == 8.0
    assert found["chipwise_decide_seconds_count"][()] >= 2
    assert found["chipwise_lists_total"]["nodes",] == 1.0
    assert found["chipwise_api_requests_total"]["deployments", "patch"] == 2.0
    assert found["process_resident_memory_bytes"][()] > 1e6
    assert [line["reason"] for line in decided] == ["Moved", "MoveInProgress", "Stays"]
    first = decided[0]
    assert first["workload"] == "metrics/chat"
    assert (first["from"], first["to"]) == ("gpu on metrics-gpu", "alt on metrics-alt")
    assert first["savings"] > 0
    assert (first["step"], first["level"], first["decision"]) == (1, "info", "Move")


def test_a_standby_is_ready_and_does_not_lead(lab: Lab) -> None:
    """Both are ready; one leads, and only that one logs decisions."""
    first, second = lab.operator(name="first"), lab.operator(name="second")
    with first:
        lab.within(30, lambda: asked(first, "/readyz")[0] == 200, "the first is ready")
        with second:
            lab.within(30, lambda: asked(second, "/readyz")[0] == 200, "the second is ready")
            lab.world(Setup("standby"), first).build()
            time.sleep(1)
            leads = [metrics(each)["chipwise_leader"][()] for each in (first, second)]
            assert sorted(leads) == [0.0, 1.0]
            standby = first if leads[0] == 0.0 else second
            assert metrics(standby)["chipwise_workloads"] == {("Stay", "Stays"): 1.0}
            assert "decision=" not in standby.log


def test_not_ready_before_everything_is_listed(lab: Lab) -> None:
    """With no API server to be reached it is live, and says which lists it waits for."""
    config = json.loads(lab.kubeconfig.read_text())
    config["clusters"][0]["cluster"] = {"server": "http://127.0.0.1:9"}
    nowhere = lab.folder / "nowhere"
    nowhere.write_text(json.dumps(config))
    with OperatorProcess(nowhere, lab.folder / "nowhere.log") as operator:
        lab.within(30, lambda: asked(operator, "/readyz")[0] == 503, "it says that it is not ready")
        assert "nodes: not listed yet" in asked(operator, "/readyz")[1]
        assert asked(operator, "/livez")[0] == 200
        lab.within(20, lambda: metrics(operator).get("chipwise_api_errors_total"), "errors are counted")
        assert {labels[0] for labels in metrics(operator)["chipwise_api_errors_total"]} <= {
            "Unavailable",
            "Cancelled",
        }


def test_a_process_that_stands_still_does_not_answer(lab: Lab) -> None:
    """The kubelet's probe times out, which is how a blocked event loop shows."""
    with lab.operator() as operator:
        lab.within(30, lambda: asked(operator, "/livez")[0] == 200, "it is live")
        assert operator.pid is not None
        os.kill(operator.pid, signal.SIGSTOP)
        try:
            assert asked(operator, "/livez")[0] == 0
        finally:
            os.kill(operator.pid, signal.SIGCONT)
        lab.within(20, lambda: asked(operator, "/livez")[0] == 200, "it is live again")


def test_an_address_that_is_taken_ends_it_with_a_sentence(lab: Lab) -> None:
    """Exit code 2, and the flag that helps."""
    with lab.operator() as operator:
        lab.within(30, lambda: asked(operator, "/livez")[0] == 200, "it listens")
        port = re.findall(r"listening on http://127\.0\.0\.1:(\d+)", operator.log)[-1]
        other = lab.operator("--listen", f"127.0.0.1:{port}", name="other")
        other.start()
        lab.within(20, lambda: not other.is_alive, "it ends")
        assert other.stop() == 2
        assert "choose another address with --listen" in other.log
        assert "Traceback" not in other.log
