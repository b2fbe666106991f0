"""What a cohort triangle, and projections beside what came, say in short."""

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from crmlab.lifecycle.tables.cohorts import OBSERVED
from crmlab.lifecycle.tables.contracts import ALL
from crmlab.result import Estimate, Verdict, number
from crmlab.stats.comparisons import holm

FEW = 5  # customers expected to order in a cohort, or not to, below which chi-squared does not hold


def cohort_means(triangle):
    """Share of customers who order in each period after their first, over the cohorts observed: a frame by period.

    Only observed cells count; period 0, in which all order by definition, is left out.
    cohorts, customers               whose period was observed, count
    weighted, weighted_ci_low, _high of all these customers, with its 95 % interval for customers like them [Wilson]
    mean, mean_ci_low, mean_ci_high  of the cohorts' shares, each counting alike, with its 95 % interval for
                                     cohorts like them [Student], cut off at 0 and 1; NA with one cohort
    reason                           why there is no mean_ci_low; "" where there is one
    """
    cells = triangle[(triangle.state == OBSERVED) & (triangle.period > 0) & (triangle.eligible > 0)]
    by = cells.groupby("period")
    counts = by[["active", "eligible"]].sum().astype(float)
    share, cohorts = cells.share.astype(float).groupby(cells.period), by.size()
    weighted_ci_low, weighted_ci_high = proportion_confint(counts.active, counts.eligible, method="wilson")
    mean, some = share.mean(), cohorts > 1
    reach = stats.t.ppf(0.975, (cohorts - 1).where(some)) * share.std() / np.sqrt(cohorts)
    frame = pd.DataFrame(
        {"cohorts": cohorts, "customers": counts.eligible.astype(int), "weighted": counts.active / counts.eligible}
        | {"weighted_ci_low": weighted_ci_low, "weighted_ci_high": weighted_ci_high, "mean": mean}
        | {"mean_ci_low": (mean - reach).clip(lower=0), "mean_ci_high": (mean + reach).clip(upper=1)}
    )
    frame = frame.astype(dict.fromkeys(("mean_ci_low", "mean_ci_high"), "Float64"))
    return frame.assign(reason=np.where(some, "", "cannot be estimated: one cohort only"))


def homogeneity_tests(triangle):
    """Whether cohorts come back alike, period by period: a frame by period, of observed cells. [Pearson's chi-squared]

    cohorts, lowest, highest   count, and their least and greatest share, 0 to 1; a cohort too small for the test, in
                               which fewer than 5 would order, or not order, were all alike, is left out of it
    chi2, df, p                the test; p_adjusted for all periods together
    reason                     why there is no test; "" where there is one
    """
    cells = triangle[(triangle.state == OBSERVED) & (triangle.period > 0) & (triangle.eligible > 0)]
    if cells.empty:
        columns = ["cohorts", "lowest", "highest", "chi2", "df", "p", "p_adjusted", "reason"]
        return pd.DataFrame(columns=columns, index=pd.Index([], name="period"))
    frame = pd.DataFrame({period: _homogeneity_test(rows) for period, rows in cells.groupby("period")}).T.rename_axis(
        "period"
    )
    kinds = dict.fromkeys(("lowest", "highest", "chi2", "p"), "Float64") | {"cohorts": int, "df": "Int64"}
    frame = frame.astype(kinds)
    frame.insert(6, "p_adjusted", holm(frame.p.astype(float)).astype("Float64"))
    return frame


def cohorts_homogeneous(table, alpha=0.05):
    """Whether cohorts come back alike: a Verdict on `homogeneity_tests`, by p_adjusted below `alpha`."""
    claim, tested = "Cohorts come back alike", table[table.reason == ""]
    instead = "each cohort by itself, not their mean"
    if tested.empty:
        reasons = table.reason.unique()
        summary = reasons[0] if len(reasons) else "cannot be estimated: no period after the first was observed"
        return Verdict(claim, False, summary, instead)
    different = tested[tested.p_adjusted < alpha]
    least = tested.p_adjusted.idxmin()
    summary = (
        f"they differ in {len(different)} of {len(tested)} periods tested; most in period {least} "
        f"({tested.lowest[least]:.1%} to {tested.highest[least]:.1%}, chance {number(tested.p_adjusted[least])})"
    )
    return Verdict(claim, different.empty, summary, instead)


def projection_errors(table):
    """How far projections were off, by how far ahead they looked: a frame by group, model and horizon.

    table : expected and actual, as from `backtest_retention`
    n: how many; bias: mean of expected − actual; mae: of its size; both as shares, 0 to 1
    There is no interval, as the projections of a horizon share customers.
    """
    projected = table[table.error.notna()]
    by = projected.assign(size=projected.error.abs()).groupby(["group", "model", "horizon"], sort=False)
    return by.agg(n=("error", "size"), bias=("error", "mean"), mae=("size", "mean"))


def final_period_errors(table):
    """By how much projections missed the last period, % of what came: a frame by group and model, a column per origin.

    table : expected and actual, as from `backtest_retention`; NA where nothing was projected
    The last period is the last in which anybody was left.
    """
    projected = table[table.period.notna()]
    last = projected[
        projected.period == projected.period.where(projected.actual > 0).groupby(projected.group).transform("max")
    ]
    miss = 100 * (last.expected / last.actual - 1)
    wide = last.assign(miss=miss).pivot(index=["group", "model"], columns="origin", values="miss")
    return wide.reindex(pd.MultiIndex.from_frame(projected[["group", "model"]].drop_duplicates()))


def retention_beats_baselines(table):
    """Whether a model projects more closely than every curve drawn through the same points: a Verdict.

    table : as from `backtest_retention`; judged by the mean size of errors, where all of them projected
    """
    claim, instead = "A model of renewals projects more closely than a curve", "no projection; wait for more periods"
    projected = table[table.error.notna()]
    size = (
        projected.error.abs()
        .groupby([projected.group, projected.origin, projected.period, projected.model])
        .first()
        .unstack()
        .dropna()
    )
    baselines = set(projected.model[projected.is_baseline])
    if size.empty or baselines >= set(size):
        return Verdict(claim, False, _why_none(table) or "cannot be estimated: nothing projected", instead)
    mean = size.mean().sort_values()
    summary = ", ".join(f"{name} {100 * off:.2f}" for name, off in mean.items())
    best = f"the {mean.index[0]} curve, and no intervals"
    return Verdict(
        claim,
        mean.index[0] not in baselines,
        f"{len(size):,} projections were off by, on average, in points of survival: {summary}",
        best,
    )


def retention_facts(restricted, payments):
    """Periods kept and payments still to come of a customer of each group, as Estimates: facts for a Result.

    restricted : of `restricted_mean_survival`; payments : of `residual_lifetimes`, those of sBG at the start
    """
    new = payments[(payments.renewals == 0) & (payments.model == "sBG")].set_index("group")
    found = {}
    kept = restricted.assign(unit=[f"of the first {periods} periods" for periods in restricted.periods])
    parts = ("periods_kept", kept, "mean"), ("payments_to_come", new.assign(unit="payments"), "payments")
    for name, table, column in parts:
        for group, row in table.dropna(subset=[column, "ci_low", "ci_high"]).iterrows():
            called = name if group == ALL else f"{name}_{group}"
            found[called] = Estimate(float(row[column]), float(row.ci_low), float(row.ci_high), row.unit)
    return found


def _why_none(table):
    """Why nothing was projected, from as many periods as possible: the reasons, at most two, and how many more."""
    latest = table[table.origin.isna() | (table.origin == table.groupby("group").origin.transform("max"))]
    reasons = latest.reason[latest.reason != ""].unique()
    more = f"; and {len(reasons) - 2:,} more" if len(reasons) > 2 else ""
    return "; ".join(reasons[:2]) + more


def _homogeneity_test(rows):
    active, eligible = rows.active.to_numpy(dtype=float), rows.eligible.to_numpy(dtype=float)
    share = active.sum() / eligible.sum()
    large = eligible * min(share, 1 - share) >= FEW
    reason = ""
    if len(rows) < 2:
        reason = "cannot be estimated: one cohort only"
    elif share in (0, 1):
        reason = "cannot be estimated: all or none of them ordered"
    elif large.sum() < 2:
        reason = f"cannot be estimated: fewer than 2 cohorts in which {FEW} are expected to order, and {FEW} not to"
    if reason:
        large = eligible > 0
    active, eligible = active[large], eligible[large]
    found = {"cohorts": len(active), "lowest": (active / eligible).min(), "highest": (active / eligible).max()}
    if reason:
        return found | {"chi2": pd.NA, "df": pd.NA, "p": pd.NA, "reason": reason}
    share = active.sum() / eligible.sum()
    chi2 = float(((active - eligible * share) ** 2 / (eligible * share * (1 - share))).sum())
    return found | {"chi2": chi2, "df": len(active) - 1, "p": stats.chi2.sf(chi2, len(active) - 1), "reason": ""}
