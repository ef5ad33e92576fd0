"""The container image without an engine: its install steps into an empty folder, and the operator run from there under the chart's rights."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from e2e.authored import Setup
from e2e.faults import Lab
from e2e.image import DOCKERFILE, ROOT, Builder, Image, stages
from e2e.operator_process import OperatorProcess, chart_arguments
from e2e.rendered import NAMESPACE, Chart, pod
from e2e.test_telemetry import asked

#: Of the base image, Debian 12 or newer: the tags of wheels that its C library can run, less the machine.
TAGS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Built by the steps of the Dockerfile, whose times are printed."""
    begun = time.monotonic()
    return Builder(
        tmp_path_factory.mktemp("image"), lambda step: print(f"{time.monotonic() - begun:6.1f} s  {step}")
    ).build(DOCKERFILE.read_text())


class ImageOperator(OperatorProcess):
    """The image's entry point with the image's environment and nothing of this one's."""

    def __init__(self, image: Image, kubeconfig: Path, log_path: Path, *extra_args: str) -> None:
        super().__init__(kubeconfig, log_path, *extra_args)
        self.image = image

    def command(self) -> list[str]:
        """The same command line from the image."""
        return [self.image.program(), *super().command()[1:]]

    def environment(self) -> dict[str, str]:
        """As a container has it; there is no home."""
        named = {"HOME": "/nonexistent", "POD_NAMESPACE": NAMESPACE}
        return {**self.image.environment, **named}


def test_the_image_has_what_runs_and_nothing_that_built_it(image: Image) -> None:
    """No sources, no build backend, no pip; licences are there."""
    tops = {path.name for path in image.root.iterdir()}
    assert tops == {"opt", "licenses"}
    assert {path.name for path in (image.root / "opt").iterdir()} == {"chipwise"}
    assert {path.name for path in (image.root / "licenses").iterdir()} == {"LICENSE", "NOTICE"}
    (packages,) = (image.root / "opt/chipwise/lib").glob("python*/site-packages")
    names = {path.name.partition("-")[0].lower() for path in packages.glob("*.dist-info")}
    assert {"chipwise", "kopf", "highspy"} <= names
    assert not names & {"pip", "setuptools", "hatchling", "pytest", "hypothesis", "mypy", "ruff"}


def test_it_has_the_locked_packages_and_no_others(image: Image) -> None:
    """In their locked versions."""
    (packages,) = (image.root / "opt/chipwise/lib").glob("python*/site-packages")
    installed = {path.name.removesuffix(".dist-info").lower() for path in packages.glob("*.dist-info")}
    lines = (ROOT / "requirements-runtime.lock").read_text().splitlines()
    locked = {
        line.split()[0].replace("==", "-").replace("_", "-")
        for line in lines
        if "==" in line and line[0].isalpha()
    }
    told = {name.replace("_", "-") for name in installed} - {"chipwise-0.2.0"}
    assert told <= locked
    assert {name.rpartition("-")[0] for name in told} == {name.rpartition("-")[0] for name in locked}


def test_both_stages_have_the_python_that_is_promised() -> None:
    """And one base, for an environment points at the interpreter that made it. What runs is not root, as the chart says too."""
    build, final = stages(DOCKERFILE.read_text())
    assert build.base == final.base == "python:3.11-slim"
    assert final.all("USER") == ["65532:65532"]
    assert not final.all("RUN")


def test_the_chart_runs_it_as_the_user_that_it_names(chart: Chart, image: Image) -> None:
    context = pod(chart.render())["securityContext"]
    assert image.user == f"{context['runAsUser']}:{context['runAsGroup']}"


@pytest.mark.parametrize("lock", ["requirements-runtime.lock", "requirements-build.lock"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_locked_package_has_a_wheel(machine: str, lock: str, tmp_path: Path) -> None:
    """One with a locked hash, for both processors: nothing is compiled, so the same steps do for amd64 and arm64."""
    report = tmp_path / "report.json"
    platforms = [flag for tag in TAGS for flag in ("--platform", f"{tag}_{machine}")]
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
            "--report", str(report), "--target", str(tmp_path / "nowhere"),
            "--implementation", "cp", "--python-version", "3.11", *platforms,
            "--only-binary=:all:", "--require-hashes", "--no-deps", "-r", str(ROOT / lock),
        ],
        check=True,
    )  # fmt: skip
    files = [
        each["download_info"]["url"].rpartition("/")[2] for each in json.loads(report.read_text())["install"]
    ]
    assert all(name.endswith(("-none-any.whl", f"_{machine}.whl")) for name in files), files
    compiled = [name for name in files if name.endswith(f"_{machine}.whl")]
    assert bool(compiled) == (lock == "requirements-runtime.lock")


@pytest.mark.e2e
def test_the_operator_runs_from_the_image_under_the_charts_rights(image: Image, lab: Lab) -> None:
    """As the chart starts it: it leads, is ready, moves a Deployment and reports it, and writes no file of the image."""
    before = image.files()
    arguments = [each for each in chart_arguments(lab.cluster) if not each.startswith("--listen")]
    operator = lab.adopt(ImageOperator(image, lab.kubeconfig, lab.folder / "image.log", *arguments))
    with operator:
        world = lab.world(Setup("image"), operator).build()
        assert asked(operator, "/readyz")[0] == 200
        assert lab.lease_holder()
        assert "\nchipwise_leader 1.0\n" in asked(operator, "/metrics")[1]
        world.told("Ready", "True", "Placed")
        assert operator.is_alive
    assert "Traceback" not in operator.log
    assert image.files() == before
