"""One writer at a time, whatever the network does."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chipwise.control.leader import Elector, LeaseTiming, new_identity
from chipwise.kube.errors import Forbidden, Unavailable
from chipwise.kube.resources import LEASES
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.kube.clock import in_fake_time
from tests.kube.fake import Call, FakeKube

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
TIMING = LeaseTiming()


def wall_clock() -> datetime:
    """Noon plus the fake time that has passed."""
    return NOON + timedelta(seconds=asyncio.get_running_loop().time())


def elector(kube: FakeKube, identity: str, **options: Any) -> Elector:
    source = random.Random(identity)
    return Elector(kube, "chipwise", "writer", identity=identity, now=wall_clock, source=source, **options)


@contextlib.asynccontextmanager
async def running(candidate: Elector):
    task = asyncio.ensure_future(candidate.run())
    try:
        await asyncio.sleep(0.1)
        yield task
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def lease_of(kube: FakeKube) -> dict[str, Any]:
    spec: dict[str, Any] = kube.peek(LEASES, "chipwise", "writer")["spec"]
    return spec


def crash(task: asyncio.Task[None], kube: FakeKube) -> None:
    """End a candidate that cannot say goodbye."""
    kube.fail("get", Unavailable("crashed"), times=1)
    task.cancel()


@pytest.mark.looptime
async def test_the_first_candidate_creates_the_lease_and_leads():
    """Times are RFC 3339 in UTC with six digits, whatever the local zone."""
    kube = FakeKube()
    async with running(elector(kube, "a")) as _:
        assert lease_of(kube) == {
            "holderIdentity": "a",
            "leaseDurationSeconds": 15,
            "acquireTime": "2026-01-01T12:00:00.123456Z",
            "renewTime": "2026-01-01T12:00:00.123456Z",
            "leaseTransitions": 0,
        }


@pytest.mark.looptime
async def test_the_leader_renews_with_one_request_a_period():
    """No read is needed while nobody else writes."""
    kube = FakeKube()
    candidate = elector(kube, "a")
    async with running(candidate):
        kube.calls.clear()
        await asyncio.sleep(60)
        assert candidate.is_leader()
        assert {call.verb for call in kube.calls} == {"replace"}
        assert len(kube.calls) == 30


@pytest.mark.looptime
async def test_an_outage_ends_leadership_at_the_deadline():
    """Ten seconds after the last renewal that worked began, not a moment later, and before anyone else may take over."""
    kube = FakeKube()
    candidate = elector(kube, "a")
    async with running(candidate):
        await asyncio.sleep(4)
        kube.fail("replace", Unavailable("down"), times=100)
        kube.fail("get", Unavailable("down"), times=100)
        await asyncio.sleep(9.8)
        assert candidate.is_leader()
        assert candidate.leading.is_set()
        await asyncio.sleep(0.3)
        assert not candidate.is_leader()
        assert candidate.lost.is_set()
        assert not candidate.leading.is_set()


@pytest.mark.looptime
async def test_leadership_is_won_again_after_an_outage():
    """The same process campaigns on."""
    kube = FakeKube()
    candidate = elector(kube, "a")
    async with running(candidate):
        kube.fail("replace", Unavailable("down"), times=10)
        kube.fail("get", Unavailable("down"), times=10)
        await candidate.lost.wait()
        await asyncio.sleep(60)
        assert candidate.is_leader()


@pytest.mark.looptime
async def test_a_server_that_hangs_ends_leadership_too():
    """Each request has its own limit, shorter than the period."""
    kube = FakeKube()
    candidate = elector(kube, "a")
    async with running(candidate):

        async def hang(_: Call) -> None:
            await asyncio.sleep(3600)

        kube.pause = hang
        await asyncio.sleep(TIMING.deadline)
        assert not candidate.is_leader()


@pytest.mark.looptime
async def test_a_renewal_whose_answer_was_lost_is_read_and_made_again():
    """The Lease moved on by our own hand; that is no other holder."""
    kube = FakeKube()
    candidate = elector(kube, "a")
    async with running(candidate):
        kube.fail("replace", Unavailable("reset"), times=1, after=True)
        await asyncio.sleep(30)
        assert candidate.is_leader()
        assert lease_of(kube)["leaseTransitions"] == 0


@pytest.mark.looptime
async def test_a_lease_annotated_by_someone_is_kept():
    """A conflict costs a read, not the leadership."""
    kube = FakeKube()
    candidate = elector(kube, "a")
    async with running(candidate):
        lease = kube.peek(LEASES, "chipwise", "writer")
        lease["metadata"]["annotations"] = {"looked": "at"}
        kube.put(LEASES, lease)
        await asyncio.sleep(5)
        assert candidate.is_leader()
        assert kube.peek(LEASES, "chipwise", "writer")["metadata"]["annotations"] == {"looked": "at"}


@pytest.mark.looptime
async def test_leaving_hands_the_lease_over_at_once():
    """The next candidate needs one retry, not a whole lease."""
    kube = FakeKube()
    second = elector(kube, "b")
    async with running(elector(kube, "a")), running(second):
        await asyncio.sleep(10)
        assert not second.is_leader()
    assert lease_of(kube)["holderIdentity"] == ""
    async with running(elector(kube, "a")):
        async with running(second):
            await asyncio.sleep(1)
        assert lease_of(kube)["holderIdentity"] == "a"


@pytest.mark.looptime
async def test_a_successor_takes_over_after_a_release_within_a_retry():
    """Counted as a transition."""
    kube = FakeKube()
    second = elector(kube, "b")
    async with contextlib.AsyncExitStack() as first:
        await first.enter_async_context(running(elector(kube, "a")))
        async with running(second):
            await first.aclose()
            await asyncio.sleep(TIMING.retry * 1.3)
            assert second.is_leader()
            assert lease_of(kube)["leaseTransitions"] == 1


@pytest.mark.looptime
async def test_a_successor_waits_out_the_lease_of_one_who_vanished():
    """Fifteen seconds after it saw the last sign of life, by its own clock."""
    kube = FakeKube()
    first, second = elector(kube, "a"), elector(kube, "b")
    gone = asyncio.ensure_future(first.run())
    await asyncio.sleep(0.1)
    async with running(second):
        crash(gone, kube)
        await asyncio.sleep(14.5)
        assert not second.is_leader()
        await asyncio.sleep(4)
        assert second.is_leader()


@pytest.mark.looptime
async def test_a_lease_taken_by_force_is_given_up_at_once():
    """Someone edited the Lease: it is not ours, whatever our clock says."""
    kube = FakeKube()
    candidate = elector(kube, "a")
    async with running(candidate):
        lease = kube.peek(LEASES, "chipwise", "writer")
        lease["spec"]["holderIdentity"] = "b"
        kube.put(LEASES, lease)
        await asyncio.sleep(2.1)
        assert not candidate.is_leader()
        assert candidate.lost.is_set()


@pytest.mark.looptime
async def test_a_missing_role_is_said(caplog):
    """It keeps trying: roles come back."""
    kube = FakeKube()
    kube.fail("get", Forbidden("leases is forbidden"), times=3)
    candidate = elector(kube, "a")
    async with running(candidate):
        await asyncio.sleep(20)
        assert candidate.is_leader()
    assert "a role is missing: leases is forbidden" in caplog.text


@pytest.mark.parametrize(
    "times",
    [(10, 10, 2, 1), (15, 2, 2, 1), (15, 10, 2, 2), (15, 10, 2, 0)],
)
def test_timing_must_leave_room(times):
    """A request fits a period, a period the deadline, the deadline the lease."""
    with pytest.raises(ValueError, match="request < retry < deadline < duration"):
        LeaseTiming(*times)


def test_identities_are_unique():
    """A restarted container has the same host name and must not inherit its own old Lease."""
    assert new_identity() != new_identity()


# two or three candidates against a network that delays, loses and cuts

TROUBLE = st.sampled_from(["none", "none", "slow", "very slow", "refuse", "lose the answer"])
SCHEDULE = st.lists(st.tuples(st.integers(0, 2), TROUBLE, st.floats(0.1, 25.0)), min_size=1, max_size=8)


class Network:
    """What stands between one candidate and the server."""

    def __init__(self, kube: FakeKube, source: random.Random) -> None:
        self.kube = kube
        self.trouble = "none"
        self._random = source

    def __getattr__(self, verb: str) -> Any:
        async def call(*arguments: Any) -> Any:
            if self.trouble == "refuse":
                raise Unavailable("refused")
            slow = {"slow": 1.4, "very slow": 20.0}.get(self.trouble, 0.05)
            await asyncio.sleep(slow * self._random.random())
            answer = await asyncio.shield(getattr(self.kube, verb)(*arguments))
            if self.trouble == "lose the answer":
                raise Unavailable("reset")
            await asyncio.sleep(slow * self._random.random())
            return answer

        return call


# Shrinking replays minutes of fake time for each step and gains little: the schedules are short.
@settings(max_examples=30, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(SCHEDULE, st.integers(0, 1000))
def test_never_two_leaders_and_one_in_the_end(schedule, seed):
    """Looked at many times a second through partitions, delays and lost answers; when the network heals somebody leads."""

    async def story() -> None:
        kube, source = FakeKube(), random.Random(seed)
        networks = [Network(kube, source) for _ in range(3)]
        candidates = [elector(network, f"c{index}") for index, network in enumerate(networks)]  # type: ignore[arg-type]
        async with contextlib.AsyncExitStack() as stack:
            for candidate in candidates:
                await stack.enter_async_context(running(candidate))
            for which, trouble, seconds in schedule:
                networks[which].trouble = trouble
                await at_most_one(candidates, seconds)
            for network in networks:
                network.trouble = "none"
            await at_most_one(candidates, 40.0)
            assert [candidate.is_leader() for candidate in candidates].count(True) == 1

    in_fake_time(story())


async def at_most_one(candidates: list[Elector], seconds: float) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        leaders = [candidate.identity for candidate in candidates if candidate.is_leader()]
        assert len(leaders) <= 1, leaders
        for candidate in candidates:
            assert candidate.leading.is_set() != candidate.lost.is_set()
        await asyncio.sleep(0.25)
