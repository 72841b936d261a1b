"""The application to which each module of commands adds its own."""

from __future__ import annotations

import os
from typing import Annotated

import typer

# Work is shared out over draws on threads of our own. A thread pool of the linear algebra beneath
# them makes many small products wait for each other: ten times slower on a busy machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def examples(*commands: str) -> str:
    """The last lines of a command's help: examples to copy, a line each."""
    head = "Example:" if len(commands) == 1 else "Examples:"
    return "\n".join(["\b", head, *(f"  {command}" for command in commands)])


app = typer.Typer(
    name="qalyst",
    help="Which treatment strategy is best value, how sure are we, and why: health-economic "
    "models as plain files.",
    epilog=examples("qalyst run nelm --draws 1000"),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from qalyst import __version__

        typer.echo(f"qalyst {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Version of qalyst."),
    ] = False,
) -> None:
    """Health-economic models as plain files."""
