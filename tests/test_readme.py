"""What the documents tell people to type works, what they link is there, and the figures that they state are the measured ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from chipwise.api import InferenceWorkload
from chipwise.reasons import Reason

from benchmarks import readme
from benchmarks.figures import RESULTS, load, markdown

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
DOCUMENTS = sorted(
    [README, ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks/results/results.md"]
)
BIN = Path(sys.executable).parent


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """What a person types without a cluster, in any document."""
    lines = [line for each in DOCUMENTS for block in blocks(each, "sh") for line in block.splitlines()]
    return sorted({line for line in lines if ".venv/bin/chipwise " in line})


def typed(command: str) -> subprocess.CompletedProcess[str]:
    """Typed at the top of the repository, with the chipwise under test."""
    line = command.replace(".venv/bin/chipwise", str(BIN / "chipwise"))
    environment = {**os.environ, "KUBECONFIG": os.devnull}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def example_plan() -> dict[str, Any]:
    """What is decided about examples/."""
    found: dict[str, Any] = json.loads(typed(".venv/bin/chipwise plan -f examples/ -o json").stdout)
    return found


@pytest.mark.parametrize("command", commands())
def test_commands_work_when_typed(command: str):
    """Exit code 1 is an answer: examples/ holds a workload that nobody can serve."""
    done = typed(command)
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout
    assert not done.stderr


def test_the_readme_has_commands():
    """A change of its form must not silently leave nothing to test."""
    assert len(commands()) >= 3


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_linked_files_exist(document: Path):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    missing = [t for t in targets if "://" not in t and not (document.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_in_commands_exist(document: Path):
    """Files of the tree that are named in code."""
    code = re.findall(r"`([^`\n]+)`", document.read_text())
    named = {
        word
        for text in code
        for word in text.split()
        if re.fullmatch(r"(?:operator|tests|e2e|examples|benchmarks|docs|charts)/[\w./-]+", word)
    }
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document: Path):
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = [
        *re.findall(r"`([^`\n]+)`", document.read_text()),
        *"\n".join(blocks(document, "sh")).splitlines(),
    ]
    named = {
        word for text in code if text.startswith("make ") for word in text.split()[1:] if "=" not in word
    }
    assert named <= targets


def test_chart_values_exist():
    values = yaml.safe_load((ROOT / "charts/chipwise/values.yaml").read_text())
    for name in re.findall(r"--set ([\w.]+)=", README.read_text()):
        found = values
        for part in name.split("."):
            found = found[part]


def test_the_manifest_is_the_example():
    """The README's ten lines say what examples/workloads/chat.yaml says."""
    (text,) = blocks(README, "yaml")
    assert len(text.splitlines()) == 10
    documents = yaml.safe_load_all((ROOT / "examples/workloads/chat.yaml").read_text())
    example = next(each for each in documents if each["kind"] == "InferenceWorkload")
    assert InferenceWorkload.model_validate(yaml.safe_load(text)) == InferenceWorkload.model_validate(example)


def test_the_sums_are_those_of_the_plan(example_plan: dict[str, Any]):
    """What the six workloads cost, before and after."""
    summary, text = example_plan["summary"], README.read_text()
    for field in ("currentCostPerHour", "costPerHour"):
        assert f"{float(summary[field]):.2f} $/h" in text
    assert summary["optimal"]
    assert summary["placed"] == 5


def test_the_picture_is_of_this_plan(example_plan: dict[str, Any]):
    """Its title has what all costs before and after."""
    title = (ROOT / "docs/decision.svg").read_text().split("<title>")[1].split("</title>")[0]
    for field in ("currentCostPerHour", "costPerHour"):
        assert f"{float(example_plan['summary'][field]):.2f} $/h" in title


def printed_rows() -> dict[str, list[str]]:
    """``kubectl get iw`` as it is printed there, by name."""
    printed = next(block for block in blocks(README, "text") if block.startswith("NAME"))
    return {line.split()[0]: line.split() for line in printed.splitlines()[1:]}


def test_the_printed_rows_sum_to_the_bill():
    """That of the workloads which have a place; the figures of the table and of the sentence below it are of one moment."""
    total = sum(float(row[5]) for row in printed_rows().values() if row[6] != "NoFeasibleVariant")
    assert f"sum to their bill, {total:.2f} $/h" in README.read_text()


def test_where_the_readme_says_they_go(example_plan: dict[str, Any]):
    """What is printed there agrees with the plan for everything that chipwise moves."""
    rows = printed_rows()
    for workload in example_plan["workloads"]:
        row = rows[workload["name"]]
        if row[6] == "Stays":
            (placed,) = workload["placements"]
            assert row[2:5] == [placed["pool"], placed["variant"], str(placed["replicas"])]


def figures() -> dict[str, Any]:
    return {figure["name"]: figure for part in load()["parts"].values() for figure in part["figures"]}


def test_the_table_is_written_from_the_results():
    """What ``make bench`` measured last, bars that are missed included."""
    text = README.read_text().split(readme.BEGIN)[1].split(readme.END)[0]
    assert text == readme.table(load())


def test_every_figure_is_measured():
    """Nothing that the README should show is left out because nobody measured it."""
    assert set(readme.NAMES) <= set(figures())


def test_the_results_are_written_from_one_source():
    assert (RESULTS / "results.md").read_text() == markdown(load())


def test_every_reason_has_a_row():
    """docs/moves.md tells what to do about each reason, and about nothing that is none."""
    section = (ROOT / "docs/moves.md").read_text().split("\n## Reasons\n")[1]
    told = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(told) == sorted(reason.value for reason in Reason)
