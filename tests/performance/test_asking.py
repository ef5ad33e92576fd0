"""Many questions at once are answered as each alone, and only once."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, cast

import pytest
from chipwise.performance import Names, Shape, Unmeasured
from chipwise.performance import asking as module
from chipwise.performance.asking import TOGETHER, Answer, Question, answer, foresee
from chipwise.performance.estimate import estimate_together, levels_up_to
from chipwise.performance.estimator import Estimates, Estimator, Table

from tests.performance.builders import CHIP_80GB, curve, unmeasured


class Counting:
    """An estimator that counts the tables it is asked."""

    def __init__(self, known: Estimator) -> None:
        self.known, self.rows = known, list[int]()

    def estimate(self, asked: Table) -> Estimates:
        self.rows.append(len(asked))
        return self.known.estimate(asked)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_remembered", {})


def counted(known: Unmeasured) -> tuple[Unmeasured, Counting]:
    counting = Counting(known.estimator)
    return replace(known, estimator=cast("Any", counting)), counting


def asked(known: Unmeasured, count: int) -> list[Question]:
    """So many shapes of four pairs of model and chip."""
    pairs = [
        (model, chip) for model in ("Qwen/Qwen3-32B", "somebody/else") for chip in ("h200", "somebody-elses")
    ]
    return [
        Question(
            replace(known, names=Names(*pairs[4 * n // count], "bf16", "vllm")),
            Shape(100 + 37 * n, 50 + 11 * n),
            levels_up_to(64),
        )
        for n in range(count)
    ]


def alone(questions: list[Question]) -> list[Answer]:
    found = []
    for one in questions:
        module._remembered.clear()
        found.append(answer(one))
    module._remembered.clear()
    return found


def test_together_as_alone_in_any_order() -> None:
    """To the last bit that is kept, or a decision would depend on what else was asked."""
    questions = asked(unmeasured(chips=4), 3 * TOGETHER)
    one_by_one = alone(questions)
    for seed in range(3):
        shuffled = random.Random(seed).sample(questions, len(questions))
        foresee(shuffled)
        assert [answer(one) for one in questions] == one_by_one
        module._remembered.clear()


def test_one_table_for_each_pair_of_model_and_chip() -> None:
    """Of no more than TOGETHER questions; what is foreseen is not asked again."""
    known, counting = counted(unmeasured(chips=4))
    questions = asked(known, 4 * (TOGETHER + 1))
    foresee(questions)
    each = len(levels_up_to(64))
    assert sorted(counting.rows) == [each] * 4 + [each * TOGETHER] * 4
    counting.rows.clear()
    foresee(questions)
    for one in questions:
        answer(one)
    assert counting.rows == []


def test_the_curve_asks_what_was_foreseen() -> None:
    """By the very same question."""
    known, counting = counted(unmeasured(chips=4))
    estimate_together([(known, Shape(1000, 100), None), (known, Shape(1000, 100), 16)])
    assert len(counting.rows) == 1
    curve(known, Shape(1000, 100))
    curve(known, Shape(1000, 100), 16)
    assert len(counting.rows) == 1


def test_what_is_refused_is_not_asked() -> None:
    """Too little memory, no FLOP/s, too long a request."""
    known, counting = counted(unmeasured(chip=replace(CHIP_80GB, memory_bytes=8_000_000_000)))
    blind = replace(known, hardware=replace(known.hardware, chip=replace(CHIP_80GB, flops=None)))
    roomy = replace(known, hardware=replace(known.hardware, chip=CHIP_80GB))
    estimate_together([(known, Shape(1000, 100), None), (blind, Shape(1000, 100), None)])
    estimate_together([(roomy, Shape(200_000, 100), None)])
    assert counting.rows == []


def test_only_the_last_answers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded, the longest unasked go first."""
    monkeypatch.setattr(module, "REMEMBERED", 3)
    known, counting = counted(unmeasured())
    questions = asked(known, 4)
    for one in questions[:3]:
        answer(one)
    answer(questions[0])
    answer(questions[3])
    counting.rows.clear()
    for one in (questions[0], questions[2], questions[3]):
        answer(one)
    assert counting.rows == []
    answer(questions[1])
    assert len(counting.rows) == 1
