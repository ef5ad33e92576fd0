"""One writer at a time, whatever the network does."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from chipwise.control.leader import Elector, new_identity
from chipwise.control.lease import JITTER, LeaseTiming
from chipwise.kube.errors import Conflict, Forbidden, Unavailable
from chipwise.kube.resources import LEASES

from tests.control.candidates import NAME, NAMESPACE, NOON, Process, Sky, lease_of, running
from tests.kube.fake import FakeKube

TIMING = LeaseTiming()
A_RETRY = TIMING.retry * (1 + JITTER) + 0.1


@pytest.mark.looptime
async def test_the_first_candidate_creates_the_lease_and_leads():
    """Times are RFC 3339 in UTC with six digits, whatever the local zone."""
    one = Process(kube := FakeKube(), "a")
    one.elector = Elector(kube, NAMESPACE, NAME, identity="a", now=lambda: NOON)
    async with running(one):
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
    async with running(Process(kube, "a")) as one:
        kube.calls.clear()
        await asyncio.sleep(60)
        assert one.elector.is_leader()
        assert {call.verb for call in kube.calls} == {"replace"}
        assert len(kube.calls) == 30


@pytest.mark.looptime
async def test_an_outage_ends_leadership_at_the_deadline():
    """Ten seconds after the last renewal that worked began, not a moment later, and before anyone else may take over."""
    async with running(Process(FakeKube(), "a")) as one:
        await asyncio.sleep(4.0)
        one.line.sky = Sky.REFUSES
        await asyncio.sleep(9.8)
        assert one.elector.is_leader()
        assert one.elector.leading.is_set()
        await asyncio.sleep(0.2)
        assert not one.elector.is_leader()
        assert one.elector.lost.is_set()
        assert not one.elector.leading.is_set()


@pytest.mark.looptime
async def test_leadership_is_won_again_after_an_outage_and_is_another_term():
    """The same process campaigns on; what it decided before is void."""
    async with running(Process(FakeKube(), "a")) as one:
        assert one.elector.term() == 1
        one.line.sky = Sky.REFUSES
        await one.elector.lost.wait()
        assert one.elector.term() == 0
        one.line.sky = Sky.FAIR
        await asyncio.sleep(A_RETRY)
        assert one.elector.is_leader()
        assert one.elector.term() == 2


@pytest.mark.looptime
async def test_a_write_has_the_time_that_is_left_of_the_lease_and_a_second_less():
    """Others wait for 15 s after they saw the renewal; a write that began in the last moment of ten still has four."""
    async with running(Process(FakeKube(), "a")) as one:
        assert 13.5 < one.elector.time_left() < 14.0
        one.line.sky = Sky.REFUSES
        await asyncio.sleep(9.8)
        assert 4.0 < one.elector.time_left() < 4.2
        await asyncio.sleep(0.2)
        assert one.elector.time_left() == 0.0


@pytest.mark.looptime
async def test_a_renewal_counts_from_when_it_was_sent():
    """Others may have seen it long before its answer came."""
    async with running(Process(FakeKube(), "a")) as one:
        one.line.sky = Sky.SLOW_ANSWERS
        await asyncio.sleep(TIMING.retry)
        one.line.sky = Sky.REFUSES
        await asyncio.sleep(TIMING.deadline - 0.05)
        assert not one.elector.is_leader()


@pytest.mark.looptime
async def test_a_server_that_hangs_ends_leadership_too():
    """Each request has its own limit, and the deadline has room for four of them."""
    async with running(Process(FakeKube(), "a")) as one:
        one.line.sky = Sky.HANGS
        await asyncio.sleep(TIMING.deadline)
        assert not one.elector.is_leader()


@pytest.mark.looptime
async def test_a_request_that_hangs_is_given_up_in_time_for_another():
    """The connection is dead and the server is not: leadership goes on."""
    async with running(Process(FakeKube(), "a")) as one:
        await asyncio.sleep(1.0)
        one.line.sky = Sky.HANGS
        await asyncio.sleep(TIMING.retry)
        one.line.sky = Sky.FAIR
        await asyncio.sleep(30.0)
        assert one.elector.term() == 1


@pytest.mark.looptime
async def test_a_loop_that_is_stuck_cannot_make_it_lead_for_longer():
    """Nothing ran for twelve seconds, the timer that ends leadership neither; whoever asks is told by the clock."""
    async with running(Process(FakeKube(), "a")) as one:
        loop: Any = asyncio.get_running_loop()
        loop.setup_looptime(start=loop.time() + 12.0)
        assert one.elector.leading.is_set()
        assert not one.elector.is_leader()
        assert one.elector.time_left() == 0.0
        assert one.elector.term() == 0


@pytest.mark.looptime
async def test_a_slow_server_is_no_outage():
    """Two seconds for each answer: a read and a write take four, and it leads all the same."""
    kube = FakeKube()

    async def slow(_: object) -> None:
        await asyncio.sleep(2.0)

    kube.pause = slow
    async with running(Process(kube, "a")) as one:
        await asyncio.sleep(5.0)
        for _ in range(60):
            await asyncio.sleep(1.0)
            assert one.elector.is_leader()


@pytest.mark.looptime
async def test_a_renewal_whose_answer_was_lost_is_read_and_made_again():
    """The Lease moved on by our own hand; that is no other holder."""
    kube = FakeKube()
    async with running(Process(kube, "a")) as one:
        kube.fail("replace", Unavailable("reset"), times=1, after=True)
        await asyncio.sleep(30)
        assert one.elector.term() == 1
        assert lease_of(kube)["leaseTransitions"] == 0


@pytest.mark.looptime
async def test_a_lease_annotated_by_someone_is_kept():
    """A conflict costs a read, not the leadership."""
    kube = FakeKube()
    async with running(Process(kube, "a")) as one:
        lease = kube.peek(LEASES, NAMESPACE, NAME)
        lease["metadata"]["annotations"] = {"looked": "at"}
        kube.put(LEASES, lease)
        await asyncio.sleep(5)
        assert one.elector.term() == 1
        assert kube.peek(LEASES, NAMESPACE, NAME)["metadata"]["annotations"] == {"looked": "at"}


@pytest.mark.looptime
async def test_a_successor_takes_over_after_a_release_within_a_retry():
    """Nobody holds the Lease in between, and it is counted as a transition."""
    kube = FakeKube()
    async with contextlib.AsyncExitStack() as first:
        await first.enter_async_context(running(Process(kube, "a")))
        async with running(Process(kube, "b")) as second:
            await asyncio.sleep(10)
            assert not second.elector.is_leader()
            await first.aclose()
            assert lease_of(kube)["holderIdentity"] == ""
            await asyncio.sleep(A_RETRY)
            assert second.elector.is_leader()
            assert lease_of(kube)["leaseTransitions"] == 1


@pytest.mark.looptime
async def test_a_lease_is_given_back_by_one_who_no_longer_leads_but_is_named():
    """An outage cost it the leadership and nobody took the Lease: the next need not wait for it all the same."""
    kube = FakeKube()
    async with running(Process(kube, "a")) as one:
        one.line.sky = Sky.REFUSES
        await one.elector.lost.wait()
        one.line.sky = Sky.FAIR
        assert lease_of(kube)["holderIdentity"] == "a"
    assert lease_of(kube)["holderIdentity"] == ""


@pytest.mark.looptime
@pytest.mark.parametrize("error", [Conflict("modified"), Unavailable("reset")])
async def test_a_release_is_tried_again(error):
    """A renewal that was under way may arrive in between."""
    kube = FakeKube()
    async with running(Process(kube, "a")):
        await asyncio.sleep(1)
        kube.fail("replace", error, times=2)
    assert lease_of(kube)["holderIdentity"] == ""


@pytest.mark.looptime
async def test_a_release_that_cannot_be_made_does_not_hold_up_the_end():
    """Five seconds of trying, of the ten or thirty that a process is given."""
    kube = FakeKube()
    async with running(Process(kube, "a")) as one:
        one.line.sky = Sky.HANGS
        begin = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begin <= 2 * TIMING.request
    assert lease_of(kube)["holderIdentity"] == "a"


@pytest.mark.looptime
async def test_the_lease_of_another_is_not_given_back():
    kube = FakeKube()
    async with running(Process(kube, "a")), running(Process(kube, "b")):
        await asyncio.sleep(5)
    assert lease_of(kube)["holderIdentity"] in ("a", "")
    async with running(Process(kube, "c")):
        async with running(Process(kube, "d")):
            await asyncio.sleep(5)
        assert lease_of(kube)["holderIdentity"] == "c"


@pytest.mark.looptime
async def test_who_cannot_act_yet_watches_the_lease_and_takes_it_when_it_can():
    """A process whose lists are not complete, or never will be, keeps nobody from leading; and its wait counts all the same."""
    kube, ready = FakeKube(), asyncio.Event()
    second = Process(kube, "b")
    second.ready = ready
    async with running(Process(kube, "a")) as first, running(second):
        first.crash()
        await asyncio.sleep(20.0)
        assert lease_of(kube)["holderIdentity"] == "a"
        ready.set()
        await asyncio.sleep(0.1)
        assert second.elector.is_leader()


@pytest.mark.looptime
async def test_who_is_not_ready_makes_no_lease():
    kube, ready = FakeKube(), asyncio.Event()
    one = Process(kube, "a")
    one.ready = ready
    async with running(one):
        await asyncio.sleep(20.0)
        assert kube.keys(LEASES) == []
        ready.set()
        await asyncio.sleep(0.1)
        assert one.elector.is_leader()


@pytest.mark.looptime
async def test_a_successor_waits_out_the_lease_of_one_who_vanished():
    """Fifteen seconds after it saw the last sign of life, by its own clock, and then it does not wait for its next turn."""
    kube = FakeKube()
    async with running(Process(kube, "a")) as first, running(Process(kube, "b")) as second:
        first.crash()
        await asyncio.sleep(14.5)
        assert not second.elector.is_leader()
        await asyncio.sleep(0.6)
        assert second.elector.is_leader()


@pytest.mark.looptime
async def test_a_holder_is_given_the_time_that_it_asked_for():
    """Two versions, two settings: what counts is what the Lease says."""
    kube = FakeKube()
    slow = Process(kube, "a", LeaseTiming(40.0, 30.0, 2.0))
    async with running(slow) as first, running(Process(kube, "b")) as second:
        first.crash()
        await asyncio.sleep(39.5)
        assert not second.elector.is_leader()
        await asyncio.sleep(1.0)
        assert second.elector.is_leader()


@pytest.mark.looptime
async def test_a_lease_taken_by_force_is_given_up_at_once(caplog):
    """Someone edited the Lease: it is not ours, whatever our clock says."""
    kube = FakeKube()
    async with running(Process(kube, "a")) as one:
        lease = kube.peek(LEASES, NAMESPACE, NAME)
        lease["spec"]["holderIdentity"] = "b"
        kube.put(LEASES, lease)
        await asyncio.sleep(2.1)
        assert not one.elector.is_leader()
        assert one.elector.lost.is_set()
    assert "taken away by b" in caplog.text


@pytest.mark.looptime
async def test_a_lease_deleted_under_its_holder_is_made_again_by_it():
    """A standby that knew of it waits for as long as that takes."""
    kube = FakeKube()
    async with running(Process(kube, "a")) as one, running(Process(kube, "b")):
        await asyncio.sleep(5)
        kube.drop(LEASES, NAMESPACE, NAME)
        await asyncio.sleep(5)
        assert one.elector.term() == 1
        assert lease_of(kube)["holderIdentity"] == "a"


@pytest.mark.looptime
async def test_a_missing_role_is_said(caplog):
    """It keeps trying: roles come back."""
    kube = FakeKube()
    kube.fail("get", Forbidden("leases is forbidden"), times=3)
    async with running(Process(kube, "a")) as one:
        await asyncio.sleep(20)
        assert one.elector.is_leader()
    assert "a role is missing: leases is forbidden" in caplog.text


def test_identities_are_unique():
    """A restarted container has the same host name and must not inherit its own old Lease."""
    assert new_identity() != new_identity()
