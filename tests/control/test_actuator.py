"""One atomic write for each act, by the leader only, and only on the Deployment that was decided on."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.control.actuator import Actuator
from chipwise.control.fence import Fence
from chipwise.control.recorder import Recorder
from chipwise.kube.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from chipwise.kube.resources import DEPLOYMENTS, EVENTS, INFERENCE_WORKLOADS
from chipwise.rendering.record import is_managed

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import NOON, World
from tests.control.crossing import bridge_of, growing, until


class Leader:
    """Leads for as many questions as it is told."""

    def __init__(self, answers: int = 1000) -> None:
        self.answers = answers

    def __call__(self) -> bool:
        self.answers -= 1
        return self.answers >= 0


def actuator(world: World, leader: Leader | None = None) -> Actuator:
    world.kube.calls.clear()
    return Actuator(world.kube, Recorder(world.kube, lambda: NOON), may_write=leader or Leader())


def events(world: World) -> list[Document]:
    return world.all(EVENTS)


def patches(world: World) -> list[str]:
    return [call.name for call in world.kube.writes if call.verb == "json_patch"]


def two() -> World:
    """Two workloads that may both move at once."""
    world = World.standard(
        docs.policy(maxConcurrentMoves=2),
        docs.workload("other"),
        docs.deployment("other"),
        docs.node("h100", 2),
    )
    world.settle()
    return world


async def test_an_act_is_one_patch_and_one_event():
    world = World.standard()
    acting = actuator(world)
    assert await acting.act(world.decide())
    assert patches(world) == ["chat"]
    assert is_managed(world.deployment())
    (event,) = events(world)
    assert (event["reason"], event["type"], event["regarding"]["name"]) == ("Moving", "Normal", "chat")
    assert "saves 64.00 $/h" in event["note"]
    assert acting.writes == 1


async def test_who_does_not_lead_writes_nothing():
    world = World.standard()
    assert await actuator(world, Leader(0)).act(world.decide())
    assert world.kube.calls == []


async def test_leadership_is_asked_before_each_write():
    """It was there for the decision and for the first write, and gone before the second."""
    world = two()
    assert await actuator(world, Leader(2)).act(world.decide())
    assert len(patches(world)) == 1


async def test_leadership_that_goes_while_the_deployment_is_read_is_no_refusal():
    """The fence says so at the last moment; the person is told nothing, for there is a successor who acts."""
    world, leader = two(), Leader(2)
    desk = Fence(world.kube, lambda: 5.0 if leader() else 0.0)
    world.kube.calls.clear()
    acting = Actuator(desk, Recorder(desk, lambda: NOON), may_write=leader)
    assert await acting.act(world.decide())
    assert [call.verb for call in world.kube.calls] == ["get"]
    assert acting.failures == {}
    assert events(world) == []


async def test_a_deployment_that_reads_otherwise_by_now_is_left_alone():
    world = World.standard()
    decision = world.decide()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=5))
    acting = actuator(world)
    await acting.act(decision)
    assert patches(world) == []
    assert acting.failures == {}


async def test_another_deployment_of_the_same_name_is_left_alone():
    world = World.standard()
    decision = world.decide()
    world.kube.drop(DEPLOYMENTS, docs.NAMESPACE, "chat")
    world.put(docs.deployment())
    await actuator(world).act(decision)
    assert patches(world) == []


@pytest.mark.parametrize("error", [Conflict("modified"), NotFound("gone")])
async def test_a_conflict_is_nobodys_fault_and_is_decided_anew(error: Any):
    """The news may be of no interest to decisions, so the planner is asked to look again."""
    world = two()
    world.kube.fail("json_patch", error)
    acting = actuator(world)
    assert not await acting.act(world.decide())
    assert acting.failures == {}
    assert len(patches(world)) == 2
    assert [event["reason"] for event in events(world)] == ["Moving"]


@pytest.mark.parametrize(
    "error", [Forbidden("no role"), Invalid("field is immutable"), Unavailable("timeout")]
)
async def test_a_refusal_is_told_once_and_remembered_until_a_write_succeeds(error: Any):
    world = World.standard()
    world.kube.fail("json_patch", error, times=2)
    acting = actuator(world)
    for _ in range(2):
        assert not await acting.act(world.decide())
        assert acting.failures == {"prod/chat": str(error)}
    assert [(e["reason"], e["type"], e["note"]) for e in events(world)] == [
        ("WriteRefused", "Warning", str(error))
    ]
    assert await acting.act(world.decide())
    assert acting.failures == {}


async def test_a_refusal_of_what_is_no_longer_wanted_is_forgotten():
    world = World.standard()
    world.kube.fail("json_patch", Forbidden("no role"))
    acting = actuator(world)
    await acting.act(world.decide())
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(mode="Off"))
    assert await acting.act(world.decide())
    assert acting.failures == {}


async def test_one_refusal_does_not_hold_up_the_others():
    world = two()
    world.kube.fail("json_patch", Forbidden("no role"))
    acting = actuator(world)
    assert not await acting.act(world.decide())
    assert len(acting.failures) == 1
    assert acting.writes == 1


async def test_a_write_whose_answer_was_lost_is_not_written_twice():
    world = World.standard()
    world.kube.fail("json_patch", Unavailable("lost"), after=True)
    acting = actuator(world)
    assert not await acting.act(world.decide())
    assert await acting.act(world.decide())
    assert patches(world) == ["chat"]


async def test_an_event_that_cannot_be_posted_stops_nothing():
    world = two()
    world.kube.fail("create", Forbidden("no events"), resource=EVENTS, times=2)
    assert await actuator(world).act(world.decide())
    assert len(patches(world)) == 2


async def test_an_authors_template_that_outgrew_the_annotation_is_refused_and_not_fatal():
    """It was small when it was moved; the new one cannot be kept beside the rendering."""
    world = World.standard()
    acting = actuator(world)
    await acting.act(world.decide())
    world.settle()

    def grow(document: Document) -> None:
        document["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "x" * 90_000}]

    world.edit(DEPLOYMENTS, "chat", grow)
    assert not await acting.act(world.decide())
    assert "BaseTooLarge" in acting.failures["prod/chat"]


async def test_a_long_note_is_cut_to_what_an_event_holds():
    world = World.standard()
    world.kube.fail("json_patch", Invalid("x" * 5000))
    await actuator(world).act(world.decide())
    (event,) = events(world)
    assert len(event["note"]) == 1024


# the bridge


async def test_a_bridge_is_created_and_deleted_by_the_leader_with_an_event_on_the_authors_deployment():
    world = growing()
    acting = actuator(world)
    for _ in range(20):
        assert await acting.act(world.decide())
        world.settle()
    writes = [call for call in world.kube.writes if call.resource == DEPLOYMENTS]
    assert [call.verb for call in writes] == ["create", "json_patch", "json_patch", "delete"]
    told = {(each["reason"], each["regarding"]["name"]) for each in events(world)}
    assert told == {(kind, "chat") for kind in ("Bridged", "Moving", "Scaled", "BridgeRemoved")}


async def test_a_bridge_that_is_there_already_is_found_by_the_next_decision():
    """Created by a leader that died, or whose answer was lost."""
    world = growing()
    world.kube.fail("create", Unavailable("lost"), resource=DEPLOYMENTS, after=True)
    acting = actuator(world)
    decision = world.decide()
    assert not await acting.act(decision)
    assert not await acting.act(decision)  # AlreadyExists
    assert [event["reason"] for event in events(world)] == ["WriteRefused"]
    world.settle()
    assert await acting.act(world.decide())
    assert patches(world) == ["chat"]
    assert acting.failures == {}


async def test_a_bridge_is_not_taken_away_when_what_replaces_it_has_stopped_to_serve():
    """The counts are in the status: it is looked at twice."""
    world = growing()
    until(world, "Scaled")
    world.settle()
    decision = world.decide()
    lost = world.pods()[0]
    world.put({**lost, "status": {"phase": "Running"}})
    world._count(world.deployment())
    acting = actuator(world)
    assert await acting.act(decision)
    assert bridge_of(world) is not None
    world.settle()
    assert await acting.act(world.decide())
    assert bridge_of(world) is None


async def test_a_bridge_is_not_taken_away_beside_a_deployment_that_somebody_scaled():
    world = growing()
    until(world, "Scaled")
    world.settle()
    decision = world.decide()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=1))
    await actuator(world).act(decision)
    assert bridge_of(world) is not None


async def test_another_bridge_of_the_same_name_is_left_alone():
    world = growing()
    until(world, "Scaled")
    world.settle()
    decision = world.decide()
    known = bridge_of(world)
    assert known is not None
    world.kube.drop(DEPLOYMENTS, docs.NAMESPACE, known["metadata"]["name"])
    del known["metadata"]["uid"]
    world.put(known)
    await actuator(world).act(decision)
    assert bridge_of(world) is not None


async def test_a_delete_that_arrives_late_is_refused(monkeypatch: pytest.MonkeyPatch):
    """The bridge was scaled up again between the read and the delete, by a successor: it is another one by now, and stays."""
    world = growing()
    until(world, "Scaled")
    world.settle()
    known, send = bridge_of(world), world.kube.delete
    assert known is not None

    async def late(*what: Any, **how: Any) -> None:
        world.edit(DEPLOYMENTS, known["metadata"]["name"], lambda d: d["spec"].update(replicas=2))
        await send(*what, **how)

    monkeypatch.setattr(world.kube, "delete", late)
    counted: list[tuple[str, str]] = []
    acting = Actuator(
        world.kube,
        Recorder(world.kube, lambda: NOON),
        may_write=Leader(),
        count=lambda *what: counted.append(what),
    )
    assert not await acting.act(world.decide())
    assert counted == [("BridgeRemoved", "conflict")]
    assert bridge_of(world) is not None
