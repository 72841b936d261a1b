"""The commands: list, check, show, run.

Exit codes: 0 done; 1 a model, a parameter or a request that cannot be used; 2 a command line
that cannot be read; 130 stopped by Ctrl-C. With `--json` one object goes to standard output
(`docs/json.md`); everything else goes to standard error.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from qalyst.errors import ModelError, ModelErrors

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel

DEFAULT_DRAWS = 1000
DEFAULT_SEED = 20260101

app = typer.Typer(
    name="qalyst",
    help="Which treatment strategy is best value, how sure are we, and why: health-economic "
    "models as plain files.",
    epilog="Example: qalyst run nelm --draws 1000",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ModelName = Annotated[
    str, typer.Argument(help="Name of a model (`qalyst list`), or path of a model file.")
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option("--scenario", help="Overlay of the model file; may be given several times."),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Fix a parameter, in the unit of its record; also TABLE[label]=VALUE. Repeatable.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output (docs/json.md).")
]


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


@app.command("list", epilog="Example: qalyst list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that come with qalyst."""

    def work() -> dict[str, Any]:
        from qalyst.io.files import catalogue_models
        from qalyst.io.yaml import load

        models = []
        for path in catalogue_models():
            document = load(path, path.name)
            models.append({"name": path.stem, "title": str(document.get("title", ""))})
        return {"models": models}

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.models(found["models"])

    _answer(work, tell, as_json)


@app.command(epilog="Example: qalyst check models/nelm.yaml")
def check(model: ModelName, scenario: Scenarios = None, as_json: AsJson = False) -> None:
    """Check a model and all its scenarios: names, units, structure, and bounds at base values."""

    def work() -> dict[str, Any]:
        from qalyst.checks import check_model

        return check_model(model, tuple(scenario or ()))

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.checked(found)

    _answer(work, tell, as_json)


@app.command(epilog="Example: qalyst show hiv --scenario half_cycle")
def show(
    model: ModelName, scenario: Scenarios = None, values: Values = None, as_json: AsJson = False
) -> None:
    """Show the resolved model: its diagram, rows, parameters with sources, and timing ledger."""
    resolved: list[ResolvedModel] = []

    def work() -> dict[str, Any]:
        from qalyst.report.shown import shown_model

        resolved.append(_load(model, scenario, values))
        return shown_model(resolved[0])

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.shown(resolved[0], found, values or ())

    _answer(work, tell, as_json)


@app.command(
    epilog="Examples: qalyst run nelm --draws 10000 --seed 7    "
    "qalyst run nelm --scenario base_case_man --set bias_share=0.3 --out results/mine"
)
def run(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    draws: Annotated[
        int | None,
        typer.Option(
            help=f"Draws of the probabilistic analysis, 1 or more; {DEFAULT_DRAWS} if not given."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="The same seed gives the same results, bit by bit.")
    ] = DEFAULT_SEED,
    threads: Annotated[
        int | None, typer.Option(help="Threads; all processors if not given.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the results; results/MODEL if not given."),
    ] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="The base case only, without draws.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a model: base case, probabilistic analysis, tables, figures and a summary page."""

    def work() -> dict[str, Any]:
        from qalyst.running import run_model

        _check_numbers(draws, seed, threads)
        _check_request(draws, deterministic, out)
        resolved = _load(model, scenario, values)
        return run_model(
            resolved,
            draws=None if deterministic else draws or DEFAULT_DRAWS,
            seed=seed,
            threads=threads,
            folder=out or _default_folder(resolved),
            settings={
                "model": model,
                "scenarios": list(scenario or ()),
                "values": list(values or ()),
                "parsed": _parsed(values or []),
            },
        )

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.run_result(found["_analysis"], found, values or ())

    _answer(work, tell, as_json)


def _load(name: str, scenario: list[str] | None, values: list[str] | None) -> ResolvedModel:
    from qalyst.model.resolve import load_model

    return load_model(name, scenarios=scenario or (), values=_parsed(values or []))


def _parsed(values: list[str]) -> dict[str, float]:
    """Values given by ``--set``: plain finite numbers only."""
    found: dict[str, float] = {}
    for text in values:
        name, equals, number = text.partition("=")
        where = f"command line  --set {text}"
        if not equals:
            raise ModelError(f"'{text}' is not NAME=VALUE", where=where, mend="write name=0.5")
        try:
            value = float(number)
        except ValueError as error:
            raise ModelError(
                f"'{number}' is no number for '{name}'", where=where, mend="write a plain number"
            ) from error
        if not math.isfinite(value):
            raise ModelError(
                f"'{name}' is set to {number}", where=where, mend="write a finite number"
            )
        if name.strip() in found:
            raise ModelError(f"'{name}' is set twice", where=where, mend="keep one of the two")
        found[name.strip()] = value
    return found


def _check_request(draws: int | None, deterministic: bool, out: Path | None) -> None:
    if deterministic and draws is not None:
        raise ModelError(
            f"the base case alone has no draws, and {draws} are asked for",
            where=f"command line  --deterministic --draws {draws}",
            mend="keep one of the two",
        )
    if out == Path():  # also what an empty text becomes
        raise ModelError(
            "the results would take the place of the folder you are in",
            where="command line  --out",
            mend="name a folder, such as results/mine",
        )


def _check_numbers(draws: int | None, seed: int, threads: int | None) -> None:
    if draws is not None and draws < 1:
        raise ModelError(
            f"{draws} draws are none",
            where=f"command line  --draws {draws}",
            mend="ask for 1 or more draws, or --deterministic for the base case alone",
        )
    if draws is not None and draws > 10_000_000:
        raise ModelError(
            f"{draws} draws are too many",
            where=f"command line  --draws {draws}",
            mend="10,000 to 100,000 draws are plenty: see the Monte Carlo errors",
        )
    if not 0 <= seed < 2**64:
        raise ModelError(
            f"the seed {seed} is not between 0 and 2^64 - 1",
            where=f"command line  --seed {seed}",
            mend="give a whole number from 0 upwards",
        )
    if threads is not None and threads < 1:
        raise ModelError(
            f"{threads} threads are none",
            where=f"command line  --threads {threads}",
            mend="ask for 1 or more",
        )


def _default_folder(model: ResolvedModel) -> Path:
    return Path("results") / "-".join([model.name, *model.scenarios])


def _answer(
    work: Callable[[], dict[str, Any]], tell: Callable[[dict[str, Any]], None], as_json: bool
) -> None:
    """Do the work; say what came of it, in words or as JSON; exit by the rules above."""
    try:
        found = work()
    except KeyboardInterrupt:
        typer.echo("stopped; nothing was written", err=True)
        raise typer.Exit(130) from None
    except ModelError as error:
        _fail(error, as_json)
    if as_json:
        typer.echo(json.dumps({k: v for k, v in found.items() if not k.startswith("_")}, indent=2))
    else:
        tell(found)


def _fail(error: ModelError, as_json: bool) -> NoReturn:
    several = error.errors if isinstance(error, ModelErrors) else [error]
    if as_json:
        told = [{"what": e.what, "where": e.where, "mend": e.mend} for e in several]
        typer.echo(json.dumps({"errors": told}, indent=2))
    typer.echo(str(error), err=True)
    if len(several) > 1:
        typer.echo(f"\n{len(several)} mistakes", err=True)
    raise typer.Exit(1)


def main() -> None:
    """Entry point of the command `qalyst`."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()
