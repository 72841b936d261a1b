"""The plain-loop twin of `qalyst.kernels.sojourns`: every cell of every node, one by one.

A cell holds those of a node who are at some residence. In each cycle hazards compete exactly, with
``exp`` and ``expm1``; nothing is shared between nodes but what one sends to the next.
"""

import math

import numpy as np


def through_lines(
    hazards, background, heads, moves, cause_of, onward, parent, key, entered, *, two_events=False
):
    """See `qalyst.kernels.sojourns.through_lines`."""
    draws, nodes = entered.shape
    results = [np.zeros((draws, nodes, weights.shape[1])) for weights in (heads, moves, onward)]
    for draw in range(draws):
        background_, heads_, moves_, onward_ = (
            values[draw if len(values) > 1 else 0] for values in (background, heads, moves, onward)
        )
        _one_draw(
            hazards[draw], background_, heads_, moves_, cause_of, onward_, parent, key,
            entered[draw], two_events, *(found[draw] for found in results),
        )  # fmt: skip
    return tuple(results)


def _one_draw(
    hazards, background, heads, moves, cause_of, onward, parent, key, entered, two,
    time, moved, passed,
):  # fmt: skip
    cycles, nodes = len(background), len(parent)
    has_children = [node in parent for node in range(nodes)]
    occupied = np.zeros((nodes, cycles + 2))  # by residence
    for node in range(nodes):
        if parent[node] < 0:
            occupied[node, 0] = entered[node]

    def leave(count, node, residence, cycle, part):
        """Flow by cause, cycles lived, and who stays, over a part of a cycle."""
        causes = hazards[key[node], :, min(residence, hazards.shape[2] - 1)]
        all_ = part * (causes.sum() + background[cycle])
        lived = part * count * (-math.expm1(-all_) / all_ if all_ else 1.0)
        for row, cause in enumerate(cause_of):
            hazard = 1.0 if cause < 0 else causes[cause]  # the background's is in its weights
            moved[node, row] += moves[row, cycle] * hazard * lived
        return causes * lived, count * math.exp(-all_)

    for cycle in range(cycles):
        following = np.zeros_like(occupied)
        first_moves, second_moves = np.zeros(nodes), np.zeros(nodes)
        for node in range(nodes):  # parents first
            time[node] += heads[:, cycle] * occupied[node].sum()
            for residence in np.flatnonzero(occupied[node]):
                flows, stay = leave(occupied[node, residence], node, residence, cycle, 1.0)
                first_moves[node] += flows[0]
                following[node, residence + 1] += stay
            if parent[node] >= 0:
                arrivals = entered[node] * first_moves[parent[node]]
                following[node, 0] += entered[node] * second_moves[parent[node]]
                if two:
                    flows, stay = leave(arrivals, node, 0, cycle, 0.5)
                    second_moves[node] = flows[0]
                    following[node, :2] += stay / 2
                else:
                    following[node, 0] += arrivals
            if has_children[node]:
                passed[node] += onward[:, cycle] * (first_moves[node] + second_moves[node])
        occupied = following
    for node in range(nodes):
        time[node] += heads[:, cycles] * occupied[node].sum()
