"""`chipwise expander` beside the operator on a real API server: as its own ServiceAccount, with the chart's certificate and real pods."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.audit import AuditTail
from e2e.authored import Setup
from e2e.expanding import NAME, ExpanderProcess, ask, certificate, pod_as_protobuf
from e2e.faults import Lab
from e2e.operator_process import install_chart, service_account_kubeconfig
from e2e.rendered import NAMESPACE

pytestmark = pytest.mark.e2e

#: No pod of it: it runs here, as a process.
VALUES = {"autoscaling.expander.enabled": "true", "autoscaling.expander.replicas": "0"}


@pytest.fixture
def expandable(lab: Lab) -> Iterator[Lab]:
    """The chart with the expander's ServiceAccount, rights and certificate."""
    install_chart(lab.cluster, values=VALUES)
    try:
        yield lab
    finally:
        install_chart(lab.cluster)


def expander(lab: Lab, *flags: str) -> ExpanderProcess:
    kubeconfig = service_account_kubeconfig(lab.cluster, lab.folder / "expander-kubeconfig", name=NAME)
    return lab.adopt(ExpanderProcess(kubeconfig, lab.folder / "expander.log", *flags))


def test_real_pods_are_led_where_the_plan_is(expandable: Lab, tmp_path: Path) -> None:
    """A workload's pods to the group of its pool, a bridge's or a stranger's as may be; also while the API server is away."""
    lab = expandable
    assert lab.cluster.audit_log is not None
    audit = AuditTail(lab.cluster.audit_log, f"system:serviceaccount:{NAMESPACE}:{NAME}")
    authority, cert, key = certificate(lab.admin, tmp_path)
    with lab.operator() as operator, expander(lab, "--cert", str(cert), "--key", str(key)) as process:
        world = lab.world(Setup("expands"), operator).build()
        for chip in ("gpu", "alt"):
            world.admin.merge(world.path_of_pool(chip), {"spec": {"nodeGroup": f"asg-{chip}"}})
        world.kubectl("create", "deployment", "web", "--image=example.com/web:1")
        world.eventually(lambda: len(world.pods()) == 3, "a stranger's pod")
        names = {pod["metadata"]["name"]: pod for pod in world.pods()}
        content = {name: pod_as_protobuf(lab.admin._port, world.namespace, name) for name in names}
        ours = [content[name] for name in names if name.startswith("chat-")]
        strangers = [content[name] for name in names if name.startswith("web-")]
        assert len(ours) == 2
        assert strangers
        address = lab.within(20, lambda: process.address("answering Cluster Autoscaler on "), "it listens")
        lab.within(20, lambda: process.probe("/readyz")[0] == 200, "it is ready")

        offered = {"asg-gpu": ours, "asg-alt": ours}
        lab.within(20, lambda: ask(address, authority, offered) == ["asg-alt"], "its pods are known")
        assert ask(address, authority, {"asg-gpu": ours}) == ["asg-gpu"]
        assert ask(address, authority, {"asg-gpu": strangers, "asg-alt": strangers}) == ["asg-gpu", "asg-alt"]
        assert ask(address, authority, {"asg-gpu": ours, "asg-alt": ours, "cpu": strangers}) == [
            "asg-alt",
            "cpu",
        ]

        asked = audit.requests()
        assert {each["verb"] for each in asked} == {"list", "watch"}
        assert not [each for each in asked if each["responseStatus"].get("code") == 403]
        resources = {"acceleratorpools", "inferenceworkloads", "deployments"}
        assert {each["objectRef"]["resource"] for each in asked} == resources

        with lab.cluster.api_server_down():
            assert ask(address, authority, offered) == ["asg-alt"]
            assert process.probe("/readyz")[0] == 200
        status, text = process.probe("/metrics")
        assert status == 200
        assert 'chipwise_expander_answers_total{answer="Chosen"}' in text
        assert process.probe("/livez") == (200, "ok\n")

        assert process.stop() == 0
        assert "Traceback" not in process.log


def test_before_anything_is_known_all_options_come_back(expandable: Lab, tmp_path: Path) -> None:
    """It answers from the first moment, without the API server if need be: pods are never held up by it."""
    lab = expandable
    authority, cert, key = certificate(lab.admin, tmp_path)
    process = expander(lab, "--cert", str(cert), "--key", str(key))
    with lab.cluster.api_server_down(), process:
        address = lab.within(20, lambda: process.address("answering Cluster Autoscaler on "), "it listens")
        assert ask(address, authority, {"a": [b""], "b": []}) == ["a", "b"]
        assert process.probe("/readyz")[0] == 503
        assert process.probe("/livez")[0] == 200


def test_an_upgrade_of_the_chart_keeps_what_cluster_autoscaler_trusts(
    expandable: Lab, tmp_path: Path
) -> None:
    """It reads the CA at its start only."""
    lab = expandable
    before, _, _ = certificate(lab.admin, tmp_path)
    install_chart(
        lab.cluster, values={**VALUES, "autoscaling.expander.tls.dnsNames[0]": "expander.example.com"}
    )
    after, cert, key = certificate(lab.admin, tmp_path)
    assert after == before
    with expander(lab, "--cert", str(cert), "--key", str(key)) as process:
        address = lab.within(20, lambda: process.address("answering Cluster Autoscaler on "), "it listens")
        assert ask(address, before, {"a": []}) == ["a"]
