"""The command run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import (
    DEFAULT_DRAWS,
    DEFAULT_PATIENTS,
    DEFAULT_SEED,
    DESIGN_DRAWS,
    AsJson,
    ModelName,
    RateNames,
    Scenarios,
    Values,
    check_folder,
    default_folder,
    load,
    parsed,
    rates_of,
)
from qalyst.errors import ModelError

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.stats.designs import Sampling


class Engines(StrEnum):
    """How a model is run."""

    cohort = "cohort"
    individuals = "individuals"


class Lucks(StrEnum):
    """How the random numbers of patients are made."""

    plain = "plain"
    antithetic = "antithetic"
    quasi = "quasi"


class Samplings(StrEnum):
    """How draws are sampled."""

    random = "random"
    sobol = "sobol"
    latin = "latin"


@app.command(
    epilog=examples(
        "qalyst run nelm --draws 10000 --seed 7",
        "qalyst run nelm --scenario base_case_man --set bias_share=0.3 --out results/mine",
        "qalyst run nelm --engine individuals --draws 200 --patients 2000",
        "qalyst run nelm --sampling sobol --draws 8192",
        "qalyst run nelm --until 0.5%",
    )
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
        typer.Option(help="The cohort as a whole, or patient by patient; cohort if not given."),
    ] = None,
    patients: Annotated[
        int | None,
        typer.Option(help="Patients in each draw, with --engine individuals; 1,000 if not given."),
    ] = None,
    error: Annotated[
        float | None,
        typer.Option(
            metavar="MONEY",
            help="Take as many patients as this Monte Carlo error of net benefit needs.",
        ),
    ] = None,
    luck: Annotated[
        Lucks | None,
        typer.Option(
            help="Random numbers of patients: plain, mirrored pairs (antithetic), Sobol points "
            "(quasi); plain if not given."
        ),
    ] = None,
    rates: RateNames = "all",
    until: Annotated[
        str | None,
        typer.Option(
            metavar="ERROR",
            help="Draw until every incremental net benefit has at most this Monte Carlo error: "
            "money (500), or a share of each threshold (0.5%).",
        ),
    ] = None,
    most_draws: Annotated[
        int | None,
        typer.Option(help="Where --until stops at the latest; 1,000,000 if not given."),
    ] = None,
    sampling: Annotated[
        Samplings | None,
        typer.Option(
            help="Of draws: random, scrambled Sobol points, or Latin hypercubes; random if not "
            "given."
        ),
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option(help="Independent replicates of Sobol points or hypercubes; 8 if not given."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a model and write tables, figures and a page.

    Base case and probabilistic analysis; with --engine individuals, patient by patient.
    """
    analyses: list[Analysis] = []

    def work() -> dict[str, Any]:
        from qalyst.commands.run import run_model
        from qalyst.growing import MOST_DRAWS, tolerance
        from qalyst.stats.designs import REPLICATES

        _check_request(draws, deterministic, out, resume)
        many = _patients(engine, patients, error, luck)
        kind: Sampling = (sampling or Samplings.random).value
        _check_sampling(kind, replicates, deterministic, many)
        _check_until(until, most_draws, draws, deterministic, error)
        wanted = None if until is None else tolerance(until)
        usual = DEFAULT_DRAWS if kind == "random" else DESIGN_DRAWS
        number = None if deterministic else usual if draws is None else draws
        copies = REPLICATES if replicates is None else replicates
        resolved, given = load(model, scenario, values), parsed(values or [])
        if error is not None:
            from qalyst.planning import patients_for_error

            many = patients_for_error(
                resolved,
                error=error,
                draws=number,
                seed=seed,
                threads=threads,
            )
        analysis, found = run_model(
            resolved,
            draws=number,
            seed=seed,
            threads=threads,
            folder=out or default_folder(resolved, given),
            settings={
                "model": model,
                "scenarios": list(scenario or ()),
                "values": list(values or ()),
                "patients": many,
                "luck": (luck or Lucks.plain).value,
                "rates": rates,
                "sampling": kind,
                "replicates": None if kind == "random" else copies,
                "until": until,
                "most_draws": None if until is None else most_draws or MOST_DRAWS,
            },
            values=given,
            patients=many,
            luck=(luck or Lucks.plain).value,
            resume=resume,
            rates=rates_of(rates),
            sampling=kind,
            replicates=copies,
            until=wanted,
            most_draws=most_draws or MOST_DRAWS,
        )
        analyses.append(analysis)
        return found

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.run_result(analyses[0], found, values or ())

    answer(work, tell, as_json)


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


def _check_sampling(
    kind: str, replicates: int | None, deterministic: bool, patients: int | None
) -> None:
    if kind == "random":
        if replicates is not None:
            raise ModelError(
                "independent draws have no replicates",
                where=f"command line  --replicates {replicates}",
                mend="write --sampling sobol or latin, or leave it out",
            )
        return
    if deterministic:
        raise ModelError(
            "the base case alone has no draws to sample",
            where=f"command line  --deterministic --sampling {kind}",
            mend="keep one of the two",
        )
    if patients is not None:
        raise ModelError(
            "designs sample parameters; the luck of patients would stay outside of their errors",
            where=f"command line  --sampling {kind}, and patients",
            mend="leave out --sampling, or run the cohort",
        )


def _check_until(
    until: str | None,
    most_draws: int | None,
    draws: int | None,
    deterministic: bool,
    error: float | None,
) -> None:
    if until is None:
        if most_draws is not None:
            raise ModelError(
                "nothing draws on towards the most draws",
                where=f"command line  --most-draws {most_draws}",
                mend="write --until, or --draws",
            )
        return
    others = {"--draws": draws, "--deterministic": deterministic or None, "--error": error}
    for option, given in others.items():
        if given is not None:
            raise ModelError(
                f"--until chooses the draws, and {option} is given too",
                where=f"command line  --until {until} {option}",
                mend="keep one of the two",
            )


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
    check_folder(out)
