"""Compiled kernels: what is removed when a file of them is damaged."""

from __future__ import annotations

import pickle

import pytest

from qalyst.errors import ModelError
from qalyst.kernels import cache
from qalyst.model.resolve import load_model
from qalyst.simulation import base_case


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    """A cache folder that the user named, with other code in it."""
    place = tmp_path / "numba"
    place.mkdir()
    (place / "other.nbi").write_text("dear")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(place))
    return place


def test_a_cache_folder_of_the_user_is_never_removed(theirs):
    assert not cache.clear()
    assert (theirs / "other.nbi").read_text() == "dear"


def test_our_own_cache_folder_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("QALYST_CACHE", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    cache.use()
    (cache.folder() / "cohort.nbi").write_text("damaged")
    assert cache.clear()
    assert not cache.folder().exists()


def test_damaged_code_in_a_folder_of_the_user_is_told_with_the_folder(theirs, monkeypatch):
    def damaged(*_arguments):
        raise pickle.UnpicklingError("invalid load key")

    monkeypatch.setattr("qalyst.kernels.cohort.run_cohort", damaged)
    with pytest.raises(ModelError) as told:
        base_case(load_model("hiv"))
    for word in ("invalid load key", str(theirs), "empty that folder"):
        assert word in str(told.value)
