"""Measure everything, or the parts that are named: ``python -m benchmarks --only start,plan``."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks import figures, operating, plan, start
from benchmarks.figures import Figure

PARTS: dict[str, Callable[[], list[Figure]]] = {
    "start": start.measure,
    "plan": plan.measure,
    "operator": operating.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="PART,...", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--print-only", action="store_true", help="keep benchmarks/results as it is")
    wanted = parser.parse_args()
    names = [name.strip() for name in wanted.only.split(",")]
    if unknown := sorted(set(names) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}")
    found: dict[str, list[Figure]] = {}
    for name in names:
        begin = time.monotonic()
        found[name] = PARTS[name]()
        print(f"{name}: measured in {time.monotonic() - begin:.0f} s", flush=True)
    date = datetime.now(UTC).date().isoformat()
    results = figures.merged({} if wanted.print_only else figures.load(), found, date, _machine())
    if not wanted.print_only:
        figures.save(results)
    print(figures.markdown(results))
    return 0 if all(figure.holds is not False for part in found.values() for figure in part) else 1


def _machine() -> dict[str, object]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memoryGiB": round(memory / 2**30), "python": platform.python_version()}


if __name__ == "__main__":
    raise SystemExit(main())
