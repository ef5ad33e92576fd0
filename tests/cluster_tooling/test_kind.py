"""The way by kind, as far as an engine that only pretends can show it: what is asked of whom, in which order, and what is left behind."""

import ipaddress
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import fake_machines, folders, kind, kwok_config, record, start
from e2e.cluster.choice import Backend
from e2e.cluster.errors import StartError
from e2e.cluster.kind import KindDriver
from e2e.cluster.kind_config import kind_configuration
from e2e.cluster.kind_node import KindNode
from tests.cluster_tooling.engine import PretendedEngine

NAME = "pretended"
ALL = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PretendedEngine:
    """All programs pretend, and clusters are kept in a folder of the test."""
    made = PretendedEngine(tmp_path / "engine", monkeypatch)
    monkeypatch.setattr(kind, "obtain", lambda names: {name: made.tools[name] for name in names})
    monkeypatch.setattr(folders, "REPOSITORY", tmp_path)
    return made


def patches(configuration: str) -> dict[str, Any]:
    """What is merged into kubeadm's documents, by their kind."""
    found = [yaml.safe_load(patch) for patch in json.loads(configuration)["kubeadmConfigPatches"]]
    return {patch["kind"]: patch for patch in found}


def asked(engine: PretendedEngine, program: str) -> list[str]:
    """The calls of one program, each as one line."""
    return [" ".join(words) for called, *words in engine.calls if called == program]


def test_the_api_server_listens_on_this_machine_only():
    """A test cluster is nobody else's business."""
    assert json.loads(kind_configuration(None))["networking"]["apiServerAddress"] == "127.0.0.1"


def test_components_have_the_flags_of_the_kwok_path():
    """What is measured and waited for does not depend on how the control plane is run."""
    found = patches(kind_configuration(None))["ClusterConfiguration"]
    ours = kwok_config.COMPONENT_FLAGS
    assert found["scheduler"]["extraArgs"] == ours["kube-scheduler"]
    assert found["etcd"]["local"]["extraArgs"] == ours["etcd"]
    controllers = found["controllerManager"]["extraArgs"]
    assert controllers.items() >= ours["kube-controller-manager"].items()
    assert controllers["node-monitor-grace-period"] == f"{kwok_config.NODE_GRACE_SECONDS}s"


def test_every_fake_machine_gets_addresses():
    """A thousand Nodes have a /24 each, outside of what kwok and Services have."""
    pods = ipaddress.ip_network(json.loads(kind_configuration(None))["networking"]["podSubnet"])
    assert 2 ** (24 - pods.prefixlen) > 1000
    for other in ("10.96.0.0/16", "10.128.0.0/12"):
        assert not pods.overlaps(ipaddress.ip_network(other))


def test_patches_do_for_every_version_of_kubeadms_configuration():
    """kind turns a map into what the version wants, but only if the patch names none."""
    found = patches(kind_configuration(Path("audit")))
    assert all("apiVersion" not in patch for patch in found.values())
    components = [
        found["ClusterConfiguration"][name] for name in ("apiServer", "controllerManager", "scheduler")
    ]
    for component in components:
        assert all(isinstance(value, str) for value in component["extraArgs"].values())


def test_policy_and_log_are_one_folder_of_this_machine(tmp_path):
    """What the API server reads and writes is mounted into the machine, and from there into its pod."""
    configuration = kind_configuration(tmp_path)
    (mount,) = json.loads(configuration)["nodes"][0]["extraMounts"]
    audited = patches(configuration)["ClusterConfiguration"]["apiServer"]
    (volume,) = audited["extraVolumes"]
    assert mount["hostPath"] == str(tmp_path)
    assert mount["containerPath"] == volume["hostPath"]
    for flag in ("audit-policy-file", "audit-log-path"):
        assert Path(audited["extraArgs"][flag]).parent == Path(volume["mountPath"])
    assert audited["extraArgs"]["audit-log-maxsize"] == kwok_config.AUDIT_FLAGS["audit-log-maxsize"]


def test_no_audit_log_unless_wanted():
    """Nothing is mounted and the API server gets no flag."""
    assert "extraMounts" not in json.loads(kind_configuration(None))["nodes"][0]
    assert "apiServer" not in patches(kind_configuration(None))["ClusterConfiguration"]
    assert KindDriver(NAME).audit_log is None


def test_the_audit_log_can_be_read_by_the_person(engine):
    """It is made before root's API server makes it for root alone, whatever the person's umask."""
    driver = KindDriver(NAME, audit=True)
    before = os.umask(0o077)
    try:
        driver.create()
    finally:
        os.umask(before)
    assert driver.audit_log is not None
    assert stat.S_IMODE(driver.audit_log.stat().st_mode) == 0o644
    policy = driver.audit_log.with_name("policy.yaml")
    assert yaml.safe_load(policy.read_text())["kind"] == "Policy"
    assert json.loads(engine.configuration) == json.loads(kind_configuration(policy.parent))


def test_an_engine_on_another_machine_is_noticed(engine):
    """It mounts a folder of its own machine: tests would wait for a log that never comes."""
    engine.be("elsewhere")
    with pytest.raises(StartError, match="does not share"):
        KindDriver(NAME, audit=True).create()
    assert "delete cluster" in asked(engine, "kind")[-1]


def test_daemons_of_real_machines_keep_away_before_there_are_fake_ones(engine):
    """Then kwok comes, which renews the machines' Leases as often as the controllers' patience wants it."""
    KindDriver(NAME).create()
    acts = [line for line in asked(engine, "kubectl") if "rollout" not in line]
    patched, (applied,) = acts[:-1], acts[-1:]
    for daemon, act in zip(("kindnet", "kube-proxy"), patched, strict=True):
        assert f"-n kube-system patch daemonset/{daemon} " in act
        assert '"key": "kwok.x-k8s.io/node", "operator": "DoesNotExist"' in act
    assert " apply " in applied
    lease = f"--node-lease-duration-seconds={kwok_config.NODE_GRACE_SECONDS}"
    assert lease in json.dumps(fake_machines.manifests(kwok_config.NODE_GRACE_SECONDS))


def test_another_configuration_is_another_cluster():
    """One that runs without a log, or with another one's flags, is not taken for what is wanted."""
    names = {KindDriver(NAME).fingerprint, KindDriver(NAME, audit=True).fingerprint}
    assert len(names) == 2
    assert KindDriver(NAME).fingerprint in names


def test_kwok_takes_over_where_kind_does_not_come_up(engine, monkeypatch):
    """What kind left is removed, the reason is said, and what is remembered is the one that runs."""

    class Plain(KindDriver):
        def create(self) -> None:
            pass

        tools = ()

    engine.be("unable")
    monkeypatch.setattr(start, "obtain", lambda _: {})
    monkeypatch.setattr(start, "KwokDriver", Plain)
    monkeypatch.setattr(start, "_open", lambda made, _: made)
    monkeypatch.delenv("CLUSTER", raising=False)
    started: Any = start.start_cluster(NAME, audit=True)
    assert started.backend is Backend.KWOK
    assert [line.split()[0] for line in asked(engine, "kind")][:2] == ["create", "delete"]
    found = record.load(NAME)
    assert found is not None
    assert found.backend is Backend.KWOK


def test_it_is_healthy_when_every_component_runs(engine):
    """An API server alone moves nothing."""
    engine.start()
    driver = KindDriver(NAME)
    assert driver.healthy()
    KindNode(f"{NAME}-control-plane").take_away(["kube-scheduler"])
    driver.healthy()  # the kubelet follows a moment late
    assert not driver.healthy()


def test_it_is_not_healthy_without_its_engine(engine):
    """And asking is no error."""
    engine.start()
    engine.be("gone")
    assert not KindDriver(NAME).healthy()


def test_the_api_server_is_gone_while_the_block_runs(engine):
    """Nothing of the control plane but its store runs, and afterwards everything does."""
    engine.start()
    driver = KindDriver(NAME)
    with driver.api_server_down():
        assert engine.manifests == {"etcd"}
        assert not driver.healthy()
    assert engine.manifests == ALL
    assert driver.healthy()


def test_clients_sleep_until_it_is_back_and_controllers_come_last(engine):
    """kwok sleeps from before the outage until the API server is ready; only then somebody looks whether its machines report."""
    engine.start()
    with KindDriver(NAME).api_server_down():
        pass
    acts = [line.partition("-control-plane ")[2] for line in asked(engine, "docker")]
    acts = [act for act in acts if not act.startswith(("crictl", "mkdir"))]
    names = [
        word for act in acts for word in ("STOP", "CONT", "kube-apiserver", "kube-scheduler") if word in act
    ]
    assert names == ["STOP", "kube-apiserver", "kube-scheduler", "kube-apiserver", "CONT", "kube-scheduler"]
    assert all("kwok|kube-proxy" in act for act in acts if act.startswith("pkill"))
    back = next(index for index, words in enumerate(engine.calls) if "CONT" in words)
    assert engine.calls[back - 1][0] == "kubectl"


def test_it_comes_back_whatever_happens_meanwhile(engine):
    """A test that fails while it is down must not leave the next one without it."""
    engine.start()
    with pytest.raises(ZeroDivisionError), KindDriver(NAME).api_server_down():
        raise ZeroDivisionError
    assert engine.manifests == ALL


def test_one_that_does_not_end_is_told(engine, monkeypatch):
    """Nobody waits for ever, and nobody takes an API server that answers for one that is down."""
    engine.start()
    engine.be("stubborn")
    monkeypatch.setattr(kind, "DOWN_SECONDS", 0.2)
    with pytest.raises(StartError, match="does not end"), KindDriver(NAME).api_server_down():
        pytest.fail("it is not down")
    assert engine.manifests == ALL
