"""Where a workload runs, as its status says it in the middle of a rollout."""

from __future__ import annotations

from chipwise.control.status import workload_status
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, INFERENCE_WORKLOADS

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World
from tests.control.carrying import carry_out, until_quiet


def shown(world: World) -> tuple[str | None, list[tuple[str, str, str | None]]]:
    """The pool of the summary, and pool, variant and reason of each placement."""
    status = workload_status("prod/chat", world.decide())
    placements = [(each["pool"], each["variant"], each.get("reason")) for each in status["placements"]]
    return status["summary"].get("pool"), placements


def test_a_new_template_in_place_is_no_other_variant_of_that_size():
    """The profile has two variants of one class and size, and the one that never ran comes first."""
    twin = docs.variant("maia", name="maia-twin")
    world = World.standard(docs.profile(twin, docs.variant("h100", container=None), docs.variant("maia")))
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedVariants=["maia-x4"]))
    until_quiet(world)

    def flag(document: Document) -> None:
        container = document["spec"]["template"]["spec"]["containers"][0]
        container["args"] = [*container.get("args", []), "--log-level=debug"]

    world.edit(DEPLOYMENTS, "chat", flag)
    carry_out(world)
    world.roll()
    world.schedule()
    assert world.decide().pods["prod/chat"].old
    assert shown(world) == ("maia", [("maia", "maia-x4", None)])


def test_what_serves_in_a_pool_that_is_undeclared_in_mid_move_is_not_said_to_be_elsewhere():
    world = World.standard()
    carry_out(world)
    world.roll()
    world.schedule()
    world.kube.drop(ACCELERATOR_POOLS, None, "h100")
    assert world.decide().pods["prod/chat"].old
    assert shown(world) == (None, [("maia", "maia-x4", "MoveInProgress")])
