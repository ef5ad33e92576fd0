"""Pools that draw on one NodePool's limits, or on one node group's maximum: together they get no more nodes than there may be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from chipwise.autoscaling.status import GroupState, GroupStates
from chipwise.cluster.extract import extract
from chipwise.cluster.own_groups import own_group
from chipwise.cluster.pools import PoolView, view_pools
from chipwise.cluster.sharing import Ledger
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.state import ClusterState
from chipwise.cluster.supply import supply
from chipwise.kube.reflector import key_of
from chipwise.placement.ceilings import nodes_to_come
from chipwise.reasons import Reason
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli import fleet
from tests.cluster import documents as docs
from tests.cluster import karpenter_documents as kd
from tests.cluster.documents import Document
from tests.cluster.world import resource_of

SHAPE = {"chips": 2, "cpu": "16", "memory": "128Gi"}
TERMS = {"spot": "Spot", "od": "OnDemand"}


def node_pool(**spec: Any) -> Document:
    return kd.node_pool("gpu", kd.requirement("karpenter.sh/capacity-type", "spot", "on-demand"), **spec)


def pool(name: str, amount: str, capacity_type: str, **spec: Any) -> Document:
    found = fleet.pool(name, amount, className="gpu", shape=SHAPE, capacityType=capacity_type, **spec)
    found["spec"]["karpenter"] = {"nodePool": "gpu"}
    if not spec.get("nodeSelector"):
        del found["spec"]["nodeSelector"]
    del found["spec"]["nodes"]
    return found


def planned(*documents: Document, workloads: int) -> Document:
    names = [f"w{n}" for n in range(workloads)]
    fleet_of = (
        fleet.chip("gpu"),
        fleet.profile(fleet.variant("gpu")),
        *documents,
        *(fleet.workload(name) for name in names),
        *(fleet.deployment(name, "gpu", 1) for name in names),
    )
    with TemporaryDirectory() as folder:
        result = fleet.invoke("plan", "-f", fleet.write(Path(folder), *fleet_of), "-o", "json")
    assert result.exit_code in (0, 1), result.output
    plan: Document = json.loads(result.stdout)
    return plan


def test_spot_and_on_demand_of_one_node_pool_keep_to_its_limit_together():
    spot, on_demand = pool("gpu-spot", "8", "Spot"), pool("gpu-od", "20", "OnDemand")
    plan = planned(node_pool(limits={"nodes": "2"}), spot, on_demand, workloads=4)
    summary = plan["summary"]
    assert (summary["placed"], summary["unplaced"], summary["optimal"]) == (2, 2, True)
    assert summary["costPerHour"] == "16.0000"
    assert summary["lowerBoundPerHour"] == summary["objectivePerHour"]
    assert {each["name"]: each["nodes"] for each in plan["pools"]} == {"gpu-od": 0, "gpu-spot": 2}
    refused = [each for each in plan["workloads"] if not each["placed"]]
    assert all("1 more of limits.nodes of NodePool gpu" in each["message"] for each in refused)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(["8", "12", "20"]), min_size=2, max_size=4),
    st.integers(0, 5),
    st.sampled_from(["nodes", "cpu", "example.com/gpu"]),
    st.integers(1, 6),
)
def test_no_plan_passes_a_limit_however_many_pools_share_it(prices, most, resource, workloads):
    """Whichever resource is limited; as many are placed as the limit lets in."""
    each = {"nodes": 1, "cpu": 16, "example.com/gpu": 2}[resource]
    pools = [
        pool(f"gpu-{n}", price, "OnDemand", nodeSelector={"topology.kubernetes.io/zone": f"zone-{n}"})
        for n, price in enumerate(prices)
    ]
    plan = planned(node_pool(limits={resource: str(most * each)}), *pools, workloads=workloads)
    assert sum(one["nodes"] for one in plan["pools"]) == min(most, workloads)
    assert plan["summary"]["placed"] == min(most, workloads)
    assert plan["summary"]["optimal"]


# the views


def snapshot(*objects: Document, groups: GroupStates | None = None) -> Snapshot:
    state = ClusterState(karpenter=True)
    for document in objects:
        resource = resource_of(document)
        fact = extract(resource, document)
        assert fact is not None
        state.put(resource, key_of(document), fact)
    return replace(state.snapshot(), group_states={"status": groups} if groups is not None else {})


def views(*objects: Document, groups: GroupStates | None = None) -> dict[str, PoolView]:
    return view_pools(snapshot(fleet.chip("gpu"), *objects, groups=groups))


def test_a_limit_says_with_whom_it_is_shared():
    found = views(
        pool("gpu-spot", "8", "Spot"), pool("gpu-od", "20", "OnDemand"), node_pool(limits={"nodes": "2"})
    )
    assert {name: (view.to_come, view.limit) for name, view in found.items()} == {
        "gpu-od": (2, "limits.nodes of NodePool gpu, shared with gpu-spot"),
        "gpu-spot": (2, "limits.nodes of NodePool gpu, shared with gpu-od"),
    }


def test_what_is_on_its_way_counts_once():
    """A spot node that Karpenter launches has been taken off the limit, and is spot's alone."""
    found = views(
        pool("gpu-spot", "8", "Spot"),
        pool("gpu-od", "20", "OnDemand"),
        node_pool(limits={"nodes": "3"}),
        kd.claim("on-its-way", "gpu", capacity_type="spot"),
    )
    assert {name: (view.to_come, view.coming) for name, view in found.items()} == {
        "gpu-od": (2, 0),
        "gpu-spot": (3, 1),
    }
    ledger = Ledger(found.values())
    pools = [supply(view, snapshot(), (), ledger=ledger) for view in found.values()]
    assert [nodes_to_come(each) for each in pools] == [2, 2]
    assert [sum(b.count for b in each.buckets) for each in pools] == [2, 3]
    assert [(c.amount, c.each) for c in ledger.ceilings()] == [(2, (("gpu-od", 1), ("gpu-spot", 1)))]


def grouped(*, most: int, nodes: int = 0) -> dict[str, PoolView]:
    found = [docs.pool(name, "h100", nodeGroup="asg", nodeSelector={"kind": name}) for name in ("a", "b")]
    there = [docs.node("h100", n, labels={"kind": "a"}) for n in range(nodes)]
    state = GroupStates((GroupState("asg", maximum=most),))
    return view_pools(snapshot(docs.chip_class("h100"), *found, *there, groups=state))


@pytest.mark.parametrize(("most", "nodes", "left"), [(2, 0, 2), (2, 1, 1), (2, 2, 0)])
def test_two_pools_of_one_group_have_its_maximum_once(most, nodes, left):
    """Nodes of the one leave less for the other."""
    found = grouped(most=most, nodes=nodes)
    assert [view.to_come for view in found.values()] == [left, left]
    (ceiling,) = Ledger(found.values()).ceilings()
    assert (ceiling.key, ceiling.amount) == ("the maximum of node group asg", left)


def test_nodes_that_waiting_pods_open_are_gone_for_the_other_pool():
    found = grouped(most=2)
    waiting = docs.pod("foreign", chips=8)
    known = snapshot(docs.chip_class("h100"), waiting)
    ledger = Ledger(found.values())
    first, second = (supply(view, known, (), ledger=ledger) for view in found.values())
    opened = [2 - nodes_to_come(each) for each in (first, second)]
    assert opened == [1, 1], "a pod that either may take reserves in both, and never more than there may be"
    assert ledger.ceilings()[0].amount == 0


def test_a_group_is_full_by_the_nodes_of_all_its_pools():
    """Whichever of them a pod waits for."""
    full, open_ = grouped(most=2, nodes=2), grouped(most=3, nodes=2)
    assert {own_group(view).closed for view in full.values()} == {Reason.GROUP_AT_MAXIMUM}
    assert {own_group(view).closed for view in open_.values()} == {None}
    assert min(len(view.nodes) for view in full.values()) == 0
