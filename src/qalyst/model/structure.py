"""What the rows of a model must agree on, before any number is read."""

from __future__ import annotations

from collections.abc import Iterable

from qalyst.errors import Mistakes, nearest
from qalyst.model.resolved import (
    POINT_CORRECTIONS,
    START,
    Payoff,
    ResolvedModel,
    State,
    Strategy,
    Transition,
)


def check_structure(model: ResolvedModel, stated: set[str], mistakes: Mistakes) -> None:
    """Note contradictions between rows, states and settings.

    Parameters
    ----------
    model : the resolved model.
    stated : the keys of `time:` as the file has them, before defaults.
    mistakes : where they are noted.
    """
    _check_time(model, stated, mistakes)
    _check_labels("states", model.states.values(), mistakes)
    _check_labels("strategies", model.strategies.values(), mistakes)
    if model.occupancy:
        _check_occupancy(model, mistakes)
        return
    _check_states(model, mistakes)
    _check_payoffs(model, mistakes)
    _check_clocks(model, mistakes)
    _check_instant_loops(model, mistakes)
    _check_lines(model, mistakes)


def _check_labels(what: str, rows: Iterable[State | Strategy], mistakes: Mistakes) -> None:
    """Two rows of a table or lines of a figure called alike cannot be told apart."""
    called: dict[str, State | Strategy] = {}
    for row in rows:
        words = row.label.replace("_", " ")  # as names are printed
        other = called.setdefault(words, row)
        if other is not row:
            mistakes.add(
                f"the {what} '{other.name}' and '{row.name}' are both called '{words}'",
                where=f"{other.where} and {row.where}",
                mend="give each a `label:` of its own",
            )


def _check_time(model: ResolvedModel, stated: set[str], mistakes: Mistakes) -> None:
    timing = model.timing
    risks = [row for row in model.transitions if row.source != START and row.when is None]
    moves = [row for row in risks if not model.states[row.source].instant]
    rates = [row for row in moves if row.kind == "rate"]
    probabilities = [row for row in moves if row.kind == "probability"]

    def contradict(what: str, mend: str) -> None:
        mistakes.add(what, where=model.file if model.is_tree else timing.where, mend=mend)

    if model.is_tree:
        waiting = [s.name for s in model.states.values() if not s.instant and not s.absorbing]
        if waiting:
            contradict(
                f"the model has no `time:` but the state '{waiting[0]}' takes time",
                "add `time:`, or make the state instant or absorbing",
            )
        return
    if rates and "events_per_cycle" not in stated:
        contradict(
            "the model has rates and does not say `events_per_cycle`",
            "add `events_per_cycle: one` (published cohort models), `two` (own models) or "
            "`any` (continuous time)",
        )
    if timing.events_per_cycle != "one" and probabilities:
        row = probabilities[0]
        mistakes.add(
            f"`events_per_cycle: {timing.events_per_cycle}` and the probability of '{row.name}' "
            "contradict",
            where=f"{timing.where} and {row.where}",
            mend="write rates (`rate_of` crosses), or `events_per_cycle: one`",
        )
    if timing.correction == "exact" and probabilities:
        contradict(
            f"`correction: exact` and the probability of '{probabilities[0].name}' contradict",
            "write rates, or another correction",
        )
    if timing.correction == "exact" and timing.events_per_cycle == "two":
        contradict(
            "`correction: exact` and `events_per_cycle: two` contradict",
            "use `any`, or another correction such as half-cycle",
        )
    if timing.correction == "exact" and "one_off" in stated:
        contradict(
            "`correction: exact` and `one_off` contradict: moves count when they happen",
            "drop `one_off`",
        )
    if timing.correction == "simpson" and timing.cycles % 2:
        contradict(
            f"`correction: simpson` and {timing.cycles} cycles contradict: it wants an even number",
            "add or drop a cycle, or use half-cycle",
        )
    if timing.correction in POINT_CORRECTIONS and timing.discounting != "counted":
        contradict(
            f"`correction: {timing.correction}` and `discounting: {timing.discounting}` contradict",
            "drop `discounting`",
        )
    if timing.one_off == "weighted" and timing.correction == "exact":
        contradict("`one_off: weighted` and `correction: exact` contradict", "drop `one_off`")
    if timing.events_per_cycle == "any" and model.trackers:
        contradict("`events_per_cycle: any` and trackers contradict", "use `two` or `one`")


def _check_occupancy(model: ResolvedModel, mistakes: Mistakes) -> None:
    where = next(iter(model.occupancy.values())).where
    if model.transitions:
        mistakes.add(
            "the model has `transitions:` and `occupancy:`",
            where=where,
            mend="keep one: a partitioned survival model has no transitions",
        )
    missing = [name for name in model.states if name not in model.occupancy]
    if missing:
        mistakes.add(
            f"`occupancy:` lacks the state '{missing[0]}'",
            where=where,
            mend="give the share of each state",
        )
    for payoff in model.payoffs:
        to_absorbing = payoff.targets and all(
            name in model.states and model.states[name].absorbing for name in payoff.targets
        )
        if payoff.within is None and (payoff.sources or payoff.event or not to_absorbing):
            mistakes.add(
                f"'{payoff.name}' counts moves that a partitioned survival model does not know",
                where=payoff.where,
                mend="count time `in:` states, or `to:` an absorbing state",
            )
        if payoff.when is not None:
            mistakes.add(
                f"'{payoff.name}' has `when:`, which partitioned survival does not take",
                where=payoff.where,
                mend="count time `in:` states",
            )


def _check_states(model: ResolvedModel, mistakes: Mistakes) -> None:
    if not model.rows_from(START):
        mistakes.add(
            "nobody starts: no row has `from: start`",
            where=f"{model.file}  transitions",
            mend="add `begin: {from: start, to: STATE}`",
        )
    for name in ("start", *model.states):
        rows = model.rows_from(name)
        state = model.states.get(name)
        if state is None or state.instant:
            _check_chance(name, rows, mistakes)
            if state is not None and not rows:
                mistakes.add(
                    f"no row leads out of the instant state '{name}'",
                    where=state.where,
                    mend="add its rows, or make it absorbing and not instant",
                )
            continue
        if state.absorbing and rows:
            mistakes.add(
                f"'{name}' is absorbing, and the row '{rows[0].name}' leads out of it",
                where=rows[0].where,
                mend="drop the row, or `absorbing: true`",
            )
        if not state.absorbing and not rows:
            mistakes.add(
                f"no row leads out of '{name}'",
                where=state.where,
                mend="add a row, or say `absorbing: true`",
            )
        _check_risks(name, rows, mistakes)


def _check_chance(name: str, rows: tuple[Transition, ...], mistakes: Mistakes) -> None:
    for row in rows:
        if row.kind == "rate" or row.when is not None:
            key = "rate" if row.kind == "rate" else "when"
            mistakes.add(
                f"the row '{row.name}' out of '{name}' has `{key}:`, but no time is spent there",
                where=row.where,
                mend="give a probability, or none for the rest",
            )
    rest = [row for row in rows if row.kind == "rest"]
    if len(rest) > 1:
        mistakes.add(
            f"two rows of '{name}' take the rest: '{rest[0].name}' and '{rest[1].name}'",
            where=f"{rest[0].where} and {rest[1].where}",
            mend="give one of them a probability",
        )


def _check_risks(name: str, rows: tuple[Transition, ...], mistakes: Mistakes) -> None:
    kinds: dict[str, Transition] = {}
    for row in rows:
        if row.kind == "rest" or (row.when is not None and row.kind == "rate"):
            mistakes.add(
                f"the row '{row.name}' out of '{name}' needs "
                f"{'a probability' if row.when is not None else 'a rate or a probability'}",
                where=row.where,
                mend="in a state what does not leave, stays: only a chance has a rest",
            )
        elif row.when is None:
            kinds.setdefault(row.kind, row)
    if len(kinds) > 1:
        first, second = kinds.values()
        mistakes.add(
            f"'{name}' mixes rates and probabilities: '{first.name}' and '{second.name}'",
            where=f"{first.where} and {second.where}",
            mend="cross by rate_of(...) or probability_of(...)",
        )


def _check_payoffs(model: ResolvedModel, mistakes: Mistakes) -> None:
    for payoff in model.payoffs:
        if model.is_tree and payoff.within is not None:
            mistakes.add(
                f"'{payoff.name}' counts time, and a decision tree (no `time:`) spends none",
                where=payoff.where,
                mend="count the move: `to: STATE` or `event: ROW`",
            )
        elif model.is_tree and payoff.counts_end:
            mistakes.add(
                f"'{payoff.name}' counts the horizon, which a decision tree does not have",
                where=payoff.where,
                mend="count the move: `to: STATE` or `event: ROW`",
            )
        elif (
            payoff.within is None
            and not payoff.counts_end
            and not any(_counts(payoff, row) for row in model.transitions)
        ):
            mistakes.add(
                f"'{payoff.name}' counts moves that no row makes",
                where=payoff.where,
                mend="name states (or an event) that a row of `transitions:` joins",
            )


def _counts(payoff: Payoff, row: Transition) -> bool:
    return (
        (payoff.event is None or payoff.event == row.name)
        and (payoff.sources is None or row.source in payoff.sources)
        and (payoff.targets is None or row.target in payoff.targets)
    )


def _check_clocks(model: ResolvedModel, mistakes: Mistakes) -> None:
    """Clocks that would never run: capped before their first cycle, or never set."""
    cycle = model.timing.cycle
    for state in model.states.values():
        if state.residence is not None and state.residence < cycle * (1 - 1e-9):
            mistakes.add(
                f"the residence of '{state.name}' is shorter than a cycle",
                where=state.where,
                mend="give at least one cycle, or drop `residence:`",
            )
    for tracker in model.trackers.values():
        if tracker.kind != "count" and tracker.up_to < cycle * (1 - 1e-9):
            mistakes.add(
                f"the clock '{tracker.name}' runs up to less than a cycle",
                where=tracker.where,
                mend="give `up_to:` at least one cycle",
            )
        if not any(row.target in tracker.states for row in model.transitions):
            states = " or ".join(f"'{state}'" for state in tracker.states)
            mistakes.add(
                f"nothing ever sets the tracker '{tracker.name}': no row leads to {states}",
                where=tracker.where,
                mend="name states that a row leads to",
            )


def _check_instant_loops(model: ResolvedModel, mistakes: Mistakes) -> None:
    follows = {
        name: [
            row.target
            for row in model.rows_from(name)
            if row.step != "next" and model.states[row.target].instant
        ]
        for name, state in model.states.items()
        if state.instant
    }
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            loop = " -> ".join([*path[path.index(name) :], name])
            mistakes.add(
                f"instant states form a loop: {loop}",
                where=f"{model.file}  transitions",
                mend="let time be spent in one of them, or lead on to the `next` line",
            )
            return
        if name in done:
            return
        for target in follows[name]:
            visit(target, [*path, name])
        done.add(name)

    for name in follows:
        visit(name, [])


def _check_lines(model: ResolvedModel, mistakes: Mistakes) -> None:
    for strategy in model.strategies.values():
        for treatment in strategy.sequence:
            if treatment not in model.treatments:
                mistakes.add(
                    f"unknown treatment '{treatment}' in the sequence of '{strategy.name}'",
                    where=strategy.where,
                    mend=nearest(treatment, model.treatments),
                )
    per_line = [state.name for state in model.states.values() if state.per_line]
    if per_line and not all(strategy.sequence for strategy in model.strategies.values()):
        bare = next(s for s in model.strategies.values() if not s.sequence)
        mistakes.add(
            f"'{per_line[0]}' is one per line, and the strategy '{bare.name}' has no sequence",
            where=bare.where,
            mend="add `sequence: [treatment, ...]`",
        )
    for row in model.transitions:
        target = model.states.get(row.target)
        source = model.states.get(row.source)
        inside = source is not None and source.per_line
        if target is None:
            continue
        if target.per_line and not inside and row.step != "first":
            mistakes.add(
                f"the row '{row.name}' enters '{row.target}', which is one per line, from outside",
                where=row.where,
                mend=f"write `to: first {row.target}`",
            )
        if not target.per_line and row.step != "same":
            mistakes.add(
                f"'{row.target}' is not one per line",
                where=row.where,
                mend=f"write `to: {row.target}`, or `per: line` in the state",
            )
