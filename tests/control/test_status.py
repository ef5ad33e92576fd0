"""What is written as status is what the kinds allow, whatever happened."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.api import InferenceWorkload, parse
from chipwise.cluster.decide import Standing
from chipwise.control.conditions import timed
from chipwise.control.placed import money
from chipwise.control.status import decision_entry, workload_status
from chipwise.control.status_of_others import other_statuses
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, INFERENCE_WORKLOADS

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World
from tests.control.carrying import carry_out, until_quiet

STAMP = "2026-01-01T12:00:00Z"


def status(world: World, refused: str | None = None, **changes: Any) -> Document:
    """As written, after the kind itself has accepted it."""
    decision = world.decide(**changes)
    found = workload_status("prod/chat", decision, refused)
    found["conditions"] = timed(found["conditions"], {}, STAMP)
    found["decisions"] = [decision_entry("prod/chat", decision, STAMP)]
    parsed = parse({**docs.workload(), "status": found})
    assert isinstance(parsed, InferenceWorkload)
    return found


def conditions(found: Document) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c["reason"]) for c in found["conditions"]}


def spec(world: World, **fields: Any) -> World:
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(fields))
    return world


def test_before_a_move_it_says_where_it_is_and_where_it_should_be():
    found = status(World.standard())
    (here,), (there,) = found["placements"], found["proposed"]
    assert (here["pool"], here["replicas"], here["chips"], here["costPerHour"]) == ("h100", 2, 8, "80.00")
    assert (there["pool"], there["costPerHour"], there["provenance"]) == ("maia", "16.00", "Measured")
    assert found["savingsPerHour"] == "64.00"
    assert found["summary"]["pool"] == "h100"
    assert conditions(found)["Placed"] == ("False", "Moved")


def test_after_a_move_it_is_placed_and_ready():
    world = World.standard()
    until_quiet(world)
    found = status(world)
    assert found["summary"] | {"reason": "Stays", "pool": "maia", "costPerHour": "16.00"} == found["summary"]
    assert conditions(found)["Ready"] == ("True", "Placed")
    assert "savingsPerHour" not in found
    assert found["placements"][0]["since"] == "2026-01-01T12:00:00+00:00"


def test_who_stays_because_moving_costs_too_much_is_placed_and_says_why():
    """A horizon of a minute pays back no start of a minute: it is where the plan wants it, so it is Ready, and WHY has the reason."""
    found = status(World.standard(docs.policy(paybackHorizon="1m")))
    assert conditions(found)["Placed"] == ("True", "PaybackTooLong")
    assert conditions(found)["Ready"] == ("True", "Placed")
    assert found["summary"]["reason"] == found["decisions"][0]["reason"] == "PaybackTooLong"
    assert "maia-x4 on maia saves 64.00 $/h but moving costs" in found["conditions"][0]["message"]
    assert found["proposed"][0]["pool"] == "h100"


def test_a_workload_that_cannot_be_decided_about_says_why():
    found = status(spec(World.standard(), modelProfileName="none"))
    assert conditions(found) == {
        "Ready": ("False", "ProfileMissing"),
        "Accepted": ("False", "ProfileMissing"),
    }
    assert found["summary"] == {"reason": "ProfileMissing"}


def test_a_workload_nobody_can_serve_says_why_for_each_candidate():
    found = status(spec(World.standard(), objectives=[{"metric": "TPOT", "threshold": "5ms"}]))
    assert conditions(found)["Feasible"][0] == "False"
    assert {c["reason"] for c in found["candidates"]} == {"ObjectiveMissed"}
    assert found["proposed"] == []
    assert found["summary"]["pool"] == "h100"


def test_without_the_right_to_write_a_move_is_held_and_shown():
    found = status(World.standard(), standing=Standing(writes=False))
    assert conditions(found)["Placed"] == ("False", "WritesDisabled")
    assert found["decisions"][0]["decision"] == "Hold"
    assert found["savingsPerHour"] == "64.00"


def test_a_refused_write_is_a_reason_of_its_own():
    found = status(World.standard(), "deployments.apps is forbidden")
    assert conditions(found)["Ready"] == ("False", "WriteRefused")


@pytest.mark.parametrize(
    ("what", "kind", "reason"),
    [
        ("undo", "Paused", "Undone"),
        ("profile", "TemplateOutdated", "Renewing"),
        ("image", "VariantOutdated", "VariantOutdated"),
    ],
)
def test_what_stands_out_has_a_condition(what: str, kind: str, reason: str):
    maia = docs.variant("maia", baseImages=["example.com/engine:1"])
    world = World.standard(docs.profile(docs.variant("h100", container=None), maia))
    before = world.deployment()["spec"]["template"]
    until_quiet(world)
    if what == "undo":
        world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(template=before))
        world.edit(DEPLOYMENTS, "chat", lambda d: d["metadata"].update(annotations={}))
        world.settle()
    elif what == "profile":
        world.put(docs.profile(docs.variant("maia", container={"image": "e:2"})))
    else:
        world.edit(
            DEPLOYMENTS,
            "chat",
            lambda d: d["spec"]["template"]["spec"]["containers"][0].update(image="example.com/engine:2"),
        )
        carry_out(world)
        world.settle()
    found = conditions(status(world))
    assert found[kind] == ("True", reason)
    assert found["Ready"][0] == ("True" if what == "profile" else "False")


def test_a_status_stays_within_its_bounds_however_much_there_is_to_say():
    """Thirty-two variants with long names on as many pools, each refused with a long sentence."""
    names = [f"{'x' * 50}-{number}" for number in range(32)]
    variants = [docs.variant("h100", name=name) for name in names]
    pools = [docs.pool(f"{'p' * 200}-{number}", "h100") for number in range(6)]
    world = World.standard(docs.profile(*variants), *pools)
    spec(world, allowedVariants=["y" * 63, *names[:31]], allowedPools=[f"{'q' * 200}-{n}" for n in range(64)])
    found = status(world, "z" * 5000)
    assert len(found["candidates"]) == 8
    assert all(
        len(c["message"]) <= 1024 for c in [*found["candidates"], *found["conditions"], *found["decisions"]]
    )


def test_a_transition_time_changes_only_with_the_status():
    before = {
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}]
    }
    ready = {"type": "Ready", "status": "True"}
    assert timed([ready], before, STAMP)[0]["lastTransitionTime"] == "2020-01-01T00:00:00Z"
    assert timed([ready | {"status": "False"}], before, STAMP)[0]["lastTransitionTime"] == STAMP
    assert timed([ready], None, STAMP)[0]["lastTransitionTime"] == STAMP


@pytest.mark.parametrize(("amount", "said"), [(1.005, "1.00"), (-0.001, "0.00"), (-3.2, "-3.20")])
def test_money_is_to_the_cent(amount: float, said: str):
    assert money(amount) == said


def others(world: World) -> dict[str, tuple[str, str]]:
    """Ready of every object that is no workload, after the kinds have accepted the status."""
    found = {}
    for report in other_statuses(world.decide()):
        stored = world.kube.peek(report.resource, None, report.name)
        wanted = {**report.wanted, "conditions": timed(report.wanted["conditions"], {}, STAMP)}
        if report.wanted["conditions"][0]["reason"] != "Invalid":
            parse({**stored, "status": wanted})
        (ready,) = wanted["conditions"]
        found[f"{report.resource.kind}/{report.name}"] = (ready["status"], ready["reason"])
    return found


def test_every_other_object_says_whether_it_can_be_used():
    world = World.standard(
        docs.policy(),
        docs.chip_class("tpu", resourceName=None),
        docs.pool("tpu"),
        docs.pool("free", "h100", price=None),
        docs.profile(docs.variant("gaudi"), name="strange"),
        docs.pool("broken", "h100", nodes={"max": 0}),
    )
    assert others(world).items() >= {
        ("AcceleratorClass/h100", ("True", "Accepted")),
        ("AcceleratorClass/tpu", ("False", "ResourceNameMissing")),
        ("AcceleratorPool/h100", ("True", "Accepted")),
        ("AcceleratorPool/tpu", ("False", "ResourceNameMissing")),
        ("AcceleratorPool/free", ("False", "Unpriced")),
        ("AcceleratorPool/broken", ("False", "Invalid")),
        ("ModelProfile/llama", ("True", "Accepted")),
        ("ModelProfile/strange", ("False", "ClassMissing")),
        ("PlacementPolicy/default", ("True", "Accepted")),
    }


def test_a_pool_shows_its_chips_and_the_price_in_force():
    world = World.standard(docs.pod("foreign", on="h100-1", chips=3))
    (report,) = [
        r for r in other_statuses(world.decide()) if (r.resource, r.name) == (ACCELERATOR_POOLS, "h100")
    ]
    assert report.wanted["chips"] == {
        "allocatable": 16,
        "used": 8,
        "usedByOthers": 3,
        "reserved": 0,
        "free": 5,
    }
    assert report.wanted["priceInForce"]["amount"] == "80.00"


def test_nodes_that_show_a_chip_and_match_no_pool_are_listed_by_instance_type():
    discovery = {"nodeLabels": [{"key": "nvidia.com/gpu.product", "values": ["H100"]}]}
    labels = {"nvidia.com/gpu.product": "H100", "node.kubernetes.io/instance-type": "ND96"}
    world = World.standard(
        docs.chip_class("h100", discovery=discovery),
        docs.node("h100x", 0, labels=labels),
        docs.node("h100x", 1, labels=labels),
        docs.node("other", 2),
    )
    (report,) = [
        r for r in other_statuses(world.decide()) if (r.resource.kind, r.name) == ("AcceleratorClass", "h100")
    ]
    assert report.wanted["undeclared"] == [{"instanceType": "ND96", "nodes": 2, "chips": 16}]
