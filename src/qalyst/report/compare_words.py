"""Incremental analyses by several outcomes as words, tables and plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.text import Text

from qalyst.axes import STRATEGY, WTP
from qalyst.decision.by_effect import EffectAnalysis
from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.labels import (
    currency,
    discount_text,
    effect_nouns,
    outcome_label,
    ratio_unit,
    strategy_label,
)
from qalyst.report.numbers import short
from qalyst.report.page_tables import labelled_note, status_text

if TYPE_CHECKING:
    import pandas as pd

    from qalyst.sensitivity.by_outcome import OutcomeComparison

QALY = "QALY"
BENEFITS = ("nmb", "inmb", "nhb", "inhb")


def tell_comparison(found: OutcomeComparison, data: Mapping[str, Any]) -> None:
    """Print one fully incremental table for each effect, then net benefits."""
    console = open_console()
    model = found.model
    for each in found.by_effect:
        label = outcome_label(model, each.effect)
        table = new_table(
            f"{label}, {discount_text(model, each.effect)}; "
            f"ICERs in {ratio_unit(model, found.cost, each.effect)}",
            *("strategy", "status", "cost", "effect", "more cost", "more effect", "ICER"),
            text=2,
        )
        for row in each.table.rows:
            numbers = (
                row.cost, row.effect, row.incremental_cost, row.incremental_effect, row.icer,
            )  # fmt: skip
            table.add_row(
                Text(strategy_label(model, row.strategy)),
                Text(status_text(model, row.status)),
                *map(short, numbers),
            )
        print_table(console, table)
        if each.table.note:
            console.print(Text(f"  {labelled_note(model, each.table.note)}\n"))
        for words in _interval_words(found, each):
            console.print(Text(f"  {words}\n"))
    if found.benefits is not None:
        _tell_benefits(found)
    if data.get("folder"):
        console.print(Text(f"written to {data['folder']}"))


def _tell_benefits(found: OutcomeComparison) -> None:
    model, benefits = found.model, found.benefits
    assert benefits is not None
    assert model.decision.effect is not None
    code = currency(model, found.cost)
    several = effect_nouns(model, model.decision.effect)[1]
    months = counts_years(found)
    heads = [f"NMB ({code})", f"NHB ({several})"] + (["NHB (QALMs)"] if months else [])
    table = new_table(
        f"Net benefit, and its increment over {strategy_label(model, benefits.comparator)}",
        *("strategy", "threshold"),
        *(word for head in heads for word in (head, f"more {head}")),
    )
    for wtp in benefits[WTP].to_numpy():
        for name in benefits[STRATEGY].to_numpy():
            here = benefits.sel({WTP: wtp, STRATEGY: name})
            keys = ["nmb", "inmb", "nhb", "inhb"] + (
                ["nhb_months", "inhb_months"] if months else []
            )
            table.add_row(
                Text(strategy_label(model, str(name))),
                f"{wtp:,.10g}",
                *(short(float(here[key])) for key in keys),
            )
    print_table(open_console(), table)


def counts_years(found: OutcomeComparison) -> bool:
    """Whether the model's own effect counts QALYs, of which a twelfth is a QALM."""
    own = found.model.outcomes.get(found.model.decision.effect or "")
    return own is not None and own.unit_text == QALY


def _interval_words(found: OutcomeComparison, each: EffectAnalysis) -> list[str]:
    unit = ratio_unit(found.model, found.cost, each.effect)
    words = []
    for icer, boot, fieller in zip(each.icers, each.bootstraps, each.fieller, strict=True):
        pair = (
            f"{strategy_label(found.model, icer.strategy)} against "
            f"{strategy_label(found.model, icer.comparator)}"
        )
        error = (
            f"Monte Carlo interval of the ratio of means (bootstrap) {short(boot.interval[0])} to "
            f"{short(boot.interval[1])} {unit}"
            if boot.interval
            else f"bootstrap: {boot.reason}"
        )
        words.append(f"{pair}: {error}. Parameter uncertainty (Fieller): {fieller.words}.")
    return words


def comparison_tables(found: OutcomeComparison) -> dict[str, pd.DataFrame]:
    """The tables of a comparison, by name."""
    import pandas as pd

    rows = [
        {"outcome": each["effect"], "unit": each["unit"], **_flat(row)}
        for each in comparison_data(found)["by_effect"]
        for row in each["rows"]
    ]
    tables = {"by_effect": pd.DataFrame(rows)}
    if found.benefits is not None:
        tables["net_benefit"] = pd.DataFrame(_benefit_rows(found))
    return tables


def comparison_data(found: OutcomeComparison) -> dict[str, Any]:
    """A comparison as plain data; see docs/json.md."""
    model = found.model
    return {
        "model": model.name,
        "title": model.title,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "seed": found.seed,
        "draws": found.draws,
        "cost": found.cost,
        "by_effect": [
            {
                "effect": each.effect,
                "unit": model.outcomes[each.effect].unit_text,
                "discount": model.outcomes[each.effect].discount.text,
                "frontier": list(each.table.frontier),
                "rows": _rows(each),
                "note": each.table.note,
            }
            for each in found.by_effect
        ],
        "net_benefit": [] if found.benefits is None else _benefit_rows(found),
    }


def _rows(each: EffectAnalysis) -> list[dict[str, Any]]:
    intervals = {
        icer.strategy: {
            "icer_mcse": icer.mcse,
            "icer_interval": icer.interval,
            "bootstrap": boot.interval,
            "bootstrap_words": boot.reason,
            "fieller": (fieller.lower, fieller.upper) if fieller.kind == "inside" else None,
            "fieller_words": fieller.words,
        }
        for icer, boot, fieller in zip(each.icers, each.bootstraps, each.fieller, strict=True)
    }
    none = dict.fromkeys(
        ("icer_mcse", "icer_interval", "bootstrap", "bootstrap_words", "fieller", "fieller_words")
    )
    return [{**vars(row), **intervals.get(row.strategy, none)} for row in each.table.rows]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with two columns for each interval, and no None where numbers stand."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        if key in ("icer_interval", "bootstrap", "fieller"):
            low, high = value or (float("nan"), float("nan"))
            found |= {f"{key}_lower": low, f"{key}_upper": high}
        elif key in ("strategy", "compared_with", "status") or key.endswith("_words"):
            found[key] = value or ""
        else:
            found[key] = float("nan") if value is None else value
    return found


def _benefit_rows(found: OutcomeComparison) -> list[dict[str, Any]]:
    benefits = found.benefits
    assert benefits is not None
    keys = [key for name in BENEFITS for key in (name, f"{name}_mcse")]
    if counts_years(found):
        keys += ["nhb_months", "inhb_months"]
    return [
        {
            "wtp": float(wtp),
            "strategy": str(name),
            "comparator": str(benefits.comparator),
            **{
                # as people say it: a twelfth of a QALY is a quality-adjusted life-month
                key.replace("months", "qalms"): float(benefits[key].sel({WTP: wtp, STRATEGY: name}))
                for key in keys
            },
        }
        for wtp in benefits[WTP].to_numpy()
        for name in benefits[STRATEGY].to_numpy()
    ]
