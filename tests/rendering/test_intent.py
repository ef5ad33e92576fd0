"""A foreign write over our rendering reads as what the author meant by it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from chipwise.rendering.defaults import normalise
from chipwise.rendering.intent import author_intent
from chipwise.rendering.manifest import Document, Manifest
from chipwise.rendering.render import render
from chipwise.rendering.target import Target
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.rendering.applying import NewEntries, applied
from tests.rendering.authors import author_files, targets
from tests.rendering.builders import amd, llama, llama_file, manifest, serving


def _mixable(base: Manifest, target: Target) -> bool:
    """The API server refuses an env entry with both value and valueFrom, so such an apply never gets through."""
    given_names = {name for name, _ in target.patch.env}
    return all("valueFrom" not in v or v["name"] not in given_names for v in serving(base).get("env", []))


@given(author_files(), targets())
def test_our_own_rendering_means_the_base(file: Manifest, target: Target):
    """Reading what we wrote ourselves changes nothing."""
    base = normalise(file)
    rendered = render(base, target)
    assert author_intent(rendered, rendered, base) == base


@given(author_files(), targets(), st.sampled_from(NewEntries))
def test_the_unchanged_file_applied_again_means_the_base(
    file: Manifest, target: Target, placement: NewEntries
):
    """The mixture that a client-side apply leaves (both vendors' resources among it) is healed to the very same rendering."""
    base = normalise(file)
    assume(_mixable(base, target))
    rendered = render(base, target)
    mixture = applied(rendered, file, file, placement)
    intent = author_intent(mixture, rendered, base)
    assert intent == base
    assert render(intent, target) == rendered


@given(author_files(), targets())
def test_the_authors_file_put_in_place_means_the_base(file: Manifest, target: Target):
    """kubectl replace, and a restore by hand."""
    base = normalise(file)
    assert author_intent(base, render(base, target), base) == base


def _new_image(container: Document) -> None:
    container["image"] = "vllm/vllm-openai:v0.12.0"


def _new_variable(container: Document) -> None:
    container.setdefault("env", []).append({"name": "NEW", "value": "1"})


def _new_args(container: Document) -> None:
    container["args"] = ["--model", "other", "--max-num-seqs", "64"]


def _more_memory(container: Document) -> None:
    container["resources"]["limits"]["memory"] = "300Gi"


def _more_chips(container: Document) -> None:
    container["resources"]["limits"]["nvidia.com/gpu"] = "16"
    if "nvidia.com/gpu" in container["resources"].get("requests", {}):
        container["resources"]["requests"]["nvidia.com/gpu"] = "16"


_CHANGES = [_new_image, _new_variable, _new_args, _more_memory, _more_chips]


@given(
    author_files(),
    targets(),
    st.lists(st.sampled_from(_CHANGES), min_size=1, unique=True),
    st.sampled_from(NewEntries),
)
def test_a_changed_file_means_what_it_would_have_made_of_the_base(
    file: Manifest,
    target: Target,
    changes: list[Callable[[Document], None]],
    placement: NewEntries,
):
    """As if chipwise had never been there: a new image in the file is never lost."""
    base = normalise(file)
    assume(_mixable(base, target))
    rendered = render(base, target)
    new = deepcopy(file)
    for change in changes:
        change(serving(new))
    expected = applied(base, file, new)
    intent = author_intent(applied(rendered, file, new, placement), rendered, base)
    if placement is NewEntries.IN_FILE_ORDER:
        assert intent == expected
    else:
        assert _sorted_env(intent) == _sorted_env(expected)


def _sorted_env(content: Manifest) -> Manifest:
    result = deepcopy(content)
    serving(result).get("env", []).sort(key=lambda entry: entry["name"])
    return result


@given(author_files(), targets())
def test_a_restart_adds_its_annotation_and_needs_no_heal(file: Manifest, target: Target):
    """kubectl rollout restart."""
    base = normalise(file)
    rendered = render(base, target)
    current = deepcopy(rendered)
    current.template["metadata"].setdefault("annotations", {})["kubectl.kubernetes.io/restartedAt"] = "now"
    intent = author_intent(current, rendered, base)
    expected = deepcopy(base)
    expected.template["metadata"].setdefault("annotations", {})["kubectl.kubernetes.io/restartedAt"] = "now"
    assert intent == expected
    assert render(intent, target) == current


def test_set_resources_changes_the_base_and_needs_no_heal():
    """kubectl set resources --limits=memory=300Gi --requests=cpu=20."""
    base, target = llama(), amd()
    rendered = render(base, target)
    current = deepcopy(rendered)
    serving(current)["resources"]["limits"]["memory"] = "300Gi"
    serving(current)["resources"]["requests"]["cpu"] = "20"
    intent = author_intent(current, rendered, base)
    assert serving(intent)["resources"] == {
        "limits": {"nvidia.com/gpu": "4", "memory": "300Gi"},
        "requests": {"cpu": "20"},
    }
    assert render(intent, target) == current


def test_set_env_adds_to_the_base_where_it_stands_in_the_authors_order():
    """kubectl set env adds last, after the variant's; in the base it follows the author's last."""
    base, target = llama(), amd()
    rendered = render(base, target)
    current = deepcopy(rendered)
    serving(current)["env"].append({"name": "NEW", "value": "1"})
    serving(current)["env"][0]["value"] = "/elsewhere"
    names = [(v["name"], v["value"]) for v in serving(author_intent(current, rendered, base))["env"]]
    assert names == [
        ("CACHE", "/elsewhere"),
        ("NCCL_DEBUG", "WARN"),
        ("HF_HOME", "$(CACHE)/hf"),
        ("NEW", "1"),
    ]


def test_what_the_author_takes_away_is_gone_from_the_base():
    """A variable, a toleration and a probe of the author's, deleted in an editor."""
    base = llama()
    rendered = render(base, amd())
    current = deepcopy(rendered)
    del serving(current)["readinessProbe"]
    serving(current)["env"] = [v for v in serving(current)["env"] if v["name"] != "HF_HOME"]
    tolerations = current.template["spec"]["tolerations"]
    current.template["spec"]["tolerations"] = [t for t in tolerations if t["key"] != "team"]
    intent = author_intent(current, rendered, base)
    assert "readinessProbe" not in serving(intent)
    assert [v["name"] for v in serving(intent)["env"]] == ["CACHE", "NCCL_DEBUG"]
    assert [t["key"] for t in intent.template["spec"]["tolerations"]] == ["nvidia.com/gpu"]


def test_tolerations_written_anew_are_the_authors_whole_list():
    """One list to kubectl apply: the chip's toleration that is missing from it was dropped by the author."""
    file, new = llama_file(), llama_file()
    new["spec"]["tolerations"] = [{"key": "team", "operator": "Exists"}]
    base = manifest(file)
    rendered = render(base, amd())
    mixture = applied(rendered, Manifest(file, {}), Manifest(new, {}))
    assert author_intent(mixture, rendered, base).template["spec"]["tolerations"] == [
        {"key": "team", "operator": "Exists"}
    ]


def test_a_new_order_of_variables_is_the_authors():
    """Order decides what $(NAME) sees."""
    base = llama()
    rendered = render(base, amd())
    current = deepcopy(rendered)
    serving(current)["env"].reverse()
    names = [v["name"] for v in serving(author_intent(current, rendered, base))["env"]]
    assert names.index("HF_HOME") < names.index("CACHE")
    assert sorted(names) == ["CACHE", "HF_HOME", "NCCL_DEBUG"]


def test_a_rolling_update_written_over_a_recreate_base_is_whole():
    """Read field by field it would be neither one nor the other."""
    base = manifest(llama_file(), {"type": "Recreate"})
    rendered = render(base, amd())
    current = Manifest(
        rendered.template, {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 2}}
    )
    strategy = author_intent(current, rendered, base).strategy
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 2}}


@pytest.mark.parametrize("handler", [{"exec": {"command": ["true"]}}, {"tcpSocket": {"port": 1}}])
def test_a_probe_keeps_one_handler(handler: dict[str, Any]):
    """The author's new handler displaces the one in the base."""
    base = llama()
    rendered = render(base, amd())
    current = deepcopy(rendered)
    del serving(current)["readinessProbe"]["httpGet"]
    serving(current)["readinessProbe"] |= handler
    probe = serving(author_intent(current, rendered, base))["readinessProbe"]
    assert {key: probe[key] for key in probe if key in ("exec", "httpGet", "tcpSocket")} == handler


def test_the_inputs_are_left_alone():
    base = llama()
    rendered = render(base, amd())
    current = applied(rendered, Manifest(llama_file(), {}), Manifest(llama_file(), {}))
    before = deepcopy((current, rendered, base))
    intent = author_intent(current, rendered, base)
    serving(intent)["env"].clear()
    assert (current, rendered, base) == before


def test_the_mixture_that_is_healed_holds_both_vendors_chips():
    """Measured on a real API server: such pods run nowhere."""
    rendered = render(llama(), amd())
    mixture = applied(rendered, Manifest(llama_file(), {}), Manifest(llama_file(), {}))
    assert set(serving(mixture)["resources"]["limits"]) == {"nvidia.com/gpu", "amd.com/gpu", "memory"}
    assert "nvidia.com/gpu.product" in mixture.template["spec"]["nodeSelector"]
    assert serving(mixture)["image"] == "vllm/vllm-openai:v0.11.0"
