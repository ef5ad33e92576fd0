"""What the platform team of a world has and writes, small: machines of two pools, and the classes, pools, profile and policy for them."""

from __future__ import annotations

from e2e.authored import AGENT_POOL, API, FAR, MINE, NEAR, NVIDIA, PRODUCT, Document, Setup, labelled
from e2e.cluster.fleet import node_manifest


def nodes(setup: Setup) -> list[Document]:
    """The machines of both pools."""
    found = []
    for pool, resource in (("gpu", NVIDIA), ("alt", setup.alternative)):
        labels = {AGENT_POOL: f"{setup.name}-{pool}", MINE: setup.name}
        if resource == NVIDIA:
            labels[PRODUCT] = f"{pool}-{setup.name}"
        found += [
            node_manifest(
                f"{setup.name}-{pool}-{number}",
                labels=labels,
                taints=[{"key": resource, "value": "present", "effect": "NoSchedule"}],
                capacity={resource: "8"},
                zone=FAR if number == setup.machines - 1 else NEAR,
                instance_type=f"example-{pool}",
            )
            for number in range(_machines(setup, pool))
        ]
    return found


def _machines(setup: Setup, pool: str) -> int:
    other = setup.alternative_machines
    return setup.machines if pool == "gpu" or other is None else other


def kinds(setup: Setup) -> list[Document]:
    """Classes, pools, profile, policy."""
    return [
        _class(setup, "gpu", NVIDIA),
        _class(setup, "alt", setup.alternative),
        pool(setup, "gpu", "40.00"),
        pool(setup, "alt", "10.00"),
        profile(setup),
        labelled(
            setup,
            {
                "apiVersion": API,
                "kind": "PlacementPolicy",
                "metadata": {"name": setup.name},
                "spec": {
                    "minimumStay": setup.policy_stay,
                    "onOutdatedVariant": setup.outdated,
                    "maxConcurrentMoves": setup.concurrent_moves,
                    **setup.policy,
                },
            },
        ),
    ]


def _class(setup: Setup, chip: str, resource: str) -> Document:
    spec: Document = {
        "vendor": "Example",
        "chip": chip,
        "memory": "80Gi",
        "memoryBandwidthGBps": 3000,
        "resourceName": resource,
        "tolerations": [{"key": resource, "operator": "Exists", "effect": "NoSchedule"}],
    }
    name = f"{setup.name}-{chip}"
    return labelled(
        setup, {"apiVersion": API, "kind": "AcceleratorClass", "metadata": {"name": name}, "spec": spec}
    )


def pool(setup: Setup, chip: str, price: str | None, *, name: str = "", selects: str = "") -> Document:
    spec: Document = {
        "className": f"{setup.name}-{chip}",
        "nodeSelector": {AGENT_POOL: f"{setup.name}-{selects or chip}"},
        "shape": {"chips": 8, "cpu": "192", "memory": "2048Gi"},
        "zones": [NEAR, FAR],
        "nodes": {"min": 0, "max": setup.machines, "bootSeconds": setup.boot_seconds},
    }
    if price is not None:
        spec["price"] = {"amount": price}
    return labelled(
        setup,
        {
            "apiVersion": API,
            "kind": "AcceleratorPool",
            "metadata": {"name": f"{setup.name}-{name or chip}"},
            "spec": spec,
        },
    )


def profile(setup: Setup) -> Document:
    """One variant for each class. The other pool's takes more chips, other flags, and an image of its own if the setup says so."""
    container: Document = {
        "args": {"set": [{"flag": "--tensor-parallel-size", "value": str(setup.chips)}]},
        "env": [{"name": "ENGINE_TUNING", "value": "1"}],
        "removeEnv": ["NCCL_CUMEM_ENABLE"],
        "sharedMemory": "16Gi",
    }
    if setup.own_image:
        container["image"] = setup.alternative_image
    common = {
        "precision": "bf16",
        "startupSeconds": setup.startup_seconds,
        "pullSeconds": 2,
        "maxConcurrency": 16,
    }
    variants = [
        {
            **common,
            "name": "gpu",
            "className": f"{setup.name}-gpu",
            "chips": 2,
            "performance": speed(setup.tpot),
        },
        {
            **common,
            "name": "alt",
            "className": f"{setup.name}-alt",
            "chips": setup.chips,
            "container": container,
            "baseImages": ["vllm/vllm-openai:v0.12.*"],
            "performance": speed(setup.alternative_tpot),
        },
    ]
    return labelled(
        setup,
        {
            "apiVersion": API,
            "kind": "ModelProfile",
            "metadata": {"name": setup.name},
            "spec": {"model": "example/small", "variants": variants},
        },
    )


def speed(tpot: int) -> Document:
    """Measured points: the same TPOT (ms) at any load up to 16 requests at once."""
    common = {"inputTokens": 512, "outputTokens": 100, "ttft": "50ms", "tpot": f"{tpot}ms"}
    return {"points": [{"concurrency": concurrency, **common} for concurrency in (1, 8, 16)]}
