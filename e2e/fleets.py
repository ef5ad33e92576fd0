"""Fleets by chance: pools of odd machines, their neighbours, and Deployments that are to be placed on them. The same seed, the same fleet.

Every fleet has names, labels, taints and resources of its own, so that hundreds live in one cluster and none can touch another. What a
fleet looks like when chipwise comes is what ``fleet`` says, plus what befalls it afterwards (``Fleet.cordoned`` and the like).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from e2e.cluster.fleet import node_manifest
from e2e.fleet_authors import deployment_of
from e2e.fleet_maker import DOMAIN, FLEET, GIB, POOL, ZONES, Document, Maker
from e2e.fleet_neighbours import foreign_pods, quotas

API = "chipwise.dev/v1alpha1"
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


def fleet(seed: int) -> Fleet:
    """One to three pools of one to five machines, and one to four workloads of one to four replicas. No pool can grow: see ``e2e.coming``."""
    maker = Maker(seed, random.Random(seed), f"t{seed}")  # noqa: S311 - no secret
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
    deployments = [deployment_of(maker, number) for number in range(maker.dice.randint(1, 4))]
    foreign = foreign_pods(maker, nodes)
    names = [node["metadata"]["name"] for node in nodes]
    bound = [pod["metadata"]["name"] for pod in foreign if pod["kind"] == "Pod" and "nodeName" in pod["spec"]]
    return Fleet(
        seed=seed,
        name=maker.name,
        nodes=tuple(nodes),
        there=(*quotas(maker), *foreign, *deployments),
        kinds=tuple(_kinds(maker, deployments)),
        cordoned=_few(maker, names, 0.12),
        broken=_few(maker, names, 0.06),
        deaf=_few(maker, names, 0.06),
        dying=_few(maker, bound, 0.3),
    )


def _few(maker: Maker, names: list[str], chance: float) -> tuple[str, ...]:
    return tuple(name for name in names if maker.some(chance))


def _nodes(maker: Maker, pool: str) -> list[Document]:
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


def _variants(maker: Maker) -> list[Document]:
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


def _kinds(maker: Maker, deployments: list[Document]) -> list[Document]:
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


def _workload(maker: Maker, deployment: Document) -> Document:
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
