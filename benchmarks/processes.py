"""Fresh processes, timed from outside: what a person waits for, and what the machine pays."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

CHIPWISE = str(Path(sys.executable).with_name("chipwise"))
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds on the clock, seconds of CPU in user and system mode, and the highest resident memory in MB (10^6 bytes)."""

    wall: float
    cpu: float
    peak_mb: float
    output: str


def spend(argv: Sequence[str], *, accepted: tuple[int, ...] = (0,)) -> Usage:
    """Run one process to its end. RuntimeError with its words if the exit code is not an accepted one."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=ROOT)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = code = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if code not in accepted:
            raise RuntimeError(f"{' '.join(argv)}: exit code {code}\n{err.read().decode()[-2000:]}")
        peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
        return Usage(wall, used.ru_utime + used.ru_stime, peak, out.read().decode())


def typical(runs: Sequence[Usage]) -> Usage:
    """The median of each figure; the output is the first one's."""
    return Usage(
        median(run.wall for run in runs),
        median(run.cpu for run in runs),
        median(run.peak_mb for run in runs),
        runs[0].output,
    )


def memory_mb(pid: int, field: str) -> float:
    """``VmRSS`` or ``VmHWM`` of a process in MB (10^6 bytes). Linux only: OSError elsewhere."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == field:
            return int(rest.split()[0]) * 1024 / 1e6
    raise OSError(f"no {field} of process {pid}")
