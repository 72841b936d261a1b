"""The commands, a module for each family of them.

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
from qalyst.cli import decide  # noqa: F401
from qalyst.cli import reprice  # noqa: F401
from qalyst.cli import guidelines  # noqa: F401
from qalyst.cli import severity  # noqa: F401
from qalyst.cli import compare  # noqa: F401
from qalyst.cli import sensitivity  # noqa: F401
from qalyst.cli import thresholds  # noqa: F401
from qalyst.cli import scenarios  # noqa: F401
from qalyst.cli import flip  # noqa: F401
from qalyst.cli import voi  # noqa: F401
from qalyst.cli import evsi  # noqa: F401
from qalyst.cli import profiles  # noqa: F401
from qalyst.cli import sequences  # noqa: F401
from qalyst.cli import patients  # noqa: F401
# isort: on

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of the command `qalyst`."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
