"""All that is wrong with what is imported, said at once: a person mends a file of a thousand rows in one go, and nothing is half-imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from chipwise.cli.errors import BadInput

#: More than these are counted and not shown.
SHOWN = 20

Answer = TypeVar("Answer")


class Problems:
    """What was found so far, in order, each said once."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._alike: Counter[str] = Counter()

    def add(self, problem: str | BadInput, like: str = "") -> None:
        """One more. Of those with the same ``like`` the first is shown and the others are counted."""
        message = problem.message if isinstance(problem, BadInput) else problem
        key = like or message
        self._said.setdefault(key, message)
        self._alike[key] += bool(like)

    def ask(self, question: Callable[[], Answer], like: str = "") -> Answer | None:
        """The answer, or None and a problem more."""
        try:
            return question()
        except BadInput as error:
            self.add(error, like)
            return None

    def settle(self) -> None:
        """Raises BadInput with what was found, if anything was."""
        if not self._said:
            return
        said = [
            message + (f" (and {self._alike[key] - 1} more like it)" if self._alike[key] > 1 else "")
            for key, message in self._said.items()
        ]
        more = [f"and {len(said) - SHOWN} more"] if len(said) > SHOWN else []
        raise BadInput("\n".join([*said[:SHOWN], *more]))
