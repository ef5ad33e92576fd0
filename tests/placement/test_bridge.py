"""A bridge step by step, and played against model controllers in any order: what serves never falls below what served or is needed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from chipwise.placement.bridge import (
    Crossing,
    Span,
    after_crossing,
    before_crossing,
    loads,
    span,
    standing,
)
from hypothesis import given, settings
from hypothesis import strategies as st

AHEAD = Crossing(wanted=5, replicas=3, ready=3, bridge=0, bridge_ready=0)
BEHIND = Crossing(wanted=5, replicas=3, ready=3, bridge=2, bridge_ready=2)


@pytest.mark.parametrize(
    ("seen", "step", "replicas"),
    [
        (AHEAD, Span.BUILD, 2),
        (replace(AHEAD, bridge=1, bridge_ready=1), Span.WIDEN, 2),
        (replace(AHEAD, bridge=2, bridge_ready=1), Span.WAIT, 0),
        (replace(AHEAD, bridge=2, bridge_ready=2), Span.CROSS, 0),
        (replace(AHEAD, bridge=3, bridge_ready=2), Span.CROSS, 0),
        (replace(AHEAD, replicas=5), Span.CROSS, 0),
        (replace(AHEAD, replicas=0), Span.CROSS, 0),
    ],
)
def test_the_template_waits_for_every_replica_of_the_bridge(seen, step, replicas):
    """Unless the Deployment has enough by now, or nothing runs that could be lost."""
    action = before_crossing(seen)
    assert (action.step, action.replicas) == (step, replicas)


@pytest.mark.parametrize(
    ("seen", "step", "replicas"),
    [
        (replace(BEHIND, ready=0), Span.WAIT, 0),
        (replace(BEHIND, ready=2), Span.WAIT, 0),
        (BEHIND, Span.TAKE_IN, 4),
        (replace(BEHIND, spare=2), Span.TAKE_IN, 5),
        (replace(BEHIND, spare=9), Span.TAKE_IN, 5),
        (replace(BEHIND, spare=0), Span.TAKE_IN, 4),
        (replace(BEHIND, replicas=4, ready=3), Span.WAIT, 0),
        (replace(BEHIND, replicas=4, ready=4), Span.NARROW, 1),
        (replace(BEHIND, replicas=4, ready=4, bridge=1), Span.TAKE_IN, 5),
        (replace(BEHIND, replicas=5, ready=4), Span.NARROW, 1),
        (replace(BEHIND, replicas=5, ready=4, bridge=1), Span.WAIT, 0),
        (replace(BEHIND, replicas=5, ready=5), Span.REMOVE, 0),
        (replace(BEHIND, wanted=3), Span.REMOVE, 0),
        (replace(BEHIND, most=6), Span.TAKE_IN, 4),
        (replace(BEHIND, most=6, spare=2), Span.TAKE_IN, 5),
        (replace(BEHIND, most=4, spare=2), Span.TAKE_IN, 4),
        (replace(BEHIND, most=4, replicas=4, ready=3), Span.WAIT, 0),
        (replace(BEHIND, most=4, replicas=4, ready=4), Span.REMOVE, 0),
        (replace(BEHIND, most=3, ready=0), Span.WAIT, 0),
        (replace(BEHIND, most=1), Span.REMOVE, 0),
        (replace(BEHIND, most=6, replicas=5, ready=5), Span.REMOVE, 0),
    ],
)
def test_the_bridge_is_taken_in_as_fast_as_there_is_room(seen, step, replicas):
    """All at once or one by one; it gives up only what is Ready in the author's Deployment."""
    action = after_crossing(seen)
    assert (action.step, action.replicas) == (step, replicas)


def test_what_moves_over_a_bridge_is_loaded_three_times():
    """For the payback: the bridge, the author's replicas, and those that are taken in."""
    assert loads(3, 5) == ((2, 3), (5, 3), (7, 0))
    assert loads(5, 3) == ((3, 5),)
    assert loads(0, 3) == ((3, 0),)


def test_a_bridge_is_told_in_words():
    assert standing(replace(BEHIND, bridge_ready=1)) == "bridge: 1 of 2 Ready"


@dataclass
class Model:
    """A Deployment on its way from one chip to another and its bridge, with maxUnavailable 0; ``room`` bounds the new chip's pods."""

    now: int
    wanted: int
    room: int
    spare: int
    template: bool = False
    replicas: int = 0
    old: int = 0
    new: int = 0
    new_ready: int = 0
    bridge: int = 0
    bridge_pods: int = 0
    bridge_ready: int = 0

    def __post_init__(self) -> None:
        self.replicas = self.old = self.now

    def observe(self) -> Crossing:
        uniform = not self.old if self.template else True
        ready = self.new_ready if self.template else self.old
        return Crossing(
            self.wanted,
            self.replicas,
            ready if uniform else 0,
            self.bridge,
            self.bridge_ready,
            self.spare,
        )

    def operator(self) -> None:
        """One write of whoever leads, who knows nothing but what is seen."""
        seen = self.observe()
        action = after_crossing(seen) if self.template else before_crossing(seen)
        match action.step:
            case Span.CROSS:
                self.template = True
            case Span.BUILD | Span.WIDEN | Span.NARROW:
                self.bridge = action.replicas
            case Span.TAKE_IN:
                assert not self.old
                self.replicas = action.replicas
            case Span.REMOVE if self.bridge:
                self.bridge = 0

    def roll(self) -> None:
        """The Deployment controller: new pods within surge and room, and an old one for each that is Ready beyond what is asked for."""
        while self.bridge_pods > self.bridge:
            self.bridge_ready -= self.bridge_ready == self.bridge_pods
            self.bridge_pods -= 1
        self.bridge_pods += min(self.bridge - self.bridge_pods, self.room - self.pods)
        if self.template:
            self.new += max(0, min(self.replicas - self.new, self.room - self.pods))
            self.old = min(self.old, max(0, self.replicas - self.new_ready))

    @property
    def pods(self) -> int:
        """On the new chip."""
        return self.new + self.bridge_pods

    def ready(self) -> None:
        """One pod starts to serve."""
        if self.bridge_ready < self.bridge_pods:
            self.bridge_ready += 1
        elif self.new_ready < self.new:
            self.new_ready += 1

    def capacity(self, old: float, new: float) -> float:
        return self.old * old + (self.new_ready + self.bridge_ready) * new

    @property
    def done(self) -> bool:
        everything = (self.template, self.old, self.new_ready, self.replicas, self.bridge, self.bridge_pods)
        return everything == (True, 0, self.wanted, self.wanted, 0, 0)


@settings(max_examples=300)
@given(
    now=st.integers(1, 5),
    more=st.integers(1, 4),
    room=st.integers(1, 5),
    spare=st.integers(0, 5),
    old_rate=st.floats(0.5, 4),
    turns=st.lists(st.sampled_from(["operator", "roll", "ready"]), max_size=40),
)
def test_capacity_never_falls_whatever_the_order_of_turns(now, more, room, spare, old_rate, turns):
    """With room for one replica more than the plan's, the end is always reached: everything in the author's Deployment, no bridge."""
    model = Model(now, now + more, now + more + room, spare)
    least = min(now * old_rate, now + more)

    def serves() -> None:
        assert model.capacity(old_rate, 1.0) >= least - 1e-9
        assert model.pods <= model.room

    for turn in turns:
        getattr(model, turn)()
        serves()
    for _ in range(200):
        for turn in ("operator", "roll", "ready"):
            getattr(model, turn)()
            serves()
    assert model.done


@given(
    seen=st.builds(
        Crossing,
        wanted=st.integers(1, 8),
        replicas=st.integers(0, 8),
        ready=st.integers(0, 8),
        bridge=st.integers(0, 8),
        bridge_ready=st.integers(0, 8),
        spare=st.integers(0, 8),
        most=st.none() | st.integers(0, 8),
    )
)
def test_no_step_gives_up_what_nothing_replaces(seen):
    """Whatever is seen: what is left of the bridge and what is Ready beside it are enough, or all that the owner of replicas allows."""
    action = after_crossing(seen)
    if action.step in (Span.NARROW, Span.REMOVE):
        assert action.replicas < seen.bridge or action.step is Span.REMOVE
        assert seen.ready + action.replicas >= (seen.allowed if action.step is Span.REMOVE else seen.wanted)
    if action.step is Span.TAKE_IN:
        assert seen.ready >= seen.replicas < action.replicas <= seen.wanted
        assert seen.most is None or action.replicas <= seen.most
    first = before_crossing(seen)
    if first.step is Span.CROSS and seen.replicas:
        assert seen.replicas + min(seen.bridge, seen.bridge_ready) >= seen.wanted
    assert span(seen.replicas, seen.wanted) == 0 or seen.replicas < seen.wanted
