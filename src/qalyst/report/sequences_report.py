"""What `qalyst sequences` found: words, tables, figures, data and files."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.report.figures_sequences import all_then, sequence_label, top_sequences
from qalyst.report.folders import write_tables_and_figures
from qalyst.report.labels import currency, effect_nouns, ratio_unit
from qalyst.report.numbers import NONE, decimals_for, money, number, percent, short
from qalyst.report.provenance import command_words, origin, write_provenance

if TYPE_CHECKING:
    import pandas as pd

    from qalyst.decision.ranking import Ranked, Ranking
    from qalyst.sensitivity.sequence_runs import SequenceRun


@dataclass(frozen=True)
class SequenceFindings:
    """A run with the rankings made of it.

    Attributes
    ----------
    scope : what people the rankings are of, in words.
    at_thresholds : of these people.
    by_profile : profile (in words) -> a ranking for each threshold; empty if it was not kept.
    """

    run: SequenceRun
    scope: str
    at_thresholds: tuple[Ranking, ...]
    by_profile: Mapping[str, Sequence[Ranking]]


def sentence(found: SequenceFindings) -> str:
    """The best sequence, how surely, and what the next one loses: one sentence for a threshold."""
    return " ".join(_sentence(found, ranking) for ranking in found.at_thresholds)


def _sentence(found: SequenceFindings, ranking: Ranking) -> str:
    model = found.run.model
    cost, effect = _outcomes(found)
    code = currency(model, cost)
    worth = f"{ranking.wtp:,.10g} {ratio_unit(model, cost, effect)}"
    best = ranking.best
    text = (
        f"At {worth} the best of {len(ranking.rows)} sequences{_in(found)}{all_then(model)} is "
        f"{sequence_label(model, best.strategy)} "
        f"(best in {percent(best.probability_best)} of draws)"
    )
    second = ranking.runner_up
    if second is None:
        return f"{text}."
    assert ranking.runner_up_better is not None
    return (
        f"{text}; the next, {sequence_label(model, second.strategy)}, forgoes "
        f"{money(ranking.runner_up_loss, code)} of net benefit per person and is better in "
        f"{percent(ranking.runner_up_better)} of draws."
    )


def _in(found: SequenceFindings) -> str:
    return f" in {scope_words(found)}" if found.scope else ""


def scope_words(found: SequenceFindings) -> str:
    """Of whom, in words: `sex=male` becomes `sex male`."""
    return found.scope.replace("=", " ").replace("_", " ")


def _outcomes(found: SequenceFindings) -> tuple[str, str]:
    decision = found.run.model.decision
    assert decision.cost is not None
    assert decision.effect is not None
    return decision.cost, decision.effect


def data(found: SequenceFindings, top: int) -> dict[str, Any]:
    """The results as plain data; see docs/json.md."""
    run = found.run
    return {
        "model": run.model.name,
        "title": run.model.title,
        "sha256": run.model.sha256,
        "scenarios": list(run.model.scenarios),
        "draws": run.outcomes.draws,
        "rules": {
            "lines": run.rules.lines,
            "last": run.rules.last,
            "at_most_once": run.rules.at_most_once,
            "treatments": list(run.rules.treatments),
            "rules": {
                rule.treatment: {
                    "lines": list(rule.lines),
                    "after": list(rule.after),
                    "not_after": list(rule.not_after),
                    "source": rule.source,
                }
                for rule in run.rules.rules
            },
        },
        "sequences": len(run.model.strategies),
        "together": run.together,
        "how": run.how,
        "scope": found.scope or "all",
        "thresholds": [_threshold(found, ranking, top) for ranking in found.at_thresholds],
        "by_profile": [
            {
                "profile": profile,
                "thresholds": [
                    {
                        "wtp": ranking.wtp,
                        "best": ranking.best.strategy,
                        "probability_best": ranking.best.probability_best,
                    }
                    for ranking in rankings
                ],
            }
            for profile, rankings in found.by_profile.items()
        ],
        "sentence": sentence(found),
    }


def _threshold(found: SequenceFindings, ranking: Ranking, top: int) -> dict[str, Any]:
    second = ranking.runner_up
    return {
        "wtp": ranking.wtp,
        "best": ranking.best.strategy,
        "probability_best": ranking.best.probability_best,
        "expected_loss": ranking.loss,
        "runner_up": second.strategy if second else None,
        "runner_up_loss": ranking.runner_up_loss,
        "runner_up_loss_low": ranking.runner_up_loss_low,
        "runner_up_loss_high": ranking.runner_up_loss_high,
        "runner_up_better": ranking.runner_up_better,
        "top": [
            {**vars(row), "sequence": list(found.run.model.strategies[row.strategy].sequence)}
            for row in ranking.rows[:top]
        ],
    }


def tables(found: SequenceFindings) -> dict[str, pd.DataFrame]:
    """All sequences at each threshold, and the best of each profile."""
    import pandas as pd

    model = found.run.model
    rows = [
        {"wtp": ranking.wtp, **_row(found, row)}
        for ranking in found.at_thresholds
        for row in ranking.rows
    ]
    best = [
        {
            "profile": profile,
            "wtp": ranking.wtp,
            "best": ranking.best.strategy,
            "sequence": sequence_label(model, ranking.best.strategy),
            "probability_best": ranking.best.probability_best,
            "runner_up": ranking.runner_up.strategy if ranking.runner_up else "",
            "runner_up_loss": ranking.runner_up_loss,
            "runner_up_better": ranking.runner_up_better,
        }
        for profile, rankings in found.by_profile.items()
        for ranking in rankings
    ]
    made = {"sequences": pd.DataFrame(rows)}
    return {**made, "best_by_profile": pd.DataFrame(best)} if best else made


def _row(found: SequenceFindings, row: Ranked) -> dict[str, Any]:
    return {
        "place": row.place,
        "strategy": row.strategy,
        "sequence": sequence_label(found.run.model, row.strategy),
        "cost": row.cost,
        "effect": row.effect,
        "nmb": row.nmb,
        "nmb_low": row.low,
        "nmb_high": row.high,
        "probability_best": row.probability_best,
    }


def tell(found: SequenceFindings, result: Mapping[str, Any], top: int) -> None:
    """The top sequences at each threshold, and the sentence, on the terminal."""
    from rich.text import Text

    from qalyst.report.consoles import new_table, open_console, print_table

    console = open_console()
    model = found.run.model
    cost, effect = _outcomes(found)
    code = currency(model, cost)
    columns = (f"cost ({code})", effect_nouns(model, effect)[1], f"net benefit ({code})")
    draws = found.run.outcomes.draws
    many = f"{draws:,} draws" if draws > 1 else "one draw: nothing is said of uncertainty"
    console.print(Text(f"{model.name}; {many}"))
    for ranking in found.at_thresholds:
        worth = f"{ranking.wtp:,.10g} {ratio_unit(model, cost, effect)}"
        shown = min(top, len(ranking.rows))
        title = (
            f"The best {shown} of {len(ranking.rows)} sequences{_in(found)}{all_then(model)} "
            f"at {worth}"
        )
        decimals = decimals_for(row.effect for row in ranking.rows)
        table = new_table(title, "", "sequence", *columns, "95 % interval", "best in", text=2)
        for row in ranking.rows[:top]:
            cells = (
                str(row.place),
                sequence_label(model, row.strategy),
                short(row.cost, significant=5),
                number(row.effect, decimals),
                short(row.nmb, significant=5),
                f"{short(row.low, significant=5)} to {short(row.high, significant=5)}"
                if draws > 1
                else NONE,
                percent(row.probability_best) if draws > 1 else NONE,
            )
            table.add_row(*map(Text, cells))
        print_table(console, table)
    for line in _profiles_in_words(found):
        console.print(Text(line))
    console.print(Text(f"{found.run.how[:1].upper()}{found.run.how[1:]}."))
    console.print(Text(result["sentence"], style="bold"))
    console.print(Text(f"Results: {result['folder']}"))


def _profiles_in_words(found: SequenceFindings) -> list[str]:
    """In how many profiles each sequence is best."""
    if len(found.by_profile) < 2:
        return []
    lines = []
    for at, ranking in enumerate(found.at_thresholds):
        best = [rankings[at].best.strategy for rankings in found.by_profile.values()]
        counts = sorted({name: best.count(name) for name in best}.items(), key=lambda kv: -kv[1])
        told = "; ".join(
            f"{sequence_label(found.run.model, name)} in {count}" for name, count in counts[:3]
        )
        more = f"; {len(counts) - 3} others in the rest" if len(counts) > 3 else ""
        lines.append(f"Best of {len(best)} profiles at {ranking.wtp:,.10g}: {told}{more}.")
    return lines


def write(
    found: SequenceFindings, folder: Path, *, seed: int, top: int, command: Mapping[str, Any]
) -> list[Path]:
    """Write tables, figures and provenance into an empty folder; the provenance is last."""
    files = write_tables_and_figures(
        folder,
        tables(found),
        lambda: (
            top_sequences(found.run.model, ranking, top, scope_words(found))
            for ranking in found.at_thresholds
        ),
    )
    draws = found.run.outcomes.draws
    record = origin(
        found.run.model,
        command,
        {
            "draws": draws,
            "patients": None,
            "seed": seed,
            "engine": "sojourns" if found.run.together else "cohort",
            "rerun": _rerun(found, seed, draws, command),
        },
    )
    return [*files, write_provenance(record, folder, files)]


def _rerun(found: SequenceFindings, seed: int, draws: int, command: Mapping[str, Any]) -> str:
    words = command_words("sequences", found.run.model, command)
    words += [str(word) for word in command.get("options") or ()]
    return shlex.join([*words, "--draws", str(draws), "--seed", str(seed)])
