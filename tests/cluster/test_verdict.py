"""What keeps a pod from its node, read from the scheduler's own sentences (kubernetes pkg/scheduler/framework/types.go)."""

from __future__ import annotations

import pytest
from chipwise.cluster.facts.verdict import Verdict, verdict

PREEMPTION = " preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling."
TAINT = "node(s) had untolerated taint {amd.com/gpu: present}"
AFFINITY = "node(s) didn't match Pod's node affinity/selector"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("0/6 nodes are available: 6 Insufficient memory.", Verdict(("memory",))),
        (f"0/6 nodes are available: 6 Insufficient memory.{PREEMPTION}", Verdict(("memory",))),
        (
            f"0/6 nodes are available: 1 Insufficient cpu, 2 Insufficient example.com/maia, 4 {AFFINITY}.",
            Verdict(("cpu", "example.com/maia")),
        ),
        (f"0/3 nodes are available: 1 Too many pods, 2 {AFFINITY}.", Verdict(("pods",))),
        (f"0/6 nodes are available: 6 {AFFINITY}.{PREEMPTION}", Verdict(unmet=True)),
        (
            f"0/6 nodes are available: 1 node(s) were unschedulable, 2 {TAINT}, 3 {AFFINITY}.{PREEMPTION}",
            Verdict(unmet=True),
        ),
        ("no nodes available to schedule pods", Verdict(unmet=True)),
        # Not for want of room:
        ('0/6 nodes are available: persistentvolumeclaim "weights" not found.' + PREEMPTION, Verdict()),
        ("0/6 nodes are available: pod has unbound immediate PersistentVolumeClaims.", Verdict()),
        (
            f"0/6 nodes are available: 2 node(s) had volume node affinity conflict, 4 {AFFINITY}.",
            Verdict(),
        ),
        (
            f"0/6 nodes are available: 2 node(s) didn't match pod anti-affinity rules, 4 {AFFINITY}.",
            Verdict(),
        ),
        ('persistentvolumeclaim "weights" not found', Verdict()),
        ("Scheduling is blocked due to non-empty scheduling gates", Verdict()),
        ("", Verdict()),
    ],
)
def test_the_words_of_the_scheduler(message: str, expected: Verdict):
    assert verdict(message) == expected
