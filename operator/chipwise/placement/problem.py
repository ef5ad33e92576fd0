"""The question put to the solver: workloads with their feasible options, pools with their room and prices, limits across both.

Everything infeasible alone has been refused before (with its reason, kept here so that an answer can repeat it); what remains to
decide is only what must be decided jointly. Money is dollars per hour, chips and nodes are counts, CPU is millicores, memory bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from chipwise.placement.terms import Terms
from chipwise.reasons import Refusal


class Billing(StrEnum):
    """What the price of a pool buys."""

    NODE = "Node"
    CHIP = "Chip"


@dataclass(frozen=True, slots=True, order=True)
class Footprint:
    """What one replica takes from one node. A replica never spans nodes; it also takes one pod slot."""

    chips: int
    cpu_milli: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Room:
    """What one node has left for us."""

    chips: int
    cpu_milli: int
    memory_bytes: int
    pods: int


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """Nodes alike, ``count`` of them.

    ``price_per_hour`` is paid for each node that we use: 0 for committed and minimum nodes and for nodes that others keep alive. In a
    pool billed by the chip it is 0 throughout. ``to_come``: the nodes do not exist yet, and count against the pool's ceilings.
    """

    room: Room
    count: int
    price_per_hour: float
    to_come: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Standing:
    """A node on which replicas already are that may stay: which of the buckets' nodes it is, and how many replicas of what footprint."""

    room: Room
    price_per_hour: float
    replicas: tuple[tuple[Footprint, int], ...]


@dataclass(frozen=True, slots=True)
class Spare:
    """Placeholders that keep room warm and give way to any workload: they take no room from anybody, and are billed.

    ``claims``: so many nodes that cost nothing (chips, where chips are billed) they have before workloads do. In the pool these have a
    price: whoever takes one sends a placeholder to a node that is paid for.
    """

    footprint: Footprint
    replicas: int
    claims: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """Interchangeable nodes of one class, less what others and pinned workloads use.

    ``price_per_hour`` is the list price of its billing unit. ``committed_chips`` (billing by the chip only) cost nothing more.
    A node has ``chips_per_node``, over which the amortised view spreads its price. ``standing`` says what is where now: what fits so,
    fits, whatever the rules of packing know. ``spare`` is what is kept warm beside them.
    """

    name: str
    class_name: str
    billing: Billing
    price_per_hour: float
    chips_per_node: int
    buckets: tuple[Bucket, ...]
    committed_chips: int = 0
    standing: tuple[Standing, ...] = ()
    spare: Spare | None = None

    @property
    def price_per_chip(self) -> float:
        """What one chip costs for one hour when its node is full."""
        return self.price_per_hour / (self.chips_per_node if self.billing is Billing.NODE else 1)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is expected of an option, for people; the solver never reads it.

    ``requests_per_second`` and ``concurrency`` (requests in service) are what one replica sustains within the objectives.
    """

    requests_per_second: float
    ttft_ms: float
    tpot_ms: float
    provenance: str
    band: float
    binding: str
    concurrency: float = 0.0


@dataclass(frozen=True, slots=True)
class Option:
    """One feasible way to serve a workload: so many replicas of a variant in a pool.

    ``switching_cost_per_hour`` is 0 where the workload already runs this way, else what the move costs spread over the policy's
    payback horizon. ``usage`` counts against ``Problem.limits`` by key. ``terms`` is what else the scheduler will ask of nodes; the
    solver never reads it.
    """

    pool: str
    variant: str
    replicas: int
    footprint: Footprint
    switching_cost_per_hour: float = 0.0
    usage: tuple[tuple[str, int], ...] = ()
    figures: Figures | None = None
    terms: Terms | None = None

    @property
    def chips(self) -> int:
        """All replicas together."""
        return self.replicas * self.footprint.chips


@dataclass(frozen=True, slots=True)
class Candidate:
    """A (variant, pool) that was refused before the solve, and why."""

    variant: str
    pool: str | None
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload to place. ``key`` is namespace/name. Higher ``priority`` is placed first, whatever it costs."""

    key: str
    priority: int
    options: tuple[Option, ...]
    refused: tuple[Candidate, ...] = ()
    mean_output_tokens_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount that the chosen options together may not exceed, such as a namespace's quota of one resource."""

    key: str
    amount: int


@dataclass(frozen=True, slots=True)
class Ceiling:
    """An amount that the nodes to come of several pools together may not exceed, such as a limit of the NodePool that makes them all.

    ``each`` has the pools by name, each with what one node to come of it takes.
    """

    key: str
    amount: int
    each: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """The whole question. The order of workloads, options, pools, limits and ceilings carries no meaning."""

    workloads: tuple[Workload, ...]
    pools: tuple[Pool, ...]
    limits: tuple[Limit, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()

    def workload(self, key: str) -> Workload | None:
        """One workload by its key."""
        return next((workload for workload in self.workloads if workload.key == key), None)


@dataclass(frozen=True, slots=True)
class SolveLimits:
    """When to stop. Node and size limits keep the answer a function of the input; the wall clock is the last resort.

    ``mip_nodes`` holds up to a few hundred options and falls with the cube of their number beyond. ``mip_options``: beyond so many options the tree search is given only those that the relaxation nearly uses, and the bound stays
    the relaxation's. No tree search is made once the gap is within ``relative_gap``.
    """

    mip_nodes: int = 20_000
    mip_options: int = 2_000
    relative_gap: float = 0.0
    seconds: float = field(default=60.0)
