"""What the chart renders, by the Helm that installs it: power, safety, and the switches that take power away."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from e2e.rendered import (
    CHART,
    EVERY_FEATURE,
    MONITORING,
    READ,
    ROOT,
    Chart,
    container,
    grants,
    of_kind,
    pod,
    settings,
    the,
)

DEPLOYMENT_VERBS = {"create", "delete", "patch"}


@pytest.mark.parametrize("values", [{}, {**EVERY_FEATURE, **MONITORING}], ids=["as it comes", "everything"])
def test_lint_is_clean(chart: Chart, values: dict[str, Any]) -> None:
    done = chart.run("lint", "--strict", str(CHART), *settings(values))
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
    role = the(chart.render(), "Role", "chipwise-leader")
    assert role["metadata"]["namespace"] == "chipwise-system"
    named = [rule for rule in role["rules"] if rule["verbs"] != ["create"]]
    assert all(rule["resourceNames"] == ["chipwise"] for rule in named)


def pods(chart: Chart) -> dict[str, dict[str, Any]]:
    """Every pod spec that the chart brings."""
    documents = chart.documents(EVERY_FEATURE)
    test = the(documents, "Pod", "chipwise-test")["spec"]
    return {
        "operator": pod(documents),
        "expander": pod(documents, "chipwise-expander"),
        "helm test": dict(test),
    }


@pytest.mark.parametrize("which", ["operator", "expander", "helm test"])
def test_pods_meet_the_restricted_standard(chart: Chart, which: str) -> None:
    spec = pods(chart)[which]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (only,) = spec["containers"]
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["resources"]["requests"]
    assert only["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", ["chipwise", "chipwise-expander"])
def test_pods_are_spread_and_evicted_one_at_a_time(chart: Chart, name: str) -> None:
    """Over machines and zones, each Deployment for itself; two by default, so that one of them is always left."""
    documents = chart.documents(EVERY_FEATURE)
    labels = the(documents, "Deployment", name)["spec"]["template"]["metadata"]["labels"]
    selector = the(documents, "Deployment", name)["spec"]["selector"]
    assert selector["matchLabels"].items() <= labels.items()
    spread = pod(documents, name)["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert all(each["labelSelector"] == selector for each in spread)
    assert the(documents, "Deployment", name)["spec"]["replicas"] == 2
    assert the(documents, "PodDisruptionBudget", name)["spec"] == {"maxUnavailable": 1, "selector": selector}


def test_nothing_that_selects_the_operator_finds_other_pods(chart: Chart) -> None:
    """A selector cannot be changed, and that of an earlier chart has these two labels."""
    documents = chart.documents(EVERY_FEATURE)
    selector = the(documents, "Deployment")["spec"]["selector"]["matchLabels"]
    assert selector == {"app.kubernetes.io/name": "chipwise", "app.kubernetes.io/instance": "chipwise"}
    others = [
        the(documents, "Deployment", "chipwise-expander")["spec"]["template"]["metadata"]["labels"],
        the(documents, "Pod", "chipwise-test")["metadata"]["labels"],
    ]
    assert not any(selector.items() <= each.items() for each in others)


@pytest.mark.parametrize(
    ("name", "flag"), [("chipwise", "--listen"), ("chipwise-expander", "--metrics-listen")]
)
def test_the_probes_ask_where_it_listens(chart: Chart, name: str, flag: str) -> None:
    """By the name of the port, on the pod's address and not on the loopback alone. Ready is who has every list."""
    found = container(chart.documents(EVERY_FEATURE), name)
    (port,) = [each for each in found["ports"] if each["name"] == "http"]
    assert f"{flag}=0.0.0.0:{port['containerPort']}" in found["args"]
    asked = {probe: found[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe")}
    assert asked == {
        "livenessProbe": {"path": "/livez", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    }


@pytest.mark.parametrize("name", ["chipwise", "chipwise-expander"])
def test_prometheus_finds_the_metrics_of_each(chart: Chart, name: str) -> None:
    """From the monitor by the Service's labels to a port of the pods."""
    documents = chart.documents({**EVERY_FEATURE, **MONITORING})
    monitor, service = the(documents, "ServiceMonitor", name)["spec"], the(documents, "Service", name)
    found = [
        each["metadata"]["name"]
        for each in of_kind(documents, "Service")
        if monitor["selector"]["matchLabels"].items() <= each["metadata"]["labels"].items()
    ]
    assert found == [name]
    (endpoint,) = monitor["endpoints"]
    (port,) = [each for each in service["spec"]["ports"] if each["name"] == endpoint["port"]]
    assert port["targetPort"] in {each["name"] for each in container(documents, name)["ports"]}


def test_alerts_about_the_expander_come_with_it(chart: Chart) -> None:
    """Without one "none is scraped" would always be true."""

    def alerts(**values: bool) -> set[str]:
        ((group,),) = (the(chart.render(**values), "PrometheusRule")["spec"]["groups"],)
        return {rule["alert"] for rule in group["rules"]}

    without = alerts(monitoring__prometheusRule__enabled=True)
    with_it = alerts(monitoring__prometheusRule__enabled=True, autoscaling__expander__enabled=True)
    assert with_it - without == {"ChipwiseExpanderAway", "ChipwiseExpanderWithoutOpinion"}
    assert without < with_it


def test_the_test_pod_asks_the_service_that_leads_to_the_operator(chart: Chart) -> None:
    """By a name and a port that are there; it has no token."""
    documents = chart.render()
    service = the(documents, "Service")
    (port,) = service["spec"]["ports"]
    test = the(documents, "Pod", "chipwise-test")
    where = f"http://{service['metadata']['name']}.{service['metadata']['namespace']}:{port['port']}/readyz"
    assert where in test["spec"]["containers"][0]["command"][-1]
    compile(test["spec"]["containers"][0]["command"][-1], "command", "exec")
    assert test["spec"]["automountServiceAccountToken"] is False
    assert service["spec"]["selector"] == the(documents, "Deployment")["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize("name", ["chipwise", "chipwise-expander"])
def test_the_network_lets_in_what_is_served_and_out_to_the_api_server(chart: Chart, name: str) -> None:
    """Ports by their names; nothing else in, nothing else out."""
    documents = chart.documents(EVERY_FEATURE)
    policy = the(documents, "NetworkPolicy", name)["spec"]
    assert policy["podSelector"] == the(documents, "Deployment", name)["spec"]["selector"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    served = {port["name"] for port in container(documents, name)["ports"]}
    let_in = [port for rule in policy["ingress"] for port in rule["ports"]]
    assert all(rule.keys() == {"ports"} for rule in policy["ingress"])
    assert [port["protocol"] for port in let_in] == ["TCP"] * len(served)
    assert {port["port"] for port in let_in} == served
    assert policy["egress"] == [{"ports": [{"protocol": "TCP", "port": p} for p in (443, 6443, 8443)]}]


def test_a_narrowed_policy_still_lets_helm_test_in(chart: Chart) -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    documents = chart.documents({"networkPolicy.metricsFrom": [peer]})
    first, second = the(documents, "NetworkPolicy")["spec"]["ingress"]
    assert first["from"] == [peer]
    (source,) = second["from"]
    labels = the(documents, "Pod", "chipwise-test")["metadata"]["labels"]
    assert source["podSelector"]["matchLabels"].items() <= labels.items()


def test_without_the_operator_the_rest_is_installed(chart: Chart) -> None:
    """The demo runs the operator outside, with this ServiceAccount's token. What only serves pods goes with them."""
    with_it, without = chart.render(), chart.render(operator__enabled=False)
    gone = [each["kind"] for each in with_it if each not in without]
    assert sorted(gone) == ["Deployment", "NetworkPolicy", "Pod", "PodDisruptionBudget", "Service"]
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


def test_two_replicas_compete_for_one_lease(chart: Chart) -> None:
    """Its times reach the command line."""
    rendered = chart.render(leaderElection__leaseDuration="30s")
    assert the(rendered, "Deployment")["spec"]["replicas"] == 2
    flags = {"--lease-duration=30s", "--renew-deadline=10s", "--retry-period=2s"}
    assert flags <= set(container(rendered)["args"])


LEFT_BEHIND = {
    "autoscaling.karpenter.nodeOverlays": "delete nodeoverlays --selector chipwise.dev/overlay-for",
    "autoscaling.clusterAutoscaler.priorityExpander": "edit configmap cluster-autoscaler-priority-expander",
    "autoscaling.expander.enabled": "delete secret chipwise-expander-ca",
}


@pytest.mark.parametrize("feature", LEFT_BEHIND)
def test_the_notes_name_what_an_uninstall_leaves_behind(chart: Chart, feature: str) -> None:
    """Where the feature is on, and the page on the chart for all of them."""

    def notes(values: dict[str, Any]) -> str:
        done = chart.run(
            "install",
            "chipwise",
            str(CHART),
            "--dry-run=client",
            "--namespace=chipwise-system",
            *settings(values),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.partition("NOTES:")[2]

    assert LEFT_BEHIND[feature] in notes(EVERY_FEATURE)
    beneath = {path: True for path in EVERY_FEATURE if path.endswith("enabled") and path != feature}
    assert LEFT_BEHIND[feature] not in notes(beneath)
    told = LEFT_BEHIND[feature].replace("--selector", "-l")
    assert told in (ROOT / "docs" / "chart.md").read_text()
