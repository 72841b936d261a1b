"""Records of several numbers with one draw: jointly normal, or rows of a file."""

from __future__ import annotations

from collections.abc import Iterator

from qalyst.io.files import inside, read_table
from qalyst.params.parameter import Joint, Parameter
from qalyst.params.record import RecordReader
from qalyst.stats.uncertainty import Fixed


class JointReader(RecordReader):
    """A record with `names:`, each a parameter of its own."""

    def parameters(self) -> Iterator[Parameter]:
        """The parameters of the record, in the order of `names`."""
        names = tuple(self.raw.names or ())
        for key in ("by", "curve"):
            if getattr(self.raw, key) is not None:
                raise self.fault(f"a joint record takes no `{key}:`", "drop it")
        unit = self.unit()
        base = self.raw.value
        joint: Joint | None = None
        if self.kind == "draws":
            joint = self._rows(names)
            assert joint.rows is not None
            columns = list(zip(*joint.rows, strict=True))
            base = {name: sum(c) / len(c) for name, c in zip(names, columns, strict=True)}
        elif self.kind == "normal":
            self.only_keys("covariance")
            paths = tuple((name,) for name in names)
            joint = Joint(self.name, paths, covariance=self.covariance(len(names)))
        elif self.kind != "fixed":
            raise self.fault(
                "a joint record is normal with a covariance, draws from a file, or fixed",
                "write {family: normal, covariance: [[...]]}",
            )
        if not isinstance(base, dict) or set(base) != set(names):
            raise self.fault(f"`value:` of '{self.name}' must give each of its names", "add them")
        fixed = self.read_family(self.family) if joint is None else Fixed(reason="drawn jointly")
        for name in names:
            value = self.number(base[name], name)
            yield self.finish(
                unit, str(self.raw.unit), {(): value}, {(): fixed}, name=name, joint=joint
            )

    def _rows(self, names: tuple[str, ...]) -> Joint:
        self.only_keys("file")
        given = self.family.get("file")
        if not isinstance(given, str) or self.raw.value is not None:
            raise self.fault(
                f"the draws of '{self.name}' need `file:`, and no `value:`",
                "write {family: draws, file: draws.csv}; the value is the mean of the column",
            )
        file = inside(self.folder, given, self.where)
        rows = tuple(
            tuple(self.number(cell, file.name) for cell in row)
            for row in read_table(file, list(names), self.where)
        )
        if not rows:
            raise self.fault(f"{given} holds no draws", "write one row a draw")
        return Joint(self.name, tuple((name,) for name in names), rows=rows)
