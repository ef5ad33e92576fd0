"""Processes known by a number in a file; none is touched unless its command line still says it is ours.

Numbers are given out again after a restart of the machine, so the number alone proves nothing.
"""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KnownProcess:
    """A process that wrote its number to `pid_file` and has `mark` somewhere in its command line."""

    pid_file: Path
    mark: str

    @property
    def pid(self) -> int | None:
        """The number, if the file holds one and the process is alive and ours."""
        try:
            pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if self.mark in _command_line(pid) else None

    def stop(self, grace: float = 0.0) -> None:
        """End it, after `grace` seconds by force, and forget its number."""
        pid = self.pid
        if pid is not None:
            if grace > 0:
                _signal(pid, signal.SIGTERM)
                self._wait_until_gone(grace)
            if self.pid is not None:
                _signal(pid, signal.SIGKILL)
                self._wait_until_gone(10.0)
        self.pid_file.unlink(missing_ok=True)

    def _wait_until_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.pid is not None and time.monotonic() < deadline:
            time.sleep(0.02)


def _command_line(pid: int) -> str:
    """The command line, empty for a process that is gone; a zombie has none, which is what is wanted."""
    proc = Path("/proc")
    if proc.joinpath("self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    asked = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
