"""Measure everything, or the parts that are named: ``python -m benchmarks --only start,plan``."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks import estimating, figures, operating, plan, readme, start
from benchmarks.figures import Figure

PARTS: dict[str, Callable[[], list[Figure]]] = {
    "start": start.measure,
    "plan": plan.measure,
    "estimate": estimating.measure,
    "operator": operating.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="PART,...", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument(
        "--print-only", action="store_true", help="keep benchmarks/results and the README as they are"
    )
    wanted = parser.parse_args()
    names = [name.strip() for name in wanted.only.split(",")]
    if unknown := sorted(set(names) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}")
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that the operator and the control plane go too
    results, kept = ({} if wanted.print_only else figures.load()), True
    for name in names:
        begin, machine = time.monotonic(), _machine()
        found = PARTS[name]()
        print(f"{name}: measured in {time.monotonic() - begin:.0f} s", flush=True)
        kept &= all(figure.holds is not False for figure in found)
        results = figures.merged(results, {name: found}, datetime.now(UTC).date().isoformat(), machine)
        if not wanted.print_only:
            figures.save(results)
            readme.update(results)
    print(figures.markdown(results))
    print("every bar is kept" if kept else "a bar is missed: see **no** above")
    return 0


def _machine() -> dict[str, object]:
    """Cores, memory, and how much else was going on when the part began."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memoryGiB": round(memory / 2**30),
        "python": platform.python_version(),
        "loadBefore": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    raise SystemExit(main())
