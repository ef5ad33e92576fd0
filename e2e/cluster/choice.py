"""Choose the kind of control plane: what the person said, else the first that this machine can run.

`CLUSTER` forces it. Otherwise kind where a Docker engine answers, and kwok's plain processes after it.
"""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from e2e.cluster.errors import StartError


class Backend(StrEnum):
    """The kinds of control plane, by the word that `CLUSTER` takes."""

    EXISTING = "existing"
    KIND = "kind"
    KWOK = "kwok"


@dataclass(frozen=True, slots=True)
class Choice:
    """What to try, in order, and why."""

    backends: tuple[Backend, ...]
    reason: str

    def __str__(self) -> str:
        """One line for the terminal."""
        return f"cluster: {', else '.join(self.backends)} ({self.reason})"


def choose(forced: str, engine_answers: Callable[[], bool]) -> Choice:
    """Decide from the value of `CLUSTER` and from a probe that is only made when it matters."""
    if forced:
        try:
            backend = Backend(forced)
        except ValueError:
            known = ", ".join(Backend)
            raise StartError(f"CLUSTER={forced} is unknown; it may be one of {known}") from None
        return Choice((backend,), f"CLUSTER={forced}")
    if engine_answers():
        return Choice((Backend.KIND, Backend.KWOK), "a Docker engine answers")
    return Choice((Backend.KWOK,), "no Docker engine answers")


def docker_engine_answers() -> bool:
    """Ask the engine: the client alone is often installed where no engine runs."""
    if shutil.which("docker") is None:
        return False
    command = ["docker", "info", "--format", "{{.ServerVersion}}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and bool(done.stdout.strip())
