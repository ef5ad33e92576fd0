"""How Karpenter's launches for one pool have gone: the provider's own evidence that no node will come, sooner than any deadline.

Karpenter deletes a NodeClaim that the provider has no machine for and says so in an Event; one whose NodeClass was not ready it deletes
without a word; one that fails otherwise stays, with the reason in its condition Launched. A limit that is reached shows nowhere: no
condition, no event, so it is counted (``cluster/karpenter``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chipwise.cluster.facts import NodeClaimFact, Word
from chipwise.cluster.snapshot import Snapshot
from chipwise.reasons import Reason

#: One failure may be a zone or an instance type, and Karpenter tries the next by itself, about 10 s later.
ENOUGH = 2
_WORDLESS = "its NodeClaims were deleted before they were launched"


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """A NodeClaim that got no machine: when, which, and what is said of it, empty if it went without a word."""

    at: str
    claim: str
    message: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why no node will come, evident since a moment (RFC 3339, empty: for as long as anybody has waited)."""

    reason: Reason
    since: str
    message: str


@dataclass(frozen=True)
class Whose:
    """A NodePool, the capacity type that is asked of it, and the NodeClaims that may be of that type."""

    node_pool: str
    capacity_type: str
    claims: tuple[NodeClaimFact, ...]

    def has(self, claim: NodeClaimFact) -> bool:
        """Whether a NodeClaim, there or gone, is one of them."""
        return claim.node_pool == self.node_pool and claim.capacity_type in ("", self.capacity_type)


@dataclass(frozen=True)
class Launches:
    """``failures`` in order of time; ``launched`` is when a NodeClaim last got its machine; ``coming``: one is on its way.

    ``bought`` are machines that were launched and are not gone, with or without a Node. ``limit`` is what keeps any more from coming, empty
    where nothing does; ``words`` are why the NodePool is not ready.
    """

    node_pool: str
    failures: tuple[Failure, ...] = ()
    launched: str = ""
    coming: bool = False
    bought: int = 0
    limit: str = ""
    words: tuple[Word, ...] = ()

    def tried(self, since: str) -> bool:
        """Whether Karpenter has asked for a machine since then, whatever came of it."""
        return self.coming or self.launched > since or any(one.at > since for one in self.failures)

    def against(self, since: str) -> Evidence | None:
        """What speaks against a pod that waits for a node since then (RFC 3339); None while there is hope."""
        if self.words:
            said = "; ".join(word.sentence for word in self.words)
            message = f"Karpenter launches nothing for NodePool {self.node_pool} ({said})"
            return Evidence(Reason.NODE_POOL_NOT_READY, max(word.since for word in self.words), message)
        if self.coming:
            return None
        lately = [one for one in self.failures if one.at > max(since, self.launched)]
        if len(lately) >= ENOUGH:
            said = next((one.message for one in reversed(lately) if one.message), _WORDLESS)
            message = f"Karpenter got no node for NodePool {self.node_pool}, {len(lately)} times: {said}"
            return Evidence(Reason.LAUNCH_FAILED, lately[ENOUGH - 1].at, message)
        if self.limit and not lately:
            message = f"Karpenter starts no more nodes: {self.limit} is reached; raise it, or free room"
            return Evidence(Reason.LIMIT_REACHED, "", message)
        return None


def launches(whose: Whose, snapshot: Snapshot, *, limit: str, words: tuple[Word, ...]) -> Launches:
    """How those of one pool have gone. ``limit`` and ``words`` as in ``Launches``."""
    found = {one.claim: one for one in _failures(whose, snapshot)}
    claims = whose.claims
    return Launches(
        node_pool=whose.node_pool,
        failures=tuple(sorted(found.values())),
        launched=max((claim.created for claim in claims if claim.launched), default=""),
        coming=any(not c.initialized and not c.deleting and c.failure is None for c in claims),
        bought=sum(claim.launched for claim in claims),
        limit=limit,
        words=words,
    )


def _failures(whose: Whose, snapshot: Snapshot) -> Iterator[Failure]:
    """Who says more comes later: of two that tell of one NodeClaim the later is kept."""
    for lost in snapshot.lost_claims:
        if whose.has(lost):
            said = lost.failure.sentence if lost.failure else ""
            yield Failure(lost.deleting or lost.created, lost.name, said)
    for claim in whose.claims:
        if claim.failure is not None:
            yield Failure(claim.failure.since or claim.created, claim.name, claim.failure.sentence)
    known = {claim.name: claim for claim in (*snapshot.lost_claims, *snapshot.node_claims.values())}
    for _, event in sorted(snapshot.launch_events.items()):
        of = known.get(event.claim)
        if whose.has(of) if of is not None else _pool_in(event.claim) == whose.node_pool:
            yield Failure(event.at, event.claim, f"{event.reason}: {event.message}")


def _pool_in(claim: str) -> str:
    """A NodeClaim is named after its NodePool, a hyphen and five characters (metav1.GenerateName)."""
    return claim.rpartition("-")[0]
