"""Status is written when a decision changes, or seldom; a quiet cluster gets no write."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.control.recorder import Recorder
from chipwise.control.reporter import Reporter
from chipwise.kube.errors import Forbidden, NotFound, Unavailable
from chipwise.kube.resources import ACCELERATOR_POOLS, EVENTS, INFERENCE_WORKLOADS, Resource

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, delete_workload
from tests.control.carrying import until_quiet
from tests.control.test_acts import five_moved


class Desk:
    """A world and the reporter that tells of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.leads = True
        self.failures: dict[str, str] = {}
        recorder = Recorder(world.kube, lambda: world.now)
        self.known: dict[str, str] = {}
        self.reporter = Reporter(
            world.kube, recorder, may_write=lambda: self.leads, failures=self.failures, versions=self
        )

    def version(self, resource: Resource, key: tuple[str, str]) -> str:
        """The newest, unless the test knows of an older one."""
        found: str = self.world.kube.peek(resource, *key)["metadata"]["resourceVersion"]
        return self.known.get(key[1], found)

    def wrote(self, resource: Resource, document: Document) -> None:  # noqa: ARG002 - names are enough here
        self.known.pop(document["metadata"]["name"], None)

    async def report(self) -> list[str]:
        """Kinds and names whose status was written."""
        self.world.kube.calls.clear()
        self.complete = await self.reporter.report(self.world.decide())
        return [f"{c.resource.kind}/{c.name}" for c in self.world.kube.writes if c.verb == "apply_status"]

    @property
    def status(self) -> Document:
        found: Document = self.world.kube.peek(INFERENCE_WORKLOADS, docs.NAMESPACE, "chat")["status"]
        return found

    @property
    def events(self) -> list[tuple[str, str]]:
        """In order of time."""
        found = [change.document for change in self.world.kube.history if change.resource == EVENTS]
        return [(event["type"], event["reason"]) for event in found]

    def price(self, amount: str) -> None:
        """Of the H100 pool, where the workload stays."""
        self.world.edit(ACCELERATOR_POOLS, "h100", lambda d: d["spec"]["price"].update(amount=amount))


@pytest.fixture
def desk() -> Desk:
    """A workload that stays where its author put it."""
    world = World.standard()
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=["h100"]))
    return Desk(world)


CHAT = "InferenceWorkload/chat"


async def test_everything_is_told_once_and_then_there_is_quiet(desk: Desk):
    written = await desk.report()
    assert CHAT in written
    assert "AcceleratorPool/maia" in written
    assert await desk.report() == []
    desk.world.pass_time(hours=3)
    assert await desk.report() == []
    assert desk.complete


async def test_another_process_finds_everything_told_already(desk: Desk):
    """An upgrade or a change of leader writes nothing."""
    await desk.report()
    assert await Desk(desk.world).report() == []


async def test_a_figure_that_moves_by_less_than_five_per_cent_is_not_written(desk: Desk):
    await desk.report()
    desk.world.pass_time(hours=1)
    desk.price("83.00")
    assert CHAT not in await desk.report()


async def test_a_figure_that_moves_by_more_is_written_once_a_minute_at_most(desk: Desk):
    await desk.report()
    desk.world.pass_time(seconds=30)
    desk.price("90.00")
    assert CHAT not in await desk.report()
    assert not desk.complete
    desk.world.pass_time(seconds=30)
    assert CHAT in await desk.report()
    assert desk.complete
    assert desk.status["summary"]["costPerHour"] == "90.00"


async def test_small_steps_are_measured_from_what_was_written(desk: Desk):
    """Else a price that creeps would never be told."""
    await desk.report()
    written = []
    for cents in ("82.00", "84.00", "86.00"):
        desk.world.pass_time(minutes=2)
        desk.price(cents)
        written.append(CHAT in await desk.report())
    assert written == [False, False, True]


async def test_a_reason_that_changes_is_written_at_once(desk: Desk):
    await desk.report()
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(modelProfileName="none"))
    assert CHAT in await desk.report()
    assert desk.status["summary"] == {"reason": "ProfileMissing"}
    assert desk.events[-1] == ("Warning", "ProfileMissing")


async def test_other_words_for_the_same_reason_are_written_at_once(desk: Desk):
    """Frozen by one policy, then by another: who reads it must not unfreeze the wrong one. It is no new decision, and no Event."""
    desk.world.edit(
        INFERENCE_WORKLOADS,
        "chat",
        lambda d: d["spec"].update(policyName="calm", allowedPools=["h100", "maia"]),
    )
    desk.world.put(docs.policy("calm", freeze=True))
    await desk.report()
    assert desk.status["conditions"][0]["message"].endswith("policy calm is frozen")
    told = desk.events
    desk.world.put(docs.policy(freeze=True))
    assert CHAT in await desk.report()
    assert desk.status["conditions"][0]["message"].endswith("policy default is frozen")
    assert desk.events == told


async def test_a_figure_in_a_sentence_is_a_figure(desk: Desk):
    """A horizon that is edited from one minute to two: not paid back either way, and told a minute later."""
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=["h100", "maia"]))
    desk.world.put(docs.policy(paybackHorizon="60s"))
    await desk.report()
    assert desk.status["conditions"][0]["message"].endswith("the horizon is 1 min")
    desk.world.put(docs.policy(paybackHorizon="70s"))
    assert CHAT not in await desk.report()
    assert not desk.complete
    desk.world.pass_time(minutes=1)
    assert CHAT in await desk.report()
    assert desk.status["conditions"][0]["message"].endswith("the horizon is 1.2 min")


async def test_a_minimum_stay_is_told_once_however_long_it_lasts(desk: Desk):
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=["maia"]))
    until_quiet(desk.world)
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=["h100", "maia"]))
    desk.price("1.00")
    await desk.report()
    assert desk.status["summary"]["reason"] == "MinimumStay"
    desk.world.pass_time(minutes=8)
    assert await desk.report() == []


async def test_each_decision_is_one_event_and_one_line_of_the_log(desk: Desk):
    await desk.report()
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=["h100", "maia"]))
    await desk.report()
    assert [(d["decision"], d["reason"]) for d in desk.status["decisions"]] == [
        ("Move", "Moved"),
        ("Stay", "Stays"),
    ]
    assert desk.status["decisions"][0]["to"] == "maia-x4 on maia"
    assert desk.events == [("Normal", "Stays"), ("Normal", "Moved")]


async def test_the_log_keeps_the_last_ten_decisions(desk: Desk):
    for number in range(14):
        profile = "none" if number % 2 else "llama"
        desk.world.edit(
            INFERENCE_WORKLOADS, "chat", lambda d, name=profile: d["spec"].update(modelProfileName=name)
        )
        await desk.report()
    assert len(desk.status["decisions"]) == 10
    assert desk.status["decisions"][0]["reason"] == "ProfileMissing"


async def test_a_decision_is_logged_though_the_status_before_has_not_come_back(desk: Desk):
    """Two decisions from snapshots in which our own last write is not yet to be seen."""
    first = desk.world.decide()
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(modelProfileName="none"))
    second = desk.world.decide()
    await desk.reporter.report(first)
    await desk.reporter.report(second)
    assert [d["reason"] for d in desk.status["decisions"]] == ["ProfileMissing", "Stays"]


async def test_a_condition_keeps_the_moment_of_its_last_change(desk: Desk):
    def since(kind: str) -> str:
        return next(str(c["lastTransitionTime"]) for c in desk.status["conditions"] if c["type"] == kind)

    await desk.report()
    noon = since("Ready")
    desk.world.pass_time(minutes=5)
    desk.price("100.00")
    await desk.report()
    assert since("Ready") == noon
    desk.world.pass_time(minutes=5)
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(modelProfileName="none"))
    await desk.report()
    assert since("Ready") == "2026-01-01T12:10:00Z"


async def test_who_does_not_lead_tells_nothing_and_remembers_nothing(desk: Desk):
    desk.leads = False
    assert await desk.report() == []
    assert desk.complete
    desk.leads = True
    assert CHAT in await desk.report()


async def test_a_status_is_written_over_what_is_known_and_over_nothing_newer(desk: Desk):
    """It may have been under way since before somebody else led, and wrote."""
    desk.known["chat"] = "1"
    assert CHAT in await desk.report()
    assert not desk.complete
    assert "status" not in desk.world.kube.peek(INFERENCE_WORKLOADS, docs.NAMESPACE, "chat")
    del desk.known["chat"]
    assert CHAT in await desk.report()
    assert desk.complete


async def test_what_another_leader_wrote_meanwhile_is_gone_on_from(desk: Desk):
    """Its entries stay in the log of decisions, and its moments in the conditions."""
    await desk.report()
    another = Desk(desk.world)
    desk.world.pass_time(minutes=5)
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(modelProfileName="none"))
    assert CHAT in await another.report()
    desk.world.pass_time(minutes=5)
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(modelProfileName="llama"))
    desk.reporter.forget()
    assert CHAT in await desk.report()
    assert [each["reason"] for each in desk.status["decisions"]] == ["Stays", "ProfileMissing", "Stays"]


async def test_a_wall_clock_that_jumps_back_does_not_silence_figures(desk: Desk):
    await desk.report()
    desk.world.pass_time(hours=-3)
    desk.price("90.00")
    assert CHAT in await desk.report()


async def test_a_status_that_somebody_took_away_comes_back_in_its_time(desk: Desk):
    await desk.report()
    desk.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d.pop("status"))
    assert await desk.report() == []
    assert not desk.complete
    desk.world.pass_time(minutes=1)
    assert await desk.report() == [CHAT]


async def test_an_object_created_anew_is_told_of_at_once(desk: Desk):
    await desk.report()
    delete_workload(desk.world)
    desk.world.put(
        {
            **docs.workload(allowedPools=["h100"]),
            "metadata": {"name": "chat", "namespace": "prod", "uid": "new"},
        }
    )
    assert CHAT in await desk.report()


@pytest.mark.parametrize(
    ("error", "complete"), [(Unavailable("later"), False), (Forbidden("no"), False), (NotFound("gone"), True)]
)
async def test_a_status_that_cannot_be_written_is_tried_again(desk: Desk, error: Any, complete: bool):
    """One that is gone needs none. Nothing is said of a decision that was not written."""
    desk.world.kube.fail("apply_status", error, resource=INFERENCE_WORKLOADS)
    await desk.report()
    assert desk.complete is complete
    assert desk.events == []
    assert CHAT in await desk.report()
    assert desk.events == [("Normal", "Stays")]


async def test_a_refused_write_on_the_deployment_is_told_at_once(desk: Desk):
    await desk.report()
    desk.failures["prod/chat"] = "deployments.apps is forbidden"
    assert await desk.report() == [CHAT]
    assert any(c["reason"] == "WriteRefused" for c in desk.status["conditions"])


async def test_a_move_leaves_a_few_writes_and_then_quiet():
    desk = Desk(World.standard())
    await desk.report()
    until_quiet(desk.world)
    assert CHAT in await desk.report()
    assert await desk.report() == []


async def test_deployments_held_after_a_mass_deletion_are_alerted_once_each():
    world = five_moved()
    for number in range(5):
        delete_workload(world, f"w{number}")
    desk = Desk(world)
    await desk.report()
    await desk.report()
    assert desk.events.count(("Warning", "RestoreHeld")) == 5
