"""What stands, fits: packing in place never forgets a replica and never overfills a node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from chipwise.placement.exact import cheapest
from chipwise.placement.inplace import holds, less, lots_of, stand
from chipwise.placement.layout import lay_out
from chipwise.placement.packing import quick
from chipwise.placement.plan import Plan
from chipwise.placement.problem import (
    Billing,
    Bucket,
    Footprint,
    Option,
    Pool,
    Problem,
    Room,
    Standing,
    Workload,
)
from chipwise.placement.solve import solve
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.placement.build import EIGHT, GIB, any_room, footprint

PRICE = 8.0


def pool_of(nodes: Sequence[tuple[Room, Sequence[Footprint]]], price: float = PRICE) -> Pool:
    """One bucket a node, and what stands on it."""
    buckets = tuple(Bucket(room, 1, price) for room, _ in nodes)
    standing = tuple(
        Standing(room, price, tuple(sorted(Counter(pods).items()))) for room, pods in nodes if pods
    )
    return Pool("p", "c", Billing.NODE, price, 8, buckets, standing=standing)


def counted(pool: Pool, items: Sequence[Footprint], others: Sequence[Footprint] = ()):
    layout = lay_out(pool, [*items, *others])
    return layout, tuple(items.count(f) for f in layout.footprints)


any_pod = st.builds(
    Footprint, st.integers(1, 6), st.sampled_from([1_000, 12_000, 30_000]), st.sampled_from([GIB, 100 * GIB])
)


@st.composite
def filled(draw: st.DrawFn) -> list[tuple[Room, list[Footprint]]]:
    """Nodes with as many pods as they take, in any order."""
    found = []
    for room in draw(st.lists(any_room, min_size=1, max_size=3)):
        pods, left = [], room
        for pod in draw(st.lists(any_pod, max_size=4)):
            if holds(left, pod):
                pods.append(pod)
                left = less(left, pod, 1)
        found.append((room, pods))
    return found


@settings(max_examples=200, deadline=None)
@given(filled(), st.lists(any_pod, max_size=2))
def test_whatever_stands_fits(nodes: list[tuple[Room, list[Footprint]]], others: list[Footprint]):
    """Whatever other footprints are asked about in the same pool, and at the price of the nodes it stands on at most."""
    pods = [pod for _, held in nodes for pod in held]
    layout, counts = counted(pool_of(nodes), pods, others)
    packing = cheapest(layout, counts)
    assert packing is not None
    assert packing.price <= PRICE * sum(bool(held) for _, held in nodes) + 1e-9


@settings(max_examples=200, deadline=None)
@given(filled(), any_pod, st.integers(1, 6))
def test_one_more_footprint_fits_exactly_as_far_as_there_is_room(
    nodes: list[tuple[Room, list[Footprint]]], new: Footprint, replicas: int
):
    """Beside everybody in place: as many as the nodes hold one by one."""
    pods = [pod for _, held in nodes for pod in held if pod != new]
    kept = [(room, [pod for pod in held if pod != new]) for room, held in nodes]
    space = 0
    for room, held in kept:
        left = room
        for pod in held:
            left = less(left, pod, 1)
        space += holds(left, new)
    pool = pool_of(kept)
    footprints = sorted({*pods, new})
    lots = lots_of(pool, footprints)
    counts = [pods.count(f) + (replicas if f == new else 0) for f in footprints]
    assert (stand(lots, footprints, counts) is not None) == (replicas <= space)


def test_what_stands_is_seen_where_no_quick_way_finds_it():
    """Four, two and two chips beside three, three and two fill two nodes of eight; first fit by decreasing size needs a third."""
    two, three, four = footprint(2), footprint(3), footprint(4)
    pods = [four, two, two, three, three, two]
    layout, counts = counted(pool_of([(EIGHT, []), (EIGHT, [])]), pods)
    assert quick(layout, counts) is None
    layout, counts = counted(pool_of([(EIGHT, pods[:3]), (EIGHT, pods[3:])]), pods)
    packing = quick(layout, counts)
    assert packing is not None
    assert packing.price == 2 * PRICE
    assert packing.in_place is not None
    assert (packing.in_place.nodes, packing.in_place.paid) == (2, 2)


def test_who_leaves_makes_room_for_those_who_stay_and_come():
    """Of two nodes the one whose pod leaves is billed to nobody any more."""
    three, five = footprint(3), footprint(5)
    layout, counts = counted(pool_of([(EIGHT, [three, five]), (EIGHT, [five])]), [three, five])
    packing = cheapest(layout, counts)
    assert packing is not None
    assert packing.price == PRICE


def placed(plan: Plan) -> set[str]:
    return {choice.workload for choice in plan.choices if choice.option is not None}


def test_the_plan_leaves_nobody_out_who_runs():
    """The same in the joint choice: both stay, though the rules of packing say that they cannot."""
    three, five = footprint(3), footprint(5)
    workloads = tuple(
        Workload(f"prod/{name}", 0, (Option("p", name, 1, pod),)) for name, pod in (("a", three), ("b", five))
    )
    assert placed(solve(Problem(workloads, (pool_of([(EIGHT, [three, five])]),)))) == {"prod/a", "prod/b"}


def test_a_node_short_of_cpu_keeps_what_runs_there():
    """Beside a footprint that wants more CPU than the node has for its chips, such a node counts with fewer chips."""
    poor = Room(8, 20_000, 1024 * GIB, 110)
    lean, hungry = footprint(8, 16), footprint(1, 4)
    one = Workload("prod/a", 0, (Option("p", "lean", 1, lean),))
    other = Workload("prod/b", 0, (Option("p", "hungry", 1, hungry),))
    nodes: list[tuple[Room, list[Footprint]]] = [(poor, [lean]), (EIGHT, [])]
    assert placed(solve(Problem((one, other), (pool_of(nodes),)))) == {"prod/a", "prod/b"}
