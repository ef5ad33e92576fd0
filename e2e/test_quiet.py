"""With nothing to do nothing is asked for: heart-beats of nodes cost the API server no request of ours."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from e2e.audit import READS
from e2e.authored import MINE, Setup
from e2e.faults import Lab

pytestmark = pytest.mark.e2e

MINUTE = 60.0


def is_lease(event: dict[str, Any]) -> bool:
    return bool((event.get("objectRef") or {}).get("resource") == "leases")


def beat(lab: Lab) -> int:
    """Every node says that it is alive, by the heart-beat in its status; how many did."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    nodes = lab.admin.get(f"/api/v1/nodes?labelSelector={MINE}")["items"]
    for node in nodes:
        conditions = [{**each, "lastHeartbeatTime": now} for each in node["status"]["conditions"]]
        path = f"/api/v1/nodes/{node['metadata']['name']}/status"
        lab.admin.merge(path, {"status": {"conditions": conditions}})
    return len(nodes)


def settled(lab: Lab) -> bool:
    """Nothing but reads and the Lease for five seconds."""
    before = len(changes(lab))
    time.sleep(5)
    return len(changes(lab)) == before


def changes(lab: Lab) -> list[dict[str, Any]]:
    """Requests that are neither reads nor about the Lease, by the operator, since the test began."""
    return [each for each in lab.audit.requests() if each["verb"] not in READS and not is_lease(each)]


def test_a_minute_of_quiet(lab: Lab) -> None:
    """One workload moved and one only shown; ten machines beat ten times. No status, no Event, no Deployment write, and hardly a read."""
    with lab.operator("--log-level", "debug") as operator:
        world = lab.world(Setup("quiet", replicas=3), operator).build()
        lab.world(Setup("shown", mode="Off", expects_move=False), operator).build()
        lab.within(90, lambda: settled(lab), "all is said")
        known, decided = len(lab.audit.requests()), operator.log.count("planner: decided")
        end, beats = time.monotonic() + MINUTE, 0
        while time.monotonic() < end:
            beats += beat(lab)
            time.sleep(5)
        asked = lab.audit.requests()[known:]
        solves = operator.log.count("planner: decided") - decided
        assert operator.is_alive
    assert beats >= 100
    others = [each for each in asked if not is_lease(each)]
    told = [(each["verb"], each["requestURI"]) for each in others]
    assert [each for each in told if each[0] not in READS] == []
    assert solves == 0
    assert len(others) <= 30, told  # each of 13 watches may begin anew once or twice
    assert 15 <= len(asked) - len(others) <= 90  # the Lease every 2 s
    world.nothing_lost()
