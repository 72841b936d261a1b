"""Decisions by profile as words, tables and plain data."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from rich.text import Text

from qalyst.axes import STRATEGY, WTP
from qalyst.decision.cea import incremental_analysis
from qalyst.decision.stratified import KNOWN, SUBGROUP
from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.labels import currency, ratio_unit, strategy_label
from qalyst.report.numbers import money, percent, short

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from qalyst.sensitivity.by_profile import ProfileDecisions

LETTERS, FEW_SUBGROUPS = 26, 16
GAINS = ("gain", "gain_mcse", "gain_perfect", "gain_perfect_mcse", "evpi_stratified")


def labels_text(labels: Mapping[str, Hashable]) -> str:
    """Labels of a subgroup in print.

    >>> labels_text({"burden": "under_25", "grade": "g1"}), labels_text({})
    ('burden under 25, grade g1', 'everyone')
    """
    words = (f"{name} {label}".replace("_", " ") for name, label in labels.items())
    return ", ".join(words) or "everyone"


def rows_shown(found: ProfileDecisions) -> tuple[xr.Dataset, tuple[dict[str, Hashable], ...]]:
    """Decisions with their labels: of every subgroup, or of the rule if there are many."""
    if len(found.labels) <= FEW_SUBGROUPS:
        return found.subgroups, found.labels
    return found.rule, found.rule_labels


def letter(place: int) -> str:
    """A letter for each strategy, so that the map can be read without its colours.

    >>> letter(0), letter(11), letter(26)
    ('A', 'L', '27')
    """
    return chr(ord("A") + place) if place < LETTERS else str(place + 1)


def sentence(found: ProfileDecisions) -> str:
    """Whether it is worth to decide by profile, at each threshold, in plain text."""
    model = found.model
    assert model.decision.cost is not None
    code = currency(model, model.decision.cost)
    name = " + ".join(found.by).replace("_", " ")
    parts = []
    for wtp in found.subgroups[WTP].to_numpy():
        here = found.subgroups.sel({WTP: wtp})
        best = strategy_label(
            model, str(found.population.population_optimal.sel({WTP: wtp}).item())
        )
        at = f"at {money(float(wtp), code, significant=9)}"
        chosen = list(dict.fromkeys(str(each) for each in here.optimal.to_numpy()))
        if len(chosen) == 1:
            parts.append(f"{at}, {best} is best value for every subgroup, so nothing is gained")
            continue
        other = here.weight.where(here.optimal != here.population_optimal, 0.0).sum()
        parts.append(
            f"{at}, {best} is best value for all together and another strategy for "
            f"{percent(float(other))} of them; choosing by subgroup gains "
            f"{money(float(here.gain), code)} per person (Monte Carlo standard error "
            f"{short(float(here.gain_mcse), significant=2)})"
        )
    return f"Choosing by {name}: {'; '.join(parts)}."


def tell_profiles(found: ProfileDecisions, data: Mapping[str, Any]) -> None:
    """Print decisions by subgroup and what they are worth."""
    console = open_console()
    model = found.model
    assert model.decision.cost is not None
    assert model.decision.effect is not None
    thresholds = [float(each) for each in found.subgroups[WTP].to_numpy()]
    unit = ratio_unit(model, model.decision.cost, model.decision.effect)
    heads = [f"{wtp:,.10g}" for wtp in thresholds]
    table = new_table(
        f"Best strategy and its probability of being best, by willingness to pay ({unit})",
        "who", "share", *heads,
    )  # fmt: skip
    _decision_rows(table, found, found.population, ({},))
    shown, labels = rows_shown(found)
    if labels != ({},):  # a rule of one row is everyone
        _decision_rows(table, found, shown, labels)
    print_table(console, table)
    names = (
        f"{letter(place)}  {strategy_label(model, name)}"
        for place, name in enumerate(model.strategies)
    )
    console.print(Text("   ".join(names) + "\n"))
    code = currency(model, model.decision.cost)
    for column, title in (
        ("gain", "Gain of choosing by subgroup, under current information"),
        ("gain_perfect", "Gain of choosing by subgroup, if all parameters were known"),
    ):
        table = new_table(
            f"{title} ({code} per person; in brackets: standard error)", "known", *heads
        )
        for known in found.values[KNOWN].to_numpy():
            row = found.values.sel({KNOWN: known})
            cells = [
                f"{short(float(row[column].sel({WTP: wtp})))} "
                f"({short(float(row[f'{column}_mcse'].sel({WTP: wtp})), significant=2)})"
                for wtp in thresholds
            ]
            table.add_row(Text(str(known).replace("_", " ")), *cells)
        print_table(console, table)
    console.print(Text(str(data["sentence"])))
    console.print(Text(f"\nwritten to {data['folder']}"))


def _decision_rows(
    table: Any,
    found: ProfileDecisions,
    decisions: xr.Dataset,
    labels: tuple[dict[str, Hashable], ...],
) -> None:
    for place, words in enumerate(labels):
        here = decisions.isel({SUBGROUP: place})
        cells = []
        for wtp in here[WTP].to_numpy():
            best = str(here.optimal.sel({WTP: wtp}).item())
            share = float(here.probability.sel({WTP: wtp, STRATEGY: best}))
            cells.append(f"{letter(list(found.model.strategies).index(best))} {percent(share)}")
        table.add_row(Text(labels_text(words)), percent(float(here.weight)), *map(Text, cells))


def profiles_tables(found: ProfileDecisions) -> dict[str, pd.DataFrame]:
    """The tables of decisions by profile, by name."""
    import pandas as pd

    dimensions = found.by
    decided, incremental = [], []
    for decisions, labels in (
        (found.population, ({},)),
        (found.subgroups, found.labels),
    ):
        for place, words in enumerate(labels):
            here = decisions.isel({SUBGROUP: place})
            who: dict[str, Any] = {name: str(words.get(name, "any")) for name in dimensions}
            who["weight"] = float(here.weight)
            decided += [{**who, **_decided(here.sel({WTP: wtp}))} for wtp in here[WTP].to_numpy()]
            incremental += [{**who, **row} for row in _incremental(here)]
    rule = [
        {
            "who": labels_text(words),
            "weight": float(found.rule.weight[place]),
            **_decided(found.rule.isel({SUBGROUP: place}).sel({WTP: wtp})),
        }
        for place, words in enumerate(found.rule_labels)
        for wtp in found.rule[WTP].to_numpy()
    ]
    return {
        "decisions": pd.DataFrame(decided),
        "rule": pd.DataFrame(rule),
        "value": pd.DataFrame(_values(found)),
        "incremental": pd.DataFrame(incremental),
    }


def profiles_data(found: ProfileDecisions) -> dict[str, Any]:
    """Decisions by profile as plain data; see docs/json.md."""
    model = found.model

    def told(
        decisions: xr.Dataset, labels: tuple[dict[str, Hashable], ...]
    ) -> list[dict[str, Any]]:
        rows = []
        for place, words in enumerate(labels):
            here = decisions.isel({SUBGROUP: place})
            rows.append(
                {
                    "labels": dict(words),
                    "weight": float(here.weight),
                    "decisions": [
                        _decision_data(here.sel({WTP: wtp})) for wtp in here[WTP].to_numpy()
                    ],
                    "incremental": _incremental(here),
                }
            )
        return rows

    return {
        "model": model.name,
        "title": model.title,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "seed": found.seed,
        "draws": found.draws,
        "by": list(found.by),
        "population": told(found.population, ({},))[0],
        "subgroups": told(found.subgroups, found.labels),
        "rule": told(found.rule, found.rule_labels),
        "value": [{**row, "known": row["known"].split(" + ")} for row in _values(found)],
        "sentence": sentence(found),
    }


def _values(found: ProfileDecisions) -> list[dict[str, Any]]:
    return [
        {
            "known": str(known),
            "wtp": float(wtp),
            **{name: float(found.values[name].sel({KNOWN: known, WTP: wtp})) for name in GAINS},
        }
        for known in found.values[KNOWN].to_numpy()
        for wtp in found.values[WTP].to_numpy()
    ]


def _decided(here: xr.Dataset) -> dict[str, Any]:
    """One subgroup at one threshold, as a row."""
    found = _decision_data(here)
    return {
        **{key: value for key, value in found.items() if not isinstance(value, dict)},
        **{f"{key}_{s}": found[key][s] for key in ("probability", "nmb") for s in found[key]},
    }


def _decision_data(here: xr.Dataset) -> dict[str, Any]:
    best = str(here.optimal.item())
    return {
        "wtp": float(here[WTP]),
        "optimal": best,
        "probability_optimal": float(here.probability.sel({STRATEGY: best})),
        "probability": {s: float(here.probability.sel({STRATEGY: s})) for s in _names(here)},
        "nmb": {s: float(here.nmb.sel({STRATEGY: s})) for s in _names(here)},
    }


def _incremental(here: xr.Dataset) -> list[dict[str, Any]]:
    """The fully incremental table of one subgroup, of means over draws."""
    table = incremental_analysis(here.cost.drop_vars(SUBGROUP), here.effect.drop_vars(SUBGROUP))
    return [vars(row) for row in table.rows]


def _names(here: xr.Dataset) -> list[str]:
    return [str(name) for name in here[STRATEGY].to_numpy()]
