"""From what a format states and what flags give to measurements, and on to written manifests: what all formats share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from chipwise.cli.errors import BadInput
from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.given import Given, refuse_unknown_precision
from chipwise.cli.importers.hf_architecture import read_architecture
from chipwise.cli.importers.known import Known
from chipwise.cli.importers.manifests import Document, render, write
from chipwise.cli.importers.measurement import Columns, Measurement, Setup, read_point
from chipwise.cli.importers.problems import Problems
from chipwise.cli.importers.profiles import Origin, profiles


@dataclass(frozen=True, slots=True)
class Stated:
    """What a file says of one measurement, by the flag that would; None where it says nothing.

    ``overruled`` are flags that may say otherwise, and ``columns`` where what is refused stands. ``tokens_per_step`` is None if unknown.
    """

    values: Mapping[str, str | int | None]
    overruled: frozenset[str] = frozenset(("model",))
    columns: Mapping[str, str] | None = None
    details: tuple[str, ...] = ()
    origin: str = ""
    tokens_per_step: float | None = None


class Assembly:
    """One import: measurements are added, then written together or not at all."""

    def __init__(self, tool: str, given: Given) -> None:
        self.given, self.problems = given, Problems()
        self._tool = tool
        self.known = Known(given.files)
        self._config = read_architecture(given.config) if given.config else None
        self._measured: list[Measurement] = []
        self._notes: list[str] = []
        self._left_out = 0

    def note(self, text: str) -> None:
        """What a reader of the manifests must know."""
        self._notes.append(text)

    def add(
        self,
        record: Record,
        columns: Columns,
        stated: Stated,
        records: Mapping[str, Record] | None = None,
        *,
        round_tokens: bool = True,
    ) -> None:
        """Read one measurement; what is wrong with it is collected."""
        setup, date = self._setup(record, stated), self._settled(record, stated, "date")
        records = records or {}
        point = read_point(self.problems, columns, record, records, round_tokens=round_tokens)
        if setup is None or date is None or point is None:
            return
        steps = stated.tokens_per_step or self.given.tokens_per_step
        self._measured.append(Measurement(record, columns, records, setup, point, date, stated.origin, steps))

    def architecture(self, model: str) -> Document | None:
        """The shape of a model: of --config, of the manifests or of the catalogue; None if nobody stated it."""
        return self._config or self.known.architecture(model)

    def leave_out(self, why: BadInput) -> None:
        """A result that held no concurrency is counted. Raises ``why`` unless --skip-rates was given."""
        if not self.given.skip_rates:
            raise why
        self._left_out += 1

    def finish(self, header: str, *, left_out: str = "") -> None:
        """Write the manifests. Raises BadInput with everything that is wrong, and writes nothing then.

        ``left_out`` is what those are called that were left out.
        """
        if self._left_out:
            self.note(f"{self._left_out} {left_out} were left out.")
        self.problems.settle()
        if not self._measured:
            raise BadInput(" ".join(["there is no measurement to import.", *self._notes]))
        if self._config is not None:
            self.known.state({one.setup.model for one in self._measured}, self._config, self.given.config)
        origin = Origin(
            self._tool, self.given.statistic or "", self.given.startup_seconds, self.given.profile
        )
        sections = profiles(self._measured, origin, self.known, self.problems)
        write(render("\n".join([header, *self._notes]), sections), self.given.output)

    def _setup(self, record: Record, stated: Stated) -> Setup | None:
        flags = ("model", "class", "chips", "precision", "engine", "engine-version")
        found = {flag: self._settled(record, stated, flag) for flag in flags}
        named = found["class"] and self._class(record, stated, found["class"])
        chips = found["chips"] and self.problems.ask(partial(_chips, record, stated, found["chips"]))
        precision = found["precision"] and self.problems.ask(
            partial(refuse_unknown_precision, record, _column(stated, "precision"), found["precision"])
        )
        if not (found["model"] and named and chips and precision):
            return None
        if found["engine"] is None or found["engine-version"] is None:
            return None
        return Setup(
            model=found["model"],
            class_name=named,
            chips=chips,
            precision=precision,
            engine=found["engine"],
            engine_version=found["engine-version"],
            details=stated.details,
            variant=str(self.given.values.get("variant") or ""),
        )

    def _settled(self, record: Record, stated: Stated, flag: str) -> str | None:
        said, overrule = stated.values.get(flag), flag in stated.overruled
        column = (stated.columns or {}).get(flag, "")
        return self.problems.ask(
            partial(self.given.settled, record, flag, said, column=column, overrule=overrule),
            like=f"{flag} {said}",
        )

    def _class(self, record: Record, stated: Stated, name: str) -> str | None:
        found = self.known.chip(name)
        if found is None:
            refusal = self.known.unknown(name)
            said = record.error(
                (stated.columns or {}).get("class", ""), f"{refusal.reason}: {refusal.message}"
            )
            self.problems.add(said, like=f"class {name}")
        return found


def _column(stated: Stated, flag: str) -> str:
    return (stated.columns or {}).get(flag, f"--{flag}")


def _chips(record: Record, stated: Stated, chips: str) -> int:
    most = 64
    if not chips.isdecimal() or not 1 <= int(chips) <= most:
        column = _column(stated, "chips")
        raise record.error(column, f"must be 1 to {most} chips, all on one node, not {chips}")
    return int(chips)


def each(records: Sequence[Record], problems: Problems, read: Callable[[Record], None]) -> None:
    """Read every record; one that cannot be read at all is a problem like any other."""
    for record in records:
        problems.ask(partial(read, record))
