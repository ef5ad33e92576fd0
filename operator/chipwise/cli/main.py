"""The entry point. Nothing heavy is imported here, nor in the modules of the commands: each imports its work when it is called."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any

import click

from chipwise.cli.catalog import catalog
from chipwise.cli.computeclass import computeclass
from chipwise.cli.estimate import estimate
from chipwise.cli.expander import expander
from chipwise.cli.explain import explain
from chipwise.cli.importing import import_group
from chipwise.cli.plan import plan
from chipwise.cli.restore import restore
from chipwise.cli.run import run

EXAMPLES = """\b
Examples:
  chipwise plan -f examples/
  chipwise explain serving/chat -f examples/
  chipwise restore serving/chat --dry-run
  chipwise catalog -f examples/
  chipwise import inferno tests/data/inferno-small -o fleet.yaml
"""


class _Full(click.ClickException):
    exit_code = 2


class _Program(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """A full disk is said in a line, as every other error is; a pipe that nobody reads is click's own matter."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # or Python finds out when it ends, and has its own words and exit code for it
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            _give_up_on_the_answer()
            raise _Full(f"the answer cannot be written: {error.strerror}") from error


def _give_up_on_the_answer() -> None:
    """What is left of it in memory goes nowhere, so that nothing is tried again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(package_name="chipwise", prog_name="chipwise", message="%(prog)s %(version)s")
def main() -> None:
    """Decide on which accelerators model servers run: for their traffic, within their latencies, at the lowest bill.

    Exit codes: 0 done, 1 something could not be placed, 2 bad input.
    """


for _command in (plan, explain, restore, catalog, estimate, import_group, computeclass, run, expander):
    main.add_command(_command)
