"""Rules that GKE tries from the top, in our order: each says all that its pool's selector does, or the pool is left out with words."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.autoscaling.compute_class import NoRule, Place, compute_class, rule_of, rules_of
from hypothesis import given
from hypothesis import strategies as st

POOL = "cloud.google.com/gke-nodepool"
GPU = "cloud.google.com/gke-accelerator"
FAMILY = "cloud.google.com/machine-family"
TYPE = "node.kubernetes.io/instance-type"
ZONE = "topology.kubernetes.io/zone"
TPU, TOPOLOGY = "cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology"
CLASS = "cloud.google.com/compute-class"
#: The fields of a rule, of those that are written here, in GKE's reference of ComputeClass.
FIELDS: dict[str, Any] = {
    "priorityScore": int,
    "nodepools": list,
    "machineType": str,
    "machineFamily": str,
    "gpu": {"type", "count"},
    "tpu": {"type", "count", "topology"},
    "spot": bool,
    "location": {"zones"},
}

places = st.lists(
    st.builds(
        Place,
        st.text("abcdefgh", min_size=1, max_size=4),
        st.dictionaries(
            st.sampled_from([POOL, GPU, FAMILY, TYPE, ZONE, TPU, TOPOLOGY, "example.com/x"]),
            st.sampled_from(["a", "b", "a-8"]),
        ),
        st.integers(1, 8),
        st.booleans(),
        st.lists(st.sampled_from(["z1", "z2"]), unique=True, max_size=2).map(tuple),
        st.booleans(),
    ),
    max_size=15,
    unique_by=lambda place: place.pool,
)


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        (Place("p", {POOL: "h100", GPU: "nvidia-h100-80gb"}, 8, spot=True), {"nodepools": ["h100"]}),
        (Place("p", {POOL: "h100"}, 8, reserved=True, zones=("z1",)), {"nodepools": ["h100"]}),
        (
            Place("p", {FAMILY: "a3", GPU: "nvidia-h100-80gb"}, 8, spot=True),
            {"machineFamily": "a3", "gpu": {"type": "nvidia-h100-80gb", "count": 8}, "spot": True},
        ),
        (Place("p", {TYPE: "a3-highgpu-8g"}, 8), {"machineType": "a3-highgpu-8g", "spot": False}),
        (
            Place("p", {TPU: "tpu-v6e-slice", TOPOLOGY: "2x4"}, 8),
            {"tpu": {"type": "tpu-v6e-slice", "count": 8, "topology": "2x4"}, "spot": False},
        ),
        (
            Place("p", {GPU: "l4", ZONE: "us-central1-a"}, 1, zones=("us-central1-a", "us-central1-b")),
            {"gpu": {"type": "l4", "count": 1}, "spot": False, "location": {"zones": ["us-central1-a"]}},
        ),
        (
            Place("p", {GPU: "l4", "cloud.google.com/gke-spot": "true"}, 1, spot=True, zones=("z1", "z2")),
            {"gpu": {"type": "l4", "count": 1}, "spot": True, "location": {"zones": ["z1", "z2"]}},
        ),
        (Place("p", {GPU: "l4", CLASS: "mine"}, 1), {"gpu": {"type": "l4", "count": 1}, "spot": False}),
    ],
)
def test_a_rule_says_all_that_the_selector_says(place, rule):
    assert rule_of(place, "mine") == rule


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place("p", {"example.com/x": "a"}, 8), "no label of GKE"),
        (Place("p", {GPU: "nvidia-t4", "team": "ml"}, 1), "team=ml, which no rule can say"),
        (Place("p", {GPU: "l4", CLASS: "others"}, 1), f"{CLASS}=others"),
        (Place("p", {GPU: "l4", "cloud.google.com/gke-spot": "true"}, 1), "gke-spot=true"),
        (Place("p", {POOL: "h100", ZONE: "us-central1-a"}, 8), "names whole node pools"),
        (Place("p", {GPU: "l4"}, 1, reserved=True), "no reservation is known"),
        (Place("p", {TPU: "tpu-v6e-slice", TYPE: "ct6e-standard-8t"}, 8), f"{TOPOLOGY} together"),
        (Place("p", {TYPE: "a3-highgpu-8g", FAMILY: "g2"}, 8), "not of family g2"),
    ],
)
def test_what_no_rule_can_say_keeps_the_pool_out(place, words):
    with pytest.raises(NoRule, match=words):
        rule_of(place, "mine")


def test_zones_make_rules_of_their_own_and_a_rule_comes_once():
    """Two pools in two zones are two rules; the same rule again would never be reached."""
    found = rules_of(
        "mine",
        [
            Place("a", {GPU: "h100", ZONE: "us-central1-a"}, 8),
            Place("b", {GPU: "h100", ZONE: "us-central1-b"}, 8),
            Place("again", {GPU: "h100"}, 8, zones=("us-central1-a",)),
        ],
    )
    assert [pool for pool, _ in found.taken] == ["a", "b"]
    assert found.left_out == (("again", "its rule is that of pool a, which comes first"),)


@given(places, st.booleans())
def test_what_gke_demands_of_a_class(found, scored):
    """Known fields only; at most ten rules, none twice; scores on all or none, from 1 to 1000, falling; every pool is in or named."""
    rules = rules_of("x", found)
    assert sorted([p for p, _ in rules.taken] + [p for p, _ in rules.left_out]) == sorted(
        p.pool for p in found
    )
    document = compute_class("x", rules, scored=scored)
    if document is None:
        assert not rules.taken
        return
    spec = document["spec"]
    written = spec["priorities"]
    bare = [{k: v for k, v in rule.items() if k != "priorityScore"} for rule in written]
    assert bare == [rule for _, rule in rules.taken]
    assert len(bare) <= 10
    assert all(bare.count(rule) == 1 for rule in bare)
    for field, value in (pair for rule in written for pair in rule.items()):
        wanted = FIELDS[field]
        assert set(value) == wanted if isinstance(wanted, set) else isinstance(value, wanted)
    scores = [rule["priorityScore"] for rule in written if "priorityScore" in rule]
    assert len(scores) == (len(written) if scored else 0)
    assert all(1 <= score <= 1000 for score in scores)
    assert scores == sorted(set(scores), reverse=True)
    assert ("nodePoolAutoCreation" in spec) is any("nodepools" not in rule for rule in written)
    assert spec["whenUnsatisfiable"] == "DoNotScaleUp"
