"""What a feasibility rule may look at."""

from __future__ import annotations

from dataclasses import dataclass

from chipwise.api import Variant
from chipwise.cluster.cooling import Cooling
from chipwise.cluster.pools import PoolView
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.placement.problem import Footprint


@dataclass(frozen=True, slots=True)
class Case:
    """One workload's subject, one variant of its profile, one pool of the variant's class, what one replica takes, and what cools down."""

    subject: Subject
    variant: Variant
    pool: PoolView
    footprint: Footprint
    snapshot: Snapshot
    cooling: Cooling

    @property
    def at_home(self) -> bool:
        """The workload already runs this variant in this pool."""
        return self.subject.home is not None and (self.subject.home.variant, self.subject.home.pool) == (
            self.variant.name,
            self.pool.name,
        )
