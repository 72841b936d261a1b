"""The user's mistakes: what is wrong, where, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class ModelError(ValueError):
    """A model, a parameter or a request that cannot be used.

    Parameters
    ----------
    what : the mistake, with the value found.
    where : file and line, section and row; or the command-line option.
    mend : what to write instead.
    """

    def __init__(self, what: str, *, where: str, mend: str) -> None:
        self.what, self.where, self.mend = what, where, mend
        super().__init__(f"{what}\n  where: {where}\n  mend:  {mend}")


class ModelErrors(ModelError):
    """All the mistakes of a file together."""

    def __init__(self, errors: list[ModelError]) -> None:
        self.errors = errors
        first = errors[0]
        super().__init__(first.what, where=first.where, mend=first.mend)

    def __str__(self) -> str:
        return "\n\n".join(str(error) for error in self.errors)


class Mistakes:
    """Collects mistakes so that a file's are reported together.

    >>> mistakes = Mistakes()
    >>> with mistakes.caught():
    ...     raise ModelError("no state 'ded'", where="m.yaml:3", mend="did you mean 'dead'?")
    >>> len(mistakes)
    1
    """

    def __init__(self) -> None:
        self._errors: list[ModelError] = []

    def __len__(self) -> int:
        return len(self._errors)

    def add(self, what: str, *, where: str, mend: str) -> None:
        """Note one mistake; the same one is noted once."""
        self._keep(ModelError(what, where=where, mend=mend))

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Note the mistake raised inside, and go on."""
        try:
            yield
        except ModelErrors as several:
            for error in several.errors:
                self._keep(error)
        except ModelError as error:
            self._keep(error)

    def raise_if_any(self) -> None:
        """Raise what was noted: one as itself, several as one."""
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise ModelErrors(self._errors)

    def _keep(self, error: ModelError) -> None:
        if str(error) not in map(str, self._errors):
            self._errors.append(error)


def nearest(word: str, known: Iterable[str]) -> str:
    """How to mend an unknown word: the nearest known one, else the whole list.

    >>> nearest("ded", ["alive", "dead"])
    "did you mean 'dead'?"
    >>> nearest("xyz", ["alive", "dead"])
    "known here: 'alive', 'dead'"
    """
    names = [str(name) for name in known]
    close = difflib.get_close_matches(str(word), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if not names:
        return "none is defined here"
    shown = ", ".join(f"'{name}'" for name in names[:12])
    return f"known here: {shown}" + (", ..." if len(names) > 12 else "")
