"""NodeOverlays are written through the fence, found again by their mark, and left alone by who does not lead."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from chipwise.cluster.pools import view_pools
from chipwise.control.fence import Fence
from chipwise.control.overlays import OverlayWriter
from chipwise.kube.resources import NODE_OVERLAYS

from tests.cluster import karpenter_documents as kd
from tests.cluster.documents import Document
from tests.cluster.test_karpenter import CLASS, snapshot
from tests.cluster.test_node_overlays import ON_DEMAND, pool
from tests.kube.fake import FakeKube

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def decision(kube: FakeKube, *objects: Document) -> Any:
    """As much of a decision as is read, from these objects and the overlays that there are."""
    found = snapshot(CLASS, kd.node_pool("h100", ON_DEMAND), *objects, *overlays(kube))
    return SimpleNamespace(views=view_pools(found), snapshot=found)


def overlays(kube: FakeKube) -> list[Document]:
    return [kube.peek(NODE_OVERLAYS, *key) for key in kube.keys(NODE_OVERLAYS)]


async def test_it_is_made_changed_and_taken_away():
    kube = FakeKube()
    writer = OverlayWriter(Fence(kube, lambda: 10.0), may_write=lambda: True)
    assert await writer.write(decision(kube, pool("a", "10.00")))
    assert [one["spec"]["price"] for one in overlays(kube)] == ["10.00"]
    assert await writer.write(decision(kube, pool("a", "20.00")))
    assert [one["spec"]["price"] for one in overlays(kube)] == ["20.00"]
    assert await writer.write(decision(kube))
    assert overlays(kube) == []


async def test_who_does_not_lead_writes_nothing():
    kube = FakeKube()
    assert await OverlayWriter(Fence(kube, lambda: 0.0), may_write=lambda: True).write(
        decision(kube, pool("a", "10.00"))
    )
    assert overlays(kube) == []


async def test_what_lost_its_mark_meanwhile_is_left_alone():
    """The watch is behind: the document that is there is somebody else's by now."""
    kube = FakeKube()
    writer = OverlayWriter(Fence(kube, lambda: 10.0), may_write=lambda: True)
    await writer.write(decision(kube, pool("a", "10.00")))
    late = decision(kube, pool("a", "20.00"))
    (there,) = overlays(kube)
    kube.put(NODE_OVERLAYS, {**there, "metadata": {**there["metadata"], "labels": {"team": "ml"}}})
    assert await writer.write(late)
    assert [one["spec"]["price"] for one in overlays(kube)] == ["10.00"]
