"""What `qalyst decide` does: the decision analysis of outside draws, and a folder of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qalyst.analysis import Decided, without_luck
from qalyst.axes import WTP
from qalyst.decision.evppi import Evppi
from qalyst.decision.evppi import evppi as values_of
from qalyst.errors import ModelError, nearest
from qalyst.information import Information, ranked
from qalyst.io.draws import DrawTable, read_draws
from qalyst.io.files import names_in, written_whole
from qalyst.io.typed import split_names
from qalyst.outside import decide
from qalyst.report.decided import write_decided
from qalyst.report.decision_data import decision_data
from qalyst.report.provenance import file_hash
from qalyst.report.value_words import evppi_data


def decide_files(
    costs: Path,
    effects: Path,
    *,
    wtp: Sequence[float],
    params: Path | None = None,
    evppi: Sequence[str] = (),
    currency: str = "",
    effect: str = "qalys",
    simulated: bool = False,
    folder: Path | None = None,
) -> tuple[Decided, tuple[Information, ...], dict[str, Any]]:
    """The decision of files of draws.

    Parameters
    ----------
    costs, effects : CSV files with a column a strategy and a row a draw.
    wtp : thresholds.
    params : CSV file of the drawn parameters, a column each.
    evppi : ``a`` or ``a,b``: what is learnt together; ``all`` for each parameter alone.
    currency, effect : what costs and effects are called; see `outside.decide`.
    simulated : whether costs and effects are means of simulated patients; EVPI is then the value
        of knowing all parameters, by regression, without the luck of the patients.
    folder : takes tables and figures, whole or not at all; None for neither.

    Raises
    ------
    ModelError
        A file that cannot be read, or files that do not belong together; each names its file.

    Returns
    -------
    analysis, informed, found
        The decision; values of information at each threshold, if asked for; and the results as
        the plain data that `docs/json.md` describes.
    """
    cost, gain = read_draws(costs), read_draws(effects)
    _check_together(cost, gain)
    analysis = decide(cost.columns, gain.columns, wtp=wtp, currency=currency, effect=effect)
    drawn = _parameters(params, cost, wtp, evppi, simulated)
    if drawn is not None and simulated:
        evpi = [(v.value, v.se) for v in _values(analysis, drawn, wtp, [tuple(drawn.columns)])]
        analysis = replace(analysis, at_thresholds=without_luck(analysis.at_thresholds, evpi))
    found = {
        "costs": str(costs),
        "effects": str(effects),
        **decision_data(analysis),
        "notes": [note for table in (cost, gain, drawn) if table for note in _notes(table)],
    }
    informed: tuple[Information, ...] = ()
    if drawn is not None:
        values = _values(analysis, drawn, wtp, _groups(drawn, evppi))
        heard = (each for each in values if each.detected and each.message)
        found["evppi"] = evppi_data(values)
        found["notes"] += [f"at {each.wtp:,.10g}: {each.message}" for each in heard]
        informed = _by_threshold(analysis, values)
    if folder is not None:
        read = [path for path in (costs, effects, params) if path is not None]
        settings = {"inputs": {path.name: file_hash(path) for path in read}, "wtp": list(wtp)}
        with written_whole(folder) as work:
            files = write_decided(analysis, informed, work, settings)
            names = names_in(work, files)
        found |= {"folder": str(folder), "files": names}
    return analysis, informed, found


def _parameters(
    params: Path | None,
    costs: DrawTable,
    wtp: Sequence[float],
    evppi: Sequence[str],
    simulated: bool,
) -> DrawTable | None:
    """The draws of the parameters; None if nobody asks for them."""
    if params is None:
        if evppi or simulated:
            raise ModelError(
                "the draws of the parameters are not given",
                where=f"command line  --evppi {evppi[0]}" if evppi else "command line  --simulated",
                mend="name their file: --params draws.csv",
            )
        return None
    if not wtp:
        raise ModelError(
            "a value of information needs a willingness to pay",
            where=f"command line  --params {params}",
            mend="give one: --wtp 50000",
        )
    table = read_draws(params)
    _check_draws(table, costs)
    return table


def _groups(table: DrawTable, asked: Sequence[str]) -> list[tuple[str, ...]]:
    """What is learnt together, each once."""
    found: list[tuple[str, ...]] = []
    for text in asked or ["all"]:
        if text == "all" and "all" not in table.columns:
            found += [(name,) for name in table.columns]
            continue
        group = (text,) if text in table.columns else tuple(split_names(text))
        for name in group:
            if name not in table.columns:
                raise ModelError(
                    f"no parameter '{name}' in {table.file}",
                    where=f"command line  --evppi {text}",
                    mend=nearest(name, table.columns),
                )
        found.append(group)
    return list(dict.fromkeys(found))


def _values(
    analysis: Decided, table: DrawTable, wtp: Sequence[float], groups: list[tuple[str, ...]]
) -> list[Evppi]:
    """What it is worth to know parameters, at each threshold."""
    assert analysis.psa is not None
    cost, effect = (analysis.psa.total(name) for name in (analysis.cost, analysis.effect))
    return [each for k in wtp for each in values_of(cost, effect, table.columns, k, of=groups)]


def _by_threshold(analysis: Decided, values: Sequence[Evppi]) -> tuple[Information, ...]:
    found = []
    assert analysis.at_thresholds is not None
    for wtp in analysis.model.decision.thresholds:
        own = [each for each in values if each.wtp == wtp]
        at = analysis.at_thresholds.sel({WTP: wtp})
        found.append(
            Information(
                wtp=wtp,
                evpi=float(at.evpi),
                evpi_mcse=float(at.evpi_mcse),
                singles=ranked(each for each in own if len(each.parameters) == 1),
                groups={each.name: each for each in own if len(each.parameters) > 1},
            )
        )
    return tuple(found)


def _notes(table: DrawTable) -> list[str]:
    """What was left out of a file."""
    if table.dropped is None:
        return []
    name = f"'{table.dropped}'" if table.dropped else "without a name"
    return [f"{table.file}: the first column ({name}) numbers the rows and was left out"]


def _check_together(costs: DrawTable, effects: DrawTable) -> None:
    for one, other in ((costs, effects), (effects, costs)):
        for name in one.columns:
            if name not in other.columns:
                raise ModelError(
                    f"strategy '{name}' of {one.file} is not there",
                    where=f"{other.file}:1",
                    mend=nearest(name, other.columns),
                )
    _check_draws(effects, costs)
    if len(costs.columns) < 2:
        raise ModelError(
            f"'{next(iter(costs.columns))}' is the only strategy",
            where=f"{costs.file}:1",
            mend="give two or more to compare",
        )
    if costs.draws < 2:
        raise ModelError("one draw is no sample", where=costs.file, mend="give more draws")


def _check_draws(table: DrawTable, costs: DrawTable) -> None:
    """Refuse a table with another number of draws than the costs."""
    if table.draws != costs.draws:
        raise ModelError(
            f"{table.draws:,} draws, and {costs.draws:,} in {costs.file}",
            where=table.file,
            mend="take all files from the same run, a row for each draw",
        )
