"""chipwise that says on standard error when a template is about to leave, and sends it a second later: ``python e2e/announcing.py run ...``.

Whoever reads it has that second to do something to the network.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from chipwise.cli.main import main
from chipwise.kube.client import Client

_SECOND = 1.0
_send = Client.json_patch


async def json_patch(client: Client, *what: Any) -> dict[str, Any]:
    """The client's verb, with a warning."""
    if any(each["op"] != "test" and each["path"] == "/spec/template" for each in what[-1]):
        print("a template is about to leave", file=sys.stderr, flush=True)
        await asyncio.sleep(_SECOND)
    return await _send(client, *what)


if __name__ == "__main__":
    Client.json_patch = json_patch  # type: ignore[method-assign, assignment]
    main()
