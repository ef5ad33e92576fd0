"""What the command line says to the operator."""

from __future__ import annotations

from dataclasses import dataclass, field

from chipwise.autoscaling.placeholders import Settings
from chipwise.cluster.decide import Standing
from chipwise.control.lease import LeaseTiming
from chipwise.telemetry.server import Address


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line says. ``writes`` is False where the role grants no write on Deployments.

    ``cluster_autoscaler`` is the namespace of Cluster Autoscaler's ConfigMaps, None where it is not asked; ``priority_expander``: it is
    told an order; ``provisioning_requests``: it is asked before a move. ``karpenter``: read its objects; ``node_overlays``: tell it our
    prices. ``spare`` is how room is kept warm, None where none is.
    """

    kubeconfig: str | None = None
    context: str | None = None
    lease_namespace: str = "chipwise-system"
    lease_name: str = "chipwise"
    lease_timing: LeaseTiming = field(default_factory=LeaseTiming)
    writes: bool = True
    freeze: bool = False
    karpenter: bool = False
    node_overlays: bool = False
    listen: Address = field(default_factory=Address)
    cluster_autoscaler: str | None = None
    priority_expander: bool = False
    provisioning_requests: bool = False
    spare: Settings | None = None

    @property
    def standing(self) -> Standing:
        """What of it decisions depend on."""
        return Standing(
            frozen=self.freeze,
            writes=self.writes,
            priority_expander=self.priority_expander,
            probing=self.provisioning_requests,
            spare=self.spare,
        )
