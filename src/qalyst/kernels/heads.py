"""Competing risks of a row of heads within a cycle."""

from __future__ import annotations

import numba

from qalyst.kernels.phi import FAR, phi, phi_far
from qalyst.kernels.rows import LANE, TINY, WIDTH, at, copy

# rows of `Scratch.cell`
TOTAL, RATE, P, FLOW, HEADS, Q, HALVED, STAY, HAZARD = range(9)


@numba.njit(**LANE)
def phi_row(z, twice):
    """Row Q = phi(row HAZARD)."""
    q, y, total = at(Q), at(HALVED), at(HAZARD)
    if twice == 0:
        for w in range(WIDTH):
            z[q + w] = phi(z[total + w])
        return
    scale = 0.5**twice
    for w in range(WIDTH):
        z[y + w] = z[total + w] * scale
        z[q + w] = phi(z[y + w])
    for _ in range(twice):
        for w in range(WIDTH):
            z[q + w] = z[q + w] * (1.0 - 0.5 * z[y + w] * z[q + w])
            z[y + w] = z[y + w] * 2.0


@numba.njit(**LANE)
def leave(x, o, z, twice, shares, trace, out):
    """Count the heads in x; row P = heads times phi; who stays is left in x.

    Shares of the cohort too small to matter become 0, here as in bins (denormals are slow).
    """
    total, p, q, hazard = at(TOTAL), at(P), at(Q), at(HAZARD)
    if shares:
        for w in range(WIDTH):
            here = x[o + w]
            trace[out + w] += here
            z[p + w] = here
            stays = here - z[total + w] * here
            x[o + w] = stays if stays > TINY else 0.0
    elif twice == 0:
        for w in range(WIDTH):
            here, h = x[o + w], z[total + w]
            trace[out + w] += here
            left = here * phi(h)
            z[p + w] = left
            stays = here - h * left
            x[o + w] = stays if stays > TINY else 0.0
    elif twice <= FAR:
        for w in range(WIDTH):
            here, h = x[o + w], z[total + w]
            trace[out + w] += here
            left = here * phi_far(h)
            z[p + w] = left
            stays = here - h * left
            x[o + w] = stays if stays > TINY else 0.0
    else:
        copy(z, hazard, z, total)
        phi_row(z, twice)
        for w in range(WIDTH):
            here = x[o + w]
            trace[out + w] += here
            left = here * z[q + w]
            z[p + w] = left
            stays = here - z[total + w] * left
            x[o + w] = stays if stays > TINY else 0.0


def visits(phi):
    """Visit one bin, and four, with hazards within reach of a `phi`."""

    @numba.njit(**LANE)
    def one(x, o, pool, g, z):
        """Risks of a bin with one hazard by time in state; who stays goes one bin on.

        Heads, their flow by that hazard and their heads times phi are added to rows of z.
        """
        total, rate, p, flow, heads = at(TOTAL), at(RATE), at(P), at(FLOW), at(HEADS)
        onward = o + WIDTH
        for w in range(WIDTH):
            here = x[o + w]
            h = z[rate + w] * pool[g + w]
            all_causes = z[total + w] + h
            left = here * phi(all_causes)
            z[p + w] += left
            z[flow + w] += h * left
            z[heads + w] += here
            stays = here - all_causes * left
            x[onward + w] = stays if stays > TINY else 0.0

    @numba.njit(**LANE)
    def four(x, o, pool, g, z):
        """The same of four bins, the lowest of them at `o`: what they share is fetched once."""
        total, rate, p, flow, heads = at(TOTAL), at(RATE), at(P), at(FLOW), at(HEADS)
        o1, o2, o3, o4 = o + at(1), o + at(2), o + at(3), o + at(4)
        g1, g2, g3 = g + at(1), g + at(2), g + at(3)
        for w in range(WIDTH):
            a, u = z[total + w], z[rate + w]
            x0, x1, x2, x3 = x[o + w], x[o1 + w], x[o2 + w], x[o3 + w]
            h0, h1, h2, h3 = u * pool[g + w], u * pool[g1 + w], u * pool[g2 + w], u * pool[g3 + w]
            left0, left1 = x0 * phi(a + h0), x1 * phi(a + h1)
            left2, left3 = x2 * phi(a + h2), x3 * phi(a + h3)
            z[p + w] += (left0 + left1) + (left2 + left3)
            z[flow + w] += (h0 * left0 + h1 * left1) + (h2 * left2 + h3 * left3)
            z[heads + w] += (x0 + x1) + (x2 + x3)
            stay0, stay1 = x0 - (a + h0) * left0, x1 - (a + h1) * left1
            stay2, stay3 = x2 - (a + h2) * left2, x3 - (a + h3) * left3
            x[o1 + w] = stay0 if stay0 > TINY else 0.0
            x[o2 + w] = stay1 if stay1 > TINY else 0.0
            x[o3 + w] = stay2 if stay2 > TINY else 0.0
            x[o4 + w] = stay3 if stay3 > TINY else 0.0

    return one, four


visit, visit_four = visits(phi)
visit_far, visit_four_far = visits(phi_far)
