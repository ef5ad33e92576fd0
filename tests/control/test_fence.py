"""No write but the leader's, and none that lasts longer than the lease."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from chipwise.control.fence import Fence, NotLeading
from chipwise.kube.errors import Unavailable
from chipwise.kube.resources import DEPLOYMENTS, EVENTS, INFERENCE_WORKLOADS

from tests.cluster import documents as docs
from tests.kube.fake import Call, FakeKube

EVENT = {"metadata": {"name": "e", "namespace": docs.NAMESPACE}}
WRITES: dict[str, Any] = {
    "create": lambda desk: desk.create(EVENTS, docs.NAMESPACE, EVENT),
    "json_patch": lambda desk: desk.json_patch(DEPLOYMENTS, docs.NAMESPACE, "chat", []),
    "apply_status": lambda desk: desk.apply_status(
        INFERENCE_WORKLOADS, docs.NAMESPACE, "chat", {"status": {"x": 1}}
    ),
}


def world() -> FakeKube:
    kube = FakeKube()
    kube.put(DEPLOYMENTS, docs.deployment())
    kube.put(INFERENCE_WORKLOADS, docs.workload())
    return kube


@pytest.mark.parametrize("verb", WRITES)
async def test_the_leader_writes(verb: str):
    kube = world()
    await WRITES[verb](Fence(kube, lambda: 10.0))
    assert [call.verb for call in kube.writes] == [verb]


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("left", [0.0, -1.0])
async def test_nobody_else_does(verb: str, left: float):
    """Nothing is sent at all."""
    kube = world()
    with pytest.raises(NotLeading):
        await WRITES[verb](Fence(kube, lambda: left))
    assert kube.calls == []


async def test_anybody_reads():
    found = await Fence(world(), lambda: 0.0).get(DEPLOYMENTS, docs.NAMESPACE, "chat")
    assert found["metadata"]["name"] == "chat"


@pytest.mark.looptime
@pytest.mark.parametrize("verb", WRITES)
async def test_a_write_is_cut_off_before_the_lease_runs_out(verb: str):
    """Whether it was carried out is unknown, as after any lost answer."""
    kube = world()

    async def hang(_: Call) -> None:
        await asyncio.sleep(3600)

    kube.pause = hang
    begin = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable, match="before the lease ran out"):
        await WRITES[verb](Fence(kube, lambda: 4.0))
    assert asyncio.get_running_loop().time() - begin == pytest.approx(4.0)


async def test_the_server_is_told_how_long_a_write_may_take():
    """It would carry out what waits in its queue long after we have gone."""
    told: list[float] = []

    class Telling(FakeKube):
        def within(self, seconds: float):
            told.append(seconds)
            return self

    kube = Telling()
    await Fence(kube, lambda: 3.5).create(EVENTS, docs.NAMESPACE, EVENT)
    assert told == [3.5]
