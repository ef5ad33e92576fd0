"""What happens to nodes and to the pods of others moves nobody who runs, and nobody is sent where the scheduler would refuse."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, INFERENCE_WORKLOADS, NODES, PODS
from chipwise.placement.moves import Decision as Verdict
from chipwise.reasons import Reason

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World
from tests.control.carrying import carry_out, until_quiet

RESOURCE = docs.RESOURCES["maia"]


def told(world: World, key: str = "prod/chat") -> tuple[Verdict, Reason]:
    move = world.decide().move(key)
    return move.decision, move.reason


def spec(world: World, **changes: Any) -> None:
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(changes))


def static(world: World, *pools: str) -> World:
    """No node will come to these pools."""
    for pool in pools or tuple(docs.RESOURCES):
        world.edit(ACCELERATOR_POOLS, pool, lambda d: d["spec"].update(nodes={"min": 0, "max": 2}))
    return world


def settled() -> World:
    """Two replicas of four chips serve on Maia, in pools that do not grow."""
    world = static(World.standard())
    until_quiet(world)
    world.pass_time(hours=1)
    assert told(world) == (Verdict.STAY, Reason.STAYS)
    return world


def filled(world: World, pool: str, free: int) -> None:
    """Others hold all but ``free`` chips of each node of a pool."""
    resource = docs.RESOURCES[pool]
    for number in range(2):
        world.put(docs.pod(f"on-{pool}-{number}", on=f"{pool}-{number}", chips=8 - free, resource=resource))


def cordon(node: Document) -> None:
    node["spec"]["unschedulable"] = True


def break_(node: Document) -> None:
    node["status"]["conditions"] = [{"type": "Ready", "status": "False"}]


def taint(node: Document) -> None:
    node["spec"]["taints"].append({"key": "maintenance", "effect": "NoSchedule"})


def deafen(node: Document) -> None:
    """The device plugin is gone for a moment."""
    node["status"]["allocatable"][RESOURCE] = "0"


TROUBLES = [cordon, break_, taint, deafen]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_with_its_nodes_moves_nobody_who_runs_there(trouble: Any):
    """All nodes of the pool at once. What will come of it, an eviction or nothing, is not ours to hurry."""
    world = settled()
    for number in range(2):
        world.edit(NODES, f"maia-{number}", trouble)
    decision = world.decide()
    assert told(world) == (Verdict.STAY, Reason.STAYS)
    assert decision.choice("prod/chat").option is not None
    assert decision.current is not None
    assert not carry_out(world)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nobody_is_sent_to_nodes_in_trouble(trouble: Any):
    world = static(World.standard())
    for number in range(2):
        world.edit(NODES, f"maia-{number}", trouble)
    target = world.decide().move("prod/chat").target
    assert target is not None
    assert target.pool == "mi300x"


def test_a_place_that_a_lost_plugin_leaves_is_given_to_nobody():
    """Of two workloads on Maia one leaves; what it held there is not offered while the node hands out no chip."""
    world = settled()
    for number in range(2):
        world.edit(NODES, f"maia-{number}", deafen)
    world.put(docs.deployment("second"))
    world.put(docs.workload("second", allowedPools=["maia"]))
    world.settle()
    assert told(world, "prod/second")[0] is Verdict.HOLD


def test_free_chips_in_pieces_are_no_place():
    """Maia has three chips free on each of two nodes, six together, and the replica takes four: the next best is chosen."""
    world = static(World.standard(docs.workload(rate="5.0")))
    filled(world, "maia", 3)
    decision = world.decide()
    target = decision.move("prod/chat").target
    assert target is not None
    assert target.pool == "mi300x"
    assert carry_out(world)


def test_pieces_that_those_who_stay_leave_are_no_place_either():
    """Ours hold two of eight chips on each node of Maia. Packed anew they would leave a node; they are not packed anew."""
    small = docs.profile(docs.variant("maia", 2), docs.variant("maia", 8))
    world = static(World.standard(small, docs.workload(allowedVariants=["maia-x2"])), "maia")
    until_quiet(world)
    for number, pod in enumerate(world.pods()):
        world.kube.put(PODS, {**pod, "spec": {**pod["spec"], "nodeName": f"maia-{number}"}})
    world.put(docs.deployment("second", replicas=1))
    world.put(docs.workload("second", rate="5.0", allowedVariants=["maia-x8"]))
    world.settle()
    move = world.decide().move("prod/second")
    assert (move.decision, move.reason) == (Verdict.HOLD, Reason.FRAGMENTED)
    assert "12 chips are free on pool maia, but no node has 8 together" in move.message
    assert not carry_out(world)


def test_a_pool_that_can_grow_has_room_for_what_fits_a_new_node():
    """The autoscaler adds one: pieces elsewhere are no matter."""
    world = World.standard()
    filled(world, "maia", 3)
    target = world.decide().move("prod/chat").target
    assert target is not None
    assert target.pool == "maia"


def test_a_pod_that_waits_takes_no_place_from_who_runs():
    """A foreign pod pends for all eight chips of a node: the plan does not count ours away for it."""
    world = settled()
    world.put(docs.pod("waits", chips=8, resource=RESOURCE))
    world.put(docs.pod("waits-too", chips=8, resource=RESOURCE))
    assert told(world) == (Verdict.STAY, Reason.STAYS)


def test_a_gated_pod_reserves_nothing():
    """Somebody else has to let it go first."""
    for gates, pool in (([], "mi300x"), ([{"name": "example.com/quota"}], "maia")):
        world = static(World.standard())
        for number in range(2):
            waiting = docs.pod(f"w{number}", chips=8, resource=RESOURCE, spec={"schedulingGates": gates})
            world.put(waiting)
        target = world.decide().move("prod/chat").target
        assert target is not None
        assert target.pool == pool


def test_an_unbound_pod_that_its_affinity_keeps_away_reserves_nothing():
    away = {"matchExpressions": [{"key": docs.NODE_LABEL, "operator": "In", "values": ["elsewhere"]}]}
    affinity = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [away]}}
    }
    world = static(World.standard())
    for number in range(2):
        world.put(docs.pod(f"w{number}", chips=8, resource=RESOURCE, spec={"affinity": affinity}))
    target = world.decide().move("prod/chat").target
    assert target is not None
    assert target.pool == "maia"


def test_scaling_up_where_it_is_stops_at_what_the_nodes_take():
    """Six replicas are needed and the two nodes hold four: no pod is made that would only pend."""
    world = settled()
    spec(
        world,
        traffic={"meanRequestsPerSecond": "45.0", "inputTokens": 512, "outputTokens": 100},
        allowedPools=["maia"],
    )
    (act,) = carry_out(world)
    assert act.replicas == 4
    assert "6 replicas are needed, 2 run, and the nodes take 4" in act.message
    world.settle()
    assert not carry_out(world)
    assert world.deployment()["spec"]["replicas"] == 4


def test_a_variant_with_cpu_of_its_own_still_has_the_sidecar_beside_it():
    """The sum is what the scheduler counts, not the serving container alone."""
    content = docs.template()
    content["spec"]["containers"].append(
        {"name": "logs", "image": "logs:1", "resources": {"requests": {"cpu": "4", "memory": "1Gi"}}}
    )
    lean = docs.variant("maia", container={"resources": {"cpu": "2", "memory": "8Gi"}})
    world = World.standard(
        docs.profile(docs.variant("h100", container=None), lean), docs.deployment(content=content)
    )
    target = world.decide().move("prod/chat").target
    assert target is not None
    assert (target.footprint.cpu_milli, target.footprint.memory_bytes) == (6_000, 9 * 2**30)


def test_what_admission_adds_to_the_authors_pods_is_added_everywhere():
    """A webhook injects a proxy of two CPUs: the pods show it, the template does not."""
    world = World.standard()
    for pod in world.pods():
        proxy = {"name": "proxy", "image": "proxy:1", "resources": {"requests": {"cpu": "2"}}}
        world.kube.put(
            PODS, {**pod, "spec": {**pod["spec"], "containers": [*pod["spec"]["containers"], proxy]}}
        )
    target = world.decide().move("prod/chat").target
    assert target is not None
    assert target.footprint.cpu_milli == 10_000


def test_a_restored_zero_stays_zero():
    """Its author scaled it to zero after the move: giving it back does not start what the author stopped."""
    world = World.standard()
    until_quiet(world)
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=0))
    world.settle()
    world.kube.drop(INFERENCE_WORKLOADS, docs.NAMESPACE, "chat")
    until_quiet(world)
    assert world.deployment()["spec"]["replicas"] == 0
    assert "chipwise.dev/managed" not in world.deployment()["metadata"].get("labels", {})
