"""What a policy computes from columns: rows selected by a condition, and columns that are calculated."""

from typing import Any

import ibis.expr.types as ir

from crmlab.contracts import expressions, numbers
from crmlab.contracts.contract import FILE, OUTLINE, ROW, Column, Rule
from crmlab.contracts.readings import READERS


class Operands:
    """The columns that expressions read as numbers or times: readings beside the raw cells, with the rules on these."""

    def __init__(self, raw: ir.Table, policy: Any, where: str) -> None:
        self.raw, self.policy, self.where = raw, policy, where
        self.columns: dict[str, ir.Value] = {}  # of a typed table
        self.rules: list[Rule] = []
        self.names: dict[str, str] = {}  # what messages call the columns

    def condition(self, text: str, what: str) -> ir.BooleanValue:
        """A condition on the raw table. Raises InputError where it is none."""
        return expressions.condition(text, self.raw, self._number, self._time, f"{self.where}: {what}")

    def calculation(self, text: str, what: str) -> ir.NumericValue:
        """A calculation on the raw table, to nine decimals, as those of floating point are not exact beyond."""
        return expressions.calculation(text, self.raw, self._number, self._time, f"{self.where}: {what}").round(9)

    def _number(self, name):
        return self._read(name, "number")

    def _time(self, name):
        return self._read(name, "time")

    def _read(self, name, kind):
        column = Column(f"crmlab_{kind}_{name}", kind, "", nullable=True)
        if column.name not in self.columns:
            value, rules = READERS[kind](self.raw[name], column, self.policy)
            self.columns |= {column.name: value, f"raw_{column.name}": self.raw[name]}
            if kind == "number" and self.raw[name].type().is_string():
                self.columns[f"{OUTLINE}{column.name}"] = numbers.outline(self.raw[name], self.policy)
            self.rules += rules
            self.names[column.name] = repr(name)
        return self.columns[column.name]


def selected(raw: ir.Table, operands: Operands) -> tuple[ir.Table, ir.Table]:
    """The rows of a raw table that the policy's condition is true of; and all of them, with `kept` and the operands."""
    kept = operands.condition(operands.policy.where, "where")
    stand = [name for name in (FILE, ROW) if name in raw.columns]
    return raw.filter(kept), raw.select(*stand, kept=kept, **operands.columns)
