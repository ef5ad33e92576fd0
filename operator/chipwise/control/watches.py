"""What is watched beside our own kinds, by what the command line asks for.

A kind that was asked for and is not served is waited for: at the start nothing is decided before it is there, and where it goes later,
until it comes back. The process goes on in both cases, and a replica that waits does not ask for the Lease, so one that knows
everything leads, such as one that was started before Karpenter was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chipwise.cluster.extract import FOREIGN, KARPENTER, OF_CLUSTER_AUTOSCALER, extract
from chipwise.cluster.state import ClusterState
from chipwise.control.options import RunOptions
from chipwise.kube.protocol import Kube
from chipwise.kube.reflector import Need, Reflector
from chipwise.kube.resources import (
    AUTOSCALER_STATUS,
    EXPANDER_PRIORITIES,
    NODE_OVERLAYS,
    PROVISIONING_REQUESTS,
)


def reflectors(kube: Kube, state: ClusterState, options: RunOptions) -> Iterator[Reflector[Any]]:
    """One for each resource, in a fixed order."""
    for each in FOREIGN:
        yield Reflector(kube, each, state, extract)
    if options.karpenter:
        yield from _of_karpenter(kube, state, options)
    if options.cluster_autoscaler is not None:
        yield from _of_cluster_autoscaler(kube, state, options)


def _of_karpenter(kube: Kube, state: ClusterState, options: RunOptions) -> Iterator[Reflector[Any]]:
    """NodeOverlays are alpha and may be missing, unless they are to be written: then no price is read from any."""
    for each in KARPENTER:
        need = Need("--karpenter")
        if each == NODE_OVERLAYS:
            need = Need("--node-overlays", optional=not options.node_overlays)
        yield Reflector(kube, each, state, extract, need=need)


def _of_cluster_autoscaler(kube: Kube, state: ClusterState, options: RunOptions) -> Iterator[Reflector[Any]]:
    wanted = {
        EXPANDER_PRIORITIES: options.priority_expander,
        PROVISIONING_REQUESTS: options.provisioning_requests,
    }
    for each in OF_CLUSTER_AUTOSCALER:
        if wanted.get(each, True):
            # Pods, and the Events about them, are everywhere; its ConfigMaps are in its own namespace.
            own = each in (AUTOSCALER_STATUS, EXPANDER_PRIORITIES)
            where = options.cluster_autoscaler if own else None
            need = Need("--provisioning-requests" if each == PROVISIONING_REQUESTS else "")
            yield Reflector(kube, each, state, extract, namespace=where, need=need)
