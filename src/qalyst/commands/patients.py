"""What `qalyst patients` does: follow patients one by one, and write a folder of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qalyst.errors import ModelError
from qalyst.histories import follow_patients
from qalyst.io.files import names_in, written_whole
from qalyst.model.resolved import ResolvedModel
from qalyst.report.patients_report import patients_data, table_format, write_patients
from qalyst.report.stories import story

FIRST_STORIES = 3


def run_patients(
    model: ResolvedModel,
    *,
    patients: int,
    seed: int,
    stories: Sequence[int],
    form: str | None,
    folder: Path,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Follow patients at base-case values and write what happened to them.

    Parameters
    ----------
    model : the resolved model.
    patients, seed : see `follow_patients`.
    stories : numbers of the patients whose courses are told; none: the first three.
    form : of the tables of single patients, parquet or csv; None for parquet if it can be written.
    folder : takes the results, whole or not at all.
    settings : what was asked for, as it was written, for the provenance.

    Raises
    ------
    ModelError
        A model or a request that cannot be followed.

    Returns
    -------
    found
        The plain data that `docs/json.md` describes.
    """
    form = table_format(form)
    if patients >= 1:
        _check_stories(stories, patients)
    histories = follow_patients(model, patients=patients, seed=seed)
    asked = stories or range(min(FIRST_STORIES, patients))
    told = {number: story(histories, number) for number in asked}
    with written_whole(folder) as work:
        files = write_patients(histories, work, form=form, stories=told, command=settings)
        names = names_in(work, files)
    return {**patients_data(histories, told), "format": form, "folder": str(folder), "files": names}


def _check_stories(stories: Sequence[int], patients: int) -> None:
    beyond = next((number for number in stories if not 0 <= number < patients), None)
    if beyond is not None:
        raise ModelError(
            f"there is no patient {beyond} among {patients:,}",
            where=f"command line  --story {beyond}",
            mend=f"name one from 0 to {patients - 1}, or ask for more --patients",
        )
