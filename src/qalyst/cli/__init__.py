"""The commands: list, check, show, run, patients, verify, profiles, compare, flip.

Exit codes: 0 done; 1 a model, a parameter or a request that cannot be used, or engines that
disagree; 2 a command line that cannot be read; 130 stopped by Ctrl-C. With `--json` one object goes
to standard output (`docs/json.md`); everything else goes to standard error.
"""

from __future__ import annotations

import sys

from qalyst.cli.application import app

# Each adds its commands to the application, in the order of `qalyst --help`.
# isort: off
from qalyst.cli import models  # noqa: F401
from qalyst.cli import run  # noqa: F401
from qalyst.cli import patients  # noqa: F401
from qalyst.cli import profiles  # noqa: F401
from qalyst.cli import compare  # noqa: F401
from qalyst.cli import flip  # noqa: F401
# isort: on

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of the command `qalyst`."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
