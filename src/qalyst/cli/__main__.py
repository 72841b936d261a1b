"""So that `python -m qalyst.cli` is the command `qalyst`."""

from qalyst.cli import main

main()
