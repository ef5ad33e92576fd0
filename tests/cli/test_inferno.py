"""``chipwise import inferno``: the sample of llm-inferno through the public path, and folders that are broken."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.fleet import INFERNO, invoke, planned


@pytest.fixture
def folder(tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(INFERNO, tmp_path / "sample")


@pytest.fixture
def fleet(tmp_path):
    path = tmp_path / "fleet.yaml"
    assert invoke("import", "inferno", INFERNO, "-o", path).exit_code == 0
    return path


def edit(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Let ``change`` alter the document of one file in place."""
    path = folder / f"{name}-data.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def imported(folder: Path, *flags: str) -> list[Any]:
    result = invoke("import", "inferno", folder, *flags)
    assert result.exit_code == 0, result.output
    return list(yaml.safe_load_all(result.stdout))


def named(documents: list[Any], kind: str) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in documents if each["kind"] == kind}


def test_the_optimum_is_found_and_proven(fleet):
    """35,767 cents an hour, where the sample's own answer is 39,743."""
    summary = planned(fleet)["summary"]
    assert float(summary["costPerHour"]) == pytest.approx(357.67, abs=0.01)
    assert float(summary["lowerBoundPerHour"]) == pytest.approx(357.67, abs=0.01)
    assert (summary["optimal"], summary["placed"], summary["unplaced"]) == (True, 15, 0)


def test_without_limits_the_optimum_is_lower(tmp_path):
    invoke("import", "inferno", INFERNO, "--unlimited", "-o", tmp_path / "fleet.yaml")
    summary = planned(tmp_path / "fleet.yaml")["summary"]
    assert float(summary["costPerHour"]) == pytest.approx(333.27, abs=0.01)
    assert summary["optimal"] is True


def test_optimizer_data_may_lift_the_limits_too(folder):
    edit(folder, "optimizer", lambda document: document["optimizer"].update(unlimited=True))
    assert imported(INFERNO, "--unlimited") == imported(folder)


def test_optimizer_data_may_be_missing(folder):
    (folder / "optimizer-data.json").unlink()
    assert imported(INFERNO) == imported(folder)


def test_every_workload_is_within_the_itl_and_ttft_of_its_class(fleet):
    classes = json.loads((INFERNO / "serviceclass-data.json").read_text())["serviceClasses"]
    targets = {
        f"{service['name']}-{target['model']}".lower().replace("_", "-"): target
        for service in classes
        for target in service["modelTargets"]
    }
    workloads = planned(fleet)["workloads"]
    assert len(workloads) == 15
    for workload in workloads:
        (found,) = workload["placements"]
        target = targets[workload["name"]]
        assert found["tpotMilliseconds"] <= target["slo-itl"]
        assert found["ttftMilliseconds"] <= target["slo-ttft"]
        assert found["provenance"] == "Fitted"


def test_shuffled_documents_give_the_same_bytes(fleet, tmp_path):
    documents = list(yaml.safe_load_all(fleet.read_text()))
    texts = set()
    for seed in range(3):
        random.Random(seed).shuffle(documents)
        path = tmp_path / f"{seed}.yaml"
        path.write_text(yaml.safe_dump_all(documents))
        texts.add(re.sub(r'"solveSeconds": .*', "", invoke("plan", "-f", path, "-o", "json").stdout))
    assert len(texts) == 1


def _turn(field: str, document: dict[str, Any]) -> None:
    document[field].reverse()


def test_shuffled_source_files_give_the_same_manifests(folder):
    for name, field in (
        ("accelerator", "accelerators"),
        ("model", "models"),
        ("server", "servers"),
        ("serviceclass", "serviceClasses"),
    ):
        edit(folder, name, partial(_turn, field))
    assert imported(INFERNO) == imported(folder)


def test_chips_pools_and_prices(fleet):
    """A type is a pool billed by the chip; two AIU2 are two chips of it; 3.75 cents are 0.0375 dollars."""
    documents = list(yaml.safe_load_all(fleet.read_text()))
    pools = named(documents, "AcceleratorPool")
    assert list(pools) == ["a100", "aiu2", "g2", "l4"]
    assert {"amount": "0.0375", "currency": "USD", "unit": "Chip"}.items() <= pools["aiu2"]["spec"][
        "price"
    ].items()
    assert (pools["aiu2"]["spec"]["shape"]["chips"], pools["aiu2"]["spec"]["nodes"]["max"]) == (8, 128)
    variants = {v["name"]: v for v in named(documents, "ModelProfile")["granite-13b"]["spec"]["variants"]}
    assert (variants["2xaiu2"]["className"], variants["2xaiu2"]["chips"]) == ("aiu2", 2)
    assert (variants["l4"]["className"], variants["l4"]["chips"]) == ("l4", 2)


def test_a_lower_priority_number_is_a_higher_priority(fleet):
    found = named(list(yaml.safe_load_all(fleet.read_text())), "PriorityClass")
    assert found["premium"]["value"] > found["bronze"]["value"] > found["free"]["value"]


def test_rates_per_minute_become_rates_per_second(folder):
    edit(folder, "server", lambda d: d["servers"][0]["currentAlloc"]["load"].update(arrivalRate=100))
    traffic = named(imported(folder), "InferenceWorkload")["premium-llama-13b"]["spec"]["traffic"]
    assert traffic["meanRequestsPerSecond"] == "1.666666666667"


def test_what_is_made_up_is_said_to_be(fleet):
    text = fleet.read_text()
    assert text.count("MADE UP") == 2
    assert "From server-data.json" in text
    assert set(re.findall(r"resourceName: (\S+)/", text)) == {"example.com"}


def test_a_target_of_zero_is_no_objective(folder):
    edit(folder, "serviceclass", lambda d: d["serviceClasses"][0]["modelTargets"][0].update({"slo-ttft": 0}))
    spec = named(imported(folder), "InferenceWorkload")["premium-llama-13b"]["spec"]
    assert [objective["metric"] for objective in spec["objectives"]] == ["TPOT"]


def test_a_server_may_keep_its_accelerator_and_a_least_number(folder):
    def change(document):
        document["servers"][0].update(keepAccelerator=True, minNumReplicas=3)
        document["servers"][0]["currentAlloc"]["accelerator"] = "4xA100"

    edit(folder, "server", change)
    spec = named(imported(folder), "InferenceWorkload")["premium-llama-13b"]["spec"]
    assert (spec["allowedVariants"], spec["replicas"]) == (["4xa100"], {"min": 3})


def test_a_type_without_capacity_has_no_pool(folder):
    edit(folder, "capacity", lambda document: document["count"][0].update(count=0))
    assert "l4" not in named(imported(folder), "AcceleratorPool")


def test_the_namespace_can_be_chosen():
    assert {"serving"} == {
        each["metadata"]["namespace"]
        for each in imported(INFERNO, "--namespace", "serving")
        if each["kind"] == "InferenceWorkload"
    }


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "accelerator",
            lambda d: d["accelerators"][0].update(cost=0),
            "accelerators[0] (L4): cost: must be greater than zero",
        ),
        (
            "accelerator",
            lambda d: d["accelerators"][0].update(cost="6"),
            "accelerators[0] (L4): cost: must be a number",
        ),
        (
            "accelerator",
            lambda d: d["accelerators"][4].update(cost=9),
            "accelerators[4] (2xAIU2): cost: makes 0.045 $/h",
        ),
        (
            "accelerator",
            lambda d: d["accelerators"][1].pop("multiplicity"),
            "(A100): multiplicity: is required",
        ),
        (
            "accelerator",
            lambda d: d["accelerators"][1].update(name="l4"),
            "'l4' and 'L4' would both be named l4",
        ),
        (
            "accelerator",
            lambda d: d["accelerators"][1].update(name="L4"),
            "accelerators[1] (L4): name: 'L4' is there twice",
        ),
        ("accelerator", lambda d: d.clear(), "accelerators: is required"),
        ("capacity", lambda d: d["count"][0].update(count=1021), "count[0]: count: must be a multiple of 8"),
        ("capacity", lambda d: d["count"][0].update(count=-8), "count[0]: count: must be at least zero"),
        (
            "model",
            lambda d: d["models"][0].update(acc="H100"),
            "models[0] (granite_13b): acc: 'H100' is not in accelerator-data.json",
        ),
        ("model", lambda d: d["models"][0].update(accCount=16), "(AIU2): type: a replica of 16 chips"),
        (
            "model",
            lambda d: d["models"][0]["perfParms"].update(alpha=0),
            "models[0].perfParms: alpha: must be greater",
        ),
        ("model", lambda d: d["models"][0].update(maxBatchSize=1.5), "maxBatchSize: must be a whole number"),
        ("model", lambda d: d["models"].append(d["models"][0]), "granite_13b on AIU2 is there twice"),
        (
            "server",
            lambda d: d["servers"][0].update(model="opt"),
            "servers[0] (Premium-llama_13b): model: 'opt' is not in",
        ),
        (
            "server",
            lambda d: d["servers"][0].update({"class": "Gold"}),
            "class: 'Gold' is not in serviceclass-data.json",
        ),
        (
            "server",
            lambda d: d["servers"][0]["currentAlloc"]["load"].update(arrivalRate=0),
            "load: arrivalRate: must be greater",
        ),
        ("server", lambda d: d["servers"][0].update(maxBatchSize=4), "maxBatchSize: cannot be carried over"),
        (
            "serviceclass",
            lambda d: d["serviceClasses"][0]["modelTargets"].pop(0),
            "modelTargets: has no target for model 'llama_13b'",
        ),
        (
            "serviceclass",
            lambda d: d["serviceClasses"][0]["modelTargets"][0].update({"slo-tps": 9}),
            "slo-tps: cannot be carried over",
        ),
        (
            "serviceclass",
            lambda d: d["serviceClasses"][0]["modelTargets"][0].update({"slo-itl": 0, "slo-ttft": 0}),
            "slo-itl: is zero and so is slo-ttft",
        ),
        (
            "optimizer",
            lambda d: d["optimizer"].update(unlimited="no"),
            "optimizer: unlimited: must be true or false",
        ),
    ],
)
def test_a_broken_folder_ends_with_2_and_file_object_and_field(folder, name, change, message):
    edit(folder, name, change)
    result = invoke("import", "inferno", folder)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "-data.json" in result.stderr


def test_a_missing_file_is_named(folder):
    (folder / "model-data.json").unlink()
    result = invoke("import", "inferno", folder)
    assert result.exit_code == 2
    assert "model-data.json: No such file or directory" in result.stderr


def test_a_file_that_is_not_json_says_where(folder):
    (folder / "server-data.json").write_text('{"servers": [}')
    result = invoke("import", "inferno", folder)
    assert result.exit_code == 2
    assert "server-data.json: is not JSON in line 1, column 14" in result.stderr


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    result = invoke("import", "inferno", INFERNO, "-o", tmp_path / "none" / "fleet.yaml")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
