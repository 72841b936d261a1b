"""Units of parameters and expressions: dimensions by pint, kinds of pure numbers by us.

A dimension (year, QALY, a currency, a counted noun) is the business of an ordinary unit
library. It does not know that a probability per month is not a hazard ratio, though both are
pure numbers; that is the *kind*. Inside the language time is in years.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pint
from pint.util import UnitsContainer

from qalyst.errors import ModelError, nearest

YEARS = {"year": 1.0, "month": 1 / 12, "week": 1 / 52, "day": 1 / 365}
PROBABILITY, HAZARD_RATIO, RELATIVE_RISK, ODDS_RATIO = (
    "probability",
    "hazard ratio",
    "relative risk",
    "odds ratio",
)
RATIOS = (HAZARD_RATIO, RELATIVE_RISK, ODDS_RATIO)
BARE = "bare number"
LABEL = "label"
_WORD = re.compile(r"[A-Za-z][A-Za-z_]*")
_MISSPELT_TIME = {"yr", "yrs", "y", "mo", "mth", "wk", "d", *(f"{word}s" for word in YEARS)}
_MISSPELT = {"qaly", "qalys", "Qaly", "Qalys", "QALYs", PROBABILITY}

_registry: Any = pint.UnitRegistry(None)  # without a definition: it knows only how units multiply


def _base(word: str) -> Any:
    """The unit of a word that stands for itself: year, QALY, a currency, a counted noun.

    It is made without asking the registry, whose methods and plurals are names too.
    """
    return _registry.Unit(UnitsContainer({word: 1}))


@dataclass(frozen=True)
class Unit:
    """The unit of a value.

    Attributes
    ----------
    dimension : a pint unit made of year, QALY, currencies and counted nouns.
    kind : the kind of a pure number; empty for none, `BARE` for a number written in an expression.
    interval : years that a probability is over; None for a branch or a share.
    factor : what one of the unit is in years, QALYs and so on.
    text : as it was written.
    """

    dimension: Any
    kind: str = ""
    interval: float | None = None
    factor: float = 1.0
    text: str = ""

    def __str__(self) -> str:
        if self.kind == PROBABILITY and self.interval is not None:
            return f"probability per {duration_text(self.interval)}"
        return self.kind or self.text or dimension_text(self.dimension)

    @property
    def pure(self) -> bool:
        """Whether the value has no dimension."""
        return bool(self.dimension == ONE.dimension)

    def like(self, other: Unit) -> bool:
        """Whether the two can be added: same dimension, kind and interval."""
        return bool(
            self.dimension == other.dimension
            and self.kind == other.kind
            and same_interval(self.interval, other.interval)
        )

    def times(self, other: Unit, power: int = 1) -> Unit:
        """Product (or quotient) of the dimensions; the kind is the caller's business."""
        product = self.dimension * other.dimension**power
        return Unit(product)

    def of_kind(self, kind: str, interval: float | None = None) -> Unit:
        """Return the same dimension with another kind."""
        return replace(self, kind=kind, interval=interval, text="")


def same_interval(first: float | None, second: float | None) -> bool:
    """Whether two probabilities are over the same time (or both over none)."""
    if first is None or second is None:
        return first is second
    return abs(first - second) < 1e-12


def dimension_text(dimension: Any) -> str:
    """A dimension as one writes it: ``USD/year``."""
    return f"{dimension:C}".replace("dimensionless", "1")


def duration_text(years: float) -> str:
    """A duration in the largest word in which it is a whole number.

    >>> duration_text(0.25), duration_text(1.0), duration_text(1 / 365)
    ('3 months', 'year', 'day')
    """
    for word, length in YEARS.items():
        count = years / length
        if abs(count - round(count)) < 1e-9 and round(count) > 0:
            return word if round(count) == 1 else f"{round(count)} {word}s"
    return f"{years:g} years"


def duration(text: object, where: str) -> float:
    """Years in ``<number> <year(s)|month(s)|week(s)|day(s)>``.

    >>> duration("6 months", "here")
    0.5

    Raises
    ------
    ModelError
        The text is not a duration, or not a positive one.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s+([a-z]+)\s*", str(text))
    word = found[2].removesuffix("s") if found else ""
    if found is None or word not in YEARS:
        raise ModelError(
            f"'{text}' is not a duration",
            where=where,
            mend="write a number and year(s), month(s), week(s) or day(s), such as '1 month'",
        )
    years = float(found[1]) * YEARS[word]
    if not 0 < years < 1e6:
        raise ModelError(
            f"the duration '{text}' is not positive", where=where, mend="write a positive number"
        )
    return years


@cache
def parse_unit(text: str, where: str = "unit") -> Unit:
    """Read a unit as it is written in a record.

    >>> str(parse_unit("probability per 6 months")), parse_unit("1/month").factor
    ('probability per 6 months', 12.0)

    Raises
    ------
    ModelError
        A word that is no unit, or a form that is not ``a*b/c``.
    """
    words = " ".join(str(text).split())
    if words in RATIOS:
        return replace(ONE, kind=words, text=words)
    if words.split(" ")[0] == PROBABILITY:
        return _probability(words, where)
    dimension, factor = ONE.dimension, 1.0
    for power, word in _factors(words, where):
        if word == "1":
            continue
        if word == "utility":
            dimension = dimension * (_base("QALY") / _base("year")) ** power
            continue
        base, length = _word_unit(word, words, where)
        dimension, factor = dimension * base**power, factor * length**power
    return Unit(dimension, factor=factor, text=words)


def _factors(words: str, where: str) -> list[tuple[int, str]]:
    if not re.fullmatch(r"[A-Za-z_1]+(?:\s*[*/]\s*[A-Za-z_1]+)*", words):
        raise ModelError(
            f"'{words}' is not a unit",
            where=where,
            mend="write for example 'USD/year', '1/month', 'utility', 'probability per year', "
            "'hazard ratio' or '1'",
        )
    found, power = [], 1
    for piece in re.split(r"\s*([*/])\s*", words):
        if piece in "*/":
            power = -1 if piece == "/" else 1
        else:
            found.append((power, piece))
    return found


def _word_unit(word: str, words: str, where: str) -> tuple[Any, float]:
    """The base of a word, and how many of it the word is."""
    if word in YEARS:
        return _base("year"), YEARS[word]
    if word in _MISSPELT_TIME or word in _MISSPELT or not _WORD.fullmatch(word):
        raise ModelError(f"'{word}' is not a unit in '{words}'", where=where, mend=_mend(word))
    return _base(word), 1.0


def _mend(word: str) -> str:
    if word.lower() in ("qaly", "qalys"):
        return "write utility for a weight of time in a state, QALY for an amount of health"
    if word == PROBABILITY:
        return "write 'probability per year'"
    return nearest({"yr": "year", "yrs": "year", "y": "year"}.get(word, word), YEARS)


def _probability(words: str, where: str) -> Unit:
    rest = words.removeprefix(PROBABILITY).split()
    if not rest:
        return replace(ONE, kind=PROBABILITY, text=words)
    if rest[0] != "per" or len(rest) > 3:
        raise ModelError(
            f"'{words}' is not a unit", where=where, mend="write 'probability per year', say"
        )
    every = rest[1:] if len(rest) == 3 else ["1", *rest[1:]]
    return replace(ONE, kind=PROBABILITY, interval=duration(" ".join(every), where), text=words)


def is_currency(word: str) -> bool:
    """Whether a word of a unit is a currency: three capitals."""
    return bool(re.fullmatch(r"[A-Z]{3}", word))


def is_rate(unit: Unit) -> bool:
    """Whether a unit counts events over time."""
    return not unit.pure and str(unit.dimension) == "1 / year"


def currencies(unit: Unit) -> list[str]:
    """The currencies in a unit."""
    return [word for word in _powers(unit) if is_currency(word)]


def nouns(unit: Unit) -> dict[str, float]:
    """The counted things in a unit and their powers."""
    return {
        word: power
        for word, power in _powers(unit).items()
        if word not in ("year", "QALY") and not is_currency(word)
    }


def without_nouns(unit: Unit) -> Unit:
    """The unit with its counted things taken out (a bare number may count any of them)."""
    dimension = unit.dimension
    for word, power in nouns(unit).items():
        dimension = dimension / _base(word) ** power
    return replace(unit, dimension=dimension, text="")


def _powers(unit: Unit) -> dict[str, float]:
    return {str(word): float(power) for word, power in unit.dimension._units.items()}


ONE = Unit(_registry.dimensionless, text="1")
YEAR = Unit(_base("year"), text="year")
PER_YEAR = Unit(_base("year") ** -1, text="1/year")
BARE_NUMBER = Unit(_registry.dimensionless, kind=BARE)
LABELS = Unit(_registry.dimensionless, kind=LABEL)
CONDITION = Unit(_registry.dimensionless, kind="condition")
A_PROBABILITY = Unit(_registry.dimensionless, kind=PROBABILITY)
