"""``chipwise import``: results that people already have, as manifests. A new format is one file in ``importers`` and one name here."""

from __future__ import annotations

import click

from chipwise.cli.importers.inferno import inferno

EXAMPLES = """\b
Examples:
  chipwise import inferno tests/data/inferno-small -o fleet.yaml
"""


@click.group("import", epilog=EXAMPLES, short_help="Turn results of other tools into manifests.")
def import_group() -> None:
    """Turn the results of other tools into manifests for chipwise."""


for _command in (inferno,):
    import_group.add_command(_command)
