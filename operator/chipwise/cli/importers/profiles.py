"""Measurements become ModelProfiles: one for each model, a variant for each setup, all of its points in one sorted list."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chipwise.api import InvalidObject, ModelProfile, parse
from chipwise.cli.errors import BadInput
from chipwise.cli.importers.known import Known
from chipwise.cli.importers.manifests import Document, Section, manifest
from chipwise.cli.importers.measurement import STATISTICS, Measurement, Setup
from chipwise.cli.importers.problems import Problems

MAX_POINTS, MAX_VARIANTS = 256, 32
"""What one list of points and one profile hold, as the schema says."""

_LINE = 512


@dataclass(frozen=True, slots=True)
class Origin:
    """What the results are of: the tool, the statistic as on the command line, and the seconds that every variant takes to start.

    ``profile`` is the name that was asked for.
    """

    tool: str
    statistic: str
    startup_seconds: int
    profile: str | None = None


def profiles(
    measured: Sequence[Measurement], origin: Origin, known: Known, problems: Problems
) -> tuple[Section, ...]:
    """A section for each model, in order of name. Raises BadInput with everything that is wrong with any of them."""
    models: dict[str, list[Measurement]] = defaultdict(list)
    for one in measured:
        models[one.setup.model].append(one)
    if origin.profile and len(models) > 1:
        raise BadInput(
            f"--profile {origin.profile} is one name, and measured are {', '.join(sorted(models))}"
        )
    names = dict.fromkeys(models, origin.profile) if origin.profile else _names(models)
    found = [
        problems.ask(_Maker(names[model], models[model], origin, known, problems).section)
        for model in sorted(models, key=lambda model: names[model])
    ]
    problems.settle()
    return tuple(section for section in found if section is not None)


class _Maker:
    """The profile of one model."""

    def __init__(
        self, name: str, measured: Sequence[Measurement], origin: Origin, known: Known, problems: Problems
    ) -> None:
        self._name, self._origin, self._known, self._problems = name, origin, known, problems
        self._model = measured[0].setup.model
        self._by_setup: dict[Setup, list[Measurement]] = defaultdict(list)
        for one in measured:
            self._by_setup[one.setup].append(one)
        self._repeated: list[str] = []

    def section(self) -> Section:
        setups = _variant_names(self._by_setup)
        if len(setups) > MAX_VARIANTS:
            said = f"has {len(setups)} setups, and a profile holds {MAX_VARIANTS} variants: import a part"
            raise BadInput(f"{self._source_files()}: {self._model}: {said}")
        variants = [self._variant(name, setup) for name, setup in sorted(setups.items())]
        architecture = self._known.architecture(self._model)
        shape = {"architecture": architecture} if architecture else {}
        document = manifest("ModelProfile", self._name, {"model": self._model, **shape, "variants": variants})
        try:
            profile = parse(document)
        except InvalidObject as error:
            said = f"makes an object that chipwise does not accept: {error}"
            raise BadInput(f"{self._source_files()}: {said}") from error
        assert isinstance(profile, ModelProfile)  # noqa: S101 - it was made as one
        checked = [
            self._known.check(profile, name, self._by_setup[setup], self._problems)
            for name, setup in setups.items()
        ]
        return Section(self._comment(all(checked)), (document,))

    def _variant(self, name: str, setup: Setup) -> Document:
        measured = self._distinct(self._by_setup[setup])
        if len(measured) > MAX_POINTS:
            said = f"has {len(measured)} points, and a list holds {MAX_POINTS}: import a part, or give parts names of their own"
            self._problems.add(f"{self._source_files()}: {self._model} as {name}: {said}")
        stated = {"engine": setup.engine, "engineVersion": setup.engine_version}
        days = sorted({one.date for one in measured if one.date})
        return {
            "name": name,
            "className": setup.class_name,
            "chips": setup.chips,
            "precision": setup.precision,
            "startupSeconds": self._origin.startup_seconds,
            "performance": {
                "points": [_point(one) for one in measured[:MAX_POINTS]],
                "statistic": STATISTICS[self._origin.statistic],
                **{key: value for key, value in stated.items() if value},
                **({"measuredAt": days[-1]} if days else {}),
                "source": _source(self._origin.tool, measured, days),
            },
        }

    def _distinct(self, measured: Iterable[Measurement]) -> list[Measurement]:
        """In order of the points; of those that agree in every figure, one."""
        found: list[Measurement] = []
        for one in sorted(measured, key=lambda one: (one.point, str(one.record.path), _line(one), one.date)):
            if found and found[-1].point == one.point:
                self._repeated.append(f"{_where(one)} as {_where(found[-1])}")
            else:
                found.append(one)
        return found

    def _comment(self, checked: bool) -> str:
        total = sum(len(measured) for measured in self._by_setup.values())
        lines = [
            f"{self._model}: {total} measurement(s) of {self._origin.tool}, {self._origin.statistic} over requests."
        ]
        if not checked:
            lines.append(
                "Not checked against what the memory bandwidth allows, for the architecture is not known: give --config or -f."
            )
        if self._repeated:
            lines.append(
                f"Counted once, for they agree in every figure: {'; '.join(sorted(self._repeated))}."
            )
        return "\n".join(lines)

    def _source_files(self) -> str:
        return ", ".join(
            sorted({str(one.record.path) for group in self._by_setup.values() for one in group})[:3]
        )


def _line(one: Measurement) -> tuple[int, str]:
    """By number where a place ends in one, so that row 10 comes after row 9."""
    found = re.search(r"\d+$", one.record.place)
    return (int(found.group()) if found else 0, one.record.place)


def _where(one: Measurement) -> str:
    return " ".join(part for part in (one.record.path.name, one.record.place) if part)


def _point(one: Measurement) -> Document:
    point = one.point
    return {
        "concurrency": point.concurrency,
        "inputTokens": point.input_tokens,
        "outputTokens": point.output_tokens,
        "ttft": _latency(point.ttft_ms),
        "tpot": _latency(point.tpot_ms),
    }


def _latency(milliseconds: float) -> str:
    """To the microsecond."""
    return f"{milliseconds:.3f}".rstrip("0").rstrip(".") + "ms"


def _source(tool: str, measured: Sequence[Measurement], days: Sequence[str]) -> str:
    """Tool, files, days and what the rows say of themselves, as far as a line goes."""
    files = sorted({one.record.path.name for one in measured})
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    said = [f"{tool}: {', '.join(files[:3])}{more}"]
    if len(days) > 1:
        said.append(f"measured {days[0]} to {days[-1]}")
    said += sorted({one.origin for one in measured if one.origin})
    line = "; ".join(said)
    return line if len(line) <= _LINE else line[: _LINE - 4] + " ..."


def _names(models: Iterable[str]) -> Mapping[str, str]:
    """Names of profiles: of the model without its owner, or with it where two would have one name."""
    every = sorted(models)
    short = {model: _safe(model.rsplit("/", 1)[-1], "") for model in every}
    names = short if len(set(short.values())) == len(every) else {model: _safe(model, "") for model in every}
    for model, name in names.items():
        if not name or len(name) > 63 or list(names.values()).count(name) > 1:
            raise BadInput(f"model {model!r} makes no name of its own for a ModelProfile: give --model")
    return names


def profile_name(model: str) -> str:
    """The name of the profile of one model. Raises BadInput if it makes none."""
    return _names([model])[model]


def _variant_names(setups: Iterable[Setup]) -> Mapping[str, Setup]:
    """Names of variants, all as short as tells them apart. Raises BadInput if nothing does."""
    every = sorted(setups)
    for form in _FORMS:
        names = [setup.variant or _safe(form(setup), ".")[:63].strip("-.") for setup in every]
        if len(set(names)) == len(every):
            return dict(zip(names, every, strict=True))
    twice = sorted({name for name in names if names.count(name) > 1})
    raise BadInput(
        f"several setups would be variant {', '.join(twice)}: import them one by one, each with --variant"
    )


def _base(setup: Setup) -> str:
    return f"{setup.class_name}-x{setup.chips}-{setup.precision}"


_FORMS: tuple[Callable[[Setup], str], ...] = (
    _base,
    lambda setup: f"{_base(setup)}-{setup.engine}",
    lambda setup: f"{_base(setup)}-{setup.engine}-{setup.engine_version}",
    lambda setup: "-".join((_base(setup), setup.engine, *setup.details)),
    lambda setup: "-".join((_base(setup), setup.engine, setup.engine_version, *setup.details)),
)


def _safe(text: str, also: str) -> str:
    return re.sub(rf"[^a-z0-9{also}]+", "-", text.lower()).strip("-.")
