"""What the hand-written kernels of the workloads share: their cells, and NELM's courses.

A cell is what the product calls one: a payoff row in a state at one price.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float: TypeAlias = NDArray[np.float64]
Drawn: TypeAlias = Mapping[str, Float]  # parameter (or curve.parameter) -> [draw]
Cell: TypeAlias = tuple[str, str, str, str]  # outcome, row, state, price


def _by_state(rows: list[tuple[str, str, str]], states: list[str]) -> list[Cell]:
    return [
        (outcome, row, state, price.format(state))
        for state in states
        for outcome, row, price in rows
    ]


SICK_SICKER: list[Cell] = [
    *_by_state(
        [("costs", "care", "c_{}"), ("qalys", "health", "1"), ("life_years", "alive", "1")],
        ["healthy", "sick", "sicker"],
    ),
    ("costs", "onset", "healthy", "c_fall_ill"),
    ("qalys", "onset", "healthy", "1"),
    ("costs", "dying", "dead", "c_dying"),
]
NELM_MEMORYLESS: list[Cell] = [
    *_by_state(
        [
            ("costs", "care", "c_{}"),
            ("qalys", "health", "1"),
            ("qalys", "ageing", "1"),
            ("life_years", "alive", "1"),
        ],
        ["first", "second", "third", "fourth", "supportive"],
    ),
    ("costs", "second_line", "first", "c_start_second"),
    ("costs", "third_line", "second", "c_start_third"),
    ("costs", "fourth_line", "third", "c_start_fourth"),
    ("costs", "last_line", "fourth", "c_start_supportive"),
]
_KEPT = "p_keep_ssa * c_octreotide"
_EVEROLIMUS = "p_keep_ssa * c_octreotide + c_everolimus"
_START = {
    "resection": "c_resection",
    "embolisation": "n_sessions * c_embolisation",
    "prrt": "c_prrt",
}
_YEAR = {
    "embolisation": _KEPT,
    "octreotide": "c_octreotide",
    "prrt": _KEPT,
    "everolimus": _EVEROLIMUS,
    "supportive": "c_supportive",
}
NELM: list[Cell] = [
    ("costs", "surveillance", "controlled", "c_imaging"),
    ("costs", "care", "controlled", "c_care"),
    ("qalys", "health", "controlled", "1"),
    ("life_years", "alive", "controlled", "1"),
    ("symptom_free_months", "controlled", "controlled", "1"),
    ("costs", "dying", "controlled", "c_dying"),
    ("qalys", "procedure", "procedure", "1"),
    *(("costs", "drugs", "controlled", price) for price in dict.fromkeys(_YEAR.values())),
    *(("costs", "procedure", "procedure", price) for price in _START.values()),
    *(("costs", "complication", "procedure", price) for price in ("c_harm", "c_harm_drug")),
]
AGES = (55.0, 65.0, 75.0)  # steps of the population norm that people of 57 come to


class Line(NamedTuple):
    """One line of therapy of NELM in one strategy; numbers are [draw].

    Attributes
    ----------
    treatment : its name.
    progress : what multiplies the hazard of its curve.
    die : death rate by disease, 1/year.
    p_death, n_harm, loss : of the start of the treatment.
    harm_price : of a complication.
    relief, health : while it goes on.
    """

    treatment: str
    progress: Float
    die: Float
    p_death: Float
    n_harm: Float
    loss: Float
    harm_price: str
    relief: Float
    health: Float


def course(drawn: Drawn, sequence: list[str]) -> list[Line]:
    """Lines of a sequence for a man with symptoms and without a feature that worsens prognosis."""
    p = drawn
    mean_1 = (1 + (1 - p["p_symptomatic"]) * (p["hr_asymptomatic"] - 1)) * (
        1 + p["p_synchronous"] * (p["hr_synchronous"] - 1)
    )
    mean_2 = (
        (1 + p["p_over_25"] * (p["hr_over_25"] - 1))
        * (1 + p["p_g2"] * (p["hr_g2"] - 1))
        * (1 + p["p_extrahepatic"] * (p["hr_extrahepatic"] - 1))
    )
    disease = 1 / (mean_1 * mean_2)
    resected = sequence[0] == "resection"
    series = p["hr_resected"] if resected else p["hr_equal"] ** p["bias_share"]
    nothing = np.zeros_like(disease)
    lines = []
    for number, treatment in enumerate(sequence):
        surgical = treatment == "resection"
        selected = disease if surgical else disease * series
        later = 1.0 if surgical else p["hr_per_treatment"] ** min(number, 2)
        sessions = p["n_sessions"]
        die = {"resection": "resected", "supportive": "supportive"}.get(treatment, "controlled")
        p_death = {
            "resection": p["p_death_resection"],
            "embolisation": 1 - (1 - p["p_death_embolisation"]) ** sessions,
        }
        n_harm = {
            "resection": p["p_harm_resection"],
            "embolisation": sessions * p["p_harm_embolisation"],
            "prrt": p["p_harm_prrt"],
            "everolimus": p["p_harm_everolimus"],
        }
        loss = {
            "resection": p["loss_resection"],
            "embolisation": sessions * p["loss_embolisation"],
        }
        relief = {
            "resection": p["relief_surgery"],
            "embolisation": p["relief_embolisation"],
            "octreotide": p["relief_ssa"],
            "prrt": p["relief_prrt"],
        }
        lines.append(
            Line(
                treatment,
                progress=selected * later,
                die=selected * p[f"r_die_{die}"],
                p_death=p_death.get(treatment, nothing),
                n_harm=n_harm.get(treatment, nothing),
                loss=loss.get(treatment, nothing),
                harm_price="c_harm" if treatment in loss else "c_harm_drug",
                relief=relief.get(treatment, p["relief_other"]),
                health=p["f_supportive" if treatment == "supportive" else "f_controlled"],
            )
        )
    return lines


SEQUENCES = {
    "resection_first": ["resection", "embolisation", "prrt", "supportive"],
    "arterial_first": ["embolisation", "prrt", "everolimus", "supportive"],
    "systemic_first": ["octreotide", "prrt", "everolimus", "supportive"],
}


def course_cells(drawn: Drawn, sums: Float) -> Float:
    """Quantities of NELM [strategy, row, draw] from what its courses add up to.

    Parameters
    ----------
    drawn : parameters.
    sums : [strategy, sum, draw]; of each line and epoch of the norm the years in it, then the
        scans, the entries of the lines after the first, and the deaths of disease: each
        discounted and undiscounted.
    """
    draws = sums.shape[2]
    out = np.zeros((len(SEQUENCES), len(NELM), 2, draws))
    at = {cell: number for number, cell in enumerate(NELM)}
    norms = [drawn[f"u_norm.{age:g}"] for age in AGES]
    for number, sequence in enumerate(SEQUENCES.values()):
        years = sums[number, :24].reshape(4, 3, 2, draws)
        entries = sums[number, 26:32].reshape(3, 2, draws)
        cells = out[number]
        cells[at["costs", "surveillance", "controlled", "c_imaging"]] = sums[number, 24:26]
        cells[at["costs", "dying", "controlled", "c_dying"]] = sums[number, 32:34]
        for line, here in enumerate(course(drawn, sequence)):
            total = years[line].sum(axis=0)
            entered = np.ones((2, draws)) if line == 0 else entries[line - 1]
            health = here.health * (1 - drawn["loss_symptoms"] * (1 - here.relief))
            quality = sum(norm * years[line, epoch] for epoch, norm in enumerate(norms))
            cells[at["qalys", "health", "controlled", "1"]] += health * quality
            cells[at["costs", "care", "controlled", "c_care"]] += total
            cells[at["life_years", "alive", "controlled", "1"]] += total[1]
            if line < 3:
                months = 12 * total[1] * here.relief
                cells[at["symptom_free_months", "controlled", "controlled", "1"]] += months
            if here.treatment in _YEAR:
                cells[at["costs", "drugs", "controlled", _YEAR[here.treatment]]] += total
            if here.treatment in _START:
                start = at["costs", "procedure", "procedure", _START[here.treatment]]
                cells[start] += entered
            harm = at["costs", "complication", "procedure", here.harm_price]
            cells[harm] += entered * here.n_harm
            lost = here.loss + here.n_harm * drawn["loss_harm"]
            cells[at["qalys", "procedure", "procedure", "1"]] -= lost * entered
    return out.reshape(len(SEQUENCES), -1, draws)
