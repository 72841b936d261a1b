"""Three workloads in plain numpy, batched over draws: what one would write without a compiler.

Every function takes `drawn`, parameter -> [draw], and `Static`, and gives [strategy, row, draw]
quantities; rows 2 i and 2 i + 1 are cell i of `cells.py`, discounted and undiscounted.
"""

from __future__ import annotations

import numpy as np

from cells import SEQUENCES, Drawn, Float, course, course_cells
from specialised import BINS, EPOCHS, Static


def _weights(static: Static) -> tuple[Float, Float, Float]:
    """Discounted and plain years [cycle + 1] of heads, half-cycle corrected; factors of moves."""
    plain = np.full(len(static.discount), static.cycle)
    plain[[0, -1]] /= 2
    moves = np.sqrt(static.discount[:-1] * static.discount[1:])
    return plain * static.discount, plain, moves


def _shares(hazard: Float) -> Float:
    """(1 - exp(-H)) / H."""
    return -np.expm1(-hazard) / hazard


def sick_sicker(drawn: Drawn, static: Static) -> Float:
    """Quantities of `sick_sicker_psa` [strategy, row, draw]."""
    p, ones = drawn, np.ones_like(drawn["hr_worsen_b"])
    worsen = np.stack([ones, ones, p["hr_worsen_b"], p["hr_worsen_b"]]) * p["r_worsen"]
    u_sick = np.stack([p["u_sick"], p["u_sick_treated"]] * 2)
    discounted, plain, moves = _weights(static)
    occupancy = np.zeros((3, *worsen.shape))
    occupancy[0] = 1
    years, falls, deaths = np.zeros((3, 2, *worsen.shape)), np.zeros((2, *worsen.shape)), 0.0
    for t, death in enumerate(static.death):
        years[:, 0] += discounted[t] * occupancy
        years[:, 1] += plain[t] * occupancy
        healthy, sick, sicker = occupancy
        dies, dies_sicker = p["hr_death_sick"] * death, p["hr_death_sicker"] * death
        all_1, all_2 = p["r_sicken"] + death, p["r_recover"] + worsen + dies
        left_1, left_2 = healthy * _shares(all_1), sick * _shares(all_2)
        left_3 = sicker * _shares(dies_sicker)
        ill, well, worse = p["r_sicken"] * left_1, p["r_recover"] * left_2, worsen * left_2
        dead = death * left_1 + dies * left_2 + dies_sicker * left_3
        both = np.array([moves[t], 1.0])[:, None, None]
        falls += both * ill
        deaths = deaths + both * dead
        occupancy = np.stack(
            [
                healthy - all_1 * left_1 + well,
                sick - all_2 * left_2 + ill,
                sicker - dies_sicker * left_3 + worse,
            ]
        )
    years[:, 0] += discounted[-1] * occupancy
    years[:, 1] += plain[-1] * occupancy
    utility = [p["u_healthy"], u_sick, p["u_sicker"]]
    cells = []
    for state in range(3):
        alive = np.stack([years[state, 1]] * 2)
        cells += [years[state], years[state] * utility[state], alive]
    cells += [falls, -falls * p["du_fall_ill"], deaths]
    return np.concatenate(cells).transpose(1, 0, 2)


def nelm_memoryless(drawn: Drawn, static: Static) -> Float:
    """Quantities of `nelm_memoryless` [strategy, row, draw]."""
    p, d, cycles = drawn, static.cycle, len(static.death)
    ratio = np.stack([p["hr_surgical"], p["hr_arterial"], np.ones_like(p["hr_surgical"])])
    times = np.arange(cycles + 1)[:, None] * d
    first, second = (
        np.diff((times / p[f"{curve}.scale"]) ** p[f"{curve}.shape"], axis=0)
        for curve in ("pfs_first", "pfs_second")
    )
    states = ("first", "second", "third", "fourth", "supportive")
    discounted, plain, moves = _weights(static)
    lost = p["du_per_year"][0] * np.arange(cycles) * d  # by cycle; halves where cycles meet
    lost = (np.append(lost, 0) + np.insert(lost, 0, 0)) / 2 * d
    occupancy = [np.ones_like(ratio)] + [np.zeros_like(ratio) for _ in range(4)]
    years, aged = np.zeros((5, 2, *ratio.shape)), np.zeros((5, 2, *ratio.shape))
    moved = np.zeros((4, 2, *ratio.shape))
    for t in range(cycles + 1):
        for state, here in enumerate(occupancy):
            years[state, 0] += discounted[t] * here
            years[state, 1] += plain[t] * here
            aged[state, 0] += lost[t] * static.discount[t] * here
            aged[state, 1] += lost[t] * here
        if t == cycles:
            break
        progress = [
            ratio * first[t],
            ratio * second[t],
            p["r_progress_third"] * d,
            p["r_progress_fourth"] * d,
            np.zeros(1),
        ]
        arrived = np.zeros(1)
        for state, name in enumerate(states):
            hazard = progress[state] + (p[f"r_die_{name}"] + static.death[t]) * d
            left = occupancy[state] * _shares(hazard)
            occupancy[state] = occupancy[state] - hazard * left + arrived
            if state < 4:
                arrived = progress[state] * left
                moved[state, 0] += moves[t] * arrived
                moved[state, 1] += arrived
    cells = []
    for state, name in enumerate(states):
        alive = np.stack([years[state, 1]] * 2)
        cells += [years[state], years[state] * p[f"u_{name}"], -aged[state], alive]
    return np.concatenate([*cells, *moved]).transpose(1, 0, 2)


def _falls(drawn: Drawn, treatment: str, cycle: float) -> Float:
    """Falls of the log survival of a treatment's curve by time in state [bin, draw]."""
    times = np.arange(BINS + 1)[:, None] * cycle
    if treatment == "resection":
        cured = drawn["p_cured"]
        logs = np.log(cured + (1 - cured) * np.exp(-drawn["r_recur_uncured"] * times))
    else:
        median = drawn[f"median_pfs_{treatment}"]
        logs = -np.log(2) * (times / median) ** drawn["shape_pfs"]
    return -np.diff(logs, axis=0)


def nelm(drawn: Drawn, static: Static) -> Float:
    """Quantities of `nelm_one_profile` [strategy, row, draw]."""
    d, cycles, draws = static.cycle, len(static.death), len(drawn["p_cured"])
    discounted, plain, moves = _weights(static)
    sums = np.zeros((len(SEQUENCES), 34, draws))
    for strategy, sequence in enumerate(SEQUENCES.values()):
        lines = course(drawn, sequence)
        falls = [_falls(drawn, line.treatment, d) * line.progress for line in lines[:3]]
        falls.append(np.zeros((1, draws)))
        years = sums[strategy, :24].reshape(4, 3, 2, draws)
        entries = sums[strategy, 26:32].reshape(3, 2, draws)
        occupancy = [np.zeros((len(by_time), draws)) for by_time in falls]
        occupancy[0][0] = 1 - lines[0].p_death
        for t in range(cycles + 1):
            heads = [here.sum(axis=0) for here in occupancy]
            epoch = sum(t > turn for turn in EPOCHS)
            share = 0.5 if t in EPOCHS else 1.0
            for line in range(4):
                for which, weight in enumerate((discounted[t], plain[t])):
                    years[line, epoch, which] += share * weight * heads[line]
                    if t in EPOCHS:
                        years[line, epoch + 1, which] += share * weight * heads[line]
            if t == cycles:
                break
            if t > 0 and t % 6 == 0:
                scanned = heads[0] + heads[1] + heads[2]
                sums[strategy, 24] += static.discount[t] * scanned
                sums[strategy, 25] += scanned
            arrived = np.zeros(draws)
            for line in range(4):
                reached = min(t + 1, len(falls[line]))
                here, by_time = occupancy[line][:reached], falls[line][:reached]
                die = lines[line].die * d
                hazard = by_time + (die + static.death[t] * d)
                left = here * _shares(hazard)
                stays = here - hazard * left
                gone = (by_time * left).sum(axis=0)
                dead = die * left.sum(axis=0)
                sums[strategy, 32] += moves[t] * dead
                sums[strategy, 33] += dead
                last = len(falls[line]) - 1
                occupancy[line][1 : reached + 1] = stays[: min(reached, last)]
                if reached > last and last > 0:
                    occupancy[line][last] += stays[last]
                occupancy[line][0] = arrived + (stays[0] if last == 0 else 0.0)
                if line < 3:
                    entries[line, 0] += moves[t] * gone
                    entries[line, 1] += gone
                    arrived = gone * (1 - lines[line + 1].p_death)
    return course_cells(drawn, sums)
