"""Flips of the recommendation as words, tables and plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.labels import amount_unit, currency, effect_nouns, strategy_label
from qalyst.report.numbers import money, percent, short
from qalyst.sensitivity.flip import Flip, Flips, Move, SourceMoves

ENOUGH, MOST_TOLD, MOST_ROWS = 0.8, 4, 12
SMALLEST_SHARE = 0.0005  # of the squared distance that a table still tells


def flip_sentence(found: Flips, flip: Flip) -> str:
    """How far it is to where a strategy overtakes the recommended one, in plain text."""
    model = found.model
    recommended = strategy_label(model, found.recommended)
    other = strategy_label(model, flip.strategy)
    assert model.decision.cost is not None
    assert model.decision.effect is not None
    at = (
        f"{money(found.wtp, currency(model, model.decision.cost), significant=9)} per "
        f"{effect_nouns(model, model.decision.effect)[0]}"
    )
    if flip.distance is None:
        return (
            f"No joint change of the inputs within {short(found.limit)} standard deviations was "
            f"found by which {other} would overtake {recommended} at {at}."
        )
    told = _movers(flip)
    words = [_moved(move) for source in told for move in source.moves[:MOST_TOLD]]
    share = sum(source.share for source in told)
    rest = sum(source.share >= SMALLEST_SHARE for source in flip.sources) - len(told)
    beside = "" if len(words) < 2 else " and at the same time "
    joined = words[0] + beside + _listed(words[1:]) if words else "nothing moved"
    what = (
        f"The recommendation at {at} would change from {recommended} to {other}"
        if flip.recommended_there
        else f"At {at}, {other} would overtake {recommended} (though a third would be better "
        "than both)"
    )
    others = f" ({percent(share)} of the squared distance; {rest} others move less)" if rest else ""
    return (
        f"{what} if {joined}{others}: {short(flip.distance, significant=3)} standard deviations "
        f"away, a probability of about {_chance(flip.probability)} if the boundary were flat."
    )


def tell_flips(found: Flips, data: Mapping[str, Any]) -> None:
    """Print the nearest flip with its inputs, and how far the other strategies are."""
    console = open_console()
    model = found.model
    assert model.decision.cost is not None
    code = currency(model, model.decision.cost)
    table = new_table(
        f"How far from the base case another strategy overtakes "
        f"{strategy_label(model, found.recommended)}",
        "strategy",
        "standard deviations",
        "probability",
        f"lead in net benefit ({code})",
    )
    for flip in found.flips:
        none = flip.distance is None
        table.add_row(
            Text(strategy_label(model, flip.strategy)),
            f"> {short(found.limit)}" if none else short(flip.distance, significant=3),
            _chance(flip.probability),
            short(flip.margin),
        )
    print_table(console, table)
    nearest = found.flips[0]
    if nearest.distance is not None:
        table = new_table(
            f"Where {strategy_label(model, nearest.strategy)} overtakes",
            *("input", "unit", "share", "from", "to", "standard deviations"),
            text=2,
        )
        for source in nearest.sources[:MOST_ROWS]:
            if source.share < SMALLEST_SHARE:
                continue
            for place, move in enumerate(source.moves):
                first = place == 0
                table.add_row(
                    Text(move.name),
                    Text(move.unit),
                    percent(source.share) if first else "",
                    short(move.start),
                    short(move.end),
                    short(source.scores, significant=3) if first else "",
                )
        print_table(console, table)
    for text in data["sentences"]:
        console.print(Text(text + "\n"))
    for note in data["notes"]:
        console.print(Text(f"note: {note}"))


def flip_data(found: Flips) -> dict[str, Any]:
    """Flips as plain data; see docs/json.md."""
    model = found.model
    return {
        "model": model.name,
        "title": model.title,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "wtp": found.wtp,
        "recommended": found.recommended,
        "limit": found.limit,
        "flips": [
            {
                "strategy": flip.strategy,
                "lead": flip.margin,
                "distance": flip.distance,
                "probability": flip.probability,
                "recommended_there": flip.recommended_there,
                "sources": [
                    {
                        "source": source.source,
                        "share": source.share,
                        "scores": source.scores,
                        "inputs": [
                            {"name": m.name, "unit": m.unit, "from": m.start, "to": m.end}
                            for m in source.moves
                        ],
                    }
                    for source in flip.sources
                ],
            }
            for flip in found.flips
        ],
        "sentences": [flip_sentence(found, flip) for flip in found.flips],
        "notes": _notes(found),
    }


def _notes(found: Flips) -> list[str]:
    notes = [
        "distances are counted from the base case; the search is local, from several starts, so a "
        "nearer flip is possible though unlikely"
    ]
    if found.left:
        notes.append(f"drawn from the rows of a file, and left at base: {', '.join(found.left)}")
    return notes


def _movers(flip: Flip) -> list[SourceMoves]:
    """The sources that make most of the squared distance, largest first."""
    told: list[SourceMoves] = []
    for source in flip.sources[:MOST_TOLD]:
        if source.share < SMALLEST_SHARE or sum(each.share for each in told) >= ENOUGH:
            break
        told.append(source)
    return told


def _moved(move: Move) -> str:
    way = "rose" if move.end > move.start else "fell"
    return (
        f"{move.name} {way} from {short(move.start)} to {short(move.end)}{amount_unit(move.unit)}"
    )


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1] if words else ""


def _chance(probability: float | None) -> str:
    """A probability that may be very small."""
    if probability is not None and 0 < probability < 0.001:
        return f"{probability:.1g}"
    return percent(probability)
