"""When a move starts that is worth it: not before the minimum stay, not unless it pays back, not two at once, and not while frozen."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from e2e import authored
from e2e.authored import API, Setup
from e2e.faults import Lab
from e2e.flights import at_once
from e2e.operator_process import chart_arguments
from e2e.world import World

pytestmark = pytest.mark.e2e


@pytest.mark.setup(Setup("stay", policy_stay="1h"))
def test_a_workload_stays_where_it_was_put_for_its_time(world: World) -> None:
    """The price goes up behind it: held with since when and how long it stays, and back when that has passed, not a second before."""
    moved_at = datetime.fromisoformat(world.status()["placements"][0]["since"])
    world.set_price("alt", "400.00")
    message = world.told("Placed", "False", "MinimumStay")
    since = moved_at.isoformat(timespec="seconds")
    assert message == f"gpu on {world.namespace}-gpu is proposed: moved at {since} and stays 1 h"
    assert world.event("MinimumStay")["note"] == message
    assert world.condition("Ready") == ("False", "MinimumStay")

    stay = int((datetime.now(UTC) - moved_at).total_seconds()) + 5
    world.edit_policy(minimumStay=f"{stay}s")
    world.settled("gpu")
    moved_again = datetime.fromisoformat(world.status()["placements"][0]["since"])
    assert stay <= (moved_again - moved_at).total_seconds() <= stay + 15
    assert len(world.writes()) == 2
    world.nothing_lost()


@pytest.mark.setup(Setup("payback", startup_seconds=600, policy={"paybackHorizon": "5m"}, expects_move=False))
def test_a_move_must_pay_for_both_copies(world: World) -> None:
    """Ten minutes of both copies cost 5 $ and 30 $/h are saved: not within five minutes, but within twenty."""
    message = world.told("Placed", "True", "PaybackTooLong")
    assert message == (
        f"gpu on {world.namespace}-gpu is where the plan wants it: alt on {world.namespace}-alt saves 30.00 $/h "
        "but moving costs 5.00 $: pays back after 10 min, the horizon is 5 min"
    )
    assert world.event("PaybackTooLong")["note"] == message
    assert world.status()["summary"]["reason"] == "PaybackTooLong"
    world.told("Ready", "True", "Placed")
    assert not world.writes()

    world.edit_policy(paybackHorizon="20m")
    world.settled("alt")
    world.nothing_lost()


@pytest.mark.setup(Setup("budget", policy={"freeze": True}, expects_move=False))
def test_as_many_move_at_once_as_the_policy_allows(world: World) -> None:
    """Two want to move: nobody while their policy is frozen; then one after the other, and the second says what it waits for."""
    world.joined_by("second", 2)
    paths = {name: world.path_of(name) for name in ("chat", "second")}
    for name, path in paths.items():
        message = world.told("Placed", "False", "Frozen", path)
        assert message == f"alt on {world.namespace}-alt is proposed: policy {world.namespace} is frozen"
        assert world.event("Frozen", name)["note"] == message
    assert not world.writes()

    released = time.monotonic()
    world.edit_policy(freeze=False)
    waiting = world.eventually(lambda: in_line(world, paths), "one waits for the other")
    message = world.told("Placed", "False", "ConcurrencyBudget", paths[waiting])
    assert f"policy {world.namespace} allows 1 at once; step 2 in the order is from gpu on " in message
    assert world.event("ConcurrencyBudget", waiting)["note"] == message
    world.eventually(lambda: world.is_on("alt"), "both have moved", 40)
    for path in paths.values():
        world.told("Placed", "True", "Placed", path)

    flights = world.log.flights.since(released)
    assert sorted(flight.name for flight in flights) == ["chat", "second"]
    assert flights[-1].name == waiting
    assert at_once(flights) == 1, flights
    assert len(world.writes()) == 2
    world.nothing_lost()


def in_line(world: World, paths: dict[str, str]) -> str:
    """Who waits for the budget, if anybody."""
    reasons = {name: world.conditions(path).get("Placed", {}).get("reason") for name, path in paths.items()}
    return next((name for name, reason in reasons.items() if reason == "ConcurrencyBudget"), "")


def test_a_freeze_stops_everybody(lab: Lab) -> None:
    """By the chart's value or by the policy named default: no write, a reason that names which, and the move when both are gone."""
    lab.apply(authored.labelled(Setup("ice"), default_policy(frozen=True)))
    with lab.operator(*chart_arguments(lab.cluster, freeze=True)) as operator:
        world = lab.world(Setup("ice", expects_move=False), operator).build()
        frozen(world, "the installation (chart value freeze, flag --freeze) is frozen")
    lab.forget_lease()
    with lab.operator(*chart_arguments(lab.cluster, freeze=False), name="thawed"):
        frozen(world, "policy default is frozen")
        lab.admin.merge("/apis/chipwise.dev/v1alpha1/placementpolicies/default", {"spec": {"freeze": False}})
        world.settled("alt")
    world.nothing_lost()


def frozen(world: World, who: str) -> None:
    """It says who froze it, in its condition and in an Event, and in two seconds nothing is written."""
    wanted = f"alt on {world.namespace}-alt is proposed: {who}"
    world.eventually(lambda: world.conditions().get("Placed", {}).get("message") == wanted, wanted)
    assert world.condition("Placed") == world.condition("Ready") == ("False", "Frozen")
    assert world.event("Frozen")["type"] == "Normal"
    time.sleep(2)
    assert not world.writes()
    assert world.is_on("gpu")


def default_policy(*, frozen: bool) -> authored.Document:
    return {
        "apiVersion": API,
        "kind": "PlacementPolicy",
        "metadata": {"name": "default"},
        "spec": {"freeze": frozen},
    }
