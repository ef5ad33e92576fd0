"""A move is interrupted: edited, deleted, set Off, the API server gone, the operator killed. It ends in the right place, and nothing is lost.

Pods take some seconds to be Ready here, so that there is a middle. Nothing is remembered outside the cluster: an operator that
starts reads the Deployment and goes on.
"""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass

import pytest

from e2e.authored import Setup, workload
from e2e.faults import Lab
from e2e.operator_process import OperatorProcess
from e2e.world import World
from e2e.written import sorts

pytestmark = pytest.mark.e2e


@dataclass(frozen=True, slots=True)
class Roomy(Setup):
    """Four replicas where three would do, and another pool that is a little slower and needs all four."""

    replicas: int = 4
    alternative_tpot: int = 24
    ready_delay: str = "5s"
    expects_move: bool = False
    mode: str = "Off"

    @property
    def requests_per_second(self) -> float:
        return 22.0


@dataclass(frozen=True, slots=True)
class Surplus(Roomy):
    """The other pool is as fast: three of the four replicas do, and a move ends with a scale-down."""

    alternative_tpot: int = 20


def in_mid_move(lab: Lab, setup: Setup) -> tuple[World, OperatorProcess]:
    """A world whose template has just been written for the other pool, none of whose new pods is Ready yet."""
    operator = lab.operator()
    operator.start()
    world = lab.world(setup, operator).build()
    assert world.condition("Placed") == ("False", "ModeOff")
    assert not world.writes()
    world.edit_workload(mode="Rollout")
    lab.within(20, world.writes, "the template is written")
    assert not world.rolled_out()
    return world, operator


def templates(world: World) -> list[str]:
    """The chips that the server asked for, one entry for each change of the template."""
    found: list[str] = []
    for revision in world.revisions():
        (server,) = (each for each in revision.template["spec"]["containers"] if each["name"] == "server")
        (chip,) = (name for name in server["resources"]["limits"] if "/" in name)
        if not found or found[-1] != chip:
            found.append(chip)
    return found


def test_objectives_edited_in_mid_move(lab: Lab) -> None:
    """When the pool it is moving to no longer serves the objectives, it turns back, and never waits for a third place at once."""
    world, operator = in_mid_move(lab, Roomy("turn"))
    world.edit_workload(objectives=[{"metric": "TPOT", "threshold": "22ms"}])
    world.settled("gpu", deadline=60)
    assert templates(world) == ["nvidia.com/gpu", "amd.com/gpu", "nvidia.com/gpu"]
    assert world.deployment()["spec"]["replicas"] == 3
    world.nothing_lost()
    assert operator.is_alive


def test_traffic_edited_in_mid_move(lab: Lab) -> None:
    """Half the traffic: the move goes on with one template write, and half of the replicas are taken away at its end."""
    world, _ = in_mid_move(lab, Roomy("half"))
    traffic = {"meanRequestsPerSecond": "12", "inputTokens": 512, "outputTokens": 100}
    world.edit_workload(traffic=traffic)
    world.settled("alt", 2, deadline=60)
    assert templates(world) == ["nvidia.com/gpu", "amd.com/gpu"]
    world.log.capacity_never_below(12, world.since)


def test_deleted_in_mid_move(lab: Lab) -> None:
    """The author's Deployment comes back: the very ReplicaSet that served before, with nothing of ours on it."""
    world, _ = in_mid_move(lab, Roomy("gone"))
    world.delete_workload()
    found = world.restored(60)
    assert world.hashes() == {world.author_hash}
    assert found["spec"]["replicas"] == 4
    world.nothing_lost()


def test_switched_off_in_mid_move(lab: Lab) -> None:
    """Off is obeyed at once: what the Deployment controller does is left to end, and no surplus is scaled away."""
    world, _ = in_mid_move(lab, Surplus("off"))
    world.edit_workload(mode="Off")
    lab.within(20, lambda: world.condition("Placed")[1] == "ModeOff", "Off is seen")
    before = len(world.writes())
    lab.within(40, lambda: world.is_on("alt"), "the rollout ends by itself")
    time.sleep(3)  # three replicas would do, and it could be seen by now
    assert len(world.writes()) == before == 1
    assert world.deployment()["spec"]["replicas"] == 4
    world.nothing_lost()


def test_api_server_restarted_in_mid_move(lab: Lab) -> None:
    """The operator lives through it, or is started again; the move ends, and nothing is written twice."""
    world, operator = in_mid_move(lab, Surplus("outage", ready_delay="8s"))
    with lab.cluster.api_server_down():
        time.sleep(3)

    def done() -> bool:
        if not operator.is_alive:
            operator.start()
        return world.is_on("alt") and world.condition("Placed")[0] == "True"

    lab.within(120, done, "settled after the outage")
    assert templates(world) == ["nvidia.com/gpu", "amd.com/gpu"]
    assert sorts(world) == ["template", "replicas"]
    world.nothing_lost()


@dataclass(frozen=True, slots=True)
class Shrinking(Setup):
    """Three replicas where two will do, so that a move ends with a scale-down and a restore begins with a scale-up."""

    replicas: int = 3
    ready_delay: str = "3s"
    expects_move: bool = False

    @property
    def requests_per_second(self) -> float:
        return 14.0


MOVE_DEATHS = ["before:template", "after:template", "before:replicas", "after:replicas"]
RESTORE_DEATHS = ["after:replicas", "after:template", "before:release"]


def dies(lab: Lab, death: str) -> None:
    """Run an operator until it dies as arranged; nobody holds the Lease afterwards."""
    with lab.dying_operator(death) as dying:
        lab.within(40, lambda: not dying.is_alive, f"it dies {death}")
        assert dying.kill() == -signal.SIGKILL
    lab.forget_lease()


def test_killed_at_every_step(lab: Lab) -> None:
    """Operator after operator dies, each a step later. The next reads the Deployment and makes the writes that are missing, no other.

    A move is one template and one scale-down; a restore is replicas, template and the traces' removal, to the author's own ReplicaSet.
    """
    world = lab.world(Shrinking("killed"), lab.operator())
    world.build_author()
    world.kubectl_apply(workload(world.setup))
    for death in MOVE_DEATHS:
        dies(lab, death)
    with lab.operator(name="mover"):
        world.settled("alt", 2, deadline=60)
    lab.forget_lease()
    assert sorts(world) == ["template", "replicas"]
    world.delete_workload()
    for death in RESTORE_DEATHS:
        dies(lab, death)
    with lab.operator(name="restorer") as last:
        lab.within(20, lambda: "every list is complete" in last.log, "it decides")
        world.restored(60)
        time.sleep(2)  # for a write too many
    assert sorts(world) == ["template", "replicas", "replicas", "template", "traces"]
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()


def test_killed_at_any_time(lab: Lab) -> None:
    """Three operators die at random moments of a move and its way back; the fourth ends it, with no write too many."""
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - moments
    world = lab.world(Shrinking("random"), lab.operator())
    world.build_author()
    world.kubectl_apply(workload(world.setup))
    for _ in range(3):
        with lab.operator() as operator:
            time.sleep(chance.uniform(1.0, 6.0))
            assert operator.kill() == -signal.SIGKILL
        lab.forget_lease()
    with lab.operator(name="last"):
        world.settled("alt", 2, deadline=60)
        assert sorts(world) == ["template", "replicas"]
        world.delete_workload()
        world.restored(60)
    assert sorts(world) == ["template", "replicas", "replicas", "template", "traces"]
    world.nothing_lost()


def test_a_second_operator_waits_for_the_lease(lab: Lab) -> None:
    """While the first is silent but holds the Lease, the second only watches; then it acts, and the first, awake again, does not."""
    first, second = lab.operator(name="first"), lab.operator(name="second")
    with first, second:
        world = lab.world(Roomy("pair"), first).build()
        silent, other = (first, second) if "leading as" in first.log else (second, first)
        assert "leading as" not in other.log
        assert silent.pid is not None
        os.kill(silent.pid, signal.SIGSTOP)
        begin = time.monotonic()
        world.edit_workload(mode="Rollout")
        lab.within(60, world.writes, "the second writes")
        assert time.monotonic() - begin > 8  # the Lease is renewed every 2 s and good for 15 s
        assert "leading as" in other.log
        os.kill(silent.pid, signal.SIGCONT)
        world.settled("alt", deadline=60)
        time.sleep(3)
        assert "no longer leading" in silent.log
        assert first.is_alive
        assert second.is_alive
    assert sorts(world) == ["template"]
    world.nothing_lost()
