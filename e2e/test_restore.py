"""``chipwise restore`` by a person who owns the workload: the author's own ReplicaSet, nothing lost, and left there until an edit."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.authored import MINE, NVIDIA, Document, Setup
from e2e.person import Person, typed
from e2e.world import World

pytestmark = pytest.mark.e2e


@pytest.fixture
def person(world: World, tmp_path: Path) -> Person:
    return Person(world, tmp_path)


def reasons(world: World) -> list[str]:
    """Of the decisions in status, oldest first."""
    return [each["reason"] for each in reversed(world.status()["decisions"])]


@pytest.mark.setup(Setup("restore", replicas=4, alternative_tpot=10))
def test_the_authors_deployment_comes_back_and_stays(world: World, person: Person) -> None:
    """From two replicas to the author's four. The status says so; nothing is written any more until the spec is edited."""
    world.settled("alt", replicas=2)
    before = world.revisions()[0].document
    done = person.restore("--timeout", "90s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Goes back from alt on" in done.stdout
    assert f"{world.namespace}/chat: restored: runs as its author wrote it" in done.stdout

    found = world.restored()
    assert found["spec"] == before["spec"]
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()
    assert world.condition("Restored") == ("True", "Restored")
    assert world.condition("Ready") == ("False", "Restored")
    assert reasons(world)[-2:] == ["Restoring", "Restored"]

    count = len(world.writes())
    time.sleep(5)
    assert len(world.writes()) == count
    assert world.is_on("gpu")
    again = person.restore("--timeout", "30s")
    assert (again.returncode, len(world.writes())) == (0, count)

    world.edit_workload(replicas={"min": 2})
    world.settled("alt")
    assert world.condition("Restored") == ("", "")
    world.nothing_lost()


@pytest.fixture
def crowded(world: World) -> Iterator[None]:
    """Other people's pods hold every chip of the author's pool that is left."""
    name = f"{world.namespace}-others"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {MINE: name}}}
    world.kubectl_apply(namespace)
    for number in range(5):
        world.cluster.run_kubectl("apply", "-f", "-", stdin=_foreign(world, name, number))
    yield
    world.cluster.run_kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def _foreign(world: World, namespace: str, number: int) -> str:
    document: Document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"foreign-{number}", "namespace": namespace},
        "spec": {
            "nodeName": f"{world.namespace}-gpu-{number}",
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "c", "image": "example/other:1", "resources": {"limits": {NVIDIA: "7"}}}],
        },
    }
    return json.dumps(document)


@pytest.mark.setup(Setup("restore-full"))
@pytest.mark.usefixtures("crowded")
def test_without_room_it_waits_and_says_so(world: World, person: Person) -> None:
    """--dry-run foretells it, the command gives up in time, the wish stands, and the restore follows when there is room."""
    foretold = typed(world.cluster.kubeconfig, "restore", f"{world.namespace}/chat", "--dry-run")
    assert foretold.returncode == 1, foretold.stdout + foretold.stderr
    assert "would wait (NoSurgeCapacity)" in foretold.stdout
    assert "chipwise.dev/restore" not in world.kubectl("get", "iw", "chat", "-o", "yaml")

    count = len(world.writes())
    done = person.restore("--timeout", "6s")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "waits (NoSurgeCapacity)" in done.stdout
    assert "The wish stands" in done.stdout
    assert world.condition("Restored") == ("False", "NoSurgeCapacity")
    assert world.condition("Placed") == ("False", "NoSurgeCapacity")
    assert f"{world.namespace}-gpu has room for 0" in world.conditions()["Restored"]["message"]
    assert len(world.writes()) == count
    assert world.is_on("alt")

    world.cluster.run_kubectl("delete", "pods", "--all", "-n", f"{world.namespace}-others")
    world.restored()
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()


@pytest.mark.setup(Setup("restore-orphan-full"))
@pytest.mark.usefixtures("crowded")
def test_one_whose_workload_is_gone_waits_for_room_too(world: World) -> None:
    """What serves goes on, an Event on the Deployment says why, and it goes back when there is room."""
    count = len(world.writes())
    world.kubectl("delete", "iw", "chat")
    told = (
        "events",
        "-o",
        "jsonpath={.items[?(@.reason=='RestoreHeld')].note}{.items[?(@.reason=='RestoreHeld')].message}",
    )
    world.eventually(
        lambda: f"{world.namespace}-gpu has room for 0" in world.kubectl("get", *told), "the Event"
    )
    assert len(world.writes()) == count
    assert world.is_on("alt")
    world.cluster.run_kubectl("delete", "pods", "--all", "-n", f"{world.namespace}-others")
    world.restored()
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()


@pytest.mark.setup(Setup("restore-off"))
def test_off_does_not_stand_in_its_way(world: World, person: Person) -> None:
    """Off leaves what runs; a person who asks is obeyed all the same. Without waiting the command only asks."""
    world.edit_workload(mode="Off")
    world.eventually(lambda: world.condition("Ready")[0] == "True", "Off is seen")
    assert typed(world.cluster.kubeconfig, "restore", f"{world.namespace}/chat", "--dry-run").returncode == 0
    done = person.restore("--no-wait")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    world.restored()
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()


@pytest.mark.setup(Setup("restore-rights"))
def test_what_a_person_may_not_do_is_named(world: World, person: Person) -> None:
    """Exit code 2 and a sentence, for a workload of another namespace and for a look at the whole cluster."""
    other = person.chipwise("restore", "default/chat", "--no-wait")
    assert other.returncode == 2
    assert "ask for the rights to get and patch inferenceworkloads" in other.stderr
    assert person.restore("--dry-run").returncode == 2
    assert world.is_on("alt")
