"""The search for the best assignment: relaxation, rounding, and the mixed-integer program seeded with it, in lexicographic stages.

First everything is asked to be placed at least cost. Only if that is impossible the priorities are taken from the highest down, each
placing as many workloads as the ones above allow, and then the cost is minimised with these numbers fixed.

Where it is not known of every pool what fits there (``Instance.exact``), the program has plans that fit and not all of them. What it
proves then counts for nothing: the bound is that of the laws of packing, and a plan that leaves somebody out is never called the optimum.

Under ceilings the program decides how many nodes to come each pool gets, and an assignment is rounded or loaded within what it says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chipwise.placement.ceilings import Grant, grants_of, shared_out, within
from chipwise.placement.descent import Guide
from chipwise.placement.highs import Answer, Door, Effort, Rows, Status
from chipwise.placement.instance import Instance
from chipwise.placement.occupancy import Occupancy
from chipwise.placement.problem import Option, SolveLimits
from chipwise.placement.program import Program, build, columns_of, relaxed
from chipwise.placement.rounding import rounded

#: The dearest single item of the program costs this much to the solver.
_SCALED_TO = 100.0
_EPSILON = 1e-6
#: Up to so many options the tree may have all the nodes of the limits.
_REFERENCE_OPTIONS = 300
#: Branches for the bound of the laws of packing: its root says nearly all that it ever will.
_BOUND_NODES = 20
#: A bound nearer to the objective than this, relatively, is the objective to the solver's own tolerance.
PROVEN = 1e-7


@dataclass(frozen=True, slots=True)
class Found:
    """The best assignment (option index of each workload, or -1), the bound on its objective, and whether all was proven.

    ``grants`` are the nodes to come of each pool under a ceiling.
    """

    chosen: tuple[int, ...]
    objective: float
    bound: float
    optimal: bool
    time_limited: bool
    grants: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class _Result:
    """The bound that one stage proved, in the units of its cost."""

    bound: float
    infeasible: bool = False


class Search:
    """One search over one instance."""

    def __init__(self, instance: Instance, limits: SolveLimits) -> None:
        self._instance = instance
        self._limits = limits
        self._program: Program = build(instance)
        dearest = max((abs(c) for c in self._program.cost), default=0.0)
        self._scale = _SCALED_TO / dearest if dearest else 1.0
        self._cost = [c * self._scale for c in self._program.cost]
        self._door = Door(self._program)
        self._seconds = limits.seconds
        self._time_limited = False
        self._best: tuple[tuple[int, ...], float, Occupancy] | None = None
        self._shares: dict[Grant, Instance] = {}

    def run(self, warm: Mapping[str, Option]) -> Found:
        """Search until optimal, or until a limit."""
        everything: list[int | None] = [0] * self._instance.rank_count
        if warm:
            self._offer(rounded(self._shared([]), self._shares_of(warm)))
        result = self._stage(self._cost, everything)
        levels_proven = True
        if result.infeasible or any(self._left_out()):
            caps, levels_proven = self._levels()
            result = self._stage(self._cost, caps)
        return self._found(result, proven=levels_proven)

    def _found(self, result: _Result, *, proven: bool) -> Found:
        self._fill()
        if self._best is None:  # pragma: no cover
            raise AssertionError("every stage offers an assignment")
        left_out, objective, occupancy = self._best
        if self._instance.exact:
            bound = result.bound
        else:
            bound, proven = self._bound_by_laws(), not any(left_out)
        bound = max(0.0, min(objective, bound / self._scale))
        optimal = proven and objective - bound <= PROVEN * max(1.0, abs(objective))
        return Found(
            tuple(occupancy.chosen),
            objective,
            objective if optimal else bound,
            optimal,
            self._time_limited,
            grants_of(self._instance, occupancy.instance.pools),
        )

    def _shared(self, values: Sequence[float]) -> Instance:
        """The instance with the nodes to come shared out as the values of the program's columns say; without values by price."""
        instance, columns = self._instance, self._program.pools
        if not instance.ceilings:
            return instance
        wanted = [sum(values[column] for column in one.to_come) if values else 0.0 for one in columns]
        grant = shared_out(instance, wanted)
        if grant not in self._shares:
            self._shares[grant] = within(instance, grant)
        return self._shares[grant]

    def _fill(self) -> None:
        """Let in whom the quick ways of packing left out, highest priority first, where all the search finds room."""
        if self._best is None or not any(self._best[0]):
            return
        occupancy, ranks = self._best[2], self._instance.ranks
        hopeless: set[tuple[object, ...]] = set()
        for owner in sorted(range(len(ranks)), key=lambda owner: (ranks[owner], owner)):
            if occupancy.chosen[owner] >= 0:
                continue
            for seat in occupancy.instance.of[owner]:
                likeness = (seat.pool, seat.footprint, seat.replicas, seat.limits)
                if likeness not in hopeless and occupancy.truly_fits(seat):
                    occupancy.put(seat)
                    break
                hopeless.add(likeness)
        self._best = (occupancy.left_out(), occupancy.settled(), occupancy)

    def _bound_by_laws(self) -> float:
        """What plans for the same workloads cost at least, in the units of the scaled cost."""
        program = relaxed(self._instance)
        chosen = self._best[2].chosen if self._best else []
        upper = program.upper.copy()
        for owner, index in enumerate(chosen):
            shut = [program.unplaced[owner]] if index >= 0 else [s.index for s in self._instance.of[owner]]
            for column in shut:
                upper[column] = 0.0
        cost = [c * self._scale for c in program.cost]
        door, rows = Door(program), Rows(program.row_lower, program.row_upper)
        linear = self._timed(door.linear(cost, upper, rows, self._effort()))
        bound = linear.bound if linear.status is Status.OPTIMAL else 0.0
        if len(self._instance.seats) > self._limits.mip_options or self._time_limited:
            return bound
        answer = self._timed(door.integral(cost, upper, rows, Effort(self._seconds, _BOUND_NODES), None))
        return max(bound, answer.bound) if math.isfinite(answer.bound) else bound

    def _levels(self) -> tuple[list[int | None], bool]:
        """How many of each priority must be left out, and whether all these numbers are proven."""
        caps: list[int | None] = [None] * self._instance.rank_count
        proven = True
        for rank in range(self._instance.rank_count):
            cost = [0.0] * len(self._cost)
            for owner, column in enumerate(self._program.unplaced):
                if self._instance.ranks[owner] == rank:
                    cost[column] = 1.0
            result = self._stage(cost, caps, rank=rank)
            least = math.ceil(result.bound - _EPSILON)
            caps[rank] = self._left_out()[rank]
            proven &= caps[rank] == least
        return caps, proven

    def _stage(self, cost: list[float], caps: Sequence[int | None], rank: int | None = None) -> _Result:
        """Relax, round, and if that leaves a gap, branch. ``rank`` is the priority whose number left out is minimised, if any."""
        upper, rows = self._bounds(caps)
        linear = self._timed(self._door.linear(cost, upper, rows, self._effort()))
        if linear.status is Status.INFEASIBLE:
            return _Result(0.0, infeasible=True)
        shares = linear.values or [0.0] * len(cost)
        guide = self._guide(linear) if rank is None else None
        self._offer(rounded(self._shared(shares), shares, guide))
        bound = linear.bound if linear.status is Status.OPTIMAL else 0.0
        too_large = rank is not None and len(self._instance.seats) > self._limits.mip_options
        if self._good_enough(bound, caps, rank) or self._time_limited or too_large:
            return _Result(bound)
        restricted = self._restrict(upper, linear)
        start = self._start() if self._keeps(caps) else None
        answer = self._timed(self._door.integral(cost, upper, rows, self._effort(), start))
        if answer.status is Status.INFEASIBLE:
            return _Result(bound, infeasible=not restricted)
        if answer.values:
            self._offer(self._loaded(answer.values))
        if restricted:
            return _Result(bound)
        return _Result(max(bound, answer.bound))

    def _guide(self, linear: Answer) -> Guide | None:
        """A node whose number is at its upper bound is worth more than its price: by its reduced cost, which is negative."""
        if not linear.reduced_costs:
            return None
        worth = [
            {
                g: self._instance.layouts[p].groups[g].price
                - min(0.0, linear.reduced_costs[column]) / self._scale
                for g, column in columns.shared.items()
            }
            for p, columns in enumerate(self._program.pools)
        ]
        return Guide(linear.reduced_costs, worth)

    def _good_enough(self, bound: float, caps: Sequence[int | None], rank: int | None) -> bool:
        if not self._keeps(caps):
            return False
        if rank is not None:
            return self._left_out()[rank] <= math.ceil(bound - _EPSILON)
        objective = self._best[1] if self._best else math.inf
        allowed = max(self._limits.relative_gap, PROVEN)
        return objective - bound / self._scale <= allowed * max(_EPSILON, abs(objective))

    def _restrict(self, upper: list[float], linear: Answer) -> bool:
        """Too many options for the tree: keep those that the relaxation uses or nearly uses. Returns whether any was dropped."""
        seats, limit = self._instance.seats, self._limits.mip_options
        if len(seats) <= limit or not linear.reduced_costs:
            return False
        held = set(self._best[2].chosen) if self._best else set()
        spare = [
            (linear.reduced_costs[seat.index], seat.index)
            for seat in seats
            if linear.values[seat.index] <= _EPSILON and seat.index not in held
        ]
        spare.sort()
        for _, index in spare[limit:]:
            upper[index] = 0.0
        return len(spare) > limit

    def _bounds(self, caps: Sequence[int | None]) -> tuple[list[float], Rows]:
        upper, row_upper = self._program.upper.copy(), self._program.row_upper.copy()
        for rank, cap in enumerate(caps):
            if cap is not None:
                row_upper[self._program.rank_rows[rank]] = float(cap)
        for owner, column in enumerate(self._program.unplaced):
            if caps[self._instance.ranks[owner]] == 0:
                upper[column] = 0.0
        return upper, Rows(self._program.row_lower, row_upper)

    def _keeps(self, caps: Sequence[int | None]) -> bool:
        return self._best is not None and all(
            cap is None or count <= cap for count, cap in zip(self._left_out(), caps, strict=True)
        )

    def _left_out(self) -> tuple[int, ...]:
        return self._best[0] if self._best else (len(self._instance.workloads),) * self._instance.rank_count

    def _offer(self, occupancy: Occupancy | None) -> None:
        """Keep the better: fewer of the higher priorities left out, then cheaper."""
        if occupancy is None:
            return
        key = (occupancy.left_out(), occupancy.settled())
        if self._best is None or key < self._best[:2]:
            self._best = (*key, occupancy)

    def _start(self) -> list[float] | None:
        if self._best is None:
            return None
        occupancy = self._best[2]
        packings = occupancy.packings()
        if any(self._instance.books) or any(packing.in_place is not None for packing in packings):
            return None  # a packing does not say which patterns it fills, and the program has no columns for one in place
        return columns_of(self._program, self._instance, occupancy.chosen, packings)

    def _loaded(self, values: Sequence[float]) -> Occupancy | None:
        chosen = [
            next((seat.index for seat in seats if values[seat.index] > 0.5), -1)
            for seats in self._instance.of
        ]
        return Occupancy.loaded(self._shared(values), chosen)

    def _shares_of(self, warm: Mapping[str, Option]) -> list[float]:
        shares = [0.0] * len(self._instance.seats)
        for seat in self._instance.seats:
            old = warm.get(self._instance.workloads[seat.owner].key)
            if old is not None and (old.pool, old.variant, old.replicas) == (
                seat.option.pool,
                seat.option.variant,
                seat.option.replicas,
            ):
                shares[seat.index] = 1.0
        return shares

    def _effort(self) -> Effort:
        """A node of a larger tree takes longer, and its root far longer: the number of nodes allowed falls with the cube."""
        options = min(len(self._instance.seats), self._limits.mip_options)
        share = min(1.0, (_REFERENCE_OPTIONS / max(1, options)) ** 3)
        return Effort(self._seconds, math.ceil(self._limits.mip_nodes * share), self._limits.relative_gap)

    def _timed(self, answer: Answer) -> Answer:
        self._seconds -= answer.seconds
        self._time_limited |= answer.status is Status.TIMED_OUT
        return answer
