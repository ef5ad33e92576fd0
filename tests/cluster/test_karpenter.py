"""A pool that names a NodePool: what is read of Karpenter, what is refused, and how many nodes are counted on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from chipwise.cli.source import read_cluster
from chipwise.cluster.extract import BY_KIND, extract
from chipwise.cluster.facts import NodeClaimFact
from chipwise.cluster.karpenter import UNLIMITED
from chipwise.cluster.manifests import load
from chipwise.cluster.pools import PoolView, view_pools
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.state import ClusterState
from chipwise.control.pool_status import seen_under
from chipwise.kube.errors import Forbidden
from chipwise.kube.protocol import Page
from chipwise.kube.reflector import key_of
from chipwise.kube.resources import NODE_CLAIMS, Resource
from chipwise.reasons import Reason
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster import karpenter_documents as kd
from tests.cluster.documents import Document
from tests.cluster.world import resource_of
from tests.kube.fake import FakeKube

CLASS = docs.chip_class("h100")
SHAPE = {"chips": 8, "cpu": "96", "memory": "1000Gi"}


def snapshot(*objects: Document, karpenter: bool = True) -> Snapshot:
    state = ClusterState(karpenter=karpenter)
    for document in objects:
        resource = resource_of(document)
        fact = extract(resource, document)
        assert fact is not None
        state.put(resource, key_of(document), fact)
    return state.snapshot()


def view(*objects: Document, karpenter: bool = True) -> PoolView:
    return view_pools(snapshot(CLASS, *objects, karpenter=karpenter))["h100"]


def reason(*objects: Document, karpenter: bool = True) -> Reason | None:
    refusal = view(*objects, karpenter=karpenter).refusal
    return refusal.reason if refusal else None


# what is refused


@pytest.mark.parametrize(
    ("objects", "karpenter", "expected"),
    [
        ((kd.pool(shape=SHAPE), kd.node_pool()), False, Reason.KARPENTER_NOT_READ),
        ((kd.pool(shape=SHAPE),), True, Reason.NODE_POOL_MISSING),
        ((kd.pool(), kd.node_pool()), True, Reason.SHAPE_UNKNOWN),
        ((kd.pool(shape=SHAPE, price=None), kd.node_pool()), True, Reason.UNPRICED),
        (
            (
                kd.pool(shape=SHAPE),
                kd.node_pool("h100", kd.requirement("karpenter.sh/capacity-type", "spot")),
            ),
            True,
            Reason.NODE_POOL_MISMATCH,
        ),
        (
            (
                kd.pool(shape=SHAPE, nodeSelector={"node.kubernetes.io/instance-type": "big"}),
                kd.node_pool("h100", kd.requirement("node.kubernetes.io/instance-type", "small")),
            ),
            True,
            Reason.NODE_POOL_MISMATCH,
        ),
        ((kd.pool(shape=SHAPE), kd.node_pool()), True, None),
    ],
)
def test_what_stands_in_the_way_is_told_in_one_word(
    objects: tuple[Document, ...], karpenter: bool, expected: Reason | None
):
    assert reason(*objects, karpenter=karpenter) == expected


def test_a_node_pool_that_is_not_ready_keeps_its_nodes_and_gets_no_more():
    """Karpenter's own words; ``refusal`` would send away what runs there."""
    said = kd.condition("NodeClassReady", "False", "SubnetsNotFound", "no subnet matches")
    unready = kd.node_pool(conditions=[said, kd.condition("Ready", "False", "UnhealthyDependents", "x")])
    found = view(kd.pool(), unready, kd.node("h100"))
    assert found.refusal is None
    assert found.unready is not None
    assert found.unready.reason is Reason.NODE_POOL_NOT_READY
    assert "NodeClassReady: SubnetsNotFound, no subnet matches" in found.unready.message
    assert (len(found.usable_nodes), found.to_come) == (1, 0)


def test_before_karpenter_has_looked_at_a_node_pool_it_is_not_called_unready():
    assert (
        view(kd.pool(shape=SHAPE), kd.node_pool(conditions=[kd.condition("Ready", "Unknown", "")])).unready
        is None
    )


def test_a_node_pool_that_is_being_deleted_gets_no_more_nodes():
    """Karpenter takes none such for a new pod, whatever its conditions say."""
    going = kd.node_pool()
    going["metadata"] |= {"deletionTimestamp": kd.LATE, "finalizers": ["foregroundDeletion"]}
    found = view(kd.pool(), going, kd.node("h100"))
    assert found.refusal is None
    assert found.unready is not None
    assert found.unready.reason is Reason.NODE_POOL_NOT_READY
    assert "it is being deleted" in found.unready.message
    assert (len(found.usable_nodes), found.to_come) == (1, 0)


MACHINE = "node.kubernetes.io/instance-type"


@pytest.mark.parametrize(
    ("selector", "node_pool", "said"),
    [
        ({"team": "ml"}, kd.node_pool(), 'label "team" does not have known values'),
        ({"nvidia.com/gpu.product": "H100"}, kd.node_pool(), 'label "nvidia.com/gpu.product" does not'),
        ({"kubernetes.io/hostname": "n"}, kd.node_pool(), 'label "kubernetes.io/hostname" does not'),
        ({"karpenter.sh/registered": "true"}, kd.node_pool(), "does not have known values"),
        ({"team": "ml"}, kd.node_pool(labels={"team": "ml"}), ""),
        ({"team": "ml"}, kd.node_pool("h100", kd.requirement("team", operator="Exists")), ""),
        ({"karpenter.k8s.aws/instance-gpu-name": "h100"}, kd.node_pool(), ""),
        ({"karpenter.azure.com/sku-name": "x"}, kd.node_pool(), ""),
        ({"topology.kubernetes.io/zone": "a"}, kd.node_pool(), ""),
        (
            {MACHINE: "a"},
            kd.node_pool("h100", kd.requirement(MACHINE, "a", "b", "c", min_values=2)),
            "minValues 2 of node.kubernetes.io/instance-type",
        ),
        (
            {MACHINE: "a"},
            kd.node_pool(
                "h100", kd.requirement("karpenter.k8s.aws/instance-family", operator="Exists", min_values=3)
            ),
            "minValues 3 of karpenter.k8s.aws/instance-family",
        ),
        ({MACHINE: "a"}, kd.node_pool("h100", kd.requirement(MACHINE, "a", "b", min_values=1)), ""),
        # A machine type is sold on both terms and in several zones: of those it has all values, whatever a pod asks for.
        (
            {"topology.kubernetes.io/zone": "a"},
            kd.node_pool(
                "h100", kd.requirement("karpenter.sh/capacity-type", "spot", "on-demand", min_values=2)
            ),
            "",
        ),
    ],
)
def test_a_pool_of_nodes_that_karpenter_can_never_make_is_refused(
    selector: Document, node_pool: Document, said: str
):
    """In Karpenter's words, before a pod waits for one."""
    found = view(kd.pool(shape=SHAPE, nodeSelector=selector), node_pool)
    assert (found.refusal.reason if found.refusal else None) == (Reason.NODE_POOL_MISMATCH if said else None)
    assert found.refusal is None or said in found.refusal.message
    assert bool(found.to_come) is not bool(said)


def test_nodes_with_a_label_that_somebody_gave_them_are_used_while_they_stand():
    """None like them will come, so none is counted on."""
    labelled = kd.node("h100")
    labelled["metadata"]["labels"]["team"] = "ml"
    found = view(kd.pool(shape=SHAPE, nodeSelector={"team": "ml"}), kd.node_pool(), labelled)
    assert (found.hindrance, len(found.usable_nodes), found.to_come) == (None, 1, 0)
    assert found.limit == "NodePool h100 makes no node with the labels that the pool selects"
    assert found.launches is not None
    assert found.launches.against(kd.EARLY) is None


# which nodes, of what shape


def test_the_nodes_are_those_of_the_node_pool_and_the_capacity_type():
    both = (kd.node("h100", 0), kd.node("h100", 1, capacity_type="spot"))
    assert [node.name for node in view(kd.pool(), kd.node_pool(), *both).nodes] == ["h100-0"]


def test_spot_and_on_demand_of_one_node_pool_are_two_pools():
    spot = kd.pool("spot", class_name="h100", shape=SHAPE, capacityType="Spot")
    spot["spec"]["karpenter"]["nodePool"] = "h100"
    found = view_pools(snapshot(CLASS, kd.pool(shape=SHAPE), spot, kd.node_pool()))
    assert {name: one.refusal for name, one in found.items()} == {"h100": None, "spot": None}


def test_its_taints_are_tolerated_once():
    """The class tolerates the first already."""
    taints = [
        {"key": "nvidia.com/gpu", "effect": "NoSchedule"},
        {"key": "team", "value": "ml", "effect": "NoExecute"},
        {"key": "soft", "effect": "PreferNoSchedule"},
    ]
    found = view(kd.pool(shape=SHAPE), kd.node_pool(taints=taints))
    added = {"key": "team", "operator": "Equal", "value": "ml", "effect": "NoExecute"}
    assert [dict(t) for t in found.tolerations if t["key"] != "nvidia.com/gpu"] == [added]
    assert len(found.tolerations) == 2


def test_labels_that_every_node_will_have_are_known_at_zero_nodes():
    instance = kd.requirement("node.kubernetes.io/instance-type", "gpu-8")
    choice = kd.requirement("example.com/family", "a", "b")
    found = view(kd.pool(shape=SHAPE), kd.node_pool("h100", instance, choice, labels={"team": "ml"}))
    (labels,) = found.declared_labels
    assert labels["node.kubernetes.io/instance-type"] == "gpu-8"
    assert labels["team"] == "ml"
    assert "example.com/family" not in labels


def claim_of(room: Document, **more: Any) -> Document:
    return kd.claim("h100-aaaaa", capacity=room, **more)


ROOM = {"cpu": "90", "memory": "900Gi", "pods": "58", "nvidia.com/gpu": "4"}


@pytest.mark.parametrize(
    ("pool", "others", "chips", "source"),
    [
        (kd.pool(shape=SHAPE), (kd.node("h100"),), 8, "spec.shape"),
        (kd.pool(), (kd.node("h100"), claim_of(ROOM)), 8, "nodes of NodePool h100"),
        (kd.pool(), (claim_of(ROOM),), 4, "NodeClaims of NodePool h100"),
        (kd.pool(), (claim_of({"cpu": "90"}),), 1, ""),
    ],
)
def test_the_shape_and_who_says_so(pool: Document, others: tuple[Document, ...], chips: int, source: str):
    """As declared, else of nodes, else of NodeClaims; a node that has not registered its chips yet says nothing."""
    found = view(pool, kd.node_pool(), *others)
    assert (found.room.chips, found.shape_source) == (chips, source)


def test_what_was_last_seen_outlives_the_nodes():
    """From status, and only of the same NodePool."""
    last = {"chips": 8, "cpu": "95900m", "memory": "1000Gi", "pods": 110, "source": "nodes of NodePool h100"}
    pool = {**kd.pool(), "status": {"shapeInForce": last}}
    found = view(pool, kd.node_pool())
    assert (found.room.chips, found.room.cpu_milli, found.refusal) == (8, 95900, None)
    assert found.shape_source == "last seen of NodePool h100"
    pool["status"]["shapeInForce"]["source"] = "nodes of NodePool another"
    assert reason(pool, kd.node_pool()) is Reason.SHAPE_UNKNOWN


def remembered(pool: Document, *objects: Document) -> Document:
    """The pool with the status that it gets from these."""
    found = view(pool, *objects)
    assert found.shape is not None
    assert found.shape_source
    shape = {
        "chips": found.room.chips,
        "cpu": f"{found.room.cpu_milli}m",
        "memory": str(found.room.memory_bytes),
        "pods": found.room.pods,
        "source": found.shape_source,
        **seen_under(found.shape),
    }
    return {**pool, "status": {"shapeInForce": shape}}


TYPES = kd.requirement("node.kubernetes.io/instance-type", "gpu-h100-8", "gpu-h100-4")


@pytest.mark.parametrize(
    ("changes", "node_pool", "known"),
    [
        ({}, kd.node_pool("h100", TYPES), True),
        ({}, kd.node_pool("h100", TYPES, labels={"team": "ml"}), True),
        ({}, kd.node_pool("h100", TYPES, kd.requirement("topology.kubernetes.io/zone", "a")), True),
        ({}, kd.node_pool("h100", kd.requirement(TYPES["key"], "gpu-h100-4")), False),
        ({"nodeSelector": {TYPES["key"]: "gpu-h100-4"}}, kd.node_pool("h100", TYPES), False),
        ({"className": "maia"}, kd.node_pool("h100", TYPES), False),
    ],
    ids=["nothing", "labels", "zones", "machines", "selector", "class"],
)
def test_what_was_seen_of_other_nodes_is_not_believed(changes: Document, node_pool: Document, known: bool):
    """With another class, another selector or another choice of machines come other nodes."""
    seen = remembered(kd.pool(), kd.node_pool("h100", TYPES), kd.node("h100"))
    later = {**seen, "spec": {**seen["spec"], **changes}}
    found = view_pools(snapshot(CLASS, docs.chip_class("maia"), later, node_pool))["h100"]
    assert (found.refusal is None) is known
    assert known or (found.refusal is not None and found.refusal.reason is Reason.SHAPE_UNKNOWN)


def test_what_was_seen_waits_for_a_node_pool_that_is_gone_for_a_moment():
    seen = remembered(kd.pool(), kd.node_pool("h100", TYPES), kd.node("h100"))
    assert view(remembered(seen), kd.node_pool("h100", TYPES)).refusal is None


def test_at_zero_nodes_a_limit_is_counted_with_the_whole_machine_that_was_seen():
    """100 CPU of which pods can use 96, twice, are more than 196."""
    machine = claim_of({"cpu": "100", "memory": "1100Gi", "nvidia.com/gpu": "8"}, node="n")
    limited = kd.node_pool(limits={"cpu": "196"})
    assert view(kd.pool(shape=SHAPE), limited).to_come == 2
    seen = remembered(kd.pool(shape=SHAPE), limited, machine)
    assert view(seen, limited).to_come == 1
    assert view(remembered(seen, limited), limited).to_come == 1
    assert view(seen, kd.node_pool(limits={"memory": "2100Gi"})).to_come == 1


# what it costs


@pytest.mark.parametrize(
    ("overlays", "amount", "source"),
    [
        ([kd.overlay("a", price="12.5")], "12.5", "NodeOverlay a"),
        ([kd.overlay("a", price="1"), kd.overlay("b", price="2", weight=5)], "2", "NodeOverlay b"),
        ([kd.overlay("a", price="1"), kd.overlay("b", priceAdjustment="+10%", weight=5)], None, None),
        ([kd.overlay("a", kd.requirement("karpenter.sh/nodepool", "h100"), price="3")], "3", "NodeOverlay a"),
        ([kd.overlay("a", kd.requirement("karpenter.sh/nodepool", "other"), price="3")], None, None),
        ([kd.overlay("a", kd.requirement("node.kubernetes.io/instance-type", "x"), price="3")], None, None),
        (
            [kd.overlay("a", kd.requirement("node.kubernetes.io/instance-type", "x", "y"), price="3")],
            "3",
            "NodeOverlay a",
        ),
        ([kd.overlay("a", kd.requirement("topology.kubernetes.io/zone", "z"), price="3")], None, None),
        ([kd.overlay("a", price="3", owner="h100")], None, None),
    ],
)
def test_a_price_is_an_overlays_only_where_every_node_must_match_it(
    overlays: list[Document], amount: str | None, source: str | None
):
    """The NodePool may make two machine types, in any zone. Nothing is guessed: else the pool is ``Unpriced``."""
    types = kd.requirement("node.kubernetes.io/instance-type", "x", "y")
    found = view(kd.pool(shape=SHAPE, price=None), kd.node_pool("h100", types), *overlays)
    assert (found.price and found.price.amount, found.price and found.price.source) == (amount, source)
    assert (
        found.refusal is None
        if amount
        else found.refusal is not None and "NodeOverlay" in found.refusal.message
    )


def test_the_pools_own_price_goes_before_any_overlay():
    found = view(kd.pool(shape=SHAPE, price="7.00"), kd.node_pool(), kd.overlay("a", price="1"))
    assert found.price is not None
    assert (found.price.amount, found.price.source) == ("7.00", "spec.price")


# how many nodes may come

WHOLE = {"cpu": "96", "memory": "1000Gi", "nvidia.com/gpu": "8"}


@pytest.mark.parametrize(
    ("limits", "claims", "to_come", "limit"),
    [
        ({}, 0, UNLIMITED, "no limit is set: as many as 1000 more are counted on"),
        ({"nodes": "3"}, 0, 3, "limits.nodes of NodePool h100"),
        ({"nodes": "3"}, 2, 1, "limits.nodes of NodePool h100"),
        ({"nodes": "3"}, 5, 0, "limits.nodes of NodePool h100"),
        ({"cpu": "200"}, 0, 2, "limits.cpu of NodePool h100"),
        ({"cpu": "200"}, 1, 1, "limits.cpu of NodePool h100"),
        ({"nvidia.com/gpu": "8", "cpu": "1000"}, 0, 1, "limits.nvidia.com/gpu of NodePool h100"),
        ({"amd.com/gpu": "1"}, 0, UNLIMITED, "no limit is set: as many as 1000 more are counted on"),
    ],
)
def test_limits_bound_the_nodes_to_come(limits: Document, claims: int, to_come: int, limit: str):
    there = [kd.claim(f"h100-{n:05}", capacity=WHOLE, node=f"n{n}") for n in range(claims)]
    found = view(kd.pool(shape=SHAPE), kd.node_pool(limits=limits), *there)
    assert (found.to_come, found.limit) == (to_come, limit)


def test_where_a_node_counts_as_little_as_was_asked_of_it_limits_do_too():
    """kwok's provider: four CPU were asked for, so the node takes four of the limit, and the next a whole one."""
    small = [kd.claim(f"h100-{n:05}", capacity={"cpu": "4"}, node=f"n{n}") for n in range(2)]
    assert view(kd.pool(shape=SHAPE), kd.node_pool(limits={"cpu": "200"}), *small).to_come == 2


def test_what_is_under_way_is_still_to_come_and_counts_against_the_limit():
    found = view(kd.pool(shape=SHAPE), kd.node_pool(limits={"nodes": "3"}), kd.unlaunched("h100-aaaaa"))
    assert found.to_come == 3


def test_the_pools_own_maximum_holds_beside_the_limits():
    found = view(kd.pool(shape=SHAPE, nodes={"max": 2}), kd.node_pool(limits={"nodes": "5"}), kd.node("h100"))
    assert (found.to_come, found.limit) == (1, "spec.nodes.max")


def test_a_static_node_pool_has_as_many_nodes_as_it_says_and_they_are_paid_for():
    """Its nodes stand whatever runs on them, so using them costs nothing."""
    found = view(kd.pool(shape=SHAPE), kd.node_pool(replicas=3), kd.node("h100"))
    assert (found.minimum, found.maximum, found.to_come) == (3, 3, 2)
    assert found.limit == "spec.replicas of NodePool h100"


@pytest.mark.parametrize(
    ("pool", "limits", "expected"),
    [
        ({}, {"nodes": "2"}, (2, 2, "limits.nodes of NodePool h100")),
        ({}, {"nodes": "5"}, (3, 3, "spec.replicas of NodePool h100")),
        ({"nodes": {"max": 2}}, None, (2, 2, "spec.nodes.max")),
    ],
    ids=["its own limit", "a limit for replacements", "the pool's maximum"],
)
def test_a_static_node_pool_is_no_larger_than_its_limits(
    pool: Document, limits: Document | None, expected: tuple[int, int, str]
):
    """Karpenter creates no node beyond them, whatever the replicas (static/provisioning)."""
    found = view(kd.pool(shape=SHAPE, **pool), kd.node_pool(replicas=3, limits=limits), kd.node("h100"))
    assert (found.minimum, found.maximum, found.limit) == expected


def test_nodes_of_a_static_node_pool_that_came_on_other_terms_come_no_second_time():
    """It offers both, and two of its three are spot: one more may come to either pool."""
    both = kd.requirement("karpenter.sh/capacity-type", "spot", "on-demand")
    spot = [kd.node("h100", number, capacity_type="spot") for number in range(2)]
    found = view(kd.pool(shape=SHAPE), kd.node_pool("h100", both, replicas=3), *spot)
    assert (found.minimum, found.maximum, found.to_come) == (1, 1, 1)


def test_a_static_node_pool_that_is_scaled_down_keeps_what_still_stands():
    nodes = [kd.node("h100", number) for number in range(3)]
    found = view(kd.pool(shape=SHAPE), kd.node_pool(replicas=1), *nodes)
    assert (found.minimum, found.maximum, found.to_come) == (1, 3, 0)


@pytest.mark.parametrize("kind", ["on-demand", "spot"])
def test_a_price_in_an_overlay_is_that_of_its_capacity_type(kind: str):
    """One overlay for each: a pool reads its own."""
    both = kd.requirement("karpenter.sh/capacity-type", "spot", "on-demand")
    told = [
        kd.overlay(each, kd.requirement("karpenter.sh/capacity-type", each), price=price)
        for each, price in (("spot", "12.5"), ("on-demand", "40"))
    ]
    terms = {"on-demand": "OnDemand", "spot": "Spot"}[kind]
    found = view(kd.pool(shape=SHAPE, price=None, capacityType=terms), kd.node_pool("h100", both), *told)
    assert found.price is not None
    assert (found.price.amount, found.price.source) == (
        {"on-demand": "40", "spot": "12.5"}[kind],
        f"NodeOverlay {kind}",
    )


@given(
    limit=st.integers(0, 2000),
    asked=st.lists(st.integers(1, 96), max_size=6),
    going=st.integers(0, 6),
)
def test_no_plan_passes_a_limit(limit: int, asked: list[int], going: int):
    """However much the nodes that stand count, those to come fit beside them at their full size; nodes that go do not count."""
    claims = [
        kd.claim(
            f"h100-{n:05}", capacity={"cpu": str(cpu)}, node=f"n{n}", deleting=kd.LATE if n < going else ""
        )
        for n, cpu in enumerate(asked)
    ]
    found = view(
        kd.pool(shape=SHAPE), kd.node_pool(limits={"cpu": str(limit)} if limit else {"cpu": "0"}), *claims
    )
    used = sum(asked[going:])
    each = max([96, *asked[going:]])
    assert found.to_come == max(0, limit - used) // each


# how launches have gone


def test_a_claim_that_goes_before_it_was_launched_is_remembered():
    state = ClusterState(karpenter=True)
    for name, launched in (("h100-aaaaa", False), ("h100-bbbbb", True)):
        document = kd.claim(name) if launched else kd.unlaunched(name, deleting=kd.LATE)
        state.put(NODE_CLAIMS, key_of(document), extract(NODE_CLAIMS, document))
    state.drop(NODE_CLAIMS, ("", "h100-aaaaa"))
    state.replace(NODE_CLAIMS, {})
    (lost,) = state.snapshot().lost_claims
    assert isinstance(lost, NodeClaimFact)
    assert lost.name == "h100-aaaaa"


def evidence(*objects: Document, since: str = kd.EARLY, **node_pool: Any) -> tuple[Reason, str] | None:
    launches = view(kd.pool(shape=SHAPE), kd.node_pool(**node_pool), *objects).launches
    assert launches is not None
    found = launches.against(since)
    return (found.reason, found.message) if found else None


def test_one_failure_is_no_evidence_and_two_are():
    first, second = kd.launch_event("h100-aaaaa"), kd.launch_event("h100-bbbbb", kd.LATER, "still none")
    assert evidence(first) is None
    found = evidence(first, second)
    assert found is not None
    assert found[0] is Reason.LAUNCH_FAILED
    assert "2 times: InsufficientCapacityError: still none" in found[1]


@pytest.mark.parametrize(
    "more",
    [
        kd.claim("h100-ccccc", created=kd.LATER),
        kd.unlaunched("h100-ccccc"),
    ],
    ids=["a later one was launched", "one is on its way"],
)
def test_there_is_hope_again(more: Document):
    failed = (kd.launch_event("h100-aaaaa"), kd.launch_event("h100-bbbbb"))
    assert evidence(*failed) is not None
    assert evidence(*failed, more) is None


def test_failures_from_before_the_pod_waited_and_of_other_node_pools_say_nothing():
    failed = (kd.launch_event("h100-aaaaa"), kd.launch_event("h100-bbbbb"))
    assert evidence(*failed, since=kd.LATER) is None
    assert evidence(kd.launch_event("h100-spot-aaaaa"), kd.launch_event("h100-spot-bbbbb")) is None


def test_the_providers_words_are_told_rather_than_a_later_loss_without_any():
    """The Event about the last NodeClaim may come after it is gone."""
    state = ClusterState(karpenter=True)
    lost = kd.unlaunched("h100-bbbbb", deleting=kd.LATER)
    event = kd.launch_event("h100-aaaaa")
    for document in (CLASS, kd.pool(shape=SHAPE), kd.node_pool(), event, lost):
        state.put(resource_of(document), key_of(document), extract(resource_of(document), document))
    state.drop(NODE_CLAIMS, key_of(lost))
    launches = view_pools(state.snapshot())["h100"].launches
    assert launches is not None
    found = launches.against(kd.EARLY)
    assert found is not None
    assert (found.reason, found.since) == (Reason.LAUNCH_FAILED, kd.LATER)
    assert found.message.endswith("2 times: InsufficientCapacityError: no capacity in zone-a")


def test_a_failure_in_a_condition_counts_once_with_its_event():
    stuck = kd.unlaunched("h100-aaaaa", reason="LaunchFailed")
    assert evidence(stuck, kd.launch_event("h100-aaaaa")) is None
    assert evidence(stuck, kd.launch_event("h100-bbbbb")) is not None


def test_a_limit_that_is_reached_is_evidence_and_a_maximum_that_karpenter_does_not_know_is_none():
    full = view(kd.pool(shape=SHAPE, nodes={"max": 1}), kd.node_pool(), kd.node("h100"))
    assert full.to_come == 0
    assert full.launches is not None
    assert full.launches.against(kd.EARLY) is None
    found = evidence(limits={"nodes": "0"})
    assert found is not None
    assert found[0] is Reason.LIMIT_REACHED
    assert "limits.nodes of NodePool h100 is reached" in found[1]


def test_events_of_other_kinds_and_reasons_are_no_facts():
    about_pod = {**kd.launch_event("h100-aaaaa"), "involvedObject": {"kind": "Pod", "name": "p"}}
    assert extract(BY_KIND["Event"], about_pod) is None
    assert extract(BY_KIND["Event"], {**kd.launch_event("h100-aaaaa"), "reason": "Unregistered"}) is None


# without a cluster


def test_a_plan_from_files_reads_node_pools(tmp_path: Path):
    """NodePools stand beside the rest, and other kinds of that name are passed over."""
    foreign = {"apiVersion": "example.com/v1", "kind": "NodePool", "metadata": {"name": "other"}}
    documents = [CLASS, kd.pool(shape=SHAPE), kd.node_pool(limits={"nodes": "3"}), foreign]
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(documents))
    found = view_pools(load([tmp_path]))["h100"]
    assert (found.refusal, found.to_come) == (None, 3)


async def test_a_person_without_the_right_to_read_karpenter_still_gets_a_plan():
    """Pools that name a NodePool are refused, in words that name the right; nothing else is lost."""

    class NoKarpenter(FakeKube):
        async def list_all(self, resource: Resource, **more: Any) -> Page:
            if resource.group == "karpenter.sh":
                raise Forbidden("nodepools.karpenter.sh is forbidden", code=403)
            return await super().list_all(resource, **more)

    kube = NoKarpenter()
    for document in (CLASS, kd.pool(shape=SHAPE), docs.pool("plain", "h100")):
        kube.put(resource_of(document), document)
    views = view_pools(await read_cluster(kube))
    assert views["plain"].refusal is None
    refusal = views["h100"].refusal
    assert refusal is not None
    assert refusal.reason is Reason.KARPENTER_NOT_READ
    assert "list nodepools.karpenter.sh" in refusal.message
