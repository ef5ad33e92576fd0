"""What the scheduler will ask of nodes: named nodes, one replica each, a spread; and what nobody can count is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.cluster.facts import pod_fact
from chipwise.cluster.pools import view_pools
from chipwise.cluster.sizes import Added, size_of_template
from chipwise.cluster.terms import TermsOf
from chipwise.placement.terms import Spread, Terms
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.location import container_digest

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
HOST, ZONE = "kubernetes.io/hostname", docs.ZONE
MINE = {"matchLabels": {"app": "chat"}}
A, B, C = "h100-0", "h100-1", "h100-2"
ALL = frozenset({A, B, C})


def fleet(*more: Document, **pool: Any) -> World:
    """Three nodes in two zones: a and b in z1, c in z2."""
    nodes = [
        docs.node("h100", number, labels={HOST: f"h100-{number}", ZONE: zone})
        for number, zone in enumerate(("z1", "z1", "z2"))
    ]
    given = {"nodes": {"min": 0, "max": 3}, **pool}
    return World(docs.chip_class("h100"), docs.pool("h100", **given), *nodes, *more)


def found(world: World, **fields: Any) -> Terms | Refusal:
    """For the author's template of four chips, with ``fields`` of its pods' spec."""
    template = docs.template()
    template["spec"].update(fields)
    snapshot = world.snapshot()
    size = size_of_template(template, Added(), snapshot)
    return TermsOf(snapshot)(template, docs.NAMESPACE, size, view_pools(snapshot)["h100"])


def terms(world: World, **fields: Any) -> Terms:
    answer = found(world, **fields)
    assert isinstance(answer, Terms), answer
    return answer


def there(name: str, on: str, *, app: str = "chat", namespace: str = docs.NAMESPACE, **spec: Any) -> Document:
    """A pod that is bound already."""
    document = docs.pod(name, on=on, namespace=namespace, spec=spec)
    document["metadata"]["labels"] = {"app": app}
    return document


def repels(key: str = HOST, selector: Document | None = None, **more: Any) -> Document:
    term = {"topologyKey": key, "labelSelector": MINE if selector is None else selector, **more}
    return {"podAntiAffinity": {REQUIRED: [term]}}


def spread(key: str = ZONE, skew: int = 1, **more: Any) -> Document:
    given = {"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": MINE}
    return {**given, **more}


def test_without_constraints_every_node_of_the_pool_will_do():
    assert terms(fleet()) == Terms(ALL, new_nodes=False)
    assert terms(fleet(nodes={"min": 0, "max": 4})).new_nodes


def test_a_zone_pin_leaves_the_nodes_of_the_zone():
    zone = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["z2"]}]}
    pinned = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [zone]}}}
    assert terms(fleet(), affinity=pinned).nodes == {C}
    growing = fleet(nodes={"min": 0, "max": 4}, zones=["z1"])
    assert not terms(growing, affinity=pinned).new_nodes
    assert terms(fleet(nodes={"min": 0, "max": 4}, zones=["z2"]), affinity=pinned).new_nodes


def test_nodes_that_take_nobody_new_are_left_out():
    world = fleet(
        docs.node("h100", 0, unschedulable=True),
        docs.node("h100", 1, ready=False),
        docs.node("h100", 2, taints=[{"key": "maintenance", "effect": "NoSchedule"}]),
    )
    assert terms(world).nodes == frozenset()
    tolerant = [{"operator": "Exists"}]
    assert terms(world, tolerations=tolerant).nodes == {C}


def test_other_resources_are_named():
    server = docs.template()["spec"]["containers"][0]
    server["resources"]["requests"] |= {"ephemeral-storage": "10Gi"}
    server["resources"]["limits"]["example.com/nic"] = "2"
    assert terms(fleet(), containers=[server]).more == (
        ("ephemeral-storage", 10 * 2**30),
        ("example.com/nic", 2),
    )


def test_hosts_that_repel_take_one_replica_each_and_none_beside_another():
    """Also beside one that is on its way out: it repels until it is gone."""
    world = fleet(there("old", A), there("leaving", B), there("other", C, app="search"))
    answer = terms(world, affinity=repels())
    assert (set(answer.nodes), answer.one_per_node) == ({C}, True)


def test_a_term_about_others_does_not_part_ones_own():
    world = fleet(there("noisy", A, app="noisy"))
    answer = terms(world, affinity=repels(selector={"matchLabels": {"app": "noisy"}}))
    assert (set(answer.nodes), answer.one_per_node) == ({B, C}, False)


def test_a_new_replica_set_does_not_mind_the_old_one_where_the_hash_tells_them_apart():
    """``matchLabelKeys: [pod-template-hash]``: the old copy may share nodes, the new ones may not among themselves."""
    answer = terms(fleet(there("old", A)), affinity=repels(matchLabelKeys=["pod-template-hash"]))
    assert (set(answer.nodes), answer.one_per_node) == (set(ALL), True)


def test_namespaces_of_a_term_are_minded():
    foreign = there("other", A, namespace="other")
    assert terms(fleet(foreign), affinity=repels()).nodes == ALL
    assert terms(fleet(foreign), affinity=repels(namespaces=["other"])).nodes == {B, C}
    assert terms(fleet(foreign), affinity=repels(namespaceSelector={})).nodes == {B, C}


def test_zones_that_repel_take_one_replica_each():
    answer = terms(fleet(there("old", C)), affinity=repels(ZONE))
    assert (set(answer.nodes), answer.one_per_node) == ({A, B}, False)
    assert answer.spread is not None
    assert answer.spread.skew is None
    assert answer.spread.allowed({"z1": 16, "z2": 0}) == 1


def test_a_pod_that_is_there_may_keep_ours_away():
    """Anti-affinity holds both ways."""
    hermit = there("hermit", A, app="hermit", affinity=repels())
    assert terms(fleet(hermit)).nodes == {B, C}
    elsewhere = there("hermit", A, app="hermit", namespace="other", affinity=repels())
    assert terms(fleet(elsewhere)).nodes == ALL
    wide = there("hermit", A, app="hermit", affinity=repels(ZONE))
    assert terms(fleet(wide)).nodes == {C}


def test_a_port_of_the_host_is_taken_once():
    port = {"containerPort": 8000, "hostPort": 8000}
    server = {**docs.template()["spec"]["containers"][0], "ports": [port]}
    other = {"name": "c", "image": "x", "ports": [port]}
    world = fleet(there("other", A, app="other", containers=[other]))
    answer = terms(world, containers=[server])
    assert (set(answer.nodes), answer.one_per_node) == ({B, C}, True)
    udp = {"name": "c", "image": "x", "ports": [{**port, "protocol": "UDP"}]}
    assert terms(fleet(there("other", A, containers=[udp])), containers=[server]).nodes == ALL


def test_a_spread_counts_what_matches_on_all_nodes_that_it_looks_at():
    """Terminating pods are not counted, pods of others are not, and a cordoned node is a domain all the same."""
    leaving = there("leaving", C)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    world = fleet(there("one", A), there("two", B), there("alien", C, app="alien"), leaving)
    answer = terms(world, topologySpreadConstraints=[spread(skew=2)])
    assert answer.spread == Spread(((A, "z1"), (B, "z1"), (C, "z2")), 2, (("z1", 2), ("z2", 0)))
    hosts = terms(world, topologySpreadConstraints=[spread(HOST)])
    assert hosts.spread is not None
    assert dict(hosts.spread.standing) == {A: 1, B: 1, C: 0}


def test_fewer_domains_than_the_spread_wants_count_from_zero():
    answer = terms(fleet(), topologySpreadConstraints=[spread(minDomains=3)])
    assert answer.spread is not None
    assert answer.spread.from_zero


def test_nodes_whose_taints_it_honours_are_no_domain():
    world = fleet(
        docs.node("h100", 2, labels={HOST: C, ZONE: "z2"}, taints=[{"key": "t", "effect": "NoSchedule"}])
    )
    honoured = terms(world, topologySpreadConstraints=[spread(nodeTaintsPolicy="Honor")])
    assert honoured.spread is not None
    assert dict(honoured.spread.standing) == {"z1": 0}


def test_a_spread_that_need_not_hold_asks_nothing():
    answer = terms(fleet(), topologySpreadConstraints=[spread(whenUnsatisfiable="ScheduleAnyway")])
    assert answer.spread is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"affinity": {"podAffinity": {REQUIRED: [{"topologyKey": ZONE, "labelSelector": MINE}]}}},
            "podAffinity",
        ),
        ({"affinity": repels(mismatchLabelKeys=["team"])}, "mismatchLabelKeys"),
        ({"topologySpreadConstraints": [spread(), spread(HOST)]}, "several topologies at once"),
        ({"topologySpreadConstraints": [spread()], "affinity": repels("rack")}, "several topologies at once"),
        (
            {"topologySpreadConstraints": [spread(labelSelector={"matchLabels": {"app": "x"}})]},
            "its own pods",
        ),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(fields: dict[str, Any], said: str):
    refusal = found(fleet(), **fields)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.CONSTRAINT_UNCLEAR
    assert said in refusal.message


def test_what_cannot_be_counted_stops_a_move_and_nobody_who_stays():
    content = docs.template()
    content["spec"]["affinity"] = {"podAffinity": {REQUIRED: [{"topologyKey": ZONE, "labelSelector": MINE}]}}
    world = World.standard(docs.deployment(content=content))
    choice = world.decide().choice("prod/chat")
    assert choice.option is not None
    assert choice.option.pool == "h100"
    workload = world.decide().acting.problem.workload("prod/chat")
    assert workload is not None
    assert {c.refusal.reason for c in workload.refused} == {Reason.CONSTRAINT_UNCLEAR}


def chips_of(**spec: Any) -> dict[str, int]:
    raw = docs.pod("p", spec=spec)
    fact = pod_fact(raw, container_digest)
    assert fact is not None
    return dict(fact.chips)


def asking(name: str, count: str, **more: Any) -> Document:
    return {"name": name, "image": "x", "resources": {"limits": {"nvidia.com/gpu": count}}, **more}


def test_chips_of_a_pod_are_counted_as_the_scheduler_counts_them():
    """The larger of all containers together and the largest init container; sidecars beside both."""
    two, eight = asking("a", "2"), asking("init", "8")
    assert chips_of(containers=[two, asking("b", "1")]) == {"nvidia.com/gpu": 3}
    assert chips_of(containers=[two], initContainers=[eight]) == {"nvidia.com/gpu": 8}
    sidecar = asking("side", "1", restartPolicy="Always")
    assert chips_of(containers=[two], initContainers=[sidecar]) == {"nvidia.com/gpu": 3}
    assert chips_of(containers=[two], initContainers=[sidecar, eight]) == {"nvidia.com/gpu": 9}
    overhead = {"nvidia.com/gpu": "1"}
    assert chips_of(containers=[two], overhead=overhead) == {"nvidia.com/gpu": 3}
