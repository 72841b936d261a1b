"""The words of the language: functions and reserved names, each with its meaning.

The tables of `docs/language.md` are written from these records.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

NAME = re.compile(r"[a-z_][a-z0-9_]*")
HOW_NAMES_ARE = "names are lower-case words of ASCII letters joined by _"
TOLERANCE = 1e-9  # years, of clocks: a month counted twelve times is a year; else a share


def is_name(word: object) -> bool:
    """Whether a key of a file can be the name of a row or a column.

    >>> is_name("c_drug"), is_name("C_drug"), is_name("c-drug"), is_name(12)
    (True, False, False, False)
    """
    return isinstance(word, str) and NAME.fullmatch(word) is not None


@dataclass(frozen=True)
class Function:
    """A function of the language.

    Attributes
    ----------
    name : the word.
    arguments : names of its arguments; a last "..." allows more of the one before.
    meaning : one line.
    units : the rule of its units, in words.
    """

    name: str
    arguments: tuple[str, ...]
    meaning: str
    units: str

    def accepts(self, count: int) -> bool:
        """Whether so many arguments are right."""
        if self.arguments[-1] == "...":
            return count >= len(self.arguments) - 1
        return count == len(self.arguments)

    @property
    def usage(self) -> str:
        """How it is written."""
        return f"{self.name}({', '.join(self.arguments)})"


@dataclass(frozen=True)
class ReservedName:
    """A name that means the same in every model."""

    name: str
    meaning: str
    unit: str
    axes: str


FUNCTIONS = {
    function.name: function
    for function in (
        Function("where", ("condition", "a", "b"), "a if it holds, else b", "a, b alike"),
        Function("min", ("a", "b"), "the smaller", "a, b alike"),
        Function("max", ("a", "b"), "the larger", "a, b alike"),
        Function("exp", ("x",), "natural exponential", "pure number -> pure number"),
        Function("log", ("x",), "natural logarithm", "pure number -> pure number"),
        Function(
            "survival", ("curve", "t"), "S(t) of the curve; 1 before 0", "year -> probability"
        ),
        Function(
            "hazard",
            ("curve", "t"),
            "mean hazard of the cycle that begins at t: -ln(S(t + d) / S(t)) / d",
            "year -> 1/year",
        ),
        Function(
            "probability_of",
            ("rate",),
            "1 - exp(-rate d), over one cycle",
            "1/year -> probability per cycle",
        ),
        Function(
            "rate_of",
            ("p",),
            "-ln(1 - p) / T, T being the interval of p",
            "probability per T -> 1/year",
        ),
        Function(
            "with_odds_ratio",
            ("p", "odds_ratio"),
            "p o / (1 - p + p o)",
            "probability, odds ratio -> probability",
        ),
        Function(
            "every",
            ("clock", "k"),
            "whether the cycle holds k, 2k, 3k, ... (not 0)",
            "alike -> condition",
        ),
        Function(
            "at",
            ("clock", "a", "..."),
            "whether the cycle holds a, or b, ...",
            "alike -> condition",
        ),
    )
}

RESERVED = {
    name.name: name
    for name in (
        ReservedName("strategy", "the strategy's label; strategy.x a cell", "", "strategy"),
        ReservedName(
            "treatment", "label of the line's treatment; treatment.x a cell", "", "strategy, line"
        ),
        ReservedName("line", "1, 2, ... of the strategy's sequence", "1", "line"),
        ReservedName("state", "the state left, or occupied; state.x a cell", "", ""),
        ReservedName("to", "the state that a transition enters", "", ""),
        ReservedName("years", "time since model start, at the start of the cycle", "year", "cycle"),
        ReservedName("cycle", "index of the cycle: 0, 1, ...", "1", "cycle"),
        ReservedName(
            "years_in_state",
            "completed time in this state at the start of the cycle",
            "year",
            "residence",
        ),
        ReservedName("time", "the variable of a curve (in `curves` only)", "year", ""),
        ReservedName("year", "1", "year", ""),
        ReservedName("month", "1/12", "year", ""),
        ReservedName("week", "1/52", "year", ""),
        ReservedName("day", "1/365", "year", ""),
        ReservedName("true", "holds", "", ""),
        ReservedName("false", "does not hold", "", ""),
    )
}


def _comparisons(near: Callable[[Any, Any], Any]) -> dict[str, Callable[[Any, Any], Any]]:
    """The comparisons of two numbers that are equal if they differ by no more than `near`."""
    return {
        "==": lambda a, b: np.abs(a - b) <= near(a, b),
        "!=": lambda a, b: np.abs(a - b) > near(a, b),
        "<": lambda a, b: a < b - near(a, b),
        "<=": lambda a, b: a <= b + near(a, b),
        ">": lambda a, b: a > b + near(a, b),
        ">=": lambda a, b: a >= b - near(a, b),
    }


TIME_COMPARISONS = _comparisons(lambda a, b: TOLERANCE)
# a share of the smaller, so that a rate of 1e-10 is above 0
COMPARISONS = _comparisons(lambda a, b: TOLERANCE * np.minimum(np.abs(a), np.abs(b)))


def every(clock: Any, k: Any, step: float) -> Any:
    """Whether [clock, clock + step) holds a positive multiple of k."""
    first = np.maximum(np.ceil((clock - TOLERANCE) / k), 1)
    last = np.ceil((clock + step - TOLERANCE) / k) - 1
    return first <= last


def at(clock: Any, *moments: Any, step: float) -> Any:
    """Whether [clock, clock + step) holds one of the moments."""
    held: Any = False
    for moment in moments:
        held = held | ((clock <= moment + TOLERANCE) & (moment < clock + step - TOLERANCE))
    return held


def probability_of(rate: Any, cycle: float) -> Any:
    """1 - exp(-rate d)."""
    return -np.expm1(-rate * cycle)


def rate_of(probability: Any, interval: float) -> Any:
    """-ln(1 - p) / T; infinite if p is 1."""
    with np.errstate(divide="ignore"):
        return -np.log1p(-probability) / interval


def with_odds_ratio(probability: Any, odds_ratio: Any) -> Any:
    """The probability whose odds are so many times the odds of another."""
    return probability * odds_ratio / (1 - probability + probability * odds_ratio)
