"""What is exposed is what docs/metrics.md says, and no label names a workload."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from chipwise.control.pool_status import pool_status
from chipwise.kube.gap import Gap
from chipwise.kube.reflector import Reflector
from chipwise.kube.resources import NODES
from chipwise.reasons import Reason
from chipwise.telemetry.telemetry import Telemetry
from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster import documents as docs
from tests.cluster.test_spare import STANDING, low, placeholder
from tests.cluster.world import World
from tests.control.carrying import until_quiet
from tests.control.crossing import ahead

TABLE = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(chipwise_\w+)` \| (\w+) \|([^|]*)\| [^|]+ \|$", re.MULTILINE)

Sample = tuple[str, dict[str, str], float]


def telemetry(world: World) -> Telemetry:
    """After one of everything that is counted."""
    found = Telemetry()
    found.board.reflectors = [Reflector(world.kube, NODES, world.state(), lambda *_: None)]
    found.asked("get", "deployments", "Conflict")
    found.wrote("Moving", "done")
    found.counters.decisions.labels("Move", "Moved").inc()
    for counter in (found.counters.started, found.counters.finished, found.counters.failed):
        counter.labels("Move").inc()
    found.board.gaps = lambda: (Gap("nodes", Reason.OUT_OF_SIGHT, 34.0, "its watch is away"),)
    found.board.decided(world.decide())
    return found


def families(world: World) -> dict[str, Metric]:
    """By the name under which samples are found; chipwise's own only."""
    text = generate_latest(telemetry(world).registry).decode()
    ours = [one for one in text_string_to_metric_families(text) if one.name.startswith("chipwise_")]
    return {one.name + ("_total" if one.type == "counter" else ""): one for one in ours}


def samples(world: World, name: str) -> dict[tuple[str, ...], float]:
    """Values by the labels' values, in order of the labels' names."""
    found = families(world)[name].samples
    return {tuple(value for _, value in sorted(one.labels.items())): one.value for one in found}


@pytest.fixture
def world() -> World:
    found = World.standard(
        docs.pod("foreign", on="h100-1", chips=3),
        docs.pool("broken", "h100", nodes={"max": 0}),
        docs.pool("mi300x", spare={"replicas": 2}),
        low(),
        placeholder("p", on="mi300x-0", pool="mi300x"),
    )
    found.standing = STANDING
    return found


def test_the_table_has_every_metric_with_its_type_and_labels(world: World):
    exposed: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name, family in families(world).items():
        labels = {label for one in family.samples for label in one.labels} - {"le"}
        exposed[name] = (family.type, tuple(sorted(labels)))
    told: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name, kind, labels in ROW.findall(TABLE.read_text()):
        told[name] = (kind, tuple(sorted(re.findall(r"`(\w+)`", labels))))
    assert told == exposed


def test_no_label_names_a_workload_or_a_deployment(world: World):
    values = {v for family in families(world).values() for one in family.samples for v in one.labels.values()}
    assert not [value for value in values if "chat" in value or "prod" in value]


def test_money_is_that_of_the_plan(world: World):
    cost = {one.labels["of"]: one.value for one in families(world)["chipwise_cost_per_hour"].samples}
    assert cost == {"current": 80.0, "planned": 16.0, "amortised": 16.0, "spare": 80.0}
    saved = families(world)["chipwise_savings_per_hour"].samples
    assert {one.labels["decision"]: one.value for one in saved} == {"Move": 64.0, "Hold": 0.0}


def test_workloads_are_counted_by_decision_and_reason(world: World):
    assert samples(world, "chipwise_workloads") == {("Move", "Moved"): 1.0}
    until_quiet(world)
    assert samples(world, "chipwise_workloads") == {("Stay", "Stays"): 1.0}


def test_a_pool_shows_its_chips_and_its_price(world: World):
    chips = {
        key[1]: value for key, value in samples(world, "chipwise_pool_chips").items() if key[0] == "h100"
    }
    assert chips == {"used": 8.0, "others": 3.0, "reserved": 0.0, "free": 5.0}
    assert samples(world, "chipwise_pool_chips_allocatable")[("h100",)] == 16.0
    assert samples(world, "chipwise_pool_price_per_hour")[("USD", "maia", "Node")] == 16.0


def test_chips_of_a_bridge_are_used_by_its_workload():
    """As the status of the pool has it."""
    world = ahead()
    shown = pool_status(world.decide().views["maia"], world.decide())["chips"]
    told = samples(world, "chipwise_pool_chips")
    assert told["maia", "used"] == shown["used"] > 0
    assert told["maia", "others"] == shown["usedByOthers"] == 0


def test_a_pool_shows_what_it_keeps_warm_and_what_that_costs(world: World):
    assert samples(world, "chipwise_pool_spare") == {("mi300x", "wanted"): 2.0, ("mi300x", "warm"): 1.0}
    assert samples(world, "chipwise_pool_spare_cost_per_hour") == {("USD", "mi300x"): 80.0}


def test_what_cannot_be_read_is_counted(world: World):
    assert samples(world, "chipwise_unreadable_objects") == {("AcceleratorPool",): 1.0}


def test_a_workload_that_cannot_be_decided_about_counts_as_refused(world: World):
    fields: dict[str, Any] = {"modelProfileName": "none"}
    world.put(docs.workload(**fields))
    assert samples(world, "chipwise_workloads") == {("Refused", "ProfileMissing"): 1.0}
