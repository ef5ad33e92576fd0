"""Which of Karpenter's kinds are read: those that the API server has, and not one less than are needed."""

from __future__ import annotations

import asyncio
import logging

from chipwise.kube.backoff import Backoff
from chipwise.kube.errors import KubeError, Misconfigured
from chipwise.kube.protocol import Kube
from chipwise.kube.resources import LAUNCH_EVENTS, NODE_CLAIMS, NODE_OVERLAYS, NODE_POOLS, Resource

log = logging.getLogger(__name__)


async def karpenter_kinds(kube: Kube, *, overlays: bool) -> tuple[Resource, ...]:
    """What to reflect. An API server that does not answer is waited for.

    Raises Misconfigured where NodePools or NodeClaims are not served: a watch on them would wait without a word. NodeOverlays are alpha
    and may be missing, unless ``overlays`` says that they are to be written.
    """
    backoff, failures = Backoff(), 0
    while True:
        try:
            stable = await kube.served(NODE_POOLS.group, NODE_POOLS.version)
            alpha = await kube.served(NODE_OVERLAYS.group, NODE_OVERLAYS.version)
        except KubeError as error:
            log.warning("discovery: %s", error)
            failures += 1
            await asyncio.sleep(backoff.delay(failures - 1, error))
        else:
            break
    missing = [str(each) for each in (NODE_POOLS, NODE_CLAIMS) if each.plural not in stable]
    if missing:
        said = f"--karpenter: the API server does not serve {', '.join(missing)} ({NODE_POOLS.api_version}): "
        raise Misconfigured(f"{said}install Karpenter's CRDs, or start without --karpenter")
    if overlays and NODE_OVERLAYS.plural not in alpha:
        said = (
            f"--node-overlays: the API server does not serve {NODE_OVERLAYS} ({NODE_OVERLAYS.api_version}): "
        )
        raise Misconfigured(f"{said}install Karpenter's CRDs with it, or start without --node-overlays")
    if NODE_OVERLAYS.plural not in alpha:
        log.info("%s is not served: no price is read from overlays", NODE_OVERLAYS)
        return (NODE_POOLS, NODE_CLAIMS, LAUNCH_EVENTS)
    return (NODE_POOLS, NODE_CLAIMS, LAUNCH_EVENTS, NODE_OVERLAYS)
