"""Cluster Autoscaler adds no node for the pods of a move: the next best pool serves, and when the cool-down is over the first.

The autoscaler itself is played by the test, because its module cannot be fetched (``e2e.played_autoscaler``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from e2e import authored
from e2e.authored import Setup
from e2e.failing import cool_downs
from e2e.faults import Lab
from e2e.operator_process import install_chart
from e2e.platform_team import pool
from e2e.played_autoscaler import CONFIG_MAPS, NAMESPACE, PROSE, STATUS, group, refuse, say, write
from e2e.test_spilling import machine
from e2e.world import World

pytestmark = pytest.mark.e2e

FLAGS = ("--cluster-autoscaler", NAMESPACE)
NOT_READY = ("1 not ready for scale-up", "2 node(s) didn't match Pod's node affinity/selector")
FIRST = 25


@dataclass(frozen=True, slots=True)
class Empty(Setup):
    """The cheapest pool is at zero nodes; what failed there is tried again soon."""

    expects_move: bool = False
    alternative_machines: int = 0
    policy: dict[str, Any] = field(
        default_factory=lambda: {"coolDown": {"first": f"{FIRST}s", "longest": "60s"}}
    )


@pytest.fixture
def asked(lab: Lab) -> Iterator[Lab]:
    """The chart with the rights for it; taken back afterwards, with what the autoscaler wrote."""
    values = {
        "autoscaling.clusterAutoscaler.enabled": "true",
        "autoscaling.clusterAutoscaler.namespace": NAMESPACE,
    }
    install_chart(lab.cluster, values=values)
    try:
        yield lab
    finally:
        lab.admin.delete(f"{CONFIG_MAPS}/{STATUS}")
        install_chart(lab.cluster)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("events", "1 not ready for scale-up"),
        ("status", "node group asg.alt is unhealthy (1 of 3 nodes are ready)"),
    ],
)
def test_the_next_best_pool_serves_until_the_first_may_be_tried_again(
    asked: Lab, how: str, words: str
) -> None:
    """Long before a node's time to boot. A status of before 1.30 is said to be unread, and the Events are heard all the same."""
    lab = asked
    healthy = group("asg.alt", target=0)
    if how == "events":
        write(lab, PROSE)
    else:
        say(lab, healthy)
    with lab.operator(*FLAGS) as operator:
        world = prepared(lab, Empty(f"refused-{how}"), operator)
        (name,) = (f"{world.namespace}-alt",)
        world.eventually(lambda: name in str(world.deployment()["spec"]["template"]), "it moves", 30)
        world.eventually(lambda: any(not pod["spec"].get("nodeName") for pod in world.pods()), "a pod waits")
        if how == "events":
            assert "before 1.30 Cluster Autoscaler wrote prose" in operator.log
            refuse(lab, world, NOT_READY)
        else:
            say(lab, group("asg.alt", target=3, ready=1))

        world.settled("alt2", deadline=60)
        (noted,) = cool_downs(world)
        assert (noted["reason"], noted["pool"]) == ("ScaleUpRefused", name)
        assert words in noted["message"]
        assert lab.pool(name)["coolDowns"][0]["reason"] == "ScaleUpRefused"
        if how == "status":
            told = world.told("NodesObtainable", "False", "ScaleUpRefused", world.path_of_pool("alt"))
            assert words in told
            say(lab, healthy)

        for number in range(2):
            machine(world, "alt", number)
        until = datetime.fromisoformat(noted["until"]).timestamp()
        assert until > time.time(), "the cool-down is over before anything could be seen of it"
        world.settled("alt", deadline=FIRST + 40)
        moved = [each for each in world.revisions() if name in str(each.template)][-1].moment
        assert time.time() - (time.monotonic() - moved) >= until - 1
        world.nothing_lost()
        assert operator.is_alive
        assert "Traceback" not in operator.log
    assert not [each for each in lab.audit.requests() if each["responseStatus"].get("code") == 403]


def prepared(lab: Lab, setup: Empty, operator: Any) -> World:
    """Three pools: the author's, the cheapest without a node, and one between with room for all."""
    world = lab.world(setup, operator)
    world.build_author()
    world.kubectl_apply(pool(setup, "alt", "15.00", name="alt2", selects="alt2"))
    for number in range(2):
        machine(world, "alt2", number)
    world.admin.merge(world.path_of_pool("alt"), {"spec": {"nodeGroup": "asg.alt"}})
    world.kubectl_apply(authored.workload(setup))
    return world
