"""How long customers with a contract stay, counted without a model: survival curves, and how groups compare.

All take `durations`: group, renewals (survived), churned, customers. A loss at renewal t is observed at period t, one
more than those survived; a contract still held when last observed, after `renewals`, is at risk up to that period.
"""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.contracts import InputError
from crmlab.model import needs_fit

MIN_AT_RISK = 10  # customers at risk, of fewer of whom no step of the curve is drawn


@needs_fit
def survival_curve(durations: pd.DataFrame, level: float = 0.95, min_at_risk: int = MIN_AT_RISK) -> pd.DataFrame:
    """Share of each group that survived each renewal: the Kaplan-Meier curve.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    level : float
        Confidence level of the intervals, 0 to 1.
    min_at_risk : int
        Customers at risk at a renewal, with fewer of whom there is no survival from there on.

    Returns
    -------
    DataFrame
        A row for each group and period: group; period, renewals since the start, 0 being the start itself; at_risk,
        customers whose renewal was observed; lost, those of them who did not renew; survival, share of all that
        survives this renewal, 0 to 1; standard_error (Greenwood); ci_low and ci_high, the interval of
        log(−log survival), which stays within 0 and 1; reason, why there is no interval, or no survival: from the first
        renewal on at which too few were at risk.

    References
    ----------
    Kaplan & Meier (1958), Nonparametric estimation from incomplete observations.

    Examples
    --------
    >>> from crmlab import lifecycle
    >>> left = pd.DataFrame({"group": "all", "period": [0, 1, 2], "customers": [100, 63, 47]})
    >>> lifecycle.survival_curve(lifecycle.durations(left))[["period", "at_risk", "lost", "survival"]]
       period  at_risk  lost  survival
    0       0      100     0      1.00
    1       1      100    37      0.63
    2       2       63    16      0.47
    """
    parts = {group: _curve(rows, level, min_at_risk) for group, rows in durations.groupby("group")}
    return pd.concat(parts, names=["group"]).reset_index("group").reset_index(drop=True)


@needs_fit
def median_survival(durations: pd.DataFrame, level: float = 0.95, min_at_risk: int = MIN_AT_RISK) -> pd.DataFrame:
    """The period by which half of each group is lost.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    level : float
        Confidence level of the intervals, 0 to 1.
    min_at_risk : int
        Customers at risk at a renewal, with fewer of whom the curve ends.

    Returns
    -------
    DataFrame
        By group: customers and lost, count; median, ci_low and ci_high, periods, the ends being where those of the
        curve pass one half, NA where that is not observed; reason, why there is no median, or no upper end.

    References
    ----------
    Brookmeyer & Crowley (1982), A confidence interval for the median survival time.
    """
    found = {group: _median(rows) for group, rows in survival_curve(durations, level, min_at_risk).groupby("group")}
    frame = pd.DataFrame.from_dict(found, orient="index").rename_axis("group")
    return frame.astype(dict.fromkeys(("median", "ci_low", "ci_high"), "Float64"))


@needs_fit
def restricted_mean_survival(
    durations: pd.DataFrame, periods: int | None = None, level: float = 0.95, min_at_risk: int = MIN_AT_RISK
) -> pd.DataFrame:
    """Periods that a customer of each group keeps the contract on average, of the first `periods`.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    periods : int, optional
        None takes the longest that every group was observed for, so that groups can be compared.
    level : float
        Confidence level of the intervals, 0 to 1.
    min_at_risk : int
        Customers at risk at a renewal, with fewer of whom the curve ends.

    Returns
    -------
    DataFrame
        By group: periods, of which the mean is taken; mean, the area under the curve, periods, with standard_error,
        ci_low and ci_high; difference from the first group, with difference_ci_low and difference_ci_high, NA for that
        group itself; reason, why there is no interval, no difference, or no mean as a group is too young.

    Raises
    ------
    InputError
        Where a group was not observed so long.

    References
    ----------
    Klein & Moeschberger (2003), Survival Analysis, (4.5.2): the variance is that of the area,
    Σ (area beyond each loss)² lost / (at risk (at risk − lost)), rather than the survivors' sample variance.
    """
    curves = dict(list(survival_curve(durations, min_at_risk=min_at_risk).groupby("group")))
    longest = min(_followup(rows) for rows in curves.values())
    if periods is None and longest < 1:
        return _no_restricted_means([group for group, rows in curves.items() if _followup(rows) < 1], curves)
    if periods is None:
        periods = int(longest if np.isfinite(longest) else max(rows.period.iloc[-1] for rows in curves.values()))
    if not 0 < periods <= longest:
        observed = f"every group was observed for {longest:g} of them"
        raise InputError(f"periods = {periods!r}: {observed}; choose 1 up to that")
    areas = {group: _restricted_mean(rows, periods) for group, rows in curves.items()}
    columns = ["mean", "standard_error"]
    frame = pd.DataFrame.from_dict(areas, orient="index", columns=columns, dtype="Float64").rename_axis("group")
    frame.insert(0, "periods", periods)
    mean, error, z = frame["mean"], frame.standard_error, _z(level)
    frame["ci_low"], frame["ci_high"] = mean - z * error, mean + z * error
    frame["difference"] = (mean - mean.iloc[0]).where(frame.index != frame.index[0])
    reach = z * (error**2 + error.iloc[0] ** 2) ** 0.5
    frame["difference_ci_low"], frame["difference_ci_high"] = frame.difference - reach, frame.difference + reach
    alone = "one group only" if len(frame) == 1 else "the first group, which others are compared with"
    no_interval = f"no interval: nobody was lost before period {periods}"
    frame["reason"] = np.where(error.isna(), no_interval, np.where(frame.index == frame.index[0], alone, ""))
    return frame


def _z(level):
    return stats.norm.ppf((1 + level) / 2)


def _no_restricted_means(young, groups):
    """The frame of `restricted_mean_survival` where some groups were not observed for a whole period."""
    numbers = ("mean", "standard_error", "ci_low", "ci_high", "difference", "difference_ci_low", "difference_ci_high")
    reason = f"fewer than {MIN_AT_RISK} customers of {', '.join(map(str, young))} were observed for a whole period"
    frame = pd.DataFrame(pd.NA, pd.Index(groups, name="group"), numbers, dtype="Float64").assign(reason=reason)
    frame.insert(0, "periods", 0)
    return frame


@needs_fit
def log_rank_test(durations: pd.DataFrame) -> pd.DataFrame:
    """Whether groups lose customers alike.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.

    Returns
    -------
    DataFrame
        One row: groups, chi2, df and p, NA where the test cannot be made; reason, why not.

    References
    ----------
    Mantel (1966), Evaluation of survival data; Peto & Peto (1972), Asymptotically efficient rank invariant procedures.
    """
    table = survival_curve(durations)
    table = table[table.period > 0].pivot(index="period", columns="group", values=["at_risk", "lost"]).fillna(0)
    at_risk, lost = table["at_risk"].to_numpy(), table["lost"].to_numpy()
    groups, found = at_risk.shape[1], dict.fromkeys(("chi2", "df", "p"), pd.NA)
    reason = "one group only" if groups < 2 else "" if lost.sum() else "nobody was lost"
    if not reason:
        chi2, df = _log_rank(at_risk, lost)
        reason = "" if df else "groups were never at risk together, or all were lost at once"
        found = {"chi2": chi2, "df": df, "p": float(stats.chi2.sf(chi2, df))} if df else found
    return pd.DataFrame([{"groups": groups} | found | {"reason": reason}])


def _log_rank(at_risk, lost):
    """Chi-squared and its degrees of freedom, of arrays of periods by groups."""
    everybody, gone = at_risk.sum(axis=1), lost.sum(axis=1)
    share = at_risk / np.maximum(everybody, 1)[:, None]
    spread = gone * (everybody - gone) / np.maximum(everybody - 1, 1)
    difference = lost.sum(axis=0) - gone @ share
    variance = np.diag(spread @ share) - share.T @ (spread[:, None] * share)
    chi2 = float(difference @ np.linalg.pinv(variance, rcond=1e-10, hermitian=True) @ difference)
    df = int(np.linalg.matrix_rank(variance, tol=1e-10 * np.abs(variance).max(initial=0), hermitian=True))
    return chi2, df


def at_risk_and_lost(durations):
    """Customers whose renewal 1, 2 … was observed, and of them those lost at it: two arrays."""
    weight, last = durations.customers.to_numpy(), (durations.renewals + durations.churned).to_numpy()
    top = int(last.max(initial=0))
    left = np.bincount(last, weight, top + 1)
    came = np.bincount(entry_of(durations), weight, top + 1)
    lost = np.bincount(last[durations.churned], weight[durations.churned], top + 1)
    return (came.cumsum()[:-1] - left.cumsum()[:-1]).astype(int), lost[1:].astype(int)


def entry_of(durations):
    """Renewals of each row that came before it was observed: 0 where all were."""
    return durations["entry"].to_numpy() if "entry" in durations else np.zeros(len(durations), int)


def censor_at(durations: pd.DataFrame, periods: int) -> pd.DataFrame:
    """`durations` as observed once each customer had held the contract for so many periods.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    periods : int
        Renewals that count; what came after is not seen.

    Returns
    -------
    DataFrame
        group, renewals, churned, customers, and entry where `durations` have it.
    """
    churned = durations.churned & (durations.renewals < periods)
    entry = np.minimum(entry_of(durations), periods)
    censored = durations.assign(renewals=durations.renewals.clip(upper=periods), churned=churned, entry=entry)
    keys = ["group", *(["entry"] if "entry" in durations else []), "renewals", "churned"]
    return censored.groupby(keys, as_index=False).customers.sum()


def _curve(rows, level, min_at_risk):
    at_risk, lost = (np.append(0, found) for found in at_risk_and_lost(rows))
    at_risk[0] = rows.customers.sum()
    survival, *ends = kaplan_meier(at_risk, lost, level)
    few = np.logical_or.accumulate(at_risk < min_at_risk)
    survival = np.where(few, np.nan, survival)
    frame = pd.DataFrame({"period": np.arange(len(lost)), "at_risk": at_risk, "lost": lost, "survival": survival})
    for name, found in zip(("standard_error", "ci_low", "ci_high"), ends, strict=True):
        frame[name] = pd.Series(found, dtype="Float64").where((survival > 0) & (survival < 1))
    first = f"fewer than {min_at_risk} were at risk at renewal {few.argmax()}"
    reasons = [first, "nobody was lost so far", "nobody is left"]
    return frame.assign(reason=np.select([few, survival == 1, survival == 0], reasons, ""))


def kaplan_meier(at_risk, lost, level):
    """Survival, its standard error (Greenwood), and the ends of its interval of log(−log survival): arrays."""
    survival = np.cumprod(1 - lost / np.maximum(at_risk, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.cumsum(lost / (at_risk * (at_risk - lost))))
        reach = np.exp(_z(level) * spread / np.abs(np.log(survival)))
        return survival, survival * spread, survival**reach, survival ** (1 / reach)


def _median(rows):
    def passed(column):
        below = rows.period[(rows[column] <= 0.5).fillna(False) | (rows.survival == 0)]
        return float(below.iloc[0]) if len(below) else pd.NA

    known, reason = rows[rows.survival.notna()], ""
    median, ci_low, ci_high = map(passed, ("survival", "ci_low", "ci_high"))
    if known.empty:
        reason = rows.reason.iloc[0]
    elif median is pd.NA:
        last = known.iloc[-1]
        left = f"{last.survival:.1%} are still customers after period {last.period}"
        reason = f"{left}; use the restricted mean"
    elif ci_high is pd.NA:
        reason = "the upper end cannot be estimated: too few were observed for so long"
    found = {"customers": rows.at_risk.iloc[0], "lost": rows.lost.sum(), "median": median}
    return found | {"ci_low": ci_low, "ci_high": ci_high, "reason": reason}


def _followup(rows):
    """Periods up to which the curve is known: infinite where nobody is left."""
    return np.inf if (rows.survival == 0).any() else int(rows.survival.notna().sum()) - 1


def _restricted_mean(rows, periods):
    """Area under a curve up to `periods`, and its standard error, NA where nobody was lost by then."""
    survival, at_risk, lost = (rows[name].to_numpy()[:periods] for name in ("survival", "at_risk", "lost"))
    beyond = survival[::-1].cumsum()[::-1]
    some = (lost > 0) & (at_risk > lost)
    variance = beyond[some] ** 2 @ (lost[some] / (at_risk[some] * (at_risk[some] - lost[some])))
    return survival.sum(), np.sqrt(variance) if lost.any() else pd.NA
