"""Every quota that counts our pods, counted as the quota counts them; and none that does not."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.cluster.facts import quota_fact
from chipwise.cluster.facts.needs import Needs
from chipwise.cluster.quotas import Bid, quotas, taken, unstated, usage
from chipwise.cluster.sizes import PodSize
from chipwise.kube.resources import PODS, PRIORITY_CLASSES, RESOURCE_QUOTAS
from chipwise.placement.moves import Decision as Verdict
from chipwise.reasons import Reason, Refusal

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World
from tests.control.carrying import carry_out, until_quiet

SIZE = PodSize(
    {"cpu": 8_000, "memory": 64 * 2**30, "example.com/maia": 4, "ephemeral-storage": 5},
    {"cpu": 9_000, "memory": 65 * 2**30, "example.com/maia": 4},
)


def quota(hard: Document, used: Document | None = None, name: str = "q", **spec: Any) -> Document:
    return {
        "metadata": {"name": name, "namespace": docs.NAMESPACE},
        "spec": {"hard": hard, **spec},
        "status": {"hard": hard, "used": used or {}},
    }


def limited(world: World, hard: Document, used: Document | None = None, **spec: Any) -> World:
    world.kube.put(RESOURCE_QUOTAS, quota(hard, used, **spec))
    return world


def counts(needs: Needs, **spec: Any) -> bool:
    fact = quota_fact(quota({"pods": "5"}, **spec))
    assert fact is not None
    return fact.counts(needs)


def refused(world: World, pool: str = "maia") -> Refusal | None:
    workload = world.decide().acting.problem.workload("prod/chat")
    assert workload is not None
    return next((c.refusal for c in workload.refused if c.pool == pool), None)


@pytest.mark.parametrize(
    ("resource", "amount"),
    [
        ("pods", 1),
        ("count/pods", 1),
        ("cpu", 8_000),
        ("requests.cpu", 8_000),
        ("limits.cpu", 9_000),
        ("memory", 64 * 2**30),
        ("requests.memory", 64 * 2**30),
        ("limits.memory", 65 * 2**30),
        ("requests.ephemeral-storage", 5),
        ("limits.ephemeral-storage", 0),
        ("requests.example.com/maia", 4),
        ("count/replicasets.apps", 0),
    ],
)
def test_what_a_pod_takes_of_each_resource(resource: str, amount: int):
    assert taken(resource, SIZE) == amount


@pytest.mark.parametrize(
    ("spec", "counted"),
    [
        ({}, True),
        ({"scopes": ["NotTerminating"]}, True),
        ({"scopes": ["Terminating"]}, False),
        ({"scopes": ["NotBestEffort"]}, True),
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["NotTerminating", "BestEffort"]}, False),
        ({"scopes": ["PriorityClass"]}, True),
        ({"scopes": ["VolumeAttributesClass"]}, False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, True),
    ],
)
def test_scopes_say_which_pods_count(spec: dict[str, Any], counted: bool):
    """Pods of a Deployment have no deadline. A scope that is not understood is taken to hold."""
    assert counts(Needs(priority_class="serving"), **spec) is counted


@pytest.mark.parametrize(
    ("operator", "values", "counted"),
    [
        ("In", ["serving"], True),
        ("In", ["batch"], False),
        ("NotIn", ["serving"], False),
        ("NotIn", ["batch"], True),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
    ],
)
def test_a_scope_selector_picks_priority_classes(operator: str, values: list[str], counted: bool):
    expression = {"scopeName": "PriorityClass", "operator": operator, "values": values}
    selector = {"matchExpressions": [expression]}
    assert counts(Needs(priority_class="serving"), scopeSelector=selector) is counted


def test_both_copies_and_a_replica_set_count_during_a_move():
    world = limited(World.standard(), {"pods": "5", "count/replicasets.apps": "3"}, {"pods": "2"})
    snapshot = world.snapshot()
    ours = frozenset(pod.uid for pod in snapshot.pods.values())
    found = quotas(snapshot, ours)
    assert [(q.key, q.amount, q.left) for q in found] == [
        ("prod/q/count/replicasets.apps", 3, 3),
        ("prod/q/pods", 5, 3),
    ]
    moving = Bid("prod/chat", SIZE, 2, 2, moves=True)
    assert usage(moving, found) == (("prod/q/count/replicasets.apps", 1), ("prod/q/pods", 2))
    tight = usage(Bid("prod/chat", SIZE, 4, 2, moves=True), found)
    assert isinstance(tight, Refusal)
    assert "needs 6 pods in namespace prod while both copies run; quota prod/q/pods leaves 5" in tight.message


def test_what_runs_stays_though_the_quota_was_lowered_below_it():
    """Eight chips run and four are allowed: nobody takes them away."""
    world = limited(World.standard(), {"requests.nvidia.com/gpu": "4"}, {"requests.nvidia.com/gpu": "8"})
    assert refused(world, "h100") is None
    choice = world.decide().choice("prod/chat")
    assert choice.option is not None


@pytest.mark.parametrize(
    ("hard", "used"),
    [
        ({"requests.cpu": "31"}, {"requests.cpu": "16"}),
        ({"cpu": "31"}, {"cpu": "16"}),
        ({"requests.memory": "255Gi"}, {"requests.memory": "128Gi"}),
        ({"pods": "3"}, {"pods": "2"}),
        ({"count/pods": "3"}, {"count/pods": "2"}),
        ({"requests.example.com/maia": "7"}, {}),
        ({"count/replicasets.apps": "1"}, {"count/replicasets.apps": "1"}),
    ],
)
def test_a_move_that_a_quota_would_stop_half_way_is_not_begun(hard: Document, used: Document):
    """The new copy beside the old one is more than is left."""
    only = docs.workload(allowedPools=["h100", "maia"])
    world = limited(World.standard(only), hard, used)
    decision = world.decide()
    assert decision.move("prod/chat").decision is not Verdict.MOVE
    assert not carry_out(world)
    wide = limited(World.standard(only), dict.fromkeys(hard, "100000Gi"), used)
    assert wide.decide().move("prod/chat").decision is Verdict.MOVE


def test_two_moves_at_once_share_what_the_quota_leaves():
    """Each alone would do; together they would not, so the second waits."""
    world = World.standard(
        docs.policy(maxConcurrentMoves=5),
        docs.workload("second"),
        docs.deployment("second"),
        docs.node("h100", 2),
    )
    limited(world, {"pods": "7"}, {"pods": "4"})
    decision = world.decide()
    verdicts = sorted(
        (decision.move(f"prod/{n}").decision, decision.move(f"prod/{n}").reason) for n in ("chat", "second")
    )
    assert verdicts == [(Verdict.HOLD, Reason.QUOTA_EXCEEDED), (Verdict.MOVE, Reason.MOVED)]


def test_a_quota_on_limits_refuses_containers_that_state_none():
    """The API server would refuse such a pod; unless a LimitRange fills it in, which the running pods show."""
    world = limited(World.standard(), {"limits.cpu": "1000"})
    refusal = refused(world)
    assert refusal is not None
    assert refusal.reason is Reason.QUOTA_EXCEEDED
    assert "wants every container to state limits.cpu, and server does not" in refusal.message
    for pod in world.pods():
        (server,) = pod["spec"]["containers"]
        limits = {**server["resources"]["limits"], "cpu": "10"}
        filled = {**server, "resources": {**server["resources"], "limits": limits}}
        world.kube.put(PODS, {**pod, "spec": {**pod["spec"], "containers": [filled]}})
    assert refused(world) is None


def test_limits_stated_for_the_whole_pod_will_do():
    fact = quota_fact(quota({"limits.cpu": "10"}))
    assert fact is not None
    world = limited(World.standard(), {"limits.cpu": "10"})
    found = quotas(world.snapshot(), ())
    spec = {"containers": [{"name": "server"}], "resources": {"limits": {"cpu": "4"}}}
    assert unstated("prod", spec, SIZE, found) is None
    assert unstated("prod", {"containers": [{"name": "server"}]}, SIZE, found) is not None


def test_the_default_priority_class_is_that_of_pods_which_name_none():
    selector = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["usual"]}]}
    world = limited(World.standard(), {"pods": "2"}, {"pods": "2"}, scopeSelector=selector)
    assert world.decide().move("prod/chat").decision is Verdict.MOVE
    world.kube.put(PRIORITY_CLASSES, {"metadata": {"name": "usual"}, "value": 5, "globalDefault": True})
    assert world.decide().move("prod/chat").decision is not Verdict.MOVE


def test_growth_stops_at_the_quota():
    """Four are needed and twelve chips allowed: three."""
    world = World.standard(docs.workload(allowedPools=["maia"]))
    until_quiet(world)
    limited(world, {"requests.example.com/maia": "12"}, {"requests.example.com/maia": "8"})
    traffic = {"meanRequestsPerSecond": "30.0", "inputTokens": 512, "outputTokens": 100}
    world.put(docs.workload(allowedPools=["maia"], traffic=traffic))
    world.pass_time(hours=1)
    (act,) = carry_out(world)
    assert act.replicas == 3
