"""How many replicas an option takes, what moving there costs, and why it may be none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chipwise.cluster.cooling import Cooling
from chipwise.cluster.demand import demand
from chipwise.cluster.knowledge import knowledge_of, objectives_of
from chipwise.cluster.pools import view_pools
from chipwise.cluster.quotas import limits, quotas
from chipwise.cluster.subject import Subject, accept
from chipwise.kube.resources import HORIZONTAL_POD_AUTOSCALERS, INFERENCE_WORKLOADS, PODS, RESOURCE_QUOTAS
from chipwise.performance import Architecture, Names, Unmeasured
from chipwise.placement.problem import Limit, Option, Workload
from chipwise.reasons import Reason, Refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import NOON, World
from tests.control.carrying import until_quiet

#: Requests per second that one replica at 20 ms per token sustains.
RATE = 7.87


def asked(world: World, *, moving: bool = False, assumed: bool = False) -> Workload:
    """``assumed``: nobody gave the Deployment, as in a plan from manifests alone."""
    snapshot = world.snapshot()
    if assumed:
        snapshot = replace(snapshot, assumed=frozenset({"prod/chat"}))
    views = view_pools(snapshot)
    subject = accept(snapshot.workloads["prod/chat"], snapshot, views)
    assert isinstance(subject, Subject), subject
    ours = frozenset(pod.uid for pod in snapshot.pods_by_deployment.get("prod/chat", ()) if moving)
    return demand(subject, snapshot, views, quotas(snapshot, ours), Cooling(NOON))


def option(world: World, pool: str = "maia", **how: Any) -> Option:
    (found,) = [one for one in asked(world, **how).options if one.pool == pool]
    return found


def refusal(world: World, pool: str = "maia", **how: Any) -> Refusal:
    (found,) = [one.refusal for one in asked(world, **how).refused if one.pool == pool]
    return found


def world(*more: Document, replicas: int = 2, **workload: Any) -> World:
    return World.standard(docs.deployment(replicas=replicas), docs.workload(**workload), *more)


def autoscaled(built: World, least: int, most: int) -> World:
    scaler = {
        "metadata": {"name": "chat-hpa", "namespace": "prod"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "chat"},
            "minReplicas": least,
            "maxReplicas": most,
        },
    }
    built.kube.put(HORIZONTAL_POD_AUTOSCALERS, scaler)
    return built


def limited(built: World, resource: str, hard: int, used: int = 0) -> World:
    name = f"requests.{resource}"
    quota = {
        "metadata": {"name": "chips", "namespace": "prod"},
        "status": {"hard": {name: str(hard)}, "used": {name: str(used)}},
    }
    built.kube.put(RESOURCE_QUOTAS, quota)
    return built


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 60))
def test_replicas_carry_the_peak_and_not_one_more(peak: float):
    built = world(rate=f"{peak:.3f}")
    found = option(built)
    assert found.replicas * RATE >= peak - 0.05
    assert (found.replicas - 1) * RATE < peak


def test_the_peak_counts_and_not_the_mean():
    traffic = {
        "meanRequestsPerSecond": "1.0",
        "peakRequestsPerSecond": "20.0",
        "inputTokens": 512,
        "outputTokens": 100,
    }
    built = world(traffic=traffic)
    assert option(built).replicas == 3
    assert asked(built).mean_output_tokens_per_second == 100.0


def test_there_are_at_least_the_minimum_of_replicas():
    assert option(world(replicas=2, rate="1.0")).replicas == 1
    built = world(rate="1.0")
    built.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(replicas={"min": 3}))
    assert option(built).replicas == 3


def test_more_than_the_maximum_is_refused_and_never_clamped():
    built = world()
    built.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(replicas={"max": 1}))
    found = refusal(built)
    assert found.reason is Reason.REPLICAS_EXCEEDED
    assert (
        "needs 2 replicas of 7.87 requests/s each for 10 requests/s; spec.replicas allows 1" in found.message
    )


def test_the_bounds_of_an_autoscaler_take_the_place_of_the_workloads():
    built = autoscaled(world(), 3, 6)
    assert option(built).replicas == 3
    found = refusal(autoscaled(built, 1, 1))
    assert found.reason is Reason.REPLICAS_EXCEEDED
    assert "HPA chat-hpa allows 1" in found.message


def test_what_the_author_runs_is_what_staying_takes():
    """Before the first move nobody but the author sets replicas."""
    assert option(world(replicas=4), "h100").replicas == 4
    found = refusal(world(replicas=1), "h100")
    assert found.reason is Reason.REPLICAS_EXCEEDED
    assert "the author runs 1 replicas" in found.message


def test_replicas_that_somebody_else_owns_are_what_every_option_takes():
    """chipwise never writes them, so the new placement will have just as many."""
    built = world(replicas=4)
    built.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(replicas={"managedBy": "External"}))
    assert {one.replicas for one in asked(built).options} == {4}
    built = world(replicas=1)
    built.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(replicas={"managedBy": "External"}))
    assert refusal(built).reason is Reason.REPLICAS_EXCEEDED


def test_after_a_move_staying_takes_what_is_needed():
    built = world(replicas=4)
    until_quiet(built)
    assert option(built).replicas == 2


def test_a_quota_limits_the_option_and_all_options_together():
    built = limited(world(), "example.com/maia", 12)
    assert option(built).usage == (("prod/chips/example.com/maia", 8),)
    assert limits(quotas(built.snapshot(), ())) == (Limit("prod/chips/example.com/maia", 12),)
    assert option(built, "mi300x").usage == ()
    found = refusal(limited(built, "example.com/maia", 12, used=6))
    assert found.reason is Reason.QUOTA_EXCEEDED
    assert "needs 8 example.com/maia in namespace prod" in found.message


def test_both_copies_count_when_a_move_stays_on_one_resource():
    """From 8 chips to 8 others of the same name takes 16 for a while, of which 8 are given back by the plan itself."""
    other = (docs.pool("h100-b", "h100"), docs.node("h100-b"))
    built = limited(world(*other), "nvidia.com/gpu", 12, used=8)
    found = refusal(built, "h100-b", moving=True)
    assert found.reason is Reason.QUOTA_EXCEEDED
    assert "needs 16" in found.message
    assert option(built, "h100", moving=True).usage == (("prod/chips/nvidia.com/gpu", 8),)
    wide = limited(built, "nvidia.com/gpu", 16, used=8)
    assert option(wide, "h100-b", moving=True).usage == (("prod/chips/nvidia.com/gpu", 8),)


def test_switching_costs_both_copies_for_the_start_over_the_horizon():
    """(8 chips at 10 $ + 8 at 2 $) for one minute, spread over a day."""
    built = world()
    assert option(built, "h100").switching_cost_per_hour == 0.0
    assert option(built).switching_cost_per_hour == pytest.approx((80.0 + 16.0) / 60 / 24)
    short = world(docs.policy(paybackHorizon="1h"))
    assert option(short).switching_cost_per_hour == pytest.approx((80.0 + 16.0) / 60)


def test_a_bridge_is_loaded_then_the_rollout_then_what_is_taken_in():
    """From one replica of 4 chips at 10 $ to two at 2 $: (1, then 2, then 3 new ones) and twice the old one, a minute each."""
    built = world(replicas=1)
    assert option(built).switching_cost_per_hour == pytest.approx((6 * 8.0 + 2 * 40.0) / 60 / 24)


def test_over_a_bridge_one_replica_runs_twice_and_the_quota_must_allow_it():
    """Two replicas of 4 chips fill a quota of 8; from two that run it is enough, from one it is not."""
    assert option(limited(world(), "example.com/maia", 8)).replicas == 2
    built = limited(world(replicas=1), "example.com/maia", 8)
    assert "needs 12 example.com/maia" in refusal(built).message
    assert option(limited(built, "example.com/maia", 12)).usage == (("prod/chips/example.com/maia", 8),)


def test_a_workload_that_runs_nothing_yet_pays_for_no_move():
    nothing = docs.deployment(replicas=0, content={"spec": {"containers": [{"name": "c", "image": "x"}]}})
    built = World(
        docs.chip_class("maia"), docs.pool("maia"), docs.profile(docs.variant("maia")), docs.workload()
    )
    built.put(nothing)
    assert option(built, assumed=True).switching_cost_per_hour == 0.0
    nothing["spec"]["replicas"] = 2
    built.put(nothing)
    assert option(built).switching_cost_per_hour == pytest.approx(16.0 / 60 / 24)


def test_a_workloads_own_measurements_take_the_place_of_the_profiles():
    override = [{"variantName": "maia-x4", "performance": docs.points(10)}]
    assert option(world(performance=override)).replicas == 1
    figures = option(world(performance=override)).figures
    assert figures is not None
    assert figures.provenance == "Measured"
    assert figures.tpot_ms == pytest.approx(10.0)


ARCHITECTURE = {
    "parameters": 8_000_000_000,
    "layers": 32,
    "hiddenSize": 4096,
    "kvHeads": 8,
    "headDim": 128,
}


def test_without_measurements_it_is_estimated_and_says_so():
    built = world(
        docs.profile(docs.variant("maia", performance=None), architecture=ARCHITECTURE),
        docs.chip_class("maia", tflops=[{"precision": "fp8", "dense": 1979}], interconnectGBps=450),
    )
    figures = option(built).figures
    assert figures is not None
    assert figures.provenance == "Estimated"


def test_without_measurements_and_architecture_nothing_is_guessed():
    built = world(docs.profile(docs.variant("maia", performance=None)))
    assert refusal(built).reason is Reason.NO_PERFORMANCE


def test_an_estimate_reads_the_chip_of_the_class_at_the_variants_precision():
    tflops = [{"precision": "fp8", "dense": 1979}, {"precision": "bf16", "dense": 989}]
    built = world(
        docs.profile(docs.variant("maia", performance=None), architecture=ARCHITECTURE),
        docs.chip_class("maia", tflops=tflops, interconnectGBps=450),
    )
    snapshot = built.snapshot()
    profile = snapshot.profiles["llama"]
    found = knowledge_of(
        snapshot.workloads["prod/chat"], profile, profile.spec.variants[0], snapshot.classes["maia"]
    )
    assert isinstance(found, Unmeasured)
    hardware = found.hardware
    assert (hardware.chip.flops, hardware.weight_bits, hardware.chips) == (1979e12, 8, 4)
    assert hardware.chip.interconnect_bytes_per_second == 450e9
    assert found.names == Names("example/llama", "", "fp8")


def test_an_estimate_knows_the_whole_shape_of_the_model():
    shape = ARCHITECTURE | {
        "activeParameters": 1_000_000_000,
        "maxContextTokens": 32_768,
        "attentionHeads": 64,
        "experts": 128,
        "expertsPerToken": 4,
        "latentDim": 576,
        "slidingWindow": 128,
        "slidingLayers": 12,
        "linearLayers": 8,
    }
    snapshot = world(
        docs.profile(docs.variant("maia", performance=None), architecture=shape),
        docs.chip_class("maia", tflops=[{"precision": "fp8", "dense": 1979}]),
    ).snapshot()
    profile = snapshot.profiles["llama"]
    found = knowledge_of(
        snapshot.workloads["prod/chat"], profile, profile.spec.variants[0], snapshot.classes["maia"]
    )
    assert isinstance(found, Unmeasured)
    assert found.hardware.architecture == Architecture(
        parameters=8_000_000_000,
        active_parameters=1_000_000_000,
        layers=32,
        hidden_size=4096,
        kv_heads=8,
        head_dim=128,
        max_context_tokens=32_768,
        attention_heads=64,
        experts=128,
        experts_per_token=4,
        latent_dim=576,
        sliding_window=128,
        sliding_layers=12,
        linear_layers=8,
    )


def test_an_objective_that_even_one_request_misses_is_refused():
    found = refusal(world(objectives=[{"metric": "TPOT", "threshold": "5ms"}]))
    assert found.reason is Reason.OBJECTIVE_MISSED


def test_a_variant_without_a_pool_is_named_without_one():
    (found,) = asked(world(docs.profile(docs.variant("h100"), docs.variant("tpu")))).refused
    assert (found.variant, found.pool, found.refusal.reason) == ("tpu-x4", None, Reason.NO_VARIANT)


def test_the_order_of_objectives_is_no_difference():
    one, other = {"metric": "TPOT", "threshold": "40ms"}, {"metric": "TTFT", "threshold": "1s"}
    first, second = world(objectives=[one, other]).snapshot(), world(objectives=[other, one]).snapshot()
    assert objectives_of(first.workloads["prod/chat"]) == objectives_of(second.workloads["prod/chat"])


def test_quotas_count_back_only_what_is_released():
    built = limited(world(), "nvidia.com/gpu", 8, used=8)
    pods = frozenset(pod["metadata"]["uid"] for pod in built.all(PODS))
    assert [quota.amount for quota in quotas(built.snapshot(), ())] == [0]
    assert [quota.amount for quota in quotas(built.snapshot(), pods)] == [8]


def test_a_quota_that_has_not_counted_yet_has_no_room_that_pods_hold():
    """Its status says zero for a moment: eight chips of eight are held all the same."""
    built = limited(world(), "nvidia.com/gpu", 8, used=0)
    pods = frozenset(pod["metadata"]["uid"] for pod in built.all(PODS))
    assert [quota.amount for quota in quotas(built.snapshot(), ())] == [0]
    assert [quota.amount for quota in quotas(built.snapshot(), pods)] == [8]
