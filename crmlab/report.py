"""What a notebook reports: tables, facts, checks, figures and notes, each leaving with the call that names it."""

import csv
import html
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import fill
from typing import Any

import ibis.expr.types as ir
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

from crmlab import exported, figures
from crmlab.answer import composed
from crmlab.cells import PRIVATE, Checks, DrawnFigure, KeptTable, Left, Line, NamedTable
from crmlab.check import Check
from crmlab.contracts.errors import InputError
from crmlab.dataset import Data, Described
from crmlab.display import FIRST_ROWS, Shown, first_rows, names_customers, select_columns, words
from crmlab.estimate import Estimate, plain
from crmlab.guard import guarded
from crmlab.identification import (
    identification_plot,
    identification_rates,
    identification_trend,
    share_changes,
    what_follows,
)
from crmlab.model import why_blank
from crmlab.small_groups import check_without_small, facts_without_small, few, without_small
from crmlab.stats.poisson_bootstrap import LEAST, REPLICATES

STEM = re.compile(r"(private/)?[\w][\w .()-]{0,119}")
LONGEST_NAME = 200  # bytes of a table's name
NOT_COMPUTED = "it could not be computed"
IDENTIFIED = {"orders_with_customer_id": "order_rate", "money_with_customer_id": "money_rate"}  # facts -> rates
MAX_ROWS = 60  # of a frame, that are shown where nobody says how many


class Report:
    """What a notebook reports; the last thing it shows.

    Facts, checks, tables, figures and notes are kept by name, check id, title or text: a cell that is run again
    replaces what it gave before. Each leaves with its own call, so that a run that dies keeps what came before. In a
    run, tables and figures are written below `$CRMLAB_STAGING`; anywhere else nothing is written.

    Parameters
    ----------
    title : str
        What the report is about.
    headline : sequence of str
        Names of the facts that stand first, on the page and in the index.
    answer : str
        `<domain>.<name>` of the sentences that its answer is composed by, as "clv.value"; empty takes the first facts.

    Examples
    --------
    >>> report = Report("Orders of a shop")
    >>> report.fact("customers", 2357, kind="count")
    customers: 2,357
    """

    def __init__(self, title: str, headline: Sequence[str] = (), answer: str = "") -> None:
        composed(answer, {}, [])  # an answer that there is not is refused before anything is computed
        self.title, self.headline, self._answer = title, headline, answer
        self.facts: dict[str, Estimate] = {}
        self.checks: dict[str, Check] = {}
        self.tables: dict[str, Any] = {}
        self.figures: dict[str, str] = {}
        self.notes: dict[str, None] = {}
        self.sources: dict[str, dict[str, str]] = {}  # of data that the catalog does not know of
        self._brought: dict[str, set[str]] = {}  # what a call gave, by its name: facts and tables
        self._deviations: dict[tuple[str, Estimate], Any] = {}  # facts -> those of each in bootstrap replicates
        self._rules = exported.settings()

    @guarded
    def show(
        self,
        frame: pd.DataFrame | ir.Table,
        name: str = "",
        rows: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> None:
        """Show a table, and keep it under `name` as `tables/<name>.csv` of the run.

        Parameters
        ----------
        frame : DataFrame or Ibis table
            What to show; of an Ibis table the first rows, while its engine writes all. A blank frame shows its reason,
            and is not kept.
        name : str
            File stem. A table that names customers is kept under "private/", which no page links. Empty keeps no file.
        rows : int, optional
            How many of the first rows of a DataFrame to show; None shows all of up to 60, and else the first 5. The
            file holds all.
        columns : sequence of str, optional
            Which columns of a DataFrame to show, and `reason` where a row has one; None shows all. Those that hold
            nothing are left out, and of a frame with a reason of its own that alone is shown. The file holds all.
        """
        frame, withheld = self._without_small(frame)
        kept, plain = self._keep_tables(f"table {name!r}", {name: frame} if name else {})
        rows = FIRST_ROWS if rows is None and isinstance(frame, pd.DataFrame) and len(frame) > MAX_ROWS else rows
        shown = frame.iloc[:rows] if isinstance(frame, pd.DataFrame) else first_rows(frame)
        shown = _without_blank_reason(shown) if columns is None else select_columns(shown, columns)
        part = f" (first {len(shown):,} of {len(frame):,} rows)" if 0 < len(shown) < _length(frame) else ""
        left = {"tables": kept, **_changed(kept, plain, withheld)}
        display(Left(NamedTable(Shown(shown), name.removeprefix(PRIVATE), part), left))

    @guarded
    def keep(self, frame: pd.DataFrame | ir.Table, name: str, about: str) -> None:
        """Keep a table as `tables/<name>.csv` of the run, where a page links it by a line; its rows are not shown.

        Parameters
        ----------
        frame : DataFrame or Ibis table
            What to keep. Of a blank frame the line says the reason.
        name : str
            File stem; a table that names customers is kept under "private/", which no page links.
        about : str
            What it holds, as a line of text: "errors of each model at each origin".
        """
        frame, withheld = self._without_small(frame)
        kept, plain = self._keep_tables(f"table {name!r}", {name: frame})
        stem = kept[0] if kept else name
        rows = f" ({len(frame):,} row{'s' if len(frame) != 1 else ''})" if _length(frame) else ""
        text = f"blank: {frame.attrs['reason']}" if _is_blank(frame) else f"{about}{rows}"
        display(Left(KeptTable(stem, text), {"tables": kept, **_changed(kept, plain, withheld)}))

    @guarded
    def data(self, data: Data | Described) -> None:
        """Show what validation found in data, and keep it as the table "data".

        Of data that are not of the catalog, as a survey, the page opens with what they are and whether they are real.

        Of orders some of which bear no customer's id, what follows from that opens the report: the identification
        rate, as facts and by month and store, and whether it changes.
        """
        self.show(data.summary, name="data")
        if not isinstance(data, Data):
            self.sources[data.name] = {"name": data.name, "nature": data.nature, "about": data.about}
            display(Left(Line(data.about), {"sources": [self.sources[data.name]]}))
            return
        if data.every is None:
            return
        whole, monthly = identification_rates(data, "all"), identification_rates(data)
        self.headline = [*IDENTIFIED, *(name for name in self.headline if name not in IDENTIFIED)]
        for name, column in IDENTIFIED.items():
            share, reason = whole[column].iloc[0], "" if whole[column].notna().all() else "the data hold no amounts"
            self.fact(name, Estimate(plain(share), kind="share", n=int(whole.orders.iloc[0]), reason=reason))
        self.note(what_follows(whole))
        self.check(share_changes(identification_trend(monthly), monthly))
        self.figure(identification_plot(monthly), "Share of orders and of money with a customer's id")
        if "store_id" in data.every.columns:
            self.show(identification_rates(data, "store"), name="identification_by_store")

    @guarded
    def fact(self, name: str, value: Any, **about: Any) -> None:
        """Show and keep a number, or the numbers of a table.

        Parameters
        ----------
        name : str
            Of the fact. Of a frame of estimates, each row is the fact `<name>_<row>`.
        value : Estimate, number, mapping or DataFrame
            A number takes the fields of an Estimate (unit, kind, n, reason). A mapping of several, as of groups, gives
            a fact each: `<name>_<key>`, or `<name>` where the key is empty. A frame has a column value and, where they
            are known, ci_low, ci_high, pi_low, pi_high. A blank frame is one blank fact.
        """
        found = {given: _finite(each) for given, each in _estimates(name, value, about).items()}
        found = facts_without_small(found, name, self._rules.smallest_group)
        for before in self._brought.get(name, set()) - found.keys():
            self.facts.pop(before, None)
        self._brought[name] = set(found)
        self.facts |= found
        self._keep_replicates()
        lines = "\n".join(f"{words(given)}: {estimate}" for given, estimate in found.items())
        display(Left(Line(lines), {"facts": [_fact(given, estimate) for given, estimate in found.items()]}))

    def _keep_replicates(self) -> None:
        """In a run, write the deviations of facts in bootstrap replicates, where they are known: a column a fact."""
        staging = os.environ.get("CRMLAB_STAGING")
        if not staging:
            return
        for name, estimate in self.facts.items():
            if estimate.deviations and (name, estimate) not in self._deviations:
                self._deviations = {held: kept for held, kept in self._deviations.items() if held[0] != name}
                self._deviations[name, estimate] = _deviations(estimate)
        known = {name: off for (name, fact), off in self._deviations.items() if self.facts.get(name) == fact}
        kept = {name: off for name, off in known.items() if off is not None}
        path = Path(staging) / exported.REPLICATES
        if kept:
            path.parent.mkdir(parents=True, exist_ok=True)
            pd.DataFrame(kept).to_csv(path, index=False, float_format="%.9g", quoting=csv.QUOTE_NONNUMERIC)
        else:
            path.unlink(missing_ok=True)

    @guarded
    def check(self, checks: Check | Iterable[Check]) -> None:
        """Show and keep a check, or several."""
        given = [checks] if isinstance(checks, Check) else checks
        found = [check_without_small(check, self._rules.smallest_group) for check in given]
        self.checks |= {check.id: check for check in found}
        display(Left(Checks(found), {"checks": [check.as_dict() for check in found]}))

    @guarded
    def figure(
        self, ax: plt.Axes | plt.Figure | Sequence[plt.Axes] | np.ndarray, title: str, headline: bool = False
    ) -> None:
        """Show the figure of one or more axes under a title, once, and keep it with the frames it was drawn from.

        In a run, `figures/` holds it as SVG, and its frames as CSV, customers masked.

        Parameters
        ----------
        ax : Axes, Figure or sequence of Axes
            What a plot gave.
        title : str
            What it shows; each figure has a title of its own.
        headline : bool
            Whether the page shows it beside the answer; where no figure is, the first is.
        """
        axes = list(np.ravel(np.array(ax, dtype=object)))
        stem = figures.stem(title)
        other = next((each for each, held in self.figures.items() if held == stem and each != title), None)
        if not axes or not stem or other:
            for each in axes:
                plt.close(getattr(each, "figure", None))
            lacking = f"report.figure: {title!r} has no axes, or no letter to name a file by; give both"
            twice = f"report.figure: {title!r} and {other!r} would both be kept as {stem}; name one otherwise"
            raise InputError(twice if other else lacking)
        figure = axes[0].figure
        figure.suptitle(fill(title, 80), x=0.01, ha="left", fontsize="medium", fontweight="bold")
        try:
            plain = {}
            shown: Any = Line(self._why_not_drawn(axes, title))
            if not shown.text:
                shown = DrawnFigure(figure, title)
                plain = self._keep_figure(figure, axes, title, stem)
                shown.about["files"] = [*plain]
                self.figures = {title: stem} | self.figures if headline else self.figures | {title: stem}
        except Exception as fault:  # no reason to lose what the rest of the notebook computes
            shown = Line(f"Figure “{title}” could not be drawn: {type(fault).__name__}: {fault}")
        finally:
            plt.close(figure)
        left: dict[str, Any] = {"figures": [title] if isinstance(shown, DrawnFigure) else []}
        display(Left(shown, left | _changed([], plain, 0)))

    def _without_small(self, frame: Any) -> tuple[Any, int]:
        """A table without groups that are too few to be shown, and how many cells that are; one of customers as it is.

        Each row of such a table is one customer, and nobody but its owner reads it.
        """
        smallest = self._rules.smallest_group
        if not smallest or names_customers(frame):
            return frame, 0
        return without_small(frame if isinstance(frame, pd.DataFrame) else frame.execute(), smallest)

    def _why_not_drawn(self, axes: Sequence[plt.Axes], title: str) -> str:
        """Why a figure may not be shown; empty where it may."""
        smallest = self._rules.smallest_group
        if not smallest or not any(without_small(frame, smallest)[1] for frame in figures.frames(axes)):
            return ""
        return f"Figure “{title}” is withheld: it draws groups of {few(smallest)}."

    def _keep_figure(self, figure: Any, axes: Sequence[plt.Axes], title: str, stem: str) -> dict[str, int]:
        """Write a figure and its data in place of what this title brought before.

        Returns the paths within the run, each with how many cells have an apostrophe.
        """
        staging = os.environ.get("CRMLAB_STAGING")
        if not staging:
            return {}
        for before in self._brought.pop(f"figure {title!r}", set()):
            (Path(staging) / before).unlink(missing_ok=True)
        names = figures.write(figure, axes, Path(staging) / figures.FOLDER, stem, self._rules.csv == "safe")
        paths = {f"{figures.FOLDER}/{name}": cells for name, cells in names.items()}
        self._brought[f"figure {title!r}"] = set(paths)
        return paths

    @guarded
    def note(self, text: str | Iterable[str]) -> None:
        """Show and keep a sentence, or several: what was assumed, or left out and why. An empty one is none."""
        if not isinstance(text, str):
            for each in text:
                self.note(each)
        elif text:
            self.notes[text] = None
            display(Left(Line(text), {"notes": [text]}))

    def _keep_tables(self, owner: str, frames: Mapping[str, Any]) -> tuple[list[str], dict[str, int]]:
        """Keep frames by their stems in place of what `owner` brought before.

        Returns the names they are kept under and, of each file, how many cells have an apostrophe. A blank frame
        holds nothing to keep; one that names customers is kept as private.
        """
        staging = os.environ.get("CRMLAB_STAGING")
        folder, plain = Path(staging) / "tables" if staging else None, {}
        for before in self._brought.pop(owner, set()):
            self.tables.pop(before, None)
            if folder:
                (folder / f"{before}.csv").unlink(missing_ok=True)
        for stem, frame in frames.items():
            if not STEM.fullmatch(stem) or len(stem.encode()) > LONGEST_NAME:
                raise InputError(f"report: {owner}: {stem!r} is no name for a file; use letters, digits, - and _")
            name = PRIVATE + stem if names_customers(frame) and not stem.startswith(PRIVATE) else stem
            if name in self.tables:
                other = next((who for who, names in self._brought.items() if name in names), "another")
                raise InputError(f"report: {owner} and {other} would both be kept as {name}.csv; name one otherwise")
            if not _is_blank(frame):
                self.tables[name] = frame
                self._brought.setdefault(owner, set()).add(name)
                if folder:
                    path = folder / f"{name}.csv"
                    plain[f"tables/{name}.csv"] = exported.write_table(frame, path, self._rules.csv == "safe")
        return sorted(self._brought.get(owner, set())), plain

    @property
    def answer(self) -> list[str]:
        """What was found and how sure, how it did on later data, and the check that matters most: sentences."""
        return composed(self._answer, self._ordered_facts(), list(self.checks.values()))

    def as_dict(self) -> dict[str, Any]:
        """Title, answer, facts, checks, notes, sources, and names of tables and figures, as JSON holds them."""
        return {
            "title": self.title,
            "answer": self.answer,
            # a list, as notebook files sort the keys of objects, and the first facts are the headline
            "facts": [_fact(name, fact) for name, fact in self._ordered_facts().items()],
            "checks": [check.as_dict() for check in self.checks.values()],
            "notes": list(self.notes),
            "tables": list(self.tables),
            "figures": list(self.figures),
            "sources": list(self.sources.values()),
        }

    def _ordered_facts(self) -> dict[str, Estimate]:
        """The facts, those of the headline first."""
        return {name: self.facts[name] for name in self.headline if name in self.facts} | self.facts

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        return {"text/plain": self._text(), "text/html": self._html()}, {"crmlab": self.as_dict()}

    def _text(self) -> str:
        facts = [f"{words(name)}: {fact}" for name, fact in self._ordered_facts().items()]
        return "\n".join([self.title, "", *self.answer, "", *facts, *map(str, self.checks.values()), *self.notes])

    def _html(self) -> str:
        e, ordered = html.escape, self._ordered_facts().items()
        facts = "".join(f"<tr><th>{e(words(name))}</th><td>{e(str(fact))}</td></tr>" for name, fact in ordered)
        notes = "".join(f"<li>{e(note)}</li>" for note in self.notes)
        return (
            f'<div class="crmlab-report"><h3>{e(self.title)}</h3><p>{e(" ".join(self.answer))}</p>'
            f"<table>{facts}</table>"
            f"{Checks(self.checks.values())._repr_html_()}<ul>{notes}</ul></div>"
        )


def _without_blank_reason(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame without its column of reasons where no row has one."""
    if len(frame) and "reason" in frame and not frame["reason"].fillna("").astype(bool).any():
        return frame.drop(columns="reason")
    return frame


def _changed(kept: Sequence[str], plain: dict[str, int], withheld: int) -> dict[str, dict[str, int]]:
    """What leaves with tables of which cells were changed: by path, how many."""
    found = {"plain": {path: cells for path, cells in plain.items() if cells}}
    found["withheld"] = {f"tables/{name}.csv": withheld for name in kept if withheld}
    return {what: cells for what, cells in found.items() if cells}


def _length(frame: Any) -> int:
    return len(frame) if isinstance(frame, (pd.DataFrame, pd.Series)) else 0


def _is_blank(frame: Any) -> bool:
    return isinstance(frame, (pd.DataFrame, pd.Series)) and frame.empty and bool(frame.attrs.get("reason"))


def _deviations(estimate: Estimate) -> np.ndarray | None:
    """The deviations of a fact in bootstrap replicates; None where they cannot be computed, which costs no fact.

    None of so few customers that the replicates together would say what each of them answered.
    """
    if not estimate.n or estimate.n < LEAST:
        return None
    try:
        found = np.asarray(estimate.deviations() if estimate.deviations else None, float)
    except Exception:  # it is the caller's
        return None
    return found if found.shape == (REPLICATES,) and np.isfinite(found).all() else None


def _fact(name: str, estimate: Estimate) -> dict[str, Any]:
    return {"name": name} | estimate.as_dict()


def _estimates(name: str, value: Any, about: dict[str, Any]) -> dict[str, Estimate]:
    """The facts that a value makes, by name."""
    if reason := why_blank(value):
        return {name: Estimate(None, reason=reason, **about)}
    if isinstance(value, (pd.DataFrame, pd.Series)) and names_customers(value):
        raise InputError(f"report.fact: {name!r} has a row a customer, whose ids facts would show; keep it as a table")
    if isinstance(value, pd.DataFrame) and not value.empty:
        if len(twice := value.index[value.index.duplicated()]):
            raise InputError(f"report.fact: {name!r} has more than one row {twice[0]!r}; let each have a name")
        ends = value.reindex(columns=["value", "ci_low", "ci_high", "pi_low", "pi_high"])
        return {f"{name}_{row}": Estimate(*found, **about) for row, *found in ends.itertuples()}
    if isinstance(value, pd.DataFrame):
        return {name: Estimate(None, reason=value.attrs.get("reason") or "it has no rows", **about)}
    if isinstance(value, Mapping):
        parts = [_estimates(f"{name}_{key}" if key else name, each, about) for key, each in value.items()]
        return {given: estimate for part in parts for given, estimate in part.items()}
    if isinstance(value, Estimate):
        return {name: value}
    number = plain(value)
    return {name: Estimate(number, **({"reason": NOT_COMPUTED} if number is None else {}) | about)}


def _finite(estimate: Estimate) -> Estimate:
    """The same; blank with the reason where the value is infinite, as an end may be; customers are counted."""
    if estimate.kind == "number" and estimate.unit.partition(" ")[0].rstrip(",") == "customers":
        estimate = replace(estimate, kind="count")
    if estimate.value is None or math.isfinite(estimate.value):
        return estimate
    return Estimate(None, unit=estimate.unit, kind=estimate.kind, reason="it has no finite value")
