"""A template names further pools only where nodes have to come, in order of cost; what spilled there comes back by a budgeted rollout."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.api import parse
from chipwise.control.act import Kind
from chipwise.control.status import workload_status
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS
from chipwise.reasons import Reason
from chipwise.rendering import record as records

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, serving
from tests.control.carrying import acts, carry_out, only_act, until_quiet

KEY = "prod/chat"
FAR, DEAR = "maia-far", "maia-dear"


def fleet(*more: Document, **policy: Any) -> World:
    """Three Maia pools without a node, each of which may get four; the author's two replicas serve on H100."""
    world = World.standard(
        docs.pool("maia", price="2.00"),
        docs.pool(FAR, "maia", price="3.00"),
        docs.pool(DEAR, "maia", price="4.00"),
        docs.policy(**{"minimumStay": "0s", **policy}),
        *more,
    )
    world.lose_nodes("maia")
    return world


def named(world: World) -> list[str]:
    """The pools of the Deployment's terms, in order."""
    affinity = world.deployment()["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    assert "preferredDuringSchedulingIgnoredDuringExecution" not in affinity
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return [
        value
        for term in terms
        for expression in term["matchExpressions"]
        if expression["key"] == docs.NODE_LABEL
        for value in expression["values"]
    ]


def pools_of(world: World) -> tuple[str, ...]:
    record = records.read(world.deployment())
    assert record is not None
    return record.pools


def placements(world: World) -> list[tuple[str, int, str | None]]:
    status = workload_status(KEY, world.decide())
    parse({**docs.workload("chat"), "status": {**status, "conditions": []}})
    return [(each["pool"], each["replicas"], each.get("reason")) for each in status["placements"]]


def test_terms_are_in_order_of_cost_where_nodes_must_come():
    world = fleet()
    assert only_act(world).kind is Kind.MOVE
    carry_out(world)
    assert named(world) == ["maia", FAR, DEAR]
    assert pools_of(world) == ("maia", FAR, DEAR)
    assert world.decide().move(KEY).reason is Reason.MOVE_IN_PROGRESS


@pytest.mark.parametrize(("most", "pools"), [(1, ["maia"]), (2, ["maia", FAR])])
def test_no_more_pools_than_the_policy_allows(most: int, pools: list[str]):
    world = fleet(maxPools=most)
    carry_out(world)
    assert named(world) == pools


def test_no_further_pool_where_its_own_nodes_are_there():
    world = fleet()
    world.put(docs.node("maia", 0))
    carry_out(world)
    assert named(world) == ["maia"]


def test_no_further_pool_that_has_a_free_node_already():
    """The scheduler would fill it at once, however dear it is."""
    world = fleet(docs.node(FAR, 0))
    carry_out(world)
    assert named(world) == ["maia", DEAR]


def test_no_further_pool_without_room_for_all_of_it():
    """The plan keeps room: with one of the pool's nodes to come in the way of others, two of eight chips are none for two times eight."""
    world = fleet(
        docs.profile(docs.variant("h100", container=None), docs.variant("maia", chips=8)),
        docs.pool(FAR, "maia", price="3.00", nodes={"max": 1}),
    )
    carry_out(world)
    assert named(world) == ["maia", DEAR]


def test_room_that_is_kept_for_one_is_not_kept_for_another():
    world = fleet(
        docs.pool(FAR, "maia", price="3.00", nodes={"max": 1}),
        docs.workload("other"),
        docs.deployment("other"),
        docs.node("h100", 2),
        maxConcurrentMoves=2,
    )
    assert [act.kind for act in carry_out(world)] == [Kind.MOVE, Kind.MOVE]
    both = [
        "maia-far" in str(world.deployment(name)["spec"]["template"]["spec"]["affinity"])
        for name in ("chat", "other")
    ]
    assert sorted(both) == [False, True]


def spilled() -> World:
    """One replica found its node in the pool, the other only in the next."""
    world = fleet(
        docs.profile(docs.variant("h100", container=None), docs.variant("maia", chips=8)),
        minimumStay="10m",
    )
    carry_out(world)
    world.put(docs.node("maia", 0))
    world.put(docs.node(FAR, 0))
    world.settle()
    assert serving(world) == {"example.com/maia": 2}
    return world


def test_what_has_spilled_is_told_where_it_is():
    world = spilled()
    assert placements(world) == [("maia", 1, None), (FAR, 1, "Spilled")]
    decision = world.decide()
    assert decision.move(KEY).reason is Reason.STAYS
    assert decision.pods[KEY].old == ()
    assert acts(world) == []


def test_what_has_spilled_comes_back_when_it_has_stayed():
    """By a rollout to the pool alone; nothing that serves is taken away first."""
    world = spilled()
    world.pass_time(minutes=9)
    assert acts(world) == []
    renewals = world.decide().renewals[KEY]
    assert renewals is not None
    assert renewals.reason is Reason.MINIMUM_STAY
    assert world.decide().due_seconds == pytest.approx(60, abs=1)
    world.pass_time(minutes=2)
    act = only_act(world)
    assert act.kind is Kind.RENEW
    assert "1 of its pods are in other pools: the template names maia alone" in act.message
    carry_out(world)
    assert named(world) == ["maia"]
    assert pools_of(world) == ("maia",)
    for number in (1, 2):
        world.put(docs.node("maia", number))
    until_quiet(world)
    assert placements(world) == [("maia", 2, None)]
    assert acts(world) == []


def test_an_authors_change_while_pods_are_elsewhere_leaves_record_and_template_in_step():
    """The new template names one pool, and so does the record."""
    world = spilled()

    def env(document: Document) -> None:
        container = document["spec"]["template"]["spec"]["containers"][0]
        container["env"] = [*container.get("env", []), {"name": "LOG", "value": "debug"}]

    world.edit(DEPLOYMENTS, "chat", env)
    assert only_act(world).kind is Kind.ADOPT
    carry_out(world)
    assert named(world) == ["maia"]
    assert pools_of(world) == ("maia",)


def test_what_has_spilled_stays_while_its_own_pool_has_no_room():
    world = spilled()
    world.edit(ACCELERATOR_POOLS, "maia", lambda d: d["spec"]["nodes"].update(max=1))
    world.pass_time(minutes=11)
    assert acts(world) == []
    refusal = world.decide().renewals[KEY]
    assert refusal is not None
    assert refusal.reason is Reason.NO_SURGE_CAPACITY


def test_where_all_of_it_has_spilled_it_lives_there_and_goes_back_by_a_move():
    """A move with savings, under the usual rules; the pool that it leaves is not among the further ones."""
    world = fleet(docs.profile(docs.variant("h100", container=None), docs.variant("maia", chips=8)))
    carry_out(world)
    for number in range(2):
        world.put(docs.node(FAR, number))
    world.settle()
    move = world.decide().move(KEY)
    assert (move.source.pool, move.target and move.target.pool) == (FAR, "maia")
    assert move.savings_per_hour == pytest.approx(2.0)
    assert only_act(world).kind is Kind.MOVE
    carry_out(world)
    assert named(world) == ["maia", DEAR]


def test_a_pool_that_is_gone_is_named_no_more():
    world = spilled()
    world.kube.drop(ACCELERATOR_POOLS, None, DEAR)
    world.pass_time(minutes=11)
    carry_out(world)
    assert DEAR not in named(world)
