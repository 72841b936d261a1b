"""A patient's course under each strategy, in words.

Time spent in states is known, and what ended it; of the instant states of a move only the first is
known, and it is named if the row that was taken leads there.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from qalyst.histories import HORIZON, Histories, Stay
from qalyst.model.patient_tables import cause_name
from qalyst.model.resolved import START, ResolvedModel
from qalyst.report.labels import (
    currency,
    sentence_case,
    state_label,
    strategy_label,
    treatment_label,
)
from qalyst.report.numbers import money, number, short

LETTERS, INDENT = 100, "  "


def story(histories: Histories, patient: int) -> str:
    """The course of a patient under each strategy: a line each, below one that says who it is."""
    model = histories.model
    words = _Words(model)
    courses = {name: words.steps(name, stays) for name, stays in histories.courses(patient).items()}
    lines = [f"Patient {patient}{_profile(histories, patient)}."]
    for position, name in enumerate(courses):
        told = words.told(courses, name)
        totals = histories.totals[patient, position].tolist()
        told.append(_totals(model, dict(zip(model.outcomes, totals, strict=True))))
        lines.append(f"{strategy_label(model, name)}: {' '.join(told)}")
    return "\n".join(lines)


def laid_out(text: str, width: int = LETTERS) -> str:
    """A story with its lines wrapped; those of strategies are indented."""
    first, *others = text.split("\n")
    return "\n".join(
        textwrap.fill(line, width, subsequent_indent=2 * INDENT, break_on_hyphens=False)
        for line in (first, *(f"{INDENT}{line}" for line in others))
    )


@dataclass(frozen=True)
class _Step:
    """A stay, and the chance node that is known to lead there; empty if none is."""

    passed: str
    stay: Stay


class _Words:
    """Words for the courses of a model."""

    def __init__(self, model: ResolvedModel) -> None:
        self.model = model
        horizon = model.timing.cycle * model.timing.cycles
        self._decimals = 1 if horizon == 0 else min(max(2 - math.floor(math.log10(horizon)), 1), 4)

    def steps(self, strategy: str, stays: tuple[Stay, ...]) -> list[_Step]:
        """A course with the chance nodes on its way."""
        before = [None, *stays[:-1]]
        return [
            _Step(self._passed(strategy, origin), stay)
            for origin, stay in zip(before, stays, strict=True)
        ]

    def course(self, steps: list[_Step]) -> str:
        """A course, stay by stay."""
        told = []
        for step in steps:
            if step.passed:
                told.append(f"{self._at(step.stay.from_years)}{step.passed}")
            told.append(self._stay(step.stay))
        text = f"{'; '.join(told)}."
        return text[:1].upper() + text[1:]

    def told(self, courses: Mapping[str, list[_Step]], name: str) -> list[str]:
        """The course under a strategy, and where it parts from that under the first."""
        own = courses[name]
        names = list(courses)
        for earlier in names[: names.index(name)]:
            if not self._parting(courses[earlier], own):
                return [f"The same course as {strategy_label(self.model, earlier)}."]
        if name == names[0]:
            return [self.course(own)]
        first = strategy_label(self.model, names[0])
        return [f"Parts from {first} {self._parting(courses[names[0]], own)}.", self.course(own)]

    def _parting(self, first: list[_Step], own: list[_Step]) -> str:
        """When and how two courses part; empty if they do not."""
        for there, here in zip(first, own, strict=False):
            words = self._difference(there, here)
            if words and self.model.is_tree:
                return f"in how it ends: {words}"
            if words:
                year = min(there.stay.to_years, here.stay.to_years)
                if self._place(there) != self._place(here):
                    year = here.stay.from_years
                return f"at year {self._years(year)}: {words}"
        return ""

    def _difference(self, there: _Step, here: _Step) -> str:
        """What differs between two stays; empty if nothing does."""
        if self._place(there) != self._place(here):
            known = there.passed != here.passed
            new, old = (step.passed if known else self._where(step.stay) for step in (here, there))
            return f"{new} instead of {old}"
        old, new = self._ending(there.stay), self._ending(here.stay)
        if there.stay.to_years == here.stay.to_years:
            return "" if old == new else f"{new} here, {old} there"
        if here.stay.to_years < there.stay.to_years:
            return f"{new} here; there {self._goes_on(there.stay)}"
        return f"{old} there; here {self._goes_on(here.stay)}"

    def _goes_on(self, stay: Stay) -> str:
        return f"{self._where(stay)} goes on to year {self._years(stay.to_years)}"

    def _place(self, step: _Step) -> tuple[str, str, int, str]:
        stay = step.stay
        return step.passed, stay.state, stay.line, stay.treatment

    def _passed(self, strategy: str, origin: Stay | None) -> str:
        """The instant state that a move is known to lead to, with its treatment."""
        model = self.model
        rows = model.rows_from(START if origin is None else origin.state)
        ways = {
            (row.target, row.step)
            for row in rows
            if origin is None or cause_name(model, row) == origin.ended_by
        }
        if len(ways) != 1:
            return ""
        ((target, step),) = ways
        state = model.states[target]
        if not state.instant:
            return ""
        before = 0 if origin is None else origin.line
        line = {"first": 1, "next": before + 1, "same": before}[step] if state.per_line else 0
        sequence = model.strategies[strategy].sequence
        treatment = sequence[line - 1] if 0 < line <= len(sequence) else ""
        return self._with_treatment(state_label(model, target), treatment)

    def _stay(self, stay: Stay) -> str:
        where = self._where(stay)
        if self.model.is_tree:
            return f"ends as {where}"
        begin, end = self._years(stay.from_years), self._years(stay.to_years)
        if self.model.states[stay.state].absorbing:
            return f"{where} from year {begin}"
        at_once = stay.from_years == stay.to_years
        if stay.ended_by == HORIZON:
            known = (
                f"year {end}, the horizon," if at_once else f"year {begin} to {end}, the horizon,"
            )
            return f"{known} {where}"
        span = f"year {begin}" if at_once else f"year {begin} to {end}"
        return f"{span} {where}, ended by {self._ending(stay)}"

    def _where(self, stay: Stay) -> str:
        return self._with_treatment(state_label(self.model, stay.state, stay.line), stay.treatment)

    def _with_treatment(self, label: str, treatment: str) -> str:
        return f"{label} ({treatment_label(self.model, treatment)})" if treatment else label

    def _ending(self, stay: Stay) -> str:
        return stay.ended_by.replace("_", " ")

    def _at(self, years: float) -> str:
        return "" if self.model.is_tree else f"year {self._years(years)} "

    def _years(self, years: float) -> str:
        return number(years, self._decimals)


def _profile(histories: Histories, patient: int) -> str:
    """The label of each dimension, and each attribute, in brackets; empty if there are none."""
    labels = histories.profiles[histories.profile[patient]]
    words = ", ".join(
        f"{name.replace('_', ' ')} {label:.4g}"
        if isinstance(label, float)
        else f"{name.replace('_', ' ')} {label}"
        for name, label in labels.items()
    )
    return f" ({words})" if words else ""


def _totals(model: ResolvedModel, totals: Mapping[str, float]) -> str:
    parts = []
    for name, total in totals.items():
        words = sentence_case(name)
        words = words if words == "QALYs" else words[:1].lower() + words[1:]
        code = currency(model, name)
        parts.append(f"{words} {money(total, code) if code else short(total, significant=3)}")
    return f"In total (discounted) {', '.join(parts)}."
