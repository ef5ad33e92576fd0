"""The author stays the author: what happens when somebody writes over a managed Deployment, in every usual way."""

import json
import time

import pytest

from e2e.authored import ALT_IMAGE, FOREIGN, NEWER, NVIDIA, Setup
from e2e.cluster.errors import CommandError
from e2e.staging import case
from e2e.world import World, rate, server

pytestmark = pytest.mark.e2e

HEALED_WITHIN = 5.0
#: Of capacity that a stated strategy took: until the heal, until a new pod is Ready (2 s here), and three more for scheduler and
#: controllers on a busy machine. docs/gitops.md has this figure.
SERVES_AGAIN_WITHIN = HEALED_WITHIN + 2.0 + 3.0
CLIENT: tuple[str, ...] = ()
FORCE = ("--server-side", "--force-conflicts")


def base_image(world: World) -> str:
    """The serving container's image in what chipwise keeps of the author's."""
    base = json.loads(world.deployment()["metadata"]["annotations"]["chipwise.dev/base"])
    return str(server(base["template"])["image"])


def healed(world: World, *flags: str) -> float:
    """Apply the unchanged file, wait for the heal; seconds from the write that broke it to the one that mended it."""
    rendered, served = world.deployment()["spec"]["template"], world.hashes()
    moment = world.author_applies(*flags)

    def mended() -> float | None:
        seen = world.revisions(moment)
        broken = next((r.moment for r in seen if r.template != rendered), None)
        if broken is None or seen[-1].template != rendered:
            return None
        return next(r.moment for r in seen if r.moment > broken and r.template == rendered) - broken

    seconds = world.eventually(mended, "healed")
    world.settled("alt")
    assert world.hashes() == served
    return float(seconds or 0)


@pytest.mark.parametrize(
    "flags",
    [
        case(Setup("heal-client-cross", replicas=4), CLIENT),
        case(Setup("heal-client-vendor", replicas=4, alternative=NVIDIA), CLIENT),
        case(Setup("heal-force-cross", replicas=4, server_side=True), FORCE),
        case(Setup("heal-force-vendor", replicas=4, server_side=True, alternative=NVIDIA), FORCE),
    ],
)
def test_the_unchanged_file_is_healed(world: World, flags: tuple[str, ...]) -> None:
    """Within 5 s the rendering is back, in the ReplicaSet that served all the time; nothing that serves is lost."""
    seconds = healed(world, *flags)
    print(f"{world.setup.name}: healed after {seconds:.2f} s")
    assert seconds < HEALED_WITHIN
    world.told("Ready", "True", "Placed")
    world.nothing_lost()


@pytest.mark.parametrize(
    "alternative",
    [
        case(Setup("plain-cross", server_side=True), "amd"),
        case(Setup("plain-vendor", server_side=True, alternative=NVIDIA), "nvidia"),
    ],
)
def test_a_plain_server_side_apply_is_refused(world: World, alternative: str) -> None:
    """The API server names chipwise as the one in the way, and nothing changes."""
    before = (world.deployment()["spec"], len(world.writes()))
    with pytest.raises(CommandError, match=r"(?s)conflict.*chipwise"):
        world.author_applies()
    time.sleep(1)
    assert (world.deployment()["spec"], len(world.writes())) == before
    world.nothing_lost()


@pytest.mark.parametrize(
    "flags",
    [
        case(Setup("image-own-client"), CLIENT),
        case(Setup("image-own-force", server_side=True), FORCE),
        case(Setup("image-own-vendor", alternative=NVIDIA), CLIENT),
    ],
)
def test_a_new_image_becomes_the_base(world: World, flags: tuple[str, ...]) -> None:
    """Where the variant has its own image it goes on serving, and a restore brings the author's new one."""
    served = world.hashes()
    world.author_applies(*flags, image=NEWER)
    world.eventually(lambda: base_image(world) == NEWER, "the base holds the new image")
    deployment = world.settled("alt")
    assert server(deployment["spec"]["template"])["image"] == ALT_IMAGE
    assert world.hashes() == served
    assert "VariantOutdated" not in world.conditions()

    world.delete_workload()
    assert server(world.restored()["spec"]["template"])["image"] == NEWER
    world.nothing_lost()


@pytest.mark.parametrize(
    "flags",
    [
        case(Setup("image-kept-client", own_image=False), CLIENT),
        case(Setup("image-kept-force", own_image=False, server_side=True), FORCE),
        case(Setup("image-kept-vendor", own_image=False, alternative=NVIDIA), CLIENT),
    ],
)
def test_a_new_image_survives(world: World, flags: tuple[str, ...]) -> None:
    """Where the variant has no image of its own, the author's new one is what runs on the new chip."""
    world.author_applies(*flags, image=NEWER)
    world.eventually(lambda: base_image(world) == NEWER, "the base holds the new image")
    deployment = world.settled("alt")
    assert server(deployment["spec"]["template"])["image"] == NEWER
    world.nothing_lost()


@pytest.mark.setup(Setup("outdated-hold"))
def test_an_image_the_variant_was_not_made_for_is_held(world: World) -> None:
    """Hold: the old variant goes on serving and VariantOutdated says so; the new image is kept as the base."""
    served = world.hashes()
    world.author_applies(image=FOREIGN)
    world.eventually(
        lambda: world.condition("VariantOutdated") == ("True", "VariantOutdated"), "VariantOutdated"
    )
    world.eventually(lambda: world.is_on("alt"), "still served")
    assert world.hashes() == served
    assert base_image(world) == FOREIGN
    assert FOREIGN in world.conditions()["VariantOutdated"]["message"]
    world.nothing_lost()


@pytest.mark.setup(Setup("outdated-return", outdated="ReturnToAuthor"))
def test_an_image_the_variant_was_not_made_for_returns(world: World) -> None:
    """ReturnToAuthor: the author's Deployment runs on the author's chip with the new image, and stays there."""
    world.author_applies(image=FOREIGN)
    deployment = world.restored()
    assert server(deployment["spec"]["template"])["image"] == FOREIGN
    assert server(deployment["spec"]["template"])["resources"]["limits"] == {NVIDIA: "2"}
    world.eventually(lambda: world.condition("Placed") == ("True", "Placed"), "settled where the author is")
    assert world.is_on("gpu")
    world.nothing_lost()


@pytest.mark.setup(Setup("undo"))
def test_an_undo_is_respected(world: World) -> None:
    """After kubectl rollout undo the author's chip serves, Paused says so, nothing is written for 10 s; an edit resumes."""
    world.kubectl("rollout", "undo", "deployment/chat")
    world.eventually(lambda: world.condition("Paused") == ("True", "Undone"), "Paused")
    world.eventually(lambda: world.is_on("gpu"), "back on the author's chip")
    before = len(world.writes())
    time.sleep(10)
    assert len(world.writes()) == before
    assert world.hashes() == {world.author_hash}

    world.edit_workload(replicas={"min": 2})
    world.settled("alt")
    assert world.condition("Paused")[0] in ("", "False")
    world.nothing_lost()


@pytest.mark.setup(Setup("undo-ours"))
def test_an_undo_to_an_earlier_move_is_respected(world: World) -> None:
    """Moved away and back by price, undone by hand: the earlier rendering's older record is no less an undo, and still knows the author."""
    world.set_price("alt", "400.00")
    world.settled("gpu")
    world.kubectl("rollout", "undo", "deployment/chat")
    world.eventually(lambda: world.condition("Paused") == ("True", "Undone"), "Paused")
    world.eventually(lambda: world.is_on("alt"), "the earlier move's chip serves")
    before = len(world.writes())
    time.sleep(3)
    assert len(world.writes()) == before

    world.delete_workload()
    world.restored()
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()


@pytest.mark.setup(Setup("damage"))
def test_an_edited_record_is_told_as_what_it_is(world: World) -> None:
    """Not as an undo: nothing is written, the author's file is not taken for a new base, and what is said to mend it does."""
    world.kubectl("annotate", "--overwrite", "deployment/chat", "chipwise.dev/base={}")
    message = world.told("RecordDamaged", "True", "RecordDamaged")
    assert "chipwise.dev/base" in message
    assert f"kubectl rollout undo deployment/chat -n {world.namespace}" in message
    assert world.condition("Ready") == ("False", "RecordDamaged")
    assert world.event("RecordDamaged")["note"] == message
    assert world.condition("Paused")[0] in ("", "False")
    before = len(world.writes())
    world.author_applies()
    time.sleep(3)
    assert world.condition("RecordDamaged") == ("True", "RecordDamaged")
    assert len(world.writes()) == before

    world.kubectl("rollout", "undo", "deployment/chat", "--to-revision=1")
    world.eventually(lambda: world.condition("Paused") == ("True", "Undone"), "Paused")
    world.eventually(lambda: world.is_on("gpu"), "the author's chip serves", 40)
    assert world.condition("RecordDamaged") == ("", "")
    assert world.hashes() == {world.author_hash}
    world.edit_workload(replicas={"min": 2})
    world.settled("alt")
    world.told("Ready", "True", "Placed")


EDITS = {
    "restart": ("rollout", "restart", "deployment/chat"),
    "set-env": ("set", "env", "deployment/chat", "--containers=server", "LOG_LEVEL=debug"),
    "set-image": ("set", "image", "deployment/chat", f"server={NEWER}"),
}


@pytest.mark.parametrize(
    "command", [case(Setup(f"edit-{name}", own_image=False), command) for name, command in EDITS.items()]
)
def test_an_edit_by_hand_survives(world: World, command: tuple[str, ...]) -> None:
    """What the author changes on the managed Deployment is rolled out on the new chip and becomes part of the base."""
    served = world.hashes()
    world.kubectl(*command)
    world.eventually(lambda: not served & world.hashes(), "new pods")
    template = world.settled("alt")["spec"]["template"]
    base = json.loads(world.deployment()["metadata"]["annotations"]["chipwise.dev/base"])["template"]
    for found in (template, base):
        variables = {variable["name"]: variable.get("value") for variable in server(found)["env"]}
        match command[1]:
            case "restart":
                assert "kubectl.kubernetes.io/restartedAt" in found["metadata"]["annotations"]
            case "env":
                assert variables["LOG_LEVEL"] == "debug"
            case _:
                assert server(found)["image"] == NEWER
    world.nothing_lost()


@pytest.mark.setup(Setup("tug"))
def test_a_tug_of_war_ends(world: World) -> None:
    """The third re-assertion within ten minutes is healed and Contested says so; the fourth is left, and what serves goes on."""
    for _ in range(3):
        healed(world)
    world.eventually(lambda: world.condition("Contested") == ("True", "Contested"), "Contested")
    before = len(world.writes())
    world.author_applies()
    time.sleep(4)
    assert len(world.writes()) == before
    world.told("Ready", "False", "Contested")
    world.nothing_lost()


@pytest.mark.parametrize(
    "pods_lost",
    [
        case(Setup("stated-replicas", replicas=4, stated_replicas=True), 0),
        case(Setup("stated-replicas-fewer", replicas=4, stated_replicas=True, alternative_tpot=10), 0),
        case(Setup("stated-quarter", replicas=4, strategy="25%"), 1),
        case(Setup("stated-quarter-vendor", replicas=4, strategy="25%", alternative=NVIDIA), 1),
        case(Setup("stated-recreate", replicas=4, strategy="Recreate"), 4),
        case(Setup("stated-recreate-vendor", replicas=4, strategy="Recreate", alternative=NVIDIA), 4),
    ],
)
def test_what_a_stated_field_costs(world: World, pods_lost: int) -> None:
    """docs/gitops.md has these figures: a file that states a strategy takes it back with the template, and pods go before the heal.

    So many of four, and never more; and they serve again in time.
    """
    moment = world.author_applies()
    rendered = world.revisions(moment)[0].template
    world.eventually(
        lambda: len(world.revisions(moment)) > 2 and world.revisions()[-1].template == rendered, "healed"
    )
    world.settled("alt")
    mended = world.revisions()[-1].document["spec"]["strategy"]["rollingUpdate"]
    assert mended["maxUnavailable"] == 0
    dips = world.log.dips(world.demand, moment)
    lost = sum(dip.seconds for dip in dips)
    lowest = min((dip.lowest for dip in dips), default=world.demand)
    print(f"{world.setup.name}: {lost:.2f} s below the demand of {world.demand:g}/s, lowest {lowest:.1f}/s")
    if not pods_lost:
        assert not dips
        return
    assert lowest == pytest.approx((4 - pods_lost) * rate(world.setup.tpot))
    assert lost <= SERVES_AGAIN_WITHIN


@pytest.mark.setup(Setup("ownership"))
def test_ownership_is_written_down(world: World) -> None:
    """What chipwise set is under its field manager; what it took away is nobody's, so a GitOps tool must be told of it by path."""
    found = world.deployment()["metadata"]["managedFields"]
    ours = json.dumps([entry["fieldsV1"] for entry in found if entry["manager"] == "chipwise"])
    for name in ("f:image", "f:args", "f:affinity", "f:tolerations", "f:amd.com/gpu", "f:strategy"):
        assert name in ours
    every = json.dumps([entry["fieldsV1"] for entry in found])
    for name in ("f:nodeSelector", "f:nvidia.com/gpu"):
        assert name not in every
