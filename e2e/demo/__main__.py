"""The command line: `python -m e2e.demo [--picture FILE.svg]`, or `make demo`. `DEMO_DOWN=1` removes everything at the end.

Exit codes: 0 everything held, 1 something did not, 2 the stage could not be set, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

from e2e.cluster import ClusterError
from e2e.cluster.folders import REPOSITORY, clusters_folder, locked
from e2e.demo import story
from e2e.demo.authored import documents
from e2e.demo.picture import decision_picture
from e2e.demo.stage import Stage, folder, interruptible, remove, staged
from e2e.demo.teller import Teller, Unmet

LOG_LINES = 15


def main() -> int:
    """Play the demo."""
    parser = argparse.ArgumentParser(prog="python -m e2e.demo", description=__doc__)
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw the decision of this run")
    arguments = parser.parse_args()
    interruptible()
    try:
        with locked(clusters_folder() / "locks" / "demo", "demo"):
            return _checked(arguments.picture)
    except KeyboardInterrupt:
        return 130


def _checked(picture: Path | None) -> int:
    """The exit code of a demo that is alone in this clone."""
    teller = Teller()
    try:
        _play(teller, picture)
    except KeyboardInterrupt:
        print("\ninterrupted: removing the cluster", flush=True)
        remove()
        return 130
    except Unmet as unmet:
        teller.fail(unmet)
        _evidence(teller)
        return 1
    except ClusterError as error:
        print(f"demo: {error}", file=sys.stderr)
        _evidence(teller)
        return 2
    return 0


def _play(teller: Teller, picture: Path | None) -> None:
    down = os.environ.get("DEMO_DOWN", "") not in ("", "0")
    with staged(teller) as stage:
        asked = story.first_moves(stage)
        story.price_change(stage)
        story.nodes_vanish(stage)
        story.infeasible(stage)
        story.restore(stage)
        story.epilogue(stage)
        if picture is not None:
            picture.write_text(decision_picture(asked, documents()))
            teller.say(f"{picture} drawn from the first decision")
        if not down:
            _further(stage)
    if down and remove():
        teller.say("DEMO_DOWN=1: everything the demo made has been removed")
    spent = time.monotonic() - teller.started
    teller.say()
    teller.say(f"{teller.checks} checks, all held. {spent:.0f} s.")


def _further(stage: Stage) -> None:
    """The commands to look further; the operator has its own, as it stops with the demo."""
    operator = _relative(stage.operator.kubeconfig)
    teller = stage.teller
    teller.chapter("To look further")
    path = ":".join(sorted({str(stage.cluster.kubectl.parent), str(stage.cluster.helm.parent)}))
    teller.say("The cluster stays up; the operator stops with the demo.")
    teller.show(
        "\n".join(
            (
                f"export KUBECONFIG={shlex.quote(str(stage.cluster.kubeconfig))} PATH={shlex.quote(path)}:$PATH",
                "kubectl explain iw.spec.objectives",
                "kubectl describe iw summaries -n serving",
                "kubectl get apool,aclass,mprofile,ppolicy",
                ".venv/bin/chipwise plan",
                ".venv/bin/chipwise explain serving/chat",
                f".venv/bin/chipwise run --kubeconfig {operator}    # the operator again, until Ctrl-C",
                f"less {_relative(stage.operator.log_path)}    # what it logged",
                "make down    # remove the cluster",
            )
        ),
        "    ",
    )


def _evidence(teller: Teller) -> None:
    """Where to look, and the last that the operator said."""
    log = folder() / "operator.log"
    if not log.exists():
        return
    teller.say(f"The last lines of {_relative(log)}:")
    teller.show("\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:]), "    ")
    teller.say("The cluster stays up: python3 -m e2e.cluster env --name chipwise-demo")


def _relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)


if __name__ == "__main__":
    sys.exit(main())
