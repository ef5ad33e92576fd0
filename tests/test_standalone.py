"""The repository stands alone: nothing in it points outside itself, so a clone on any machine is all there is."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Written in parts, and below without the leading slash, so that this file passes its own check.
MACHINE_FOLDERS = (
    *("work", "root", "home", "Users"),
    *("tmp", "var", "private", "scratch", "data"),
    *("opt", "usr", "srv", "nix"),
    *("mnt", "media", "Volumes"),
)
MACHINE_PATH = re.compile(
    r"(?:(?<![\w.$~}<>:/-])|(?<=file://))/(?:"
    + "|".join(MACHINE_FOLDERS)
    + r")(?![\w.-])(?:/[\w.*-]*[\w*-])*"
)
ESCAPE = re.compile(r"(?<![\w./])(?:\.\./)+")
#: Paths that are no machine's, by file, nearly all inside a container: each allows itself and what is below it.
ALLOWED = {
    ".ci/run": {"usr/bin/env": "where every Unix has it, for it finds the interpreter"},
    "Dockerfile": {
        "opt/chipwise": "the environment that the image runs",
        "opt/build": "the build backend, in a stage that is not kept",
        "tmp/wheel": "the wheel on its way from one environment to the other",
    },
    ".github/workflows/ci.yaml": {"tmp": "the image's scratch folder, beside a root that is read-only"},
    "charts/chipwise/templates/deployment.yaml": {"tmp": "where the operator's emptyDir is mounted"},
    "charts/chipwise/templates/expander/deployment.yaml": {"tmp": "the same of the expander"},
    "operator/chipwise/api/container_patch.py": {"var/cache/engine": "the example of a variant's mount"},
    "crds/chipwise.dev_modelprofiles.yaml": {"var/cache/engine": "the same, rendered"},
    "tests/api/rejections.py": {"var/models": "a hostPath, which is refused"},
    "tests/cluster/test_targets.py": {"tmp": "a variant's mount"},
    "tests/rendering/test_arguments.py": {"usr/bin/tini": "an entry point of an author's image"},
    "tests/rendering/test_reading.py": {
        "data": "a hostPath of an author's pod",
        "var/run/secrets": "where the API server mounts a token into every pod",
    },
}
INDEX = re.compile(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|^\s*-[if]\s", re.MULTILINE)


def machine_paths(text: str) -> list[str]:
    """Absolute paths of somebody's machine."""
    return [match.group() for match in MACHINE_PATH.finditer(text)]


def allowed(path: str, found: str) -> bool:
    """Whether the path that was found in the file ``path`` is one of those that may stand there."""
    return any(PurePosixPath(found).is_relative_to("/" + inside) for inside in ALLOWED.get(path, ()))


def escapes(path: str, text: str) -> list[str]:
    """Relative paths that climb out of the tree from the folder of ``path``."""
    depth = len(PurePosixPath(path).parent.parts)
    return [m.group() for m in ESCAPE.finditer(text) if m.group().count("../") > depth]


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted({name for name in listed.split("\0") if name and (ROOT / name).exists()})


def text_of(name: str) -> str:
    """The text of a file, the target of a link, nothing for what is not text."""
    path = ROOT / name
    if path.is_symlink():
        return str(path.readlink())
    content = path.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode(errors="replace")


def test_no_file_names_a_machine_path() -> None:
    """An absolute path works on one machine only. Those that are no machine's are listed, each with its reason."""
    found = {
        name: [hit for hit in machine_paths(text_of(name)) if not allowed(name, hit)] for name in tracked()
    }
    assert not {name: hits for name, hits in found.items() if hits}


@pytest.mark.parametrize(
    ("path", "inside"), [(path, inside) for path, listed in ALLOWED.items() for inside in listed]
)
def test_every_allowance_is_still_needed(path: str, inside: str) -> None:
    """One that outlives its file, or its line, would let in something else."""
    assert any(PurePosixPath(hit).is_relative_to("/" + inside) for hit in machine_paths(text_of(path)))


def test_an_allowance_reaches_no_other_path_and_no_other_file() -> None:
    """Neither a neighbour of a name that begins alike, nor what is above."""
    assert allowed("Dockerfile", "/" + "tmp/wheel/x.whl")
    assert not allowed("Dockerfile", "/" + "tmp/wheels")
    assert not allowed("Dockerfile", "/" + "tmp")
    assert not allowed("Makefile", "/" + "tmp/wheel")


def test_no_file_climbs_out_of_the_tree() -> None:
    """A relative path may not lead above the top of the repository."""
    found = {name: hits for name in tracked() if (hits := escapes(name, text_of(name)))}
    assert not found


def test_links_stay_inside_the_tree() -> None:
    """A symbolic link is followed by tools that know nothing of the repository."""
    links = [name for name in tracked() if (ROOT / name).is_symlink()]
    outside = [name for name in links if not Path(os.path.realpath(ROOT / name)).is_relative_to(ROOT)]
    assert not outside


def test_lock_files_name_no_index() -> None:
    """Where packages come from is the machine's business: a lock file pins versions and hashes only."""
    locks = [name for name in tracked() if name.endswith(".lock")]
    assert locks
    assert not [name for name in locks if INDEX.search(text_of(name))]


def test_operator_is_a_plain_folder() -> None:
    """With an __init__.py the folder would shadow the standard library's operator module."""
    assert not (ROOT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize("folder", MACHINE_FOLDERS)
@pytest.mark.parametrize(
    "template", ["path = '{}/x'", "see {}/a-b/x.csv", "cd {}", "`{}/y`", "(={}/z)", "file://{}/y"]
)
def test_the_check_finds_machine_paths(folder: str, template: str) -> None:
    assert machine_paths(template.format("/" + folder))


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/home/x",
        "the net" + "work/root of it",
        "${HOME}/x",
        "~/work",
        "/workspace",
        "/homes",
        "/variants",
        "-v cache:" + "/" + "tmp/cache",
        "kubernetes.io/data/x",
    ],
)
def test_the_check_leaves_other_paths_alone(text: str) -> None:
    assert not machine_paths(text)


@pytest.mark.parametrize(
    ("path", "text", "bad"),
    [
        ("README.md", "see " + "../" + "shared/facts", True),
        ("docs/a.md", "see " + "../" + "README.md", False),
        ("docs/a.md", "see " + "../" * 2 + "facts", True),
        ("charts/chipwise/files/crds", "../" * 3 + "crds", False),
        ("charts/chipwise/files/crds", "../" * 4 + "crds", True),
    ],
)
def test_the_check_finds_escapes(path: str, text: str, bad: bool) -> None:
    assert bool(escapes(path, text)) is bad


@pytest.mark.parametrize("line", ["--index-url x", "a @ https://host/a.whl", "-i x", "--find-links=./wheels"])
def test_the_check_finds_an_index(line: str) -> None:
    assert INDEX.search("aiohttp==1.0\n" + line)
