"""The command sequences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app
from qalyst.cli.options import (
    DEFAULT_DRAWS,
    DEFAULT_SEED,
    AsJson,
    ModelName,
    Scenarios,
    Seed,
    Threads,
    Values,
    check_folder,
    default_folder,
    load,
    parsed,
    thresholds,
)

if TYPE_CHECKING:
    from qalyst.report.sequences_report import SequenceFindings


@app.command(
    epilog="Example: qalyst sequences nelm --wtp 100000 --draws 500 --profile function=symptomatic"
)
def sequences(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    wtp: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MONEY",
            help="Willingness to pay; repeatable; those of the model if not given.",
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option(help="Draws of the probabilistic analysis, 1 or more.")
    ] = DEFAULT_DRAWS,
    lines: Annotated[
        int | None, typer.Option(help="Lines of every sequence; as in the model if not given.")
    ] = None,
    last: Annotated[
        str | None, typer.Option(metavar="TREATMENT", help="The last line of every sequence.")
    ] = None,
    first: Annotated[
        list[str] | None,
        typer.Option(metavar="TREATMENT", help="Allowed on the first line. Repeatable."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="TREATMENT", help="Left out of all sequences. Repeatable."),
    ] = None,
    top: Annotated[int, typer.Option(help="How many of the best are shown.")] = 10,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIMENSION=LABEL",
            help="Rank in these profiles only. Repeatable: all must hold.",
        ),
    ] = None,
    together: Annotated[
        bool | None,
        typer.Option(
            "--together/--one-by-one",
            help="Run lines that are alike once, or each sequence by itself; the faster way if "
            "not given.",
        ),
    ] = None,
    seed: Seed = DEFAULT_SEED,
    threads: Threads = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; results/MODEL-sequences-SCENARIOS-VALUES if not given."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rank all orders of the treatments: which sequence is best value, and how sure that is."""
    kept: list[SequenceFindings] = []

    def work() -> dict[str, Any]:
        from qalyst.sensitivity.sequences import rules_of
        from qalyst.sequencing import rank_sequences

        check_folder(out)
        resolved, given = load(model, scenario, values), parsed(values or [])
        rules = rules_of(resolved, lines=lines, last=last, first=first or (), exclude=exclude or ())
        amounts = thresholds(wtp)
        options = _words(wtp=amounts, lines=lines, last=last, first=first, exclude=exclude)
        options += _words(profile=profile, top=None if top == 10 else top)
        if together is not None:
            options.append("--together" if together else "--one-by-one")
        found, result = rank_sequences(
            resolved,
            rules,
            wtp=amounts,
            draws=draws,
            seed=seed,
            threads=threads,
            top=top,
            profile=profile or (),
            together=together,
            folder=out or default_folder(resolved, given, "sequences"),
            settings={"model": model, "values": list(values or ()), "options": options},
        )
        kept.append(found)
        return result

    def tell(result: dict[str, Any]) -> None:
        from qalyst.report.sequences_report import tell as tell_sequences

        tell_sequences(kept[0], result, top)

    answer(work, tell, as_json)


def _words(**options: Any) -> list[str]:
    """Options as they are written; what was not given is left out."""
    words = []
    for name, given in options.items():
        for value in given if isinstance(given, list) else [given]:
            if value is not None:
                text = f"{value:.15g}" if isinstance(value, float) else str(value)
                words += [f"--{name}", text]
    return words
