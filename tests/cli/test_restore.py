"""``chipwise restore`` asks by an annotation and reads the answer from status; ``--dry-run`` decides as the operator would."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.cli import restoring
from chipwise.cli.errors import BadInput
from chipwise.cli.foretelling import foretold, wished
from chipwise.cli.restoring import Answer, Wish, answer_of, named, waited, wish_for
from chipwise.cluster.decide import Decision, decide
from chipwise.cluster.situation import RESTORE
from chipwise.kube.errors import Conflict, Forbidden, Unavailable
from chipwise.kube.resources import INFERENCE_WORKLOADS

from tests.cli.fleet import invoke
from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World
from tests.control.carrying import until_quiet
from tests.control.test_acts import moved
from tests.kube.fake import FakeKube

WISH = Wish("prod", "chat", 1)


@pytest.fixture
def kube() -> FakeKube:
    found = FakeKube()
    found.put(INFERENCE_WORKLOADS, docs.workload())
    return found


def kept(kube: FakeKube) -> dict[str, str]:
    metadata = kube.peek(INFERENCE_WORKLOADS, "prod", "chat")["metadata"]
    return dict(metadata.get("annotations") or {})


def says(status: str, reason: str, message: str = "so it is", generation: int = 1) -> Document:
    """The condition Restored."""
    condition = {"type": "Restored", "status": status, "reason": reason, "message": message}
    return {"conditions": [{**condition, "observedGeneration": generation}]}


def document(status: Document | None = None, **metadata: Any) -> Document:
    found = docs.workload()
    found["metadata"] |= {"annotations": {RESTORE: "1"}, **metadata}
    return {**found, "status": status or {}}


# asking


async def test_the_wish_is_the_generation_and_other_annotations_stay(kube: FakeKube):
    assert await wish_for(kube, "prod", "chat") == WISH
    assert kept(kube) == {RESTORE: "1"}
    kube.put(INFERENCE_WORKLOADS, {**docs.workload(rate="11.0"), "metadata": {"name": "chat", "namespace": "prod", "annotations": {"a": "b"}}})  # fmt: skip
    assert (await wish_for(kube, "prod", "chat")).generation == 2
    assert kept(kube) == {"a": "b", RESTORE: "2"}


async def test_a_wish_that_is_there_is_not_written_again(kube: FakeKube):
    await wish_for(kube, "prod", "chat")
    kube.calls.clear()
    await wish_for(kube, "prod", "chat")
    assert kube.writes == []


async def test_a_spec_that_changes_under_our_hands_is_read_again(kube: FakeKube):
    kube.fail("json_patch", Conflict("changed"), times=2)
    assert await wish_for(kube, "prod", "chat") == WISH
    kube.fail("json_patch", Conflict("changed"), times=99)
    kube.put(INFERENCE_WORKLOADS, docs.workload(rate="12.0"))
    with pytest.raises(BadInput, match="keeps changing"):
        await wish_for(kube, "prod", "chat")


async def test_what_is_not_there_is_said(kube: FakeKube):
    with pytest.raises(BadInput, match="no InferenceWorkload prod/none"):
        await wish_for(kube, "prod", "none")


@pytest.mark.parametrize(("verb", "right"), [("get", "get and patch"), ("json_patch", "to patch")])
async def test_a_missing_right_is_named(kube: FakeKube, verb: str, right: str):
    kube.fail(verb, Forbidden("no"))
    with pytest.raises(BadInput, match=right):
        await wish_for(kube, "prod", "chat")


@pytest.mark.parametrize(
    ("workload", "namespace", "key"),
    [
        ("prod/chat", None, ("prod", "chat")),
        ("chat", "prod", ("prod", "chat")),
        ("prod/chat", "prod", ("prod", "chat")),
    ],
)
def test_a_workload_is_named_with_its_namespace(workload: str, namespace: str | None, key: tuple[str, str]):
    assert named(workload, namespace) == key


@pytest.mark.parametrize(("workload", "flags"), [("chat", ()), ("test/chat", ("-n", "prod")), ("prod/", ())])
def test_a_workload_without_one_namespace_ends_with_2(workload: str, flags: tuple[str, ...]):
    assert invoke("restore", workload, *flags).exit_code == 2


def test_without_a_cluster_it_ends_with_2_and_a_sentence(tmp_path):
    result = invoke("restore", "prod/chat", "--kubeconfig", tmp_path / "none")
    assert result.exit_code == 2
    assert "no kubeconfig" in result.stderr


@pytest.mark.parametrize("timeout", ["soon", "10", "-5s"])
def test_a_timeout_has_a_unit(timeout: str):
    assert invoke("restore", "prod/chat", "--timeout", timeout).exit_code == 2


# the answer


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (document(), None),
        (document(says("False", "Restoring", generation=0)), None),
        (document(says("False", "Restoring")), Answer("so it is")),
        (document(says("False", "NoSurgeCapacity")), Answer("waits (NoSurgeCapacity): so it is")),
        (document(says("True", "Restored")), Answer("restored: so it is", done=True)),
        (document(annotations={}), Answer("the wish was taken back", done=False)),
    ],
)
def test_the_answer_is_the_condition_for_this_generation(found: Document, answer: Answer | None):
    assert answer_of(found, WISH) == answer


def test_an_edit_meanwhile_ends_the_wish():
    found = answer_of(document(generation=2), WISH)
    assert found is not None
    assert (found.done, "edited meanwhile" in found.said) == (False, True)


def test_a_workload_that_cannot_be_decided_about_says_why():
    refused = {"type": "Accepted", "status": "False", "reason": "ProfileMissing", "message": "no profile"}
    found = answer_of(document({"conditions": [refused]}), WISH)
    assert found == Answer("waits (ProfileMissing): no profile")


# waiting


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "_POLL", 0.001)


class Operator:
    """Answers the second question, and so on, with what it was told."""

    def __init__(self, kube: FakeKube, *answers: Document | Exception) -> None:
        self.kube, self.answers = kube, list(answers)
        kube.pause = self.step

    async def step(self, _: object) -> None:
        if not self.answers:
            return
        answer = self.answers.pop(0)
        if isinstance(answer, Unavailable):
            self.kube.fail("get", answer)
        else:
            known = self.kube.peek(INFERENCE_WORKLOADS, "prod", "chat")
            self.kube.put(INFERENCE_WORKLOADS, {**known, "status": answer})


@pytest.mark.usefixtures("quick")
async def test_what_changes_is_said_once_and_the_end_is_awaited(kube: FakeKube, capsys):
    wish = await wish_for(kube, "prod", "chat")
    held, going = says("False", "ConcurrencyBudget", "one at a time"), says("False", "Restoring", "goes back")
    Operator(
        kube, {}, held, held, Unavailable("later"), going, says("True", "Restored", "as its author wrote it")
    )
    assert await waited(kube, [wish], 10.0)
    assert capsys.readouterr().out.splitlines() == [
        "prod/chat: waits (ConcurrencyBudget): one at a time",
        "prod/chat: goes back",
        "prod/chat: restored: as its author wrote it",
    ]


@pytest.mark.usefixtures("quick")
async def test_what_is_not_done_in_time_says_how_to_take_the_wish_back(kube: FakeKube, capsys, monkeypatch):
    monkeypatch.setattr(restoring, "_SILENCE", 0.0)
    wish = await wish_for(kube, "prod", "chat")
    assert not await waited(kube, [wish], 0.02)
    silent, over = capsys.readouterr().out.splitlines()
    assert "is the operator running?" in silent
    assert "kubectl annotate iw -n prod chat chipwise.dev/restore-" in over


@pytest.mark.usefixtures("quick")
async def test_a_workload_that_is_deleted_meanwhile_is_not_restored_by_this(kube: FakeKube, capsys):
    wish = await wish_for(kube, "prod", "chat")
    kube.drop(INFERENCE_WORKLOADS, "prod", "chat")
    assert not await waited(kube, [wish], 10.0)
    assert "was deleted meanwhile" in capsys.readouterr().out


# --dry-run


def decided(world: World) -> Decision:
    return decide(wished(world.snapshot(), ["prod/chat"]), now=world.now)


def test_a_dry_run_says_what_would_go_where():
    assert foretold(decided(moved()), "prod/chat") == (
        "Goes back from maia-x4 on maia to what its author wrote, as was asked for; there is room for both copies"
    )


def test_a_dry_run_says_what_is_in_the_way():
    world = moved(docs.pool("h100", nodes={"max": 1}), docs.policy(minimumStay="0s"))
    for number in range(2):
        world.put(docs.pod(f"f{number}", on=f"h100-{number}", chips=6))
    said = foretold(decided(world), "prod/chat")
    assert said.startswith("would wait (NoSurgeCapacity): Is to go back to what its author wrote: its 2 x 4")


def test_a_dry_run_of_what_was_never_moved():
    assert foretold(decided(World.standard()), "prod/chat").startswith("runs as its author wrote it")


def test_a_dry_run_of_what_cannot_be_decided_about():
    world = moved()
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(modelProfileName="none"))
    assert "would wait (ProfileMissing)" in foretold(decided(world), "prod/chat")


def test_a_dry_run_of_what_is_not_there_names_the_known_ones():
    with pytest.raises(BadInput, match="the known ones are prod/chat"):
        wished(moved().snapshot(), ["prod/none"])


def test_a_dry_run_changes_nothing():
    world = moved()
    decided(world)
    assert until_quiet(world) == []
