"""Learning from somebody's own rows: what is fitted anew, and what stays as it ships."""

from __future__ import annotations

import numpy as np
import pytest
from chipwise.catalog.estimating import ENOUGH_ROWS, learnt_from_alone, shipped_estimator
from chipwise.catalog.measurements import shipped
from chipwise.performance.estimator import Support


def of_models(*models: str) -> np.ndarray:
    return np.array([number for number, case in enumerate(shipped().cases) if case.model in models])


def test_bands_stay_where_too_few_rows_can_be_left_out():
    found = learnt_from_alone(shipped().take(of_models("openai/gpt-oss-120b")[:20]))
    assert not found.anew
    assert found.estimator.tpot_bands == shipped_estimator().tpot_bands
    assert found.estimator.ttft_bands == shipped_estimator().ttft_bands


def test_bands_are_held_against_rows_where_there_are_enough():
    found = learnt_from_alone(shipped().take(of_models("openai/gpt-oss-120b")[::2]))
    own, ships = found.estimator.tpot_bands.factors, shipped_estimator().tpot_bands.factors
    assert own[Support.BEYOND] != ships[Support.BEYOND]
    assert own[Support.CHIP] == ships[Support.CHIP]  # one model: none can be left out


@pytest.mark.parametrize(
    ("models", "count", "anew"),
    [
        (("openai/gpt-oss-120b",), ENOUGH_ROWS, False),
        (("openai/gpt-oss-120b", "meta-llama/Llama-3.1-70B"), ENOUGH_ROWS, True),
        (("openai/gpt-oss-120b", "meta-llama/Llama-3.1-70B"), ENOUGH_ROWS - 1, False),
    ],
)
def test_constants_are_fitted_to_enough_rows_of_two_models_on_two_chips(models, count, anew):
    every = of_models(*models)
    found = learnt_from_alone(shipped().take(every[np.linspace(0, len(every) - 1, count).astype(int)]))
    assert found.anew is anew
    same = np.array_equal(found.estimator.constants.tpot, shipped_estimator().constants.tpot)
    assert same is not anew
