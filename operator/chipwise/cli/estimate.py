"""``chipwise estimate``: TTFT and TPOT of any model on any chip, of one case, of a table, or as the frontier of cost and latency."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from chipwise.cli.errors import UNPLACED

EXAMPLES = """\b
Examples:
  chipwise estimate --model openai/gpt-oss-120b --accelerator h100 --chips 4 --input-tokens 1024 --output-tokens 1024 --concurrency 32
  chipwise estimate --model Qwen/Qwen3-32B --accelerator h200 --accelerator mi300x --precision fp8 --chips 1 --concurrency 16 --objective TPOT:20ms
  chipwise estimate --frontier openai/gpt-oss-120b --region us-east-1 --region westus3
  chipwise estimate --rows examples/estimate.csv
"""
FORMS = ("table", "json", "yaml", "csv")
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(epilog=EXAMPLES, short_help="Estimate TTFT, TPOT and cost of a model on a chip.")
@click.option("--model", metavar="NAME", help="A model of the catalogue, by name or Hugging Face id.")
@click.option(
    "--accelerator",
    "accelerators",
    multiple=True,
    metavar="CHIP",
    help="A chip of the catalogue; may be repeated.",
)
@click.option(
    "--precision",
    "precisions",
    multiple=True,
    metavar="NAME",
    help="Of the weights: bf16, fp16, fp8, int8, fp4 or int4; that of the checkpoint unless told. May be repeated.",
)
@click.option(
    "--chips",
    type=int,
    metavar="N",
    help="Chips of one replica; in tensor parallelism unless told otherwise.",
)
@click.option(
    "--tensor-parallel", "tensor", type=int, metavar="N", help="Chips that every layer is divided over."
)
@click.option(
    "--pipeline-parallel", "pipeline", type=int, metavar="N", help="Parts that the layers are divided into."
)
@click.option("--data-parallel", "data", type=int, metavar="N", help="Copies of the attention.")
@click.option(
    "--expert-parallel", "expert", type=int, metavar="N", help="Chips that experts are spread over."
)
@click.option("--engine", default="", metavar="NAME", help="vllm, trtllm or sglang; any unless told.")
@click.option("--engine-version", default="", metavar="VERSION", help="Of the engine.")
@click.option(
    "--input-tokens", type=float, default=1024, show_default=True, metavar="N", help="Of one request."
)
@click.option(
    "--output-tokens", type=float, default=1024, show_default=True, metavar="N", help="Of one request."
)
@click.option(
    "--concurrency",
    "concurrencies",
    type=float,
    multiple=True,
    metavar="N",
    help="Requests in service; may be repeated.",
)
@click.option(
    "--batched-tokens",
    type=float,
    metavar="N",
    help="The most prompt tokens of one step, such as vLLM's --max-num-batched-tokens; as measured of the model with this engine, else 8192.",
)
@click.option(
    "--held-steps",
    type=float,
    metavar="N",
    help="Steps that the engine holds a prompt back, such as TensorRT-LLM's batch_wait_timeout_iters; as measured of the model with this engine, else none.",
)
@click.option(
    "--equal-lengths/--varied-lengths",
    default=None,
    help="Whether all requests have the same lengths, so that they keep step; as measured of the model with this engine, else varied.",
)
@click.option(
    "--objective",
    "objectives",
    multiple=True,
    metavar="METRIC:STATISTIC:THRESHOLD[:CONFIDENCE]",
    help="To be judged, such as TTFT:Mean:500ms, or TTFT:Mean:500ms:80% to be that sure; may be repeated.",
)
@click.option(
    "--rows",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="A CSV of cases, - for standard input: every row comes out with its figures, or with the reason why there are none.",
)
@click.option(
    "--measurements",
    type=_FILE,
    metavar="FILE",
    help="A CSV to learn from instead of what ships; its columns are those of import silicon.",
)
@click.option(
    "--models",
    multiple=True,
    type=_FILE,
    metavar="FILE",
    help="Architectures beside those that ship: ModelProfiles, or entries as the catalogue has them. May be repeated.",
)
@click.option("--frontier", metavar="MODEL", help="The cost of a million tokens against TPOT, on every chip.")
@click.option(
    "--ttft",
    "ttft_limit",
    default="2s",
    show_default=True,
    metavar="LATENCY",
    help="The most TTFT of the frontier.",
)
@click.option("--cloud", type=click.Choice(["aws", "azure"]), help="Prices of this provider only.")
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="NAME",
    help="Prices in this region; may be repeated. Unless told, those of providers with one known region.",
)
@click.option(
    "--price",
    "prices",
    multiple=True,
    metavar="CHIP=AMOUNT",
    help="US dollars for one chip and hour, instead of any list; may be repeated.",
)
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE.svg", help="Draws the frontier.")
@click.option(
    "-o",
    "--output",
    default=None,
    metavar="FORM|FILE",
    help="table (the default), json, yaml or csv; with --rows the file to write, standard output unless told.",
)
def estimate(rows: Path | None, frontier: str | None, output: str | None, **options: Any) -> None:
    """Estimate TTFT, TPOT, tokens a second and cost, each latency with a band that holds 90 % of measurements.

    Physics with calibrated constants, corrected by measurements nearby: docs/estimating.md. Figures are means over requests at a steady
    number of them. Accuracy is known for NVIDIA chips only.

    Exit code 1 if a case has no answer or an objective cannot be judged; with --rows the rows say so themselves.
    """
    # The products of the estimator are small: BLAS threads would cost more than they bring. Heard only before numpy is there.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from chipwise.cli.estimating import command  # noqa: PLC0415 - numpy: not for --help

    if rows is not None and (frontier or options["model"] or options["accelerators"]):
        raise click.UsageError("give one of --rows, --frontier and --model: they are different questions")
    if rows is not None:
        command.of_rows(rows, output or "-", options)
        return
    form = output or "table"
    if form not in FORMS:
        raise click.UsageError(
            f"-o {form}: must be one of {', '.join(FORMS)}; a file is written with --rows only"
        )
    whole = command.of_frontier(frontier, form, options) if frontier else command.of_case(form, options)
    if not whole:
        raise SystemExit(UNPLACED)
