"""What admission refuses is refused offline too, naming the object and the field."""

import pytest
from chipwise.api import InvalidObject, parse

from tests.api.rejections import REJECTIONS, Rejection


@pytest.mark.parametrize("case", REJECTIONS, ids=lambda case: case.id)
def test_refused_offline(case: Rejection) -> None:
    """The error names kind, object and field, and says what to do."""
    with pytest.raises(InvalidObject) as caught:
        parse(case.document)

    [problem] = caught.value.problems
    assert problem.path == case.field
    assert case.offline in problem.message
    kind, name = case.document["kind"], case.document["metadata"]["name"]
    assert str(caught.value) == f"{kind}/{name}: {case.field}: {problem.message}"


def test_every_case_checks_words_and_has_a_name_of_its_own() -> None:
    """A fragment of nothing is in every message."""
    assert all(case.server.strip() and case.offline.strip() for case in REJECTIONS)
    assert len({case.id for case in REJECTIONS}) == len(REJECTIONS)
