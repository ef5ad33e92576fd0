"""``make accuracy``: hold out, learn anew, compare; writes benchmarks/results/accuracy.json, the table of docs/accuracy.md and its plots.

About a minute on two cores: everything is learnt anew for each fold.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from chipwise.catalog.measurements import shipped

from benchmarks.accuracy import report
from benchmarks.accuracy.choices import REGION, RULE, chip_prices
from benchmarks.accuracy.figures import Result, results
from benchmarks.accuracy.foretold import tell
from benchmarks.accuracy.plots import draw
from benchmarks.accuracy.splits import FOLDS, splits

HOME = Path(__file__).parents[2]
RESULTS, DOCS = HOME / "benchmarks" / "results" / "accuracy.json", HOME / "docs"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--print-only", action="store_true", help="keep results and docs as they are")
    parser.add_argument(
        "--only", default="abcd", help="letters of the splits, such as ac; then nothing is written"
    )
    wanted = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # a process a core is quicker than threads
    rows, prices = shipped(), chip_prices()
    found: list[Result] = []
    with ProcessPoolExecutor() as pool:
        for split in splits(rows):
            if split.letter not in wanted.only:
                continue
            begin = time.monotonic()
            told = tell(rows, split, pool)
            found += results(rows, told, prices)
            if not wanted.print_only and wanted.only == "abcd":
                draw(rows, told, DOCS / f"accuracy-{split.file}.svg")
            print(f"({split.letter}) {split.name}: {time.monotonic() - begin:.0f} s", flush=True)
    print(report.table(found))
    if wanted.print_only or wanted.only != "abcd":
        return
    document = {
        "rows": len(rows.cases),
        "folds": FOLDS,
        "prices": {"region": REGION, "usdPerChipHour": {k: round(v, 4) for k, v in sorted(prices.items())}},
        "doubt": RULE.doubt,
        "risk": RULE.risk,
        "results": [each.document for each in found],
    }
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    report.update(DOCS / "accuracy.md", found)


if __name__ == "__main__":
    main()
