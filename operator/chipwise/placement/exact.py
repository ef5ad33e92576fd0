"""The cheapest nodes for given replicas of one pool, exact also where no formula knows them (odd footprints, unlike paid nodes)."""

from __future__ import annotations

from functools import lru_cache

from chipwise.placement.highs import Door, Effort, Rows, Status
from chipwise.placement.instance import Instance, Seat
from chipwise.placement.layout import Layout
from chipwise.placement.packing import Packing, price_of, quick
from chipwise.placement.problem import Billing, Option, Pool
from chipwise.placement.program import Program, build

_EFFORT = Effort(seconds=10.0, mip_nodes=2_000)


def cheapest(layout: Layout, counts: tuple[int, ...]) -> Packing | None:
    """The packing of ``counts`` replicas of each footprint that costs least, or None when they do not fit."""
    if layout.ordered and not layout.lots and not any(counts[f] for f in layout.odd):
        return quick(layout, counts)
    return _searched(layout, counts)


@lru_cache(maxsize=4096)
def _searched(layout: Layout, counts: tuple[int, ...]) -> Packing | None:
    found = quick(layout, counts)
    if found is not None and not found.price:
        return found
    instance = _alone(layout, counts)
    program = build(instance)
    upper = program.upper.copy()
    for column in program.unplaced:
        upper[column] = 0.0
    answer = Door(program).integral(
        program.cost, upper, Rows(program.row_lower, program.row_upper), _EFFORT, None
    )
    if answer.status is Status.INFEASIBLE or not answer.values:
        return found
    better = _packing(layout, program, [round(value) for value in answer.values])
    return better if found is None or better.price < found.price else found


def _alone(layout: Layout, counts: tuple[int, ...]) -> Instance:
    """One pool, and all replicas of a footprint as one workload without a choice."""
    seats: list[Seat] = []
    for f, count in enumerate(counts):
        if count:
            footprint, taken = layout.footprints[f], layout.slots[f]
            slots = None if taken is None else tuple(count * slot for slot in taken)
            option = Option("", "", count, footprint)
            seats.append(Seat(len(seats), len(seats), 0, f, count, option.chips, slots, (), 0.0, option))
    return Instance(
        workloads=(),
        ranks=(0,) * len(seats),
        rank_count=1,
        of=tuple((seat,) for seat in seats),
        seats=tuple(seats),
        pools=(Pool("", "", Billing.NODE, 0.0, 1, ()),),
        layouts=(layout,),
        limits=(),
    )


def _packing(layout: Layout, program: Program, values: list[int]) -> Packing:
    columns = program.pools[0]
    shared = tuple(
        values[columns.shared[g]] if g in columns.shared else group.count
        for g, group in enumerate(layout.groups)
    )
    own = tuple((i, g, values[column]) for (i, g), column in sorted(columns.own.items()) if values[column])
    apart = tuple(values[columns.apart[i]] for i in range(len(layout.odd)))
    return Packing(price_of(layout, shared, own), shared, own, apart)
