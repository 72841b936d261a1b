"""The terminal: its width, and the look of its tables."""

from __future__ import annotations

import os

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

PIPED = 120  # characters of a line that goes to no terminal
MOST_LETTERS = 10_000  # wider than any table
LONGEST_WORD = 10  # letters of text that are kept on one line


def open_console() -> Console:
    """Standard output."""
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        console.width = PIPED
    return console


def new_table(title: str, *columns: str, text: int = 1) -> Table:
    """A table whose first columns are text and whose others are numbers."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < text else "right", overflow="fold")
    return table


def print_table(console: Console, table: Table) -> None:
    """Print a table whose numbers stay whole, even if its lines are then too long."""
    unbound = console.options.update(max_width=MOST_LETTERS)
    tight = Measurement.get(console, unbound, table).maximum > console.width
    for column in table.columns:
        cells = [str(cell) for cell in column.cells]
        if column.justify == "right":
            header = str(column.header).split() if tight else [str(column.header)]
            column.width = max(map(cell_len, [*cells, *header]), default=0)
        else:
            words = [word for cell in cells for word in cell.split()]
            column.min_width = min(max(map(cell_len, words), default=0), LONGEST_WORD)
    console.print(table, crop=False)
