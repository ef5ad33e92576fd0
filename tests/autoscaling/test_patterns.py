"""What is taken for a pattern of Go's regexp, and for YAML that Go reads as Python does; in doubt nothing is."""

from __future__ import annotations

import pytest
from chipwise.autoscaling.patterns import is_pattern
from chipwise.autoscaling.priorities import Unusable, parsed, rendered
from chipwise.reasons import Reason

from tests.autoscaling.go_says import DOUBTFUL, NOT_READ, READ, REFUSES, TAKES


@pytest.mark.parametrize("pattern", TAKES)
def test_what_go_takes_is_taken(pattern):
    assert is_pattern(pattern)


@pytest.mark.parametrize("pattern", [*REFUSES, *DOUBTFUL])
def test_what_go_refuses_or_may_refuse_is_no_pattern(pattern):
    assert not is_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(?x)^web-", "a{1001}", r"\u0041"])
def test_a_map_with_such_a_pattern_gets_none_of_our_entries(pattern):
    """Cluster Autoscaler would drop the whole map and choose by chance."""
    with pytest.raises(Unusable) as found:
        rendered(f"50:\n  - '{pattern}'\n", ["g1"])
    assert found.value.refusal.reason is Reason.PRIORITIES_UNUSABLE
    assert "no pattern that Cluster Autoscaler surely takes" in found.value.refusal.message


@pytest.mark.parametrize("text", READ)
def test_yaml_that_a_person_needs_is_read(text):
    assert set(parsed(text)) <= {10, -5}


@pytest.mark.parametrize("text", NOT_READ.values(), ids=NOT_READ.keys())
def test_yaml_that_go_does_not_read_alike_is_not_read(text):
    with pytest.raises(Unusable):
        parsed(text)
