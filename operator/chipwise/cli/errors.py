"""The one error of the command line: something given to it cannot be used. It ends with exit code 2 and one sentence on stderr."""

from __future__ import annotations

import click

#: Something could not be placed.
UNPLACED = 1


class BadInput(click.ClickException):
    """A file, an object, a field, a name or a cluster that cannot be used; the message names it and says what to do."""

    exit_code = 2
