"""The commands: list, check, show, run, patients, verify.

Exit codes: 0 done; 1 a model, a parameter or a request that cannot be used, or engines that
disagree; 2 a command line
that cannot be read; 130 stopped by Ctrl-C. With `--json` one object goes to standard output
(`docs/json.md`); everything else goes to standard error.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from qalyst.errors import ModelError, ModelErrors

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.model.resolved import ResolvedModel

DEFAULT_DRAWS = 1000
DEFAULT_SEED = 20260101
DEFAULT_PATIENTS = 1000
LONGEST_NAME = 200  # of a folder; file systems allow 255 bytes

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


class Formats(StrEnum):
    """How tables of single patients are written."""

    parquet = "parquet"
    csv = "csv"


class Engines(StrEnum):
    """How a model is run."""

    cohort = "cohort"
    individuals = "individuals"


class Lucks(StrEnum):
    """How the random numbers of patients are made."""

    plain = "plain"
    antithetic = "antithetic"
    quasi = "quasi"


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
    "qalyst run nelm --scenario base_case_man --set bias_share=0.3 --out results/mine    "
    "qalyst run nelm --engine individuals --draws 200 --patients 2000"
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
        typer.Option(help="Folder of the results; results/MODEL-SCENARIOS-VALUES if not given."),
    ] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="The base case only, without draws.")
    ] = False,
    engine: Annotated[
        Engines | None,
        typer.Option(help="Cohort, or individuals: patient by patient; cohort if not given."),
    ] = None,
    patients: Annotated[
        int | None,
        typer.Option(help="Patients in each draw, for individuals; 1,000 if not given."),
    ] = None,
    error: Annotated[
        float | None,
        typer.Option(
            metavar="MONEY",
            help="Choose the patients by the Monte Carlo error of incremental net benefit.",
        ),
    ] = None,
    luck: Annotated[
        Lucks | None,
        typer.Option(
            help="Of patients: plain, mirrored pairs, or Sobol points; plain if not given."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a model: base case, probabilistic analysis, tables, figures and a summary page."""
    analyses: list[Analysis] = []

    def work() -> dict[str, Any]:
        from qalyst.running import run_model

        _check_request(draws, deterministic, out, resume)
        many = _patients(engine, patients, error, luck)
        resolved, given = _load(model, scenario, values), _parsed(values or [])
        if error is not None:
            from qalyst.planning import patients_for_error

            many = patients_for_error(
                resolved,
                error=error,
                draws=None if deterministic else DEFAULT_DRAWS if draws is None else draws,
                seed=seed,
                threads=threads,
            )
        analysis, found = run_model(
            resolved,
            draws=None if deterministic else DEFAULT_DRAWS if draws is None else draws,
            seed=seed,
            threads=threads,
            folder=out or _default_folder(resolved, given),
            settings={
                "model": model,
                "scenarios": list(scenario or ()),
                "values": list(values or ()),
                "patients": many,
                "luck": (luck or Lucks.plain).value,
            },
            values=given,
            patients=many,
            luck=(luck or Lucks.plain).value,
            resume=resume,
        )
        analyses.append(analysis)
        return found

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.run_result(analyses[0], found, values or ())

    _answer(work, tell, as_json)


@app.command(
    epilog="Examples: qalyst patients nelm --story 12 --story 40    "
    "qalyst patients sick_sicker --patients 10000 --format csv"
)
def patients(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    count: Annotated[
        int, typer.Option("--patients", help="How many are followed, 1 or more.")
    ] = DEFAULT_PATIENTS,
    seed: Annotated[int, typer.Option(help="Of the luck of patients.")] = DEFAULT_SEED,
    story: Annotated[
        list[int] | None,
        typer.Option(metavar="K", help="Tell the course of patient K, from 0. Repeatable."),
    ] = None,
    form: Annotated[
        Formats | None,
        typer.Option(
            "--format", help="Of the tables of single patients; parquet if pyarrow is installed."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; results/MODEL-patients-SCENARIOS-VALUES if not given."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow single patients at base-case values: their courses, their spread, their survival."""
    known: list[ResolvedModel] = []

    def work() -> dict[str, Any]:
        from qalyst.following import run_patients

        _check_folder(out)
        resolved, given = _load(model, scenario, values), _parsed(values or [])
        known.append(resolved)
        asked = list(story or ())
        return run_patients(
            resolved,
            patients=count,
            seed=seed,
            stories=asked,
            form=form,
            folder=out or _default_folder(resolved, given, "patients"),
            settings={"model": model, "values": list(values or ()), "stories": asked},
        )

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.patients_words import tell_patients

        tell_patients(known[0], found, told=story is not None)

    _answer(work, tell, as_json)


@app.command(epilog="Example: qalyst verify nelm --patients 20000")
def verify(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    patients: Annotated[
        int | None,
        typer.Option(
            help="Patients of each strategy and profile; a few seconds' worth if not given."
        ),
    ] = None,
    level: Annotated[
        float, typer.Option(help="Chance that any comparison fails although all is well.")
    ] = 0.001,
    seed: Annotated[int, typer.Option(help="Of the luck of patients.")] = DEFAULT_SEED,
    threads: Annotated[
        int | None, typer.Option(help="Threads; all processors if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare cohort and individuals: base case, every strategy, profile and payoff row."""

    def work() -> dict[str, Any]:
        from qalyst.agreement import compare_engines
        from qalyst.report.agreement_words import agreement_data

        resolved = _load(model, scenario, values)
        agreement = compare_engines(
            resolved, patients=patients, seed=seed, level=level, threads=threads
        )
        return agreement_data(resolved.name, agreement)

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.agreement_words import tell_agreement

        tell_agreement(found)

    found = _answer(work, tell, as_json)
    if found["agrees"] is False:
        raise typer.Exit(1)


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
            value = float(number.replace("_", " "))  # Python would read 1_0 as 10
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


def _patients(
    engine: Engines | None, patients: int | None, error: float | None, luck: Lucks | None
) -> int | None:
    """How many patients in each draw; None for the cohort. Asking for them asks for individuals."""
    options = {"--patients": patients, "--error": error, "--luck": luck}
    asked = next((option for option, given in options.items() if given is not None), None)
    if patients is not None and error is not None:
        raise ModelError(
            "the number of patients and the error that chooses it are both given",
            where=f"command line  --patients {patients} --error {error:g}",
            mend="keep one of the two",
        )
    if asked and engine is Engines.cohort:
        raise ModelError(
            "a cohort has no patients one by one",
            where=f"command line  --engine cohort {asked}",
            mend="write --engine individuals, or keep one of the two",
        )
    if engine is Engines.individuals or asked:
        return DEFAULT_PATIENTS if patients is None else patients
    return None


def _check_request(draws: int | None, deterministic: bool, out: Path | None, resume: bool) -> None:
    if deterministic and resume:
        raise ModelError(
            "only draws can be gone on with",
            where="command line  --deterministic --resume",
            mend="keep one of the two",
        )
    if deterministic and draws is not None:
        raise ModelError(
            f"the base case alone has no draws, and {draws} are asked for",
            where=f"command line  --deterministic --draws {draws}",
            mend="keep one of the two",
        )
    _check_folder(out)


def _check_folder(out: Path | None) -> None:
    if out == Path():  # also what an empty text becomes
        raise ModelError(
            "the results would take the place of the folder you are in",
            where="command line  --out",
            mend="name a folder, such as results/mine",
        )


def _default_folder(model: ResolvedModel, values: dict[str, float], *kind: str) -> Path:
    """A folder of its own for each model, scenarios and values, so that none replaces another."""
    words = (f"{name}={value:.15g}" for name, value in sorted(values.items()))
    name = re.sub(r"[^\w.=+-]+", "_", "-".join([model.name, *kind, *model.scenarios, *words]))
    if len(name) > LONGEST_NAME:
        raise ModelError(
            f"the results would go into a folder with a name of {len(name)} letters",
            where="command line  --scenario, --set",
            mend="name a folder: --out results/mine",
        )
    return Path("results") / name


def _answer(
    work: Callable[[], dict[str, Any]], tell: Callable[[dict[str, Any]], None], as_json: bool
) -> dict[str, Any]:
    """Do the work; say what came of it, in words or as JSON; exit by the rules above."""
    try:
        found = work()
    except KeyboardInterrupt as stop:
        typer.echo(str(stop) or "stopped; nothing was written", err=True)
        raise typer.Exit(130) from None
    except ModelError as error:
        _fail(error, as_json)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        tell(found)
    return found


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
