"""Without -f the current cluster is read, and nothing else is done to it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from chipwise.cli.errors import BadInput
from chipwise.cli.source import read_cluster
from chipwise.cluster.extract import BY_KIND, KARPENTER
from chipwise.cluster.state import FIELDS
from chipwise.kube.errors import Forbidden
from chipwise.kube.resources import ACCELERATOR_POOLS, INFERENCE_WORKLOADS, PERSISTENT_VOLUME_CLAIMS, PODS

from tests.cli.fleet import deployment, invoke, pool, supply, workload
from tests.kube import server as wire
from tests.kube.fake import FakeKube

asyncio.set_event_loop(None)


def filled(*documents: Any) -> FakeKube:
    kube = FakeKube()
    for document in documents:
        kube.put(BY_KIND[document["kind"]], document)
    return kube


def node(name: str, pool_name: str) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"example.com/pool": pool_name}},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "allocatable": {"cpu": "64", "memory": "512Gi", f"example.com/{pool_name}": "8"},
        },
    }


@pytest.fixture
async def kubeconfig(tmp_path, monkeypatch):
    """A kubeconfig of a server that holds a fleet."""
    monkeypatch.setattr(wire, "SERVED", tuple(FIELDS))
    async with wire.serving() as running:
        running.kube = filled(*supply(), node("n1", "dear"), workload("chat"), deployment("chat", "dear", 3))
        path = tmp_path / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "c", "cluster": {"server": running.url}}],
                    "users": [{"name": "u", "user": {}}],
                    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                    "current-context": "here",
                }
            )
        )
        yield path, running


async def test_a_plan_of_the_current_cluster_only_reads(kubeconfig):
    path, running = kubeconfig
    result = await asyncio.to_thread(invoke, "plan", "--kubeconfig", path, "-o", "json")
    assert result.exit_code == 0, result.output
    (chat,) = json.loads(result.stdout)["workloads"]
    assert (chat["current"]["pool"], chat["placements"][0]["pool"]) == ("dear", "cheap")
    assert running.methods() == {"GET"}


async def test_a_workload_of_the_current_cluster_is_explained(kubeconfig):
    result = await asyncio.to_thread(invoke, "explain", "chat", "-n", "prod", "--kubeconfig", kubeconfig[0])
    assert result.exit_code == 0, result.output
    assert "prod/chat gets" in result.stdout


async def test_explain_shows_what_the_operator_decided_lately(kubeconfig):
    """From status, newest first, with the reasons."""
    path, running = kubeconfig
    known = running.kube.peek(INFERENCE_WORKLOADS, "prod", "chat")
    log = [
        {
            "at": "2026-01-01T12:10:00Z",
            "decision": "Hold",
            "reason": "MinimumStay",
            "message": "moved 1 min ago",
        },
        {
            "at": "2026-01-01T12:00:00Z",
            "decision": "Move",
            "reason": "Moved",
            "message": "Moves",
            "from": "a",
            "to": "b",
        },
    ]
    running.kube.put(INFERENCE_WORKLOADS, {**known, "status": {"decisions": log}})
    asked = ("explain", "chat", "-n", "prod", "--kubeconfig", path)
    text = (await asyncio.to_thread(invoke, *asked)).stdout
    assert "Decided by the operator, newest first" in text
    assert text.index("MinimumStay") < text.index("2026-01-01T12:00:00Z")
    found = json.loads((await asyncio.to_thread(invoke, *asked, "-o", "json")).stdout)["decisions"]
    assert [one["reason"] for one in found] == ["MinimumStay", "Moved"]
    assert (found[1]["from"], found[1]["to"], found[0]["to"]) == ("a", "b", None)


async def test_an_unknown_context_ends_with_2(kubeconfig):
    result = await asyncio.to_thread(invoke, "plan", "--kubeconfig", kubeconfig[0], "--context", "there")
    assert result.exit_code == 2
    assert "there" in result.stderr


def test_without_a_kubeconfig_the_way_out_is_named(tmp_path):
    result = invoke("plan", "--kubeconfig", tmp_path / "none")
    assert result.exit_code == 2
    assert (
        f"no kubeconfig at {tmp_path / 'none'}; to decide without one give manifests with -f" in result.stderr
    )


async def test_a_cluster_without_our_kinds_says_what_to_install():
    kube = filled()
    kube.unserved.add(ACCELERATOR_POOLS)
    with pytest.raises(BadInput, match="install the kinds"):
        await read_cluster(kube)


async def test_a_foreign_kind_that_is_not_served_is_as_if_there_were_none():
    kube = filled(*supply())
    kube.unserved.add(PERSISTENT_VOLUME_CLAIMS)
    assert not (await read_cluster(kube)).claims


async def test_a_missing_right_is_named():
    kube = filled(*supply())
    kube.fail("list_all", Forbidden("pods is forbidden"), resource=PODS)
    with pytest.raises(BadInput, match="right to list pods"):
        await read_cluster(kube)


async def test_without_a_right_to_karpenters_kinds_it_is_as_if_there_were_no_karpenter():
    kube = filled(*supply())
    for resource in KARPENTER:
        kube.fail("list_all", Forbidden("no"), resource=resource)
    snapshot = await read_cluster(kube)
    assert set(snapshot.pools) == set((await read_cluster(filled(*supply()))).pools)
    assert not snapshot.karpenter


async def test_an_object_that_an_older_schema_let_in_is_shown_and_not_used():
    snapshot = await read_cluster(filled(*supply(), pool("broken", "0")))
    assert [one.name for one in snapshot.unreadable] == ["broken"]
    assert "broken" not in snapshot.pools
