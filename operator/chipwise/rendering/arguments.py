"""Flags of an engine's command line: set, removed and appended over what the author wrote, in the author's order and spelling.

Understands ``--flag value``, ``--flag=value`` and bare flags, in ``command`` as in ``args``. Long flags are the same with ``_`` and
with ``-``, as vLLM reads them. A word after a flag is its value unless it looks like a flag itself; flags whose name says that they
switch something (``--enable-...``) take only a truth value. A shell one-liner is not parsed: it is refused.
"""

from __future__ import annotations

import re

from chipwise.reasons import Reason
from chipwise.rendering.manifest import RenderingRefused
from chipwise.rendering.target import ArgsPatch

_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh"})
_SHELL_COMMAND = re.compile(r"-[a-zA-Z]*c\Z")
_NUMBER = re.compile(r"-\.?\d")
_SWITCH = re.compile(r"--(?:enable|disable|no|enforce|trust|skip)-")
_TRUTH = frozenset({"true", "false", "yes", "no", "1", "0"})

Words = list[str]


def patched(
    command: Words, args: Words, patch: ArgsPatch, new_command: Words | None = None
) -> tuple[Words, Words]:
    """Lay a patch, and a new command if given, over command and args. Raises RenderingRefused (ArgsNotPatchable) for a one-liner."""
    one_liner = is_one_liner(command, args)
    command = list(command if new_command is None else new_command)
    if patch.replace is not None:
        return command, list(patch.replace)
    if not (patch.set or patch.remove or patch.append) and new_command is None:
        return command, list(args)
    if one_liner or is_one_liner(command, args):
        raise RenderingRefused(
            Reason.ARGS_NOT_PATCHABLE,
            "the container starts from a shell one-liner, whose flags cannot be changed: "
            "write command and args as lists, or give the variant args with mode Replace and a command",
        )
    lists = [command, list(args)]
    for flag in patch.remove:
        lists = [_without(words, flag, takes_value=True) for words in lists]
    for flag, value in patch.set:
        # what has an opposite is a switch, whatever its name says
        lists = [_without(words, _negation(flag), takes_value=False) for words in lists]
        lists = _with(lists, flag, value)
    lists[1].extend(patch.append)
    return lists[0], lists[1]


def is_one_liner(command: Words, args: Words) -> bool:
    """Tell whether a shell is given what to run in one string, as in ``sh -c "vllm serve ..."``."""
    words = [*command, *args]
    if any(word.rpartition("/")[2] in _SHELLS and _is_told(words[at + 1 :]) for at, word in enumerate(words)):
        return True
    # the shell may be the image's entry point
    return not command and len(args) > 1 and bool(_SHELL_COMMAND.match(args[0])) and " " in args[1]


def _is_told(options: Words) -> bool:
    """Look for -c among a shell's own options, as in ``bash -euo pipefail -c``; a script's options come after its name."""
    before = ""
    for word in options:
        if _SHELL_COMMAND.match(word):
            return True
        if not word.startswith(("-", "+")) and not (before.startswith("-") and before.endswith("o")):
            return False
        before = word
    return False


def _with(lists: list[Words], flag: str, value: str | None) -> list[Words]:
    """Set the flag where it stands first and drop it elsewhere; a new flag goes to the end of args."""
    takes_value = value is not None
    found = False
    result = []
    for words in lists:
        at = _find(words, flag)
        if at is None or found:
            result.append(_without(words, flag, takes_value=takes_value))
            continue
        found = True
        rest = _without(words[at:], flag, takes_value=takes_value)
        spelled = _spell(words[at].partition("=")[0], value, joined="=" in words[at])
        result.append([*words[:at], *spelled, *rest])
    if not found:
        result[-1].extend(_spell(flag, value, joined=False))
    return result


def _without(words: Words, flag: str, *, takes_value: bool) -> Words:
    kept = list(words)
    while (at := _find(kept, flag)) is not None:
        del kept[at : at + _length(kept, at, takes_value=takes_value)]
    return kept


def _find(words: Words, flag: str) -> int | None:
    name = _name(flag)
    return next((at for at, word in enumerate(words) if word.startswith("-") and _name(word) == name), None)


def _length(words: Words, at: int, *, takes_value: bool) -> int:
    """Count the words that the flag at this place takes up, its value included. A switch by its name takes none but a truth value."""
    if "=" in words[at] or at + 1 == len(words):
        return 1
    following = words[at + 1]
    is_value = not following.startswith("-") or _NUMBER.match(following) is not None
    takes_any = takes_value and not _SWITCH.match(_name(words[at]))
    return 2 if is_value and (takes_any or following.lower() in _TRUTH) else 1


def _spell(flag: str, value: str | None, *, joined: bool) -> Words:
    if value is None:
        return [flag]
    if joined or (value.startswith("-") and not _NUMBER.match(value)):
        return [f"{flag}={value}"]
    return [flag, value]


def _name(word: str) -> str:
    """Name a flag: a long one with hyphens, a short one as it is."""
    name = word.partition("=")[0]
    return name.replace("_", "-") if name.startswith("--") else name


def _negation(flag: str) -> str:
    """Name the opposite: of argparse's ``--x`` and ``--no-x`` the last wins, so setting one makes the other void."""
    name = _name(flag)
    return f"--{name[5:]}" if name.startswith("--no-") else f"--no-{name[2:]}"
