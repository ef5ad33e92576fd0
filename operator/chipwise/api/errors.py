"""The one error of this package, and what it carries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong: where (``spec.variants[0].chips``; empty for the whole object) and a sentence about it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidObject(ValueError):  # noqa: N818 - named for the situation
    """A document that is not a valid object of chipwise.dev: its kind, its name and every problem found, in the order of the document.

    Reads ``AcceleratorPool/h100: spec.price.amount: must be ...``; several problems are joined by ``; ``.
    """

    def __init__(self, kind: str, name: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(kind, name, problems)
        self.kind = kind
        self.name = name
        self.problems = problems

    @property
    def path(self) -> str:
        """Where the first problem is."""
        return self.problems[0].path

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}: " + "; ".join(str(problem) for problem in self.problems)
