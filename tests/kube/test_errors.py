"""Which error the server's answers become."""

from __future__ import annotations

import pytest
from chipwise.kube import errors


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, errors.Invalid),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (410, errors.Gone),
        (413, errors.Invalid),
        (422, errors.Invalid),
        (429, errors.Unavailable),
        (500, errors.Unavailable),
        (504, errors.Unavailable),
    ],
)
def test_each_code_has_its_error(code, kind):
    """The type says what to do next; the code stays readable."""
    error = errors.from_status(code, {})
    assert type(error) is kind
    assert error.code == code


def test_the_servers_words_are_kept():
    """A person reads the server's message, not ours."""
    error = errors.from_status(403, {"message": 'nodes is forbidden: User "x"', "reason": "Forbidden"})
    assert str(error) == 'nodes is forbidden: User "x"'
    assert error.reason == "Forbidden"


def test_an_object_that_exists_is_a_conflict_of_its_own():
    """Create races are told from lost updates by the reason, both are 409."""
    error = errors.from_status(409, {"reason": "AlreadyExists"})
    assert isinstance(error, errors.AlreadyExists)


@pytest.mark.parametrize(("header", "body", "wait"), [(3.0, 9, 3.0), (None, 9, 9.0), (None, None, None)])
def test_the_servers_wait_is_kept(header, body, wait):
    """The header counts before the body's older field."""
    error = errors.from_status(429, {"details": {"retryAfterSeconds": body}}, retry_after=header)
    assert isinstance(error, errors.Unavailable)
    assert error.retry_after == wait


def test_a_patch_that_does_not_fit_is_told_from_an_invalid_object():
    """Both are 422; only the wording differs."""
    misfit = {
        "message": "the server rejected our request due to an error in our request",
        "reason": "Invalid",
    }
    invalid = {"message": 'Deployment.apps "x" is invalid: spec.replicas: Invalid value', "reason": "Invalid"}
    assert errors.patch_does_not_fit(errors.from_status(422, misfit))
    assert not errors.patch_does_not_fit(errors.from_status(422, invalid))


def test_a_message_that_repeats_the_object_is_cut_in_the_middle():
    """What is wrong stands at the end."""
    error = errors.from_status(422, {"message": f"is invalid: {'x' * 9000}: cannot unmarshal string"})
    assert len(str(error)) < 1100
    assert str(error).startswith("is invalid")
    assert str(error).endswith("cannot unmarshal string")
