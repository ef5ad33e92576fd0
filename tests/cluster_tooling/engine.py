"""A Docker engine that only pretends, for what is to be seen of the way by kind where no engine runs."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.cluster_tooling.pretended import MANIFESTS, State

_PRETENDED = Path(__file__).with_name("pretended.py")


class PretendedEngine:
    """Programs in one folder, what they know in another. ``version`` is that of Kubernetes in the node image."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, version: str = "v1.37.0") -> None:
        self._state = State(folder / "state")
        (self._state.machine / MANIFESTS).mkdir(parents=True)
        (self._state.folder / "version").write_text(version)
        self._programs = folder / "programs"
        self._programs.mkdir()
        self.tools = {name: self._program(name) for name in ("docker", "kind", "kubectl")}
        monkeypatch.setenv("PATH", f"{self._programs}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.delenv("KIND_EXPERIMENTAL_PROVIDER", raising=False)

    def be(self, word: str) -> None:
        """Change what happens from now on.

        ``gone``: docker is not answered. ``stubborn``: containers go on, whatever the kubelet is shown. ``unable``: kind fails.
        ``elsewhere``: folders of this machine are not mounted.
        """
        (self._state.folder / word).touch()

    def start(self) -> None:
        """A machine with a control plane."""
        self._state.start()

    @property
    def calls(self) -> list[list[str]]:
        """Program and arguments of every call, in order."""
        path = self._state.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def configuration(self) -> str:
        """What kind was given."""
        return (self._state.folder / "configuration").read_text()

    @property
    def manifests(self) -> set[str]:
        """The static pods that the kubelet is to run."""
        return {path.stem for path in (self._state.machine / MANIFESTS).iterdir()}

    def file(self, path: str) -> str:
        """A file of the machine."""
        return self._state.inside(path).read_text()

    def _program(self, name: str) -> Path:
        path = self._programs / name
        command = shlex.join([sys.executable, "-IS", str(_PRETENDED), str(self._state.folder), name])
        path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        path.chmod(0o755)
        return path
