"""``make calibrate``: learn from all rows that ship, and write what was learnt to the catalogue."""

from __future__ import annotations

import json
from pathlib import Path

from chipwise.catalog.estimating import FILE, document, learnt_from
from chipwise.catalog.measurements import shipped

WHERE = Path(__file__).parents[2] / "operator" / "chipwise" / "catalog" / "data" / FILE


def main() -> None:
    rows = shipped()
    print(f"learning from {len(rows.cases)} rows; half a minute ...", flush=True)
    found = document(learnt_from(rows))
    WHERE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for metric, constants in found["constants"].items():
        print(metric, " ".join(f"{name}={value:.3g}" for name, value in constants.items()))
    print(f"wrote {WHERE.name}")


if __name__ == "__main__":
    main()
