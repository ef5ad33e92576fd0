"""Run one program and return what it wrote; a failure carries the program's own words."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from e2e.cluster.errors import CommandError


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 120.0,
) -> str:
    """Standard output of the program; CommandError if it fails, is missing or takes too long."""
    command = [str(part) for part in argv]
    shown = " ".join([Path(command[0]).name, *command[1:]])
    try:
        done = subprocess.run(
            command, input=stdin or "", capture_output=True, text=True, check=False, env=env, timeout=timeout
        )
    except subprocess.TimeoutExpired as late:
        raise CommandError(f"{shown}: no answer within {timeout:.0f} s") from late
    except OSError as missing:
        raise CommandError(f"{shown}: {missing}") from missing
    if done.returncode != 0:
        raise CommandError(f"{shown}: exit code {done.returncode}\n{_ending(done.stderr or done.stdout)}")
    return done.stdout


def kubectl_on(kubectl: Path, kubeconfig: Path) -> list[str]:
    """How a command of kubectl begins that is meant for one cluster and no other."""
    return [str(kubectl), "--kubeconfig", str(kubeconfig)]


def _ending(text: str, lines: int = 20) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
