"""The flags that say which autoscaler is listened to, what it is told, and whether room is kept warm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from chipwise.autoscaling.placeholders import IMAGE, PRIORITY_CLASS, Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])


def autoscaler_options(command: _Command) -> _Command:
    """--cluster-autoscaler and what needs it, --karpenter and what needs that, --spare and how, handed on by these names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check(options: Mapping[str, Any]) -> None:
    """Raises UsageError for a flag without the one that it rests on."""
    if options["node_overlays"] and not options["karpenter"]:
        raise click.UsageError("--node-overlays needs --karpenter")
    if options["cluster_autoscaler"] is not None:
        return
    if options["provisioning_requests"]:
        raise click.UsageError("--provisioning-requests needs --cluster-autoscaler NAMESPACE")
    if options["priority_expander"]:
        raise click.UsageError(
            "--priority-expander needs --cluster-autoscaler NAMESPACE: its ConfigMap is there"
        )


def spare_settings(options: dict[str, Any], namespace: str) -> Settings | None:
    """How placeholders are made, None without --spare. Takes its flags out of ``options``."""
    names = ("spare", "spare_image", "spare_priority_class", "spare_pull_secret")
    wanted, image, name, secrets = (options.pop(each) for each in names)
    return Settings(namespace, image, name, secrets) if wanted else None


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
    click.option(
        "--spare",
        is_flag=True,
        help="Keep room warm in pools that ask for it (spec.spare), with placeholders in the namespace of the Lease.",
    ),
    click.option(
        "--spare-image",
        metavar="IMAGE",
        default=IMAGE,
        show_default=True,
        help="What placeholders run: something that does nothing and ends when it is told to.",
    ),
    click.option(
        "--spare-priority-class",
        metavar="NAME",
        default=PRIORITY_CLASS,
        show_default=True,
        help="Their PriorityClass, below 0, which owns them.",
    ),
    click.option(
        "--spare-pull-secret",
        metavar="NAME",
        multiple=True,
        help="A Secret in that namespace by which their image is pulled; may be repeated.",
    ),
)
