"""The life of a release with objects present, by real Helm: upgrade from an earlier chart, rollback, uninstall, install again.

The operator is a process with the release's own ServiceAccount; the pods of the release's Deployment are played. In none of this may a
Deployment of an author change, and no object may be lost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from charts.classes import committed
from e2e.authored import MINE, Setup
from e2e.cluster.commands import run
from e2e.cluster.errors import CommandError
from e2e.cluster.fleet import node_manifest
from e2e.faults import Lab
from e2e.operator_process import OperatorProcess, install_chart, service_account_kubeconfig
from e2e.rendered import CHART, NAMESPACE, ROOT
from e2e.world import World

pytestmark = pytest.mark.e2e

#: The chart as it was when PlacementPolicy had no maxFailures, one replica was the default, and all rights stood in one role.
EARLIER = ROOT / "e2e" / "fixtures" / "chipwise-0.1.0.tgz"
KINDS = ("acceleratorclasses", "acceleratorpools", "inferenceworkloads", "modelprofiles", "placementpolicies")
WHERE = ("--namespace", NAMESPACE)
STILL_SECONDS = 5


class Release:
    """The release ``chipwise`` on the control plane of a test."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def helm(self, *arguments: str | Path) -> str:
        """``helm``, which waits until the played pods are Ready."""
        return run([self.lab.cluster.helm, *arguments, *WHERE], env=self.lab.cluster.environment)

    def install(self, chart: Path) -> None:
        """As a new release, with its Deployment; the operator of this test then has its account's token."""
        self.helm("install", "chipwise", chart, "--wait", "--timeout", "60s")
        service_account_kubeconfig(self.lab.cluster, self.lab.kubeconfig)

    def uninstall(self) -> None:
        """Everything but what is kept."""
        self.helm("uninstall", "chipwise", "--wait", "--timeout", "60s")

    def revision(self) -> int:
        """The number of its latest revision that is deployed."""
        found = json.loads(self.helm("status", "chipwise", "-o", "json"))
        assert found["info"]["status"] == "deployed"
        return int(found["version"])

    def replicas(self) -> int:
        """The Ready pods of its Deployment."""
        found = self.lab.admin.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/chipwise")
        return int(found["status"]["readyReplicas"])

    def knows_max_failures(self) -> bool:
        """Whether the kind PlacementPolicy is the one of this tree."""
        crd = self.lab.admin.get(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/placementpolicies.chipwise.dev"
        )
        (version,) = crd["spec"]["versions"]
        return "maxFailures" in version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]


@pytest.fixture
def release(lab: Lab) -> Iterator[Release]:
    """No release and no kinds, and a machine for its pods; afterwards what other tests of this control plane expect."""
    found = Release(lab)
    kinds = [f"{kind}.chipwise.dev" for kind in KINDS]
    machine = node_manifest(
        "plain", labels={MINE: "plain"}, taints=[], capacity={}, zone="westus3-1", instance_type="plain"
    )
    try:
        found.uninstall()
        lab.cluster.run_kubectl("delete", "crd", *kinds, "--ignore-not-found", "--timeout=60s")
        lab.apply(machine)
        yield found
    finally:
        for operator in lab.operators:
            operator.kill()
        install_chart(lab.cluster)
        service_account_kubeconfig(lab.cluster, lab.kubeconfig)


class Picture:
    """What may not change: the author's Deployment and its pods, our objects, and that nobody writes the former."""

    def __init__(self, lab: Lab, world: World) -> None:
        self._lab, self._world = lab, world
        self._before, self._known = self._seen(), len(world.writes())

    def is_still_true(self) -> None:
        """Look for some seconds, in which an operator decides several times."""
        end = time.monotonic() + STILL_SECONDS
        while time.monotonic() < end:
            assert self._seen() == self._before
            time.sleep(0.5)
        assert self._world.writes()[self._known :] == []
        self._world.nothing_lost()

    def _seen(self) -> dict[str, Any]:
        deployment = self._world.deployment()
        listed = self._lab.cluster.run_kubectl("get", ",".join(KINDS), "--all-namespaces", "-o", "json")
        return {
            "deployment": (deployment["metadata"]["uid"], deployment["metadata"]["generation"]),
            "annotations": deployment["metadata"]["annotations"],
            "pods": sorted(pod["metadata"]["uid"] for pod in self._world.pods()),
            "hashes": self._world.hashes(),
            "objects": {
                each["metadata"]["uid"]: (
                    each["kind"],
                    each["metadata"]["name"],
                    each["metadata"]["generation"],
                )
                for each in json.loads(listed)["items"]
            },
        }


def placed(lab: Lab, operator: OperatorProcess, name: str) -> World:
    """A world whose workload has been moved, with objects of all five kinds."""
    world = lab.world(Setup(name, replicas=2), operator).build()
    kinds = {kind for kind, _, _ in Picture(lab, world)._seen()["objects"].values()}
    assert len(kinds) == len(KINDS)
    return world


def test_an_upgrade_and_its_rollback_move_nothing(lab: Lab, release: Release) -> None:
    """The kinds become those of each chart, with every object in place; the operator runs on, and acts when there is something to do."""
    release.install(EARLIER)
    assert not release.knows_max_failures()
    assert release.replicas() == 1
    with lab.operator() as operator:
        world = placed(lab, operator, "upgraded")
        world.edit_policy(maxFailures=3)
        policy = "/apis/chipwise.dev/v1alpha1/placementpolicies/upgraded"
        assert "maxFailures" not in lab.admin.get(policy)["spec"]
        picture = Picture(lab, world)

        release.helm("upgrade", "chipwise", CHART, "--wait", "--timeout", "60s")
        assert release.revision() == 2
        assert release.knows_max_failures()
        assert release.replicas() == 2
        picture.is_still_true()
        world.edit_policy(maxFailures=3)
        assert lab.admin.get(policy)["spec"]["maxFailures"] == 3

        picture = Picture(lab, world)
        release.helm("rollback", "chipwise", "1", "--wait", "--timeout", "60s")
        assert release.revision() == 3
        assert not release.knows_max_failures()
        assert release.replicas() == 1
        assert "maxFailures" not in lab.admin.get(policy)["spec"]
        picture.is_still_true()

        release.helm("upgrade", "chipwise", CHART, "--wait", "--timeout", "60s")
        picture.is_still_true()
        assert lab.admin.get(policy)["spec"]["maxFailures"] == 3  # nobody wrote the object meanwhile
        assert operator.is_alive
        world.delete_workload()
        world.restored(60)


def test_a_release_that_went_is_taken_up_again(lab: Lab, release: Release) -> None:
    """Uninstalled, kinds, objects and Deployments stay; installed again, the operator goes on with what it finds and writes nothing."""
    release.install(CHART)
    with lab.operator() as operator:
        world = placed(lab, operator, "readopted")
        picture = Picture(lab, world)
        release.uninstall()
        picture.is_still_true()
    assert release.knows_max_failures()
    former = lab.lease_holder()

    release.install(CHART)
    with lab.operator("--log-level", "debug", name="again") as again:
        lab.within(60, lambda: lab.lease_holder() not in ("", former), "the new one leads")
        lab.within(20, lambda: "planner: decided" in again.log, "a decision")
        picture.is_still_true()
        assert world.condition("Placed")[0] == "True"
        assert again.is_alive
        world.delete_workload()
        world.restored(60)


def test_the_catalogues_classes_come_once_their_kind_is_there_and_stay(lab: Lab, release: Release) -> None:
    """With new kinds they wait for the next upgrade, and the notes say so; an edit of one is a conflict; turned off they are kept."""

    def classes() -> set[str]:
        listed = lab.cluster.run_kubectl("get", "acceleratorclasses", "-o", "json")
        return {each["metadata"]["name"] for each in json.loads(listed)["items"]}

    on = ("--set", "catalog.classes.enabled=true", "--wait", "--timeout", "60s")
    shipped = {name.removesuffix(".yaml") for name in committed()}
    assert "classes are not installed yet" in release.helm("install", "chipwise", CHART, *on)
    assert not classes() & shipped

    assert "classes are not installed yet" not in release.helm("upgrade", "chipwise", CHART, *on)
    assert classes() >= shipped
    lab.cluster.run_kubectl("patch", "acceleratorclass", "l4", "--type=merge", "-p", '{"spec":{"watts":1}}')
    with pytest.raises(CommandError, match=r"/l4 .*conflict.*\.spec\.watts"):
        release.helm("upgrade", "chipwise", CHART, *on)
    release.helm("upgrade", "chipwise", CHART, *on, "--force-conflicts")
    found = lab.admin.get("/apis/chipwise.dev/v1alpha1/acceleratorclasses/l4")
    assert found["spec"]["watts"] == 72

    release.helm("upgrade", "chipwise", CHART, "--wait", "--timeout", "60s")
    assert classes() >= shipped
    release.helm("upgrade", "chipwise", CHART, *on)
    assert classes() >= shipped
