"""What the plan promises, a scheduler that does as it likes binds; and what the plan says is full, is full.

The same fleets as in ``e2e/test_capacity_truth.py``, where the scheduler is the real one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from chipwise.cluster.decide import Decision, decide
from chipwise.control.act import Kind

from e2e.coming import growing
from e2e.fleets import Fleet, fleet
from e2e.managed import in_use
from e2e.promises import claimed, left_out, options, promises
from e2e.warming import warmed
from tests.cluster.scheduler import Model
from tests.cluster.world import NOON

FLEETS = range(150)
KINDS: dict[str, Callable[[Fleet], Fleet]] = {
    "plain": lambda plain: plain,
    "growing": growing,
    "in-use": in_use,
    "in-use-growing": lambda plain: growing(in_use(plain)),
    "warm": warmed,
}


def carried_out(model: Model, decision: Decision) -> list[str]:
    """Makes what is promised beside all that runs, and says what did not come true."""
    broken: list[str] = []
    made: list[set[str]] = []
    asked = promises(decision)
    for number, promise in enumerate(asked):
        more = promise.count - promise.standing
        names = model.create(promise.maker, promise.template, more, f"new{number}")
        if len(names) < more:
            broken.append(f"the quota refuses pods of {promise.maker}: {promise.act.message}")
        made.append(set(names) | (set(model.pods_of(promise.maker)) if promise.standing else set()))
    model.let_nodes_come()
    model.schedule()
    for promise, theirs in zip(asked, made, strict=True):
        bound = sum(map(model.is_bound, theirs))
        if bound < promise.count:
            broken.append(f"{promise.maker}: {bound} of {promise.count}: {promise.act.message}")
    return broken


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spread", [True, False], ids=["emptiest", "anywhere"])
@pytest.mark.parametrize("seed", FLEETS)
def test_what_is_promised_is_bound(seed: int, spread: bool, kind: str):
    """While every old pod still runs, whichever nodes the scheduler takes and in whatever order, and whichever nodes come."""
    model = Model(KINDS[kind](fleet(seed)), random.Random(seed), spread=spread)
    broken = carried_out(model, decide(model.snapshot(), now=NOON))
    assert not broken, f"seed {seed}: {broken}"


@pytest.mark.parametrize("kind", ["plain", "warm"])
@pytest.mark.parametrize("seed", FLEETS)
def test_what_is_said_to_be_full_is_full(seed: int, kind: str):
    """The other way round: nobody is left out for whom there would have been room, be it under a placeholder."""
    model = Model(KINDS[kind](fleet(seed)), random.Random(seed), spread=True)
    decision = decide(model.snapshot(), now=NOON)
    waiting, closed = left_out(decision, model.bound), claimed(decision, model.bound)
    carried_out(model, decision)
    for key in waiting:
        name, refusal = decision.subjects[key].deployment.name, decision.choice(key).refusal
        model.remove(model.pods_of(name))
        for option, template in options(decision, key, closed):
            made = model.create(name, template, option.replicas, "alone")
            model.schedule()
            fits = len(made) == option.replicas and all(map(model.is_bound, made))
            assert not fits, f"seed {seed}: {key} fits as {option.variant} on {option.pool}: {refusal}"
            model.remove(made)


@pytest.mark.parametrize(
    ("kind", "sorts"),
    [
        ("plain", {Kind.MOVE: 60}),
        ("growing", {Kind.MOVE: 80}),
        ("warm", {Kind.MOVE: 60}),
        ("in-use", {Kind.SCALE: 6, Kind.MOVE: 20, Kind.RESTORE: 2}),
    ],
)
def test_much_is_promised(kind: str, sorts: dict[Kind, int]):
    """A planner that promises nothing breaks no promise: so many writes of each kind at least, in all fleets together."""
    found: Counter[str] = Counter()
    for seed in FLEETS:
        model = Model(KINDS[kind](fleet(seed)), random.Random(seed), spread=True)
        found.update(promise.act.kind for promise in promises(decide(model.snapshot(), now=NOON)))
    assert all(found[each] >= least for each, least in sorts.items()), found
