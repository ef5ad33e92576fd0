"""From documents to objects: what is filled in, what is ignored, and how an error reads."""

from datetime import date
from typing import Any

import pytest
from chipwise.api import (
    InvalidObject,
    Mode,
    PlacementPolicySpec,
    PriceUnit,
    ReplicaManager,
    Statistic,
    parse,
)
from pydantic import ValidationError

from tests.api.documents import (
    MINIMAL,
    Document,
    accelerator_pool,
    inference_workload,
    measured_profile,
    placement_policy,
    point,
    priced_pool,
    put,
)


def read(document: Document) -> Any:
    """An object of whichever kind."""
    return parse(document)


def error(document: object) -> str:
    with pytest.raises(InvalidObject) as caught:
        parse(document)
    return str(caught.value)


@pytest.mark.parametrize("document", MINIMAL, ids=lambda document: document["kind"])
def test_minimal_documents_parse(document: Document) -> None:
    """What is optional can be left out, and what was parsed can be written and parsed again."""
    parsed = parse(document)
    assert parsed.kind == document["kind"]
    assert parse(parsed.model_dump(by_alias=True, exclude_none=True, mode="json")) == parsed


def test_defaults_of_a_workload() -> None:
    """Nothing is written unless asked for."""
    workload = read(inference_workload())
    assert workload.spec.mode is Mode.OFF
    assert workload.spec.objectives[0].statistic is Statistic.MEAN
    assert (workload.spec.replicas.min, workload.spec.replicas.managed_by) == (1, ReplicaManager.CHIPWISE)


def test_the_built_in_policy_is_an_empty_one() -> None:
    """A default exists without anyone creating it."""
    assert read(placement_policy()).spec == PlacementPolicySpec()
    assert (PlacementPolicySpec().minimum_stay_seconds, PlacementPolicySpec().payback_horizon_seconds) == (
        600,
        86_400,
    )


def test_latencies_as_numbers() -> None:
    """Strings outside, milliseconds inside."""
    profile = read(measured_profile(points=[point(ttft="1.5s", tpot="38ms")]))
    performance = profile.spec.variants[0].performance
    assert (performance.points[0].ttft_milliseconds, performance.points[0].tpot_milliseconds) == (
        1500.0,
        38.0,
    )


def test_price_of_a_pool_is_by_the_node_in_dollars() -> None:
    """Left out, the unit is the node and the currency the dollar."""
    price = read(priced_pool()).spec.price
    assert (price.unit, price.currency) == (PriceUnit.NODE, "USD")


def test_metadata_beyond_what_is_read_is_ignored() -> None:
    """The API server adds fields as it pleases."""
    document = put(accelerator_pool(), "metadata.managedFields", [{"manager": "kubectl"}])
    assert read(put(document, "metadata.uid", "u-1")).metadata.uid == "u-1"


def test_status_of_a_newer_version_is_ignored() -> None:
    """A standby of the old version must survive the status of the new one."""
    status = {"observedGeneration": 3, "mood": "good", "nodes": {"total": 2, "ready": 1, "asleep": 1}}
    assert read(put(accelerator_pool(), "status", status)).status.nodes.total == 2


def test_null_is_absent() -> None:
    """As for the API server, defaults apply to null."""
    document = put(put(accelerator_pool(), "spec.capacityType", None), "spec.price", None)
    assert read(document).spec == parse(accelerator_pool()).spec


def test_a_date_without_quotes_is_a_date() -> None:
    """YAML readers make dates of text, kubectl does not."""
    profile = read(measured_profile(points=[point()], measuredAt=date(2026, 3, 27)))
    assert profile.spec.variants[0].performance.measured_at == "2026-03-27"


def test_objects_are_frozen() -> None:
    """A fact does not change under its readers."""
    with pytest.raises(ValidationError, match="frozen"):
        read(accelerator_pool()).spec.class_name = "other"


def test_an_error_names_object_field_and_what_to_do() -> None:
    """One line that can stand behind a file name."""
    assert error(priced_pool(amount=98.32)) == (
        'AcceleratorPool/h100: spec.price.amount: must be a string: put it in quotes, "98.32"'
    )


def test_an_error_lists_every_problem() -> None:
    """Nobody likes to be told one mistake at a time."""
    document = put(put(inference_workload(), "spec.mode", "Auto"), "spec.polciyName", "x")
    assert error(document) == (
        "InferenceWorkload/chat: spec.mode: must be 'Off', 'Initial' or 'Rollout', not 'Auto'; "
        "spec.polciyName: is not a field that exists here; check the spelling and the indentation"
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (None, "?/?: must be an object, not None"),
        ({}, "?/?: apiVersion: must be chipwise.dev/v1alpha1, not None"),
        (
            put(accelerator_pool(), "kind", "Pool"),
            "Pool/h100: kind: must be one of AcceleratorClass, AcceleratorPool",
        ),
        (put(accelerator_pool(), "metadata", {}), "AcceleratorPool/?: metadata.name: is required"),
        (
            put(accelerator_pool(), "metadata.name", "H100"),
            "AcceleratorPool/H100: metadata.name: must be the name of an object",
        ),
        (put(accelerator_pool(), "spec", []), "AcceleratorPool/h100: spec: must be an object, not a list"),
        (put(accelerator_pool(), "spec", None), "AcceleratorPool/h100: spec: is required"),
        (
            put(accelerator_pool(), "spec.zones", "a"),
            "AcceleratorPool/h100: spec.zones: must be a list, not 'a'",
        ),
        (
            put(accelerator_pool(), "spec.nodes.max", True),
            "AcceleratorPool/h100: spec.nodes.max: must be a whole number",
        ),
        (
            put(accelerator_pool(), "spec.nodeSelector.gpu", True),
            "spec.nodeSelector.gpu: must be a string, and is the boolean true",
        ),
        (
            put(accelerator_pool(), "spec.nodeSelector.gpu", 8),
            'spec.nodeSelector.gpu: must be a string: put it in quotes, "8"',
        ),
    ],
)
def test_errors_about_the_form_of_a_document(document: object, expected: str) -> None:
    """Whatever was given, the answer is a sentence and never a traceback."""
    assert expected in error(document)
