"""What a valid table is, and validation.

A contract is one object, in a file of its own: its columns, the rules that rows keep, what is counted of them and how
that is put in words. To add one, write its file and name it in CONTRACTS. What was validated, code trusts: names, types
and values are as the contract states.
"""

import re
import zoneinfo
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from crmlab.contracts import validation
from crmlab.contracts.contract import FILE, ROW, Column, Contract, Rule, Validated
from crmlab.contracts.customers import CUSTOMERS
from crmlab.contracts.errors import InputError, nearest, suggest
from crmlab.contracts.numbers import MONEY
from crmlab.contracts.products import PRODUCTS
from crmlab.contracts.retention import RETENTION
from crmlab.contracts.series import SERIES
from crmlab.contracts.sizes import WRITE_MEMORY, Memory
from crmlab.contracts.stores import STORES
from crmlab.contracts.subscriptions import SUBSCRIPTIONS
from crmlab.contracts.time_readings import SERIALS
from crmlab.contracts.transactions import TRANSACTIONS
from crmlab.contracts.validation import SHOWN

__all__ = [
    "CONTRACTS",
    "CUSTOMERS",
    "FILE",
    "MONEY",
    "PRODUCTS",
    "RETENTION",
    "ROW",
    "SERIES",
    "SHOWN",
    "STORES",
    "SUBSCRIPTIONS",
    "TRANSACTIONS",
    "Column",
    "Contract",
    "InputError",
    "Policy",
    "Rule",
    "Validated",
    "infer_contract",
    "nearest",
    "suggest",
    "validate",
]

CONTRACTS = {
    contract.kind: contract
    for contract in (TRANSACTIONS, SUBSCRIPTIONS, RETENTION, SERIES, CUSTOMERS, PRODUCTS, STORES)
}
TIME_FORMAT = r"([^%]|%-?[aAbBcdfgGHIjmMnpqSuUVwWxXyYzZ%])+"


def infer_contract(columns):
    """The kind of the contract that a source of these columns, listed nowhere, is held to: the first that fits."""
    inferable = [contract for contract in CONTRACTS.values() if contract.inferable]
    return next((held for held in inferable if held.fits(columns)), TRANSACTIONS).kind


class Policy(BaseModel):
    """How to read a source onto a contract."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    contract: Literal[tuple(CONTRACTS)] = "transactions"  # type: ignore[valid-type]  # what the source holds
    columns: dict[str, str] = {}  # contract name = the name in the source where the two differ, or a calculation
    where: str | None = None  # rows count for which this condition on the source's columns is true
    time_format: str | None = None  # strptime pattern, %q a quarter; excel, excel-1904, unix, unix-ms; None reads ISO
    time_zone: str | None = None  # days are counted on this clock where times carry an offset
    decimal: Literal[".", ","] = "."  # decimal mark of text amounts
    thousands: Literal[".", ",", " ", "'"] | None = None  # mark between thousands of text amounts
    currency: str = ""  # of the amounts, such as USD; signs of currencies have to fit it
    missing_ids: Literal["error", "drop", "anonymous"] = "error"  # what rows without a customer's id are
    ids: Literal["exact", "tidy"] = "exact"  # whether ids written in several ways are one
    returns: Literal["error", "drop", "net"] = "error"  # what negative amounts are
    zero: Literal["order", "drop"] = "order"  # what zero amounts are
    tenure_unit: Literal["day", "month", "year"] = "month"  # of `tenure`, how long a contract has lasted
    memory: Memory | None = Field(None, description=WRITE_MEMORY)  # that the embedded engine may hold
    until: date | None = None  # the last day that counts: of the holdout, or the last one seen of contracts

    @field_validator("columns")
    @classmethod
    def _check_columns(cls, columns, info):
        known = [column.name for column in CONTRACTS[info.data.get("contract", "transactions")].columns]
        if unknown := [name for name in columns if name not in known]:
            advice = suggest(unknown[0], known, "name columns of these")
            named = ", ".join(map(repr, unknown))
            raise ValueError(f"no column {named} in the contract, which has {', '.join(known)}; {advice}")
        return columns

    @field_validator("thousands")
    @classmethod
    def _check_thousands(cls, mark, info):
        if mark is not None and mark == info.data.get("decimal"):
            raise ValueError("decimal is the same mark; state two that differ")
        return mark

    @field_validator("time_format")
    @classmethod
    def _check_time_format(cls, pattern):
        if pattern is None or pattern in SERIALS:
            return pattern
        if not re.fullmatch(TIME_FORMAT, pattern, re.DOTALL):
            raise ValueError("not a strptime pattern; write one such as '%d.%m.%Y'")
        parts = re.findall("%-?.", pattern)
        if ("%q" in parts and sorted({*parts} - {"%%"}) not in (["%Y", "%q"], ["%q", "%y"])) or parts.count("%q") > 1:
            raise ValueError("a quarter stands beside a year and nothing else; write a pattern such as 'Q%q %Y'")
        return pattern

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, zone):
        if zone is not None and zone not in (known := zoneinfo.available_timezones()):
            raise ValueError(f"no such time zone; write it as {nearest(zone, known) or 'Europe/Berlin'!r}")
        return zone


def validate(raw, where, policy=None, faults=()):
    """The valid table behind a raw one, with what was counted in it.

    raw    : lazy table, its columns text or typed; FILE and ROW, where it has them, say where a row stands
    where  : the name of the source, as the user knows it
    policy : how to read it, its contract among that
    faults : breaches found in reading it; rows cannot then be distinguished, and only columns are checked
    Raises InputError with every breach: what, where, how many rows, the first five, what to do.
    """
    policy = policy or Policy()
    return validation.validate(CONTRACTS[policy.contract], raw, where, policy, faults)
