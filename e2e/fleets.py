"""Fleets by chance: pools of odd machines, their neighbours, and Deployments that are to be placed on them. The same seed, the same fleet.

Every fleet has names, labels, taints and resources of its own, so that hundreds live in one cluster and none can touch another. What a
fleet looks like when chipwise comes is what ``fleet`` says, plus what befalls it afterwards (``Fleet.cordoned`` and the like).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from e2e.cluster.fleet import node_manifest

Document = dict[str, Any]

API = "chipwise.dev/v1alpha1"
DOMAIN = "truth.example.com"
FLEET = f"{DOMAIN}/fleet"
POOL, ZONE, HOSTNAME = f"{DOMAIN}/pool", "topology.kubernetes.io/zone", "kubernetes.io/hostname"
READY_DELAY = "pod-ready.stage.kwok.x-k8s.io/delay"
DELETE_DELAY = "pod-delete.stage.kwok.x-k8s.io/delay"
ZONES = ("zone-a", "zone-b")
GIB = "Gi"
#: Requests per second that one replica sustains at this TPOT in ms: see ``_points``.
TPOTS = (10, 20, 40)


@dataclass(frozen=True)
class Fleet:
    """One case. ``kinds`` are chipwise's own objects, ``there`` everything else in the order in which it is made.

    ``cordoned``, ``broken`` and ``deaf`` are names of nodes, ``dying`` names of pods: what happens when all pods have found a node or not.
    A deaf node has lost its device plugin, and with it all allocatable chips. ``coming`` are nodes that an autoscaler adds when a pod
    waits for one.
    """

    seed: int
    name: str
    nodes: tuple[Document, ...]
    there: tuple[Document, ...]
    kinds: tuple[Document, ...]
    cordoned: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    deaf: tuple[str, ...] = ()
    dying: tuple[str, ...] = ()
    coming: tuple[Document, ...] = ()


@dataclass
class _Maker:
    seed: int
    dice: random.Random
    name: str
    classes: list[str] = field(default_factory=list)
    pools: dict[str, str] = field(default_factory=dict)
    prices: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    variants: list[Document] = field(default_factory=list)

    def resource(self, chip_class: str) -> str:
        return f"{DOMAIN}/{self.name}-{chip_class}"

    def some(self, chance: float) -> bool:
        return self.dice.random() < chance


def fleet(seed: int) -> Fleet:
    """One to three pools of one to five machines, and one to four workloads of one to four replicas. No pool can grow: see ``e2e.coming``."""
    maker = _Maker(seed, random.Random(seed), f"t{seed}")  # noqa: S311 - no secret
    pools = maker.dice.choice([1, 2, 2, 3, 3])
    maker.classes = [f"c{number}" for number in range(maker.dice.randint(1, pools))]
    for number in range(pools):
        maker.pools[f"p{number}"] = maker.classes[number % len(maker.classes)]
        maker.prices[f"p{number}"] = maker.dice.randint(1, 40)
        maker.shapes[f"p{number}"] = (
            maker.dice.choice([1, 2, 3, 4, 4, 5, 6, 8, 8, 8, 8, 8]),
            maker.dice.choice([16, 32, 64, 64]),
            maker.dice.choice([64, 128, 256]),
        )
    nodes = [node for pool in maker.pools for node in _nodes(maker, pool)]
    maker.variants = _variants(maker)
    deployments = [_deployment(maker, number) for number in range(maker.dice.randint(1, 4))]
    foreign = _foreign(maker, nodes)
    names = [node["metadata"]["name"] for node in nodes]
    bound = [pod["metadata"]["name"] for pod in foreign if pod["kind"] == "Pod" and "nodeName" in pod["spec"]]
    return Fleet(
        seed=seed,
        name=maker.name,
        nodes=tuple(nodes),
        there=(*_quotas(maker), *foreign, *deployments),
        kinds=tuple(_kinds(maker, deployments)),
        cordoned=_few(maker, names, 0.12),
        broken=_few(maker, names, 0.06),
        deaf=_few(maker, names, 0.06),
        dying=_few(maker, bound, 0.3),
    )


def _few(maker: _Maker, names: list[str], chance: float) -> tuple[str, ...]:
    return tuple(name for name in names if maker.some(chance))


def _nodes(maker: _Maker, pool: str) -> list[Document]:
    chips, cpu, memory = maker.shapes[pool]
    resource = maker.resource(maker.pools[pool])
    found = []
    maker.counts[pool] = maker.dice.choice([1, 2, 2, 3, 3, 4, 5])
    for number in range(maker.counts[pool]):
        fewer = maker.dice.choice([0, 0, 0, 1]) if chips > 1 else 0
        taints = [{"key": resource, "value": "present", "effect": "NoSchedule"}]
        if maker.some(0.06):
            taints.append({"key": f"{DOMAIN}/dedicated", "value": "others", "effect": "NoSchedule"})
        capacity = {
            resource: str(chips - fewer),
            "cpu": str(cpu),
            "memory": f"{memory}{GIB}",
            "pods": str(maker.dice.choice([4, 6, 20, 110])),
            "ephemeral-storage": f"{maker.dice.choice([50, 200])}{GIB}",
        }
        found.append(
            node_manifest(
                f"{maker.name}-{pool}-{number}",
                labels={POOL: f"{maker.name}-{pool}", FLEET: maker.name},
                taints=taints,
                capacity=capacity,
                zone=maker.dice.choice(ZONES),
                instance_type="example",
            )
        )
    return found


def _variants(maker: _Maker) -> list[Document]:
    found = []
    for chip_class in maker.classes:
        largest = max(shape[0] for pool, shape in maker.shapes.items() if maker.pools[pool] == chip_class)
        sizes = [size for size in (1, 2, 3, 4, 5, 8) if size <= largest or maker.some(0.1)]
        for chips in maker.dice.sample(sizes, min(len(sizes), maker.dice.randint(1, 3))):
            one: Document = {
                "name": f"{chip_class}-x{chips}",
                "className": chip_class,
                "chips": chips,
                "precision": "bf16",
                "startupSeconds": 1,
                "maxConcurrency": 16,
                "performance": _points(maker.dice.choice(TPOTS)),
            }
            if maker.some(0.4):
                cpu, memory = maker.dice.choice([1, 4, 8]), maker.dice.choice([2, 8, 24])
                one["container"] = {"resources": {"cpu": str(cpu), "memory": f"{memory}{GIB}"}}
            found.append(one)
    return found


def _points(tpot: int) -> Document:
    common = {"inputTokens": 512, "outputTokens": 100, "ttft": "50ms", "tpot": f"{tpot}ms"}
    return {"points": [{"concurrency": count, **common} for count in (1, 8, 16)]}


def _deployment(maker: _Maker, number: int) -> Document:
    """Made for one pool by its author, mostly the dearest, with such constraints of the author's own as people have."""
    dearest = max(maker.pools, key=lambda name: (maker.prices[name], name))
    pool = dearest if maker.some(0.6) else maker.dice.choice(list(maker.pools))
    resource = maker.resource(maker.pools[pool])
    known = [v["chips"] for v in maker.variants if v["className"] == maker.pools[pool]]
    sizes = [size for size in known if size <= maker.shapes[pool][0]] or known
    labels = {"app": f"w{number}"}
    cpu, memory = maker.dice.choice([1, 2, 8]), maker.dice.choice([1, 8, 30])
    requests = {"cpu": str(cpu), "memory": f"{memory}{GIB}"}
    if maker.some(0.2):
        requests["ephemeral-storage"] = f"{maker.dice.choice([10, 40])}{GIB}"
    server: Document = {
        "name": "server",
        "image": "example/engine:1",
        "resources": {"requests": requests, "limits": {resource: str(maker.dice.choice(sizes))}},
    }
    spec: Document = {
        "terminationGracePeriodSeconds": 1,
        "nodeSelector": {POOL: f"{maker.name}-{pool}"},
        "tolerations": [{"key": resource, "operator": "Exists", "effect": "NoSchedule"}],
        "containers": [server],
    }
    if maker.some(0.3):
        spec["containers"].append(
            {"name": "logs", "image": "example/logs:1", "resources": {"requests": {"cpu": "500m"}}}
        )
    if maker.some(0.2):
        init = {"cpu": "12", "memory": f"1{GIB}"}
        spec["initContainers"] = [
            {"name": "fetch", "image": "example/fetch:1", "resources": {"requests": init}}
        ]
    _constrain(maker, spec, labels)
    template = {"metadata": {"labels": labels, "annotations": {READY_DELAY: "1h"}}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"w{number}", "namespace": maker.name},
        "spec": {
            "replicas": maker.dice.choice([1, 1, 2, 2, 3, 4]),
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }


def _constrain(maker: _Maker, spec: Document, labels: Document) -> None:
    selector, throw = {"matchLabels": labels}, maker.dice.random()
    if throw < 0.12:
        term = {"topologyKey": HOSTNAME, "labelSelector": selector}
        spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    elif throw < 0.22:
        near = {"key": ZONE, "operator": "In", "values": [maker.dice.choice(ZONES)]}
        required = {"nodeSelectorTerms": [{"matchExpressions": [near]}]}
        spec["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    elif throw < 0.36:
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": maker.dice.randint(1, 2),
                "topologyKey": maker.dice.choice([HOSTNAME, ZONE]),
                "whenUnsatisfiable": maker.dice.choice(["DoNotSchedule", "DoNotSchedule", "ScheduleAnyway"]),
                "labelSelector": selector,
            }
        ]
    elif throw < 0.42:
        spec["containers"][0]["ports"] = [{"containerPort": 8000, "hostPort": 18000 + maker.seed % 1000}]


def _foreign(maker: _Maker, nodes: list[Document]) -> list[Document]:
    """Pods that others put on the machines, a DaemonSet on some pools, and pods that wait."""
    found: list[Document] = []
    free = {n["metadata"]["name"]: _amounts(n["status"]["allocatable"]) for n in nodes}
    for pool in maker.pools:
        if maker.some(0.25):
            found.append(_daemon_set(maker, pool))
            for node in nodes:
                if node["metadata"]["labels"][POOL] == f"{maker.name}-{pool}":
                    free[node["metadata"]["name"]]["cpu"] -= 1
                    free[node["metadata"]["name"]]["pods"] -= 1
    for node in nodes:
        pool = node["metadata"]["labels"][POOL].removeprefix(f"{maker.name}-")
        for number in range(maker.dice.choice([0, 0, 0, 0, 1, 2])):
            name = f"on-{node['metadata']['name']}-{number}"
            pod = _pod(maker, name, pool, most=_chips(node, maker.resource(maker.pools[pool])))
            asked = _amounts(pod["spec"]["containers"][0]["resources"]["requests"]) | {"pods": 1}
            left = free[node["metadata"]["name"]]
            if all(left[resource] >= count for resource, count in asked.items()):
                for resource, count in asked.items():
                    left[resource] -= count
                pod["spec"]["nodeName"] = node["metadata"]["name"]
                found.append(pod)
    for number in range(maker.dice.choice([0, 0, 0, 1, 2])):
        pool = maker.dice.choice(list(maker.pools))
        found.append(_pod(maker, f"waits-{number}", pool, most=maker.shapes[pool][0], least=1))
    return found


def _amounts(quantities: Document) -> dict[str, int]:
    return {name: int(str(quantity).removesuffix(GIB)) for name, quantity in quantities.items()}


def _chips(node: Document, resource: str) -> int:
    return int(node["status"]["allocatable"][resource])


def _pod(maker: _Maker, name: str, pool: str, most: int, least: int = 0) -> Document:
    resource = maker.resource(maker.pools[pool])
    requests: Document = {
        "cpu": str(maker.dice.choice([1, 2, 6])),
        "memory": f"{maker.dice.choice([1, 4])}{GIB}",
    }
    chips = maker.dice.randint(min(least, most), max(least, most // maker.dice.choice([1, 2, 3])))
    limits = {resource: str(chips)} if chips else {}
    container = {
        "name": "c",
        "image": "example/other:1",
        "resources": {"requests": {**requests, **limits}, "limits": limits},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": maker.name,
            "labels": {"app": "foreign"},
            "annotations": {DELETE_DELAY: "2h"},
        },
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "nodeSelector": {POOL: f"{maker.name}-{pool}"},
            "tolerations": [{"key": resource, "operator": "Exists"}],
            "containers": [container],
        },
    }


def _daemon_set(maker: _Maker, pool: str) -> Document:
    labels = {"app": f"agent-{pool}"}
    container = {"name": "c", "image": "example/agent:1", "resources": {"requests": {"cpu": "1"}}}
    spec = {
        "nodeSelector": {POOL: f"{maker.name}-{pool}"},
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": f"agent-{pool}", "namespace": maker.name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def _quotas(maker: _Maker) -> list[Document]:
    """None in most fleets. Wide enough for what is there, and for some of what is to come."""
    hard: Document = {}
    if maker.some(0.12):
        hard[f"requests.{maker.resource(maker.dice.choice(maker.classes))}"] = str(maker.dice.randint(4, 24))
    if maker.some(0.08):
        hard["pods"] = str(maker.dice.randint(8, 30))
    if maker.some(0.08):
        hard["requests.cpu"] = str(maker.dice.randint(20, 90))
    if not hard:
        return []
    spec: Document = {"hard": hard}
    if maker.some(0.3):
        spec["scopes"] = [maker.dice.choice(["NotTerminating", "Terminating", "NotBestEffort"])]
    return [
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "quota", "namespace": maker.name},
            "spec": spec,
        }
    ]


def _kinds(maker: _Maker, deployments: list[Document]) -> list[Document]:
    found = [
        _ours(
            "AcceleratorClass",
            chip_class,
            {
                "vendor": "Example",
                "chip": chip_class,
                "memory": "80Gi",
                "memoryBandwidthGBps": 3000,
                "resourceName": maker.resource(chip_class),
                "tolerations": [
                    {"key": maker.resource(chip_class), "operator": "Exists", "effect": "NoSchedule"}
                ],
            },
        )
        for chip_class in maker.classes
    ]
    for pool, chip_class in maker.pools.items():
        chips, cpu, memory = maker.shapes[pool]
        found.append(
            _ours(
                "AcceleratorPool",
                pool,
                {
                    "className": chip_class,
                    "nodeSelector": {POOL: f"{maker.name}-{pool}"},
                    "shape": {"chips": chips, "cpu": str(cpu), "memory": f"{memory}{GIB}"},
                    "nodes": {"min": 0, "max": maker.counts[pool]},
                    "price": {
                        "amount": f"{maker.prices[pool]}.00",
                        "unit": maker.dice.choice(["Node", "Chip", "Chip", "Chip"]),
                    },
                },
            )
        )
    found.append(_ours("ModelProfile", "model", {"model": "example/m", "variants": maker.variants}))
    found.append(
        _ours(
            "PlacementPolicy",
            "default",
            {"minimumStay": "0s", "maxConcurrentMoves": maker.dice.choice([1, 16, 16])},
        )
    )
    found += [_workload(maker, deployment) for deployment in deployments]
    return found


def _workload(maker: _Maker, deployment: Document) -> Document:
    """Traffic for up to as many replicas as run."""
    name, replicas = deployment["metadata"]["name"], deployment["spec"]["replicas"]
    rate = maker.dice.uniform(0.1, 1.2) * replicas * 155 / max(TPOTS)
    traffic = {"meanRequestsPerSecond": f"{rate:.2f}", "inputTokens": 512, "outputTokens": 100}
    return _ours(
        "InferenceWorkload",
        name,
        {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "container": "server",
            "modelProfileName": "model",
            "traffic": traffic,
            "objectives": [{"metric": "TPOT", "threshold": "60ms"}],
            "mode": "Rollout",
        },
        namespace=maker.name,
    )


def _ours(kind: str, name: str, spec: Document, **metadata: str) -> Document:
    identity = {"name": name, "uid": f"{kind}-{name}", "generation": 1, **metadata}
    return {"apiVersion": API, "kind": kind, "metadata": identity, "spec": spec}
