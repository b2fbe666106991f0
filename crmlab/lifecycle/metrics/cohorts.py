"""What a cohort triangle amounts to: means over its cohorts, and whether they differ."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.lifecycle.tables.cohorts import OBSERVED
from crmlab.stats.comparisons import holm
from crmlab.stats.shares import wilson_interval

FEW = 5  # customers expected to order in a cohort, or not to, below which chi-squared does not hold
COLUMNS = ["cohorts", "lowest", "highest", "chi2", "df", "p", "p_adjusted", "reason"]


def cohort_means(triangle: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Share of customers who order in each period after their first, over the cohorts observed.

    Only observed cells count; period 0, in which all order by definition, is left out.

    Parameters
    ----------
    triangle : DataFrame
        Cohorts by period, as from `cohort_triangle`; observed cells count.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        By period:

        - cohorts, customers: whose period was observed, count
        - weighted, weighted_ci_low, weighted_ci_high: of all these customers, with its interval for customers like
          them (Wilson)
        - mean, mean_ci_low, mean_ci_high: of the cohorts' shares, each counting alike, with its interval for cohorts
          like them (Student), cut off at 0 and 1; NA with one cohort
        - reason: why there is no mean_ci_low; "" where there is one

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> triangle = lifecycle.cohort_triangle(catalog.orders("cdnow_sample"), "1998-06-30")
    >>> round(float(lifecycle.cohort_means(triangle).weighted[1]), 3)
    0.146
    """
    cells = _observed(triangle)
    by = cells.groupby("period")
    counts = by[["active", "eligible"]].sum().astype(float)
    share, cohorts = cells.share.astype(float).groupby(cells.period), by.size()
    ends = wilson_interval(counts.active, counts.eligible, level)
    mean, some = share.mean(), cohorts > 1
    reach = stats.t.ppf((1 + level) / 2, (cohorts - 1).where(some)) * share.std() / np.sqrt(cohorts)
    frame = pd.DataFrame(
        {"cohorts": cohorts, "customers": counts.eligible.astype(int), "weighted": counts.active / counts.eligible}
        | {"weighted_ci_low": ends[0], "weighted_ci_high": ends[1], "mean": mean}
        | {"mean_ci_low": (mean - reach).clip(lower=0), "mean_ci_high": (mean + reach).clip(upper=1)}
    )
    frame = frame.astype({"mean_ci_low": "Float64", "mean_ci_high": "Float64"})
    return frame.assign(reason=np.where(some, "", "one cohort only"))


def homogeneity_tests(triangle: pd.DataFrame) -> pd.DataFrame:
    """Whether as many come back of each cohort, period by period, by Pearson's chi-squared.

    Parameters
    ----------
    triangle : DataFrame
        Cohorts by period, as from `cohort_triangle`; observed cells count.

    Returns
    -------
    DataFrame
        By period:

        - cohorts, lowest, highest: count, and their least and greatest share, 0 to 1; a cohort too small for the test,
          in which fewer than 5 would order, or not order, were all alike, is left out of it
        - chi2, df, p: the test; p_adjusted for all periods together (Holm)
        - reason: why there is no test; "" where there is one
    """
    cells = _observed(triangle)
    if cells.empty:
        return pd.DataFrame(columns=COLUMNS, index=pd.Index([], name="period"))
    tests = {period: _homogeneity_test(rows) for period, rows in cells.groupby("period")}
    kinds = dict.fromkeys(("lowest", "highest", "chi2", "p"), "Float64") | {"cohorts": int, "df": "Int64"}
    frame = pd.DataFrame(tests).T.rename_axis("period").astype(kinds)
    return frame.assign(p_adjusted=holm(frame.p.astype(float)).astype("Float64"))[COLUMNS]


def _observed(triangle):
    return triangle[(triangle.state == OBSERVED) & (triangle.period > 0) & (triangle.eligible > 0)]


def _homogeneity_test(rows):
    share = rows.active.sum() / rows.eligible.sum()
    large, reason = rows[rows.eligible * min(share, 1 - share) >= FEW], ""
    if len(rows) < 2:
        reason = "one cohort only"
    elif share in (0, 1):
        reason = "all or none of them ordered"
    elif len(large) < 2:
        reason = f"fewer than 2 cohorts in which {FEW} are expected to order, and {FEW} not to"
    tested = rows if reason else large
    found = {"cohorts": len(tested), "lowest": tested.share.min(), "highest": tested.share.max(), "reason": reason}
    if reason:
        return found | {"chi2": pd.NA, "df": pd.NA, "p": pd.NA}
    counts = np.stack([tested.active, tested.eligible - tested.active]).astype(float)
    chi2, p, df, _ = stats.chi2_contingency(counts, correction=False)
    return found | {"chi2": chi2, "df": df, "p": p}
