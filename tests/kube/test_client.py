"""What the client puts on the wire, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from chipwise.kube.client import Client
from chipwise.kube.clock import ServerClock
from chipwise.kube.connection import Connection, Endpoint
from chipwise.kube.errors import (
    AlreadyExists,
    Conflict,
    Gone,
    Invalid,
    NotFound,
    Unauthorized,
    Unavailable,
)
from chipwise.kube.resources import INFERENCE_WORKLOADS, NODES, PODS
from chipwise.kube.transport import Timeouts

from tests.kube.builders import node, pod, workload
from tests.kube.conftest import QUICK
from tests.kube.server import Fault, connection_to


async def take(events: Any, count: int) -> list[Any]:
    """The first ``count`` events of a watch, which is then closed."""
    found = []
    async with aclosing(events):
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_get_returns_the_document_and_says_who_asks(server, client):
    """The User-Agent names us in the server's audit log."""
    server.kube.put(NODES, node("n1"))
    assert (await client.get(NODES, None, "n1"))["metadata"]["name"] == "n1"
    _, _, headers, _ = server.seen[-1]
    assert headers["User-Agent"].startswith("chipwise/0.")


async def test_a_missing_object_keeps_the_servers_words(client):
    """NotFound carries Status.message."""
    with pytest.raises(NotFound, match="nodes 'n9' not found"):
        await client.get(NODES, None, "n9")


async def test_a_list_comes_in_pages(server, client):
    """All objects once, each page of the same version."""
    for index in range(5):
        server.kube.put(NODES, node(f"n{index}"))
    pages = [page async for page in client.list_pages(NODES, limit=2)]
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert len({page.resource_version for page in pages}) == 1
    assert all("resourceVersion" not in path for _, path, _, _ in server.seen), (
        "a consistent read names no version"
    )


async def test_an_empty_list_is_one_empty_page(client):
    """The version is needed to watch from."""
    pages = [page async for page in client.list_pages(NODES)]
    assert [page.items for page in pages] == [[]]


async def test_an_expired_continue_token_begins_the_list_again(server, client):
    """The new version tells the caller to discard, and list_all does."""
    for index in range(5):
        server.kube.put(NODES, node(f"n{index}"))
    pages = client.list_pages(NODES, limit=2)
    first = await anext(pages)
    server.kube.drop(NODES, None, "n0")
    server.fail(410, query="continue=")
    rest = [page async for page in pages]
    assert {page.resource_version for page in rest} != {first.resource_version}
    assert [item["metadata"]["name"] for page in rest for item in page.items] == ["n1", "n2", "n3", "n4"]


async def test_list_all_forgets_what_an_abandoned_list_said(server, client):
    """An object deleted before the second attempt is not in the answer."""
    for index in range(501):
        server.kube.put(NODES, node(f"n{index:03}"))

    def expire(_: web.Request) -> web.Response:
        server.kube.drop(NODES, None, "n000")
        return web.json_response({"kind": "Status", "code": 410}, status=410)

    server.faults.append(Fault(expire, query="continue="))
    found = await client.list_all(NODES)
    assert len(found.items) == 500
    assert found.items[0]["metadata"]["name"] == "n001"


async def test_selectors_reach_the_server(server, client):
    """Filtering is the server's work."""
    server.kube.put(PODS, pod("a", on="n1"))
    server.kube.put(PODS, pod("b"))
    found = await client.list_all(PODS, field_selector="spec.nodeName=n1")
    assert [item["metadata"]["name"] for item in found.items] == ["a"]


async def test_a_metadata_list_brings_metadata_only(server, client):
    """The audit reads thousands of objects and needs their uids."""
    server.kube.put(INFERENCE_WORKLOADS, workload("chat"))
    found = await client.list_metadata(INFERENCE_WORKLOADS)
    assert [sorted(item) for item in found.items] == [["metadata"]]
    assert found.items[0]["metadata"]["uid"] == "uid-1"


async def test_a_watch_tells_what_happens_after_its_version(server, client):
    """In order, each with its whole object."""
    version = (await client.list_all(NODES)).resource_version
    server.kube.put(NODES, node("n1"))
    server.kube.drop(NODES, None, "n1")
    events = await take(client.watch(NODES, version), 2)
    assert [(kind, document["metadata"]["name"]) for kind, document in events] == [
        ("ADDED", "n1"),
        ("DELETED", "n1"),
    ]


async def test_a_watch_asks_for_bookmarks_and_an_end(server, client):
    """Both keep a quiet stream honest."""
    server.kube.put(NODES, node("n1"))
    await take(client.watch(NODES, "1"), 1)
    _, path, _, _ = server.seen[-1]
    assert "allowWatchBookmarks=true" in path
    assert "timeoutSeconds=5" in path


async def test_a_watch_ends_when_the_server_closes_it(server, client):
    """The end is normal and no error."""
    stream = client.watch(NODES, "1")
    ending = asyncio.ensure_future(anext(stream, "end"))
    await asyncio.sleep(0.05)
    server.kube.break_streams()
    assert await ending == "end"


async def test_a_watch_from_lost_history_is_gone(server, client):
    """Whether the server says so by its status or inside the stream."""
    server.kube.put(NODES, node("n1"))
    server.kube.compact()
    with pytest.raises(Gone):
        await anext(client.watch(NODES, "1"))
    server.fail(410, query="watch=1")
    with pytest.raises(Gone):
        await anext(client.watch(NODES, "99"))


async def test_an_error_inside_a_stream_keeps_its_meaning(server, client):
    """A 500 in the stream is as unavailable as a 500 of the request."""
    stream = client.watch(NODES, "1")
    ending = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)
    server.kube.break_streams(Unavailable("etcd leader changed", code=500))
    with pytest.raises(Unavailable, match="etcd leader changed"):
        await ending


async def test_a_silent_watch_is_given_up(server, client):
    """A stalled stream looks like a quiet one; bookmarks tell them apart."""
    server.kube.put(NODES, node("n1"))
    server.silent = True
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await anext(client.watch(NODES, "1"))
    assert time.monotonic() - started < 1.0


async def test_objects_larger_than_a_read_buffer_survive_the_stream(server, client):
    """Lines have no limit: an annotation alone may have 256 KiB."""
    server.kube.put(NODES, node("n1", big="x" * 400_000))
    ((_, document),) = await take(client.watch(NODES, "1"), 1)
    assert len(document["metadata"]["labels"]["big"]) == 400_000


async def test_every_write_names_its_field_manager(server, client):
    """managedFields tell people who wrote what."""
    await client.create(PODS, "prod", pod("a"))
    document = await client.get(PODS, "prod", "a")
    await client.replace(PODS, "prod", "a", document)
    await client.json_patch(PODS, "prod", "a", [{"op": "add", "path": "/spec/x", "value": 1}])
    writes = [path for method, path, _, _ in server.seen if method != "GET"]
    assert len(writes) == 3
    assert all("fieldManager=chipwise" in path for path in writes)


async def test_create_says_when_the_object_is_there(server, client):
    """The loser of a race reads instead."""
    server.kube.put(PODS, pod("a"))
    with pytest.raises(AlreadyExists):
        await client.create(PODS, "prod", pod("a"))


async def test_replace_conflicts_on_an_old_version(server, client):
    """Optimistic concurrency is the server's."""
    old = server.kube.put(PODS, pod("a"))
    server.kube.put(PODS, pod("a", on="n1"))
    with pytest.raises(Conflict):
        await client.replace(PODS, "prod", "a", old)


async def test_a_failed_test_in_a_patch_is_a_conflict(server, client):
    """The server says 422 with the same reason as for an invalid object."""
    server.kube.put(PODS, pod("a"))
    with pytest.raises(Conflict, match="not what the patch was made for"):
        await client.json_patch(
            PODS, "prod", "a", [{"op": "test", "path": "/spec/nodeName", "value": "elsewhere"}]
        )


async def test_an_invalid_outcome_of_a_patch_stays_invalid(server, client):
    """Sending it again after a fresh read would fail again."""
    server.fail(422, method="PATCH", reason=["Invalid"])
    with pytest.raises(Invalid, match="as told"):
        await client.json_patch(PODS, "prod", "a", [])


async def test_a_status_is_applied_by_force_under_its_manager(server, client):
    """Identity is filled in, since server-side apply refuses a document without it."""
    server.kube.put(INFERENCE_WORKLOADS, workload("chat"))
    stored = await client.apply_status(
        INFERENCE_WORKLOADS, "prod", "chat", {"status": {"summary": {"pool": "p"}}}, "chipwise-status"
    )
    assert stored["status"] == {"summary": {"pool": "p"}}
    _, path, headers, body = server.seen[-1]
    assert path.endswith("/inferenceworkloads/chat/status?fieldManager=chipwise-status&force=true")
    assert headers["Content-Type"] == "application/apply-patch+yaml"
    sent = json.loads(body)
    assert (sent["apiVersion"], sent["kind"]) == ("chipwise.dev/v1alpha1", "InferenceWorkload")
    assert sent["metadata"] == {"name": "chat", "namespace": "prod"}


async def test_delete_can_insist_on_the_object_it_means(server, client):
    """A namesake created since is not ours to delete, nor is one that was changed since it was read."""
    metadata = server.kube.put(PODS, pod("a"))["metadata"]
    this = {name: metadata[name] for name in ("uid", "resourceVersion")}
    for other in ({"uid": "another"}, {**this, "resourceVersion": "0"}):
        with pytest.raises(Conflict):
            await client.delete(PODS, "prod", "a", only=other)
    await client.delete(PODS, "prod", "a", only=this)
    assert server.kube.keys(PODS) == []


async def test_served_tells_which_kinds_the_server_lists(server, client):
    """A CRD that is not established yet is not there."""
    server.kube.unserved.add(INFERENCE_WORKLOADS)
    served = await client.served("chipwise.dev", "v1alpha1")
    assert "acceleratorpools" in served
    assert "inferenceworkloads" not in served
    assert await client.served("chipwise.dev", "v9") == frozenset()


async def test_too_many_requests_carries_the_wait(server, client):
    """From the Retry-After header."""
    server.fail(429, Retry_After="7")
    with pytest.raises(Unavailable) as caught:
        await client.get(NODES, None, "n1")
    assert caught.value.retry_after == 7.0


async def test_a_server_error_without_a_status_is_still_an_error(server, client):
    """A proxy in between speaks HTML."""
    server.faults.append(Fault(lambda _: web.Response(status=502, text="<html>bad gateway</html>")))
    with pytest.raises(Unavailable, match="502"):
        await client.get(NODES, None, "n1")


async def test_an_answer_that_is_not_json_is_unavailable(server, client):
    """The same proxy with a cheerful status."""
    server.faults.append(Fault(lambda _: web.Response(text="<html>welcome</html>")))
    with pytest.raises(Unavailable, match="not JSON"):
        await client.get(NODES, None, "n1")


async def test_a_refused_connection_is_unavailable_until_it_is_back(server, client):
    """The client itself needs no repair."""
    server.kube.put(NODES, node("n1"))
    await server.stop()
    with pytest.raises(Unavailable):
        await client.get(NODES, None, "n1")
    await server.start()
    assert await client.get(NODES, None, "n1")


async def test_a_request_without_an_answer_times_out(server):
    """In the time of a request, not of a session."""

    async def never(_: object) -> None:
        await asyncio.sleep(3600)

    server.kube.pause = never
    async with Client(connection_to(server), Timeouts(request=0.1)) as client:
        with pytest.raises(Unavailable, match="no answer in time"):
            await client.get(NODES, None, "n1")


async def test_a_limit_is_told_to_the_server_and_kept_on_this_side(server, client):
    """A server that has the request already would carry it out long after we gave up."""
    server.kube.put(PODS, pod("a"))
    await client.within(0.75).json_patch(PODS, "prod", "a", [])
    await client.json_patch(PODS, "prod", "a", [])
    limited, usual = (path for _, path, _, _ in server.seen[-2:])
    assert limited.endswith("?fieldManager=chipwise&timeout=0.750s")
    assert "timeout" not in usual

    async def never(_: object) -> None:
        await asyncio.sleep(3600)

    server.kube.pause = never
    with pytest.raises(Unavailable, match="no answer in time"):
        await client.within(0.1).get(PODS, "prod", "a")


async def test_a_limit_never_lengthens_the_usual_one(server, client):
    server.kube.put(PODS, pod("a"))
    await client.within(60.0).get(PODS, "prod", "a")
    assert server.seen[-1][1].endswith("?timeout=1.000s")


async def test_refused_credentials_are_read_again_once(server):
    """A rotated token costs one more request and no error."""
    server.kube.put(NODES, node("n1"))
    server.token = "Bearer new"  # noqa: S105
    tokens = iter(["Bearer old", "Bearer new"])

    async def read() -> Endpoint:
        return Endpoint(server.url, authorization=next(tokens))

    async with Client(Connection(read), QUICK) as client:
        assert await client.get(NODES, None, "n1")
    assert len(server.seen) == 2


async def test_credentials_refused_for_good_are_unauthorized(server):
    """Reading them again changes nothing, so it is not tried for ever."""
    server.token = "Bearer other"  # noqa: S105
    async with Client(connection_to(server, "Bearer mine"), QUICK) as client:
        with pytest.raises(Unauthorized):
            await client.get(NODES, None, "n1")
    assert len(server.seen) == 1


async def test_the_time_of_each_answer_is_heard(server):
    """Also of a refusal: it is the server's time, and the machine's may be wrong."""
    clock = ServerClock(lambda: datetime(2001, 1, 1, tzinfo=UTC))
    async with Client(connection_to(server), QUICK, clock=clock) as client:
        with pytest.raises(NotFound):
            await client.get(NODES, None, "n9")
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 3


async def test_a_watch_says_when_the_server_has_taken_it(server, client):
    """Before anything happened, and not when it could not be asked."""
    opened: list[str] = []
    stream = client.watch(NODES, "1", opened=lambda: opened.append("taken"))
    ending = asyncio.ensure_future(anext(stream, "end"))
    await asyncio.sleep(0.05)
    assert opened == ["taken"]
    server.kube.break_streams()
    assert await ending == "end"
    server.fail(503, query="watch=1")
    with pytest.raises(Unavailable):
        await anext(client.watch(NODES, "1", opened=lambda: opened.append("again")))
    assert opened == ["taken"]
