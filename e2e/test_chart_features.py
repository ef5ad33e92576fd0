"""Each feature that can be switched on brings its flag and its rights, and nothing else."""

from __future__ import annotations

import pytest

from e2e.rendered import (
    CHART,
    EVERY_FEATURE,
    READ,
    ROOT,
    Chart,
    container,
    grants,
    of_kind,
    pod,
    roles_of,
    settings,
)

#: What each feature adds: the values that switch it on, the flags, and (group, resource, verbs).
FEATURES: dict[str, tuple[list[str], list[str], set[tuple[str, str, str]]]] = {
    "karpenter": (
        ["autoscaling.karpenter.enabled"],
        ["--karpenter"],
        {
            (group, kind, verb)
            for group, kind in (
                ("karpenter.sh", "nodepools"),
                ("karpenter.sh", "nodeclaims"),
                ("karpenter.sh", "nodeoverlays"),
                ("", "events"),
            )
            for verb in ("list", "watch")
        },
    ),
    "node overlays": (
        ["autoscaling.karpenter.nodeOverlays"],
        ["--node-overlays"],
        {("karpenter.sh", "nodeoverlays", verb) for verb in ("get", "create", "patch", "delete")},
    ),
    "cluster autoscaler": (
        ["autoscaling.clusterAutoscaler.enabled"],
        ["--cluster-autoscaler=kube-system"],
        {("", "configmaps", verb) for verb in ("list", "watch")}
        | {("", "events", verb) for verb in ("list", "watch")},
    ),
    "priority expander": (
        ["autoscaling.clusterAutoscaler.priorityExpander"],
        ["--priority-expander"],
        {("", "configmaps", verb) for verb in ("get", "create", "patch")},
    ),
    "provisioning requests": (
        ["autoscaling.clusterAutoscaler.provisioningRequests"],
        ["--provisioning-requests"],
        {("autoscaling.x-k8s.io", "provisioningrequests", v) for v in ("list", "watch", "create", "delete")}
        | {("", "podtemplates", verb) for verb in ("create", "delete")},
    ),
    "spare": (
        ["autoscaling.spare.enabled"],
        [
            "--spare",
            "--spare-image=registry.k8s.io/pause:3.10",
            "--spare-priority-class=chipwise-spare",
        ],
        set(),
    ),
    "expander": (["autoscaling.expander.enabled"], [], set()),
}
#: What a feature rests on.
BENEATH = {
    "node overlays": "autoscaling.karpenter.enabled",
    "priority expander": "autoscaling.clusterAutoscaler.enabled",
    "provisioning requests": "autoscaling.clusterAutoscaler.enabled",
}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_adds_its_flag_and_its_rights_and_nothing_else(chart: Chart, feature: str) -> None:
    """To the operator. The rights stand in roles of the feature's own."""
    paths, flags, rights = FEATURES[feature]
    base = {BENEATH[feature]: True} if feature in BENEATH else {}
    without = chart.documents(base)
    with_it = chart.documents({**base, **dict.fromkeys(paths, True)})
    had, has = container(without)["args"], container(with_it)["args"]
    assert [flag for flag in has if flag not in had] == flags
    assert grants(with_it) - grants(without) == rights
    assert grants(without) <= grants(with_it)
    assert [role for role in roles_of(with_it) if role in roles_of(without)] == roles_of(without)


@pytest.mark.parametrize("feature", BENEATH)
def test_a_feature_without_what_it_rests_on_is_refused(chart: Chart, feature: str) -> None:
    """Both values are named."""
    ((path,), _, _) = FEATURES[feature]
    done = chart.run("template", "chipwise", str(CHART), *settings({path: True}))
    assert done.returncode != 0
    assert f"{path} needs {BENEATH[feature]}" in done.stderr


def test_configmaps_are_granted_by_name_alone(chart: Chart) -> None:
    """In the namespace of the autoscaler, and nowhere else."""
    documents = chart.documents({**EVERY_FEATURE, "autoscaling.clusterAutoscaler.namespace": "scaling"})
    found = [
        (role["kind"], role["metadata"].get("namespace"), rule.get("resourceNames"))
        for role in roles_of(documents)
        for rule in role["rules"]
        if "configmaps" in rule["resources"]
    ]
    assert found == [
        ("Role", "scaling", ["cluster-autoscaler-status"]),
        ("Role", "scaling", ["cluster-autoscaler-priority-expander"]),
    ]


def test_placeholders_are_made_in_the_releases_namespace_with_its_class_and_nowhere_else(
    chart: Chart,
) -> None:
    """Also without the right to write other Deployments. The class is as low as Cluster Autoscaler's cutoff and not lower."""
    documents = chart.documents(
        {"autoscaling.spare.enabled": True, "writes.enabled": False, "imagePullSecrets": [{"name": "mirror"}]}
    )
    found = [
        (role["kind"], role["metadata"].get("namespace"))
        for role in roles_of(documents)
        for rule in role["rules"]
        if "create" in rule["verbs"] and "deployments" in rule["resources"]
    ]
    assert found == [("Role", "chipwise-system")]
    (low,) = of_kind(documents, "PriorityClass")
    assert (low["value"], low["globalDefault"], low["preemptionPolicy"]) == (-10, False, "Never")
    arguments = container(documents)["args"]
    assert f"--spare-priority-class={low['metadata']['name']}" in arguments
    assert "--spare-pull-secret=mirror" in arguments


def test_the_expander_has_an_account_of_its_own_that_only_reads(chart: Chart) -> None:
    """Neither does the operator get its rights, nor it those of the operator."""
    documents = chart.documents(EVERY_FEATURE)
    assert pod(documents, "chipwise-expander")["serviceAccountName"] == "chipwise-expander"
    granted = grants(documents, "chipwise-expander")
    assert granted
    assert {verb for _, _, verb in granted} <= READ
    assert {group for group, _, _ in granted} == {"chipwise.dev", "apps"}


def test_every_role_is_on_the_page_of_rights(chart: Chart) -> None:
    """By its name, in `docs/chart.md`."""
    documents = chart.documents(EVERY_FEATURE)
    names = {
        each["metadata"]["name"] for kind in ("Role", "ClusterRole") for each in of_kind(documents, kind)
    }
    page = (ROOT / "docs" / "chart.md").read_text()
    assert {name for name in names if f"`{name}`" not in page} == set()
