"""Every documented value changes what it says, and no other value is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from charts import reference
from e2e.chart_values import ROWS, Row
from e2e.rendered import CHART, Chart, settings

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = reference.values((CHART / "values.yaml").read_text(), SCHEMA)
BRANCHES = ["", *(f"{each.path}." for each in VALUES if not each.is_leaf)]


def test_every_value_has_one_row() -> None:
    """And no row is of a value that is gone."""
    assert sorted(row.path for row in ROWS) == sorted(each.path for each in VALUES if each.is_leaf)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_a_value_changes_what_it_says(chart: Chart, row: Row) -> None:
    """What is seen with it is not seen without it."""
    assert row.look(chart.documents({**row.given, row.path: row.value})) == row.seen
    assert row.look(chart.documents(row.given)) != row.seen


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_value_that_nobody_knows_is_refused(chart: Chart, branch: str) -> None:
    """On every level, by its name: a typing error must not pass for a setting."""
    done = chart.run("template", "chipwise", str(CHART), *settings({f"{branch}nosuchvalue": 1}))
    assert done.returncode != 0
    assert "nosuchvalue" in done.stderr


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("logFormat", "xml"),
        ("replicaCount", -1),
        ("writes.enabled", "maybe"),
        ("leaderElection.leaseDuration", "15"),
        ("image.digest", "sha256:12"),
        ("autoscaling.expander.port", 0),
        ("podDisruptionBudget.maxUnavailable", "half"),
        ("networkPolicy.apiServer.ports", []),
        ("networkPolicy.apiServer.cidrs", ["10.0.0.1"]),
        ("networkPolicy.metricsFrom", [{}]),
        ("resources", {"limit": {}}),
        ("monitoring.serviceMonitor.interval", 30),
        ("autoscaling.expander.port", 8081),
        ("autoscaling.expander.port", None),
        ("autoscaling.expander.tls.existingSecret", "Mine"),
        ("autoscaling.expander.tls.dnsNames", ["a b"]),
        ("autoscaling.clusterAutoscaler.namespace", "Foo Bar"),
        ("autoscaling.clusterAutoscaler.namespace", None),
        ("nameOverride", "Foo_Bar"),
        ("fullnameOverride", "Foo_Bar"),
        ("fullnameOverride", "1st"),
        ("serviceAccount.name", "a/b"),
        ("priorityClassName", "a b"),
        ("imagePullSecrets", [{"name": "a b"}]),
        ("leaderElection.leaseDuration", None),
        ("networkPolicy.apiServer", None),
        ("networkPolicy.apiServer.ports", None),
        ("podLabels", {"app.kubernetes.io/name": "x"}),
        ("podLabels", {"helm.sh/chart": "x"}),
        ("podAnnotations", {"kubectl.kubernetes.io/default-container": "x"}),
        ("monitoring.serviceMonitor.labels", {"app.kubernetes.io/instance": "x"}),
        ("monitoring.prometheusRule.labels", {"app.kubernetes.io/instance": "x"}),
        ("monitoring.prometheusRule.alertLabels", {"severity": "x"}),
        ("leaderElection.leaseDuration", "5s"),
        ("leaderElection.renewDeadline", "15s"),
        ("leaderElection.retryPeriod", "1m30s"),
        ("leaderElection.retryPeriod", "0s"),
    ],
)
def test_a_wrong_value_is_refused_by_name(chart: Chart, path: str, value: Any) -> None:
    done = chart.run("template", "chipwise", str(CHART), *settings({path: value}))
    assert done.returncode != 0
    assert path.rpartition(".")[2] in done.stderr


@pytest.mark.parametrize(
    ("lease", "renew", "retry"),
    [("1m", "45s", "37s"), ("1m30s", "1m", "500ms"), ("0.5h", "1.5m", "1m")],
)
def test_times_of_the_lease_in_any_units_are_taken_where_they_leave_room(
    chart: Chart, lease: str, renew: str, retry: str
) -> None:
    """As `chipwise run` takes them."""
    values = {"leaseDuration": lease, "renewDeadline": renew, "retryPeriod": retry}
    assert chart.documents({f"leaderElection.{name}": value for name, value in values.items()})
