"""What the chart renders is what the API server takes, and its roles grant there what they say: no more, no less."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from e2e.chart_values import ROWS
from e2e.cluster import Cluster
from e2e.cluster.commands import kubectl_on, run
from e2e.cluster.errors import CommandError
from e2e.rendered import CHART, EVERY_FEATURE, Chart, settings

pytestmark = pytest.mark.apiserver

#: Every value at once that adds something, so that each document is seen with all that can stand in it.
FULL = {
    **{row.path: row.value for row in ROWS if row.value not in (False, 0)},
    **EVERY_FEATURE,
    "nameOverride": "",
    "fullnameOverride": "",
    "serviceAccount.name": "",
    "autoscaling.clusterAutoscaler.namespace": "kube-system",
    "autoscaling.expander.tls.existingSecret": "",
    "affinity": {"nodeAffinity": {}},
    "extraArgs": [],
    "monitoring.serviceMonitor.enabled": False,
    "monitoring.prometheusRule.enabled": False,
}
CLASSES = {"catalog.classes.enabled": True, "crds.enabled": False}
OWN_SECRET = {"autoscaling.expander.enabled": True, "autoscaling.expander.tls.existingSecret": "mine"}


@pytest.mark.parametrize(
    "values",
    [{}, EVERY_FEATURE, FULL, OWN_SECRET, CLASSES],
    ids=["", "features", "full", "own", "classes"],
)
def test_the_api_server_takes_every_document(chart: Chart, cluster: Cluster, values: dict[str, Any]) -> None:
    """By server-side dry run, with unknown fields refused."""
    documents = chart.documents(values)
    answer = cluster.run_kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts",
        "-o", "name", "-f", "-", stdin=yaml.safe_dump_all(documents),
    )  # fmt: skip
    assert len(answer.split()) == len(documents)


def test_the_api_server_would_refuse_a_field_that_is_not_one(chart: Chart, cluster: Cluster) -> None:
    """The check above can fail."""
    text = chart.text({}).replace("whenUnsatisfiable:", "whenUnsatisfied:")
    with pytest.raises(CommandError, match="whenUnsatisfied"):
        cluster.run_kubectl(
            "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text
        )


PROBE, PROBED = "probe", "probe-system"


class Probe:
    """A second release beside the first, for its roles."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def upgrade(self, values: dict[str, Any]) -> None:
        """Install it or give it other values."""
        flags = settings({"crds.enabled": False, "operator.enabled": False, **values})
        where = ["--namespace", PROBED, "--create-namespace"]
        run(
            [self.cluster.helm, "upgrade", "--install", PROBE, CHART, *where, *flags],
            env=self.cluster.environment,
        )

    def may(self, account: str, verb: str, resource: str, *flags: str) -> bool:
        """Whether the API server would let one of its ServiceAccounts do this."""
        user = f"--as=system:serviceaccount:{PROBED}:{account}"
        kubectl = kubectl_on(self.cluster.kubectl, self.cluster.kubeconfig)
        command = [*map(str, kubectl), "auth", "can-i", verb, resource, user, *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() == "yes"

    def applies(self, name: str, manager: str, *flags: str) -> str:
        """The words of the API server when the operator's account applies a ConfigMap; empty if it may."""
        document = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "kube-system"},
        }
        user = f"--as=system:serviceaccount:{PROBED}:{PROBE}-chipwise"
        try:
            self.cluster.run_kubectl(
                manager,
                *flags,
                user,
                "--dry-run=server",
                "--validate=false",
                "-f",
                "-",
                stdin=json.dumps(document),
            )
        except CommandError as refused:
            return str(refused)
        return ""


@pytest.fixture(scope="module")
def probe(cluster: Cluster) -> Iterator[Probe]:
    """With every feature, and gone afterwards."""
    found = Probe(cluster)
    found.upgrade(EVERY_FEATURE)
    yield found
    run([cluster.helm, "uninstall", PROBE, "--namespace", PROBED], env=cluster.environment)
    cluster.run_kubectl("delete", "namespace", PROBED, "--wait=false")


ALL, THERE = "--all-namespaces", "--namespace=kube-system"
OPERATOR, EXPANDER = f"{PROBE}-chipwise", f"{PROBE}-chipwise-expander"


@pytest.mark.parametrize(
    ("account", "verb", "resource", "where", "allowed"),
    [
        (OPERATOR, "patch", "deployments.apps", ALL, True),
        (OPERATOR, "list", "configmaps", ALL, False),
        (OPERATOR, "list", "configmaps", THERE, False),
        (OPERATOR, "watch", "configmaps/cluster-autoscaler-status", THERE, True),
        (OPERATOR, "patch", "configmaps/cluster-autoscaler-status", THERE, False),
        (OPERATOR, "get", "configmaps/cluster-autoscaler-status", "--namespace=default", False),
        (OPERATOR, "patch", "configmaps/cluster-autoscaler-priority-expander", THERE, True),
        (OPERATOR, "delete", "configmaps/cluster-autoscaler-priority-expander", THERE, False),
        (OPERATOR, "list", "events", ALL, True),
        (OPERATOR, "delete", "events", ALL, False),
        (OPERATOR, "get", "secrets", ALL, False),
        (EXPANDER, "list", "inferenceworkloads.chipwise.dev", ALL, True),
        (EXPANDER, "list", "deployments.apps", ALL, True),
        (EXPANDER, "patch", "deployments.apps", ALL, False),
        (EXPANDER, "list", "pods", ALL, False),
        (EXPANDER, "patch", "inferenceworkloads.chipwise.dev", ALL, False),
        (EXPANDER, "get", "secrets", f"--namespace={PROBED}", False),
    ],
)  # fmt: skip
def test_what_each_account_may(
    probe: Probe, account: str, verb: str, resource: str, where: str, *, allowed: bool
) -> None:
    assert probe.may(account, verb, resource, where) is allowed


def test_the_one_configmap_can_be_created_by_apply_and_no_other(probe: Probe) -> None:
    """Server-side apply asks for the create of that name; a plain create has no name when it is asked about."""
    ours = "cluster-autoscaler-priority-expander"
    assert probe.applies(ours, "apply", "--server-side") == ""
    assert "forbidden" in probe.applies("another", "apply", "--server-side")
    assert "forbidden" in probe.applies(ours, "create")


def test_a_feature_that_is_switched_off_takes_its_rights_with_it(probe: Probe) -> None:
    """By an upgrade."""
    assert probe.may(OPERATOR, "list", "events", ALL)
    probe.upgrade({"writes.enabled": False})
    try:
        assert not probe.may(OPERATOR, "list", "events", ALL)
        assert not probe.may(OPERATOR, "patch", "deployments.apps", ALL)
        assert probe.may(OPERATOR, "list", "deployments.apps", ALL)
    finally:
        probe.upgrade(EVERY_FEATURE)
