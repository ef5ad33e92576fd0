"""The Dockerfile without an engine: its own steps, read from it, done under an empty folder that stands for the image's root.

COPY takes what .dockerignore lets through, and nothing that an earlier stage left reaches a later one but by COPY --from, as in an
engine. It differs in three things: the system beneath is this machine's, steps run as whoever runs the test, and pip may use its cache.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "Dockerfile"
_ABSOLUTE = re.compile(r"(?<![\w./:-])/(?=\w)")
#: pip's cache is this machine's business: without it each run fetches 60 MB anew.
_NOT_OURS = ("PIP_NO_CACHE_DIR",)


class Unreadable(Exception):  # noqa: N818 - it is what is wrong
    """A Dockerfile or .dockerignore that says something which is not understood here."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, continued lines joined."""

    word: str
    rest: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What is between two FROM lines."""

    base: str
    name: str
    steps: tuple[Step, ...]

    def all(self, word: str) -> list[str]:
        """What follows each instruction of this name."""
        return [step.rest for step in self.steps if step.word == word]


@dataclass(slots=True)
class Image:
    """What was built: the root, the environment, and what it starts."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    user: str = ""

    def program(self) -> str:
        """The file of the entry point, by the image's own PATH."""
        found = shutil.which(self.entrypoint[0], path=self.environment["PATH"])
        assert found is not None, self.environment["PATH"]
        return found

    def files(self) -> dict[str, tuple[int, int]]:
        """Size and time of every file, to see what a run changes."""
        return {
            str(path.relative_to(self.root)): (path.lstat().st_size, path.lstat().st_mtime_ns)
            for path in self.root.rglob("*")
            if not path.is_dir()
        }


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile."""
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = [line.split(maxsplit=1) for line in re.sub(r"\\\n\s*", "", plain).splitlines() if line.strip()]
    found: list[Stage] = []
    for word, rest in lines:
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name, ()))
        else:
            last = found.pop()
            found.append(Stage(last.base, last.name, (*last.steps, Step(word, rest))))
    return found


def context(folder: Path) -> Path:
    """Copy what .dockerignore lets through into a folder. It must say: nothing, but these names, and no caches in them."""
    first, *lines = (ROOT / ".dockerignore").read_text().split()
    names = [line.removeprefix("!") for line in lines if line.startswith("!")]
    if first != "*" or {line for line in lines if not line.startswith("!")} != {"**/__pycache__"}:
        raise Unreadable(f".dockerignore has other patterns: {lines}")
    folder.mkdir(parents=True)
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


class Builder:
    """Plays stages, each on a machine of its own in the same folder, for an environment does not survive being moved."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._machine, self._say = folder / "machine", say
        self._left = folder / "stages"
        self._context = context(folder / "context")
        self._workdir = "/"
        self._image = Image(self._machine)

    def build(self, text: str) -> Image:
        """The image of the last stage. Raises CalledProcessError if a step fails, OSError if a file that it copies is not there."""
        for stage in stages(text):
            self._machine.mkdir()
            self._workdir, self._image = "/", Image(self._machine, {"PATH": os.environ["PATH"]})
            for step in stage.steps:
                self._say(f"{step.word} {step.rest}")
                self._play(step)
            if stage.name:
                self._left.mkdir(exist_ok=True)
                self._machine.rename(self._left / stage.name)
        return self._image

    def _play(self, step: Step) -> None:
        match step.word:
            case "WORKDIR":
                self._workdir = step.rest
                self._inside(step.rest).mkdir(parents=True, exist_ok=True)
            case "ENV":
                self._set(dict(pair.split("=", 1) for pair in step.rest.split()))
            case "COPY":
                self._copy(step.rest.split())
            case "RUN":
                self._run(step.rest)
            case "USER":
                self._image.user = step.rest
            case "ENTRYPOINT":
                self._image.entrypoint = json.loads(step.rest)
            case "CMD":
                pass
            case other:
                raise Unreadable(f"{other} is not understood here")

    def _inside(self, path: str) -> Path:
        return self._machine / (Path(self._workdir) / path).relative_to("/")

    def _set(self, pairs: Mapping[str, str]) -> None:
        for name, value in pairs.items():
            moved = re.sub(r"(?:(?<=^)|(?<=:))/(?=\w)", f"{self._machine}/", value)
            self._image.environment[name] = moved.replace("$PATH", self._image.environment["PATH"])

    def _copy(self, words: list[str]) -> None:
        source = self._context
        if words[0].startswith("--from="):
            source = self._left / words.pop(0).removeprefix("--from=")
        *names, target = words
        for name in names:
            found, goal = source / name.lstrip("/"), self._inside(target)
            if found.is_dir():
                shutil.copytree(found, goal, symlinks=True, dirs_exist_ok=True)
                continue
            goal = goal / found.name if target.endswith("/") else goal
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, goal)

    def _run(self, command: str) -> None:
        """With this machine's Python for the image's, outside the environment that the test runs in."""
        here = _ABSOLUTE.sub(f"{self._machine}/", command)
        here = re.sub(r"(?<![\w./-])python(?= )", getattr(sys, "_base_executable", sys.executable), here)
        foreign = {"VIRTUAL_ENV", *(name for name in os.environ if name.startswith("PYTHON"))}
        environment = {name: value for name, value in os.environ.items() if name not in foreign}
        environment |= {n: v for n, v in self._image.environment.items() if n not in _NOT_OURS}
        done = subprocess.run(
            ["sh", "-ec", here],
            cwd=self._inside("."), env=environment, check=False, text=True, capture_output=True,
        )  # fmt: skip
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, here, done.stdout, done.stderr[-3000:])
