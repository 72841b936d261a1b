"""The command sequences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import (
    DEFAULT_DRAWS,
    DEFAULT_SEED,
    AsJson,
    ModelName,
    Scenarios,
    Seed,
    Threads,
    Thresholds,
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
    epilog=examples("qalyst sequences nelm --wtp 100000 --draws 500 --profile function=symptomatic")
)
def sequences(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    wtp: Thresholds = None,
    draws: Annotated[
        int, typer.Option(help="Draws of the probabilistic analysis, 1 or more.")
    ] = DEFAULT_DRAWS,
    lines: Annotated[
        int | None,
        typer.Option(help="How many lines every sequence has; as in the model if not given."),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(metavar="TREATMENT", help="Treatment of the last line of every sequence."),
    ] = None,
    first: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TREATMENT", help="Treatment that may stand first; others may not. Repeatable."
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="TREATMENT", help="Treatment that no sequence has. Repeatable."),
    ] = None,
    top: Annotated[int, typer.Option(help="How many of the best are shown.")] = 10,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIMENSION=LABEL",
            help="Rank for patients with this label only. Repeatable: all must hold.",
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
    """Rank all orders of the treatments by value."""
    kept: list[SequenceFindings] = []

    def work() -> dict[str, Any]:
        from qalyst.commands.sequences import rank_sequences
        from qalyst.sensitivity.sequences import rules_of

        check_folder(out)
        amounts = thresholds(wtp)
        resolved, given = load(model, scenario, values), parsed(values or [])
        rules = rules_of(resolved, lines=lines, last=last, first=first or (), exclude=exclude or ())
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
