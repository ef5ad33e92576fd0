"""Room that is kept warm: nothing is planned around it, it is billed, and what is written for it follows what pools ask for."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.autoscaling.placeholders import LABEL, Settings, short
from chipwise.cluster.census import census
from chipwise.cluster.decide import Decision, Standing
from chipwise.cluster.pools import view_pools
from chipwise.cluster.spare import spares, with_spare
from chipwise.cluster.supply import supply
from chipwise.cluster.verbs import Verb
from chipwise.cluster.yielding import yielding
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, PODS, PRIORITY_CLASSES
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.problem import Pool
from chipwise.placement.terms import Terms
from chipwise.reasons import Reason

from tests.cluster import documents as docs
from tests.cluster import karpenter_documents as kd
from tests.cluster.documents import Document
from tests.cluster.test_karpenter import snapshot as karpenter_snapshot
from tests.cluster.test_terms import found as terms_found
from tests.cluster.world import World

NAMESPACE = "chipwise-system"
STANDING = Standing(spare=Settings(namespace=NAMESPACE))
PRICE = 80.0


def low(value: int = -10, uid: str = "low", name: str = "chipwise-spare") -> Document:
    return {
        "apiVersion": PRIORITY_CLASSES.api_version,
        "kind": "PriorityClass",
        "metadata": {"name": name, "uid": uid},
        "value": value,
    }


def placeholder(
    name: str, on: str | None = None, chips: int = 8, pool: str = "h100", **spec: Any
) -> Document:
    """A pod that holds a place; ``priority`` -10 unless said otherwise."""
    found = docs.pod(name, on=on, chips=chips, namespace=NAMESPACE, spec={"priority": -10, **spec})
    found["metadata"]["labels"] = {LABEL: pool}
    return found


def asking(*objects: Document, replicas: int = 1, chips: int | None = None, **pool: Any) -> World:
    spare = {"replicas": replicas, **({"chips": chips} if chips else {})}
    world = World(docs.chip_class("h100"), docs.pool("h100", spare=spare, **pool), low(), *objects)
    world.standing = STANDING
    return world


def stored(world: World, decision: Decision) -> None:
    """What is to be written is."""
    assert decision.spares is not None
    for change in decision.spares.changes:
        if change.document is None:
            world.kube.drop(DEPLOYMENTS, NAMESPACE, change.name)
        else:
            world.kube.put(DEPLOYMENTS, {**change.document, "metadata": {**change.document["metadata"]}})


def verbs(world: World) -> list[Verb]:
    decision = world.decide()
    assert decision.spares is not None
    return [change.verb for change in decision.spares.changes]


def refusal(world: World, pool: str = "h100") -> tuple[Reason, str] | None:
    decision = world.decide()
    assert decision.spares is not None
    said = decision.spares.pools[pool].refusal
    return None if said is None else (said.reason, said.message)


# nothing is planned around them


def offered(world: World) -> Pool:
    snapshot = yielding(world.snapshot())
    view = with_spare(view_pools(snapshot), snapshot)["h100"]
    return supply(view, snapshot, ())


def rooms(pool: Pool) -> list[tuple[int, int, float]]:
    return [(b.room.chips, b.count, b.price_per_hour) for b in pool.buckets]


def test_placeholders_take_no_room_and_keep_no_node_alive():
    """Bound or not: who comes has their place, and pays for its node."""
    nodes = (docs.node("h100"), docs.node("h100", 1))
    warm = asking(*nodes, placeholder("p", on="h100-0"), placeholder("q"), replicas=2)
    assert rooms(offered(warm)) == rooms(offered(asking(*nodes, replicas=2))) == [(8, 4, PRICE)]


def test_a_pod_that_only_says_that_it_gives_way_is_like_any_other():
    """Without the priority the scheduler leaves it where it is."""
    false = asking(docs.node("h100"), placeholder("p", on="h100-0", priority=0))
    assert rooms(offered(false)) == [(8, 3, PRICE)]


def test_they_are_nobodys_chips():
    snapshot = yielding(
        asking(docs.node("h100"), placeholder("p", on="h100-0", chips=4), placeholder("q")).snapshot()
    )
    counted = census(view_pools(snapshot)["h100"], snapshot, ())
    assert (counted.used_by_others, counted.reserved, counted.free) == (0, 0, 8)


def test_a_move_goes_where_placeholders_are():
    """And is bound there by pushing them out."""
    world = World.standard(
        docs.pool("maia", spare={"replicas": 2}, nodes={"min": 2, "max": 2}),
        low(),
        *(placeholder(f"p{n}", on=f"maia-{n}", pool="maia", priority=-10) for n in range(2)),
    )
    for pod in world.all(PODS):
        if pod["metadata"]["namespace"] == NAMESPACE:
            pod["spec"]["containers"][0]["resources"]["requests"] = {"example.com/maia": "8"}
            world.kube.put(PODS, pod)
    world.standing = STANDING
    move = world.decide().move("prod/chat")
    assert move.target is not None
    assert (move.decision, move.target.pool) == (Verdict.MOVE, "maia")


def test_who_may_not_push_them_out_is_kept_off_their_nodes():
    """Pods whose class never preempts, or is as low."""
    timid = {**low(1000, "timid", "timid"), "preemptionPolicy": "Never"}
    world = World(
        docs.chip_class("h100"),
        docs.pool("h100"),
        *(docs.node("h100", number) for number in range(2)),
        timid,
        low(-10, "as-low", "as-low"),
        low(7, "bold", "bold"),
        placeholder("p", on="h100-0"),
    )
    world.snapshot = lambda: yielding(World.snapshot(world))  # type: ignore[method-assign]

    def nodes(**spec: Any) -> frozenset[str]:
        terms = terms_found(world, **spec)
        assert isinstance(terms, Terms)
        return terms.nodes

    assert nodes() == nodes(priorityClassName="bold") == {"h100-0", "h100-1"}
    assert nodes(priorityClassName="timid") == nodes(priorityClassName="as-low") == {"h100-1"}


# what they cost


def test_committed_nodes_are_theirs_first_where_the_pool_can_grow():
    """Whoever takes the one node that is paid for sends the placeholder to one that is not."""
    assert rooms(offered(asking(docs.node("h100"), committedNodes=1))) == [(8, 4, PRICE)]
    assert rooms(offered(asking(docs.node("h100"), committedNodes=2))) == [(8, 1, 0.0), (8, 3, PRICE)]


def test_where_all_is_paid_for_anyway_nothing_is_claimed():
    static = {"min": 2, "max": 2}
    nodes = (docs.node("h100"), docs.node("h100", 1))
    assert rooms(offered(asking(*nodes, nodes=static))) == [(8, 2, 0.0)]


def test_placeholders_smaller_than_a_node_claim_none():
    assert rooms(offered(asking(docs.node("h100"), chips=4, committedNodes=1))) == [
        (8, 1, 0.0),
        (8, 3, PRICE),
    ]


def test_committed_chips_are_theirs_first():
    price = {"amount": "2.00", "unit": "Chip"}
    pool = offered(asking(docs.node("h100"), committedNodes=1, price=price))
    assert pool.committed_chips == 0
    assert pool.spare is not None
    assert pool.spare.claims == 8


def test_the_decision_bills_what_is_kept_warm_now_and_planned():
    decision = asking(docs.node("h100"), replicas=2).decide()
    assert [use.cost_per_hour for use in decision.spare_now] == [2 * PRICE]
    assert decision.shown.plan.spare_per_hour == 2 * PRICE
    off = asking(docs.node("h100"), replicas=2)
    off.standing = Standing()
    assert off.decide().spare_now == ()
    assert off.decide().spares is None


# what is written


def test_it_is_made_once_and_written_again_only_when_something_changes():
    world = asking(docs.node("h100"))
    assert verbs(world) == [Verb.CREATE]
    stored(world, world.decide())
    assert verbs(world) == []
    world.edit(ACCELERATOR_POOLS, "h100", lambda it: it["spec"]["spare"].update(replicas=2))
    assert verbs(world) == [Verb.UPDATE]
    stored(world, world.decide())
    assert verbs(world) == []


def test_what_somebody_scaled_is_scaled_back_and_what_admission_adds_is_left():
    world = asking(docs.node("h100"))
    stored(world, world.decide())
    world.edit(DEPLOYMENTS, "chipwise-spare-h100", lambda it: it["spec"].update(paused=False), NAMESPACE)
    assert verbs(world) == []
    world.edit(DEPLOYMENTS, "chipwise-spare-h100", lambda it: it["spec"].update(replicas=0), NAMESPACE)
    assert verbs(world) == [Verb.UPDATE]


@pytest.mark.parametrize("gone", ["option", "pool"])
def test_without_the_option_or_the_pool_it_goes(gone):
    world = asking(docs.node("h100"))
    stored(world, world.decide())
    if gone == "option":
        world.edit(ACCELERATOR_POOLS, "h100", lambda it: it["spec"].pop("spare"))
    else:
        world.kube.drop(ACCELERATOR_POOLS, None, "h100")
    assert verbs(world) == [Verb.DELETE]


def test_a_pool_that_cannot_be_used_just_now_keeps_what_it_has():
    """Nor does one that does not pass its schema lose it."""
    world = asking(docs.node("h100"))
    stored(world, world.decide())
    world.edit(ACCELERATOR_POOLS, "h100", lambda it: it["spec"].update(className="gone"))
    assert verbs(world) == []
    assert (refusal(world) or ("",))[0] is Reason.CLASS_MISSING
    world.edit(ACCELERATOR_POOLS, "h100", lambda it: it["spec"].update(zones="none"))
    assert verbs(world) == []


def test_a_deployment_of_somebody_elses_is_left_alone():
    theirs = docs.deployment("chipwise-spare-h100")
    theirs["metadata"]["namespace"] = NAMESPACE
    world = asking(docs.node("h100"), theirs)
    assert verbs(world) == []
    reason, message = refusal(world) or ("", "")
    assert reason is Reason.NAME_TAKEN
    assert f"{NAMESPACE}/chipwise-spare-h100" in message


def test_a_deployment_with_a_copied_label_is_nobodys_to_delete():
    """What is ours has the digest of what was written, too."""
    theirs = docs.deployment("web", labels={LABEL: "h100"})
    theirs["metadata"]["namespace"] = NAMESPACE
    world = asking(docs.node("h100"), theirs)
    assert verbs(world) == [Verb.CREATE]


def test_without_a_class_that_gives_way_nothing_is_made():
    world = asking(docs.node("h100"))
    world.kube.drop(PRIORITY_CLASSES, None, "chipwise-spare")
    assert verbs(world) == []
    assert (refusal(world) or ("",))[0] is Reason.PRIORITY_CLASS_MISSING
    world.put(low(value=0))
    assert verbs(world) == []
    assert (refusal(world) or ("",))[0] is Reason.SPARE_NOT_YIELDING


def test_a_new_class_is_a_new_owner():
    """The garbage collector takes what hangs on the old one."""
    world = asking(docs.node("h100"))
    stored(world, world.decide())
    world.kube.drop(PRIORITY_CLASSES, None, "chipwise-spare")
    world.put(low(uid="newer"))
    assert verbs(world) == [Verb.UPDATE]


def test_more_chips_than_a_node_has_are_refused():
    """Of a NodePool whose nodes turn out to be smaller; a stated shape is compared by the API server."""
    seen = kd.node("h100")
    seen["status"]["allocatable"]["nvidia.com/gpu"] = "4"
    snapshot = karpenter_snapshot(
        docs.chip_class("h100"), kd.pool(spare={"replicas": 1, "chips": 8}), kd.node_pool(), seen, low()
    )
    views = with_spare(view_pools(snapshot), snapshot)
    found = spares(views, snapshot, Settings(namespace=NAMESPACE))
    refused = found.pools["h100"].refusal
    assert found.changes == ()
    assert refused is not None
    assert refused.reason is Reason.NODE_TOO_SMALL
    assert "asks for 8 chips together, and a node of pool h100 has 4" in refused.message


def test_how_many_are_warm_is_told_with_the_schedulers_words():
    world = asking(docs.node("h100"), replicas=2)
    reason, message = refusal(world) or ("", "")
    assert (reason, message) == (Reason.SPARE_WAITING, "0 of 2 placeholders have a node")
    world.put(placeholder("p", on="h100-0"))
    late = placeholder("q")
    late["metadata"] |= {
        "labels": {LABEL: "h100", "pod-template-hash": "1"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "chipwise-spare-h100-1", "controller": True}],
    }
    words = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    late["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "message": words}]
    world.put(late)
    assert refusal(world) == (Reason.SPARE_WAITING, f"1 of 2 placeholders have a node: {words}")
    world.put(placeholder("q", on="h100-0"))
    assert refusal(world) is None


def test_a_long_name_is_found_again():
    name = "a" * 100
    world = asking(docs.pool(name, "h100", nodeSelector={"pool": "x"}, spare={"replicas": 1}))
    stored(world, world.decide())
    assert verbs(world) == []
    world.put(placeholder("p", on="n", pool=short(name)))
    decision = world.decide()
    assert decision.spares is not None
    assert decision.spares.pools[name].warm == 1
