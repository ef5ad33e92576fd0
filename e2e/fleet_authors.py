"""Deployments by chance, with such constraints of their authors' own as people have."""

from __future__ import annotations

from e2e.fleet_maker import GIB, HOSTNAME, POOL, READY_DELAY, ZONE, ZONES, Document, Maker


def deployment_of(maker: Maker, number: int) -> Document:
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


def _constrain(maker: Maker, spec: Document, labels: Document) -> None:
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
