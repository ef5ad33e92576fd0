"""One write at a time, and none that takes away what serves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chipwise.placement.steps import Observed, Step, next_step
from hypothesis import given
from hypothesis import strategies as st

MOVED = Observed(
    recorded=True,
    template_is_ours=True,
    spec_replicas=6,
    new_ready=0,
    old_running=6,
    target_replicas=2,
    replicas_external=False,
    rollout_complete=False,
)


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (replace(MOVED, recorded=False), Step.WRITE_TEMPLATE),
        (replace(MOVED, template_is_ours=False), Step.WRITE_TEMPLATE),
        (MOVED, Step.WAIT_READY),
        (replace(MOVED, new_ready=1), Step.WAIT_READY),
        (replace(MOVED, new_ready=2), Step.SCALE_DOWN),
        (replace(MOVED, new_ready=2, spec_replicas=2, old_running=1), Step.WAIT_READY),
        (replace(MOVED, new_ready=2, spec_replicas=2, old_running=0, rollout_complete=True), Step.DONE),
        (replace(MOVED, new_ready=2, replicas_external=True), Step.WAIT_READY),
        (
            replace(MOVED, new_ready=6, old_running=0, replicas_external=True, rollout_complete=True),
            Step.DONE,
        ),
    ],
)
def test_a_move_goes_template_then_ready_then_fewer_replicas(seen, step):
    """Derived from what is observed alone."""
    assert next_step(seen).step is step


def test_the_scale_down_names_its_target():
    """Nothing else is written with it."""
    assert next_step(replace(MOVED, new_ready=2)).replicas == 2


counts = st.integers(0, 8)


@given(
    st.builds(
        Observed, st.booleans(), st.booleans(), counts, counts, counts, counts, st.booleans(), st.booleans()
    )
)
def test_replicas_never_fall_before_the_new_ones_are_ready(seen):
    """Nor ever when somebody else owns them, and they never rise in a move."""
    action = next_step(seen)
    if action.step is Step.SCALE_DOWN:
        assert not seen.replicas_external
        assert seen.new_ready >= seen.target_replicas == action.replicas
        assert seen.target_replicas < seen.spec_replicas
    else:
        assert action.replicas is None


def roll(seen: Observed, limit: int = 50) -> list[Step]:
    """A Deployment controller in three lines, with maxUnavailable 0 and surge 1."""
    steps: list[Step] = []
    for _ in range(limit):
        action = next_step(seen)
        if not steps or steps[-1] is not action.step:
            steps.append(action.step)
        if action.step is Step.DONE:
            return steps
        if action.step is Step.WRITE_TEMPLATE:
            seen = replace(seen, recorded=True, template_is_ours=True)
        elif action.step is Step.SCALE_DOWN:
            seen = replace(seen, spec_replicas=action.replicas or 0)
        elif seen.new_ready < seen.spec_replicas:
            seen = replace(seen, new_ready=seen.new_ready + 1)
        else:
            seen = replace(seen, old_running=max(0, seen.old_running - 1))
        done = seen.new_ready >= seen.spec_replicas and not seen.old_running
        seen = replace(seen, rollout_complete=done)
        assert seen.new_ready + seen.old_running >= min(seen.target_replicas, seen.spec_replicas)
    raise AssertionError(steps)


def test_a_move_comes_to_its_end():
    """Six replicas become two, with capacity for two at every moment."""
    start = replace(MOVED, recorded=False, template_is_ours=False)
    assert roll(start)[:3] == [Step.WRITE_TEMPLATE, Step.WAIT_READY, Step.SCALE_DOWN]
    assert roll(replace(start, spec_replicas=2))[-1] is Step.DONE
