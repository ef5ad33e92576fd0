import pytest

from e2e.cluster.choice import Backend, choose
from e2e.cluster.errors import StartError


def engine_that_answers() -> bool:
    return True


def no_engine() -> bool:
    return False


def engine_nobody_may_ask() -> bool:
    raise AssertionError("asked although the choice was forced")


@pytest.mark.parametrize("backend", list(Backend))
def test_what_the_person_says_is_not_questioned(backend):
    """A forced choice has no second best and asks no engine."""
    assert choose(backend.value, engine_nobody_may_ask).backends == (backend,)


def test_kind_comes_first_where_an_engine_answers():
    """kwok stays the second best, for an engine alone does not have the image."""
    assert choose("", engine_that_answers).backends == (Backend.KIND, Backend.KWOK)


def test_kwok_is_chosen_without_an_engine():
    """A Docker client without an engine counts as no Docker."""
    assert choose("", no_engine).backends == (Backend.KWOK,)


def test_an_existing_cluster_is_never_chosen_by_itself():
    """Somebody's cluster is only used when they say so."""
    assert all(
        Backend.EXISTING not in choose("", probe).backends for probe in (engine_that_answers, no_engine)
    )


def test_an_unknown_word_is_refused_with_the_known_ones():
    """The message names what may be said."""
    with pytest.raises(StartError, match="existing, kind, kwok"):
        choose("minikube", no_engine)


def test_the_choice_says_why():
    """The line that is printed names the kind and the reason."""
    assert str(choose("", no_engine)) == "cluster: kwok (no Docker engine answers)"
