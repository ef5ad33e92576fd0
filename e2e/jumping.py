"""chipwise under a wall clock that jumps: ``python e2e/jumping.py FILE run ...``. FILE holds by how many seconds it is wrong, at any time.

Only the wall clock of chipwise's own is wrong, as everything that it writes down; timers and time limits go by the monotonic clock, which
no person and no time server sets.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from chipwise.cli.main import main
from chipwise.kube import clock as clocks


def wrong_by(file: Path) -> type[datetime]:
    """A datetime whose ``now`` is off by what the file says then."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=float(file.read_text()))

    return Wrong


if __name__ == "__main__":
    vars(clocks)["datetime"] = wrong_by(Path(sys.argv.pop(1)))
    main()
