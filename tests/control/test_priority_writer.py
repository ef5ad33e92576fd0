"""Cluster Autoscaler is told the order of its groups: when it changes, by the leader only, and never over what a person wrote."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.autoscaling.priorities import rendered
from chipwise.cluster.decide import Decision, Standing
from chipwise.control.fence import Fence
from chipwise.control.priority_writer import PriorityWriter
from chipwise.control.recorder import Recorder
from chipwise.control.status_of_others import other_statuses
from chipwise.kube.errors import Forbidden, NotFound, Unavailable
from chipwise.kube.resources import (
    ACCELERATOR_POOLS,
    CONFIG_MAPS,
    EVENTS,
    EXPANDER_PRIORITIES,
    INFERENCE_WORKLOADS,
)

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World

NAME = EXPANDER_PRIORITIES.part
NAMESPACE = "autoscaler"


class Desk:
    """A world whose pools are groups of Cluster Autoscaler, and the writer that tells it."""

    def __init__(self, **pools: Any) -> None:
        self.world = World.standard(
            *(docs.pool(name, nodeGroup=f"{name}-asg", **pools) for name in docs.RESOURCES)
        )
        self.world.standing = Standing(priority_expander=True)
        self.seconds = 10.0
        fence = Fence(self.world.kube, lambda: self.seconds)
        self.writer = PriorityWriter(
            fence,
            Recorder(self.world.kube, lambda: self.world.now),
            NAMESPACE,
            may_write=lambda: self.seconds > 0,
        )

    def put(self, **data: str) -> None:
        """A person's ConfigMap."""
        self.world.kube.put(CONFIG_MAPS, {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": data})

    def decide(self) -> Decision:
        """With what the watch knows by then."""
        if self.found is not None:
            self.world.kube.put(EXPANDER_PRIORITIES, self.found)
        return self.world.decide()

    async def write(self) -> list[str]:
        """The verbs of the writes on the ConfigMap."""
        decision = self.decide()
        self.world.kube.calls.clear()
        self.done = await self.writer.write(decision)
        return [call.verb for call in self.world.kube.writes if call.resource == CONFIG_MAPS]

    @property
    def found(self) -> Document | None:
        try:
            return self.world.kube.peek(CONFIG_MAPS, NAMESPACE, NAME)
        except KeyError:
            return None

    @property
    def text(self) -> str:
        assert self.found is not None
        return str(self.found["data"]["priorities"])

    @property
    def events(self) -> list[tuple[str, str]]:
        found = [change.document for change in self.world.kube.history if change.resource == EVENTS]
        return [(event["type"], event["reason"]) for event in found]

    @property
    def ordered(self) -> dict[str, tuple[str, str]]:
        """The condition of each pool."""
        found = {}
        for report in other_statuses(self.decide()):
            for one in report.wanted["conditions"]:
                if report.resource == ACCELERATOR_POOLS and one["type"] == "Ordered":
                    found[report.name] = (one["status"], one["message"])
        return found


ORDER = ["maia-asg", "mi300x-asg", "h100-asg"]


async def test_the_order_is_that_of_what_the_workload_would_cost():
    desk = Desk()
    assert await desk.write() == ["apply"]
    assert desk.text == rendered(None, ORDER)
    assert desk.events == [("Normal", "PrioritiesWritten")]
    assert desk.ordered["maia"] == (
        "True",
        f"node group maia-asg is number 1 of 3 in the ConfigMap {NAME}",
    )


async def test_it_is_written_only_when_it_changes():
    desk = Desk()
    await desk.write()
    assert await desk.write() == []
    desk.world.edit(ACCELERATOR_POOLS, "maia", lambda d: d["spec"]["price"].update(amount="17.00"))
    assert await desk.write() == []
    desk.world.edit(ACCELERATOR_POOLS, "maia", lambda d: d["spec"]["price"].update(amount="100.00"))
    assert await desk.write() == ["json_patch"]
    assert desk.text == rendered(None, ["mi300x-asg", "h100-asg", "maia-asg"])


async def test_a_pool_that_cools_down_is_tried_last_and_returns():
    desk = Desk()
    until = "2026-01-01T12:10:00Z"
    entry = {
        "reason": "Stockout",
        "variant": "maia-x4",
        "pool": "maia",
        "capacityType": "OnDemand",
        "chips": 4,
    }
    entry |= {"failures": 1, "at": desk.world.stamp, "until": until}

    def fail(document: Document) -> None:
        document["status"] = {"coolDowns": [entry]}

    desk.world.edit(INFERENCE_WORKLOADS, "chat", fail)
    await desk.write()
    assert desk.text == rendered(None, ["mi300x-asg", "h100-asg", "maia-asg"])
    desk.world.pass_time(minutes=11)
    await desk.write()
    assert desk.text == rendered(None, ORDER)


async def test_entries_of_people_stay():
    desk = Desk()
    desk.put(priorities="50:\n- ^web-\n", other="kept")
    assert await desk.write() == ["json_patch"]
    assert desk.text == rendered("50:\n- ^web-\n", ORDER)
    assert desk.found is not None
    assert desk.found["data"]["other"] == "kept"


@pytest.mark.parametrize("data", [{}, {"other": "kept"}])
async def test_a_config_map_without_the_key_gets_it(data: dict[str, str]):
    desk = Desk()
    desk.put(**data)
    await desk.write()
    assert desk.text == rendered(None, ORDER)


async def test_one_that_a_person_broke_is_told_once_and_left():
    desk = Desk()
    desk.put(priorities="ten: [a]")
    for _ in range(3):
        assert await desk.write() == []
    assert desk.text == "ten: [a]"
    assert desk.events == [("Warning", "PrioritiesUnusable")]
    assert desk.ordered["maia"][0] == "False"
    assert "'ten' is no whole number" in desk.ordered["maia"][1]
    desk.put(priorities="10: [a]")
    assert await desk.write() == ["json_patch"]


async def test_a_person_who_writes_at_the_same_moment_is_not_overwritten():
    """What the watch knows is older: the write rests on what is read for it."""
    desk = Desk()
    desk.put(priorities="10: [a]\n")
    decision = desk.decide()
    desk.put(priorities="10: [b]\n")
    assert await desk.writer.write(decision)
    assert desk.text == rendered("10: [b]\n", ORDER)
    desk.put(priorities="ten: [b]\n")
    assert await desk.writer.write(decision)
    assert desk.text == "ten: [b]\n"


async def test_who_does_not_lead_writes_nothing():
    desk = Desk()
    desk.seconds = 0.0
    assert await desk.write() == []
    assert desk.found is None
    desk.seconds = 10.0
    assert await desk.write() == ["apply"]


async def test_leadership_that_ends_meanwhile_ends_the_write():
    desk = Desk()
    desk.writer._may_write = lambda: True
    desk.seconds = 0.0
    assert await desk.write() == []
    assert desk.done


@pytest.mark.parametrize("error", [Forbidden("no"), Unavailable("later")])
async def test_a_refused_write_is_told_once_and_tried_again(error):
    desk = Desk()
    desk.world.kube.fail("apply", error, resource=CONFIG_MAPS, times=2)
    for _ in range(2):
        await desk.write()
        assert not desk.done
    assert "maia" not in desk.ordered
    assert desk.events == [("Warning", "PrioritiesRefused")]
    await desk.write()
    assert desk.done
    assert desk.text == rendered(None, ORDER)


async def test_one_that_is_made_or_goes_between_reading_and_writing_is_read_again():
    desk = Desk()
    desk.world.kube.fail("get", NotFound("none"), resource=CONFIG_MAPS)
    desk.put(priorities="10: [a]")
    await desk.write()
    assert not desk.done
    assert desk.text == "10: [a]"
    await desk.write()
    assert desk.text == rendered("10: [a]", ORDER)


async def test_pools_that_have_no_group_leave_it_alone():
    desk = Desk()
    for name in docs.RESOURCES:
        desk.world.edit(ACCELERATOR_POOLS, name, lambda d: d["spec"].pop("nodeGroup"))
    assert await desk.write() == []
    desk.put(priorities="ten: [a]")
    assert await desk.write() == []
    assert desk.events == []
    assert desk.ordered == {}


async def test_when_the_last_group_goes_our_entries_go():
    desk = Desk()
    desk.put(priorities="10: [a]\n")
    await desk.write()
    for name in docs.RESOURCES:
        desk.world.edit(ACCELERATOR_POOLS, name, lambda d: d["spec"].pop("nodeGroup"))
    await desk.write()
    assert desk.text == "10: [a]\n"


async def test_nobody_is_told_where_that_is_not_asked_for():
    desk = Desk()
    desk.world.standing = Standing()
    assert await desk.write() == []
    assert desk.ordered == {}
