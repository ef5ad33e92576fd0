"""How long a person waits for the command line: fresh processes, in turn with a bare Python, so that both see the same machine."""

from __future__ import annotations

import sys

from benchmarks.figures import Figure, rounded
from benchmarks.processes import CHIPWISE, Usage, spend, typical

RUNS = 9
HELP_BAR = 0.5
PLAN_BAR = 2.0
_CASES: dict[str, tuple[str, ...]] = {
    "bare": (sys.executable, "-c", "pass"),
    "import": (sys.executable, "-c", "import chipwise.cli.main"),
    "help": (CHIPWISE, "--help"),
    "plan": (CHIPWISE, "plan", "-f", "examples/"),
    "operator": (sys.executable, "-c", "import chipwise.control.runtime"),
}
_WHAT = {
    "import": "`import chipwise.cli.main`",
    "help": "`chipwise --help`",
    "plan": "`chipwise plan -f examples/`",
    "operator": "import of the operator, `chipwise.control.runtime`",
}
_BARS = {"import": HELP_BAR, "help": HELP_BAR, "plan": PLAN_BAR}


def measure() -> list[Figure]:
    """Median of ``RUNS`` fresh processes each; files come from the page cache, compiled modules from __pycache__."""
    found: dict[str, list[Usage]] = {name: [] for name in _CASES}
    for argv in _CASES.values():  # the first of each compiles modules and is thrown away
        spend(argv, accepted=(0, 1))
    for turn in range(RUNS):
        print(f"start: round {turn + 1} of {RUNS}", flush=True)
        for name, argv in _CASES.items():
            found[name].append(spend(argv, accepted=(0, 1)))
    bare = typical(found.pop("bare"))
    figures = [Figure("start.bare.wall", "`python -c pass`, on the clock", rounded(bare.wall), "s")]
    for name, runs in found.items():
        used, what = typical(runs), _WHAT[name]
        figures += [
            Figure(f"start.{name}.wall", f"{what}, on the clock", rounded(used.wall), "s", _BARS.get(name)),
            Figure(f"start.{name}.cpu", f"{what}, CPU", rounded(used.cpu), "s"),
            Figure(
                f"start.{name}.ratio", f"{what}, against bare Python", rounded(used.wall / bare.wall), "x"
            ),
        ]
    return figures
