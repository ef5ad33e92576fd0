"""NodeOverlays are written through the fence, found again by their mark, and left alone by who does not lead."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from chipwise.cluster.pools import view_pools
from chipwise.control.fence import Fence
from chipwise.control.overlays import PATIENCE, OverlayWriter
from chipwise.kube.resources import NODE_OVERLAYS

from tests.cluster import karpenter_documents as kd
from tests.cluster.documents import Document
from tests.cluster.test_karpenter import CLASS, snapshot
from tests.cluster.test_node_overlays import BOTH, ON_DEMAND, pool
from tests.kube.fake import FakeKube

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def decision(kube: FakeKube, *objects: Document) -> Any:
    """As much of a decision as is read, from these objects and the overlays that there are."""
    found = snapshot(CLASS, kd.node_pool("h100", ON_DEMAND), *objects, *overlays(kube))
    return SimpleNamespace(views=view_pools(found), snapshot=found, frozen=False)


def of_both(kube: FakeKube, on_demand: str, spot: str) -> Any:
    """The same of a NodePool with both, at these prices."""
    objects = (kd.node_pool("h100", BOTH), pool("a", on_demand), pool("s", spot, "Spot"))
    found = snapshot(CLASS, *objects, *overlays(kube))
    return SimpleNamespace(views=view_pools(found), snapshot=found, frozen=False)


def prices(kube: FakeKube) -> dict[str, str]:
    return {one["metadata"]["name"]: one["spec"]["price"] for one in overlays(kube)}


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


async def test_a_freeze_leaves_them_as_they_are():
    """A new price makes Karpenter replace nodes: that is a move."""
    kube = FakeKube()
    writer = OverlayWriter(Fence(kube, lambda: 10.0), may_write=lambda: True)
    await writer.write(decision(kube, pool("a", "10.00")))
    for later in (decision(kube, pool("a", "20.00")), decision(kube)):
        later.frozen = True
        assert await writer.write(later)
        assert prices(kube) == {"chipwise-a": "10.00"}


async def test_a_write_rests_on_those_before_it_and_not_on_what_the_watch_has_told():
    """Spot went up, the watch has not seen it, and on-demand is to come down to below it: the API server knows."""
    kube = FakeKube()
    writer = OverlayWriter(Fence(kube, lambda: 10.0), may_write=lambda: True)
    for _ in range(2):
        assert await writer.write(of_both(kube, "40.00", "10.00"))
    assert prices(kube) == {"chipwise-a": "40.00", "chipwise-s": "10.00"}
    late = of_both(kube, "25.00", "10.00")
    await writer.write(of_both(kube, "40.00", "30.00"))
    assert await writer.write(late)
    assert prices(kube) == {"chipwise-a": "40.00", "chipwise-s": "10.00"}
    assert await writer.write(late)
    assert prices(kube) == {"chipwise-a": "25.00", "chipwise-s": "10.00"}


async def test_what_may_pass_is_waited_for():
    """Spot is dearer for a while. For ten minutes they stand; then on-demand goes, and spot after it."""
    kube, now = FakeKube(), [0.0]
    writer = OverlayWriter(Fence(kube, lambda: 10.0), may_write=lambda: True, clock=lambda: now[0])
    for _ in range(2):
        await writer.write(of_both(kube, "40.00", "10.00"))
    assert not await writer.write(of_both(kube, "40.00", "50.00"))
    now[0] += PATIENCE - 1
    assert not await writer.write(of_both(kube, "40.00", "50.00"))
    assert prices(kube) == {"chipwise-a": "40.00", "chipwise-s": "10.00"}
    await writer.write(of_both(kube, "40.00", "10.00"))
    now[0] += 2
    assert not await writer.write(of_both(kube, "40.00", "50.00"))
    now[0] += PATIENCE
    await writer.write(of_both(kube, "40.00", "50.00"))
    assert prices(kube) == {"chipwise-s": "10.00"}
    await writer.write(of_both(kube, "40.00", "50.00"))
    assert prices(kube) == {}
    assert await writer.write(of_both(kube, "40.00", "50.00"))


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
