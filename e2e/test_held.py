"""What the operator cannot read holds its decisions and nothing else: it goes on running, says what is missing, and goes on when it is there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.authored import Setup
from e2e.cluster.karpenter import crd_folders
from e2e.faults import Lab
from e2e.operator_process import OperatorProcess, install_chart
from e2e.test_provisioning_requests import CRDS, VALUES, _kind
from e2e.test_telemetry import asked, metrics

pytestmark = pytest.mark.e2e

KARPENTER = {"autoscaling.karpenter.enabled": "true", "autoscaling.karpenter.nodeOverlays": "true"}
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/chipwise"


def _of_karpenter() -> list[dict[str, Any]]:
    files = [path for folder in crd_folders() for path in sorted(Path(folder).glob("*.yaml"))]
    return [yaml.safe_load(path.read_text()) for path in files]


@pytest.fixture
def rights(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The chart with the rights for what is asked for, and none of the kinds; all taken back afterwards."""
    values: Mapping[str, str] = request.param
    install_chart(lab.cluster, values=values)
    kinds = [each["metadata"]["name"] for each in (*_of_karpenter(), _kind())]
    for name in kinds:
        lab.admin.delete(f"{CRDS}/{name}")
    lab.within(30, lambda: not any(lab.admin.find(f"{CRDS}/{name}") for name in kinds), "no such kinds")
    try:
        yield lab
    finally:
        for name in kinds:
            lab.admin.delete(f"{CRDS}/{name}")
        install_chart(lab.cluster)


def is_ready(operator: OperatorProcess) -> bool:
    """And nothing is held."""
    return asked(operator, "/readyz") == (200, "ok\n")


def missing(operator: OperatorProcess, status: int, *lines: str) -> bool:
    """Each of these kinds is named with what to do, and the process lives."""
    found, text = asked(operator, "/readyz")
    return found == status and all(line in text for line in lines) and asked(operator, "/livez")[0] == 200


@pytest.mark.parametrize(
    ("rights", "flags", "kinds", "name"),
    [
        (
            KARPENTER,
            ("--karpenter", "--node-overlays"),
            {
                "nodepools.karpenter.sh": "karpenter.sh/v1 is not served: install its CRD, or start without --karpenter",
                "nodeclaims.karpenter.sh": "karpenter.sh/v1 is not served: install its CRD, or start without --karpenter",
                "nodeoverlays.karpenter.sh": "karpenter.sh/v1alpha1 is not served: install its CRD, or start without --node-overlays",
            },
            "no-karpenter",
        ),
        (
            VALUES,
            ("--cluster-autoscaler", "kube-system", "--provisioning-requests"),
            {
                "provisioningrequests.autoscaling.x-k8s.io": "autoscaling.x-k8s.io/v1 is not served: install its CRD, or start without --provisioning-requests"
            },
            "no-requests",
        ),
    ],
    ids=["karpenter", "provisioning requests"],
    indirect=["rights"],
)
def test_a_kind_that_is_missing_is_waited_for(
    rights: Lab, flags: tuple[str, ...], kinds: Mapping[str, str], name: str
) -> None:
    """At the start: not ready, and not the leader. Later: nothing is decided. Both end when the kind is there."""
    lab = rights
    documents = [each for each in (*_of_karpenter(), _kind()) if each["metadata"]["name"] in kinds]
    lines = [f"{kind}: {words} (KindMissing, for " for kind, words in kinds.items()]
    with lab.operator(*flags) as operator:
        lab.within(30, lambda: missing(operator, 503, *lines), "what is missing is said")
        for kind, words in kinds.items():
            assert operator.log.count(f"{kind}: {words} (KindMissing)") == 1
            assert metrics(operator)["chipwise_out_of_sight_seconds"]["KindMissing", kind] >= 0
        assert not lab.lease_holder()
        lab.apply(*documents)
        lab.within(30, lambda: is_ready(operator), "it is ready")
        world = lab.world(Setup(name), operator).build()

        written = len(world.writes())
        for each in documents:
            lab.admin.delete(f"{CRDS}/{each['metadata']['name']}")
        held = [f"nothing is decided: {line}" for line in lines]
        lab.within(60, lambda: missing(operator, 200, *held), "what is missing is said again")
        world.set_price("gpu", "1.00")
        lab.within(20, lambda: "nothing is decided: " in operator.log, "and logged")
        assert len(world.writes()) == written
        lab.apply(*documents)
        lab.within(30, lambda: is_ready(operator), "nothing is held")
        world.settled("gpu", deadline=60)
        world.nothing_lost()
        assert operator.is_alive
        assert "Traceback" not in operator.log
    assert not [each for each in lab.audit.requests() if each["responseStatus"].get("code") == 403]


def test_a_watch_that_is_refused_is_named(lab: Lab) -> None:
    """Lists may be had, and one watch may not: ready, nothing is decided, and everybody can see which and since when."""
    role = lab.admin.get(ROLE)
    cut = json.loads(json.dumps(role))
    for rule in cut["rules"]:
        if "priorityclasses" in rule["resources"]:
            rule["verbs"] = [verb for verb in rule["verbs"] if verb != "watch"]
    assert cut != role
    lab.admin.merge(ROLE, {"rules": cut["rules"]})
    line = "nothing is decided: priorityclasses.scheduling.k8s.io: its watch is away (OutOfSight, for "
    try:
        with lab.operator() as operator:
            world = lab.world(Setup("refused-watch"), operator)
            world.build_author()
            lab.within(40, lambda: missing(operator, 200, line), "the watch is named")
            found = metrics(operator)["chipwise_out_of_sight_seconds"]
            assert found["OutOfSight", "priorityclasses.scheduling.k8s.io"] > 10
            assert "priorityclasses.scheduling.k8s.io: may not list and watch" in operator.log
            lab.admin.merge(ROLE, {"rules": role["rules"]})
            lab.within(20, lambda: is_ready(operator), "nothing is held")
            assert operator.is_alive
    finally:
        install_chart(lab.cluster)
