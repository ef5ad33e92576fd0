"""Metrics that are read from the latest decision and the loops when somebody asks, so that no code has to keep them up to date.

Money and figures are those of ``chipwise plan``: where everything would go if every workload were in mode Rollout. Labels name pools,
which the platform team declares, and never workloads, which anybody may create.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from chipwise.cluster.census import census, spent_per_hour
from chipwise.cluster.decide import Decision
from chipwise.cluster.prices import currency_of
from chipwise.kube.gap import Gap
from chipwise.kube.reflector import Reflector
from chipwise.placement.moves import Decision as Verdict
from chipwise.telemetry.pulse import Pulses

KOPF = "chipwise.dev"
"""Under this name the five kinds are watched, all together."""


@dataclass(slots=True)
class Board:
    """What the operator shows of itself. ``decided`` is called with each decision; ``clock`` is monotonic."""

    pulses: Pulses = field(default_factory=Pulses)
    reflectors: Sequence[Reflector[object]] = ()
    gaps: Callable[[], Sequence[Gap]] = tuple
    leads: Callable[[], bool] = lambda: False
    decision: Decision | None = None
    clock: Callable[[], float] = time.monotonic
    decided_at: float = 0.0

    def decided(self, decision: Decision) -> None:
        """Show the latest."""
        self.decision, self.decided_at = decision, self.clock()


class StateCollector:
    """A collector of prometheus_client."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry would otherwise collect at once, when there is nothing yet."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything there is to tell now."""
        yield from _operator(self._board)
        decision = self._board.decision
        if decision is not None:
            yield _one(
                "chipwise_plan_age_seconds",
                "Seconds since the last decision; a quiet cluster needs none.",
                self._board.clock() - self._board.decided_at,
            )
            yield from _workloads(decision)
            yield from _money(decision)
            yield from _pools(decision)
            yield from _spare(decision)


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _operator(board: Board) -> Iterator[Metric]:
    build = GaugeMetricFamily("chipwise_build_info", "Always 1.", labels=("version", "python"))
    build.add_metric((metadata.version("chipwise"), platform.python_version()), 1)
    yield build
    yield _one("chipwise_leader", "1 for the replica that may write, 0 for a standby.", board.leads())
    busy = GaugeMetricFamily(
        "chipwise_loop_busy_seconds",
        "How long a loop is at its present step; 0 while it waits.",
        labels=("loop",),
    )
    for name, pulse in board.pulses.items():
        busy.add_metric((name,), pulse.busy_seconds)
    yield busy
    lists = CounterMetricFamily("chipwise_lists", "Complete lists of a resource.", labels=("resource",))
    again = CounterMetricFamily(
        "chipwise_watch_restarts", "Watches of a resource that were begun anew.", labels=("resource",)
    )
    for reflector in board.reflectors:
        lists.add_metric((reflector.resource.plural,), reflector.lists)
        again.add_metric((reflector.resource.plural,), max(0, reflector.watches - 1))
    again.add_metric((KOPF,), board.pulses["kopf"].rests)
    yield lists
    yield again
    away = GaugeMetricFamily(
        "chipwise_out_of_sight_seconds",
        "For how long something is not known as the API server has it, so that nothing is decided. No sample in good times.",
        labels=("resource", "reason"),
    )
    for gap in board.gaps():
        away.add_metric((gap.what, gap.reason.value), gap.seconds)
    yield away


def _workloads(decision: Decision) -> Iterator[Metric]:
    found: Counter[tuple[str, str]] = Counter()
    for key in decision.subjects:
        move = decision.move(key)
        found[move.decision.value, move.reason.value] += 1
    for refusal in decision.refused.values():
        found["Refused", refusal.reason.value] += 1
    family = GaugeMetricFamily(
        "chipwise_workloads", "Workloads by what was decided last and why.", labels=("decision", "reason")
    )
    for labels, count in sorted(found.items()):
        family.add_metric(labels, count)
    yield family
    bad = GaugeMetricFamily(
        "chipwise_unreadable_objects", "Objects that do not pass their schema.", labels=("kind",)
    )
    for kind, count in sorted(Counter(one.kind for one in decision.snapshot.unreadable).items()):
        bad.add_metric((kind,), count)
    yield bad
    orphans = GaugeMetricFamily(
        "chipwise_orphans",
        "Moved Deployments whose workload is gone: on their way back, waiting for that, or held because too many went at once.",
        labels=("state",),
    )
    orphans.add_metric(("returning",), len(decision.orphans))
    orphans.add_metric(("waiting",), len(decision.orphans_waiting))
    orphans.add_metric(("held",), len(decision.orphans_held))
    yield orphans


def _money(decision: Decision) -> Iterator[Metric]:
    plan, currency = decision.shown.plan, currency_of(decision.snapshot)
    cost = GaugeMetricFamily(
        "chipwise_cost_per_hour",
        "The bill per hour: of what runs now, of the plan, of the plan's chips as if every node were full, and of room kept warm beside it.",
        labels=("of", "currency"),
    )
    if decision.current is not None:
        cost.add_metric(("current", currency), decision.current.cost_per_hour)
    cost.add_metric(("planned", currency), plan.cost_per_hour)
    cost.add_metric(("amortised", currency), sum(choice.amortised_per_hour for choice in plan.choices))
    cost.add_metric(("spare", currency), plan.spare_per_hour)
    yield cost
    saved = GaugeMetricFamily(
        "chipwise_savings_per_hour",
        "What the bill would fall by per hour: by moves that are made now, and by those that are held.",
        labels=("decision", "currency"),
    )
    for verdict in (Verdict.MOVE, Verdict.HOLD):
        moves = (decision.move(key) for key in decision.subjects)
        total = sum(m.savings_per_hour for m in moves if m.decision is verdict and m.target is not None)
        saved.add_metric((verdict.value, currency), total)
    yield saved
    yield _one("chipwise_plan_objective_per_hour", "What the plan minimised.", plan.objective_per_hour)
    yield _one(
        "chipwise_plan_lower_bound_per_hour",
        "No plan has a lower objective than this.",
        plan.lower_bound_per_hour,
    )
    yield _one("chipwise_plan_gap", "Relative distance of the two, 0 for none.", plan.gap)
    yield _one("chipwise_plan_time_limited", "1 if the clock stopped the solver.", plan.time_limited)


def _of_pool(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("pool", *labels))


def _pools(decision: Decision) -> Iterator[Metric]:
    usable = _of_pool(
        "chipwise_pool_usable", "1 unless something about the pool must be mended.", "accelerator_class"
    )
    nodes = _of_pool("chipwise_pool_nodes", "Nodes of the pool by state: total or ready.", "state")
    allocatable = _of_pool("chipwise_pool_chips_allocatable", "Chips on ready nodes that pods may ask for.")
    chips = _of_pool(
        "chipwise_pool_chips",
        "What those chips do: used by managed workloads, by others, reserved for pods not bound yet, or free.",
        "state",
    )
    price = _of_pool(
        "chipwise_pool_price_per_hour", "The price in force, of one node or one chip.", "unit", "currency"
    )
    spent = _of_pool(
        "chipwise_pool_cost_per_hour",
        "What the pool costs now: its nodes, used or not; of one that is billed by the chip, the chips that are used.",
        "currency",
    )
    for name, view in sorted(decision.views.items()):
        counted = census(view, decision.snapshot, decision.serving)
        usable.add_metric((name, view.class_name), view.hindrance is None)
        nodes.add_metric((name, "total"), counted.nodes)
        nodes.add_metric((name, "ready"), counted.ready_nodes)
        allocatable.add_metric((name,), counted.allocatable)
        for state, count in (
            ("used", counted.used),
            ("others", counted.used_by_others),
            ("reserved", counted.reserved),
            ("free", counted.free),
        ):
            chips.add_metric((name, state), count)
        if view.price is not None:
            price.add_metric((name, view.billing.value, view.price.currency), view.price_per_hour)
            spent.add_metric((name, view.price.currency), spent_per_hour(view, counted))
    yield from (usable, nodes, allocatable, chips, price, spent)


def _spare(decision: Decision) -> Iterator[Metric]:
    warm = _of_pool(
        "chipwise_pool_spare", "Placeholders that keep room warm: wanted, or with a node.", "state"
    )
    warmth = _of_pool(
        "chipwise_pool_spare_cost_per_hour", "What placeholders add to the bill of what runs now.", "currency"
    )
    for name, keeping in sorted(decision.spares.pools.items() if decision.spares is not None else ()):
        warm.add_metric((name, "wanted"), keeping.replicas)
        warm.add_metric((name, "warm"), keeping.warm)
    for use in decision.spare_now:
        warmth.add_metric((use.pool, decision.views[use.pool].currency), use.cost_per_hour)
    yield from (warm, warmth)
