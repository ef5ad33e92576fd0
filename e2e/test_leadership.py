"""Two and three operators, and the leader dies, is cut off, is told to stop, or its clock jumps: one successor, in time, and no write twice.

All are real processes with the chart's rights. Who wrote what when is read from the audit log, by the tokens; the watch log tells what
changed. Times are of a kill, until the answer to the successor's request.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from chipwise.control.lease import LeaseTiming

from e2e import leases
from e2e.authored import Setup
from e2e.cable import Cable
from e2e.failing import Patient, back_with_the_author, cool_downs, turns
from e2e.faults import Lab
from e2e.leases import Request
from e2e.replicas import DEFAULT, SHORT, Succession, Team, first, succession, team
from e2e.watchlog import moment_of
from e2e.world import World
from e2e.written import sorts

pytestmark = pytest.mark.e2e

_GRACE = 5.0  # seconds beyond the lease, for the successor's first action
_HOUR = 3600.0
#: A JSON Patch that was made for an earlier Deployment; or the server has noticed that whoever sent it has gone.
_REFUSED = {http.client.UNPROCESSABLE_ENTITY, http.client.GATEWAY_TIMEOUT}


@dataclass(frozen=True, slots=True)
class Surplus(Setup):
    """Three replicas where two will do: a move is a template, a rollout of some seconds, and a scale-down."""

    replicas: int = 3
    ready_delay: str = "3s"
    expects_move: bool = False
    mode: str = "Off"

    @property
    def requests_per_second(self) -> float:
        return 14.0


def build(lab: Lab, name: str, crew: Team) -> World:
    """A world in which a move is due as soon as the workload is switched on."""
    world = lab.world(Surplus(name), crew.leader).build()
    assert world.condition("Placed") == ("False", "ModeOff")
    return world


def moved_once(world: World, crew: Team, *, served: bool = True) -> None:
    """The move ends in the right place, told as it is; each of its writes was made once, and by a leader.

    ``served`` is False where nodes were out of touch for so long that the node controller takes their pods for not Ready.
    """
    world.settled("alt", 2, deadline=60)
    time.sleep(2)  # for a write too many
    assert sorts(world) == ["template", "replicas"]
    world.told("Ready", "True", "Placed")
    # Not told at all if the leader died before it could tell.
    assert [each["reason"] for each in world.status()["decisions"]].count("Moved") <= 1
    crew.fair()
    if served:
        world.nothing_lost()


def in_time(found: Succession, timing: LeaseTiming) -> None:
    """The figures are printed for whoever runs it with -s."""
    print(f"\nlease of {timing.duration:g} s: {found}")
    assert found.act <= timing.duration + _GRACE


def test_killed_before_a_write(lab: Lab) -> None:
    """The template that the leader was about to write is written by its successor, with the default times of the lease."""
    with team(lab, 2, DEFAULT, first("dying.py", "before:template")) as crew:
        world = build(lab, "before", crew)
        world.edit_workload(mode="Rollout")
        killed = crew.gone(20)
        successor = crew.successor(DEFAULT.duration + _GRACE)
        in_time(succession(crew, successor, killed, "patch deployments"), DEFAULT)
        moved_once(world, crew)


def test_killed_after_a_write_before_status(lab: Lab) -> None:
    """The template is written and nobody was told: one of two standbys tells, and ends the move. The other goes on waiting."""
    with team(lab, 3, SHORT, first("dying.py", "after:template")) as crew:
        world = build(lab, "after", crew)
        world.edit_workload(mode="Rollout")
        killed = crew.gone(20)
        assert world.condition("Placed") == ("False", "ModeOff")
        successor = crew.successor(SHORT.duration + _GRACE)
        in_time(succession(crew, successor, killed, "inferenceworkloads/status"), SHORT)
        moved_once(world, crew)
        assert leases.terms(crew.requests()) == [crew.leader.credential, successor.credential]


def test_killed_in_mid_rollout(lab: Lab) -> None:
    """New pods get Ready while nobody leads; the scale-down that is left is the successor's."""
    with team(lab, 3, SHORT) as crew:
        world = build(lab, "middle", crew)
        world.edit_workload(mode="Rollout")
        lab.within(20, world.writes, "the template is written")
        lab.within(20, lambda: world.condition("Placed")[1] == "MoveInProgress", "it is told")
        assert not world.rolled_out()
        killed = crew.kill()
        in_time(succession(crew, crew.successor(SHORT.duration + _GRACE), killed), SHORT)
        moved_once(world, crew)


def test_killed_with_many_moves_under_way(lab: Lab) -> None:
    """Six workloads at different steps when the leader dies: each move is ended by the successor, and no write of any is made twice."""
    with team(lab, 2, SHORT) as crew:
        worlds = [build(lab, f"many-{number}", crew) for number in range(6)]
        for world in worlds[:4]:
            world.edit_workload(mode="Rollout")
        lab.within(30, lambda: sum(bool(world.writes()) for world in worlds) >= 3, "three are on their way")
        for world in worlds[4:]:
            world.edit_workload(mode="Rollout")
        killed = crew.kill()
        in_time(succession(crew, crew.successor(SHORT.duration + _GRACE), killed), SHORT)
        for world in worlds:
            moved_once(world, crew)


def test_told_to_stop(lab: Lab) -> None:
    """SIGTERM in the middle of a move: the Lease is handed over, and the successor acts within seconds."""
    with team(lab, 2, DEFAULT) as crew:
        world = build(lab, "stop", crew)
        world.edit_workload(mode="Rollout")
        lab.within(20, world.writes, "the template is written")
        stopped = time.time()
        assert crew.leader.stop() == 0
        print(f"\nit ended after {time.time() - stopped:.2f} s")
        assert "released" in crew.leader.log
        found = succession(crew, crew.successor(5), stopped)
        print(f"handed over: {found}")
        assert found.lease <= 5
        moved_once(world, crew)
        assert lab.lease()["leaseTransitions"] == 1


def test_an_outage_longer_than_the_lease(lab: Lab) -> None:
    """Nobody leads while the API server is away; then one does in time, goes on where the move stood, and writes nothing twice.

    The next write of that move waits for pods, and they for the machines that play them; what is due at once is another's template.
    """
    with team(lab, 2, SHORT) as crew:
        world, other = build(lab, "away", crew), build(lab, "away-other", crew)
        world.edit_workload(mode="Rollout")
        lab.within(20, world.writes, "the template is written")
        lab.api_server_away(SHORT.duration + 1)
        back = time.time()
        other.edit_workload(mode="Rollout")
        assert "no longer leading" in crew.leader.log
        everybody = [crew.leader, *crew.standbys]
        (leader,) = lab.within(30, lambda: [each for each in everybody if each.leads], "one leads")
        in_time(succession(crew, leader, back, "patch deployments", warm=False), SHORT)
        moved_once(world, crew)
        moved_once(other, crew)
        assert [each.leads for each in everybody].count(True) == 1
        assert all(each.is_alive for each in everybody)


@dataclass(frozen=True, slots=True)
class Hurried(Surplus):
    """New pods are given longer than they take, and than the machines that play them take to notice that the API server is back."""

    ready_delay: str = "12s"
    boot_seconds: int = 1
    startup_seconds: int = 10
    policy: Mapping[str, Any] = field(default_factory=lambda: {"failureGrace": "40s"})


def test_an_outage_longer_than_a_placement_may_take(lab: Lab) -> None:
    """No pod could get Ready meanwhile, and none failed: the move goes on, and nothing is taken back or cools down.

    The template has just been written when the API server goes, for longer than the new pods are given.
    """
    with team(lab, 2, SHORT) as crew:
        world = lab.world(Hurried("long-away"), crew.leader).build()
        world.edit_workload(mode="Rollout")
        lab.within(20, world.writes, "the template is written")
        lab.api_server_away(75)
        everybody = [crew.leader, *crew.standbys]
        lab.within(30, lambda: any(each.leads for each in everybody), "one leads")
        seen = "everything is in sight again"
        lab.within(30, lambda: all(seen in each.log for each in everybody), "they decide again")
        moved_once(world, crew, served=False)
        assert world.status().get("coolDowns", []) == []
        assert not {"RolledBack", "Restoring"} & {each["reason"] for each in lab.events(world.namespace)}


def test_a_write_that_arrives_late(lab: Lab) -> None:
    """The leader alone is cut off with a template on its way. The successor writes it; when the network hands in the first, it is refused."""
    with (
        Cable(lab.cluster.server) as cable,
        team(lab, 2, SHORT, first("announcing.py"), cable=cable) as crew,
    ):
        world = build(lab, "late", crew)
        world.edit_workload(mode="Rollout")
        lab.within(20, lambda: "about to leave" in crew.leader.log, "the template is decided on", pause=0.01)
        cable.cut()
        moment = time.time()
        in_time(succession(crew, crew.successor(SHORT.duration + _GRACE), moment, "patch deployments"), SHORT)
        assert "no longer leading" in crew.leader.log
        lab.within(10, lambda: "cut off" in crew.leader.log, "it no longer waits for an answer")
        world.settled("alt", 2, deadline=60)
        cable.mend()
        late = lab.within(20, lambda: of(crew, "patch deployments", since=moment), "it arrives")
        assert {each.code for each in late} <= _REFUSED
        moved_once(world, crew)
        assert leases.terms(crew.requests()) == [each.credential for each in (crew.leader, *crew.standbys)]
        assert crew.leader.is_alive


def of(crew: Team, what: str, since: float) -> list[Request]:
    """What the old leader asked for."""
    return [each for each in leases.by(crew.leader.credential, crew.requests(), since) if each.what == what]


def test_a_leader_whose_clock_is_wrong_lives_through_a_rollout(lab: Lab, tmp_path: Path) -> None:
    """An hour ahead: pods that were created a moment ago are not overdue, and what is written is dated by the API server's clock."""
    clock = tmp_path / "clock"
    clock.write_text(str(_HOUR))
    with team(lab, 2, SHORT, lambda _: ("jumping.py", str(clock))) as crew:
        world = build(lab, "wrong-clock", crew)
        world.edit_workload(mode="Rollout")
        moved_once(world, crew)
        assert leases.terms(crew.requests()) == [crew.leader.credential]
        status = world.status()
        assert status.get("coolDowns", []) == []
        for decided in status["decisions"]:
            assert abs(datetime.fromisoformat(decided["at"]).timestamp() - time.time()) < _HOUR / 2


def test_clocks_that_jump(lab: Lab, tmp_path: Path) -> None:
    """Hours forward and back, apart and for longer than a lease: leadership stays where it is, and then passes in its time."""
    clocks = [tmp_path / f"clock-{number}" for number in range(2)]

    def set_clocks(*hours: float) -> None:
        for clock, wrong in zip(clocks, hours, strict=True):
            clock.write_text(str(wrong * _HOUR))

    set_clocks(0, 0)
    with team(lab, 2, SHORT, lambda number: ("jumping.py", str(clocks[number]))) as crew:
        world = build(lab, "jump", crew)
        before = lab.lease()["renewTime"]
        for hours in ((3, -3), (-3, 3)):
            set_clocks(*hours)
            time.sleep(SHORT.duration / 2 + SHORT.retry)
        assert lab.lease()["renewTime"] < before  # it was the leader's own clock
        assert leases.terms(crew.requests()) == [crew.leader.credential]
        set_clocks(5, -5)
        world.edit_workload(mode="Rollout")
        lab.within(20, world.writes, "the template is written")
        killed = crew.kill()
        set_clocks(5, -10)
        in_time(succession(crew, crew.successor(SHORT.duration + _GRACE), killed), SHORT)
        moved_once(world, crew)
        assert lab.lease()["leaseTransitions"] == 1


def test_a_cool_down_outlives_its_leader(lab: Lab) -> None:
    """The leader that noted it is killed, and a warm standby takes over: nothing is tried before its end, and failures are counted on."""
    with team(lab, 2, SHORT) as crew:
        world = lab.world(Patient("cools", alternative_image="example.com/ails/crash:1"), crew.leader).build()
        lab.within(40, back_with_the_author(world), "taken back")
        (noted,) = cool_downs(world)
        crew.kill()
        crew.successor(SHORT.duration + _GRACE)
        lab.within(
            90, lambda: [one["failures"] for one in cool_downs(world)] == [2], "tried and failed again"
        )
        assert turns(world)[3][0] >= moment_of(noted["until"])
        assert cool_downs(world)[0]["at"] >= noted["until"]
        crew.fair()
        world.nothing_lost()
