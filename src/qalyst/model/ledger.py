"""The timing ledger: for each row when it counts, how often, and when it is discounted."""

from __future__ import annotations

from dataclasses import dataclass

from qalyst.model.resolved import START, Payoff, ResolvedModel, Transition
from qalyst.units import duration_text

_HEADS = {
    "start": "those there at the start of each cycle",
    "end": "those there at the end of each cycle",
    "half-cycle": "half of those there at the start of each cycle, half of those at its end",
    "exact": "everybody, by the integral over each cycle",
    "both": "those there at each of the n + 1 points of time, both ends in full",
    "simpson": "those there at each point of time, by Simpson's weights 1/3, 4/3, 2/3, ...",
    "simpson-tutorial": "those there at each point of time, by weights 1/3, 2/3, 4/3, 2/3, ... "
    "(as in published tutorials; they sum to less than the number of cycles)",
}
_MOMENT = {
    "start": "at the start of the cycle",
    "middle": "in the middle of the cycle",
    "end": "at the end of the cycle",
    "year": "at the start of the model year",
    "weighted": "at the end of the cycle, times the correction's weight of that point",
}


@dataclass(frozen=True)
class Entry:
    """A line of the ledger."""

    section: str
    row: str
    counted: str
    how_often: str
    discounted: str


def timing_ledger(model: ResolvedModel) -> list[dict[str, str]]:
    """Lines of the ledger as plain data: section, row, counted, how_often, discounted."""
    entries = [*_transitions(model), *(_payoff(model, payoff) for payoff in model.payoffs)]
    return [vars(entry) for entry in entries]


def _transitions(model: ResolvedModel) -> list[Entry]:
    found: dict[str, Entry] = {}
    for row in model.transitions:
        found.setdefault(row.name, _transition(model, row))
    return list(found.values())


def _transition(model: ResolvedModel, row: Transition) -> Entry:
    cycle = duration_text(model.timing.cycle)
    every = f"every cycle ({cycle})"
    if row.source == START:
        return Entry("transitions", row.name, "at time 0", "once", "")
    if model.states[row.source].instant:
        return Entry("transitions", row.name, "at once, on entry", "each entry", "")
    if row.when is not None:
        counted = "at the start of the cycle, from the heads before any scheduled move"
        return Entry("transitions", row.name, counted, f"when {row.when.text}", "")
    if row.kind == "probability":
        return Entry("transitions", row.name, "during the cycle, as a probability", every, "")
    events = {
        "one": "competing risks; who arrives is at risk from the next cycle on",
        "two": "competing risks; who arrives is at risk once more, for half a cycle",
        "any": "continuous time: any number of events in a cycle",
    }[model.timing.events_per_cycle]
    return Entry("transitions", row.name, events, every, "")


def _payoff(model: ResolvedModel, payoff: Payoff) -> Entry:
    section = f"payoffs.{payoff.outcome}"
    if model.outcomes[payoff.outcome].discount.text == "0":
        rate = "not discounted"
    else:
        rate = f"rate {model.outcomes[payoff.outcome].discount.text}"
    if model.is_tree:
        return Entry(section, payoff.name, _move(payoff), "once, at time 0", "at time 0")
    if payoff.counts_time:
        places = ", ".join(payoff.within or ())
        counted = f"time in {places}: {_HEADS[model.timing.correction]}"
        return Entry(section, payoff.name, counted, "every cycle", f"{_time(model)}; {rate}")
    if payoff.counts_heads:
        places = ", ".join(payoff.within or ())
        assert payoff.when is not None
        counted = f"heads in {places} at the start of the cycle, before scheduled moves"
        moment = "year" if model.timing.discounting == "year" else "start"
        return Entry(
            section, payoff.name, counted, f"when {payoff.when.text}", f"{_MOMENT[moment]}; {rate}"
        )
    if payoff.counts_end:
        return Entry(
            section, payoff.name, "those who reach the horizon", "once", f"at the horizon; {rate}"
        )
    return Entry(
        section,
        payoff.name,
        _move(payoff),
        "each move, once, never averaged",
        f"{_moves(model)}; {rate}",
    )


def _move(payoff: Payoff) -> str:
    parts = []
    if payoff.event:
        parts.append(f"by '{payoff.event}'")
    if payoff.sources:
        parts.append(f"from {', '.join(payoff.sources)}")
    if payoff.targets:
        parts.append(f"to {', '.join(payoff.targets)}")
    return "moves " + " ".join(parts)


def _time(model: ResolvedModel) -> str:
    word = model.timing.discounting
    if word != "counted":
        return _MOMENT[word]
    if model.timing.correction == "exact":
        return "continuously"
    return "at the moment the heads are counted"


def _moves(model: ResolvedModel) -> str:
    if model.timing.correction == "exact":
        return "continuously, when they happen; first and scheduled ones at the start"
    word = "year" if model.timing.discounting == "year" else model.timing.one_off
    return f"{_MOMENT[word]}; scheduled and first ones at its start"
