"""Moves to more replicas over a bridge: a second Deployment carries what is missing until the author's has it, and nothing is lost."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from e2e import authored
from e2e.admin import GROUP
from e2e.authored import Setup
from e2e.staging import case
from e2e.test_moves import TEMPLATE, assert_restored, writes
from e2e.watchlog import Revision
from e2e.world import World

pytestmark = pytest.mark.e2e

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "chat"},
    "spec": {"selector": {"app": "chat"}, "ports": [{"port": 80, "targetPort": 8000}]},
}


def begin(world: World) -> None:
    """From here on chipwise may write."""
    assert world.condition("Placed") == ("False", "ModeOff")
    world.edit_workload(mode="Rollout")


def verbs(world: World) -> list[str]:
    """The operator's writes on Deployments in order: of the author's the verb, of the bridge the verb after a plus.

    Without those that came to nothing, as the Deployment was not the one any more that had been read: they are made again.
    """
    found = []
    for each in world.writes():
        code, name = each["responseStatus"]["code"], each["objectRef"].get("name", "")
        assert code in (200, 201, 422), each
        if code in (200, 201):
            found.append(("+" if name != "chat" else "") + each["verb"])
    return found


def endpoints(world: World) -> dict[str, bool]:
    """Names of the pods to which a Service with the author's selector sends requests, and whether they are Ready."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{world.namespace}/endpointslices"
    slices = world.admin.get(f"{path}?labelSelector=kubernetes.io/service-name=chat")["items"]
    ends = [each for found in slices for each in found.get("endpoints") or ()]
    return {each["targetRef"]["name"]: bool(each["conditions"].get("ready")) for each in ends}


def asked_of_the_bridge(world: World) -> list[int]:
    """The numbers of replicas that the bridge ever had, in order."""
    found = [revision.replicas for revision in world.bridge_revisions()]
    return [number for at, number in enumerate(found) if not at or number != found[at - 1]]


def course(world: World) -> str:
    """What served when, for people."""
    steps = [step for step in world.log.instants if step.moment >= world.since]
    return "\n".join(
        f"{s.moment - world.since:6.1f} s {s.capacity:6.2f}/s {s.ready}: {s.cause}" for s in steps
    )


@pytest.mark.parametrize(
    ("replicas", "bridge"),
    [
        case(Setup("two-to-three", alternative_tpot=25, mode="Off", expects_move=False), 3, 1),
        case(Setup("three-to-five", replicas=3, alternative_tpot=30, mode="Off", expects_move=False), 5, 2),
    ],
)
def test_to_more_and_back(world: World, replicas: int, bridge: int) -> None:
    """Bridge, template, replicas, and the bridge is gone: one write each, never two things in one, and capacity never below the demand."""
    world.kubectl_apply(SERVICE)
    begin(world)
    served: set[str] = set()

    def done() -> bool:
        served.update(name for name, ready in endpoints(world).items() if ready and "-bridge-" in name)
        return world.is_on("alt") and world.bridge() is None and world.condition("Placed")[0] == "True"

    world.eventually(done, "moved over a bridge", 90)
    print(course(world))
    world.settled("alt", replicas)
    assert len(served) == bridge  # a Service with the author's selector found them
    assert writes(world) == [TEMPLATE, {"replicas"}]
    made = verbs(world)
    assert [verb for verb in made if verb != "+patch"] == ["+create", "patch", "patch", "+delete"]
    assert made[-1] == "+delete"
    assert asked_of_the_bridge(world)[0] == bridge
    assert asked_of_the_bridge(world) == sorted(asked_of_the_bridge(world), reverse=True)
    assert not [
        revision
        for revision in world.bridge_revisions()
        if revision.template != world.bridge_revisions()[0].template
    ]
    world.nothing_lost()
    assert_restored(world)
    assert world.bridge() is None


def grown_only_when_none_of_the_old_ran(world: World) -> bool:
    """The author's replicas rise only while his template is ours."""
    steps = list(pairwise(world.revisions()))
    return all(a.template == b.template for a, b in steps if a.replicas != b.replicas)


@pytest.mark.setup(Setup("tight", replicas=1, alternative_tpot=60, mode="Off", expects_move=False))
def test_one_by_one_where_there_is_room_for_one(world: World) -> None:
    """Three replicas in a pool that holds four: one more in the author's Deployment, one less in the bridge, and no pod ever waits."""
    cordon(world, "2", "3", "4")
    begin(world)
    world.settled("alt", 3, deadline=90)
    assert [revision.replicas for revision in unlike(world)] == [1, 2, 3]
    assert asked_of_the_bridge(world) == [2, 1]
    assert verbs(world) == ["+create", "patch", "patch", "+patch", "patch", "+delete"]
    assert grown_only_when_none_of_the_old_ran(world)
    world.nothing_lost()


def unlike(world: World) -> list[Revision]:
    """Revisions of the author's Deployment at which replicas changed, and the first."""
    known = world.revisions()
    return [one for at, one in enumerate(known) if not at or one.replicas != known[at - 1].replicas]


def cordon(world: World, *numbers: str) -> None:
    """Take nodes of the other pool out of use, and wait until chipwise knows."""
    for number in numbers:
        world.kubectl("cordon", f"{world.namespace}-alt-{number}")
    path, left = f"{GROUP}/acceleratorpools/{world.namespace}-alt", 5 - len(numbers)
    world.eventually(lambda: world.admin.get(path)["status"]["nodes"]["ready"] == left, "nodes are cordoned")


@pytest.mark.setup(Setup("no-room", replicas=1, alternative_tpot=40, mode="Off", expects_move=False))
def test_without_room_for_one_more_it_is_held(world: World) -> None:
    """Two replicas fill the only node to the last chip: held with the figures, and nothing written; with a second node it goes."""
    cordon(world, "1", "2", "3", "4")
    begin(world)
    world.eventually(lambda: world.condition("Placed") == ("False", "NoSurgeCapacity"), "held", 20)
    message = world.conditions()["Placed"]["message"]
    assert "3 x 4 chips do not fit" in message
    assert "1 over a bridge one at a time runs twice" in message
    time.sleep(2)
    assert not world.writes()
    assert world.is_on("gpu")
    world.kubectl("uncordon", f"{world.namespace}-alt-1")
    world.settled("alt", 2, deadline=90)
    world.nothing_lost()


@pytest.mark.setup(Setup("hpa-more", alternative_tpot=40, autoscaled=(1, 6), expects_move=False))
def test_replicas_that_are_not_ours_need_no_bridge_and_get_none(world: World) -> None:
    """Held until the autoscaler runs as many as the other pool needs; then it moves like any other."""
    world.eventually(lambda: world.condition("Placed") == ("False", "NeedsBridge"), "held")
    assert "raise it to 4" in world.conditions()["Placed"]["message"]
    assert not world.writes()
    world.kubectl_apply(authored.autoscaler(authored.with_autoscaler(world.setup, 4, 6)))
    world.settled("alt", 4, deadline=90)
    assert verbs(world) == ["patch"]
    world.nothing_lost()


@pytest.mark.setup(Setup("hpa-midway", alternative_tpot=25, ready_delay="3s", mode="Off", expects_move=False))
def test_an_autoscaler_that_comes_after_the_template_is_handed_the_bridge(world: World) -> None:
    """It counts the bridge's pods as its own and makes none for them: the number is written once, within its bounds, and then its own."""
    begin(world)
    world.eventually(lambda: "patch" in verbs(world), "the template is written", 60)
    world.kubectl_apply(authored.autoscaler(authored.with_autoscaler(world.setup, 1, 6)))
    world.eventually(lambda: world.is_on("alt") and world.bridge() is None, "the bridge is gone", 90)
    world.settled("alt", 3, deadline=60)
    assert [verb for verb in verbs(world) if verb != "+patch"] == ["+create", "patch", "patch", "+delete"]
    before = len(world.writes())
    world.kubectl("scale", "deployment/chat", "--replicas=4")  # as the autoscaler would, once it has metrics
    world.settled("alt", 4, deadline=60)
    assert len(world.writes()) == before
    world.nothing_lost()


@pytest.mark.setup(Setup("hpa-tight", alternative_tpot=25, ready_delay="3s", mode="Off", expects_move=False))
def test_a_bridge_does_not_outlive_what_an_autoscaler_allows(world: World) -> None:
    """Its maximum is below the need: it moves back to where that is enough, the number is never written, and why is said."""
    begin(world)
    world.eventually(lambda: "patch" in verbs(world), "the template is written", 60)
    world.kubectl_apply(authored.autoscaler(authored.with_autoscaler(world.setup, 1, 2)))
    world.settled("gpu", 2, deadline=90)
    world.eventually(lambda: world.bridge() is None, "the bridge is gone")
    assert {revision.replicas for revision in world.revisions()} == {2}
    (refused,) = [each for each in world.status()["candidates"] if each["variant"] == "alt"]
    assert refused["reason"] == "ReplicasExceeded"
    assert "HPA chat allows 2" in refused["message"]
    world.nothing_lost()
