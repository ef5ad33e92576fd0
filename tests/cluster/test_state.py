"""Only what a decision reads makes the state dirty."""

from __future__ import annotations

import pytest
from chipwise.cluster.extract import extract
from chipwise.cluster.state import ClusterState
from chipwise.kube.resources import ACCELERATOR_POOLS, INFERENCE_WORKLOADS, NODES, Resource

from tests.cluster import documents as docs
from tests.cluster.documents import Document

NODE = ("", "h100-0")
CHAT = (docs.NAMESPACE, "chat")


def put(state: ClusterState, resource: Resource, key: tuple[str, str], raw: Document) -> bool:
    """Whether a new decision is due."""
    state.dirty.clear()
    before = state.revision
    state.put(resource, key, extract(resource, raw))
    assert state.dirty.is_set() == (state.revision > before)
    return state.dirty.is_set()


def test_a_change_is_counted_and_a_repetition_is_not():
    state = ClusterState()
    assert put(state, NODES, NODE, docs.node("h100"))
    assert not put(state, NODES, NODE, docs.node("h100"))
    assert put(state, NODES, NODE, docs.node("h100", ready=False))


def test_our_own_status_is_known_and_decides_nothing():
    """Else each status write would cause the next decision, for ever."""
    state = ClusterState()
    put(state, INFERENCE_WORKLOADS, CHAT, docs.workload())
    written = {**docs.workload(), "status": {"observedGeneration": 1}}
    written["metadata"]["resourceVersion"] = "7"
    assert not put(state, INFERENCE_WORKLOADS, CHAT, written)
    assert state.snapshot().workloads["prod/chat"].status is not None
    assert put(state, INFERENCE_WORKLOADS, CHAT, docs.workload(mode="Off"))


def test_the_status_of_an_unreadable_object_decides_nothing_either():
    state, broken = ClusterState(), docs.pool("h100", nodes={"max": 0})
    put(state, ACCELERATOR_POOLS, ("", "h100"), broken)
    assert not put(state, ACCELERATOR_POOLS, ("", "h100"), {**broken, "status": {"observedGeneration": 1}})
    (unreadable,) = state.snapshot().unreadable
    assert unreadable.status == {"observedGeneration": 1}


def test_an_unreadable_object_stands_apart_and_comes_back_when_mended():
    state = ClusterState()
    put(state, ACCELERATOR_POOLS, ("", "h100"), docs.pool("h100", nodes={"max": 0}))
    assert not state.snapshot().pools
    put(state, ACCELERATOR_POOLS, ("", "h100"), docs.pool("h100"))
    assert list(state.snapshot().pools) == ["h100"]
    assert not state.snapshot().unreadable


def test_dropping_what_is_unknown_is_nothing():
    state = ClusterState()
    state.drop(NODES, NODE)
    assert state.revision == 0
    put(state, NODES, NODE, docs.node("h100"))
    state.dirty.clear()
    state.drop(NODES, NODE)
    assert state.dirty.is_set()
    assert not state.snapshot().nodes


def test_a_complete_list_replaces_what_was_known():
    state = ClusterState()
    put(state, NODES, NODE, docs.node("h100"))
    fact = extract(NODES, docs.node("h100", 1))
    state.dirty.clear()
    state.replace(NODES, {("", "h100-1"): fact})
    assert list(state.snapshot().nodes) == ["h100-1"]
    assert state.dirty.is_set()
    state.dirty.clear()
    state.replace(NODES, {("", "h100-1"): fact})
    assert not state.dirty.is_set()


def test_a_snapshot_is_not_changed_by_later_news():
    state = ClusterState()
    put(state, NODES, NODE, docs.node("h100"))
    before = state.snapshot()
    put(state, NODES, ("", "h100-1"), docs.node("h100", 1))
    state.drop(NODES, NODE)
    assert list(before.nodes) == ["h100-0"]
    assert before.revision < state.revision
    with pytest.raises(AttributeError):
        before.revision = 9  # type: ignore[misc]
