"""The cheapest nodes for given replicas of one pool, exact also where no formula knows them (odd footprints, unlike paid nodes)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from chipwise.placement.highs import Door, Effort, Rows, Status
from chipwise.placement.inplace import Stand
from chipwise.placement.instance import Instance, Seat, book
from chipwise.placement.layout import Layout
from chipwise.placement.packing import Packing, bound, on_nodes, price_of, quick, quickly_fits
from chipwise.placement.patterns import Book
from chipwise.placement.problem import Billing, Option, Pool
from chipwise.placement.program import Columns, Program, build
from chipwise.placement.volume import exceeded

_EFFORT = Effort(seconds=10.0, mip_nodes=2_000)


@dataclass(frozen=True, slots=True)
class _Answer:
    """``certain``: there is none cheaper, or none at all."""

    packing: Packing | None
    certain: bool


def cheapest(layout: Layout, counts: tuple[int, ...]) -> Packing | None:
    """The packing of ``counts`` replicas of each footprint that costs least, or None when they do not fit.

    Where it is not ``certain`` the cheapest that was found, or None when none was.
    """
    return _answer(layout, counts).packing


def fits(layout: Layout, counts: tuple[int, ...]) -> bool:
    """Whether a packing of ``counts`` replicas of each footprint is found, at whatever price."""
    return quickly_fits(layout, counts) or cheapest(layout, counts) is not None


def certain(layout: Layout, counts: tuple[int, ...]) -> bool:
    """Whether ``cheapest`` is proven: there is none cheaper, or none at all."""
    return _answer(layout, counts).certain


def forget() -> None:
    """Search anew for what was searched before, for tests with other limits."""
    _searched.cache_clear()


def _answer(layout: Layout, counts: tuple[int, ...]) -> _Answer:
    if layout.closed:
        return _Answer(quick(layout, counts), certain=True)
    return _searched(layout, counts)


@lru_cache(maxsize=4096)
def _searched(layout: Layout, counts: tuple[int, ...]) -> _Answer:
    if exceeded(layout.laws, counts):
        return _Answer(None, certain=True)
    found = quick(layout, counts)
    if found is not None and found.price <= (0.0 if layout.formal else max(0.0, bound(layout, counts))):
        return _Answer(found, certain=True)
    patterns = book(layout, counts)
    instance = _alone(layout, counts, patterns)
    program = build(instance)
    upper = program.upper.copy()
    for column in program.unplaced:
        upper[column] = 0.0
    answer = Door(program).integral(
        program.cost, upper, Rows(program.row_lower, program.row_upper), _EFFORT, None
    )
    proven = instance.exact and answer.status in (Status.OPTIMAL, Status.INFEASIBLE)
    if answer.status is Status.INFEASIBLE or not answer.values:
        return _Answer(found, certain=proven)
    values = [round(value) for value in answer.values]
    if patterns is None:
        better = _packing(layout, program, values)
    else:
        better = on_nodes(layout, _filled(patterns, program.pools[0], values, counts))
    return _Answer(better if found is None or better.price < found.price else found, certain=proven)


def _alone(layout: Layout, counts: tuple[int, ...], patterns: Book | None) -> Instance:
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
        books=(patterns,),
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


def _filled(book: Book, columns: Columns, values: list[int], counts: Sequence[int]) -> Stand:
    """The nodes that patterns say, less those that nobody needs: the ones that cost nothing are filled last."""
    left = [0] * (max(book.size_of, default=-1) + 1)
    for place, replicas in zip(book.size_of, counts, strict=True):
        left[place] += replicas
    nodes = paid = 0
    price = 0.0
    for (k, n), column in sorted(
        columns.filled.items(), key=lambda item: (-book.kinds[item[0][0]].price, item)
    ):
        kind = book.kinds[k]
        for _ in range(values[column]):
            taken = [min(want, most) for want, most in zip(left, kind.patterns[n], strict=True)]
            if not any(taken):
                break
            left = [want - some for want, some in zip(left, taken, strict=True)]
            nodes, paid, price = nodes + 1, paid + bool(kind.price), price + kind.price
    return Stand(nodes, paid, price)
