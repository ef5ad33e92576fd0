"""What can go wrong with a local control plane.

ClusterError
├── ToolError         a program can neither be downloaded nor built
├── CommandError      a program was run and failed
├── StartError        no control plane came up
└── UnsupportedError  this kind of control plane cannot do that
"""


class ClusterError(Exception):
    """Anything this package gives up on; the message is meant for the person at the terminal."""


class ToolError(ClusterError):
    """A program that is needed can be had in no way."""


class CommandError(ClusterError):
    """A program ended with an error; the message holds the end of what it wrote."""


class StartError(ClusterError):
    """No way to start a control plane worked."""


class UnsupportedError(ClusterError):
    """The control plane in use cannot do what was asked of it."""
