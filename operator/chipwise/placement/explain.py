"""Every figure as a sentence: what a workload got, what it costs, what else it could have had and why not.

The figures come from the same billing as the plan; nothing is estimated here.
"""

from __future__ import annotations

from dataclasses import dataclass

from chipwise.placement.billing import pool_cost
from chipwise.placement.canonical import canonical
from chipwise.placement.ceilings import granted
from chipwise.placement.exact import cheapest
from chipwise.placement.instance import Seat, amortised, by_chip, number
from chipwise.placement.occupancy import Occupancy
from chipwise.placement.plan import Choice, Plan
from chipwise.placement.problem import Option, Problem, Workload
from chipwise.placement.shortfall import shortfall
from chipwise.reasons import Reason, Refusal

_SECONDS_PER_HOUR = 3600.0
_MILLION = 1e6
_CENT = 0.005


@dataclass(frozen=True, slots=True)
class Ranked:
    """One way to serve a workload, in dollars per hour.

    ``added_per_hour``: what the bill grows by when it is put beside the others of the plan. ``alone_per_hour``: its bill if it were
    alone in the cluster. ``amortised_per_hour``: its chips as if every node were full. None where it does not fit or was refused.
    """

    variant: str
    pool: str | None
    option: Option | None
    added_per_hour: float | None
    alone_per_hour: float | None
    amortised_per_hour: float | None
    refusal: Refusal | None
    chosen: bool = False

    def sentence(self) -> str:
        """The candidate in words."""
        where = f"{self.variant} on {self.pool}" if self.pool else self.variant
        if self.option is None or self.amortised_per_hour is None:
            return f"{where}: {self.refusal.message if self.refusal else 'refused'}"
        size = f"{self.option.replicas} x {self.option.footprint.chips} chips"
        full = f"{self.amortised_per_hour:.2f} $/h at full nodes"
        if self.added_per_hour is None:
            return f"{where} ({size}): {full}; {self.refusal.message if self.refusal else 'does not fit'}"
        return f"{where} ({size}): adds {self.added_per_hour:.2f} $/h to the bill, {full}"


def cost_per_million_tokens(cost_per_hour: float, tokens_per_second: float) -> float | None:
    """Dollars per million output tokens at the mean rate; None without traffic."""
    if tokens_per_second <= 0:
        return None
    return cost_per_hour / (tokens_per_second * _SECONDS_PER_HOUR / _MILLION)


def explain_choice(problem: Problem, plan: Plan, key: str) -> list[str]:
    """What ``key`` got and why, a sentence a line. KeyError if the plan does not know it."""
    return Explainer(problem, plan).choice(key)


def candidates(problem: Problem, plan: Plan, key: str, top: int = 8) -> list[Ranked]:
    """The feasible options by what each adds to the bill, then the refused ones. KeyError if the problem does not know it."""
    return Explainer(problem, plan).candidates(key, top)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


class Explainer:
    """The same for many workloads of one plan, which is laid out once."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        ordered = canonical(problem)
        self._whole = number(ordered)
        shared = granted(ordered, dict(plan.grants))
        self._instance = number(shared) if plan.grants else self._whole
        self._workloads = {w.key: w for w in ordered.workloads}
        self._owners = {w.key: owner for owner, w in enumerate(self._instance.workloads)}
        self._pools = {pool.name: pool for pool in ordered.pools}
        self._choices = {choice.workload: choice for choice in plan.choices}
        self._plan = plan
        placed = [self._index(w.key) for w in self._instance.workloads]
        occupancy = Occupancy.loaded(self._instance, placed)
        if occupancy is None:
            raise ValueError("the plan does not belong to this problem: it does not fit")
        self._occupancy = occupancy
        self._bills: dict[tuple[int, int, int], float | None] = {}

    def _index(self, key: str) -> int:
        choice = self._choices.get(key)
        if choice is None or choice.option is None:
            return -1
        seats = self._instance.of[self._owners[key]]
        return next((seat.index for seat in seats if seat.option == choice.option), -1)

    def choice(self, key: str) -> list[str]:
        """See explain_choice."""
        choice, workload = self._choices[key], self._workloads[key]
        if choice.option is None:
            why = choice.refusal
            return [
                f"{key} is not placed ({why.reason.value}): {why.message}" if why else f"{key} is not placed"
            ]
        lines = [self._place(choice), self._money(choice, workload)]
        if choice.option.switching_cost_per_hour:
            lines.append(
                f"Moving there costs as much as {choice.option.switching_cost_per_hour:.2f} $/h over the payback horizon, "
                "which the choice has taken into account"
            )
        return [*lines, *self._next_best(key)]

    def _place(self, choice: Choice) -> str:
        option = choice.option
        if option is None:  # pragma: no cover
            return ""
        pool = self._pools[option.pool]
        return (
            f"{choice.workload} gets {_count(option.replicas, 'replica')} of {option.variant} on {option.pool} ({pool.class_name}), "
            f"{_count(option.footprint.chips, 'chip')} each, {option.chips} together"
        )

    def _money(self, choice: Choice, workload: Workload) -> str:
        text = f"Its share of the bill is {choice.cost_per_hour:.2f} $/h{self._shared(choice)}"
        tokens = cost_per_million_tokens(choice.cost_per_hour, workload.mean_output_tokens_per_second)
        if tokens is not None:
            text += f", {tokens:.3g} $ per million output tokens"
        if abs(choice.amortised_per_hour - choice.cost_per_hour) >= _CENT:
            text += f"; at full nodes its chips would cost {choice.amortised_per_hour:.2f} $/h"
        return text

    def _shared(self, choice: Choice) -> str:
        """How the share comes about: chips of the pool's bill, which is nodes or chips at a price."""
        option = choice.option
        use = next((use for use in self._plan.pools if option is not None and use.pool == option.pool), None)
        if option is None or use is None:
            return ""
        pool = self._pools[option.pool]
        part = f"{option.chips} of the {use.chips_used} chips"
        if by_chip(pool):
            free = f" beyond {pool.committed_chips} committed ones" if pool.committed_chips else ""
            return f" ({part} that {pool.name} bills at {pool.price_per_hour:.2f} $/h each{free})"
        price = f"{pool.price_per_hour:.2f} $/h"
        if use.nodes_paid == use.nodes:
            billed = f"for which {_count(use.nodes, 'node')} of {pool.name} at {price} are billed"
        else:
            billed = (
                f"on {_count(use.nodes, 'node')} of {pool.name}, {use.nodes_paid} of them billed at {price} and the others in use "
                "or paid for anyway"
            )
        return f" ({part} {billed}, {use.cost_per_hour:.2f} $/h)"

    def _next_best(self, key: str) -> list[str]:
        ranked = self.candidates(key, top=1_000)
        other = next((r for r in ranked if not r.chosen and r.option is not None), None)
        if other is None:
            return ["No other option is feasible"]
        return [f"Next best is {other.sentence()}"]

    def candidates(self, key: str, top: int = 8) -> list[Ranked]:
        """See candidates."""
        workload = self._workloads[key]
        feasible: list[Ranked] = []
        if key in self._owners:
            owner = self._owners[key]
            old = self._occupancy.take(owner)
            feasible = [self._ranked(seat, chosen=old is seat) for seat in self._instance.of[owner]]
            if old is not None:
                self._occupancy.put(old)
        feasible.sort(
            key=lambda r: (
                r.added_per_hour is None,
                r.added_per_hour or 0.0,
                r.amortised_per_hour or 0.0,
                not r.chosen,
                r.pool or "",
                r.variant,
            )
        )
        refused = [
            Ranked(c.variant, c.pool, None, None, None, None, c.refusal)
            for c in sorted(
                workload.refused, key=lambda c: (c.variant, c.pool or "", c.refusal.reason, c.refusal.message)
            )
        ]
        return [*feasible, *refused][:top]

    def alone(self, key: str) -> list[tuple[str, float]]:
        """Pool and dollars per hour of each feasible option if the workload were alone in the cluster."""
        seats = self._instance.of[self._owners[key]] if key in self._owners else ()
        costs = ((seat.option.pool, self._alone(seat)) for seat in seats)
        return [(pool, cost) for pool, cost in costs if cost is not None]

    def _ranked(self, seat: Seat, *, chosen: bool) -> Ranked:
        fits = chosen or self._occupancy.fits(seat)
        refusal = None
        if not fits:
            lack = shortfall(self._whole, self._occupancy, seat)
            message = lack.sentence() if lack else "one replica does not fit a node of the pool"
            why = "there is too little room" if lack and lack.alone else "the others hold the room"
            refusal = Refusal(Reason.CAPACITY_EXHAUSTED, f"{why}: {message}")
        return Ranked(
            variant=seat.option.variant,
            pool=seat.option.pool,
            option=seat.option,
            added_per_hour=round(self._occupancy.added(seat) - seat.switching, 9) if fits else None,
            alone_per_hour=self._alone(seat),
            amortised_per_hour=round(amortised(self._instance.pools[seat.pool], seat.chips), 9),
            refusal=refusal,
            chosen=chosen,
        )

    def _alone(self, seat: Seat) -> float | None:
        """Of all the nodes that its pool alone may have. Many workloads ask the same."""
        asked = (seat.pool, seat.footprint, seat.replicas)
        if asked not in self._bills:
            self._bills[asked] = self._billed(seat)
        return self._bills[asked]

    def _billed(self, seat: Seat) -> float | None:
        pool, layout = self._whole.pools[seat.pool], self._whole.layouts[seat.pool]
        counts = tuple(seat.replicas if f == seat.footprint else 0 for f in range(len(layout.footprints)))
        packing = cheapest(layout, counts)
        if packing is None:
            return None
        return round(pool_cost(pool, packing, seat.chips), 9) if by_chip(pool) else packing.price
