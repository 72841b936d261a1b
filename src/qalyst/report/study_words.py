"""What `qalyst evsi` says: a table of sizes, and one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.labels import currency, ratio_unit
from qalyst.report.numbers import NONE, money, percent, short
from qalyst.report.study_tables import assumptions

if TYPE_CHECKING:
    from qalyst.study_values import StudyValue


def study_sentence(value: StudyValue) -> str:
    """What the planned study is worth, and which size would be best."""
    years = value.best_follow_up
    planned, code = value.planned(years), study_currency(value)
    followed = f" followed for {_years(years)}" if years else ""
    told = (
        f"A study of {value.file.n:,} persons{followed} is worth {money(planned.value, code)} per "
        f"person (standard error {short(rounded(planned.se, 2))}), of "
        f"{money(planned.evppi, code)} for knowing its parameters exactly"
    )
    if not value.enbs:
        return f"{told}; without cost and population no best size can be named."
    found = value.enbs[years]
    place = int(abs(found.sizes - value.file.n).argmin())
    told += (
        f"; {money(rounded(found.value[place]), code)} for the population, at a cost of "
        f"{money(rounded(found.cost[place]), code)}. "
    )
    if found.highest <= 0:
        return (
            f"{told}No size from {int(found.sizes[0]):,} to {int(found.sizes[-1]):,} is worth its "
            f"cost: the highest net benefit is {money(rounded(found.highest), code)}."
        )
    low, high = found.within
    best = int(found.enbs.argmax())
    also = f" with a follow-up of {_years(years)}" if len(value.enbs) > 1 else ""
    told += (
        f"The best size is {found.best:,}{also}, with a net benefit of "
        f"{money(rounded(found.highest), code)} (standard error "
        f"{short(rounded(found.se[best], 2))}); sizes from {low:,} to {high:,} are within one "
        "standard error of it."
    )
    if found.at_edge:
        told += " It is the largest that was compared: a larger study may be better."
    return told


def study_currency(value: StudyValue) -> str:
    """The currency of the model's costs."""
    return currency(value.model, _outcomes(value)[0])


def rounded(amount: float, significant: int = 4) -> float:
    """An amount to so many significant digits: a population's has no more.

    >>> rounded(108_448_226.2), rounded(164.53, 2)
    (108400000.0, 160.0)
    """
    return float(f"{amount:.{significant}g}")


def tell_study(value: StudyValue, found: dict[str, Any]) -> None:
    """Show the values by size, what a reader must know, and the sentence."""
    console, code = open_console(), study_currency(value)
    headings = ["n", "EVSI per person", "se", "95 % interval", "of EVPPI"]
    several = len(value.evsi) > 1
    if several:
        headings.insert(0, "follow-up")
    if value.enbs:
        headings += ["population EVSI", "cost", "ENBS"]
    at = f"{short(value.wtp)} {ratio_unit(value.model, *_outcomes(value))}"
    title = f"{value.file.label or value.file.study}, at {at}; amounts in {code}"
    table = new_table(title, *headings, text=1 if several else 0)
    for years, by_size in value.evsi.items():
        for each in by_size:
            share = percent(each.value / each.evppi) if each.evppi else NONE
            interval = " to ".join(short(end) for end in each.interval)
            row = [
                f"{each.n:,}",
                short(each.value),
                short(rounded(each.se, 2)),
                interval,
                share,
            ]
            if several:
                row.insert(0, _years(years))
            if value.enbs:
                row += _amounts(value, years, each.n)
            table.add_row(*row)
    print_table(console, table)
    for message in notes(value):
        console.print(Text(f"note: {message}"))
    console.print(Text(f"results: {found['folder']}, {len(found['files'])} files\n"))
    console.print(Text(found["sentence"]))


def notes(value: StudyValue) -> list[str]:
    """What a reader must know of the numbers."""
    several = len(value.evsi) > 1
    told = []
    for years, by_size in value.evsi.items():
        told += [
            f"Follow-up of {_years(years)}: {each.message}" if several else each.message
            for each in by_size
            if each.message
        ]
    assumed = [each["part"] for each in assumptions(value) if each["status"] == "assumption"]
    if assumed:
        told.append(f"Assumptions of the study file, with their reasons there: {_listed(assumed)}.")
    return told


def _amounts(value: StudyValue, years: float, n: int) -> list[str]:
    """Population EVSI, cost and ENBS of the size nearest to `n`, on the curve."""
    found = value.enbs[years]
    place = int(abs(found.sizes - n).argmin())
    return [short(rounded(each[place])) for each in (found.value, found.cost, found.enbs)]


def _outcomes(value: StudyValue) -> tuple[str, str]:
    cost, effect = value.model.decision.cost, value.model.decision.effect
    assert cost is not None
    assert effect is not None
    return cost, effect


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _years(years: float) -> str:
    return f"{years:g} year" if years == 1 else f"{years:g} years"
