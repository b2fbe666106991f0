"""Whether contracts that ended early are in the data: how often the first ended, beside later ones of the same age."""

from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import optimize, stats

from crmlab.dataset import Data
from crmlab.days import as_date
from crmlab.lifecycle.tables.contracts import observed, seen_contracts
from crmlab.lifecycle.tables.tenures import has_tenures
from crmlab.model import blank_of
from crmlab.orders import rows

ENDS = 20  # the day of this end divides early from late
FARTHEST = 20.0  # |log| of a ratio beyond which it is 0 or infinite


def early_ends(
    data: Data | ir.Table | pd.DataFrame,
    end: date | str | None = None,
    observed_from: date | str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How often contracts ended before the twentieth end, over how often those of the same age did from then on.

    Given the ends at an age, how many of them are early is binomial: by days of contracts at that age before and after,
    times the ratio. Where old contracts that ended are missing from the data, it is near 0.

    Parameters
    ----------
    data : Data, Ibis table or DataFrame
        Rows of the SUBSCRIPTIONS contract, or of RETENTION; blank of that, and of tenures.
    end : date or str, optional
        Last day that the table sees; None takes that of `durations`.
    observed_from : date or str, optional
        Days before are not seen; None takes the catalog's, else the first start.
    level : float
        Confidence level of the interval, 0 to 1.

    Returns
    -------
    DataFrame
        One row: first, first day seen; day, of the twentieth end (of the middle one where there are fewer than forty);
        ended, contracts that ended before it; ratio with ci_low and ci_high, the score interval, infinite where the
        data set no end. Blank where nothing can be compared.
    """
    table = data if isinstance(data, pd.DataFrame) else rows(data)
    if "period" in table.columns:
        return blank_of(pd.DataFrame, "the data count customers by period, and know no day of an end")
    if has_tenures(table):
        return blank_of(pd.DataFrame, "the data know how long contracts have lasted, and no day of an end")
    table, end, observed_from = observed(data, table, end, observed_from)
    end, since = as_date(end), None if observed_from is None else as_date(observed_from)
    counts, later, before = seen_contracts(table, end, since)
    counts = counts[~(later | before)]
    ends = counts.ended.dropna().repeat(counts.customers[counts.ended.notna()]).sort_values()
    if len(ends) < 2:
        return blank_of(pd.DataFrame, f"{len(ends)} of the 2 ended contracts needed were observed")
    day = ends.iloc[min(ENDS, len(ends) // 2) - 1]
    start, customers = counts.start.to_numpy("M8[D]"), counts.customers.to_numpy()
    leaves = counts.ended.fillna(pd.Timestamp(end)).to_numpy("M8[D]")
    first = np.datetime64(since or start.min())
    comes, divides = ((np.maximum(start, edge) - start).astype(int) for edge in (first, np.datetime64(day, "D")))
    goes = (leaves - start).astype(int) + 1
    early = _days(comes, np.minimum(goes, divides), customers, goes.max())
    late = _days(np.maximum(comes, divides), goes, customers, goes.max())
    gone = counts.ended.notna().to_numpy()
    ended, ended_early = (
        np.bincount(goes[some] - 1, customers[some], goes.max()) for some in (gone, gone & (goes <= divides))
    )
    both = (early > 0) & (late > 0) & (ended > 0)
    if not both.any():
        return blank_of(
            pd.DataFrame, "no later contract of the age of the first ended, so that nothing can be compared"
        )
    found = _ratio(ended_early[both].sum(), ended[both], early[both] / late[both], level)
    about = {"first": pd.Timestamp(first), "day": day, "ended": int(ended_early.sum())}
    frame = pd.DataFrame([about | dict(zip(("ratio", "ci_low", "ci_high"), found, strict=True))])
    frame.attrs["level"] = level
    return frame


def _days(begins, ends, customers, ages):
    """Days of contracts at each age: of each contract, those from `begins` until before `ends`."""
    some = ends > begins
    begun, ended = (np.bincount(at[some], customers[some], ages + 1) for at in (begins, ends))
    return (begun - ended).cumsum()[:ages]


def _ratio(early, ended, odds, level):
    """The ratio at which as many of the ended are early as were, and the ends of its score interval."""

    def off(log_ratio, z):
        share = 1 / (1 + np.exp(-log_ratio) / odds)
        return early - ended @ share + z * np.sqrt(ended @ (share * (1 - share)))

    z = stats.norm.ppf((1 + level) / 2)
    return [_root(off, at) for at in (0.0, -z, z)]


def _root(off, z):
    ends = off(-FARTHEST, z), off(FARTHEST, z)
    if ends[0] <= 0 or ends[1] >= 0:
        return 0.0 if ends[0] <= 0 else np.inf
    return float(np.exp(optimize.brentq(off, -FARTHEST, FARTHEST, (z,))))
