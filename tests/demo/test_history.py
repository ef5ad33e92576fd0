"""What the demo claims about capacity is only as good as its reading of a watch."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.admin import Admin
from e2e.demo.authored import Serving
from e2e.demo.history import History, Step
from e2e.demo.timeline import timeline

SERVING = {"chat": Serving(2.0, {("nvidia.com/gpu", 2): ("old", 1.0), ("example.com/maia", 1): ("new", 2.0)})}


def pod(
    name: str, *, chips: tuple[str, int] = ("nvidia.com/gpu", 2), ready: bool = True, leaving: bool = False
) -> Any:
    metadata: dict[str, Any] = {"name": name, "labels": {"app": "chat", "pod-template-hash": "abc"}}
    if leaving:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    limits = {"cpu": "4", chips[0]: str(chips[1])}
    return {
        "metadata": metadata,
        "spec": {"nodeName": "h100-0", "containers": [{"resources": {"limits": limits}}]},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


class Silent(Admin):
    """Tells nothing: tests do."""

    def __init__(self) -> None:
        super().__init__(0)

    def watch(self, path: str) -> Any:
        assert path
        return iter(())


@pytest.fixture
def history() -> History:
    return History(Silent(), "serving", SERVING)


def test_only_ready_pods_that_are_not_leaving_serve(history: History):
    """A pod that is being deleted gets no more requests, whatever its Ready condition still says."""
    history._note("ADDED", pod("a"), 1.0)
    history._note("ADDED", pod("b", ready=False), 2.0)
    history._note("MODIFIED", pod("a", leaving=True), 3.0)
    assert [step.capacity for step in history.steps("chat", 0.0)] == [1.0, 0.0]
    assert history.existing("chat") == 2
    history._note("DELETED", pod("a", leaving=True), 4.0)
    assert history.existing("chat") == 1


def test_the_variant_is_known_by_the_chips_held(history: History):
    """Each variant counts at its own rate; a pod with chips of no variant counts nothing."""
    history._note("ADDED", pod("a"), 1.0)
    history._note("ADDED", pod("b", chips=("example.com/maia", 1)), 2.0)
    history._note("ADDED", pod("c", chips=("amd.com/gpu", 8)), 3.0)
    last = history.steps("chat", 0.0)[-1]
    assert (last.capacity, last.ready) == (3.0, {"old": 1, "new": 1, "other chips": 1})


def test_the_lowest_capacity_counts_the_state_at_the_start(history: History):
    """A window begins with what served when it began, not with its first change."""
    history._note("ADDED", pod("a"), 1.0)
    history._note("ADDED", pod("b"), 5.0)
    assert history.lowest("chat", 3.0) == 1.0
    assert history.lowest("chat", 6.0) == 2.0
    assert history.steps("chat", 3.0)[0] == Step(3.0, {"old": 1}, 1.0)


def test_a_watch_that_ends_is_told(history: History):
    """Without its watch the demo knows nothing, and must not go on."""
    history._watch(Silent(), "/api/v1/namespaces/serving/pods")
    assert history.broken == "the API server ended the watch of pods"


def test_the_timeline_has_a_mark_for_each_replica():
    """Old left, new right, changes within a blink drawn as one."""
    steps = [Step(10.0, {"old": 2}, 2.0), Step(12.0, {"old": 1, "new": 1}, 3.0), Step(12.01, {"new": 1}, 2.0)]
    assert timeline(steps, "old", "new", 2.0).splitlines()[1:] == [
        "   0.0 s  oo 2   -      2.0/s",
        "   2.0 s  -      # 1    2.0/s",
    ]
