"""Placeholders are written through the fence, found again by their mark, told of once, and left alone by who does not lead."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.autoscaling.placeholders import LABEL
from chipwise.cluster.decide import Standing
from chipwise.control.fence import Fence
from chipwise.control.recorder import Recorder
from chipwise.control.spare_writer import SpareWriter
from chipwise.control.status_of_others import other_statuses
from chipwise.kube.errors import Forbidden
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, EVENTS

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.test_spare import NAMESPACE, asking, placeholder
from tests.cluster.world import World

NAME = "chipwise-spare-h100"


class Desk:
    """A pool that asks for one warm node, and the writer."""

    def __init__(self) -> None:
        self.world = asking(docs.node("h100"))
        self.seconds = 10.0
        self.may = True
        fence = Fence(self.world.kube, lambda: self.seconds)
        self.writer = SpareWriter(
            fence, Recorder(self.world.kube, lambda: self.world.now), may_write=lambda: self.may
        )

    async def write(self) -> list[str]:
        """The verbs of the writes on Deployments."""
        decision = self.world.decide()
        self.world.kube.calls.clear()
        self.done = await self.writer.write(decision)
        return [call.verb for call in self.world.kube.writes if call.resource == DEPLOYMENTS]

    def edit(self, **spare: Any) -> None:
        self.world.edit(ACCELERATOR_POOLS, "h100", lambda it: it["spec"]["spare"].update(spare))

    @property
    def there(self) -> Document:
        return self.world.kube.peek(DEPLOYMENTS, NAMESPACE, NAME)

    @property
    def events(self) -> list[tuple[str, str]]:
        found = [change.document for change in self.world.kube.history if change.resource == EVENTS]
        return [(event["reason"], event["note"]) for event in found]


async def test_it_is_made_changed_and_taken_away_and_told_each_time():
    desk = Desk()
    assert await desk.write() == ["create"]
    assert await desk.write() == []
    desk.edit(replicas=2)
    assert await desk.write() == ["json_patch"]
    assert desk.there["spec"]["replicas"] == 2
    assert await desk.write() == []
    desk.world.edit(ACCELERATOR_POOLS, "h100", lambda it: it["spec"].pop("spare"))
    assert await desk.write() == ["delete"]
    assert desk.events == [
        ("SpareSet", "kept warm: 1 x 8 nvidia.com/gpu"),
        ("SpareSet", "kept warm: 2 x 8 nvidia.com/gpu"),
        ("SpareRemoved", "no room is kept warm any more"),
    ]


async def test_a_new_leader_writes_nothing_again():
    desk = Desk()
    await desk.write()
    desk.writer = SpareWriter(
        Fence(desk.world.kube, lambda: 10.0),
        Recorder(desk.world.kube, lambda: desk.world.now),
        may_write=lambda: True,
    )
    assert await desk.write() == []


@pytest.mark.parametrize("seconds", [0.0, 10.0])
async def test_who_does_not_lead_writes_nothing(seconds):
    """Whether it knows already or learns it at the fence."""
    desk = Desk()
    desk.seconds, desk.may = seconds, not seconds
    assert await desk.write() == []
    assert desk.done
    assert desk.events == []


async def test_what_lost_its_mark_meanwhile_is_left_alone():
    """The watch is behind: the Deployment that is there is somebody else's by now."""
    desk = Desk()
    await desk.write()
    desk.edit(replicas=2)
    late = desk.world.decide()
    desk.world.edit(DEPLOYMENTS, NAME, lambda it: it["metadata"]["labels"].pop(LABEL), NAMESPACE)
    await desk.writer.write(late)
    assert desk.there["spec"]["replicas"] == 1


async def test_a_refusal_is_told_once_and_tried_again():
    desk = Desk()
    for _ in range(2):
        desk.world.kube.fail("create", Forbidden("no such right"), resource=DEPLOYMENTS)
        assert await desk.write() == ["create"]
        assert not desk.done
    assert [reason for reason, _ in desk.events] == ["WriteRefused"]
    assert "no such right" in desk.events[0][1]
    assert await desk.write() == ["create"]
    assert desk.done


def said(world: World) -> tuple[tuple[str, str] | None, Document | None]:
    """The condition, and what status has of it."""
    for report in other_statuses(world.decide()):
        if report.resource == ACCELERATOR_POOLS:
            found = [
                (c["status"], c["reason"]) for c in report.wanted["conditions"] if c["type"] == "SpareKept"
            ]
            return next(iter(found), None), report.wanted.get("spare")
    raise AssertionError


def test_the_pool_says_how_warm_it_is():
    world = asking(docs.node("h100"))
    spare = {"replicas": 1, "chips": 8, "warm": 0, "costPerHour": "80.0000"}
    assert said(world) == (("False", "SpareWaiting"), spare)
    world.put(placeholder("p", on="h100-0"))
    assert said(world) == (("True", "Accepted"), {**spare, "warm": 1})
    world.standing = Standing()
    assert said(world) == (("False", "SpareNotEnabled"), None)
    world.edit(ACCELERATOR_POOLS, "h100", lambda it: it["spec"].pop("spare"))
    assert said(world) == (None, None)
