"""Each rule refuses with its reason, and accepts everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chipwise.cluster.cooling import Cooling
from chipwise.cluster.feasibility import RULES, Case, first_refusal
from chipwise.cluster.pools import view_pools
from chipwise.cluster.subject import Subject, accept
from chipwise.kube.resources import NAMESPACES, PERSISTENT_VOLUME_CLAIMS
from chipwise.performance.computing import WEIGHT_BITS
from chipwise.reasons import Reason
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import NOON, World

Template = Callable[[Document], Any]


def case(
    pool_name: str = "maia",
    *,
    workload: Document | None = None,
    variant: Document | None = None,
    pool: Document | None = None,
    template: Template | None = None,
    objects: tuple[Document, ...] = (),
    prepare: Callable[[World], Any] | None = None,
) -> Case:
    """The author's pods run on H100; asked about is one variant on one pool."""
    content = docs.template()
    if template is not None:
        template(content)
    chosen = variant or docs.variant(pool_name)
    world = World(
        *(docs.chip_class(name) for name in docs.RESOURCES),
        *(docs.pool(name) for name in docs.RESOURCES if name != pool_name),
        pool or docs.pool(pool_name),
        docs.node("h100"),
        docs.profile(chosen),
        workload or docs.workload(),
        docs.deployment(content=content),
        *objects,
    )
    if prepare is not None:
        prepare(world)
    snapshot = world.snapshot()
    views = view_pools(snapshot)
    subject = accept(snapshot.workloads["prod/chat"], snapshot, views)
    assert isinstance(subject, Subject), subject
    (one,) = subject.profile.spec.variants
    return Case(subject, one, views[pool_name], snapshot, Cooling(NOON))


def refusal(**given_: Any) -> Reason | None:
    found = first_refusal(case(**given_))
    return found.reason if found else None


def pod_spec(**fields: Any) -> Template:
    return lambda content: content["spec"].update(fields)


def volume(**source: Any) -> Template:
    return pod_spec(volumes=[{"name": "data", **source}])


def claim(*modes: str) -> Callable[[World], Any]:
    document = {"metadata": {"name": "weights", "namespace": "prod"}, "spec": {"accessModes": list(modes)}}
    return lambda world: world.kube.put(PERSISTENT_VOLUME_CLAIMS, document)


def namespace(**labels: str) -> Callable[[World], Any]:
    return lambda world: world.kube.put(NAMESPACES, {"metadata": {"name": "prod", "labels": labels}})


CLAIMED = volume(persistentVolumeClaim={"claimName": "weights"})
TENANTS = docs.pool("maia", namespaceSelector={"matchLabels": {"team": "ml"}})
SIDECAR = {"name": "side", "image": "s", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
ZONED = docs.pool("maia", zones=["z1", "z2"])
ALIEN = {"key": "alien", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        ({}, None),
        ({"pool": docs.pool("maia", price=None)}, Reason.UNPRICED),
        ({"workload": docs.workload(allowedVariants=["h100-x4"])}, Reason.VARIANT_NOT_ALLOWED),
        ({"workload": docs.workload(allowedVariants=["maia-x4"])}, None),
        ({"workload": docs.workload(allowedPools=["h100"])}, Reason.POOL_NOT_ALLOWED),
        ({"workload": docs.workload(allowedPools=["maia"])}, None),
        ({"pool": TENANTS}, Reason.NAMESPACE_NOT_ALLOWED),
        ({"pool": TENANTS, "prepare": namespace(team="other")}, Reason.NAMESPACE_NOT_ALLOWED),
        ({"pool": TENANTS, "prepare": namespace(team="ml")}, None),
        ({"pool": docs.pool("maia", namespaceSelector={}), "prepare": namespace()}, None),
        ({"objects": (docs.policy(capacityTypes=["Reserved"]),)}, Reason.CAPACITY_TYPE_NOT_ALLOWED),
        (
            {
                "objects": (docs.policy(capacityTypes=["Reserved"]),),
                "pool": docs.pool("maia", capacityType="Reserved"),
            },
            None,
        ),
        ({"workload": docs.workload(minimumPrecision="bf16")}, Reason.PRECISION_TOO_LOW),
        ({"workload": docs.workload(minimumPrecision="int8")}, None),
        ({"variant": docs.variant("maia", baseImages=["other:*"])}, Reason.VARIANT_OUTDATED),
        ({"variant": docs.variant("maia", baseImages=["other:*", "example.com/engine:*"])}, None),
        ({"variant": docs.variant("maia", chips=16)}, Reason.NODE_TOO_SMALL),
        (
            {"pool": docs.pool("maia", shape={"chips": 8, "cpu": "4", "memory": "1000Gi"})},
            Reason.NODE_TOO_SMALL,
        ),
        (
            {"pool": docs.pool("maia", shape={"chips": 8, "cpu": "96", "memory": "1Gi"})},
            Reason.NODE_TOO_SMALL,
        ),
        (
            {
                "pool": docs.pool("maia", shape={"chips": 8, "cpu": "4", "memory": "1000Gi"}),
                "variant": docs.variant("maia", container={"resources": {"cpu": "2"}}),
            },
            None,
        ),
        ({"objects": (docs.node("maia", taints=[ALIEN]),)}, Reason.TAINT_NOT_TOLERATED),
        ({"objects": (docs.node("maia", taints=[ALIEN]), docs.node("maia", 1))}, None),
        ({"template": pod_spec(nodeSelector={"disk": "fast"})}, Reason.SELECTOR_UNSATISFIED),
        (
            {
                "template": pod_spec(nodeSelector={"disk": "fast"}),
                "objects": (docs.node("maia", labels={"disk": "fast"}),),
            },
            None,
        ),
        ({"template": pod_spec(nodeSelector={docs.ZONE: "z2"}), "pool": ZONED}, None),
        ({"template": pod_spec(nodeSelector={docs.ZONE: "z3"}), "pool": ZONED}, Reason.SELECTOR_UNSATISFIED),
        ({"template": pod_spec(nodeSelector={"kubernetes.io/arch": "arm64"})}, Reason.ARCHITECTURE_MISMATCH),
        ({"template": pod_spec(nodeSelector={"kubernetes.io/arch": "amd64"})}, None),
        ({"template": volume(hostPath={"path": "/weights"})}, Reason.VOLUME_NOT_MOVABLE),
        ({"template": volume(emptyDir={})}, None),
        ({"template": CLAIMED}, Reason.VOLUME_NOT_MOVABLE),
        ({"template": CLAIMED, "prepare": claim("ReadWriteOnce")}, Reason.VOLUME_NOT_MOVABLE),
        ({"template": CLAIMED, "prepare": claim("ReadWriteMany")}, None),
        ({"template": CLAIMED, "prepare": claim("ReadOnlyMany")}, None),
        ({"template": pod_spec(nodeName="h100-0")}, Reason.NODE_PINNED),
        (
            {
                "template": lambda content: content["spec"]["containers"].append(SIDECAR),
                "workload": docs.workload(container="server"),
            },
            Reason.SIDECAR_WANTS_CHIPS,
        ),
        (
            {"template": lambda c: c["spec"]["containers"][0].update(args=["x" * 90_000])},
            Reason.BASE_TOO_LARGE,
        ),
    ],
)
def test_a_rule_refuses_with_its_own_reason(given_: dict[str, Any], reason: Reason | None):
    assert refusal(**given_) is reason


@pytest.mark.parametrize(
    "given_",
    [
        {"template": volume(hostPath={"path": "/weights"})},
        {"template": CLAIMED},
        {"template": lambda c: c["spec"]["containers"][0].update(args=["x" * 90_000])},
    ],
)
def test_staying_needs_neither_volumes_that_move_nor_a_rendering(given_: dict[str, Any]):
    home = case("h100", **given_)
    assert home.at_home
    assert first_refusal(home) is None


def test_the_first_objection_is_the_one_that_is_easiest_to_understand():
    """A pool that is not ready is said before what is wrong with the workload on it."""
    found = refusal(
        pool=docs.pool("maia", price=None),
        workload=docs.workload(allowedPools=["h100"], minimumPrecision="bf16"),
    )
    assert found is Reason.UNPRICED


def test_every_rule_is_named_once():
    assert len(set(RULES)) == len(RULES) == 15


def test_a_refusal_names_what_would_have_to_change():
    found = first_refusal(case(variant=docs.variant("maia", chips=16)))
    assert found is not None
    assert found.message == "a node of pool maia offers one replica only 8 of 16 chips"


@settings(max_examples=36, deadline=None)
@given(st.sampled_from(sorted(WEIGHT_BITS)), st.sampled_from(sorted(WEIGHT_BITS)))
def test_precisions_compare_by_bits_per_weight(floor: str, has: str):
    found = refusal(
        workload=docs.workload(minimumPrecision=floor), variant=docs.variant("maia", precision=has)
    )
    assert (found is None) == (WEIGHT_BITS[has] >= WEIGHT_BITS[floor])


def test_an_architecture_that_does_not_fit_is_named_with_the_one_asked_for():
    found = first_refusal(case(template=pod_spec(nodeSelector={"kubernetes.io/arch": "arm64"})))
    assert found is not None
    assert found.message == "nodes of pool maia are amd64, the Deployment asks for arm64"
