"""Rules that GKE tries from the top, in our order."""

from __future__ import annotations

from chipwise.autoscaling.compute_class import Place, compute_class, rule_of
from hypothesis import given
from hypothesis import strategies as st

POOL = "cloud.google.com/gke-nodepool"
GPU = "cloud.google.com/gke-accelerator"

places = st.lists(
    st.builds(
        Place,
        st.text("abc", min_size=1, max_size=4),
        st.dictionaries(
            st.sampled_from([POOL, GPU, "cloud.google.com/machine-family", "example.com/x"]),
            st.sampled_from(["a", "b"]),
        ),
        st.integers(1, 8),
        st.booleans(),
    ),
    max_size=15,
)


def test_rules_name_what_the_selector_names():
    assert rule_of(Place("p", {POOL: "h100", GPU: "nvidia-h100-80gb"}, 8, spot=True)) == {
        "nodepools": ["h100"]
    }
    made = Place("p", {"cloud.google.com/machine-family": "a3", GPU: "nvidia-h100-80gb"}, 8, spot=True)
    assert rule_of(made) == {
        "machineFamily": "a3",
        "gpu": {"type": "nvidia-h100-80gb", "count": 8},
        "spot": True,
    }
    assert rule_of(Place("p", {"node.kubernetes.io/instance-type": "a3-highgpu-8g"}, 8)) == {
        "machineType": "a3-highgpu-8g",
        "spot": False,
    }
    slices = {
        "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
        "cloud.google.com/gke-tpu-topology": "2x4",
    }
    assert rule_of(Place("p", slices, 8)) == {
        "tpu": {"type": "tpu-v6e-slice", "count": 8, "topology": "2x4"},
        "spot": False,
    }
    assert rule_of(Place("p", {"example.com/x": "a"}, 8)) is None


@given(places, st.booleans())
def test_what_gke_demands_of_a_class(found, scored):
    """At most ten rules, scores on all or none, from 1 to 1000, falling, and nodes are made only where a rule wants them made."""
    document = compute_class("x", found, scored=scored)
    rules = [rule for place in found if (rule := rule_of(place)) is not None]
    if document is None:
        assert not rules
        return
    spec = document["spec"]
    written = spec["priorities"]
    assert [{k: v for k, v in rule.items() if k != "priorityScore"} for rule in written] == rules[:10]
    scores = [rule["priorityScore"] for rule in written if "priorityScore" in rule]
    assert len(scores) == (len(written) if scored else 0)
    assert all(1 <= score <= 1000 for score in scores)
    assert scores == sorted(set(scores), reverse=True)
    assert ("nodePoolAutoCreation" in spec) is any("nodepools" not in rule for rule in written)
    assert spec["whenUnsatisfiable"] == "DoNotScaleUp"
