"""``chipwise import``: results that people already have, as manifests. A new format is one file in ``importers`` and one name here."""

from __future__ import annotations

import click

from chipwise.cli.importers.aiperf import aiperf
from chipwise.cli.importers.guidellm import guidellm
from chipwise.cli.importers.hf_config import hf_config
from chipwise.cli.importers.inferno import inferno
from chipwise.cli.importers.silicon import silicon
from chipwise.cli.importers.vllm_bench import vllm_bench

EXAMPLES = """\b
Examples:
  chipwise import vllm-bench tests/data/vllm-bench --class h100-sxm --chips 2 --precision bf16 --engine vLLM --engine-version 0.12.0 --startup-seconds 180 -o profile.yaml
  chipwise import hf-config tests/data/hf-config/qwen3-32b --model Qwen/Qwen3-32B --class h100-sxm --chips 4 --precision fp8 --startup-seconds 180
  chipwise import inferno tests/data/inferno-small -o fleet.yaml
"""


@click.group("import", epilog=EXAMPLES, short_help="Turn results of other tools into manifests.")
def import_group() -> None:
    """Turn the results of other tools into manifests for chipwise.

    What a result does not hold is given by flags and never assumed. If anything in it cannot be used, all of that is said, the exit code
    is 2, and nothing is written.
    """


for _command in (vllm_bench, guidellm, aiperf, silicon, hf_config, inferno):
    import_group.add_command(_command)
