"""The mixed-integer program as plain lists: columns, rows and entries. It knows nothing of the solver.

Columns: one binary for each option; one for each workload that says it is not placed; and for each pool the nodes bought of each group
(integer), nodes for odd footprints alone (integer), replicas on those (integer) and chips beyond the committed ones (continuous); or,
where the patterns of a pool are listed, the nodes of each kind filled by each pattern (integer), which is exact.
Rows: each workload has one option or none; slots of each level of each pool, or replicas of each size; limits; nodes to come under each
ceiling; and how many workloads of each priority may be left out, which is how the lexicographic stages are told apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from chipwise.placement.instance import Instance, by_chip
from chipwise.placement.layout import Layout
from chipwise.placement.packing import Packing
from chipwise.placement.patterns import Book

INFINITY = math.inf


@dataclass(slots=True)
class Columns:
    """The columns of one pool. ``own`` maps (odd footprint, group), ``apart`` odd footprints, ``filled`` (kind, pattern) to a column.

    ``to_come`` are those that count nodes to come.
    """

    shared: dict[int, int] = field(default_factory=dict)
    own: dict[tuple[int, int], int] = field(default_factory=dict)
    apart: dict[int, int] = field(default_factory=dict)
    filled: dict[tuple[int, int], int] = field(default_factory=dict)
    extra_chips: int | None = None
    to_come: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Program:
    """Minimise ``cost`` over columns within [lower, upper], rows within [row_lower, row_upper]; entries are (row, column, value)."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[int] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    unplaced: list[int] = field(default_factory=list)
    rank_rows: list[int] = field(default_factory=list)
    pools: list[Columns] = field(default_factory=list)

    def column(self, cost: float, upper: float, *, integer: bool = True) -> int:
        """A new column from 0 to ``upper``."""
        self.cost.append(cost)
        self.lower.append(0.0)
        self.upper.append(upper)
        self.integer.append(int(integer))
        return len(self.cost) - 1

    def row(self, lower: float, upper: float) -> int:
        """A new empty row."""
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        return len(self.row_lower) - 1

    def entry(self, row: int, column: int, value: float) -> None:
        """One coefficient."""
        self.rows.append(row)
        self.columns.append(column)
        self.values.append(value)


def build(instance: Instance) -> Program:
    """The program of an instance, whose every point is a plan that fits. Column k < len(seats) is the option with index k."""
    return _built(instance, _formula)


def relaxed(instance: Instance) -> Program:
    """The same with only the laws of packing for pools of which it is not known what fits: every plan that fits is a point of it."""
    return _built(instance, _laws)


def _built(instance: Instance, unknown: Callable[[Program, Instance, int, list[int]], None]) -> Program:
    """``unknown`` is for pools whose packing neither the formula nor a book of patterns has exactly."""
    program, members = _begun(instance)
    for p, layout in enumerate(instance.layouts):
        book = instance.books[p]
        if book is not None:
            _patterns(program, instance, book, members[p])
        else:
            (_formula if layout.formal else unknown)(program, instance, p, members[p])
        _chips(program, instance, p, members[p])
    _limits(program, instance)
    _ceilings(program, instance)
    return program


def _formula(program: Program, instance: Instance, p: int, members: list[int]) -> None:
    """Levels of sizes that divide one another, and odd sizes counted as larger ones."""
    program.pools.append(_pool_columns(program, instance.layouts[p]))
    _levels(program, instance, p, members)
    _odd(program, instance, p, members)


def _begun(instance: Instance) -> tuple[Program, list[list[int]]]:
    """Options, and one or none for each workload; and the options of each pool."""
    program = Program()
    for seat in instance.seats:
        program.column(seat.switching, 1.0)
    _assignment(program, instance)
    _ranks(program, instance)
    members: list[list[int]] = [[] for _ in instance.pools]
    for seat in instance.seats:
        members[seat.pool].append(seat.index)
    return program, members


def _patterns(program: Program, instance: Instance, book: Book, members: list[int]) -> None:
    """Nodes filled by each pattern, of each kind as many as there are; and no more replicas of any size than they hold."""
    columns = Columns()
    program.pools.append(columns)
    sizes = max(book.size_of, default=-1) + 1
    rows = [program.row(-INFINITY, 0.0) for _ in range(sizes)]
    for index in members:
        seat = instance.seats[index]
        program.entry(rows[book.size_of[seat.footprint]], index, float(seat.replicas))
    for k, kind in enumerate(book.kinds):
        nodes = program.row(-INFINITY, float(kind.count))
        for n, pattern in enumerate(kind.patterns):
            column = program.column(kind.price, float(kind.count))
            columns.filled[k, n] = column
            columns.to_come += [column] if kind.to_come else []
            program.entry(nodes, column, 1.0)
            for row, replicas in zip(rows, pattern, strict=True):
                if replicas:
                    program.entry(row, column, -float(replicas))


def _laws(program: Program, instance: Instance, p: int, members: list[int]) -> None:
    """Weights of replicas within the capacities of the nodes in use, by each law that any packing keeps to."""
    layout = instance.layouts[p]
    bought = [
        program.column(kind.price_per_hour, float(kind.count))
        if kind.price_per_hour or kind.to_come
        else None
        for kind in layout.kinds
    ]
    coming = [c for kind, c in zip(layout.kinds, bought, strict=True) if kind.to_come and c is not None]
    program.pools.append(Columns(to_come=coming))
    for law in layout.laws:
        unit = float(max(1, *law.weights, *law.capacities))
        free = sum(
            kind.count * each
            for kind, each, column in zip(layout.kinds, law.capacities, bought, strict=True)
            if column is None
        )
        row = program.row(-INFINITY, free / unit)
        for index in members:
            seat = instance.seats[index]
            if law.weights[seat.footprint]:
                program.entry(row, index, seat.replicas * law.weights[seat.footprint] / unit)
        for column, each in zip(bought, law.capacities, strict=True):
            if column is not None and each:
                program.entry(row, column, -each / unit)


def _assignment(program: Program, instance: Instance) -> None:
    for seats in instance.of:
        row = program.row(1.0, 1.0)
        for seat in seats:
            program.entry(row, seat.index, 1.0)
        unplaced = program.column(0.0, 1.0)
        program.unplaced.append(unplaced)
        program.entry(row, unplaced, 1.0)


def _ranks(program: Program, instance: Instance) -> None:
    program.rank_rows = [program.row(-INFINITY, INFINITY) for _ in range(instance.rank_count)]
    for owner, rank in enumerate(instance.ranks):
        program.entry(program.rank_rows[rank], program.unplaced[owner], 1.0)


def _pool_columns(program: Program, layout: Layout) -> Columns:
    """Free nodes need no column unless odd footprints compete for them, or a ceiling counts them."""
    columns = Columns()
    for g, group in enumerate(layout.groups):
        if group.price or layout.odd or group.to_come:
            columns.shared[g] = program.column(group.price, float(group.count))
    for i in range(len(layout.odd)):
        columns.apart[i] = program.column(0.0, INFINITY)
        for g, group in enumerate(layout.groups):
            if group.alone[i]:
                columns.own[i, g] = program.column(group.price, float(group.count))
    mine = [*columns.shared.items(), *((g, column) for (_, g), column in columns.own.items())]
    columns.to_come = [column for g, column in mine if layout.groups[g].to_come]
    return columns


def _levels(program: Program, instance: Instance, p: int, members: list[int]) -> None:
    """Slots of each level: taken by options, less what odd footprints take elsewhere, within the slots of the nodes in use."""
    layout, columns = instance.layouts[p], program.pools[p]
    for j in range(len(layout.levels)):
        free = sum(g.floors[j] * g.count for n, g in enumerate(layout.groups) if n not in columns.shared)
        row = program.row(-INFINITY, float(free))
        for index in members:
            slots = instance.seats[index].slots
            if slots is not None and slots[j]:
                program.entry(row, index, float(slots[j]))
        for i, f in enumerate(layout.odd):
            taken = layout.slots[f]
            if taken is not None and taken[j]:
                program.entry(row, columns.apart[i], -float(taken[j]))
        for g, column in columns.shared.items():
            if layout.groups[g].floors[j]:
                program.entry(row, column, -float(layout.groups[g].floors[j]))


def _odd(program: Program, instance: Instance, p: int, members: list[int]) -> None:
    """Replicas apart are at most those chosen (exactly those, if they cannot share) and at most what their own nodes hold."""
    layout, columns = instance.layouts[p], program.pools[p]
    for i, f in enumerate(layout.odd):
        row = program.row(-INFINITY if layout.slots[f] is not None else 0.0, 0.0)
        program.entry(row, columns.apart[i], 1.0)
        for index in members:
            if instance.seats[index].footprint == f:
                program.entry(row, index, -float(instance.seats[index].replicas))
        row = program.row(-INFINITY, 0.0)
        program.entry(row, columns.apart[i], 1.0)
        for g, group in enumerate(layout.groups):
            if group.alone[i]:
                program.entry(row, columns.own[i, g], -float(group.alone[i]))
    if layout.odd:
        for g, group in enumerate(layout.groups):
            row = program.row(-INFINITY, float(group.count))
            program.entry(row, columns.shared[g], 1.0)
            for i in range(len(layout.odd)):
                if group.alone[i]:
                    program.entry(row, columns.own[i, g], 1.0)


def _chips(program: Program, instance: Instance, p: int, members: list[int]) -> None:
    pool = instance.pools[p]
    if not by_chip(pool):
        return
    if not pool.committed_chips:
        for index in members:
            program.cost[index] += pool.price_per_hour * instance.seats[index].chips
        return
    column = program.column(pool.price_per_hour, INFINITY, integer=False)
    program.pools[p].extra_chips = column
    row = program.row(-INFINITY, float(pool.committed_chips))
    program.entry(row, column, -1.0)
    for index in members:
        program.entry(row, index, float(instance.seats[index].chips))


def _limits(program: Program, instance: Instance) -> None:
    rows = [program.row(-INFINITY, float(amount)) for amount in instance.limits]
    for seat in instance.seats:
        for limit, amount in seat.limits:
            program.entry(rows[limit], seat.index, float(amount))


def _ceilings(program: Program, instance: Instance) -> None:
    for amount, each in instance.ceilings:
        row = program.row(-INFINITY, float(amount))
        for p, taken in each:
            for column in program.pools[p].to_come:
                program.entry(row, column, float(taken))


def columns_of(
    program: Program, instance: Instance, chosen: list[int], packings: list[Packing]
) -> list[float]:
    """The values of all columns for an assignment (option index of each workload, or -1) with its packings: a start for the solver."""
    values = [0.0] * len(program.cost)
    chips = [0] * len(instance.pools)
    for owner, index in enumerate(chosen):
        if index < 0:
            values[program.unplaced[owner]] = 1.0
        else:
            values[index] = 1.0
            chips[instance.seats[index].pool] += instance.seats[index].chips
    for p, (columns, packing) in enumerate(zip(program.pools, packings, strict=True)):
        own_by_group = [0] * len(packing.shared)
        for i, g, nodes in packing.own:
            values[columns.own[i, g]] += float(nodes)
            own_by_group[g] += nodes
        for g, column in columns.shared.items():
            values[column] = float(packing.shared[g])
        for i, replicas in enumerate(packing.apart):
            values[columns.apart[i]] = float(replicas)
        if columns.extra_chips is not None:
            values[columns.extra_chips] = float(max(0, chips[p] - instance.pools[p].committed_chips))
    return values
