"""Descriptions come from the string below a field."""

from chipwise.api import AcceleratorPoolStatus, Objective
from chipwise.api.descriptions import field_descriptions


def test_every_field_is_described_inherited_ones_too() -> None:
    """Those of the base come first."""
    assert list(field_descriptions(AcceleratorPoolStatus)) == list(AcceleratorPoolStatus.model_fields)


def test_lines_are_joined() -> None:
    """A description is one paragraph."""
    assert (
        field_descriptions(Objective)["threshold"]
        == "The most that it may be, in ms or s, such as 40ms or 1.5s."
    )
