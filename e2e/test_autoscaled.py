"""Deployments whose replicas belong to an autoscaler: chipwise moves the template and never writes the number."""

from functools import partial

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


def shows(world: World, replicas: int) -> bool:
    """Status tells so many."""
    return bool(world.status()["placements"][0]["replicas"] == replicas)


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


@pytest.mark.setup(Setup("hpa-scales", replicas=3, autoscaled=(1, 6)))
def test_what_the_autoscaler_writes_stands(world: World) -> None:
    """Up and down through the scale subresource, as an HPA does: never overwritten, and shown."""
    before = len(world.writes())
    for replicas in (5, 2):
        world.kubectl("scale", "deployment/chat", f"--replicas={replicas}")
        world.settled("alt", replicas=replicas)
        world.eventually(partial(shows, world, replicas), "it is shown")
    assert numbers(world.revisions()) == [3, 5, 2]
    assert len(world.writes()) == before


@pytest.mark.setup(
    Setup(
        "keda-low", alternative_tpot=40, autoscaled=(1, 3), scaled_object="chat-traffic", expects_move=False
    )
)
def test_a_maximum_of_kedas_is_named_as_its_scaled_object(world: World) -> None:
    """It is what a person would edit."""
    (refused,) = [c for c in world.status()["candidates"] if c["variant"] == "alt"]
    assert refused["reason"] == "ReplicasExceeded"
    assert "ScaledObject chat-traffic allows 3" in refused["message"]


@pytest.mark.setup(Setup("keda-idle", autoscaled=(1, 6), scaled_object="chat-traffic"))
def test_what_keda_took_to_zero_is_idle_and_not_broken(world: World) -> None:
    """KEDA scales 1 to 0 and back itself. Nothing is written, Ready holds, and it wakes up where it was."""
    before = len(world.writes())
    world.kubectl("scale", "deployment/chat", "--replicas=0")
    world.eventually(lambda: not world.pods(), "no pod is left")
    world.eventually(lambda: world.status()["summary"]["reason"] == "ScaledToZero", "it is said")
    assert world.condition("Ready")[0] == "True"
    assert "ScaledObject chat-traffic" in world.conditions()["Ready"]["message"]
    world.kubectl("scale", "deployment/chat", "--replicas=1")
    world.settled("alt", replicas=1)
    assert len(world.writes()) == before


@pytest.mark.setup(Setup("author-zero", stated_replicas=True))
def test_what_its_author_scaled_to_zero_stays_there(world: World) -> None:
    """Until the author scales it up again; then it has as many as it needs where it was."""
    before = len(world.writes())
    world.kubectl("scale", "deployment/chat", "--replicas=0")
    world.eventually(lambda: world.status()["summary"]["reason"] == "ScaledToZero", "it is said")
    world.edit_workload(replicas={"min": 1})  # a decision more
    world.eventually(
        lambda: (
            world.status()["observedGeneration"] == world.admin.get(world._workload)["metadata"]["generation"]
        ),
        "decided anew",
    )
    assert world.deployment()["spec"]["replicas"] == 0
    assert not world.pods()
    assert len(world.writes()) == before
    world.kubectl("scale", "deployment/chat", "--replicas=1")
    world.settled("alt", replicas=2)


@pytest.mark.setup(Setup("targets", alternative_tpot=10, mode="Off", expects_move=False))
def test_each_chip_has_a_target_of_its_own(world: World) -> None:
    """What an autoscaler may aim at for each replica, where it runs and where it should: twice as much on the chip that is twice as fast."""
    (placed,), (proposed,) = world.status()["placements"], world.status()["proposed"]
    pools = [f"{world.namespace}-{chip}" for chip in ("gpu", "alt")]
    assert [placed["pool"], proposed["pool"]] == pools
    slow, fast = (
        float(each["suggestedTarget"]["requestsPerSecondPerReplica"]) for each in (placed, proposed)
    )
    assert 1.9 < fast / slow < 2.1
    assert slow >= world.setup.requests_per_second / world.setup.replicas
    for each in (placed, proposed):
        assert each["suggestedTarget"]["concurrencyPerReplica"] >= 1


def costs(world: World, amount: float) -> bool:
    """Status bills so much for where it runs."""
    return float(world.status()["placements"][0]["costPerHour"]) == amount


@pytest.mark.setup(
    Setup("hpa-headroom", replicas=4, autoscaled=(1, 8), policy={"autoscalerHeadroom": "100%"})
)
def test_headroom_is_billed_and_kept_free_as_far_as_the_maximum(world: World) -> None:
    """Four run and eight are kept for the autoscaler: four nodes are billed and nobody else gets them, until the policy says otherwise."""
    world.eventually(lambda: costs(world, 40.0), "eight replicas are billed, two a node")
    assert world.deployment()["spec"]["replicas"] == 4
    world.joined_by("other", 2)
    other = world.path_of("other")
    world.eventually(lambda: world.conditions(other).get("Placed"), "the other is decided about")
    status = world.admin.get(other)["status"]
    assert status["summary"]["pool"] == f"{world.namespace}-gpu"
    (refused,) = [each for each in status["candidates"] if each["variant"] == "alt"]
    world.edit_policy(autoscalerHeadroom="900%")
    world.eventually(lambda: costs(world, 40.0), "no more than the maximum is billed")
    world.edit_policy(autoscalerHeadroom="0%")
    world.eventually(lambda: costs(world, 20.0), "what serves the peak is billed")

    def on_alt() -> bool:
        return bool(world.admin.get(other)["status"]["summary"]["pool"] == f"{world.namespace}-alt")

    world.eventually(on_alt, f"the other takes the room that it lacked: {refused}", 60)
    world.nothing_lost()
