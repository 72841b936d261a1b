"""The words of a model: its outcomes with their units, its strategies, its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qalyst.units import PROBABILITY, RATIOS, YEARS, currencies, duration_text

if TYPE_CHECKING:
    from qalyst.analysis import Question
    from qalyst.model.resolved import ResolvedModel

_CORRECTION = {
    "start": "none: counted at the start of each cycle",
    "end": "none: counted at the end of each cycle",
    "half-cycle": "half-cycle (trapezium)",
    "exact": "exact (integrals over each cycle)",
    "both": "none: counted at all points, both ends in full",
    "simpson": "Simpson",
    "simpson-tutorial": "Simpson's weights as published in tutorials",
}


def strategy_label(model: Question, name: str) -> str:
    """What a strategy is called in print: its label, or its name as words."""
    label = model.strategies[name].label
    return label if label != name else name.replace("_", " ")


def state_label(model: ResolvedModel, state: str, line: int = 0) -> str:
    """What a state is called in print, with the line of treatment if it has one."""
    known = model.states.get(state)
    label = known.label if known is not None and known.label != state else state.replace("_", " ")
    return f"{label}, line {line}" if line else label


def treatment_label(model: ResolvedModel, name: str) -> str:
    """What a treatment is called in print."""
    label = model.treatments[name].label
    return label if label != name else name.replace("_", " ")


def absorbed_are_dead(model: ResolvedModel) -> bool:
    """Whether the names of all absorbing states speak of death."""
    names = [name for name, state in model.states.items() if state.absorbing]
    return all("dead" in name or "death" in name or "died" in name for name in names)


def sentence_case(name: str) -> str:
    """A name as words: `life_years` becomes `Life years`.

    >>> sentence_case("symptom_free_months"), sentence_case("qalys"), sentence_case("")
    ('Symptom free months', 'QALYs', '')
    """
    words = name.replace("_", " ").strip()
    if words.lower() in ("qaly", "qalys"):
        return "QALYs"
    return words[:1].upper() + words[1:]


def currency(model: Question, outcome: str) -> str:
    """The currency of an outcome; empty if it is none."""
    found = currencies(model.outcomes[outcome].unit)
    return found[0] if found else ""


def price_year(model: Question) -> int | None:
    """The year of the model's prices; None if it has none or they are unknown or mixed."""
    if model.money is not None:
        return model.money.year
    years = {
        model.parameters[name].price_year
        for name in model.used_parameters
        if currencies(model.parameters[name].unit)
    }
    only = years.pop() if len(years) == 1 else None
    return only if isinstance(only, int) else None


def outcome_label(model: Question, outcome: str) -> str:
    """An outcome with its unit, such as `Costs (USD, 2024 prices)`."""
    words, unit = sentence_case(outcome), model.outcomes[outcome].unit_text
    if currency(model, outcome):
        year = price_year(model)
        return f"{words} ({unit}, {year} prices)" if year else f"{words} ({unit})"
    if unit.lower() in words.lower() or unit == "1":
        return words
    return f"{words} ({unit})"


def effect_nouns(model: Question, outcome: str) -> tuple[str, str]:
    """One, and several, of an outcome: `QALY`, `QALYs`; `life year`, `life years`."""
    unit = model.outcomes[outcome].unit_text
    words = outcome.replace("_", " ")
    if unit in YEARS:
        if words.endswith(f"{unit}s"):
            return words.removesuffix("s"), words
        return f"{unit} of {words}", f"{unit}s of {words}"
    if unit == "1":
        return f"unit of {words}", f"units of {words}"
    return unit, f"{unit}s"


def ratio_unit(model: Question, cost: str, effect: str) -> str:
    """The unit of an ICER: `USD per QALY`."""
    unit = model.outcomes[cost].unit_text
    money = currency(model, cost) or (unit if unit != "1" else "money")
    return f"{money} per {effect_nouns(model, effect)[0]}"


def amount_unit(unit: str) -> str:
    """The unit of a number inside a sentence, with a space before it; empty for a pure number.

    >>> amount_unit("1/year"), amount_unit("USD/year"), amount_unit("hazard ratio")
    (' a year', ' USD a year', '')
    """
    if unit == "1" or unit in (*RATIOS, "utility") or unit.startswith(PROBABILITY):
        return ""
    amount, slash, per = unit.partition("/")
    if not slash:
        return f" {unit}"
    return f" a {per}" if amount == "1" else f" {amount} a {per}"


def discount_text(model: ResolvedModel, outcome: str) -> str:
    """The yearly discount rate of an outcome in per cent, or its expression."""
    text = model.outcomes[outcome].discount.text
    try:
        rate = float(text)
    except ValueError:
        return text
    return f"{100 * rate:.4g} % a year" if rate else "not discounted"


def time_settings(model: ResolvedModel) -> list[tuple[str, str]]:
    """Horizon, cycle and correction in words."""
    if model.is_tree:
        return [("Time", "a decision tree: everything happens at time 0")]
    timing = model.timing
    horizon = duration_text(timing.cycle * timing.cycles)
    cycle = duration_text(timing.cycle)
    return [
        ("Horizon", horizon if horizon[:1].isdigit() else f"1 {horizon}"),
        ("Cycle", f"{cycle if cycle[:1].isdigit() else f'1 {cycle}'}, {timing.cycles:,} cycles"),
        ("Cycle correction", _CORRECTION[timing.correction]),
    ]
