"""``chipwise catalog check-prices``: a price list that somebody has, row by row, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from chipwise import catalog
from chipwise.catalog.price_checks import Checked, check
from chipwise.catalog.price_rows import UnreadablePrices, read_rows
from chipwise.cli.answers import show_answer
from chipwise.cli.errors import BadInput
from chipwise.cli.importers.reading import named_text
from chipwise.cli.sheet import Column, Sheet


def read(path: Path) -> tuple[Checked, ...]:
    """Every row of the file, checked. Raises BadInput."""
    _, text = named_text(path)
    try:
        return check(read_rows(text), catalog.instances())
    except UnreadablePrices as error:
        raise BadInput(f"{path}: {error}") from error


def answer(path: Path, output: str) -> None:
    """Print what is refused, by row and reason. Raises BadInput if anything is: nothing of such a list is taken over."""
    rows = read(path)
    refused = [row for row in rows if row.refusals]
    said = f"{len(rows) - len(refused)} of {len(rows)} rows are prices of a machine for an hour."
    show_answer(_document(rows), output, (_sheet(refused), said) if refused else (said,))
    if refused:
        raise BadInput(f"{path}: {len(refused)} of {len(rows)} rows are refused")


def _document(rows: Iterable[Checked]) -> dict[str, object]:
    return {
        "rows": [
            {
                "row": each.row.row,
                "instance": each.row.instance,
                "region": each.row.region,
                "pricePerHour": each.row.on_demand or None,
                "spotPricePerHour": each.row.spot or None,
                "refusals": [{"reason": one.reason.value, "message": one.message} for one in each.refusals],
            }
            for each in rows
        ]
    }


def _sheet(refused: Iterable[Checked]) -> Sheet:
    columns = (
        Column("ROW", right=True),
        Column("MACHINE"),
        Column("REGION", spare=1),
        Column("REASON"),
        Column("WHAT IS WRONG"),
    )
    rows = (
        (
            str(each.row.row),
            each.row.instance or each.row.chip,
            each.row.region,
            one.reason.value,
            one.message,
        )
        for each in refused
        for one in each.refusals
    )
    return Sheet("", columns, tuple(rows))
