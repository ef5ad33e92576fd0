"""What a feasibility rule may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chipwise.api import Variant
from chipwise.cluster.cooling import Cooling
from chipwise.cluster.pools import PoolView
from chipwise.cluster.sizes import PodSize, footprint_of, size_of_template
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.cluster.targets import target
from chipwise.placement.problem import Footprint
from chipwise.reasons import Refusal
from chipwise.rendering.manifest import RenderingRefused
from chipwise.rendering.render import render


@dataclass(frozen=True)
class Case:
    """One workload's subject, one variant of its profile, one pool of the variant's class, and what cools down."""

    subject: Subject
    variant: Variant
    pool: PoolView
    snapshot: Snapshot
    cooling: Cooling

    @property
    def at_home(self) -> bool:
        """The workload already runs this variant in this pool."""
        return self.subject.home is not None and (self.subject.home.variant, self.subject.home.pool) == (
            self.variant.name,
            self.pool.name,
        )

    @cached_property
    def stands(self) -> bool:
        """All its pods are bound to nodes of this pool: whatever became of these since, staying needs no room."""
        pods = [
            pod
            for pod in self.snapshot.pods_by_deployment.get(self.subject.deployment.key, ())
            if not pod.deleting
        ]
        return self.at_home and bool(pods) and all(pod.node in self.pool.node_names for pod in pods)

    @cached_property
    def template(self) -> Mapping[str, Any] | Refusal:
        """The pods that it would have: those that it has where it stays, else the variant laid over the author's."""
        if self.at_home:
            return self.subject.standing
        wanted = target(self.variant, (self.pool,), self.subject.container, self.subject.words, surge=1)
        try:
            return render(self.subject.reading.base, wanted).template
        except RenderingRefused as refused:
            return refused.refusal

    @cached_property
    def size(self) -> PodSize | None:
        """How large one of them is; None where there is no template."""
        if isinstance(self.template, Refusal):
            return None
        return size_of_template(self.template, self.subject.added, self.snapshot)

    @property
    def footprint(self) -> Footprint:
        """What one of them takes of a node, its chips alone where more is not known."""
        return (
            Footprint(self.variant.chips)
            if self.size is None
            else footprint_of(self.size, self.pool.resource_name)
        )
