"""The real server over TLS, asked by a client that knows the published definitions only."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from chipwise.expander.answers import PATIENCE, Answer, Answers
from chipwise.expander.book import Book, Scores
from chipwise.expander.certificates import UnusableError, credentials, has_alternative_name
from chipwise.expander.pods import deployment_of
from chipwise.expander.server import answering
from chipwise.telemetry.server import Address

from tests.expander import published
from tests.expander.authority import Authority
from tests.expander.published import pod, request

CHAT = Scores(("maia-asg",), {"maia-asg": 16.0, "h100-asg": 80.0})
BOOK = Book({("prod", "chat"): CHAT, ("prod", "code"): Scores((), {"h100-asg": 5.0, "maia-asg": 9.0})})


class Desk:
    """A server with what it knows, and what it counted."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority()
        self.folder = folder
        self.files = self.authority.issue(folder)
        self.book: Book | None = BOOK
        self.counted: list[tuple[Answer, float]] = []
        self.answers = Answers(
            lambda: self.book, lambda answer, seconds: self.counted.append((answer, seconds))
        )
        self.address = Address("127.0.0.1", 0)

    async def ask(self, asked: Any, *, trusting: bytes | None = None) -> list[str]:
        """As Cluster Autoscaler does: TLS, five seconds."""
        trust = grpc.ssl_channel_credentials(root_certificates=trusting or self.authority.pem)
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        async with grpc.aio.secure_channel(str(self.address), trust, options=options) as channel:
            call = channel.unary_unary(
                published.METHOD,
                request_serializer=published.BestOptionsRequest.SerializeToString,
                response_deserializer=published.BestOptionsResponse.FromString,
            )
            answer = await call(asked, timeout=5)
        return [option.nodeGroupId for option in answer.options]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    found = Desk(tmp_path)
    tls = credentials(found.files.cert, found.files.key)
    async with answering(found.answers, found.address, tls) as bound:
        found.address = bound
        yield found


async def test_a_pod_gets_the_group_of_its_workloads_plan(desk: Desk):
    found = await desk.ask(request({"h100-asg": [pod("chat")], "maia-asg": [pod("chat")]}))
    assert found == ["maia-asg"]
    assert [answer for answer, _ in desk.counted] == [Answer.CHOSEN]


async def test_each_pod_by_its_own_workload(desk: Desk):
    """What one global order cannot: two workloads that want opposite groups, in one call."""
    assert await desk.ask(request({"h100-asg": [pod("code")], "maia-asg": [pod("code")]})) == ["h100-asg"]
    both = {"maia-asg": [pod("chat")], "h100-asg": [pod("code")], "cpu": [pod("web")]}
    assert await desk.ask(request(both)) == ["maia-asg", "h100-asg", "cpu"]


async def test_older_versions_send_messages_instead_of_bytes(desk: Desk):
    found = await desk.ask(request({"h100-asg": [pod("chat")], "maia-asg": [pod("chat")]}, old=True))
    assert found == ["maia-asg"]


async def test_with_no_opinion_all_that_was_offered(desk: Desk):
    offered = {"a": [pod("web")], "b": [pod("web"), pod("web", 1)], "a/b-3": []}
    assert await desk.ask(request(offered)) == ["a", "b", "a/b-3"]
    assert [answer for answer, _ in desk.counted] == [Answer.ALL]


async def test_before_every_list_is_complete_all_that_was_offered(desk: Desk):
    desk.book = None
    assert await desk.ask(request({"h100-asg": [pod("chat")], "maia-asg": [pod("chat")]})) == [
        "h100-asg",
        "maia-asg",
    ]
    assert [answer for answer, _ in desk.counted] == [Answer.NOT_SYNCED]


async def test_a_single_option_comes_back_and_none_stays_none(desk: Desk):
    assert await desk.ask(request({"h100-asg": [pod("chat")]})) == ["h100-asg"]
    assert await desk.ask(request({})) == []


async def test_garbage_for_pods_is_nobodys_pod(desk: Desk):
    dice = random.Random(1)
    garbage = [
        b"",
        b"\xff" * 50,
        b"k8s\x00" + pod("chat").SerializeToString(),
        *(dice.randbytes(200) for _ in range(50)),
    ]
    assert await desk.ask(request({"h100-asg": garbage, "maia-asg": garbage})) == ["h100-asg", "maia-asg"]
    mixed = {"h100-asg": [*garbage, pod("chat")], "maia-asg": [pod("chat"), *garbage]}
    assert await desk.ask(request(mixed)) == ["maia-asg"]


async def test_thousands_of_options_are_answered_in_time(desk: Desk):
    """2,000 groups, each for the same 200 pods of 2 KB: 400,000 of them in one call."""
    pods = [
        pod("chat", number).SerializeToString() + b"\x1a\x82\x10" + b"\x1a\xff\x0f" + b"x" * 2047
        for number in range(200)
    ]
    offered = {f"group-{number}": pods[:20] for number in range(2000)} | {"maia-asg": pods[:20]}
    assert await desk.ask(request(offered)) == ["maia-asg"]
    assert desk.counted[-1][1] < PATIENCE


async def test_what_takes_too_long_is_answered_with_all_of_it(desk: Desk):
    moments = iter([0.0, 1.0, PATIENCE + 0.1, PATIENCE + 0.2, PATIENCE + 0.3])
    desk.answers = Answers(
        lambda: BOOK, lambda answer, _: desk.counted.append((answer, 0)), clock=lambda: next(moments)
    )
    asked = published.BestOptionsRequest.SerializeToString(
        request({"h100-asg": [pod("chat")], "maia-asg": [pod("chat")]})
    )
    from chipwise.expander.wire.expander_pb2 import BestOptionsRequest

    answer = desk.answers.best_options(BestOptionsRequest.FromString(asked))
    assert [option.nodeGroupId for option in answer.options] == ["h100-asg", "maia-asg"]
    assert desk.counted == [(Answer.LATE, 0)]


async def test_a_request_that_is_none_is_an_error_and_the_server_lives_on(desk: Desk):
    """Cluster Autoscaler keeps all options at an error, and asks the next expander."""
    trust = grpc.ssl_channel_credentials(root_certificates=desk.authority.pem)
    async with grpc.aio.secure_channel(str(desk.address), trust) as channel:
        call = channel.unary_unary(published.METHOD)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"\x0a\xff\xff\xff", timeout=5)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert await desk.ask(request({"h100-asg": [pod("chat")]})) == ["h100-asg"]


async def test_many_at_once(desk: Desk):
    asked = request({"h100-asg": [pod("chat")], "maia-asg": [pod("chat")]})
    assert await asyncio.gather(*(desk.ask(asked) for _ in range(20))) == [["maia-asg"]] * 20


async def test_another_authority_is_not_trusted(desk: Desk):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.ask(request({}), trusting=Authority().pem)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_new_certificate_of_the_same_authority_is_taken_over_without_a_restart(desk: Desk):
    """So a client that trusts the authority and never reads it again goes on."""

    def shown() -> str:
        return ssl.get_server_certificate((desk.address.host, desk.address.port))

    before = await asyncio.to_thread(shown)
    desk.authority.issue(desk.folder)
    assert await desk.ask(request({"a": []})) == ["a"]
    after = await asyncio.to_thread(shown)
    assert before != after
    desk.files.cert.write_text("half a certif")
    assert await desk.ask(request({"a": []})) == ["a"]
    assert await asyncio.to_thread(shown) == after


def test_a_certificate_that_cannot_be_used_is_said_at_the_start(tmp_path: Path):
    files = Authority().issue(tmp_path)
    with pytest.raises(UnusableError, match="No such file"):
        credentials(tmp_path / "none", files.key)
    (tmp_path / "other").mkdir()
    other = Authority().issue(tmp_path / "other")
    with pytest.raises(UnusableError, match="mismatch"):
        credentials(files.cert, other.key)


def test_a_certificate_without_an_alternative_name_is_told_from_one_with(tmp_path: Path):
    authority = Authority()
    assert has_alternative_name(authority.issue(tmp_path).cert.read_bytes())
    assert not has_alternative_name(authority.issue(tmp_path, named=False).cert.read_bytes())


async def test_in_the_clear_where_that_is_asked_for():
    plain = Answers(lambda: BOOK, lambda *_: None)
    async with answering(plain, Address("127.0.0.1", 0), None) as bound:  # noqa: SIM117 - the second needs the first
        async with grpc.aio.insecure_channel(str(bound)) as channel:
            call = channel.unary_unary(
                published.METHOD,
                request_serializer=published.BestOptionsRequest.SerializeToString,
                response_deserializer=published.BestOptionsResponse.FromString,
            )
            answer = await call(request({"a": [pod("web")]}), timeout=5)
    assert [option.nodeGroupId for option in answer.options] == ["a"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (pod("chat"), ("prod", "chat")),
        (pod("chat-5d9c7b8f6d"), ("prod", "chat-5d9c7b8f6d")),
        (pod("chat", namespace="other"), ("other", "chat")),
        (pod("chat", marker=""), None),
        (published.Pod(), None),
    ],
)
def test_whose_a_pod_is(found, expected):
    assert deployment_of(found.SerializeToString()) == expected


@pytest.mark.parametrize("change", ["kind", "controller", "name"])
def test_a_pod_of_something_else_is_nobodys(change):
    found = pod("chat")
    owner = found.metadata.ownerReferences[0]
    setattr(owner, change, False if change == "controller" else "Job")
    assert deployment_of(found.SerializeToString()) is None


def test_noise_is_no_pod():
    assert all(deployment_of(os.urandom(64)) is None for _ in range(500))
