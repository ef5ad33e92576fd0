"""What the kubelet and Prometheus get to read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from chipwise.telemetry.pulse import Pulses
from chipwise.telemetry.server import Address, serving
from chipwise.telemetry.telemetry import Telemetry


class Probed:
    """A telemetry that is served, and what it answers."""

    def __init__(self, telemetry: Telemetry, base: str, session: aiohttp.ClientSession) -> None:
        self.telemetry, self.base, self.session = telemetry, base, session

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.base + path) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def probed() -> AsyncIterator[Probed]:
    telemetry = Telemetry(Pulses({"planner": 0.0, "elector": 60.0, "kopf": 60.0}))
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


async def test_ready_when_every_list_is_complete(probed: Probed):
    assert (await probed.get("/readyz"))[0] == 503
    nodes, pods = asyncio.Event(), asyncio.Event()
    probed.telemetry.synced = {"nodes": nodes, "pods": pods}
    nodes.set()
    assert await probed.get("/readyz") == (503, "pods: not listed yet\n")
    pods.set()
    assert await probed.get("/readyz") == (200, "ok\n")


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
