"""What a notebook concludes, and how a notebook shows its tables."""

import hashlib
import hmac
import html
import math
import numbers
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

FIRST_ROWS = 5
LONG = 60  # characters, beyond which a cell is prose


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval.

    interval : "confidence", of an expectation, or "predictive", of what will be seen
    """

    value: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    interval: Literal["confidence", "predictive"] = "confidence"

    def __str__(self):
        unit = f" {self.unit}" if self.unit else ""
        if self.low is None:
            return f"{number(self.value)}{unit}"
        return f"{number(self.value)}{unit} ({self.interval} {number(self.low)} to {number(self.high)})"


@dataclass(frozen=True)
class Verdict:
    """A claim that the data were asked about: whether it passed, on what evidence, and what to use where it failed."""

    claim: str
    passed: bool
    evidence: str
    instead: str = ""

    def __str__(self):
        return f"[{'passed' if self.passed else 'FAILED'}] {self.claim}: {self.told}"

    @property
    def told(self):
        """The evidence, and where the claim failed what to use."""
        return self.evidence if self.passed or not self.instead else f"{self.evidence}; use {self.instead}"


@dataclass(frozen=True)
class Result:
    """What a notebook concludes; the last thing it shows.

    facts    : name -> number or Estimate, the most important first; no NaN, no infinity
    tables   : file stem -> frame, or Ibis table that its engine writes; a stem under "private/" may name customers
    verdicts : Verdicts
    notes    : sentences on what was assumed
    Shown in a run, it hands facts and verdicts to the runner at full precision and writes its tables to
    `$CRMLAB_STAGING/tables`; anywhere else it writes nothing.
    """

    title: str
    facts: dict
    tables: dict = field(default_factory=dict)
    verdicts: tuple = ()
    notes: tuple = ()

    def __post_init__(self):
        estimates = {name: f if isinstance(f, Estimate) else Estimate(_plain(f)) for name, f in self.facts.items()}
        wrong = [n for n, e in estimates.items() if e.value is None or not all(map(_finite, (e.value, e.low, e.high)))]
        if wrong:
            raise ValueError(f"facts must be finite numbers: {', '.join(map(repr, wrong))} of {self.title!r} are not")
        object.__setattr__(self, "facts", estimates)

    def as_dict(self):
        """Title, facts, verdicts, notes and names of tables, as JSON can hold them."""
        return {
            "title": self.title,
            # a list, as notebook files sort the keys of objects, and the first facts are the headline
            "facts": [{"name": n} | {k: _plain(v) for k, v in asdict(e).items()} for n, e in self.facts.items()],
            "verdicts": [{k: _plain(v) for k, v in asdict(verdict).items()} for verdict in self.verdicts],
            "notes": list(self.notes),
            "tables": list(self.tables),
        }

    def _repr_mimebundle_(self, include=None, exclude=None):
        if staging := os.environ.get("CRMLAB_STAGING"):
            for stem, table in self.tables.items():
                write_table(table, Path(staging) / "tables" / f"{stem}.csv")
        return {"text/plain": self._text(), "text/html": self._html()}, {"crmlab": self.as_dict()}

    def _text(self):
        lines = [self.title, ""]
        lines += [f"{words(name)}: {fact}" for name, fact in self.facts.items()]
        lines += map(str, self.verdicts)
        return "\n".join([*lines, *self.notes])

    def _html(self):
        e = html.escape
        facts = "".join(f"<tr><th>{e(words(n))}</th><td>{e(str(f))}</td></tr>" for n, f in self.facts.items())
        verdicts = "".join(
            f"<li><b>{'Passed' if v.passed else 'Failed'}</b>: {e(v.claim)}. {e(v.told)}</li>" for v in self.verdicts
        )
        notes = "".join(f"<li>{e(note)}</li>" for note in self.notes)
        tables = "".join(
            f"<h4>{e(stem)}.csv, first rows</h4>{show(first_rows(t))._repr_html_()}" for stem, t in self.tables.items()
        )
        return (
            f'<div class="crmlab-result"><div class="crmlab-short"><h3>{e(self.title)}</h3><table>{facts}</table>'
            f"<ul>{verdicts}</ul><ul>{notes}</ul></div>{tables}</div>"
        )


def words(name):
    """A fact's or column's name as one reads it."""
    return str(name).replace("_", " ")


def number(value, figures=4):
    """A number for a reader: four significant figures, never fewer than its whole part, thousands parted."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool) or not isinstance(value, numbers.Number):
        return str(value)
    if isinstance(value, numbers.Integral):
        return f"{value:,}"
    value = float(value)
    if not math.isfinite(value):
        return "" if math.isnan(value) else str(value)
    if value != 0 and abs(value) < 1e-4:
        return f"{value:.{figures - 1}e}"
    whole = math.floor(math.log10(abs(value))) + 1 if value else 1
    return f"{value:,.{max(figures - max(whole, 0) - min(whole, 0), 0)}f}"


def mask(customer_id):
    """A customer id as displays show it: the same for the same id and key, and no way back without the key.

    The key is `$CRMLAB_MASK_KEY`; without one, whoever has the list of ids can find them by trying.
    """
    key = os.environ.get("CRMLAB_MASK_KEY", "crmlab").encode()
    return "c-" + hmac.new(key, str(customer_id).encode(), hashlib.sha256).hexdigest()[:8]


class Shown:
    """A frame as a notebook displays it."""

    def __init__(self, frame):
        masked = frame.reset_index() if frame.index.name or frame.index.nlevels > 1 else frame
        if "customer_id" in masked:
            masked = masked.assign(customer_id=masked.customer_id.map(mask))
        self.indexed = masked is frame and not isinstance(frame.index, pd.RangeIndex)
        self.frame = masked.map(_cell).rename(columns=words)

    def __repr__(self):
        return self.frame.to_string(index=self.indexed)

    def _repr_html_(self):
        numeric = self.frame.map(lambda text: text[:1] in "-+0123456789" or text == "").all()
        table = self.frame.to_html(index=self.indexed, escape=True, border=0, classes="crmlab", justify="left")
        longest = self.frame.map(len).max()
        columns = [("n" if n else "l" if wide > LONG else "t") for n, wide in zip(numeric, longest, strict=True)]
        kinds = "".join((["t"] if self.indexed else []) + columns)
        return table.replace('class="dataframe crmlab"', f'class="crmlab" data-kinds="{kinds}"')


def show(frame):
    """How a notebook displays a frame: four significant figures, values escaped, customer ids masked."""
    return Shown(frame)


def _cell(value):
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat() if value == value.normalize() else value.isoformat(" ")
    return number(value)


def first_rows(table):
    """The first rows of a frame, or of an Ibis table."""
    head = table.head(FIRST_ROWS)
    return head if isinstance(head, pd.DataFrame) else head.execute()


def write_table(table, path):
    """Write a frame, or let the engine write an Ibis table, as CSV with every digit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(table, pd.DataFrame):
        table.to_csv(path, index=table.index.name is not None or table.index.nlevels > 1)
    else:
        table.to_csv(path)


def _plain(value):
    """A number of numpy's or pandas' as Python's own."""
    return value.item() if hasattr(value, "item") else value


def _finite(value):
    return value is None or (isinstance(value, numbers.Real) and math.isfinite(value))
