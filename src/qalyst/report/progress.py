"""A bar with the time left, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(
    name: str, total: int | None, of: str = "draws"
) -> Iterator[Callable[[int, int], None] | None]:
    """What is called with (done, total) as work goes on; nothing is shown if it is no terminal.

    Parameters
    ----------
    name : what is running.
    total : how many there are to do; None for work that is over at once.
    of : what is counted.
    """
    if total is None:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(of),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"{name}: preparing", total=total)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, description=f"{name}: running")

        yield update
