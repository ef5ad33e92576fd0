"""What the chart renders, by the Helm that installs it: power, safety, and the switches that take power away."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster.tools import obtain

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "charts" / "chipwise"
READ = {"get", "list", "watch"}
DEPLOYMENT_VERBS = {"create", "delete", "patch"}

Document = dict[str, Any]


@pytest.fixture(scope="session")
def helm() -> Path:
    return obtain(["helm"])["helm"]


class Chart:
    """Renders the chart with the given `--set` values."""

    def __init__(self, helm: Path) -> None:
        self.helm = helm

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(self.helm), *arguments], capture_output=True, text=True, check=False)

    def render(self, **values: Any) -> list[Document]:
        settings = [
            f"--set-json={name.replace('__', '.')}={json.dumps(value)}" for name, value in values.items()
        ]
        done = self.run("template", "chipwise", str(CHART), "--namespace", "chipwise-system", *settings)
        assert done.returncode == 0, done.stderr
        return [document for document in yaml.safe_load_all(done.stdout) if document]


@pytest.fixture(scope="session")
def chart(helm: Path) -> Chart:
    return Chart(helm)


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document["kind"] == kind]


def operator_rules(documents: list[Document]) -> list[Document]:
    """Return the rules of the roles that are bound to the ServiceAccount."""
    bound = {
        (document["roleRef"]["kind"], document["roleRef"]["name"])
        for document in documents
        if document["kind"].endswith("RoleBinding")
    }
    return [
        rule
        for document in documents
        if (document["kind"], document["metadata"]["name"]) in bound
        for rule in document["rules"]
    ]


def grants(documents: list[Document]) -> set[tuple[str, str, str]]:
    """Return (group, resource, verb), one for each thing the operator may do."""
    return {
        (group, resource, verb)
        for rule in operator_rules(documents)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def container(documents: list[Document]) -> Document:
    (deployment,) = of_kind(documents, "Deployment")
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


def test_lint_is_clean(chart: Chart) -> None:
    done = chart.run("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_operator_has_no_power_it_does_not_need(chart: Chart) -> None:
    """Beyond reading: its own status, Events, one Lease, patching Deployments, and bridges beside them. No Secrets, no wildcard."""
    granted = grants(chart.render())
    assert not [grant for grant in granted if "*" in grant or "secrets" in grant[1]]
    writes = {grant for grant in granted if grant[2] not in READ}
    kinds = [
        "acceleratorclasses",
        "acceleratorpools",
        "inferenceworkloads",
        "modelprofiles",
        "placementpolicies",
    ]
    assert {(group, resource) for group, resource, _ in writes} == {
        *(("chipwise.dev", f"{kind}/status") for kind in kinds),
        ("events.k8s.io", "events"),
        ("coordination.k8s.io", "leases"),
        ("apps", "deployments"),
    }
    assert {verb for _, _, verb in writes} <= {"create", "delete", "update", "patch"}
    assert {verb for _, resource, verb in writes if resource == "deployments"} == DEPLOYMENT_VERBS
    assert {resource for _, resource, verb in writes if verb == "delete"} == {"deployments"}


def test_without_writes_the_verbs_on_deployments_go_and_nothing_else(chart: Chart) -> None:
    allowed, refused = chart.render(), chart.render(writes__enabled=False)
    assert grants(allowed) - grants(refused) == {("apps", "deployments", verb) for verb in DEPLOYMENT_VERBS}
    assert "--no-writes" in container(refused)["args"]
    assert "--no-writes" not in container(allowed)["args"]


def test_the_lease_is_one_by_name_in_its_own_namespace(chart: Chart) -> None:
    (role,) = of_kind(chart.render(), "Role")
    assert role["metadata"]["namespace"] == "chipwise-system"
    named = [rule for rule in role["rules"] if rule["verbs"] != ["create"]]
    assert all(rule["resourceNames"] == ["chipwise"] for rule in named)


def test_the_pod_meets_the_restricted_standard(chart: Chart) -> None:
    (deployment,) = of_kind(chart.render(), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (only,) = pod["containers"]
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["resources"]["requests"]
    assert only["resources"]["limits"]["memory"]


def test_the_probes_ask_where_it_listens(chart: Chart) -> None:
    """By the name of the port, on the pod's address and not on the loopback alone."""
    found = container(chart.render())
    (port,) = found["ports"]
    assert f"--listen=0.0.0.0:{port['containerPort']}" in found["args"]
    asked = {name: found[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")}
    assert asked == {
        "livenessProbe": {"path": "/livez", "port": port["name"]},
        "readinessProbe": {"path": "/readyz", "port": port["name"]},
    }


def test_without_the_operator_the_rest_is_installed(chart: Chart) -> None:
    """The demo runs the operator outside, with this ServiceAccount's token."""
    with_it, without = chart.render(), chart.render(operator__enabled=False)
    assert not of_kind(without, "Deployment")
    assert len(with_it) == len(without) + 1
    assert grants(with_it) == grants(without)
    assert of_kind(without, "ServiceAccount")


def test_the_kinds_are_kept_on_uninstall_and_otherwise_unchanged(chart: Chart) -> None:
    rendered = {crd["metadata"]["name"]: crd for crd in of_kind(chart.render(), "CustomResourceDefinition")}
    kinds = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert len(kinds) == len(rendered) == 5
    for kind in kinds:
        crd = rendered[kind["metadata"]["name"]]
        assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
        assert crd == kind
    assert not of_kind(chart.render(crds__enabled=False), "CustomResourceDefinition")


def test_only_workloads_are_given_to_editors_of_a_namespace(chart: Chart) -> None:
    """A profile decides what runs in other people's Deployments: it must not come with `edit`."""
    roles = of_kind(chart.render(), "ClusterRole")
    label = "rbac.authorization.k8s.io/aggregate-to-"
    for audience in ("edit", "admin"):
        given = [role for role in roles if role["metadata"]["labels"].get(label + audience) == "true"]
        assert [resource for role in given for rule in role["rules"] for resource in rule["resources"]] == [
            "inferenceworkloads"
        ]
    (viewer,) = [role for role in roles if role["metadata"]["labels"].get(label + "view") == "true"]
    assert all(set(rule["verbs"]) == READ for rule in viewer["rules"])


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("logFormat=xml", "logFormat"),
        ("nosuchvalue=1", "nosuchvalue"),
        ("replicaCount=-1", "replicaCount"),
        ("writes.enabled=maybe", "enabled"),
        ("leaderElection.leaseDuration=15", "leaseDuration"),
    ],
)
def test_a_wrong_value_is_refused_by_name(chart: Chart, setting: str, named: str) -> None:
    done = chart.run("template", "chipwise", str(CHART), "--set", setting)
    assert done.returncode != 0
    assert named in done.stderr


def test_freeze_and_log_format_reach_the_command_line(chart: Chart) -> None:
    arguments = container(chart.render(freeze=True, logFormat="text"))["args"]
    assert arguments[0] == "run"
    assert {"--freeze", "--log-format=text"} <= set(arguments)


def test_two_replicas_compete_for_one_lease(chart: Chart) -> None:
    """Its times reach the command line."""
    rendered = chart.render(replicaCount=2, leaderElection__leaseDuration="30s")
    (deployment,) = of_kind(rendered, "Deployment")
    assert deployment["spec"]["replicas"] == 2
    flags = {"--lease-duration=30s", "--renew-deadline=10s", "--retry-period=2s"}
    assert flags <= set(container(rendered)["args"])


def karpenter_rules(documents: list[Document]) -> set[tuple[str, str]]:
    """(verb, resource) of what is granted on Karpenter's kinds and on Events."""
    rules = [rule for rule in operator_rules(documents) if {"karpenter.sh", ""} & set(rule["apiGroups"])]
    wanted = {"nodepools", "nodeclaims", "nodeoverlays", "events"}
    return {
        (verb, name)
        for rule in rules
        for verb in rule["verbs"]
        for name in rule["resources"]
        if name in wanted
    }


def test_karpenter_is_read_and_told_only_where_it_is_asked_for(chart: Chart) -> None:
    """Each value grants its own rights and sets its own flag; Events are read in the one namespace where those about NodeClaims are."""
    plain = chart.render()
    reading = chart.render(autoscaling__karpenter={"enabled": True})
    telling = chart.render(autoscaling__karpenter={"enabled": True, "nodeOverlays": True})
    read = {
        (verb, name)
        for verb in ("list", "watch")
        for name in ("nodepools", "nodeclaims", "nodeoverlays", "events")
    }
    assert karpenter_rules(plain) == set()
    assert karpenter_rules(reading) == read
    assert karpenter_rules(telling) == read | {
        (verb, "nodeoverlays") for verb in ("create", "patch", "delete")
    }
    (role,) = [each for each in of_kind(reading, "Role") if each["metadata"]["name"].endswith("-launches")]
    assert role["metadata"]["namespace"] == "default"
    flags = [
        {flag for flag in container(each)["args"] if "karpenter" in flag or "overlays" in flag}
        for each in (plain, reading, telling)
    ]
    assert flags == [set(), {"--karpenter"}, {"--karpenter", "--node-overlays"}]
