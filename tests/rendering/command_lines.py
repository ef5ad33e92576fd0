"""Engines' command lines as authors spell them, variants' changes to them, and a reader that knows what the engine knows.

The code under test sees words and must tell by their looks which are values. The reader knows of each flag whether it takes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from chipwise.rendering.target import ArgsPatch
from hypothesis import strategies as st

#: Flags that take a value, always.
VALUED = ("--model", "--tensor-parallel-size", "--seed", "-tp")
#: Flags that stand alone or take a truth value, and whose names say so.
SWITCHES = ("--enable-prefix-caching", "--no-enable-prefix-caching", "--enforce-eager")
#: Such whose names do not: a word after one may be anything.
SILENT = ("--async-scheduling", "--no-async-scheduling")
FLAGS = (*VALUED, *SWITCHES, *SILENT)
TRUTHS = ("true", "False", "1", "false")

#: Command and args.
Line = tuple[list[str], list[str]]

_values = st.sampled_from(
    ["4", "8192", "fp8", "-1", "-0.5", "1", "chat", "a=b", '{"level": 3}', "", "$(MODEL)", "/models/a b"]
)
_dashed = st.sampled_from(["-O3", "--x"])
_positionals = st.sampled_from(["meta-llama/Llama-3.1-8B", "serve", "$(EXTRA)", "a b", "--", "-m"])


@dataclass(frozen=True, slots=True)
class Item:
    """A flag with its value, None where it stands alone; or a word that is neither, which has no name."""

    name: str
    value: str | None
    words: tuple[str, ...]

    @property
    def flag(self) -> str:
        """The name as it is spelled."""
        return self.words[0].partition("=")[0]

    @property
    def is_joined(self) -> bool:
        return "=" in self.words[0]


def named(flag: str) -> str:
    """A long flag is the same with underscores."""
    return flag.replace("_", "-") if flag.startswith("--") else flag


def opposite(flag: str) -> str:
    """What argparse takes for the same switch, turned off or on."""
    name = named(flag)
    return f"--{name.removeprefix('--no-')}" if name.startswith("--no-") else f"--no-{name[2:]}"


def read(words: Sequence[str]) -> list[Item]:
    """Read a command line as the engine does."""
    found, left = [], list(words)
    while left:
        flag, joined, value = left[0].partition("=")
        name = named(flag)
        if name not in FLAGS:
            found.append(Item("", None, (left.pop(0),)))
        elif joined:
            found.append(Item(name, value, (left.pop(0),)))
        elif name in VALUED or (len(left) > 1 and left[1] in TRUTHS):
            found.append(Item(name, left[1], (left.pop(0), left.pop(0))))
        else:
            found.append(Item(name, None, (left.pop(0),)))
    return found


@st.composite
def _spelled(draw: st.DrawFn, flag: str) -> str:
    """With hyphens or underscores, as people mix them."""
    if not flag.startswith("--") or draw(st.booleans()):
        return flag
    return "--" + flag[2:].replace("-", "_")


@st.composite
def _written(draw: st.DrawFn) -> list[str]:
    """A flag with its value in one word or two, a bare flag, or a word that is no flag at all."""
    flag = draw(st.sampled_from((*FLAGS, None, None, None)))
    if flag is None:
        return [draw(_positionals)]
    spelled = draw(_spelled(flag))
    if flag in VALUED:
        value = draw(_values)
        joined = f"{spelled}={draw(st.one_of(st.just(value), _dashed))}"
        return draw(st.sampled_from([[spelled, value], [joined]]))
    truth = draw(st.sampled_from(TRUTHS))
    return draw(st.sampled_from([[spelled], [spelled], [spelled, truth], [f"{spelled}={truth}"]]))


_lines = st.lists(_written(), max_size=6).map(lambda found: [word for words in found for word in words])
_entries = st.sampled_from(
    [
        ["vllm", "serve", "m"],
        ["python3", "-u", "-m", "vllm.entrypoints.openai.api_server"],
        ["tini", "--", "vllm", "serve"],
    ]
)


def command_lines() -> st.SearchStrategy[Line]:
    """A command, left to the image as often as not, and arguments: flags in either, in any spelling, and more than once."""
    commands: st.SearchStrategy[list[str]] = st.one_of(
        st.just([]), st.builds(lambda entry, line: entry + line, _entries, _lines)
    )
    return st.tuples(commands, _lines)


@st.composite
def changes(draw: st.DrawFn, line: Line = ([], [])) -> ArgsPatch:
    """Flags to set, to remove and to append, none of them at odds with another; those of ``line`` and their opposites first."""
    present = {item.name for words in line for item in read(words)}
    some = draw(st.lists(st.sampled_from(FLAGS), max_size=6, unique=True))
    order = sorted(some, key=lambda flag: present.isdisjoint({flag, opposite(flag)}))
    chosen = [flag for at, flag in enumerate(order) if opposite(flag) not in order[:at]]
    cut = draw(st.integers(0, 3))
    pairs = [(draw(_spelled(flag)), draw(_settable(flag))) for flag in chosen[:cut]]
    removed = [draw(_spelled(flag)) for flag in chosen[cut:]]
    appended = draw(st.sampled_from([(), ("--last",), ("--lora-modules", "a=b"), ("last",)]))
    return ArgsPatch(set=tuple(pairs), remove=tuple(removed), append=appended)


@dataclass(frozen=True, slots=True)
class Change:
    """A command line and what a variant makes of it."""

    line: Line
    patch: ArgsPatch

    @property
    def set(self) -> list[str]:
        return [named(flag) for flag, _ in self.patch.set]

    @property
    def gone(self) -> frozenset[str]:
        """What is removed, and what setting its opposite makes void."""
        return frozenset(map(named, self.patch.remove)) | frozenset(map(opposite, self.set))

    @property
    def is_ambiguous(self) -> bool:
        """``--async-scheduling model``: only the engine knows whether the word goes with the flag that is removed."""
        removed = set(map(named, self.patch.remove)) & set(SILENT)
        return any(
            item.name in removed and item.value is None and not following.words[0].startswith("-")
            for words in self.line
            for item, following in pairwise(read(words))
        )


@st.composite
def _changed(draw: st.DrawFn) -> Change:
    line = draw(command_lines())
    return Change(line, draw(changes(line if draw(st.integers(0, 3)) else ([], []))))


def changed_lines() -> st.SearchStrategy[Change]:
    """A command line and a patch, most often of flags that it has; which words belong together can be told by their looks."""
    return _changed().filter(lambda change: not change.is_ambiguous)


def _settable(flag: str) -> st.SearchStrategy[str | None]:
    if flag in VALUED:
        return st.one_of(_values, _dashed)
    return st.sampled_from([None, "false"]) if flag in SWITCHES else st.none()


_shells = st.sampled_from(["sh", "bash", "/bin/sh", "/bin/bash", "dash"])
_options = st.sampled_from([["-c"], ["-lc"], ["-e", "-c"], ["-euo", "pipefail", "-c"], ["-ec", "--"]])


@st.composite
def one_liners(draw: st.DrawFn) -> Line:
    """A shell that is told in one word what to run, cut anywhere into command and args."""
    script = " ".join(["exec vllm serve m", *draw(_lines)])
    before = draw(st.sampled_from([[], ["tini", "--"], ["env", "A=1"]]))
    words = [*before, draw(_shells), *draw(_options), script]
    cut = draw(st.integers(0, len(words)))
    return words[:cut], words[cut:]
