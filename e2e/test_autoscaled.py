"""Deployments whose replicas belong to an autoscaler: chipwise moves the template and never writes the number."""

import pytest

from e2e import authored
from e2e.authored import Setup
from e2e.watchlog import Revision
from e2e.world import World

pytestmark = pytest.mark.e2e


def numbers(revisions: list[Revision]) -> list[int]:
    """Every value of spec.replicas, in order, without repetitions."""
    found: list[int] = []
    for revision in revisions:
        if not found or found[-1] != revision.replicas:
            found.append(revision.replicas)
    return found


@pytest.mark.setup(Setup("hpa-fewer", replicas=4, alternative_tpot=10, autoscaled=(1, 6)))
def test_a_move_leaves_the_autoscalers_number(world: World) -> None:
    """Fewer would do on the new chip, and all that run move: there and back the number is nobody's but the HPA's."""
    assert world.deployment()["spec"]["replicas"] == 4
    assert world.status()["placements"][0]["replicas"] == 4
    assert len(world.writes()) == 1

    world.delete_workload()
    world.restored()
    assert numbers(world.revisions()) == [4]
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()


@pytest.mark.setup(Setup("external", replicas=4, alternative_tpot=10, expects_move=False, mode="Off"))
def test_a_number_that_is_said_to_be_external(world: World) -> None:
    """The same where no HPA is seen but the workload says that somebody else scales."""
    world.edit_workload(mode="Rollout", replicas={"managedBy": "External"})
    world.settled("alt")
    assert numbers(world.revisions()) == [4]
    world.nothing_lost()


@pytest.mark.setup(Setup("hpa-low", alternative_tpot=40, autoscaled=(1, 3), expects_move=False))
def test_a_maximum_below_the_need_is_infeasible(world: World) -> None:
    """Four replicas are needed on the other pool and the HPA allows three: refused with the figures, not clamped."""
    (refused,) = [c for c in world.status()["candidates"] if c["variant"] == "alt"]
    assert refused["reason"] == "ReplicasExceeded"
    assert "HPA chat allows 3" in refused["message"]
    assert world.condition("Placed") == ("True", "Placed")
    assert world.is_on("gpu")
    assert not world.writes()


@pytest.mark.setup(Setup("hpa-later", replicas=4, alternative_tpot=10))
def test_an_autoscaler_that_comes_later_takes_over(world: World) -> None:
    """Scaled down to two with the move; then an HPA with a minimum of three is created, and its three stand."""
    world.settled("alt", replicas=2)
    before = len(world.writes())
    hpa = authored.autoscaler(authored.with_autoscaler(world.setup, 3, 6))
    world.kubectl_apply(hpa)
    world.eventually(lambda: world.deployment()["spec"]["replicas"] == 3, "the HPA raises it", 40)
    world.settled("alt", replicas=3)
    assert len(world.writes()) == before
    assert numbers(world.revisions()) == [4, 2, 3]
    world.nothing_lost()
