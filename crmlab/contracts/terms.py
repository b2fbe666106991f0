"""What an accepted table is: contracts, their columns, and how a source is to be read onto one."""

import difflib
import re
import zoneinfo
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

import ibis.expr.types as ir
from pydantic import BaseModel, ConfigDict, field_validator

FILE, ROW = "crmlab_file", "crmlab_row"  # where a row stands: its file in a folder, its number in the file from 1
TIME_FORMAT = r"([^%]|%-?[aAbBcdfgGHIjmMnpSuUVwWxXyYzZ%])+"
ContractName = Literal["transactions", "subscriptions", "retention", "series", "customers", "products", "stores"]


class InputError(ValueError):
    """What the user gave cannot be used. `breaches` lists everything found wrong, not the first."""

    def __init__(self, *breaches):
        self.breaches = tuple(breaches)
        super().__init__("\n".join(self.breaches))

    def _render_traceback_(self):
        """In a notebook: the breaches, not where in our code they were noticed."""
        return ["InputError:", *(f"  {breach}" for breach in self.breaches)]


class Column(BaseModel):
    """One column of a contract: its name, how it is read, whether its cells may be empty, and what it means."""

    model_config = ConfigDict(frozen=True)
    name: str
    kind: Literal["text", "time", "money", "number", "whole", "yes"]
    required: bool
    meaning: str
    nullable: bool = False


class Contract(BaseModel):
    """The columns of an accepted table; with `attributes`, the source's other columns are kept too."""

    model_config = ConfigDict(frozen=True)
    name: str
    description: str
    columns: tuple[Column, ...]
    attributes: bool = False


def _contract(name, description, *columns, attributes=False):
    """A contract from (name, kind, meaning, what it may lack): "", "cells", or "column", the whole of it."""
    return Contract(
        name=name,
        description=description,
        attributes=attributes,
        columns=tuple(
            Column(name=called, kind=kind, required="column" not in lacks, nullable="cells" in lacks, meaning=meaning)
            for called, kind, meaning, lacks in columns
        ),
    )


TRANSACTIONS = _contract(
    "TRANSACTIONS",
    "orders, a row each or a row a line",
    ("customer_id", "text", "who bought; text, never a number", ""),
    ("time", "time", "when, on the clock of the shop", ""),
    ("amount", "money", "what was paid; a return is negative", ""),
    ("order_id", "text", "which order the row belongs to", "column or cells"),
    ("product_id", "text", "what was bought", "column or cells"),
    ("category", "text", "the kind of product", "column or cells"),
    ("store_id", "text", "where", "column or cells"),
    ("quantity", "number", "how many", "column or cells"),
)
SUBSCRIPTIONS = _contract(
    "SUBSCRIPTIONS",
    "contracts of customers, from their start to their end",
    ("customer_id", "text", "whose contract it is; text, never a number", ""),
    ("start", "time", "first day of the contract", ""),
    ("end", "time", "the day it was ended; empty while it runs", "cells"),
    ("group", "text", "what customers are compared by", "column"),
)
RETENTION = _contract(
    "RETENTION",
    "customers left of a group, period by period",
    ("group", "text", "whose customers they are", "column"),
    ("period", "whole", "periods since all began, from 0", ""),
    ("customers", "whole", "how many are left", ""),
)
SERIES = _contract(
    "SERIES",
    "sales, period by period",
    ("time", "time", "the period: a day in it, the same in each", ""),
    ("sales", "number", "what was sold in it", ""),
    ("category", "text", "of which kind of product", "column"),
)
CUSTOMERS = _contract(
    "CUSTOMERS",
    "what is known of each customer",
    ("customer_id", "text", "who; text, never a number", ""),
    ("reachable", "yes", "whether the customer may be written to: yes or no", "column or cells"),
    attributes=True,
)
PRODUCTS = _contract(
    "PRODUCTS",
    "what is known of each product",
    ("product_id", "text", "which product", ""),
    ("category", "text", "the kind of product", "column or cells"),
    ("brand", "text", "whose mark it bears", "column or cells"),
    ("own_label", "yes", "whether that is the shop's own: yes or no", "column or cells"),
    attributes=True,
)
STORES = _contract(
    "STORES",
    "what is known of each store",
    ("store_id", "text", "which store", ""),
    attributes=True,
)
CONTRACTS = dict(
    zip(
        get_args(ContractName),
        (TRANSACTIONS, SUBSCRIPTIONS, RETENTION, SERIES, CUSTOMERS, PRODUCTS, STORES),
        strict=True,
    )
)
INFERABLE = ("transactions", "subscriptions", "retention", "series")  # told by the names of their columns


def infer_contract(columns):
    """The contract that a source of these columns, listed nowhere, is held to: the first whose columns are there."""
    fits = (held for held in INFERABLE if all(c.name in columns for c in CONTRACTS[held].columns if c.required))
    return next(fits, "transactions")


class Policy(BaseModel):
    """How to read a source onto a contract."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    contract: ContractName = "transactions"  # what the source holds
    columns: dict[str, str] = {}  # contract name = the name in the source, where the two differ
    time_format: str | None = None  # strptime pattern of text times; None reads ISO text
    time_zone: str | None = None  # days are counted on this clock where times carry an offset
    decimal: Literal[".", ","] = "."  # decimal mark of text amounts
    returns: Literal["error", "drop", "net"] = "error"  # what negative amounts are
    zero: Literal["order", "drop"] = "order"  # what zero amounts are
    until: date | None = None  # the last day that counts: of the holdout, or the last one seen of contracts

    @field_validator("columns")
    @classmethod
    def _check_columns(cls, columns, info):
        known = [column.name for column in CONTRACTS[info.data.get("contract", "transactions")].columns]
        if unknown := [name for name in columns if name not in known]:
            raise ValueError(f"no column {', '.join(map(repr, unknown))} in the contract, which has {', '.join(known)}")
        return columns

    @field_validator("time_format")
    @classmethod
    def _check_time_format(cls, pattern):
        if pattern is not None and not re.fullmatch(TIME_FORMAT, pattern, re.DOTALL):
            raise ValueError("not a strptime pattern; write one such as '%d.%m.%Y'")
        return pattern

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, zone):
        if zone is not None and zone not in (known := zoneinfo.available_timezones()):
            near = difflib.get_close_matches(zone, known, n=1) or ["Europe/Berlin"]
            raise ValueError(f"no such time zone; write it as {near[0]!r}")
        return zone


@dataclass(frozen=True)
class Validated:
    """A table past the door.

    table  : lazy; the contract's columns. Those of TRANSACTIONS with `amount` as DECIMAL(18, 4), and `order_day`, the
             day of the order that a row belongs to: its own, or for a return that of the order it offsets, null
             without one
    counts : what the door counted, by name
    """

    table: ir.Table
    counts: dict = field(hash=False)
