"""A move to more replicas than run goes over a bridge; the next write of it, derived only from what is observed.

One Deployment cannot roll to more replicas: more of them in the same write would start on the old chip, more of them afterwards comes
too late, for the old ones are gone. So the missing ones run in a bridge while the author's Deployment rolls, and are taken in after it:

1. build    a bridge of as many replicas as are missing, on the new chip
2. cross    all of them are Ready: the template is written, and as many old replicas as there were are replaced one for one
3. take in  none of the old run: the author's Deployment gets more replicas, all that are missing or as many as there is room for
4. narrow   the bridge gives up what is Ready in the author's Deployment by now; where there was no room for all, 3 comes again
5. remove   enough are Ready in the author's Deployment

With ``r`` what one replica serves, before / after / at any time between while ``i`` are replaced:
``now * r_old``, ``then * r_new``, ``(then - now + i) * r_new + (now - i) * r_old``, which lies between the other two or above.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Span(StrEnum):
    """What to write for a bridge, or what to wait for."""

    BUILD = "Build"
    WIDEN = "Widen"
    CROSS = "Cross"
    TAKE_IN = "TakeIn"
    NARROW = "Narrow"
    REMOVE = "Remove"
    WAIT = "Wait"


@dataclass(frozen=True, slots=True)
class Crossing:
    """The author's Deployment and its bridge, on their way.

    ``replicas`` are asked of the author's Deployment, ``ready`` are those Ready in it while all its pods are of one template (0 while
    two run). ``bridge`` are asked of the bridge (0: there is none), ``bridge_ready`` of them Ready. ``wanted`` is what the new chip
    needs. ``spare`` is for how many replicas beyond that there is room. ``most``: somebody else owns the author's replicas and lets
    no more than so many run; None where chipwise owns them.
    """

    wanted: int
    replicas: int
    ready: int
    bridge: int
    bridge_ready: int
    spare: int = 1
    most: int | None = None

    @property
    def allowed(self) -> int:
        """How many of the replicas that are needed the author's Deployment can ever have."""
        return self.wanted if self.most is None else min(self.wanted, max(self.most, self.replicas))


@dataclass(frozen=True, slots=True)
class Action:
    """One step. ``replicas`` is the number to write, for steps that write one."""

    step: Span
    sentence: str
    replicas: int = 0


def span(now: int, then: int) -> int:
    """How many replicas a bridge carries from ``now`` to ``then``. Where nothing runs there is nothing to lose."""
    return max(0, then - now) if now > 0 else 0


def loads(now: int, then: int) -> tuple[tuple[int, int], ...]:
    """How many replicas run on the (new, old) chip during each time that a model loads: once without a bridge, three times with one."""
    missing = span(now, then)
    if not missing:
        return ((then, now),)
    return ((missing, now), (then, now), (then + missing, 0))


def before_crossing(seen: Crossing) -> Action:
    """The next step while the author's template is not written yet."""
    missing = span(seen.replicas, seen.wanted)
    if not missing:
        return Action(Span.CROSS, f"{seen.replicas} replicas run and {seen.wanted} are needed")
    if not seen.bridge:
        return Action(
            Span.BUILD,
            f"{seen.wanted} replicas are needed and {seen.replicas} run: a bridge carries {missing} of them",
            missing,
        )
    if seen.bridge < missing:
        return Action(
            Span.WIDEN, f"{seen.wanted} replicas are needed by now: the bridge carries {missing}", missing
        )
    if seen.bridge_ready < missing:
        return Action(Span.WAIT, standing(seen))
    return Action(Span.CROSS, standing(seen))


def after_crossing(seen: Crossing) -> Action:
    """The next step once the author's template is written.

    What the bridge serves is given up as soon as it serves in the author's Deployment, and never before: it may be the very room for
    which the others of the author's Deployment wait.

    An autoscaler with the author's selector counts the bridge's pods as its own and never makes the missing ones. So it is handed over
    to it like to anybody: within what it allows, and with all that it allows Ready nothing is left to wait for.
    """
    if seen.ready >= seen.allowed:
        short = f" of the {seen.wanted} that are needed, and no more are allowed"
        told = short if seen.allowed < seen.wanted else ""
        return Action(Span.REMOVE, f"{seen.ready} replicas are Ready{told}: the bridge goes")
    left = seen.wanted - seen.ready
    if seen.bridge > left:
        sentence = f"{seen.ready} replicas are Ready: the bridge narrows from {seen.bridge} to {left}"
        return Action(Span.NARROW, sentence, left)
    if seen.replicas >= seen.allowed or seen.ready < seen.replicas:
        return Action(Span.WAIT, standing(seen))
    then = min(seen.allowed, seen.wanted - seen.bridge + max(1, seen.spare))
    return Action(Span.TAKE_IN, f"the bridge is taken in: scale from {seen.replicas} to {then}", then)


def standing(seen: Crossing) -> str:
    """The bridge in words."""
    return f"bridge: {min(seen.bridge_ready, seen.bridge)} of {seen.bridge} Ready"
