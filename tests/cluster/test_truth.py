"""What the plan promises, a scheduler that does as it likes binds; and what the plan says is full, is full."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from chipwise.cluster.decide import Decision, decide
from chipwise.cluster.demand import demand
from chipwise.cluster.feasibility import Case
from chipwise.control.acts import Act, Kind, acts_of
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.problem import Option
from chipwise.reasons import Reason, Refusal

from e2e.fleets import fleet
from tests.cluster.scheduler import Document, Model
from tests.cluster.world import NOON

FLEETS = range(150)
FULL = frozenset({Reason.CAPACITY_EXHAUSTED, Reason.FRAGMENTED})


def promises(decision: Decision) -> Iterator[tuple[Act, int]]:
    """The template writes of a decision, and how many pods each makes at once."""
    for act in acts_of(decision):
        if act.kind is Kind.MOVE and act.record is not None:
            yield act, min(act.deployment.replicas, act.record.replicas)


def kept(model: Model, decision: Decision) -> list[str]:
    """Carries the promises out beside all that runs; what did not come true."""
    broken, made = [], []
    for number, (act, count) in enumerate(promises(decision)):
        assert act.manifest is not None
        names = model.create(act.deployment.name, act.manifest.template, count, f"new{number}")
        if len(names) < count:
            broken.append(f"the quota refuses pods of {act.deployment.name}: {act.message}")
        made += [(name, act.message) for name in names]
    model.schedule()
    return broken + [f"{name}: {said}" for name, said in made if not model.is_bound(name)]


def left_out(model: Model, decision: Decision) -> list[str]:
    """Workloads that run nowhere and have no place; none where anybody else has a claim that is still open."""
    found = []
    for key, subject in decision.subjects.items():
        choice, verdict = decision.choice(key), decision.move(key).decision
        runs = model.bound(subject.deployment.name)
        if choice.option is None:
            if not runs and choice.refusal and choice.refusal.reason in FULL:
                found.append(key)
        elif verdict is Verdict.HOLD or (verdict is Verdict.STAY and runs < choice.option.replicas):
            return []
    return found


def options(decision: Decision, key: str) -> Iterator[tuple[Option, Document]]:
    """All that the workload could have had, had there been room, with the pods of each."""
    subject, snapshot = decision.subjects[key], decision.snapshot
    asked = demand(subject, snapshot, decision.views, (), decision.setbacks.cooling)
    for option in asked.options:
        variant = next(v for v in subject.profile.spec.variants if v.name == option.variant)
        template = Case(
            subject, variant, decision.views[option.pool], snapshot, decision.setbacks.cooling
        ).template
        assert not isinstance(template, Refusal)
        yield option, dict(template)


@pytest.mark.parametrize("spread", [True, False], ids=["emptiest", "anywhere"])
@pytest.mark.parametrize("seed", FLEETS)
def test_what_is_promised_is_bound(seed: int, spread: bool):
    """While every old pod still runs, whichever nodes the scheduler takes and in whatever order."""
    model = Model(fleet(seed), random.Random(seed), spread=spread)
    broken = kept(model, decide(model.snapshot(), now=NOON))
    assert not broken, f"seed {seed}: {broken}"


@pytest.mark.parametrize("seed", FLEETS)
def test_what_is_said_to_be_full_is_full(seed: int):
    """The other way round: nobody is left out for whom there would have been room."""
    model = Model(fleet(seed), random.Random(seed), spread=True)
    decision = decide(model.snapshot(), now=NOON)
    waiting = left_out(model, decision)
    kept(model, decision)
    for key in waiting:
        name = decision.subjects[key].deployment.name
        model.remove(model.pods_of(name))
        for option, template in options(decision, key):
            made = model.create(name, template, option.replicas, "alone")
            model.schedule()
            fits = len(made) == option.replicas and all(map(model.is_bound, made))
            refusal = decision.choice(key).refusal
            assert not fits, (
                f"seed {seed}: {key} fits as {option.variant} on {option.pool}, and is refused: {refusal}"
            )
            model.remove(made)
