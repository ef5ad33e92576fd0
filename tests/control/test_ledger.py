"""One decision, one line, with the same fields whatever was decided."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from chipwise.cluster.decide import Standing
from chipwise.control.ledger import Ledger
from chipwise.kube.resources import INFERENCE_WORKLOADS

from tests.cluster.world import World
from tests.control.carrying import carry_out, until_quiet

FIELDS = ("workload", "decision", "reason", "from", "to", "savings", "step")


class Book:
    """A ledger over a world, and what it wrote."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "chipwise.control.ledger")
        self.world, self._caplog = World.standard(), caplog
        self.counted: list[tuple[str, str]] = []
        self.ledger = Ledger(lambda decision, reason: self.counted.append((decision, reason)))

    def note(self, **changes: Any) -> list[dict[str, Any]]:
        """The lines of one more decision."""
        self._caplog.clear()
        self.ledger.note(self.world.decide(**changes))
        found = []
        for record in self._caplog.records:
            fields = {name: vars(record)[name] for name in FIELDS if name in vars(record)}
            found.append({**fields, "message": record.getMessage()})
        return found


@pytest.fixture
def book(caplog: pytest.LogCaptureFixture) -> Book:
    return Book(caplog)


def test_a_move_is_one_line_with_every_field(book: Book):
    assert book.note() == [
        {
            "workload": "prod/chat",
            "decision": "Move",
            "reason": "Moved",
            "from": "h100-x4 on h100",
            "to": "maia-x4 on maia",
            "savings": 64.0,
            "step": 1,
            "message": "prod/chat: Moves from h100-x4 on h100 to maia-x4 on maia, saves 64.00 $/h",
        }
    ]


def test_what_stays_as_decided_is_not_said_again(book: Book):
    book.note()
    assert book.note() == []
    assert book.counted == [("Move", "Moved")]


def test_a_whole_move_is_three_lines(book: Book):
    lines = book.note()
    carry_out(book.world)
    book.world.roll()
    lines += book.note()
    until_quiet(book.world)
    lines += book.note()
    assert [line["reason"] for line in lines] == ["Moved", "MoveInProgress", "Stays"]
    assert "0 new replicas are Ready, 2 old ones still run" in lines[1]["message"]


def test_a_held_move_has_its_target_and_its_reason(book: Book):
    (line,) = book.note(standing=Standing(frozen=True))
    assert (line["decision"], line["reason"], line["to"]) == ("Hold", "Frozen", "maia-x4 on maia")
    assert "step" not in line


def test_without_the_right_to_write_the_line_says_so(book: Book):
    (line,) = book.note(standing=Standing(writes=False))
    assert (line["decision"], line["reason"]) == ("Hold", "WritesDisabled")


def test_what_cannot_be_decided_about_is_a_line_too(book: Book):
    book.world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(modelProfileName="none"))
    (line,) = book.note()
    assert (line["decision"], line["reason"]) == ("Refused", "ProfileMissing")
    assert "no ModelProfile is named none" in line["message"]


def test_who_leads_again_says_everything_again(book: Book):
    book.note()
    book.ledger.forget()
    assert len(book.note()) == 1
