"""What others have in a fleet by chance: pods on its machines, a DaemonSet, pods that wait, and a quota."""

from __future__ import annotations

from e2e.fleet_maker import DELETE_DELAY, GIB, POOL, Document, Maker


def foreign_pods(maker: Maker, nodes: list[Document]) -> list[Document]:
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


def _pod(maker: Maker, name: str, pool: str, most: int, least: int = 0) -> Document:
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


def _daemon_set(maker: Maker, pool: str) -> Document:
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


def quotas(maker: Maker) -> list[Document]:
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
