"""A move over a bridge is interrupted: killed at each write, deleted, set Off, undone. No bridge is left, and nothing that is needed is lost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from e2e.authored import Setup, workload
from e2e.faults import Lab
from e2e.operator_process import OperatorProcess
from e2e.test_bridges import asked_of_the_bridge, verbs
from e2e.test_interruptions import dies, templates
from e2e.world import World

pytestmark = pytest.mark.e2e

TO_MORE = ["nvidia.com/gpu", "amd.com/gpu"]


@dataclass(frozen=True, slots=True)
class Growing(Setup):
    """Two replicas, of which the other pool needs three."""

    alternative_tpot: int = 25
    ready_delay: str = "4s"
    expects_move: bool = False
    mode: str = "Off"


def loading(world: World) -> bool:
    """The bridge stands, and none of it is Ready."""
    found = world.bridge()
    return found is not None and not found.get("status", {}).get("readyReplicas")


def rolling(world: World) -> bool:
    """The template has been written, and old pods run."""
    return len(templates(world)) == 2 and not world.rolled_out()


def taking_in(world: World) -> bool:
    """Replicas have been written, and the bridge still stands."""
    return world.deployment()["spec"]["replicas"] == 3 and world.bridge() is not None


PHASES = pytest.mark.parametrize("phase", [loading, rolling, taking_in], ids=lambda phase: phase.__name__)


def in_mid_move(lab: Lab, name: str, phase: Callable[[World], bool]) -> tuple[World, OperatorProcess]:
    """A world whose move has come so far."""
    operator = lab.operator()
    operator.start()
    world = lab.world(Growing(f"{name}-{phase.__name__.replace('_', '-')}"), operator).build()
    world.edit_workload(mode="Rollout")
    lab.within(60, lambda: phase(world), phase.__name__)
    return world, operator


def no_bridge(world: World) -> bool:
    """Neither the Deployment nor any of its pods is there."""
    left = [pod for pod in world.pods() if "chipwise.dev/bridge" in pod["metadata"]["labels"]]
    return world.bridge() is None and not left


@PHASES
def test_deleted_in_mid_move(lab: Lab, phase: Callable[[World], bool]) -> None:
    """The very ReplicaSet of the author's serves again with all its replicas; then the bridge goes, and last what chipwise noted."""
    world, _ = in_mid_move(lab, "gone", phase)
    world.delete_workload()
    lab.within(90, lambda: no_bridge(world) and world.is_on("gpu"), "given back")
    found = world.restored(60)
    assert world.hashes() == {world.author_hash}
    assert found["spec"]["replicas"] == 2
    world.nothing_lost()


@PHASES
def test_switched_off_in_mid_move(lab: Lab, phase: Callable[[World], bool]) -> None:
    """Off is obeyed at once: the bridge is left as it is and goes on serving. Switched on again the move goes on from there."""
    world, operator = in_mid_move(lab, "off", phase)
    world.edit_workload(mode="Off")
    lab.within(20, lambda: world.condition("Placed")[1] == "ModeOff", "Off is seen")
    before = verbs(world)
    lab.within(40, world.rolled_out, "the rollout ends by itself")
    time.sleep(6)
    assert verbs(world) == before
    assert world.bridge() is not None
    placements = world.status()["placements"]
    assert [(each["replicas"], each["ready"]) for each in placements if each.get("reason") == "Bridge"] == [
        (1, 1)
    ]
    world.edit_workload(mode="Rollout")
    world.settled("alt", 3, deadline=90)
    assert verbs(world) == ["+create", "patch", "patch", "+delete"]
    world.nothing_lost()
    assert operator.is_alive


def test_undone_in_mid_move(lab: Lab) -> None:
    """An undo by kubectl is respected, and the bridge goes when the author's pods serve."""
    world, _ = in_mid_move(lab, "undone", rolling)
    world.kubectl("rollout", "undo", "deployment/chat")
    lab.within(60, lambda: no_bridge(world), "the bridge is gone")
    lab.within(20, lambda: world.condition("Paused")[0] == "True", "the undo is told")
    lab.within(20, lambda: world.is_on("gpu"), "the author's pods serve")
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()


def test_given_up_in_mid_move(lab: Lab) -> None:
    """The other pool no longer serves the objectives before the template is written: the author's Deployment was never touched."""
    world, _ = in_mid_move(lab, "given-up", loading)
    world.edit_workload(objectives=[{"metric": "TPOT", "threshold": "22ms"}])
    lab.within(60, lambda: no_bridge(world), "the bridge is gone")
    lab.within(20, lambda: world.condition("Placed") == ("True", "Placed"), "it stays")
    assert verbs(world) == ["+create", "+delete"]
    assert len(world.revisions()) == 1
    world.nothing_lost()


def test_the_deployment_deleted_in_mid_move(lab: Lab) -> None:
    """Its bridge is owned by it and goes with it."""
    world, operator = in_mid_move(lab, "deployment", taking_in)
    world.kubectl("delete", "deployment", "chat", "--wait=false")
    lab.within(60, lambda: not world.pods() and no_bridge(world), "nothing is left")
    assert operator.is_alive


DEATHS = [
    f"{moment}:{sort}"
    for sort in ("bridge-create", "template", "replicas", "bridge-delete")
    for moment in ("before", "after")
]


def test_killed_at_every_step(lab: Lab) -> None:
    """Operator after operator dies, each a step later. The next makes the writes that are missing and no other."""
    world = lab.world(Growing("killed", ready_delay="2s", mode="Rollout"), lab.operator())
    world.build_author()
    world.kubectl_apply(workload(world.setup))
    for death in DEATHS:
        dies(lab, death)
    with lab.operator(name="last"):
        world.settled("alt", 3, deadline=60)
        time.sleep(3)  # for a write too many
    assert verbs(world) == ["+create", "patch", "patch", "+delete"]
    assert asked_of_the_bridge(world) == [1]
    assert templates(world) == TO_MORE
    assert no_bridge(world)
    world.nothing_lost()


def test_killed_where_there_is_room_for_one(lab: Lab) -> None:
    """The bridge narrows replica by replica; whoever comes next counts what there is."""
    setup = Growing("narrow", replicas=1, alternative_tpot=60, ready_delay="2s", mode="Rollout")
    world = lab.world(setup, lab.operator())
    world.build_author()
    for number in ("2", "3", "4"):
        world.kubectl("cordon", f"narrow-alt-{number}")
    world.kubectl_apply(workload(world.setup))
    for death in ("after:bridge-create", "before:bridge-narrow", "after:bridge-narrow", "after:replicas"):
        dies(lab, death)
    with lab.operator(name="last"):
        world.settled("alt", 3, deadline=60)
    assert verbs(world) == ["+create", "patch", "patch", "+patch", "patch", "+delete"]
    assert asked_of_the_bridge(world) == [2, 1]
    assert no_bridge(world)
    world.nothing_lost()


def test_killed_at_any_time(lab: Lab) -> None:
    """Four operators die at random moments of a move and its way back; the fifth ends it, with no write too many."""
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - moments
    world = lab.world(Growing("random", mode="Rollout"), lab.operator())
    world.build_author()
    world.kubectl_apply(workload(world.setup))
    for _ in range(4):
        with lab.operator() as operator:
            time.sleep(chance.uniform(1.0, 7.0))
            assert operator.kill() == -signal.SIGKILL
        lab.forget_lease()
    with lab.operator(name="last"):
        world.settled("alt", 3, deadline=90)
        assert verbs(world) == ["+create", "patch", "patch", "+delete"]
        world.delete_workload()
        world.restored(60)
    assert templates(world) == [*TO_MORE, "nvidia.com/gpu"]
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()
