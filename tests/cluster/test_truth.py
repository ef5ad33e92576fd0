"""What the plan promises, a scheduler that does as it likes binds; and what the plan says is full, is full.

The same fleets as in ``e2e/test_capacity_truth.py``, where the scheduler is the real one.
"""

from __future__ import annotations

import random

import pytest
from chipwise.cluster.decide import Decision, decide

from e2e.fleets import fleet
from e2e.promises import left_out, options, promises
from tests.cluster.scheduler import Model
from tests.cluster.world import NOON

FLEETS = range(150)


def carried_out(model: Model, decision: Decision) -> list[str]:
    """Makes what is promised beside all that runs, and says what did not come true."""
    broken, made = [], []
    for number, promise in enumerate(promises(decision)):
        names = model.create(promise.maker, promise.template, promise.count, f"new{number}")
        if len(names) < promise.count:
            broken.append(f"the quota refuses pods of {promise.maker}: {promise.act.message}")
        made += [(name, promise.act.message) for name in names]
    model.schedule()
    return broken + [f"{name}: {said}" for name, said in made if not model.is_bound(name)]


@pytest.mark.parametrize("spread", [True, False], ids=["emptiest", "anywhere"])
@pytest.mark.parametrize("seed", FLEETS)
def test_what_is_promised_is_bound(seed: int, spread: bool):
    """While every old pod still runs, whichever nodes the scheduler takes and in whatever order."""
    model = Model(fleet(seed), random.Random(seed), spread=spread)
    broken = carried_out(model, decide(model.snapshot(), now=NOON))
    assert not broken, f"seed {seed}: {broken}"


@pytest.mark.parametrize("seed", FLEETS)
def test_what_is_said_to_be_full_is_full(seed: int):
    """The other way round: nobody is left out for whom there would have been room."""
    model = Model(fleet(seed), random.Random(seed), spread=True)
    decision = decide(model.snapshot(), now=NOON)
    waiting = left_out(decision, model.bound)
    carried_out(model, decision)
    for key in waiting:
        name, refusal = decision.subjects[key].deployment.name, decision.choice(key).refusal
        model.remove(model.pods_of(name))
        for option, template in options(decision, key):
            made = model.create(name, template, option.replicas, "alone")
            model.schedule()
            fits = len(made) == option.replicas and all(map(model.is_bound, made))
            assert not fits, f"seed {seed}: {key} fits as {option.variant} on {option.pool}: {refusal}"
            model.remove(made)
