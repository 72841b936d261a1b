"""Where models and parameters are found, tables are read, and results are written whole."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qalyst.errors import ModelError, nearest

MAX_TABLE_BYTES = 50_000_000
SYSTEM_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")  # left by file browsers


def catalogue() -> Path:
    """The folder that holds the `models` and `params` that come with qalyst."""
    inside = Path(__file__).resolve().parents[1] / "catalogue"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3]


def catalogue_models() -> list[Path]:
    """The model files of the catalogue, by name."""
    return sorted((catalogue() / "models").glob("*.yaml"))


def guideline_files() -> dict[str, Path]:
    """Presets of guidelines by name: those beside you, then those of the catalogue."""
    places = (catalogue() / "params" / "guidelines", Path("params") / "guidelines")
    return {path.stem: path for place in places for path in sorted(place.glob("*.yaml"))}


def find_model(name: str) -> Path:
    """The file of a model given by path, or by name: beside you first, then in the catalogue.

    Raises
    ------
    ModelError
        There is no such file.
    """
    given = Path(name)
    if given.suffix in (".yaml", ".yml") or len(given.parts) > 1:
        if given.is_file():
            return given
        file = f"{given.stem}.yaml"
        near = [given.with_name(file), given.parent / "models" / file]
        meant = next((f"did you mean '{path}'?" for path in near if path.is_file()), "")
        raise ModelError(
            f"no model file '{name}'", where="command line", mend=meant or "check the path"
        )
    places = [Path("models"), Path("."), catalogue() / "models"]
    for place in places:
        if (place / f"{name}.yaml").is_file():
            return place / f"{name}.yaml"
    names = {path.stem for place in places[::2] for path in place.glob("*.yaml")}
    raise ModelError(
        f"no model '{name}'",
        where="command line",
        mend=f"{nearest(name, sorted(names))} (`qalyst list` names them all)",
    )


def find_parameters(name: str, model: Path, where: str) -> Path:
    """The parameter file of a model: in its folder's `params`, beside it, or in the catalogue.

    Raises
    ------
    ModelError
        There is no such file, or the name is a path.
    """
    return _find(name, model, where, "", "yaml", "parameter file")


def find_table_of_people(name: str, where: str) -> Path:
    """A parameter file by its name alone: in `params` beside you, or in the catalogue.

    Raises
    ------
    ModelError
        There is no such file, or the name is a path.
    """
    return _find(name, Path.cwd() / "model", where, "", "yaml", "parameter file")


def find_targets(name: str, model: Path, where: str) -> Path:
    """The table of published survival of a model, in the folder `targets` of its parameters.

    Raises
    ------
    ModelError
        There is no such file, or the name is a path.
    """
    return _find(name, model, where, "targets", "csv", "table of targets")


def _find(name: str, model: Path, where: str, below: str, ending: str, what: str) -> Path:
    if not name.replace("_", "").isalnum():
        raise ModelError(
            f"'{name}' is not the name of a {what}",
            where=where,
            mend="name a file of the params folder, without folder and ending",
        )
    folder = model.resolve().parent
    above = [folder / "params", folder.parent / "params", catalogue() / "params"]
    places = [place / below for place in above]
    for place in places:
        if (place / f"{name}.{ending}").is_file():
            return place / f"{name}.{ending}"
    names = {path.stem for place in places for path in place.glob(f"*.{ending}")}
    raise ModelError(f"no {what} '{name}.{ending}'", where=where, mend=nearest(name, sorted(names)))


def inside(folder: Path, name: str, where: str) -> Path:
    """A file named in a record, which must lie under the folder of the parameters.

    Raises
    ------
    ModelError
        The name leads out of the folder, or there is no such file.
    """
    if "\0" in name:
        raise ModelError("the name of a file holds a null", where=where, mend="write its name")
    path = (folder / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(folder.resolve()):
        raise ModelError(
            f"'{name}' lies outside the parameter folder",
            where=where,
            mend="put the file under the folder of the parameter file",
        )
    if not path.is_file():
        raise ModelError(f"no file '{name}'", where=where, mend=f"put it into {folder.name}/")
    return path


def read_table(
    path: Path, columns: list[str], where: str, *, optional: Sequence[str] = ()
) -> list[list[str | float]]:
    """Rows of a CSV table: the wanted columns, numbers as numbers.

    Parameters
    ----------
    path, columns : the file, and the columns in the order wanted.
    where : what names the file, for messages.
    optional : those of the columns whose cells may be empty; such a cell is ''.

    Raises
    ------
    ModelError
        A missing column, an empty cell, a number that is not finite, or a file that is no CSV
        table in UTF-8.
    """
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise ModelError(f"the table {path.name} is too large", where=where, mend="shorten it")
    try:
        return _rows(path, columns, where, optional)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ModelError(
            f"{path.name} is no CSV table in UTF-8 ({error})",
            where=where,
            mend="save it as CSV, UTF-8, separated by commas",
        ) from error


def _rows(
    path: Path, columns: list[str], where: str, optional: Sequence[str]
) -> list[list[str | float]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or [])]
        if missing:
            raise ModelError(
                f"{path.name} has no column '{missing[0]}'",
                where=where,
                mend=nearest(missing[0], reader.fieldnames or []),
            )
        return [
            [
                ""
                if name in optional and not (row[name] or "").strip()
                else _number_or_word(row[name], f"{path.name}:{line}", name)
                for name in columns
            ]
            for line, row in enumerate(reader, start=2)
        ]


def _number_or_word(text: str | None, where: str, column: str) -> str | float:
    word = (text or "").strip()
    try:
        number = float(word)
    except ValueError:
        number = None
    if not word or (number is not None and not math.isfinite(number)):
        raise ModelError(
            f"the cell '{column}' holds '{word}'", where=where, mend="write a finite number"
        )
    return word if number is None else number


def names_in(folder: Path, files: Iterable[Path]) -> list[str]:
    """Names of files inside a folder, in alphabetical order, with "/" between folders."""
    return sorted(path.relative_to(folder).as_posix() for path in files)


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of `folder` when the block ends well.

    What stood there before is replaced as a whole; when the block fails nothing changes.
    Only a folder of results is replaced: one that holds what its `provenance.json` lists, or
    nothing.

    Raises
    ------
    ModelError
        The place cannot be written, is not a folder of results, or holds other files as well.
    """
    place = folder.resolve()
    _refuse_what_no_run_wrote(place, folder)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield work
        work.chmod(0o755)
        _refuse_what_no_run_wrote(place, folder)  # a run takes minutes: somebody may have saved
        try:
            _take_place(work, place)
        except OSError as error:
            raise _unwritable(folder, error) from error
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _unwritable(folder: Path, error: OSError) -> ModelError:
    return ModelError(
        f"'{folder}' cannot be written ({error.strerror})",
        where="--out",
        mend="choose a folder that you may write",
    )


def _take_place(work: Path, place: Path) -> None:
    """Move a folder to its place; what stands there goes only if that succeeds."""
    if not place.exists():
        os.replace(work, place)
        return
    with tempfile.TemporaryDirectory(prefix=f".{place.name}-old-", dir=place.parent) as aside:
        old = Path(aside) / "old"
        os.replace(place, old)
        try:
            os.replace(work, place)
        except BaseException:
            os.replace(old, place)
            raise


def _refuse_what_no_run_wrote(place: Path, shown: Path) -> None:
    """Stop before a file of the user would be replaced together with a run's."""
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return
    written = _written(place)
    if not written:
        raise ModelError(
            f"'{shown}' exists and is no folder of results",
            where="--out",
            mend="name a new folder, or an older run's",
        )
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        is_file = path.is_symlink() or not path.is_dir()
        if is_file and name not in written and path.name not in SYSTEM_FILES:
            raise ModelError(
                f"'{shown}' holds '{name}', which no run wrote and a new run would delete",
                where="--out",
                mend="move it elsewhere, or name a new folder",
            )


def _written(place: Path) -> set[str]:
    """Names of the files that a run wrote into a folder; none if it is no folder of results."""
    record = place / "provenance.json"
    try:
        outputs = json.loads(record.read_text(encoding="utf-8"))["outputs"]
        return {record.name, *outputs}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
