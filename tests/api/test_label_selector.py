"""Label selectors answer as the API server does."""

import pytest
from chipwise.api import LabelExpression, LabelSelector

LABELS = {"team": "search", "tier": "gold"}


def expression(operator: str, *values: str, key: str = "team") -> LabelSelector:
    found = LabelExpression.model_validate({"key": key, "operator": operator, "values": values})
    return LabelSelector(match_expressions=(found,))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (LabelSelector(), True),
        (LabelSelector(match_labels={"team": "search"}), True),
        (LabelSelector(match_labels={"team": "search", "tier": "iron"}), False),
        (LabelSelector(match_labels={"zone": "a"}), False),
        (expression("In", "ads", "search"), True),
        (expression("In", "ads"), False),
        (expression("In", "a", key="zone"), False),
        (expression("NotIn", "ads"), True),
        (expression("NotIn", "search"), False),
        (expression("NotIn", "a", key="zone"), True),
        (expression("Exists"), True),
        (expression("Exists", key="zone"), False),
        (expression("DoesNotExist"), False),
        (expression("DoesNotExist", key="zone"), True),
    ],
)
def test_matches(selector: LabelSelector, *, expected: bool) -> None:
    """All labels and all expressions must hold; NotIn holds where the label is absent."""
    assert selector.matches(LABELS) is expected
