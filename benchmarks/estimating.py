"""What a table of 100,000 cases costs, end to end: a CSV in and a CSV out through the command line, no two cases alike."""

from __future__ import annotations

import csv
import random
import tempfile
from pathlib import Path

from chipwise import catalog

from benchmarks.figures import Figure, rounded
from benchmarks.processes import CHIPWISE, spend

ROWS, SEED = 100_000, 20261126
SECONDS = 10.0


def measure() -> list[Figure]:
    """Cases drawn at random from the whole catalogue: nearly every row is a setup of its own, so nothing is saved by rows that repeat."""
    print(f"estimate: {ROWS:,} rows", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        _write(path)
        used = spend((CHIPWISE, "estimate", "--rows", str(path)))
    told = used.output.count("\n") - 1
    if told != ROWS:
        raise RuntimeError(f"{told} rows came out of {ROWS}")
    answered = sum(line.rsplit(",", 2)[1] != "" for line in used.output.splitlines()[1:])
    what = f"`chipwise estimate --rows`, {ROWS:,} cases that differ"
    return [
        Figure("estimate.rows.wall", f"{what}, on the clock", rounded(used.wall), "s", SECONDS),
        Figure("estimate.rows.cpu", f"{what}, CPU", rounded(used.cpu), "s"),
        Figure("estimate.rows.memory", f"{what}, peak of the process", rounded(used.peak_mb), "MB"),
        Figure("estimate.rows.answered", f"{what}: with figures", rounded(100 * answered / ROWS), "%"),
    ]


def _write(path: Path) -> None:
    draw = random.Random(SEED)  # noqa: S311 - a draw, no secret
    models = [each.id for each in catalog.models()]
    chips = [each.name for each in catalog.chips()]
    header = ("model", "accelerator", "precision", "chips", "input_tokens", "output_tokens", "concurrency")
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow((*header, "engine"))
        for _ in range(ROWS):
            table.writerow(
                (
                    draw.choice(models),
                    draw.choice(chips),
                    draw.choice(("", "fp8", "bf16")),
                    draw.choice((1, 2, 4, 8)),
                    draw.randint(100, 8000),
                    draw.randint(100, 2000),
                    draw.randint(1, 256),
                    draw.choice(("vllm", "trtllm", "sglang")),
                )
            )
