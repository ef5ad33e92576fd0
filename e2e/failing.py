"""Worlds in which placements fail within seconds, and what is seen of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from e2e.authored import Document, Setup
from e2e.world import World

#: Seconds between a deadline that has passed and the write that follows, on a busy machine: a decision, a status, its news, another.
HASTE = 15.0
#: Moments in objects are whole seconds.
ROUNDING = 1.0
GRACE = 3
FIRST = 15
#: So long after a failure it no longer counts.
AGED = 20


@dataclass(frozen=True, slots=True)
class Hasty(Setup):
    """Seconds where a policy would have minutes; the author's two pods serve before anything is placed."""

    expects_move: bool = False
    boot_seconds: int = 4
    policy: dict[str, Any] = field(
        default_factory=lambda: {
            "failureGrace": f"{GRACE}s",
            "coolDown": {"first": f"{FIRST}s", "longest": "60s"},
        }
    )


@dataclass(frozen=True, slots=True)
class Patient(Hasty):
    """A cool-down that outlives a leader."""

    policy: dict[str, Any] = field(
        default_factory=lambda: {"failureGrace": "2s", "coolDown": {"first": "25s", "longest": "2m"}}
    )


def ails(how: str) -> Hasty:
    """The other pool's image ails in one of the ways that the fake machines know."""
    return Hasty(f"ails-{how}", alternative_image=f"example.com/ails/{how}:1")


def cool_downs(world: World) -> list[Document]:
    found: list[Document] = world.status().get("coolDowns", [])
    return found


def chips_of(revision: Any) -> str:
    """The extended resource that the serving container of a revision asks for."""
    (server,) = (each for each in revision.template["spec"]["containers"] if each["name"] == "server")
    (chip,) = (name for name in server["resources"]["limits"] if "/" in name)
    return str(chip)


def turns(world: World) -> list[tuple[float, str]]:
    """When the template changed to which chip, the author's own at first."""
    found: list[tuple[float, str]] = []
    for revision in world.revisions():
        chip = chips_of(revision)
        if not found or found[-1][1] != chip:
            found.append((revision.moment, chip))
    return found


def back_with_the_author(world: World) -> Callable[[], bool]:
    """The author's own ReplicaSet serves, and nothing of ours is left on the Deployment."""

    def check() -> bool:
        return world.hashes() == {world.author_hash} and world.is_on("gpu") and len(turns(world)) >= 3

    return check
