"""A variant of the kinds, as rendering reads it."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.cluster.pools import view_pools
from chipwise.cluster.targets import target, vocabulary
from chipwise.rendering.target import ArgsPatch, PoolTerm, ScratchVolume, Target

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World


def of(container: Document | None = None, **pool: Any) -> Target:
    world = World(
        docs.chip_class("maia"),
        docs.pool("maia", **pool),
        docs.pool("maia-b", "maia"),
        docs.profile(docs.variant("maia", container=container)),
    )
    snapshot = world.snapshot()
    views = view_pools(snapshot)
    (variant,) = snapshot.profiles["llama"].spec.variants
    return target(variant, (views["maia"], views["maia-b"]), "server", vocabulary(snapshot), surge=0)


def test_pools_become_terms_in_their_order_and_each_toleration_once():
    team = {"key": "team", "operator": "Exists"}
    found = of(tolerations=[team])
    assert found.terms == tuple(PoolTerm(((docs.NODE_LABEL, name),)) for name in ("maia", "maia-b"))
    assert [toleration["key"] for toleration in found.tolerations] == ["example.com/maia", "team"]
    assert (found.resource_name, found.chips, found.max_surge) == ("example.com/maia", 4, 1)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (None, None),
        ({"mode": "Replace", "list": ["serve"]}, ArgsPatch(replace=("serve",))),
        (
            {
                "set": [{"flag": "--tp", "value": "4"}, {"flag": "--eager"}],
                "remove": ["--x"],
                "append": ["--y"],
            },
            ArgsPatch(set=(("--tp", "4"), ("--eager", None)), remove=("--x",), append=("--y",)),
        ),
    ],
)
def test_args_are_patched_or_replaced(args: Document | None, expected: ArgsPatch | None):
    assert of({"args": args} if args else {"image": "x"}).patch.args == expected


def test_probes_init_containers_and_volumes_come_without_what_was_not_stated():
    """An unstated default must not overwrite the author's."""
    probe = {"httpGet": {"path": "/health", "port": 8000}}
    found = of(
        {
            "probes": {"readiness": probe},
            "initContainers": [{"name": "warm", "image": "w"}],
            "volumes": [
                {
                    "name": "cache",
                    "mountPath": "/cache",
                    "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"},
                },
                {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
            ],
            "resources": {"cpu": "4"},
            "env": [{"name": "A", "value": "1"}],
            "sharedMemory": "8Gi",
        }
    ).patch
    assert found.readiness_probe == probe
    assert (found.startup_probe, found.liveness_probe) == (None, None)
    assert found.init_containers == ({"name": "warm", "image": "w"},)
    assert found.volumes == (
        ScratchVolume("cache", "/cache", "Memory", "1Gi"),
        ScratchVolume("tmp", "/tmp"),  # noqa: S108
    )
    assert (found.cpu, found.memory, found.env, found.shared_memory) == ("4", None, (("A", "1"),), "8Gi")


def test_the_vocabulary_knows_every_name_of_this_clusters_chips():
    discovery = {"nodeLabels": [{"key": "example.com/chip", "values": ["maia"]}]}
    world = World(
        docs.chip_class("maia", discovery=discovery), docs.pool("maia", nodeSelector={"my/pool": "m"})
    )
    words = vocabulary(world.snapshot())
    assert words.resource_names == {"example.com/maia"}
    assert words.label_keys == {"example.com/chip", "my/pool"}
