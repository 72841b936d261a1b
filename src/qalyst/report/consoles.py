"""The terminal: its width, and the look of its tables."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table


def console() -> Console:
    """Standard output; wide enough for a table when it is no terminal."""
    found = Console(highlight=False, soft_wrap=False)
    if not found.is_terminal:
        found.width = max(found.width, 120)
    return found


def table(title: str, *columns: str, text: int = 1) -> Table:
    """A table whose first columns are text and whose others are numbers."""
    found = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for number, name in enumerate(columns):
        found.add_column(name, justify="left" if number < text else "right", overflow="fold")
    return found
