"""Every request is told of once, when it ends, with what was wrong."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from chipwise.kube.counted import Counted
from chipwise.kube.errors import NotFound, Unavailable
from chipwise.kube.resources import DEPLOYMENTS, INFERENCE_WORKLOADS, LEASES, NODES

from tests.kube.fake import FakeKube

Told = list[tuple[str, str, str]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def fake() -> FakeKube:
    found = FakeKube()
    found.put(NODES, {"metadata": {"name": "n1"}})
    return found


@pytest.fixture
def kube(fake: FakeKube, told: Told) -> Counted:
    return Counted(fake, lambda *what: told.append(what))


async def test_each_verb_and_resource(kube: Counted, told: Told):
    await kube.get(NODES, None, "n1")
    assert [page async for page in kube.list_pages(NODES, limit=1)]
    await kube.list_all(NODES)
    await kube.list_metadata(NODES)
    lease = await kube.create(LEASES, "a", {"metadata": {"name": "l", "namespace": "a"}, "spec": {}})
    await kube.replace(LEASES, "a", "l", lease)
    await kube.json_patch(LEASES, "a", "l", [{"op": "add", "path": "/spec/x", "value": 1}])
    await kube.delete(LEASES, "a", "l")
    assert told == [
        ("get", "nodes", ""),
        ("list", "nodes", ""),
        ("list", "nodes", ""),
        ("list", "nodes", ""),
        ("create", "leases", ""),
        ("update", "leases", ""),
        ("patch", "leases", ""),
        ("delete", "leases", ""),
    ]


async def test_an_error_goes_on_and_is_named(kube: Counted, told: Told, fake: FakeKube):
    fake.fail("get", Unavailable("later"))
    with pytest.raises(Unavailable):
        await kube.get(DEPLOYMENTS, "prod", "chat")
    with pytest.raises(NotFound):
        await kube.apply_status(INFERENCE_WORKLOADS, "prod", "chat", {"status": {}})
    assert told == [
        ("get", "deployments", "Unavailable"),
        ("patch", "inferenceworkloads/status", "NotFound"),
    ]


async def test_what_is_given_up_is_told_too(kube: Counted, told: Told, fake: FakeKube):
    async def for_ever(_: object) -> None:
        await asyncio.sleep(60)

    fake.pause = for_ever
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await kube.get(NODES, None, "n1")
    assert told == [("get", "nodes", "Cancelled")]


async def test_a_watch_is_told_when_its_stream_ends(kube: Counted, told: Told, fake: FakeKube):
    async with aclosing(kube.watch(NODES, "1")) as events:
        assert (await anext(events))[0] == "ADDED"
        assert told == []
        fake.break_streams()
        with pytest.raises(StopAsyncIteration):
            await anext(events)
    assert told == [("watch", "nodes", "")]
