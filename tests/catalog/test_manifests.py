"""What the catalogue makes is what the API takes: all classes, all models, all machines."""

from __future__ import annotations

from decimal import Decimal

import pytest
from chipwise import catalog
from chipwise.api import AcceleratorClass, AcceleratorPool, ModelProfile, parse
from chipwise.autoscaling.platforms import handle, unstable
from chipwise.catalog import Instance, ModelEntry
from chipwise.catalog.cases import Named, Sizes, case_of
from chipwise.catalog.chip_figures import ChipEntry
from chipwise.catalog.manifests import Bought, Nodes, Wanted, chip_class, pool, profile
from chipwise.cluster.knowledge import hardware_of
from chipwise.performance.computing import WEIGHT_BITS
from chipwise.reasons import Reason, Refusal

QUOTED = Bought(Decimal("55.04"), "USD", "a list", "2026-07-20")
SHAPED = [pytest.param(each, id=each.name) for each in catalog.instances() if each.memory]


@pytest.mark.parametrize("model", [pytest.param(model, id=model.name) for model in catalog.models()])
def test_a_profile_of_every_model_on_every_chip_is_taken(model: ModelEntry):
    found, refusals = profile(model, [(chip, 64) for chip in catalog.chips()], Wanted())
    assert found is not None
    parsed = parse(found)
    assert isinstance(parsed, ModelProfile)
    assert len(parsed.spec.variants) + len(refusals) == len(catalog.chips())
    assert {one.reason for one in refusals} <= {Reason.NO_PRECISION, Reason.MEMORY_EXCEEDED}


@pytest.mark.parametrize("chip", [pytest.param(chip, id=chip.name) for chip in catalog.chips()])
@pytest.mark.parametrize("precision", WEIGHT_BITS)
def test_manifests_estimate_and_plans_compute_a_precision_on_a_chip_alike(chip: ChipEntry, precision: str):
    """Weights that the chip has no units for are stored, and computed at 16 bits, whoever is asked."""
    model = catalog.model_entry("qwen3-0.6b")
    assert isinstance(model, ModelEntry)
    found, refusals = profile(model, [(chip, 64)], Wanted(precisions=(precision,)))
    estimated = case_of(Named(model.id, chip.name, precision, Sizes(), 1024, 1024, 8))
    if isinstance(estimated, Refusal):
        assert found is None
        assert [one.reason for one in refusals] == [estimated.reason] == [Reason.NO_PRECISION]
        return
    made, chip_as_class = parse(found), parse(chip_class(chip))
    assert isinstance(made, ModelProfile)
    assert isinstance(chip_as_class, AcceleratorClass)
    (variant,) = made.spec.variants
    planned = hardware_of(made, variant, chip_as_class)
    assert not isinstance(planned, Refusal)
    assert (planned.chip, planned.weight_bits) == (estimated.chip, estimated.weight_bits)
    assert planned.chip.flops


@pytest.mark.parametrize("each", SHAPED)
def test_a_pool_of_every_machine_is_taken(each: Instance):
    found = pool(each, Nodes("us-east-1", 4), QUOTED)
    assert not isinstance(found, Refusal)
    parsed = parse(found)
    assert isinstance(parsed, AcceleratorPool)
    assert parsed.spec.class_name == each.chip
    assert parsed.spec.shape is not None
    assert parsed.spec.shape.chips == each.chips
    assert not unstable(parsed.spec.node_selector)


def machine(name: str) -> Instance:
    found = catalog.instance(name)
    assert isinstance(found, Instance)
    return found


def made(name: str, nodes: Nodes, bought: Bought = QUOTED) -> AcceleratorPool:
    found = pool(machine(name), nodes, bought)
    assert not isinstance(found, Refusal), found
    parsed = parse(found)
    assert isinstance(parsed, AcceleratorPool)
    return parsed


def test_the_price_is_dated_and_says_where_it_is_from():
    found = pool(machine("p5.48xlarge"), Nodes("us-east-1", 4), QUOTED)
    assert not isinstance(found, Refusal)
    assert found["metadata"]["annotations"] == {
        "chipwise.dev/price-date": "2026-07-20",
        "chipwise.dev/price-source": "a list",
    }
    spec = made("p5.48xlarge", Nodes("us-east-1", 4)).spec
    assert spec.price is not None
    assert (spec.price.amount, spec.price.unit) == ("55.04", "Node")
    assert spec.price.source == "p5.48xlarge, us-east-1, on demand: a list"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("p5.48xlarge", "eks.amazonaws.com/nodegroup"),
        ("Standard_ND96isr_H100_v5", "kubernetes.azure.com/agentpool"),
    ],
)
def test_a_node_pool_is_told_by_the_label_of_its_platform(name: str, label: str):
    selector = made(name, Nodes("x", 1, node_pool="mine")).spec.node_selector
    assert selector == {label: "mine"}
    assert handle(selector) == (label, "mine")


def test_gke_has_a_label_of_its_own():
    found = made("tpu7x-standard-4t", Nodes("x", 1, node_pool="mine", cpu="200", memory="900Gi"))
    assert found.spec.node_selector == {"cloud.google.com/gke-nodepool": "mine"}


def test_without_one_it_is_told_by_size_and_region():
    assert made("p5.48xlarge", Nodes("us-east-1", 1)).spec.node_selector == {
        "node.kubernetes.io/instance-type": "p5.48xlarge",
        "topology.kubernetes.io/region": "us-east-1",
    }


def test_karpenters_pool_is_named():
    spec = made("p5.48xlarge", Nodes("us-east-1", 1, karpenter="h100")).spec
    assert spec.karpenter is not None
    assert spec.karpenter.node_pool == "h100"


def test_a_shape_that_nobody_published_is_asked_for():
    found = pool(machine("a3-highgpu-8g"), Nodes("us-central1", 1), QUOTED)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.SHAPE_UNKNOWN


def test_of_aws_a_node_offers_what_is_allocatable():
    spec = made("p5.48xlarge", Nodes("us-east-1", 1)).spec
    assert spec.shape is not None
    assert (spec.shape.cpu, spec.shape.memory, spec.shape.pods) == ("191450m", "1938410Mi", 100)
