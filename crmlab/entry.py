"""What the catalog says of data: where they lie, what they are, and how to read them."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_serializer, model_validator

from crmlab import uris
from crmlab.contracts import CONTRACTS, Policy, encodings, query

NATURES = {
    "real": "real data",
    "demonstration": "demonstration data, not real",
    "simulated": "simulated data, not real",
    "own": "your own data",
}
# fields that mean something of TRANSACTIONS only
ORDER_FIELDS = ("returns", "zero", "split", "acquired_from", "observed_until")


class Known(Policy):
    """What is known of data, and how to read them, wherever they lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    column_names: ClassVar[frozenset[str]] = frozenset(c.name for kind in CONTRACTS.values() for c in kind.columns)
    about: str = ""  # one sentence
    nature: Literal[tuple(NATURES)] = "own"  # type: ignore[valid-type]
    source: str = ""  # where it comes from, for the report
    split: date | None = None  # default end of calibration
    acquired_from: date | None = None  # customers whose first order is earlier were acquired before the log began
    observed_until: date | None = None  # orders are complete up to this day, which may come after the last order
    observed_from: date | None = None  # contracts that ended from this day on are complete; earlier ones may be missing

    @property
    def unit(self):
        """The currency, as it stands behind an amount."""
        return f" {self.currency}".rstrip()

    @model_validator(mode="after")
    def _of_this_contract(self):
        if self.contract != "transactions" and (
            idle := [name for name in ORDER_FIELDS if name in self.model_fields_set]
        ):
            only = "only of contract = 'transactions'"
            raise ValueError(f"{', '.join(idle)}: {only}, this one is {self.contract!r}; leave out what is not of it")
        if self.missing_ids == "anonymous" and self.contract != "transactions":
            raise ValueError(
                "missing_ids = 'anonymous' is only of contract = 'transactions'; state 'drop', or fill them"
            )
        of_contracts = [name for name in ("observed_from", "tenure_unit") if name in self.model_fields_set]
        if of_contracts and self.contract != "subscriptions":
            only = "only of contract = 'subscriptions'"
            raise ValueError(
                f"{', '.join(of_contracts)}: {only}, this one is {self.contract!r}; leave out what is not of it"
            )
        return self


class Entry(Known):
    """One entry of the catalog: where data lies, what it is, and how to read it."""

    path: str | None = None  # a file, or a folder of files; relative to data/, or to `package`
    package: str | None = None  # an installed package that ships the file
    # a database file, or an engine by its Ibis connection string; ${NAME} from the environment
    uri: str | None = Field(None, repr=False)
    table: str | None = None  # the table or view there, or schema.table
    sql: str | None = None  # or one SELECT over files, whose rows these are
    sources: tuple[str, ...] = ()  # the files that it reads, relative to data/, as it names them
    format: Literal["csv", "parquet", "whitespace"] | None = None  # else by suffix
    sheet: str | None = None  # of a workbook in which several hold something
    member: str | None = None  # of a .zip archive that holds several files
    delimiter: str | None = Field(None, min_length=1, max_length=1)  # else found in the header
    encoding: Annotated[str, AfterValidator(encodings.known)] | None = None  # else found
    header: tuple[str, ...] | None = Field(None, min_length=1)  # names for a file that has no header line
    skip: int = Field(0, ge=0, le=1_000_000)  # lines before the first row or header

    @model_serializer(mode="wrap")
    def _serialize(self, fields, info):
        """The fields, of a URI without its user and options, but for the reader that asks for the `whole`."""
        found = fields(self)
        if found.get("uri") and not (info.context or {}).get("whole"):
            found["uri"] = uris.shown(found["uri"])
        return found

    @model_validator(mode="after")
    def _one_place(self):
        places = [self.path, self.uri, self.sql]
        pairs = (self.uri is None) == (self.table is None) and (self.sql is None) == (not self.sources)
        if self.path and "://" in self.path:
            raise ValueError("path is a URI or an address, not a file; give that of an engine as uri with table")
        if places.count(None) != len(places) - 1 or not pairs:
            either = "give either path, or uri with table, or sql with sources"
            raise ValueError(f"it is to be said once where the data lie; {either}")
        if self.uri and (wrong := uris.faults(self.uri)):
            raise ValueError("\n".join(wrong))
        if self.sql is not None:
            try:
                query.check(self.sql, list(self.sources))
            except ValueError as fault:
                raise ValueError(f"sql: {fault}") from None
        if self.format == "whitespace" and self.header is None:
            raise ValueError("format = 'whitespace' needs header, the names of the columns; add it")
        if self.header and len(set(self.header)) < len(self.header):
            raise ValueError("header names a column more than once; rename all but one")
        return self
