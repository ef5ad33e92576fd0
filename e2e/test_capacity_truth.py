"""What the plan promises, the real scheduler binds, while every old pod still runs; and what the plan says is full, is full.

``CHIPWISE_E2E_FLEETS`` fleets (200 unless said otherwise) from seed ``CHIPWISE_E2E_SEED`` on (0), in batches side by side. A failure
names its seed; ``CHIPWISE_E2E_SEED=17 CHIPWISE_E2E_FLEETS=1`` plays that one fleet again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from e2e.admin import Admin
from e2e.arena import Arena, Played, side_by_side
from e2e.fleets import fleet
from e2e.promises import left_out, options

pytestmark = pytest.mark.e2e

FIRST = int(os.environ.get("CHIPWISE_E2E_SEED", "0"))
FLEETS = int(os.environ.get("CHIPWISE_E2E_FLEETS", "200"))
BATCH = 40
BATCHES = [range(at, min(at + BATCH, FIRST + FLEETS)) for at in range(FIRST, FIRST + FLEETS, BATCH)]


@pytest.fixture(scope="module")
def arena(admin: Admin) -> Arena:
    """On the control plane of all tests; no operator runs."""
    return Arena(admin)


@pytest.fixture(scope="module", params=BATCHES, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def batch(request: pytest.FixtureRequest, arena: Arena) -> Iterator[list[Played]]:
    """Fleets whose decisions have been carried out."""
    played = arena.enter(fleet(seed) for seed in request.param)
    try:
        arena.play(played)
        yield played
    finally:
        side_by_side(Played.clear, played)


def test_every_promise_is_bound(batch: list[Played], arena: Arena) -> None:
    """In whatever order the scheduler takes the pods, and wherever it puts them."""
    promised = sum(promise.count for played in batch for promise in played.promises)
    broken = arena.broken(batch, 60)
    print(f"seeds {batch[0].fleet.seed} to {batch[-1].fleet.seed}: {promised} pods were promised")
    assert not broken, "\n".join(broken)


def test_who_is_left_out_fits_nowhere(batch: list[Played]) -> None:
    """A workload that runs nowhere and has no place: none of its options is bound even when it comes alone."""
    asked: list[str] = []
    wrong: list[str] = []

    def ask(played: Played) -> None:
        for key in left_out(played.decision, played.bound):
            name = played.decision.subjects[key].deployment.name
            played.withdraw(name)
            for option, template in options(played.decision, key):
                place = f"seed {played.fleet.seed}: {key} as {option.variant} on {option.pool}"
                asked.append(place)
                if played.fits(name, template, option.replicas):
                    wrong.append(f"{place} fits, and is refused: {played.decision.choice(key).refusal}")

    side_by_side(ask, batch)
    print(f"{len(asked)} options of workloads without a place were tried")
    assert not wrong, "\n".join(wrong)
