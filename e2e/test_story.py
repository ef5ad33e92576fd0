"""What people see without the log: the Events of one workload's life in order, and the columns of kubectl get."""

import json
import re
import time
from pathlib import Path

import pytest

from e2e.admin import GROUP
from e2e.authored import Setup
from e2e.person import Person
from e2e.world import World

pytestmark = pytest.mark.e2e

Told = tuple[str, str, str]


def story(world: World) -> list[Told]:
    """(kind, reason, message) of what chipwise posted in the world's namespace, as ``kubectl get events`` has it, in order of time."""
    listed = json.loads(world.kubectl("get", "events", "--sort-by=.eventTime", "-o", "json"))["items"]
    ours = [each for each in listed if each.get("reportingComponent") == "chipwise.dev/operator"]
    return [(each["involvedObject"]["kind"], each["reason"], each["message"]) for each in ours]


def of(told: list[Told], kind: str) -> list[str]:
    """The reasons of one kind's Events."""
    return [reason for which, reason, _ in told if which == kind]


def message(told: list[Told], reason: str) -> str:
    """The words of the first Event with this reason."""
    return next(text for _, which, text in told if which == reason)


@pytest.mark.setup(Setup("story", replicas=4, alternative_tpot=10, policy_stay="1h", ready_delay="4s"))
def test_the_events_of_a_life(world: World, tmp_path: Path) -> None:
    """Moved, waiting for pods, scaled, arrived, held with the reason, restored: each once, with its figures."""
    world.settled("alt", replicas=2)
    world.eventually(lambda: "Stays" in of(story(world), "InferenceWorkload"), "the move is told to its end")
    world.set_price("alt", "400.00")
    world.eventually(lambda: world.condition("Placed") == ("False", "MinimumStay"), "held")
    done = Person(world, tmp_path).restore("--timeout", "90s")
    assert done.returncode == 0, done.stdout
    world.eventually(lambda: "Restored" in of(story(world), "InferenceWorkload"), "the restore is told")
    time.sleep(3)  # for what is said twice
    told = story(world)
    print("\n".join(" ".join(each) for each in told))
    assert of(told, "Deployment") == ["Moving", "Scaled", "Scaled", "Restoring", "Restored"]
    workload = of(told, "InferenceWorkload")
    assert [each for each in workload if each != "Moved"] == [
        "MoveInProgress",
        "Arrived",
        "Stays",
        "MinimumStay",
        "Restoring",
        "Restored",
    ]
    assert workload.count("Moved") <= 1  # the next decision may overtake it; Moving is there in any case
    assert "saves" in message(told, "Moving")
    assert "0 new replicas are Ready, 4 old ones still run" in message(told, "MoveInProgress")
    assert "new replicas are Ready: scale from 4 to 2" in message(told, "Scaled")
    assert "replicas are Ready and no old one runs" in message(told, "Arrived")
    assert "stays 1 h" in message(told, "MinimumStay")


def table(world: World, resource: str, *flags: str) -> list[dict[str, str]]:
    """What kubectl get prints, a row each, by column."""
    header, *lines = world.kubectl("get", resource, *flags).splitlines()
    columns = [(found.group(), found.start()) for found in re.finditer(r"\S+", header)]
    ends = [start for _, start in columns[1:]] + [None]
    return [
        {name: line[start:end].strip() for (name, start), end in zip(columns, ends, strict=True)}
        for line in lines
    ]


def row(world: World, resource: str, name: str, *flags: str) -> dict[str, str]:
    """One object's row."""
    return next(each for each in table(world, resource, *flags) if each["NAME"] == name)


@pytest.mark.setup(Setup("columns", replicas=4, alternative_tpot=10))
def test_the_columns_tell_how_things_are(world: World) -> None:
    """Each of the five kinds in one line: whether it can be used, and why not."""
    world.settled("alt", replicas=2)
    name = world.namespace
    world.admin.merge(f"{GROUP}/acceleratorclasses/{name}-gpu", {"spec": {"resourceName": None}})
    world.eventually(
        lambda: row(world, "apool", f"{name}-gpu")["WHY"] == "ResourceNameMissing", "the pool says why"
    )
    chat = row(world, "iw", "chat")
    assert (chat["READY"], chat["POOL"], chat["VARIANT"]) == ("True", f"{name}-alt", "alt")
    assert (chat["REPLICAS"], chat["WHY"]) == ("2", "Stays")
    assert float(chat["$/H"]) == 10.0
    pool = row(world, "apool", f"{name}-alt")
    assert (pool["PRICE"], pool["NODES"], pool["FREE"], pool["READY"]) == ("10.00", "5", "32", "True")
    chip = row(world, "aclass", f"{name}-gpu")
    assert (chip["RESOURCE"], chip["READY"], chip["WHY"]) == ("", "False", "ResourceNameMissing")
    profile = row(world, "mprofile", name)
    assert (profile["MODEL"], profile["VARIANTS"], profile["WORKLOADS"], profile["READY"]) == (
        "example/small",
        "2",
        "1",
        "True",
    )
    policy = row(world, "ppolicy", name)
    assert (policy["MOVES"], policy["FROZEN"], policy["WORKLOADS"]) == ("1", "false", "1")
