"""What the kubelet and Prometheus get to read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from chipwise.kube.continuity import Continuity
from chipwise.kube.gap import Gap
from chipwise.kube.sight import Sight
from chipwise.reasons import Reason
from chipwise.telemetry.pulse import Pulses
from chipwise.telemetry.server import Address, serving
from chipwise.telemetry.telemetry import Telemetry

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Probed:
    """A telemetry that is served, and what it answers."""

    def __init__(self, telemetry: Telemetry, base: str, session: aiohttp.ClientSession) -> None:
        self.telemetry, self.base, self.session = telemetry, base, session

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.base + path) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def probed() -> AsyncIterator[Probed]:
    telemetry = Telemetry(Pulses({"planner": 0.0, "elector": 60.0, "kopf": 60.0}), now=lambda: NOON)
    async with (
        serving(telemetry.application(), Address(port=0)) as address,
        aiohttp.ClientSession() as session,
    ):
        assert address.port
        yield Probed(telemetry, f"http://{address}", session)


async def test_live_until_a_loop_hangs_and_again_when_it_gets_on(probed: Probed):
    assert await probed.get("/livez") == (200, "ok\n")
    probed.telemetry.pulses["planner"].beat()
    await asyncio.sleep(0.01)
    assert await probed.get("/livez") == (503, "planner has been at one step for 0 s\n")
    probed.telemetry.pulses["planner"].rest()
    assert (await probed.get("/livez"))[0] == 200


class Watch:
    """Something that must be listed, and may be out of sight later."""

    def __init__(self, what: str) -> None:
        self.what, self.reason, self.synced, self.continuity = (
            what,
            Reason.NOT_LISTED,
            asyncio.Event(),
            Continuity(),
        )

    def gap(self, _: float) -> Gap | None:
        return None if self.reason is Reason.STAYS else Gap(self.what, self.reason, 34.0, "it is not known")

    def renew(self) -> None:
        """Nothing to begin anew."""

    def listed(self) -> None:
        self.reason = Reason.STAYS
        self.synced.set()


async def test_ready_when_every_list_is_complete(probed: Probed):
    """Until then each that is not is named, with why and since when."""
    assert (await probed.get("/readyz"))[0] == 503
    nodes, pods = Watch("nodes"), Watch("pods")
    probed.telemetry.gates = (nodes, pods)
    nodes.listed()
    assert await probed.get("/readyz") == (
        503,
        "pods: it is not known (NotListed, for 34 s, since 2026-01-01T11:59:26Z)\n",
    )
    pods.listed()
    assert await probed.get("/readyz") == (200, "ok\n")


async def test_a_watch_that_is_away_is_said_by_one_that_is_ready(probed: Probed):
    """All replicas would be unready at once, and nobody sends requests to any; metrics say the same."""
    nodes = Watch("nodes")
    nodes.listed()
    probed.telemetry.gates = (nodes,)
    probed.telemetry.sight = Sight((nodes,))
    nodes.reason = Reason.OUT_OF_SIGHT
    line = "nothing is decided: nodes: it is not known (OutOfSight, for 34 s, since 2026-01-01T11:59:26Z)"
    assert await probed.get("/readyz") == (200, f"ok\n{line}\n")
    assert await probed.get("/livez") == (200, "ok\n")
    sample = 'chipwise_out_of_sight_seconds{reason="OutOfSight",resource="nodes"} 34.0'
    assert sample in (await probed.get("/metrics"))[1]
    nodes.listed()
    assert "chipwise_out_of_sight_seconds{" not in (await probed.get("/metrics"))[1]


async def test_metrics_are_there_before_anything_was_decided(probed: Probed):
    status, text = await probed.get("/metrics")
    assert status == 200
    assert "# TYPE chipwise_leader gauge\nchipwise_leader 0.0\n" in text
    assert "process_resident_memory_bytes" in text


async def test_a_request_for_the_lease_is_the_electors_pulse(probed: Probed):
    assert probed.telemetry.pulses["elector"].busy_seconds == 0
    probed.telemetry.asked("update", "leases", "Unavailable")
    await asyncio.sleep(0.01)
    assert probed.telemetry.pulses["elector"].busy_seconds > 0
    _, text = await probed.get("/metrics")
    assert 'chipwise_api_errors_total{error="Unavailable",resource="leases",verb="update"} 1.0' in text


async def test_an_address_that_is_taken_is_an_error_to_be_told(probed: Probed):
    port = int(probed.base.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        async with serving(Telemetry().application(), Address(port=port)):
            pass


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("0.0.0.0:8080", Address("0.0.0.0", 8080)),  # noqa: S104 - a pod listens on its address
        ("[::1]:9", Address("::1", 9)),
    ],
)
def test_an_address_reads_as_it_is_written(text: str, address: Address):
    assert Address.parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["8080", ":8080", "::1:80", "host:", "host:http", "host:70000", "[::1]"])
def test_what_is_no_address_is_refused_with_an_example(text: str):
    with pytest.raises(ValueError, match="is not"):
        Address.parse(text)
