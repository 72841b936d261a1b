"""Curves of decision uncertainty in plain numpy: every net benefit of every draw at once."""

from types import SimpleNamespace

import numpy as np


def plain_curves(effect, cost, wtp):
    """CEAC, expected loss, EVPI and its standard error; effect and cost [draw, strategy].

    A draw in which strategies are equal is shared among them.
    """
    effect, cost, wtp = (np.asarray(each, dtype=np.float64) for each in (effect, cost, wtp))
    nmb = wtp[:, None, None] * effect - cost  # [wtp, draw, strategy]
    loss = nmb.max(axis=-1, keepdims=True) - nmb
    best = loss == 0
    expected = loss.mean(axis=1)
    least = expected.argmin(axis=1)
    own = np.take_along_axis(loss, least[:, None, None], axis=-1)[..., 0]
    return SimpleNamespace(
        ceac=(best / best.sum(axis=-1, keepdims=True)).mean(axis=1),
        expected_loss=expected,
        optimal=least,
        evpi=expected.min(axis=1),
        evpi_mcse=own.std(axis=1, ddof=1) / np.sqrt(effect.shape[0]),
    )
