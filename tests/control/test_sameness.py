"""What is news to a person who reads a status, and what is not."""

from __future__ import annotations

import pytest
from chipwise.control.sameness import same

FIVE_PER_CENT = 0.05


@pytest.mark.parametrize(
    ("before", "after", "alike", "but_for_figures"),
    [
        ("saves 30.00 $/h", "saves 31.00 $/h", True, True),
        ("saves 30.00 $/h", "saves 40.00 $/h", False, True),
        ("1 node missing", "2 nodes missing", False, False),
        ("policy calm is frozen", "policy default is frozen", False, False),
        ("h100-x4 on h100: 9.75 ms", "h100-x2 on h100: 9.75 ms", False, False),
        ("image v0.12.1 is new", "image v0.12.2 is new", False, False),
        ("node a-1 matches", "node a-2 matches", False, False),
        ("pays back after 10 min, the horizon is 5 min", "pays back after 10 min, the horizon is 8 min", False, True),
        ("fits.", "fits.", True, True),
        (None, "", True, True),
        (None, "says something", False, False),
    ],
)  # fmt: skip
def test_a_sentence_is_its_words_and_its_figures(
    before: str | None, after: str, *, alike: bool, but_for_figures: bool
):
    """Names with digits are words. Without a tolerance no figure counts at all: what then differs cannot wait."""
    one, other = {"message": before}, {"message": after}
    assert same(one, other, FIVE_PER_CENT) is alike
    assert same(one, other, None) is but_for_figures


@pytest.mark.parametrize("moment", ["lastTransitionTime", "at", "since"])
def test_a_moment_is_no_news(moment: str):
    assert same({moment: "2026-01-01T12:00:00Z"}, {moment: "2026-01-01T12:00:09Z"}, FIVE_PER_CENT)
