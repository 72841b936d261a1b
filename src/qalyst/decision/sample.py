"""The error that a fixed sample of patients leaves."""

from __future__ import annotations

import numpy as np
import xarray as xr

from qalyst.axes import PATIENT


def sample_error(values: xr.DataArray) -> xr.DataArray:
    """Standard error of the mean over sampled patients, as if they were drawn independently.

    For a stratified sample this is more than the error, up to a share of 1 / (n - 1): its strata
    take away what is additive in the attributes.

    Parameters
    ----------
    values : [..., patient] mean of each sampled patient; nan for who was not run.

    Examples
    --------
    >>> round(float(sample_error(xr.DataArray([1.0, 2.0, 3.0, 4.0], dims="patient"))), 4)
    0.6455

    References
    ----------
    Stein (1987) Technometrics 29:143-151; Owen (1997) SIAM J Numer Anal 34:1884-1910.
    """
    return values.std(PATIENT, ddof=1) / np.sqrt(values.count(PATIENT))
