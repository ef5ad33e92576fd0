"""The AcceleratorClasses that the chart can install, from the catalogue: ``python -m charts.classes [--check]``."""

from __future__ import annotations

import argparse
import sys

import yaml
from chipwise import catalog
from chipwise.catalog.manifests import chip_class

from charts.reference import CHART

FOLDER = CHART / "files" / "classes"
KEPT = {"helm.sh/resource-policy": "keep"}
"""As the kinds are: a class that an uninstall took away would take the pools of others with it."""


def written() -> dict[str, str]:
    """The text of every file by its name."""
    return {f"{chip.name}.yaml": _text(chip) for chip in catalog.chips()}


def _text(chip: catalog.ChipEntry) -> str:
    document = chip_class(chip)
    document["metadata"]["annotations"] = dict(KEPT)
    return yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)


def committed() -> dict[str, str]:
    """The files as they are."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yaml"))}


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or compare them; the exit code of the process."""
    parser = argparse.ArgumentParser(prog="python -m charts.classes", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    options = parser.parse_args(arguments)
    wanted, found = written(), committed()
    if options.check:
        stale = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        if stale:
            print(f"stale: {', '.join(stale)}; run: make chart-classes", file=sys.stderr)
        return int(bool(stale))
    FOLDER.mkdir(exist_ok=True)
    for name in found.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
