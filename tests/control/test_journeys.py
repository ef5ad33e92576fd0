"""A move is told of when it begins and when it ends, once each, whoever leads."""

from __future__ import annotations

from chipwise.control.journeys import Journeys
from chipwise.kube.resources import DEPLOYMENTS, INFERENCE_WORKLOADS

from tests.cluster import documents as docs
from tests.cluster.world import World, delete_workload
from tests.control.carrying import carry_out, until_quiet
from tests.control.test_acts import undo

Told = list[tuple[str, str]]


class Log:
    """Journeys of a world, told after each turn."""

    def __init__(self, world: World) -> None:
        self.world, self.journeys, self.told = world, Journeys(), Told()
        self.look()

    def look(self) -> Told:
        """What is new."""
        words = {None: "began", True: "arrived", False: "ended elsewhere"}
        turns = self.journeys.advance(self.world.decide())
        new = [(turn.journey.kind.value, words[turn.arrived]) for turn in turns]
        self.sentences = [turn.sentence(self.world.now) for turn in turns]
        self.told += new
        return new

    def go_on(self) -> None:
        """Operator and cluster, step by step, until nothing happens."""
        for _ in range(12):
            carry_out(self.world)
            self.look()
            self.world.roll()
            self.world.schedule()
            self.world.become_ready(1)
            self.look()


def test_a_move_begins_and_arrives_once():
    log = Log(World.standard())
    log.go_on()
    assert log.told == [("Move", "began"), ("Move", "arrived")]
    assert log.look() == []


def test_an_arrival_says_what_serves_and_how_long_it_took():
    log = Log(World.standard())
    carry_out(log.world)
    log.look()
    log.world.pass_time(seconds=42)
    until_quiet(log.world)
    log.look()
    (sentence,) = log.sentences
    assert "serves as maia-x4 on maia: 2 replicas are Ready and no old one runs, 42 s after" in sentence


def test_a_move_too_quick_to_be_seen_under_way_is_told_whole():
    log = Log(World.standard())
    until_quiet(log.world)
    assert log.look() == [("Move", "began"), ("Move", "arrived")]


def test_a_pod_that_fails_later_is_no_part_of_it():
    log = Log(World.standard())
    log.go_on()
    log.world._delete(log.world.pods()[0])
    log.world.roll()
    assert log.look() == []
    until_quiet(log.world)
    assert log.look() == []


def test_who_takes_over_in_mid_move_tells_of_its_end_only():
    world = World.standard()
    carry_out(world)
    world.roll()
    log = Log(world)
    until_quiet(world)
    assert log.look() == [("Move", "arrived")]


def test_an_undo_in_mid_move_ends_it_elsewhere():
    world = World.standard()
    before = world.deployment()
    log = Log(world)
    carry_out(world)
    world.roll()
    log.look()
    undo(world, before)
    assert log.look() == [("Move", "ended elsewhere")]


def test_a_deployment_that_goes_in_mid_move_ends_it_elsewhere():
    log = Log(World.standard())
    carry_out(log.world)
    log.look()
    log.world.kube.drop(DEPLOYMENTS, docs.NAMESPACE, "chat")
    assert log.look() == [("Move", "ended elsewhere")]


def test_a_restore_is_a_journey_though_its_workload_is_gone():
    log = Log(World.standard())
    log.go_on()
    log.told.clear()
    delete_workload(log.world)
    log.go_on()
    assert log.told == [("Restore", "began"), ("Restore", "arrived")]


def test_a_profile_that_vanishes_in_mid_move_is_no_end():
    log = Log(World.standard())
    carry_out(log.world)
    log.look()
    log.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(modelProfileName="none"))
    assert log.look() == []
