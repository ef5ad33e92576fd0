"""What tests of importers share: samples, the flags that they need, and what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.cli.fleet import Document, chip, invoke, write

DATA = Path(__file__).parents[1] / "data"
VLLM, GUIDELLM, AIPERF, GENAI_PERF = (
    DATA / name for name in ("vllm-bench", "guidellm", "aiperf", "genai-perf")
)
SILICON = (
    DATA.parents[1] / "operator" / "chipwise" / "catalog" / "data" / "silicon" / "serving_measurements.csv"
)

#: What no result holds; for --class, -f is added by ``classes``.
FLAGS = {
    "--class": "h100",
    "--chips": "2",
    "--precision": "bf16",
    "--engine": "vLLM",
    "--engine-version": "0.12.0",
    "--startup-seconds": "180",
}


def classes(folder: Path) -> Path:
    """Two chips with the bandwidths of their data sheets."""
    chips = (chip("h100", memoryBandwidthGBps=3350), chip("b200-sxm", memoryBandwidthGBps=8000))
    return write(folder, *chips, name="classes.json")


def words(flags: dict[str, str | None]) -> list[str]:
    """As they stand on the command line; None for a flag that is left out."""
    return [word for flag, value in flags.items() if value is not None for word in (flag, value)]


def imported(kind: str, *paths: Any, more: tuple[Any, ...] = (), **changed: str | None) -> list[Document]:
    """The manifests of an import that succeeds; ``changed`` has flags of FLAGS by name, with underscores."""
    result = ran(kind, *paths, more=more, **changed)
    assert result.exit_code == 0, result.output
    return list(yaml.safe_load_all(result.stdout))


def refused(kind: str, *paths: Any, more: tuple[Any, ...] = (), **changed: str | None) -> str:
    """What an import says that fails, having written nothing."""
    result = ran(kind, *paths, more=more, **changed)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    said: str = result.stderr
    return said


def ran(kind: str, *paths: Any, more: tuple[Any, ...] = (), **changed: str | None) -> Any:
    named = {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    return invoke("import", kind, *paths, *words({**FLAGS, **named}), *more)


def variants(documents: list[Document]) -> dict[str, Document]:
    """By profile and variant."""
    return {
        f"{document['metadata']['name']}/{variant['name']}": variant
        for document in documents
        for variant in document["spec"]["variants"]
    }


def points(variant: Document) -> list[tuple[int, int, int, float, float]]:
    """Concurrency, lengths, TTFT and TPOT in milliseconds."""
    return [
        (p["concurrency"], p["inputTokens"], p["outputTokens"], float(p["ttft"][:-2]), float(p["tpot"][:-2]))
        for p in variant["performance"]["points"]
    ]
