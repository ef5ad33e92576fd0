"""What the plan promises, the real scheduler binds, while every old pod still runs; and what the plan says is full, is full.

Of five fleets one is new to chipwise, one keeps room warm beside, one has pools whose nodes come when pods wait, one is in use (moved before, scaled, autoscaled,
some to be given back), and one is both.

``CHIPWISE_E2E_FLEETS`` fleets (200 unless said otherwise) from seed ``CHIPWISE_E2E_SEED`` on (0), in batches side by side. A failure
names its seed; ``CHIPWISE_E2E_SEED=17 CHIPWISE_E2E_FLEETS=1`` plays that one fleet again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from e2e.admin import Admin
from e2e.arena import Arena, Played, side_by_side
from e2e.coming import growing
from e2e.fleets import Fleet, fleet
from e2e.managed import in_use
from e2e.promises import claimed, left_out, options
from e2e.warming import warmed

pytestmark = pytest.mark.e2e

FIRST = int(os.environ.get("CHIPWISE_E2E_SEED", "0"))
FLEETS = int(os.environ.get("CHIPWISE_E2E_FLEETS", "200"))
BATCH = 40
#: In every batch, so that a planner which promises or refuses nothing is found out. About half of what is found today.
LEAST_PODS, LEAST_MOVES, LEAST_ASKED = 15, 8, 3
#: Sorts of promises that were kept.
TOLD: Counter[str] = Counter()
BATCHES = [range(at, min(at + BATCH, FIRST + FLEETS)) for at in range(FIRST, FIRST + FLEETS, BATCH)]


def a_fleet(seed: int) -> Fleet:
    """Of the kind whose turn it is."""
    plain = fleet(seed)
    match seed % 5:
        case 1:
            return warmed(plain)
        case 2:
            return growing(plain)
        case 3:
            return in_use(plain)
        case 4:
            return growing(in_use(plain))
    return plain


@pytest.fixture(scope="module")
def arena(admin: Admin) -> Arena:
    """On the control plane of all tests; no operator runs."""
    return Arena(admin)


@pytest.fixture(scope="module", params=BATCHES, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def batch(request: pytest.FixtureRequest, arena: Arena) -> Iterator[list[Played]]:
    """Fleets whose decisions have been carried out."""
    played = arena.enter(a_fleet(seed) for seed in request.param)
    try:
        arena.play(played)
        yield played
    finally:
        side_by_side(Played.clear, played)


def test_every_promise_is_bound(batch: list[Played], arena: Arena) -> None:
    """In whatever order the scheduler takes the pods, and wherever it puts them."""
    made = [promise for played in batch for promise in played.promises]
    promised = sum(promise.count - promise.standing for promise in made)
    sorts = Counter(promise.act.kind.value for promise in made)
    broken = arena.broken(batch, 60)
    print(
        f"seeds {batch[0].fleet.seed} to {batch[-1].fleet.seed}: {promised} pods were promised, {dict(sorts)}"
    )
    assert not broken, "\n".join(broken)
    if len(batch) == BATCH:
        assert promised >= LEAST_PODS
        assert sorts["Moving"] >= LEAST_MOVES
        TOLD.update(sorts)


def test_promises_of_every_sort_were_made() -> None:
    """Templates, replicas and restores, in all batches together: those that nobody makes, nobody breaks."""
    if FLEETS >= 200 and not FIRST:
        assert TOLD["Scaled"] >= 2, TOLD
        assert TOLD["Restoring"] >= 1, TOLD


def test_who_is_left_out_fits_nowhere(batch: list[Played]) -> None:
    """A workload that runs nowhere and has no place: none of its options is bound even when it comes alone."""
    asked: list[str] = []
    wrong: list[str] = []

    def ask(played: Played) -> None:
        closed = claimed(played.decision, played.bound)
        for key in left_out(played.decision, played.bound):
            name = played.decision.subjects[key].deployment.name
            played.withdraw(name)
            for option, template in options(played.decision, key, closed):
                place = f"seed {played.fleet.seed}: {key} as {option.variant} on {option.pool}"
                asked.append(place)
                if played.fits(name, template, option.replicas):
                    wrong.append(f"{place} fits, and is refused: {played.decision.choice(key).refusal}")

    side_by_side(ask, batch)
    print(f"{len(asked)} options of workloads without a place were tried")
    assert not wrong, "\n".join(wrong)
    if len(batch) == BATCH:
        assert len(asked) >= LEAST_ASKED
