"""What Cluster Autoscaler says of its groups and of pods bounds what is planned, and ends a wait for nodes that will not come."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from chipwise.cluster.decide import Decision
from chipwise.cluster.health import examine
from chipwise.cluster.hopeless import Autoscaling
from chipwise.kube.resources import AUTOSCALER_STATUS, INFERENCE_WORKLOADS, SCALE_UP_REFUSALS
from chipwise.reasons import Reason

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, serving
from tests.control.carrying import carry_out
from tests.control.test_setbacks import AMD, KEY, MAIA, cool_downs, failing, rests, tell

BACKOFF = {"status": "Backoff", "backoffInfo": {"errorCode": "quota", "errorMessage": "none left"}}


def grouped(**pool: Any) -> World:
    """Maia is at zero nodes, and Cluster Autoscaler knows its nodes as maia-group."""
    world = World.standard(docs.pool("maia", **{"nodeGroup": "maia-group", **pool}))
    world.lose_nodes("maia")
    return world


def told(
    world: World, *, target: int = 0, most: int = 4, age: float = 0, scale_up: Document | None = None
) -> None:
    """The autoscaler says how its group is."""
    group = {
        "name": "maia-group",
        "health": {"cloudProviderTarget": target, "minSize": 0, "maxSize": most},
        "scaleUp": scale_up or {"status": "NoActivity"},
    }
    at = (world.now - timedelta(seconds=age)).strftime("%Y-%m-%d %H:%M:%S.123456789 +0000 UTC")
    text = json.dumps({"time": at, "nodeGroups": [group]})
    metadata = {"name": AUTOSCALER_STATUS.part, "namespace": "kube-system"}
    world.kube.put(AUTOSCALER_STATUS, {"metadata": metadata, "data": {"status": text}})


def refuses(world: World, *whys: str, seconds: float = 30) -> None:
    """The autoscaler says of every pod without a node that it adds none, for so long."""
    for pod in world.pods():
        if "nodeName" in pod["spec"]:
            continue
        first = world.now - timedelta(seconds=seconds)
        event = {
            "metadata": {"name": pod["metadata"]["name"], "namespace": docs.NAMESPACE},
            "involvedObject": {"kind": "Pod", "uid": pod["metadata"]["uid"]},
            "reason": "NotTriggerScaleUp",
            "message": f"pod didn't trigger scale-up: {', '.join(whys)}",
            "count": 3,
            "firstTimestamp": first.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastTimestamp": world.stamp,
        }
        world.kube.put(SCALE_UP_REFUSALS, event)


def pool_of(decision: Decision) -> str | None:
    option = decision.choice(KEY).option
    return option.pool if option else None


def test_a_group_that_backs_off_is_passed_over_and_taken_again():
    """Nothing has to fail first: the provider has said so. What is there may still be used."""
    world = grouped()
    told(world, scale_up=BACKOFF)
    decision = world.decide()
    assert pool_of(decision) == "mi300x"
    (workload,) = decision.acting.problem.workloads
    refused = {each.pool: each.refusal for each in workload.refused}
    assert refused["maia"].reason is Reason.STOCKOUT
    assert "node group maia-group backs off (quota: none left)" in refused["maia"].message
    told(world)
    assert pool_of(world.decide()) == "maia"
    told(world, scale_up=BACKOFF)
    for number in range(2):
        world.put(docs.node("maia", number))
    assert pool_of(world.decide()) == "maia"


@pytest.mark.parametrize(("most", "expected"), [(0, "mi300x"), (1, "maia"), (4, "maia")])
def test_no_more_nodes_are_counted_on_than_the_group_may_have(most: int, expected: str):
    """Whatever the pool declares: a group at its maximum says nothing by itself."""
    world = grouped()
    told(world, most=most)
    assert pool_of(world.decide()) == expected


def test_nodes_that_are_on_their_way_are_counted_on():
    world = grouped()
    told(world, target=1, most=1)
    assert pool_of(world.decide()) == "maia"


def test_an_autoscaler_that_stopped_is_not_believed():
    world = grouped()
    told(world, scale_up=BACKOFF, age=660)
    assert pool_of(world.decide()) == "maia"


def moving(world: World) -> World:
    """The move to Maia has begun, and its pods find no node."""
    told(world)
    assert carry_out(world)
    world.settle()
    return world


def test_a_refusal_by_the_provider_ends_the_wait_at_once_and_cools_the_pool_down():
    """Six minutes sooner than the deadline of a node that boots; then it returns by itself."""
    world = moving(grouped())
    world.pass_time(seconds=9)
    told(world, target=0, scale_up=BACKOFF)
    assert failing(world) is None
    world.pass_time(seconds=1)
    said = failing(world)
    assert said is not None
    assert said[0] == Reason.STOCKOUT
    assert "node group maia-group backs off (quota: none left)" in said[1]
    tell(world)
    (noted,) = cool_downs(world)
    assert (noted["pool"], noted["reason"], noted["chips"]) == ("maia", "Stockout", 4)
    rests(world)
    assert serving(world) == AMD
    told(world)
    for number in range(2):
        world.put(docs.node("maia", number))
    world.pass_time(minutes=11)
    told(world)
    rests(world)
    assert serving(world) == MAIA


CPU = "1 Insufficient cpu"
FULL, DRY = "1 max node group size reached", "1 in backoff after failed scale-up"


@pytest.mark.parametrize(
    ("whys", "words"),
    [
        ([FULL, CPU], CPU),
        ([DRY, CPU], CPU),
        (["3 node(s) didn't match Pod's node affinity/selector"], "3 node(s) didn't match"),
        ([FULL], FULL),
    ],
)
def test_what_is_said_of_a_pod_again_and_again_ends_its_wait(whys: list[str], words: str):
    """Full groups and those in back-off are counted whoever they are: the pod's own is known to be neither."""
    world = moving(grouped())
    told(world, target=2)
    world.pass_time(seconds=30)
    refuses(world, *whys, seconds=10)
    assert failing(world) is None
    refuses(world, *whys)
    said = failing(world)
    assert said is not None
    assert said[0] == Reason.SCALE_UP_REFUSED
    assert words in said[1]
    assert (FULL in said[1]) == (words == FULL)
    assert DRY not in said[1]
    rests(world)
    assert serving(world) == AMD


def test_a_group_that_is_full_is_given_the_grace():
    """Like a limit that is reached: room may yet come of what others leave. Then the pods have failed, for the group's own reason."""
    world = moving(grouped())
    told(world, target=4, most=4)
    world.pass_time(seconds=30)
    refuses(world, FULL, CPU)
    assert failing(world) is None
    world.pass_time(seconds=31)
    told(world, target=4, most=4)
    refuses(world, FULL, CPU)
    said = failing(world)
    assert said is not None
    assert said[0] == Reason.GROUP_AT_MAXIMUM
    assert FULL in said[1]


def test_what_was_said_long_ago_is_not_believed():
    world = moving(grouped())
    world.pass_time(seconds=30)
    refuses(world, "1 in backoff after failed scale-up")
    world.pass_time(seconds=100)
    assert failing(world) is None


def test_a_workload_in_mode_off_is_not_examined():
    world = moving(grouped())
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(mode="Off"))
    world.pass_time(seconds=60)
    told(world, scale_up=BACKOFF)
    assert failing(world) is None


def test_a_pool_that_may_take_the_pods_too_is_waited_for():
    """The autoscaler turns to its group by itself: only when every group that they name backs off will no node come."""
    world = moving(grouped())
    world.pass_time(seconds=30)
    told(world, scale_up=BACKOFF)
    decision = world.decide()
    subject, pods, view = decision.subjects[KEY], decision.pods[KEY], decision.views["maia"]
    assert view.group_state is not None
    alone = examine(subject, pods, view, world.now, said=Autoscaling())
    assert alone.trouble is not None
    assert alone.trouble.reason is Reason.STOCKOUT
    other = replace(view, name="maia-east", group_state=None)
    assert examine(subject, pods, view, world.now, said=Autoscaling(further=(other,))).trouble is None
    dry = replace(view, name="maia-east")
    both = examine(subject, pods, view, world.now, said=Autoscaling(further=(dry,)))
    assert both.trouble is not None
