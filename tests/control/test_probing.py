"""A move that needs new nodes waits for Cluster Autoscaler's word: yes lets it go, no or silence sends it to the next best."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chipwise.autoscaling.provisioning import Probe, probe_state, request_of, template_of
from chipwise.cluster.decide import Decision, Standing
from chipwise.control.fence import Fence
from chipwise.control.prober import Prober
from chipwise.control.recorder import Recorder
from chipwise.kube.errors import Unavailable
from chipwise.kube.resources import EVENTS, MODEL_PROFILES, POD_TEMPLATES, PROVISIONING_REQUESTS
from chipwise.placement.moves import Decision as Verdict
from chipwise.reasons import Reason

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, serving
from tests.control.carrying import carry_out
from tests.control.test_setbacks import AMD, KEY, MAIA


class Desk:
    """Maia is at zero nodes and scaled by Cluster Autoscaler; the workload's two replicas serve on H100."""

    def __init__(self, **pool: Any) -> None:
        self.world = World.standard(docs.pool("maia", **{"nodeGroup": "maia-asg", **pool}))
        self.world.lose_nodes("maia")
        self.world.standing = Standing(probing=True)
        self.leads = True
        self.seen: set[str] = set()
        fence = Fence(self.world.kube, lambda: 10.0)
        recorder = Recorder(self.world.kube, lambda: self.world.now)
        self.prober = Prober(fence, recorder, may_write=lambda: self.leads)

    async def turn(self) -> Decision:
        """The prober, then the operator."""
        decision = self.world.decide()
        self.done = await self.prober.probe(decision)
        for each in self.world.kube._of(PROVISIONING_REQUESTS).values():
            if each["metadata"]["uid"] not in self.seen:
                self.seen.add(each["metadata"]["uid"])
                each["metadata"]["creationTimestamp"] = self.world.stamp
        carry_out(self.world)
        self.world.settle()
        return decision

    def requests(self) -> list[Document]:
        return self.world.all(PROVISIONING_REQUESTS)

    def answers(self, kind: str, words: str = "") -> None:
        """As Cluster Autoscaler does."""
        for each in self.requests():
            status = {"conditions": [self.world.condition(kind, "True", message=words)]}
            self.world.kube.put(PROVISIONING_REQUESTS, {**each, "status": status})

    def place(self) -> str | None:
        option = self.world.decide().choice(KEY).option
        return option.pool if option else None


async def test_it_asks_waits_and_goes():
    """And clears away what it asked with once the move is under way."""
    desk = Desk()
    move = (await desk.turn()).move(KEY)
    assert (move.decision, move.reason) == (Verdict.HOLD, Reason.PROBING)
    assert "waits until Cluster Autoscaler has found room for 2 replicas on maia" in move.message
    (request,) = desk.requests()
    (template,) = desk.world.all(POD_TEMPLATES)
    assert request["spec"]["podSets"] == [
        {"podTemplateRef": {"name": template["metadata"]["name"]}, "count": 2}
    ]
    (container,) = template["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["example.com/maia"] == "4"
    assert "maia" in json.dumps(template["template"]["spec"]["affinity"])
    assert "env" not in container
    for each in (request, template):
        (owner,) = each["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("InferenceWorkload", "chat")
    assert (await desk.turn()).move(KEY).reason is Reason.PROBING
    assert len(desk.requests()) == 1
    assert serving(desk.world) == {"nvidia.com/gpu": 2}
    desk.answers("Provisioned")
    for number in range(2):
        desk.world.put(docs.node("maia", number))
    for _ in range(6):
        await desk.turn()
    assert serving(desk.world) == MAIA
    assert desk.requests() == []
    assert desk.world.all(POD_TEMPLATES) == []
    said = [change.document["reason"] for change in desk.world.kube.history if change.resource == EVENTS]
    assert said == ["Probing"]


async def test_a_yes_lets_it_go_before_the_nodes_are_seen():
    desk = Desk()
    await desk.turn()
    desk.answers("Provisioned")
    assert (await desk.turn()).move(KEY).decision is Verdict.MOVE


@pytest.mark.parametrize("kind", ["Failed", "BookingExpired", "CapacityRevoked"])
async def test_a_no_sends_it_to_the_next_best_and_it_is_asked_again_later(kind: str):
    desk = Desk()
    await desk.turn()
    desk.answers(kind, "no capacity in the zone")
    decision = await desk.turn()
    (workload,) = decision.acting.problem.workloads
    refused = {each.pool: each.refusal for each in workload.refused}
    assert refused["maia"].reason is Reason.CAPACITY_REFUSED
    assert "no capacity in the zone" in refused["maia"].message
    for _ in range(4):
        await desk.turn()
    assert serving(desk.world) == AMD
    assert len(desk.requests()) == 1
    (before,) = desk.requests()
    desk.world.pass_time(minutes=11)
    for _ in range(3):
        await desk.turn()
    assert desk.place() == "maia"
    (again,) = desk.requests()
    assert again["metadata"]["uid"] != before["metadata"]["uid"]
    assert "status" not in again
    assert desk.world.decide().move(KEY).reason is Reason.PROBING


async def test_a_yes_of_long_ago_is_asked_for_again():
    """Whatever held the move up meanwhile: the booking has lapsed."""
    desk = Desk()
    await desk.turn()
    desk.answers("Provisioned")
    desk.world.pass_time(minutes=11)
    assert desk.world.decide().move(KEY).reason is Reason.PROBING
    for _ in range(2):
        await desk.turn()
    (again,) = desk.requests()
    assert "status" not in again


async def test_no_answer_in_time_is_a_no():
    """A node is given five minutes to boot, and an answer one more."""
    desk = Desk()
    await desk.turn()
    desk.world.pass_time(seconds=359)
    assert (await desk.turn()).move(KEY).reason is Reason.PROBING
    desk.world.pass_time(seconds=2)
    assert desk.place() == "mi300x"


async def test_the_decision_is_made_anew_when_the_time_is_over():
    desk = Desk()
    await desk.turn()
    due = desk.world.decide().due_seconds
    assert due is not None
    assert due == pytest.approx(360.1)


async def test_nothing_is_asked_where_there_is_room():
    desk = Desk()
    for number in range(2):
        desk.world.put(docs.node("maia", number))
    decision = desk.world.decide()
    assert decision.move(KEY).decision is Verdict.MOVE
    assert decision.probing is not None
    assert decision.probing.wishes == ()


async def test_pools_without_a_group_are_not_asked_about():
    desk = Desk(nodeGroup=None)
    assert (await desk.turn()).move(KEY).decision is Verdict.MOVE
    assert desk.requests() == []


async def test_what_nobody_waits_for_any_more_is_cleared_away():
    """Here the price turns before the answer."""
    desk = Desk()
    await desk.turn()
    desk.world.put(docs.pool("maia", nodeGroup="maia-asg", price="500.00"))
    await desk.turn()
    assert desk.requests() == []


async def test_who_does_not_lead_asks_nothing():
    desk = Desk()
    desk.leads = False
    await desk.turn()
    assert desk.requests() == []


async def test_half_a_question_is_completed():
    desk = Desk()
    desk.world.kube.fail("create", Unavailable("later"), resource=PROVISIONING_REQUESTS)
    await desk.turn()
    assert not desk.done
    assert len(desk.world.all(POD_TEMPLATES)) == 1
    await desk.turn()
    assert desk.done
    assert len(desk.requests()) == 1


async def test_nobody_asks_where_that_is_not_wanted():
    desk = Desk()
    desk.world.standing = Standing()
    assert (await desk.turn()).probing is None
    assert desk.requests() == []


def test_requests_of_others_are_no_probes():
    probe = Probe("prod/chat", "maia", "maia-x4", 2)
    mine = request_of(probe, {"name": "chat"})
    found = probe_state(mine)
    assert found is not None
    assert found.probe == probe
    renamed = {**mine, "metadata": {**mine["metadata"], "name": "copy"}}
    assert probe_state(renamed) is None
    assert probe_state({"metadata": {"name": "a", "namespace": "b"}}) is None
    assert (
        probe_state({"metadata": {**mine["metadata"], "annotations": {"chipwise.dev/probe-for": "{"}}})
        is None
    )
    assert len(Probe(f"prod/{'x' * 253}", "p", "v", 1).name) <= 63


WHOLE: Document = {
    "initContainers": [
        {
            "name": "proxy",
            "image": "example.com/proxy:1",
            "restartPolicy": "Always",
            "env": [{"name": "SECRET", "value": "x"}],
            "resources": {"requests": {"cpu": "60", "memory": "200Gi"}},
        }
    ],
    "overhead": {"cpu": "4"},
    "resources": {"requests": {"cpu": "80"}},
    "resourceClaims": [{"name": "nic", "resourceClaimTemplateName": "nic"}],
    "volumes": [
        {"name": "model", "persistentVolumeClaim": {"claimName": "m"}},
        {"name": "shm", "emptyDir": {}},
    ],
}


def test_all_that_takes_room_on_a_node_is_asked_for():
    """Without the sidecar, the overhead or the pod's own resources the nodes that Cluster Autoscaler finds may be too small."""
    server = {
        "name": "server",
        "image": "example.com/engine:1",
        "args": ["--model"],
        "ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}],
        "resources": {"limits": {"example.com/maia": "4"}, "claims": [{"name": "nic"}]},
    }
    template = {"metadata": {"labels": {"app": "chat"}}, "spec": {**WHOLE, "containers": [server]}}
    found = template_of(Probe("prod/chat", "maia", "v", 2), template, {})["template"]["spec"]
    (sidecar,) = WHOLE["initContainers"]
    assert found["initContainers"] == [{key: value for key, value in sidecar.items() if key != "env"}]
    for key in ("overhead", "resources", "resourceClaims"):
        assert found[key] == WHOLE[key]
    assert found["volumes"] == [WHOLE["volumes"][0]]
    (container,) = found["containers"]
    assert container["resources"] == server["resources"]
    assert container["ports"] == [{"containerPort": 81, "hostPort": 81}]
    assert "args" not in container


async def test_an_answer_about_other_pods_is_no_answer():
    """The profile asks for eight chips after a yes for four: that is another wish."""
    desk = Desk()
    await desk.turn()
    (before,) = desk.requests()
    desk.world.edit(MODEL_PROFILES, "llama", lambda d: _chips(d, 8))
    desk.answers("Provisioned")
    assert (await desk.turn()).move(KEY).reason is Reason.PROBING
    (request,) = desk.requests()
    assert request["metadata"]["name"] != before["metadata"]["name"]
    (template,) = desk.world.all(POD_TEMPLATES)
    assert template["metadata"]["name"] == request["metadata"]["name"]
    (container,) = template["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["example.com/maia"] == "8"


def _chips(profile: Document, chips: int) -> None:
    for variant in profile["spec"]["variants"]:
        if variant["className"] == "maia":
            variant["chips"] = chips
