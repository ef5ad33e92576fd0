"""The API package is light: the command line imports it on every start."""

import subprocess
import sys

HEAVY = ("aiohttp", "asyncio", "highspy", "kopf", "kubernetes", "numpy", "yaml")


def test_nothing_heavy_is_imported() -> None:
    """pydantic is all it needs; YAML only to render CRDs. No model is built before its first use."""
    script = (
        "import sys, chipwise.api as api;"
        f"print([name for name in {HEAVY!r} if name in sys.modules], api.InferenceWorkload.__pydantic_complete__)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "False"]
