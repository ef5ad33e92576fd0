"""Cluster Autoscaler's ConfigMap on a real API server, with the rights that the chart grants: written, kept, left alone, and read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from e2e import authored
from e2e.authored import Setup
from e2e.faults import Lab
from e2e.operator_process import install_chart
from e2e.played_autoscaler import CONFIG_MAPS, NAMESPACE, STATUS, group, refuse, say
from e2e.rendered import NAMESPACE as OURS
from e2e.world import World

pytestmark = pytest.mark.e2e

PRIORITIES = "cluster-autoscaler-priority-expander"
FLAGS = ("--cluster-autoscaler", NAMESPACE, "--priority-expander")
VALUES = {
    "autoscaling.clusterAutoscaler.enabled": "true",
    "autoscaling.clusterAutoscaler.namespace": NAMESPACE,
    "autoscaling.clusterAutoscaler.priorityExpander": "true",
}


@pytest.fixture
def asked(lab: Lab) -> Iterator[Lab]:
    """The chart with the rights for it; taken back afterwards, with what was written."""
    install_chart(lab.cluster, values=VALUES)
    try:
        yield lab
    finally:
        for name in (PRIORITIES, STATUS):
            lab.admin.delete(f"{CONFIG_MAPS}/{name}")
        install_chart(lab.cluster)


def grouped(world: World, *chips: str) -> None:
    """The world's pools are groups of the autoscaler."""
    for chip in chips:
        world.admin.merge(world.path_of_pool(chip), {"spec": {"nodeGroup": f"asg.{chip}"}})


def entries(lab: Lab) -> dict[int, list[str]]:
    """What Cluster Autoscaler would read."""
    found = lab.admin.find(f"{CONFIG_MAPS}/{PRIORITIES}")
    read: dict[int, list[str]] = yaml.safe_load(found["data"]["priorities"]) if found else {}
    return read


def refusals(lab: Lab) -> list[Any]:
    """Requests of the operator that the API server forbade."""
    return [each for each in lab.audit.requests() if each["responseStatus"].get("code") == 403]


def test_the_order_is_written_kept_and_left_alone(asked: Lab) -> None:
    """From nothing; beside a person's entries; not over what a person broke; each told once, and nothing refused."""
    lab = asked
    with lab.operator(*FLAGS) as operator:
        world = lab.world(Setup("orders"), operator).build()
        grouped(world, "gpu", "alt")
        lab.within(20, lambda: entries(lab), "the order")
        assert entries(lab) == {20: [r"^asg\.alt$"], 10: [r"^asg\.gpu$"], 0: [".*"]}
        assert world.told("Ordered", "True", "Accepted", world.path_of_pool("alt")).startswith(
            "node group asg.alt is number 1 of 2"
        )
        found = lab.events(NAMESPACE, "PrioritiesWritten")
        assert "asg.alt, asg.gpu" in found[-1]["note"]
        assert found[-1]["regarding"]["name"] == PRIORITIES
        written = lab.audit.writes("configmaps", NAMESPACE)
        time.sleep(3)
        assert lab.audit.writes("configmaps", NAMESPACE) == written

        text = lab.admin.get(f"{CONFIG_MAPS}/{PRIORITIES}")["data"]["priorities"]
        theirs = "# by hand\n50:\n  - ^web-\n"
        lab.admin.merge(f"{CONFIG_MAPS}/{PRIORITIES}", {"data": {"priorities": theirs + text}})
        lab.within(20, lambda: 70 in entries(lab), "ours above theirs")
        assert entries(lab) == {50: ["^web-"], 70: [r"^asg\.alt$"], 60: [r"^asg\.gpu$"], 0: [".*"]}

        lab.admin.merge(f"{CONFIG_MAPS}/{PRIORITIES}", {"data": {"priorities": "ten:\n  - ^web-\n"}})
        words = world.told("Ordered", "False", "PrioritiesUnusable", world.path_of_pool("alt"))
        assert "'ten' is no whole number" in words
        assert lab.within(10, lambda: lab.events(NAMESPACE, "PrioritiesUnusable"), "an Event")
        assert "ten" in lab.admin.get(f"{CONFIG_MAPS}/{PRIORITIES}")["data"]["priorities"]

        lab.admin.delete(f"{CONFIG_MAPS}/{PRIORITIES}")
        lab.within(20, lambda: entries(lab), "made again")
        assert operator.is_alive
        assert "Traceback" not in operator.log
    assert refusals(lab) == []


def test_a_group_that_gets_no_nodes_is_passed_over_and_returned_to(asked: Lab) -> None:
    """At zero nodes, the provider refuses: the workload stays where it serves, and goes once the back-off is over."""
    lab = asked
    say(lab, group("asg.alt", backoff="no capacity", target=0))
    with lab.operator(*FLAGS) as operator:
        world = lab.world(Setup("stockout", expects_move=False, alternative_machines=0), operator)
        world.build_author()
        grouped(world, "alt")
        lab.within(20, lambda: entries(lab), "the group is known")
        world.kubectl_apply(authored.workload(world.setup))
        world.eventually(lambda: world.condition("Placed") == ("True", "Placed"), "it stays")
        refused = [each for each in world.status()["candidates"] if each["pool"] == "stockout-alt"]
        assert refused[0]["reason"] == "Stockout"
        assert "node group asg.alt backs off (quota: no capacity)" in refused[0]["message"]
        world.told("NodesObtainable", "False", "Stockout", world.path_of_pool("alt"))
        say(lab, group("asg.alt", target=0))
        world.eventually(world.writes, "it moves", 30)
        assert "stockout-alt" in str(world.deployment()["spec"]["template"])
        assert operator.is_alive


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Stockout", "quota: no capacity"),
        ("GroupAtMaximum", "1 max node group size reached"),
        ("ScaleUpRefused", "1 node(s) didn't match Pod's node affinity/selector"),
    ],
)
def test_pods_that_wait_for_nodes_that_do_not_come_fall_back(asked: Lab, reason: str, words: str) -> None:
    """By the group's status or by Events, long before the five minutes that a node is given to boot; nothing that serves is lost."""
    lab, name = asked, f"fallback-{reason.lower()}"
    say(lab, group("asg.alt", target=0))
    with lab.operator(*FLAGS) as operator:
        world = lab.world(Setup(name, expects_move=False, alternative_machines=0), operator)
        world.build_author()
        grouped(world, "alt")
        world.kubectl_apply(authored.workload(world.setup))
        world.eventually(lambda: f"{name}-alt" in str(world.deployment()["spec"]["template"]), "it moves", 30)
        if reason == "Stockout":
            say(lab, group("asg.alt", backoff="no capacity", target=0))
        else:
            world.eventually(
                lambda: not all(pod["spec"].get("nodeName") for pod in world.pods()), "a pod waits"
            )
            full = reason == "GroupAtMaximum"
            say(lab, group("asg.alt", target=5 if full else 0))
            refuse(lab, world)
            if (
                full
            ):  # room may yet come: the policy's grace of a minute, over which the autoscaler says it again
                time.sleep(45)
                refuse(lab, world)
        world.eventually(
            lambda: world.hashes() == {world.author_hash} and world.is_on("gpu") and len(world.writes()) > 1,
            "it is back",
            60,
        )
        world.eventually(lambda: world.status().get("coolDowns"), "the cool-down")
        (noted,) = world.status()["coolDowns"]
        assert (noted["reason"], noted["pool"]) == (reason, f"{name}-alt")
        assert words in noted["message"]
        (of_pool,) = lab.within(10, lambda: lab.pool(f"{name}-alt").get("coolDowns"), "the pool tells of it")
        assert of_pool["reason"] == reason
        world.nothing_lost()
        assert operator.is_alive
    assert refusals(lab) == []


def may(lab: Lab, verb: str, name: str, namespace: str = NAMESPACE) -> bool:
    """What the API server says that the operator may do to ConfigMaps; an empty name stands for any."""
    asked = {"verb": verb, "resource": "configmaps", "namespace": namespace, "name": name}
    review = {"user": f"system:serviceaccount:{OURS}:chipwise", "resourceAttributes": asked}
    answer = lab.admin.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": review})
    return bool(answer["status"]["allowed"])


def test_no_other_config_map_may_be_touched(asked: Lab) -> None:
    """Not one more in that namespace, and none elsewhere; nor may either be deleted, or the status be written."""
    for verb in ("get", "list", "watch", "create", "patch", "update", "delete"):
        assert not may(asked, verb, "")
        assert not may(asked, verb, "extension-apiserver-authentication")
        assert not may(asked, verb, PRIORITIES, "default")
        assert may(asked, verb, PRIORITIES) is (verb not in ("update", "delete"))
        assert may(asked, verb, STATUS) is (verb in ("list", "watch"))
