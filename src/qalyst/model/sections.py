"""From the sections of a file to the rows of a resolved model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qalyst.errors import Mistakes, ModelError, nearest
from qalyst.io.records import known_keys, read
from qalyst.io.yaml import Section
from qalyst.model.expressions import ONE, parse
from qalyst.model.resolved import (
    END,
    START,
    Curve,
    Dimension,
    Expression,
    Label,
    Outcome,
    Payoff,
    State,
    Strategy,
    Timing,
    Tracker,
    Transition,
    Treatment,
)
from qalyst.model.schema import (
    CurveSection,
    OutcomeSection,
    PayoffSection,
    StateKeys,
    StrategyKeys,
    TimeSection,
    TrackerSection,
    TransitionSection,
    TreatmentKeys,
)
from qalyst.model.vocabulary import HOW_NAMES_ARE, is_name
from qalyst.units import duration, parse_unit

TREE = Timing(1.0, 0, "start", "one", "middle", "counted", where="")


class Sections:
    """Builds the rows of one merged document; mistakes are collected, not raised one by one."""

    def __init__(self, document: Section, mistakes: Mistakes) -> None:
        self.document, self.mistakes = document, mistakes
        self.groups = self._groups()

    # -- access

    def section(self, name: str) -> Section:
        """A section of the file; an empty one if it is absent."""
        found = self.document.get(name)
        if found is None:
            return Section(mark=self.document.mark)
        if not isinstance(found, Section):
            raise ModelError(
                f"the section '{name}' is not a mapping",
                where=str(self.document.at(name)),
                mend="write one row a line, `name: {...}`",
            )
        return found

    def rows(self, name: str, *, besides: str = "") -> Iterator[tuple[str, Section, str]]:
        """The rows of a section with where they stand; what is not a row is a mistake.

        One key may stand `besides` the rows.
        """
        yield from self._rows(self.section(name), name, besides)

    def _rows(
        self, section: Section, name: str, besides: str = ""
    ) -> Iterator[tuple[str, Section, str]]:
        for key, row in section.items():
            if key == besides:
                continue
            where = f"{section.at(key)}  {name}.{key}"
            if not isinstance(row, Section):
                self.mistakes.add(
                    f"'{key}' is not a row of {name}", where=where, mend="write `name: {...}`"
                )
                continue
            yield str(key), row, where

    def expression(self, section: Section, key: str, where: str) -> Expression:
        """The expression that stands under a key."""
        place = f"{section.at(key)}  {where.split('  ', 1)[-1]}.{key}"
        return Expression(parse(section[key], place), place)

    def _optional(self, section: Section, key: str, where: str) -> Expression | None:
        return self.expression(section, key, where) if section.get(key) is not None else None

    # -- time and outcomes

    def timing(self) -> Timing:
        """The clock; see language.md sections 1 and 8."""
        if "time" not in self.document:
            return TREE
        section = self.section("time")
        time = read(TimeSection, section, "time")
        cycle = duration(time.cycle, f"{section.at('cycle')}  time.cycle")
        horizon = duration(time.horizon, f"{section.at('horizon')}  time.horizon")
        cycles = round(horizon / cycle)
        if abs(cycles * cycle - horizon) > 1e-9 * max(horizon, 1):
            raise ModelError(
                f"the horizon ({time.horizon}) is not a whole number of cycles ({time.cycle})",
                where=f"{section.at('horizon')}  time.horizon",
                mend=f"write {cycles} cycles' worth, or change the cycle",
            )
        if cycles > 200_000:
            raise ModelError(
                f"the horizon has {cycles} cycles",
                where=f"{section.at('horizon')}  time.horizon",
                mend="use a longer cycle or a shorter horizon",
            )
        return Timing(
            cycle=cycle,
            cycles=cycles,
            correction=time.correction,
            events_per_cycle=time.events_per_cycle or "one",
            one_off=time.one_off or "middle",
            discounting=time.discounting,
            where=f"{section.mark}  time",
        )

    def outcomes(self) -> dict[str, Outcome]:
        """The outcomes in their order."""
        found = {}
        for name, row, where in self.rows("outcomes"):
            with self.mistakes.caught():
                raw = read(OutcomeSection, row, f"outcomes.{name}")
                unit = parse_unit(str(raw.unit), f"{row.at('unit')}  outcomes.{name}.unit")
                discount = self.expression(row, "discount", where)
                found[name] = Outcome(name, unit, str(raw.unit), discount)
        return found

    # -- tables

    def dimensions(self) -> dict[str, Dimension]:
        """The dimensions of profiles."""
        found = {}
        for name, rows, where in self.rows("profiles"):
            weights: dict[Label, Expression] = {}
            columns: dict[Label, dict[str, Expression]] = {}
            for label, row in rows.items():
                place = f"{rows.at(label)}  profiles.{name}.{label}"
                with self.mistakes.caught():
                    if not isinstance(row, Section):
                        weights[label] = Expression(parse(row, place), place)
                        columns[label] = {}
                    elif "weight" not in row:
                        raise ModelError(
                            f"'{label}' has no weight",
                            where=place,
                            mend="add `weight:`; the weights of a dimension sum to 1",
                        )
                    else:
                        weights[label] = self.expression(row, "weight", place)
                        columns[label] = self._columns(row, place, ("weight",))
            if not rows:
                self.mistakes.add(f"'{name}' has no labels", where=where, mend="add {label: 1}")
            found[name] = Dimension(name, tuple(weights), weights, columns)
        return found

    def strategies(self) -> dict[str, Strategy]:
        """The strategies in their order."""
        found = {}
        for name, row, where in self._table("strategies"):
            with self.mistakes.caught():
                keys = read(StrategyKeys, _only(row, StrategyKeys), f"strategies.{name}")
                columns = self._columns(row, where, known_keys(StrategyKeys))
                found[name] = Strategy(
                    name, keys.label or name, tuple(keys.sequence), columns, where
                )
        return found

    def treatments(self) -> dict[str, Treatment]:
        """The treatments in their order."""
        found = {}
        for name, row, where in self._table("treatments"):
            with self.mistakes.caught():
                keys = read(TreatmentKeys, _only(row, TreatmentKeys), f"treatments.{name}")
                columns = self._columns(row, where, known_keys(TreatmentKeys))
                found[name] = Treatment(name, keys.label or name, columns)
        return found

    def states(self) -> dict[str, State]:
        """The states in their order."""
        found = {}
        for name, row, where in self._table("states"):
            with self.mistakes.caught():
                if name in (START, END):
                    raise ModelError(
                        f"'{name}' is a reserved place", where=where, mend="rename the state"
                    )
                keys = read(StateKeys, _only(row, StateKeys), f"states.{name}")
                found[name] = State(
                    name=name,
                    label=keys.label or name,
                    absorbing=keys.absorbing,
                    instant=keys.instant,
                    per_line=keys.per == "line",
                    residence=duration(keys.residence, where) if keys.residence else None,
                    columns=self._columns(row, where, known_keys(StateKeys)),
                    where=where,
                )
        return found

    def _table(self, name: str) -> Iterator[tuple[str, Section, str]]:
        """Rows of a table with the `default:` row filled in."""
        table = self.section(name)
        default = table.get("default")
        for key, row, where in self._rows(table, name):
            if key == "default":
                continue
            self._check_name(key, where)
            filled = Section(row, mark=row.mark)
            if isinstance(default, Section):
                for column, cell in default.items():
                    if column not in filled:
                        filled.place(column, cell, default.at(column))
            yield key, filled, where

    def _check_name(self, name: object, where: str) -> None:
        if not is_name(name):
            self.mistakes.add(f"'{name}' is not a name", where=where, mend=HOW_NAMES_ARE)

    def _columns(self, row: Section, where: str, reserved: Any) -> dict[str, Expression]:
        for key in row:
            if key not in reserved and not is_name(key):
                meant = str(key).lower()
                raise ModelError(
                    f"'{key}' is not the name of a column",
                    where=f"{row.at(key)}  {where.split('  ', 1)[-1]}.{key}",
                    mend=nearest(meant, [meant]) if meant in reserved else HOW_NAMES_ARE,
                )
        return {
            str(key): self.expression(row, str(key), where) for key in row if key not in reserved
        }

    # -- places

    def _groups(self) -> dict[str, list[str]]:
        groups = {}
        section = self.section("groups")
        for name, members in section.items():
            self._check_name(name, f"{section.at(name)}  groups.{name}")
            if not isinstance(members, list) or not all(isinstance(m, str) for m in members):
                self.mistakes.add(
                    f"the group '{name}' is not a list of states",
                    where=f"{section.at(name)}  groups.{name}",
                    mend="write [state, state]",
                )
                continue
            groups[str(name)] = members
        return groups

    def check_groups(self, states: Mapping[str, State]) -> None:
        """Note groups named like a state, and members that are no state."""
        section = self.section("groups")
        for name, members in self.groups.items():
            where = f"{section.at(name)}  groups.{name}"
            if name in states or name in (START, END):
                self.mistakes.add(
                    f"the group '{name}' has the name of a state",
                    where=where,
                    mend="rename the group",
                )
            for member in members:
                if member not in states:
                    self.mistakes.add(
                        f"unknown state '{member}' in the group '{name}'",
                        where=where,
                        mend=nearest(member, states),
                    )

    def places(
        self,
        given: str | list[str],
        states: Mapping[str, State],
        where: str,
        *,
        besides: tuple[str, ...] = (),
    ) -> list[str]:
        """States written as a state, a group or a list of either, each once, in order.

        Parameters
        ----------
        given : the words.
        states : those of the model.
        where : file, line and key.
        besides : which of `start` and `end` may stand there too.

        Raises
        ------
        ModelError
            An unknown state or group, or a place that means nothing there.
        """
        found: list[str] = []
        for word in [given] if isinstance(given, str) else given:
            members = self.groups.get(word, [word])
            for member in members:
                if member in (START, END) and member not in besides:
                    raise ModelError(
                        f"'{member}' means nothing here",
                        where=where,
                        mend="name a state: moves go `from: start`, and `to: end` counts those "
                        "who reach the horizon",
                    )
                if member not in states and member not in besides:
                    raise ModelError(
                        f"unknown state '{member}'",
                        where=where,
                        mend=nearest(member, [*states, *self.groups]),
                    )
                if member not in found:
                    found.append(member)
        return found

    def trackers(self, states: Mapping[str, State]) -> dict[str, Tracker]:
        """The history trackers."""
        found = {}
        for name, row, where in self.rows("track"):
            with self.mistakes.caught():
                raw = read(TrackerSection, row, f"track.{name}")
                kinds = [
                    kind
                    for kind in ("count", "years_in", "years_since")
                    if getattr(raw, kind) is not None
                ]
                if len(kinds) != 1:
                    raise ModelError(
                        f"the tracker '{name}' must say one of count, years_in, years_since",
                        where=where,
                        mend="write for example {count: state, up_to: 4}",
                    )
                kind: Any = kinds[0]
                if kind != "count" and (raw.amount is not None or raw.reset is not None):
                    raise ModelError(
                        f"the clock '{name}' takes no amount and no reset",
                        where=where,
                        mend="drop them, or count entries",
                    )
                found[name] = Tracker(
                    name=name,
                    kind=kind,
                    states=tuple(self.places(getattr(raw, kind), states, where)),
                    up_to=self._up_to(kind, raw.up_to, where),
                    amount=self._optional(row, "amount", where),
                    reset=tuple(self.places(raw.reset, states, where)) if raw.reset else (),
                    where=where,
                )
        return found

    def _up_to(self, kind: str, given: object, where: str) -> float:
        if kind != "count":
            return duration(given, where)
        if (
            isinstance(given, bool)
            or not isinstance(given, int | float)
            or given < 1
            or given != int(given)
        ):
            raise ModelError(
                f"`up_to: {given}` is not a count",
                where=where,
                mend="write a whole number, 1 or more",
            )
        return float(given)

    # -- expressions by name

    def define(self) -> dict[str, Expression]:
        """The definitions."""
        section = self.section("define")
        found = {}
        for name in section:
            self._check_name(name, f"{section.at(name)}  define.{name}")
            with self.mistakes.caught():
                if isinstance(name, str):
                    found[name] = self.expression(section, name, "  define")
        return found

    def curves(self) -> dict[str, Curve]:
        """The survival curves that the model makes of others."""
        found = {}
        for name, row, where in self.rows("curves"):
            with self.mistakes.caught():
                raw = read(CurveSection, row, f"curves.{name}")
                if (raw.survival is None) == (raw.hazard is None):
                    raise ModelError(
                        f"the curve '{name}' needs `survival:` or `hazard:`",
                        where=where,
                        mend="give one of the two",
                    )
                form: Any = "hazard" if raw.survival is None else "survival"
                found[name] = Curve(name, form, self.expression(row, form, where))
        return found

    def occupancy(self, states: Mapping[str, State]) -> dict[str, Expression]:
        """The shares of a partitioned survival model."""
        section = self.section("occupancy")
        found = {}
        for state in section:
            with self.mistakes.caught():
                where = f"{section.at(state)}  occupancy.{state}"
                if state not in states:
                    raise ModelError(
                        f"unknown state '{state}'", where=where, mend=nearest(str(state), states)
                    )
                found[str(state)] = self.expression(section, str(state), "  occupancy")
        return found

    # -- transitions and payoffs

    def transitions(self, states: Mapping[str, State]) -> list[Transition]:
        """The rows, one for each pair of states."""
        found: list[Transition] = []
        for name, row, where in self.rows("transitions"):
            with self.mistakes.caught():
                raw = read(TransitionSection, row, f"transitions.{name}")
                if raw.rate is not None and raw.probability is not None:
                    raise ModelError(
                        f"'{name}' has a rate and a probability", where=where, mend="keep one"
                    )
                kind: Any = (
                    "rate"
                    if raw.rate is not None
                    else "rest"
                    if raw.probability is None
                    else "probability"
                )
                value = None if kind == "rest" else self.expression(row, kind, where)
                when = self._optional(row, "when", where)
                steps = [
                    (step, state)
                    for word in ([raw.to] if isinstance(raw.to, str) else raw.to)
                    for step, state in self._targets(word, states, where)
                ]
                for source in self.places(raw.source, states, where, besides=(START,)):
                    for step, target in steps:
                        if source == target and step == "same":
                            continue
                        found.append(
                            Transition(name, source, target, step, kind, value, when, where)
                        )
        return found

    def _targets(self, word: str, states: Mapping[str, State], where: str) -> list[tuple[Any, str]]:
        step, _, state = word.rpartition(" ")
        if step not in ("", "first", "next"):
            raise ModelError(
                f"'{word}' is not a target",
                where=where,
                mend="write a state, `first S` or `next S`",
            )
        return [(step or "same", place) for place in self.places(state, states, where)]

    def payoffs(self, states: Mapping[str, State], events: list[str]) -> list[Payoff]:
        """The rows of payoffs."""
        found = []
        outcomes = self.section("outcomes")  # those with a mistake of their own too
        for outcome, rows, where in self.rows("payoffs"):
            if outcome not in outcomes:
                self.mistakes.add(
                    f"payoffs of '{outcome}', which is no outcome",
                    where=where,
                    mend=nearest(outcome, map(str, outcomes)),
                )
            for name, row, place in self._rows(rows, f"payoffs.{outcome}"):
                with self.mistakes.caught():
                    found.append(self._payoff(outcome, name, row, place, states, events))
        return found

    def _payoff(
        self,
        outcome: str,
        name: str,
        row: Section,
        where: str,
        states: Mapping[str, State],
        events: list[str],
    ) -> Payoff:
        raw = read(PayoffSection, row, f"payoffs.{outcome}.{name}")
        moves = [key for key in ("from", "to", "event") if row.get(key) is not None]
        if (raw.within is None) == (not moves):
            raise ModelError(
                f"'{name}' must say where it counts: `in:` a state, or a move "
                "by `from:`, `to:` or `event:`",
                where=where,
                mend="give `in:` or moves, not both",
            )
        if raw.when is not None and raw.within is None:
            raise ModelError(
                f"'{name}' has `when:` but counts moves", where=where, mend="use `in:` with `when:`"
            )
        if raw.event is not None and raw.event not in events:
            raise ModelError(
                f"no transition '{raw.event}'",
                where=f"{row.at('event')}  payoffs.{outcome}.{name}.event",
                mend=nearest(raw.event, events),
            )
        targets = self._places_of(raw.to, states, row, "to", where, END)
        if targets and END in targets and (len(targets) > 1 or raw.event):
            raise ModelError(
                "`to: end` stands alone", where=where, mend="write a row of its own for the horizon"
            )
        return Payoff(
            outcome=outcome,
            name=name,
            within=self._places_of(raw.within, states, row, "in", where),
            sources=self._places_of(raw.source, states, row, "from", where, START),
            targets=targets,
            event=raw.event,
            quantity=self._optional(row, "quantity", where) or Expression(ONE, where),
            price=self._optional(row, "price", where) or Expression(ONE, where),
            when=self._optional(row, "when", where),
            where=where,
        )

    def _places_of(
        self,
        given: str | list[str] | None,
        states: Mapping[str, State],
        row: Section,
        key: str,
        where: str,
        *besides: str,
    ) -> tuple[str, ...] | None:
        if given is None:
            return None
        place = f"{row.at(key)}  {where.split('  ', 1)[-1]}.{key}"
        return tuple(self.places(given, states, place, besides=besides))


def _only(row: Section, kind: Any) -> Section:
    kept = Section(mark=row.mark)
    for key in known_keys(kind):
        if key in row:
            kept.place(key, row[key], row.at(key))
    return kept
