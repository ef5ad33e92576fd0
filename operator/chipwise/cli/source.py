"""The one way from a source to a decision, offline or from a cluster. Nothing is ever written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable

from chipwise.autoscaling.placeholders import Settings
from chipwise.cli.errors import BadInput
from chipwise.cli.options import Source
from chipwise.cluster.decide import Decision, Standing, decide
from chipwise.cluster.extract import KARPENTER, OF_CLUSTER_AUTOSCALER, extract
from chipwise.cluster.manifests import BadManifest, load
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.state import FIELDS, ClusterState
from chipwise.kube.errors import Forbidden, KubeError, NotFound
from chipwise.kube.protocol import Kube
from chipwise.kube.resources import NODE_POOLS, OUR_KINDS, Resource


def decided(source: Source) -> tuple[Decision, float]:
    """The decision, and the seconds that it took from the snapshot on. Raises BadInput."""
    found = snapshot(source)
    begin = time.perf_counter()
    decision = decide(found, now=source.moment, standing=_STANDING)
    return decision, time.perf_counter() - begin


#: Whether the operator keeps room warm nobody can see from here: what pools ask for is priced.
_STANDING = Standing(spare=Settings())
#: What an autoscaler says is the operator's to hear: a person need not have the right to read it.
_READ = tuple(each for each in FIELDS if each not in OF_CLUSTER_AUTOSCALER)


def snapshot(source: Source, resources: Collection[Resource] = _READ) -> Snapshot:
    """What the files or the cluster say, of a cluster only ``resources``. Raises BadInput."""
    if source.files:
        try:
            return load(source.files)
        except BadManifest as error:
            raise BadInput(str(error)) from error
    try:
        return asyncio.run(_read_cluster(source, resources))
    except KubeError as error:
        raise BadInput(
            f"cannot read the cluster: {error}; to decide without one give manifests with -f"
        ) from error


async def _read_cluster(source: Source, resources: Collection[Resource]) -> Snapshot:
    from chipwise.kube.client import Client  # noqa: PLC0415 - aiohttp: not for a plan from files
    from chipwise.kube.connection import connect  # noqa: PLC0415

    async with Client(connect(kubeconfig=source.kubeconfig, context=source.context)) as kube:
        return await read_cluster(kube, resources)


async def read_cluster(kube: Kube, resources: Collection[Resource] = _READ) -> Snapshot:
    """One list of each resource. They are not of one moment, as no client's are. Raises BadInput and KubeError."""
    lists = await asyncio.gather(*(_listed(kube, resource) for resource in resources))
    read = {resource: items for resource, items in zip(resources, lists, strict=True) if items is not None}
    state = ClusterState(karpenter=NODE_POOLS in read)
    for resource, items in read.items():
        facts = {_key(item): extract(resource, item) for item in items}
        state.replace(resource, {key: fact for key, fact in facts.items() if fact is not None})
    return state.snapshot()


async def _listed(kube: Kube, resource: Resource) -> Iterable[dict[str, object]] | None:
    """None where Karpenter's objects may not be read: most clusters have none, and most people no right to them."""
    try:
        return (
            await kube.list_all(
                resource,
                namespace=resource.home or None,
                field_selector=resource.select or None,
            )
        ).items
    except NotFound as error:
        if resource in OUR_KINDS:
            said = f"the cluster does not know {resource}: install the kinds (charts/chipwise), or give manifests with -f"
            raise BadInput(said) from error
        return []
    except Forbidden as error:
        if resource in KARPENTER:
            return None
        raise BadInput(f"{error}; ask for the right to list {resource}, or give manifests with -f") from error


def _key(item: dict[str, object]) -> tuple[str, str]:
    metadata = item["metadata"]
    assert isinstance(metadata, dict)  # noqa: S101 - the API server says so
    return metadata.get("namespace") or "", metadata["name"]
