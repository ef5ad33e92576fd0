"""The flags that say which autoscaler is listened to, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def autoscaler_options(command: _Command) -> _Command:
    """--cluster-autoscaler and what needs it, --karpenter and what needs that, handed on by these names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--cluster-autoscaler",
        metavar="NAMESPACE",
        help="Listen to Cluster Autoscaler: its ConfigMap cluster-autoscaler-status in this namespace, and what it says of pods.",
    ),
    click.option(
        "--priority-expander",
        is_flag=True,
        help="Keep its ConfigMap cluster-autoscaler-priority-expander in our order; needs --cluster-autoscaler.",
    ),
    click.option(
        "--provisioning-requests",
        is_flag=True,
        help="Ask it for room, with a ProvisioningRequest, before a move that needs new nodes; needs --cluster-autoscaler.",
    ),
    click.option(
        "--karpenter",
        is_flag=True,
        help="Read Karpenter's NodePools and NodeClaims, for pools that name a NodePool.",
    ),
    click.option(
        "--node-overlays",
        is_flag=True,
        help="Tell Karpenter the pools' prices by NodeOverlays (alpha); needs --karpenter.",
    ),
)
