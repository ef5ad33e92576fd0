"""Build one program from Go modules, telling at every moment which one, for how long and how many are left."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.errors import ToolError
from e2e.cluster.toolsets import BUILD_FLAGS, Tool, ToolSet, this_platform

ATTEMPTS = 3
_NETWORK_TROUBLE = (
    "timeout",
    "connection reset",
    "connection refused",
    "unexpected EOF",
    "TLS handshake",
    "502 Bad Gateway",
    "503 Service Unavailable",
    "temporary failure in name resolution",
)


@dataclass(frozen=True, slots=True)
class Ticker:
    """Says now and then that something is still going on: each second on a terminal, each 15 s in a log."""

    label: str
    left: int
    started: float
    terminal: bool

    @property
    def pause(self) -> float:
        """Seconds until the next word."""
        return 1.0 if self.terminal else 15.0

    def tick(self) -> None:
        """One sign of life."""
        print(f"{self._line()}   ", end="\r" if self.terminal else "\n", flush=True)

    def end(self) -> None:
        """The last line."""
        print(f"{self._line()}: built   ", flush=True)

    def _line(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        after = f", {self.left} more after it" if self.left else ""
        return f"tools: building {self.label}, {minutes}:{seconds:02d}{after}"


def build(toolset: ToolSet, tool: Tool, target: Path, left: int) -> None:
    """Build one tool into `target`; a fetch that fails is tried again, for the module proxy may be slow."""
    if shutil.which("go") is None:
        raise ToolError(
            f"{tool.name} cannot be downloaded here and there is no Go to build it with (https://go.dev/dl)"
        )
    label = f"{toolset.name}/{tool.name} {toolset.version(tool)}"
    ticker = Ticker(label, left, time.monotonic(), sys.stdout.isatty())
    for attempt in range(1, ATTEMPTS + 1):
        trouble = _build_once(toolset, tool, target, ticker.tick, ticker.pause)
        if trouble is None:
            ticker.end()
            return
        if attempt == ATTEMPTS or not is_network_trouble(trouble):
            raise ToolError(f"go build {tool.package} failed:\n{trouble}")
        print(f"tools: fetching for {tool.name} failed, attempt {attempt + 1} of {ATTEMPTS}", flush=True)


def is_network_trouble(output: str) -> bool:
    """Whether trying again may help."""
    return any(sign.lower() in output.lower() for sign in _NETWORK_TROUBLE)


def _build_once(
    toolset: ToolSet, tool: Tool, target: Path, tick: Callable[[], None], pause: float
) -> str | None:
    flags = toolset.linker_flags(tool)
    command = ["go", "build", *BUILD_FLAGS, "-ldflags", flags, "-o", str(target), tool.package]
    here = this_platform()
    settings = {"CGO_ENABLED": "0", "GOWORK": "off", "GOOS": here.system, "GOARCH": here.machine}
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(
            command, cwd=toolset.folder, env={**os.environ, **settings}, stdout=output, stderr=output
        ) as process:
            try:
                _wait(process, tick, pause)
            except BaseException:
                process.terminate()
                raise
        if process.returncode == 0:
            return None
        output.seek(0)
        return "\n".join(output.read().strip().splitlines()[-20:]) or f"exit code {process.returncode}"


def _wait(process: subprocess.Popen[bytes], tick: Callable[[], None], pause: float) -> None:
    while True:
        try:
            process.wait(timeout=pause)
        except subprocess.TimeoutExpired:
            tick()
        else:
            return
