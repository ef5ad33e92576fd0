"""Help: quick, with examples that work."""

from __future__ import annotations

import subprocess
import sys

import pytest
from chipwise.cli.main import main

from tests.cli.fleet import ROOT, invoke

COMMANDS: tuple[list[str], ...] = (
    [],
    ["plan"],
    ["explain"],
    ["restore"],
    ["catalog"],
    ["catalog", "manifests"],
    ["catalog", "check-prices"],
    ["import"],
    ["import", "vllm-bench"],
    ["import", "guidellm"],
    ["import", "aiperf"],
    ["import", "silicon"],
    ["import", "hf-config"],
    ["import", "inferno"],
    ["run"],
    ["expander"],
    ["computeclass"],
)
HEAVY = (
    "grpc",
    "google.protobuf",
    "pydantic",
    "kopf",
    "kubernetes",
    "numpy",
    "highspy",
    "rich",
    "aiohttp",
    "asyncio",
    "yaml",
    "chipwise.catalog",
)


def run(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chipwise.cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )


def examples(command: list[str]) -> list[str]:
    """The lines of the help that a person would type."""
    lines = invoke(*command, "--help").stdout.splitlines()
    return [line.strip().removeprefix("chipwise ") for line in lines if line.startswith("    chipwise ")]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command):
    assert invoke(*command, "-h").stdout == invoke(*command, "--help").stdout
    assert examples(command)


def offline_examples() -> list[str]:
    """Those that need no cluster; e2e/test_command_line.py reads a real one."""
    lines = {line for command in COMMANDS for line in examples(command)}
    asks = {
        line for line in lines if line.startswith(("run ", "restore ", "expander ")) or "--context" in line
    }
    return sorted(lines - asks - {"explain chat -n serving"})


@pytest.mark.parametrize("line", offline_examples())
def test_an_example_of_the_help_works(line, tmp_path, monkeypatch):
    """Of a pipe each chipwise is run."""
    for name in ("examples", "operator", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    output = None
    for stage in line.split(" | "):
        words = stage.removeprefix("chipwise ").split()
        if words[0] == "jq":
            break
        result = invoke(*words, stdin=output)
        assert result.exit_code in (0, 1), result.output
        assert not result.stderr
        output = result.stdout


def test_help_imports_nothing_heavy():
    code = f"import chipwise.cli.main, sys; print([name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_plan_that_leaves_something_out_ends_with_1():
    found = run("plan", "-f", "examples/")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.startswith("5 of 6 workloads placed")
    assert "\x1b" not in found.stdout


def test_nothing_but_the_answer_reaches_standard_output():
    """The solver prints a banner if it is let."""
    found = run(
        "plan", "-f", "-", "-o", "json", stdin=run("import", "inferno", "tests/data/inferno-small").stdout
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout[0] == "{"


def test_the_version_is_the_packages():
    assert invoke("--version").stdout == "chipwise 0.2.0\n"


def test_errors_are_one_sentence_on_standard_error():
    found = run("plan", "-f", "none.yaml")
    assert (found.returncode, found.stdout, found.stderr) == (
        2,
        "",
        "Error: none.yaml: no such file or folder\n",
    )


def test_every_command_is_listed():
    assert {"plan", "explain", "restore", "catalog", "import", "run", "expander", "computeclass"} == set(
        main.commands
    )
