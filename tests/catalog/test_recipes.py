"""Recipes of campaigns, on the rows that ship and on broken files."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from chipwise.catalog import recipes
from chipwise.catalog.measurements import read, shipped
from chipwise.catalog.records import BrokenCatalogue
from chipwise.performance.estimator import Serving

MAX = "source_file=2026-04-06.csv; model=A; measured=2026-02-05"
OWN = "silicon_concurrency=64"


def some(**figures):
    wanted = {"engine_version": "", **figures}
    return next(
        case
        for case in shipped().cases
        if all(getattr(case, name) == value for name, value in wanted.items())
    )


LLAMA = some(model="meta-llama/Llama-3.1-70B", engine="trtllm", accelerator="h200")
DEEPSEEK = some(model="deepseek-ai/DeepSeek-R1", engine="trtllm", accelerator="b200")


@pytest.mark.parametrize(
    ("case", "serving"),
    [
        (replace(LLAMA, input_tokens=1024, output_tokens=1024, tensor=4), Serving(16384, 20, False)),
        (replace(LLAMA, input_tokens=1024, output_tokens=1024, tensor=8), Serving(16384, 0, False)),
        (replace(LLAMA, input_tokens=1024, output_tokens=8192, tensor=4), Serving(16384, 0, False)),
        (replace(LLAMA, engine="vllm"), Serving(8192, 0, False)),
        (replace(DEEPSEEK, tensor=8, data=1), Serving(recipes.ONE_PROMPT, 0, False)),
        (replace(DEEPSEEK, tensor=1, data=8), Serving(recipes.ONE_PROMPT, 60, False)),
        (replace(DEEPSEEK, data=1, engine_version="1.2.0rc6.post2"), Serving(8192, 0, False)),
        (replace(DEEPSEEK, engine="sglang", precision="fp4", concurrency=8), Serving(16384, 5, False)),
        (replace(DEEPSEEK, engine="sglang", precision="fp4", concurrency=16), Serving(16384, 15, False)),
        (
            replace(DEEPSEEK, engine="sglang", precision="fp8", tensor=4, concurrency=64),
            Serving(8192, 5, False),
        ),
        (replace(DEEPSEEK, engine="sglang", precision="fp8", accelerator="h200"), Serving(32768, 0, False)),
        (replace(DEEPSEEK, accelerator="gb200"), Serving(None, None, False)),
    ],
)
def test_rows_of_a_campaign_are_set_as_its_recipes_say(case, serving):
    assert recipes.serving_of(case, MAX) == serving


def test_lengths_are_those_of_the_campaign():
    assert recipes.serving_of(LLAMA, OWN) == Serving(equal_lengths=True)
    for source in (
        "somebody's own",
        "source_file=mine.csv",
        "source_file=mine.csv; model=A",
        "silicon_concurrency=many",
        "",
    ):
        assert recipes.serving_of(LLAMA, source) == Serving()
    dynamo = "measured=2026-01-25; image=nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.8.0"
    assert recipes.serving_of(LLAMA, dynamo) == Serving(equal_lengths=True)
    assert recipes.serving_of(LLAMA, f"{MAX}; {dynamo}").equal_lengths is False


def test_every_shipped_row_is_of_a_campaign_and_every_recipe_is_of_some_row():
    rows = shipped().cases
    assert all(case.serving.equal_lengths is not None for case in rows)
    for campaign in recipes.campaigns():
        own = [case for case in rows if case.serving.equal_lengths is campaign.equal_lengths]
        for recipe in campaign.recipes:
            of_it = [case.serving for case in own if recipe.fits(case)]
            for told, name in ((recipe.batched_tokens, "batched_tokens"), (recipe.held_steps, "held_steps")):
                assert told is None or any(getattr(each, name) == told for each in of_it), recipe.name


def test_what_a_row_says_of_its_server_counts_before_recipes():
    header = (
        "model_path,system,precision,backend,backend_version,isl,osl,concurrency,tp_size,silicon_ttft_ms,silicon_tpot_ms,"
        "silicon_data_source,batched_tokens,held_steps,equal_lengths"
    )
    row = "meta-llama/Llama-3.1-70B,h200,fp8,trtllm,,1024,1024,16,4,300,15"

    def served(cells):
        found = read(csv.DictReader(io.StringIO(f"{header}\n{row},{cells}\n")))
        return found.cases[0].serving if hasattr(found, "cases") else found[0]

    assert served(f"{MAX},,,") == Serving(16384, 20, False)
    assert served(f"{MAX},4096,0,yes") == Serving(4096, 0, True)
    assert served("mine,,,no") == Serving(None, None, False)
    for cells, column in (
        ("mine,0,,", "batched_tokens"),
        ("mine,many,,", "batched_tokens"),
        ("mine,,-1,", "held_steps"),
        ("mine,,nan,", "held_steps"),
        ("mine,,,perhaps", "equal_lengths"),
    ):
        assert served(cells).column == column


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "a", "from": "b", "source": "c", "recipes": []}, "equalLengths must be true or false"),
        ({"recipes": [{"name": "r", "from": "s", "engine": "vllm"}]}, "sets nothing"),
        ({"recipes": [{"name": "r", "from": "s", "heldSteps": 2, "enigne": "vllm"}]}, "unknown field enigne"),
        ({"recipes": [{"name": "r", "heldSteps": 2}]}, "from must be a text"),
        ({"recipes": [{"name": "r", "from": "s", "batchedTokens": 0}]}, "at least 1"),
        ({"recipes": [{"name": "r", "from": "s", "heldSteps": -1}]}, "at least 0"),
        ({"source": "("}, "no regular expression"),
        *(
            ({"recipes": [{"name": "r", "from": "s", "heldSteps": 2, field: told}]}, f"{field} cannot be")
            for field, told in (
                ("chips", "b200"),
                ("releases", "1.0"),
                ("releases", []),
                ("precision", "fp7"),
                ("precision", ["fp8"]),
                ("lengths", [1024]),
                ("lengths", "1k"),
                ("copies", "yes"),
                ("tensor", "4"),
                ("tensorBelow", 0),
                ("concurrencyFrom", "16"),
                ("concurrencyBelow", True),
            )
        ),
    ],
)
def test_a_broken_file_names_entry_and_field(change, said):
    whole = {"name": "a", "from": "b", "source": "c", "equalLengths": True, "recipes": []}
    entry = change if "name" in change else whole | change
    with pytest.raises(BrokenCatalogue, match=said):
        recipes.read({"campaigns": [entry]})
