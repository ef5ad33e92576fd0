"""For every value of the chart one row: what it is set to, where that is seen, and what is seen there then.

``e2e/test_chart_values.py`` holds each row against the rendered chart, and the rows against values.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from charts import classes
from e2e import chart_looks as looks
from e2e.rendered import container, of_kind

EXPANDER = {"autoscaling.expander.enabled": True}
CLUSTER_AUTOSCALER = {"autoscaling.clusterAutoscaler.enabled": True}
MONITOR = {"monitoring.serviceMonitor.enabled": True}
RULES = {"monitoring.prometheusRule.enabled": True}
DIGEST = "sha256:" + "0" * 64
PEER = {"podSelector": {"matchLabels": {"app": "prometheus"}}}
CRITICAL = "system-cluster-critical"
SPREAD = {"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}


@dataclass(frozen=True, slots=True)
class Row:
    """``value`` set at ``path`` beside ``given`` makes ``look`` see ``seen``, and it does not without."""

    path: str
    value: Any
    look: looks.Look
    seen: Any
    given: Mapping[str, Any] = field(default_factory=dict)


ROWS = (
    Row("image.repository", "r.example.com/x", looks.of_container("image"), "r.example.com/x:0.2.0"),
    Row("image.tag", "9.9", looks.of_container("image"), "chipwise:9.9"),
    Row("image.digest", DIGEST, looks.of_container("image"), f"chipwise@{DIGEST}"),
    Row("image.pullPolicy", "Always", looks.of_container("imagePullPolicy"), "Always"),
    Row("imagePullSecrets", [{"name": "r"}], looks.of_pods("imagePullSecrets"), [{"name": "r"}], EXPANDER),
    Row(
        "nameOverride",
        "other",
        lambda documents: [
            (each["metadata"]["name"], each["metadata"]["labels"]["app.kubernetes.io/name"])
            for each in of_kind(documents, "Deployment")
        ],
        [("chipwise-other", "other")],
    ),
    Row(
        "fullnameOverride",
        "other",
        lambda documents: {each["metadata"]["name"] for each in of_kind(documents, "ServiceAccount")},
        {"other"},
    ),
    Row("operator.enabled", False, looks.count("Deployment"), 0),
    Row("replicaCount", 3, looks.of_the("Deployment", "spec", "replicas"), 3),
    Row("leaderElection.leaseDuration", "30s", looks.argument("--lease-duration=30s"), True),
    Row("leaderElection.renewDeadline", "12s", looks.argument("--renew-deadline=12s"), True),
    Row("leaderElection.retryPeriod", "3s", looks.argument("--retry-period=3s"), True),
    Row(
        "writes.enabled",
        False,
        looks.both(looks.may("apps", "deployments", "patch"), looks.argument("--no-writes")),
        (False, True),
    ),
    Row("freeze", True, looks.argument("--freeze"), True),
    Row("logFormat", "text", looks.argument("--log-format=text"), True),
    Row("extraArgs", ["--log-level=debug"], looks.argument("--log-level=debug"), True),
    Row(
        "extraEnv",
        [{"name": "HTTPS_PROXY", "value": "x"}],
        lambda documents: {"name": "HTTPS_PROXY", "value": "x"} in container(documents)["env"],
        True,
    ),
    Row(
        "autoscaling.karpenter.enabled",
        True,
        looks.both(looks.argument("--karpenter"), looks.may("karpenter.sh", "nodepools", "watch")),
        (True, True),
    ),
    Row(
        "autoscaling.karpenter.nodeOverlays",
        True,
        looks.both(looks.argument("--node-overlays"), looks.may("karpenter.sh", "nodeoverlays", "patch")),
        (True, True),
        {"autoscaling.karpenter.enabled": True},
    ),
    Row(
        "autoscaling.clusterAutoscaler.enabled",
        True,
        looks.both(looks.argument("--cluster-autoscaler=kube-system"), looks.may("", "events", "list")),
        (True, True),
    ),
    Row(
        "autoscaling.clusterAutoscaler.namespace",
        "scaling",
        looks.both(
            looks.argument("--cluster-autoscaler=scaling"),
            looks.of_the("Role", "metadata", "namespace", name="chipwise-cluster-autoscaler"),
        ),
        (True, "scaling"),
        CLUSTER_AUTOSCALER,
    ),
    Row(
        "autoscaling.clusterAutoscaler.priorityExpander",
        True,
        looks.both(looks.argument("--priority-expander"), looks.may("", "configmaps", "patch")),
        (True, True),
        CLUSTER_AUTOSCALER,
    ),
    Row(
        "autoscaling.clusterAutoscaler.provisioningRequests",
        True,
        looks.both(
            looks.argument("--provisioning-requests"),
            looks.may("autoscaling.x-k8s.io", "provisioningrequests", "create"),
        ),
        (True, True),
        CLUSTER_AUTOSCALER,
    ),
    Row(
        "autoscaling.spare.enabled",
        True,
        looks.both(
            looks.argument("--spare"),
            looks.argument("--spare-priority-class=chipwise-spare"),
            looks.count("PriorityClass"),
            looks.may("apps", "deployments", "create"),
        ),
        (True, True, 1, True),
        {"writes.enabled": False},
    ),
    Row(
        "autoscaling.spare.image",
        "r.example.com/pause:1",
        looks.argument("--spare-image=r.example.com/pause:1"),
        True,
        {"autoscaling.spare.enabled": True},
    ),
    Row(
        "autoscaling.expander.enabled",
        True,
        looks.both(
            looks.count("Deployment"),
            looks.count("Service"),
            looks.count("Secret"),
            looks.count("ServiceAccount"),
        ),
        (2, 2, 2, 2),
    ),
    Row(
        "autoscaling.expander.replicas",
        3,
        looks.of_the("Deployment", "spec", "replicas", name=looks.EXPANDER),
        3,
        EXPANDER,
    ),
    Row("autoscaling.expander.port", 6000, looks.ports, (6000, 6000, True), EXPANDER),
    Row("autoscaling.expander.extraArgs", ["--x"], looks.argument("--x", looks.EXPANDER), True, EXPANDER),
    Row("autoscaling.expander.tls.existingSecret", "mine", looks.mounted, ("mine", 0), EXPANDER),
    Row("autoscaling.expander.tls.dnsNames", ["expander.example.com"], looks.dns_names, True, EXPANDER),
    Row(
        "autoscaling.expander.resources",
        {"limits": {"memory": "1Gi"}},
        looks.of_container("resources", "limits", "memory", name=looks.EXPANDER),
        "1Gi",
        EXPANDER,
    ),
    Row(
        "serviceAccount.create",
        False,
        looks.both(looks.count("ServiceAccount"), looks.pod_account),
        (0, "default"),
    ),
    Row("serviceAccount.name", "other", looks.pod_account, "other"),
    Row(
        "serviceAccount.annotations",
        {"a": "b"},
        looks.of_the("ServiceAccount", "metadata", "annotations", "a"),
        "b",
    ),
    Row("rbac.create", False, looks.roles, 0),
    Row("rbac.aggregate", False, looks.aggregated, 0),
    Row("crds.enabled", False, looks.count("CustomResourceDefinition"), 0),
    Row(
        "catalog.classes.enabled",
        True,
        looks.count("AcceleratorClass"),
        len(classes.committed()),
        {"crds.enabled": False},
    ),
    Row(
        "resources", {"limits": {"memory": "1Gi"}}, looks.of_container("resources", "limits", "memory"), "1Gi"
    ),
    *(
        Row(
            f"{probe}.{name}",
            7,
            looks.both(looks.of_container(probe, name), looks.of_container(probe, name, name=looks.EXPANDER)),
            (7, 7),
            EXPANDER,
        )
        for probe in ("livenessProbe", "readinessProbe")
        for name in ("periodSeconds", "timeoutSeconds", "failureThreshold")
    ),
    Row("podDisruptionBudget.enabled", False, looks.count("PodDisruptionBudget"), 0, EXPANDER),
    Row(
        "podDisruptionBudget.maxUnavailable",
        "50%",
        looks.both(
            looks.of_the("PodDisruptionBudget", "spec", "maxUnavailable"),
            looks.of_the("PodDisruptionBudget", "spec", "maxUnavailable", name=looks.EXPANDER),
        ),
        ("50%", "50%"),
        EXPANDER,
    ),
    Row("podAnnotations", {"a": "b"}, looks.of_pod_metadata("annotations", "a"), {"b"}, EXPANDER),
    Row("podLabels", {"a": "b"}, looks.of_pod_metadata("labels", "a"), {"b"}, EXPANDER),
    Row("nodeSelector", {"a": "b"}, looks.of_pods("nodeSelector"), {"a": "b"}, EXPANDER),
    Row("tolerations", [{"key": "a"}], looks.of_pods("tolerations"), [{"key": "a"}], EXPANDER),
    Row("affinity", {"podAffinity": {}}, looks.of_pods("affinity"), {"podAffinity": {}}, EXPANDER),
    Row("topologySpreadConstraints", [SPREAD], looks.spread_over, ["rack", "rack"], EXPANDER),
    Row("priorityClassName", CRITICAL, looks.of_pods("priorityClassName"), CRITICAL, EXPANDER),
    Row("networkPolicy.enabled", False, looks.count("NetworkPolicy"), 0, EXPANDER),
    Row(
        "networkPolicy.metricsFrom",
        [PEER],
        looks.both(
            looks.network_rule("ingress", 0, "from"), looks.network_rule("ingress", 1, "from", looks.EXPANDER)
        ),
        ([PEER], [PEER]),
        EXPANDER,
    ),
    Row(
        "networkPolicy.expanderFrom",
        [PEER],
        looks.network_rule("ingress", 0, "from", looks.EXPANDER),
        [PEER],
        EXPANDER,
    ),
    Row(
        "networkPolicy.apiServer.cidrs",
        ["10.0.0.1/32"],
        looks.network_rule("egress", 0, "to"),
        [{"ipBlock": {"cidr": "10.0.0.1/32"}}],
    ),
    Row(
        "networkPolicy.apiServer.ports",
        [16443],
        looks.network_rule("egress", 0, "ports"),
        [{"protocol": "TCP", "port": 16443}],
    ),
    Row("networkPolicy.extraEgress", [{"to": [PEER]}], looks.network_rule("egress", 1, "to"), [PEER]),
    Row("monitoring.serviceMonitor.enabled", True, looks.count("ServiceMonitor"), 2, EXPANDER),
    Row(
        "monitoring.serviceMonitor.labels",
        {"a": "b"},
        looks.both(
            looks.of_the("ServiceMonitor", "metadata", "labels", "a"),
            looks.of_the("ServiceMonitor", "metadata", "labels", "a", name=looks.EXPANDER),
        ),
        ("b", "b"),
        {**EXPANDER, **MONITOR},
    ),
    Row("monitoring.serviceMonitor.interval", "1m", looks.scraped_every, {"1m"}, {**EXPANDER, **MONITOR}),
    Row("monitoring.prometheusRule.enabled", True, looks.count("PrometheusRule"), 1),
    Row(
        "monitoring.prometheusRule.labels",
        {"a": "b"},
        looks.of_the("PrometheusRule", "metadata", "labels", "a"),
        "b",
        RULES,
    ),
    Row("monitoring.prometheusRule.alertLabels", {"team": "x"}, looks.alert_labels, {"x"}, RULES),
)
