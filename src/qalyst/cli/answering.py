"""How a command answers: words or JSON, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from qalyst.errors import ModelError, ModelErrors


def answer(
    work: Callable[[], dict[str, Any]], tell: Callable[[dict[str, Any]], None], as_json: bool
) -> dict[str, Any]:
    """Do the work; say what came of it, in words or as JSON; exit by the rules above."""
    try:
        found = work()
    except KeyboardInterrupt as stop:
        typer.echo(str(stop) or "stopped; nothing was written", err=True)
        raise typer.Exit(130) from None
    except ModelError as error:
        fail(error, as_json)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        tell(found)
    return found


def fail(error: ModelError, as_json: bool) -> NoReturn:
    """Tell a mistake, in words and as JSON, and exit."""
    several = error.errors if isinstance(error, ModelErrors) else [error]
    if as_json:
        told = [{"what": e.what, "where": e.where, "mend": e.mend} for e in several]
        typer.echo(json.dumps({"errors": told}, indent=2))
    typer.echo(str(error), err=True)
    if len(several) > 1:
        typer.echo(f"\n{len(several)} mistakes", err=True)
    raise typer.Exit(1)
