"""Whatever is put in place of any field of a foreign object: it is taken, or the message names the object and a field that it has.

A bounded walk over every path of one Deployment, and of one small document of each kind beside it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from chipwise.cluster.manifests import BadManifest, load

from tests.cli.fleet import invoke, supply, write

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
DEPLOYMENT = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: chat, namespace: serving, labels: {{app: chat}}, annotations: {{a: b}}}}
spec:
  replicas: 2
  paused: false
  selector: {{matchLabels: {{app: chat}}}}
  strategy: {{type: RollingUpdate, rollingUpdate: {{maxSurge: 1, maxUnavailable: 25%}}}}
  template:
    metadata: {{labels: {{app: chat}}, annotations: {{a: b}}}}
    spec:
      priorityClassName: high
      nodeSelector: {{zone: a}}
      tolerations: [{{key: gpu, operator: Equal, value: x, effect: NoSchedule, tolerationSeconds: 3}}]
      topologySpreadConstraints: [{{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule,
        labelSelector: {{matchLabels: {{app: chat}}}}}}]
      affinity:
        nodeAffinity:
          {REQUIRED}:
            nodeSelectorTerms: [{{matchExpressions: [{{key: zone, operator: In, values: [a]}}]}}]
          preferredDuringSchedulingIgnoredDuringExecution:
          - {{weight: 5, preference: {{matchExpressions: [{{key: zone, operator: Exists}}]}}}}
        podAntiAffinity:
          {REQUIRED}: [{{topologyKey: host, labelSelector: {{matchLabels: {{app: chat}}}}, namespaces: [a]}}]
      volumes:
      - {{name: shm, emptyDir: {{medium: Memory, sizeLimit: 8Gi}}}}
      - {{name: weights, persistentVolumeClaim: {{claimName: weights}}}}
      - {{name: config, configMap: {{name: config, items: [{{key: a, path: a}}]}}}}
      initContainers: [{{name: fetch, image: fetch:1, command: [fetch], restartPolicy: Always}}]
      containers:
      - name: server
        image: engine:1
        command: [serve]
        args: [--port, "80"]
        env:
        - {{name: A, value: b}}
        - {{name: B, valueFrom: {{fieldRef: {{fieldPath: status.podIP}}}}}}
        - {{name: C, valueFrom: {{secretKeyRef: {{name: s, key: k}}}}}}
        ports: [{{name: http, containerPort: 80, hostPort: 80, protocol: TCP}}]
        resources: {{requests: {{cpu: 500m, nvidia.com/gpu: 2}}, limits: {{nvidia.com/gpu: "2"}}}}
        volumeMounts: [{{name: shm, mountPath: /dev/shm}}]
        readinessProbe: {{httpGet: {{path: /health, port: http}}, periodSeconds: 5}}
        lifecycle: {{preStop: {{exec: {{command: [sleep, "5"]}}}}}}
"""
OTHERS = """
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: h100}
spec:
  limits: {nodes: "4", nvidia.com/gpu: "32"}
  template:
    metadata: {labels: {a: b}}
    spec:
      requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]
      taints: [{key: a, value: b, effect: NoSchedule}]
status: {conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-01T12:00:00Z"}]}
---
apiVersion: karpenter.sh/v1
kind: NodeClaim
metadata: {name: h100-abcde, labels: {karpenter.sh/nodepool: h100}}
status:
  nodeName: n
  capacity: {cpu: "4"}
  allocatable: {cpu: "4"}
  conditions: [{type: Launched, status: "True"}]
---
apiVersion: karpenter.sh/v1alpha1
kind: NodeOverlay
metadata: {name: cheaper}
spec: {requirements: [{key: karpenter.sh/nodepool, operator: In, values: [h100]}], price: "12.50", weight: 3}
status: {conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Event
metadata: {name: e, namespace: default}
reason: InsufficientCapacityError
message: no machine
lastTimestamp: "2026-01-01T12:00:00Z"
involvedObject: {kind: NodeClaim, name: h100-abcde}
---
apiVersion: v1
kind: Node
metadata: {name: n, labels: {a: b}}
spec: {taints: [{key: a, value: b, effect: NoSchedule}], unschedulable: false}
status: {allocatable: {cpu: "4", memory: 8Gi, pods: "110", nvidia.com/gpu: "8"}, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: serving, labels: {a: b}, ownerReferences: [{kind: ReplicaSet, name: x, controller: true}]}
spec: {nodeName: n, containers: [{name: c, image: i, resources: {requests: {cpu: "1"}}}], tolerations: [{operator: Exists}]}
status: {phase: Running, conditions: [{type: Ready, status: "True"}], containerStatuses: [{restartCount: 1, state: {waiting: {reason: a}}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: q, namespace: serving}
spec: {hard: {requests.cpu: "4"}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [a]}]}}
status: {hard: {requests.cpu: "4"}, used: {requests.cpu: "1"}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: h, namespace: serving}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}, minReplicas: 1, maxReplicas: 9}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 5
globalDefault: false
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: c, namespace: serving}
spec: {accessModes: [ReadWriteOnce]}
---
apiVersion: v1
kind: Namespace
metadata: {name: serving, labels: {a: b}}
"""
JUNK: tuple[Any, ...] = (
    None,
    3,
    -1,
    2.7,
    "x",
    "",
    [],
    {},
    [None],
    [3],
    [{}],
    {"a": None},
    {"a": "b"},
    True,
    10**30,
    "1e999999999",
)
Place = tuple[str | int, ...]


def paths(value: Any, path: Place = ()) -> Iterator[Place]:
    if path:
        yield path
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, below in entries:
        yield from paths(below, (*path, key))


def put(document: Any, path: Place, value: Any) -> Any:
    changed = deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def refusal(path: Path) -> str:
    """What is said after the name of the file; empty if it is taken."""
    try:
        load([path])
    except BadManifest as error:
        return str(error).removeprefix(f"{path}: ")
    return ""


@pytest.mark.parametrize(
    "document", list(yaml.safe_load_all(f"{DEPLOYMENT}---{OTHERS}")), ids=lambda d: d["kind"]
)
def test_junk_in_any_field_is_taken_or_named(tmp_path, document):
    assert load([write(tmp_path, document)])
    refused = 0
    for path in paths(document):
        for junk in JUNK:
            words = refusal(write(tmp_path, put(document, path, junk)))
            refused += bool(words)
            assert not words or re.match(rf"\S+/\S+: {path[0]}(\.|\[|:)", words), (path, junk, words)
    assert refused > 30


@pytest.mark.parametrize(
    ("where", "value", "field"),
    [
        (("replicas",), -3, "spec.replicas: must be at least 0, not -3"),
        (("replicas",), 2.7, "spec.replicas: must be a whole number, not 2.7"),
        (("replicas",), 2**31 - 1, "spec.replicas: must be at most 10000"),
        (
            ("template", "spec", "containers", 0, "name"),
            None,
            "spec.template.spec.containers[0].name: is required",
        ),
        (
            ("template", "spec", "containers", 0, "image"),
            None,
            "spec.template.spec.containers[0].image: is required",
        ),
        (
            ("template", "spec", "containers", 0, "resources", "requests", "cpu"),
            "banana",
            "spec.template.spec.containers[0].resources.requests.cpu: 'banana' is not a quantity",
        ),
        (("template", "spec", "containers"), [], "spec.template.spec.containers: must not be empty"),
        (
            ("template", "metadata", "labels"),
            {"a": 3},
            "spec.template.metadata.labels.a: must be a text, not 3",
        ),
    ],
)
def test_a_slip_of_the_pen_is_told_with_its_path(tmp_path, where, value, field):
    path = write(tmp_path, put(next(yaml.safe_load_all(DEPLOYMENT)), ("spec", *where), value))
    result = invoke("plan", "-f", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {path}: Deployment/chat: {field}")


def test_as_many_replicas_as_are_allowed_are_answered(tmp_path):
    """In seconds; more would take minutes, and no cluster runs them."""
    document = put(next(yaml.safe_load_all(DEPLOYMENT)), ("spec", "replicas"), 10_000)
    snapshot = load([write(tmp_path, document)])
    assert len(snapshot.pods) == 10_000


@pytest.mark.parametrize("depth", [400, 900, 100_000])
def test_what_is_nested_too_deeply_is_told(tmp_path, depth):
    path = tmp_path / "deep.json"
    deep = '{"a":' * depth + "1" + "}" * depth
    path.write_text(
        '{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "chat"}, "spec": ' + deep + "}"
    )
    result = invoke("plan", "-f", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {path}: ")


def test_a_moment_without_quotes_is_a_text(tmp_path):
    """As for kubectl, whose YAML knows no moments."""
    path = tmp_path / "a.yaml"
    path.write_text(DEPLOYMENT.replace("{a: b}", "{a: 2026-01-01T12:00:00Z}"))
    (deployment,) = load([path]).deployments.values()
    assert deployment.document["metadata"]["annotations"] == {"a": "2026-01-01T12:00:00Z"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_a_full_disk_is_told_in_a_line(tmp_path):
    path = write(tmp_path, *supply())
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "chipwise.cli", "plan", "-f", str(path), "-o", "json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "Error: the answer cannot be written: No space left on device\n"
