"""The machines of the demo: three pools as `examples/pools.yaml` names them, played by kwok.

Labels and taints are what `examples/README.md` says that the Deployments assume. What Maia's nodes look like is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from e2e.cluster.fleet import node_manifest

AGENT_POOL = "kubernetes.azure.com/agentpool"
ZONES = ("westus3-1", "westus3-2")


@dataclass(frozen=True, slots=True)
class Machines:
    """Like nodes: `chips` of `resource` on each, tainted with the resource's name."""

    pool: str
    count: int
    resource: str
    chips: int
    cpu: str
    memory: str
    instance_type: str
    labels: Mapping[str, str]

    @property
    def says(self) -> str:
        """One line for people."""
        return f"{self.count} x {self.instance_type}, {self.chips} {self.resource} each"

    def manifests(self) -> Iterator[dict[str, Any]]:
        """One Node for each, zone by zone."""
        for number in range(self.count):
            yield node_manifest(
                f"{self.pool}-{number}",
                labels={AGENT_POOL: f"{self.pool}pool", **self.labels},
                taints=[{"key": self.resource, "value": "present", "effect": "NoSchedule"}],
                capacity={self.resource: str(self.chips), "cpu": self.cpu, "memory": self.memory},
                zone=ZONES[number % len(ZONES)],
                instance_type=self.instance_type,
            )


H100 = Machines(
    pool="h100",
    count=8,
    resource="nvidia.com/gpu",
    chips=8,
    cpu="96",
    memory="1900Gi",
    instance_type="Standard_ND96isr_H100_v5",
    labels={"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "accelerator": "nvidia"},
)
MI300X = Machines(
    pool="mi300x",
    count=3,
    resource="amd.com/gpu",
    chips=8,
    cpu="96",
    memory="1850Gi",
    instance_type="Standard_ND96isr_MI300X_v5",
    labels={},
)
MAIA = Machines(
    pool="maia",
    count=6,
    resource="example.com/maia",
    chips=4,
    cpu="64",
    memory="1024Gi",
    instance_type="example-maia",
    labels={},
)
FLEET = (H100, MI300X, MAIA)
