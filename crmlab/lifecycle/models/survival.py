"""How long customers with a contract stay, without a model of why: survival curves and what they say of groups.

All take `durations`: group, renewals (survived), churned, customers. A loss at renewal t is seen at period t, one
more than those survived; who was last seen holding the contract after `renewals` is at risk up to that period.
"""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.contracts import InputError

NORMAL = stats.norm.ppf(0.975)


def survival_curve(durations):
    """Share of each group that survived each renewal: a frame by group and period. [Kaplan & Meier 1958]

    period     renewals since the start; 0 is the start itself
    at_risk    customers whose renewal was seen, kept or lost
    lost       of them, those who did not renew
    survival   share of all that survives this renewal, 0 to 1
    standard_error  [Greenwood]
    ci_low, ci_high  its 95 % interval, of log(−log survival), so that it stays within 0 and 1
    reason     why there is no interval; "" where there is one
    """
    parts = {group: _curve(rows) for group, rows in durations.groupby("group")}
    return pd.concat(parts, names=["group"]).reset_index("group").reset_index(drop=True)


def median_survival(durations):
    """The period by which half of each group is lost: a frame by group, with its 95 % interval.

    customers, lost           count
    median, ci_low, ci_high   periods; the ends are where those of the curve pass one half [Brookmeyer & Crowley 1982],
                              NA where that is not seen
    reason                    why there is no median, or no upper end; "" where there are both
    """
    found = {group: _median(rows) for group, rows in survival_curve(durations).groupby("group")}
    frame = pd.DataFrame.from_dict(found, orient="index").rename_axis("group")
    for name in ("median", "ci_low", "ci_high"):
        frame[name] = frame[name].astype("Float64")
    return frame


def restricted_mean_survival(durations, periods=None):
    """Periods that a customer of each group keeps on average, of the first `periods`: a frame by group.

    periods    : None takes the longest that every group was seen for, so that groups can be compared
    returns
        periods        of which the mean is taken
        mean           periods, the area under the curve, with standard_error, ci_low and ci_high (95 %)
        difference     from the first group, with difference_ci_low, difference_ci_high (95 %); NA for that group itself
        reason         why there is no interval, or no mean as a group is too young; "" where there is one
    The variance is that of the area, Σ (area beyond each loss)² lost / (at risk (at risk − lost)), rather than the
    survivors' sample variance. [Klein & Moeschberger 2003, (4.5.2)] Raises InputError where a group was not seen
    so long.
    """
    curves = dict(list(survival_curve(durations).groupby("group")))
    longest = min(_followup(rows) for rows in curves.values())
    if periods is None and not longest:
        return _no_restricted_means([group for group, rows in curves.items() if not _followup(rows)], curves)
    if periods is None:
        periods = int(longest if np.isfinite(longest) else max(rows.period.iloc[-1] for rows in curves.values()))
    if not 0 < periods <= longest:
        raise InputError(f"periods = {periods!r}: every group was seen for {longest:g} of them; choose 1 up to that")
    areas = {group: _restricted_mean(rows, periods) for group, rows in curves.items()}
    frame = pd.DataFrame.from_dict(
        areas, orient="index", columns=["mean", "standard_error"], dtype="Float64"
    ).rename_axis("group")
    frame.insert(0, "periods", periods)
    frame["ci_low"], frame["ci_high"] = (
        frame["mean"] - NORMAL * frame.standard_error,
        frame["mean"] + NORMAL * frame.standard_error,
    )
    frame["difference"] = (frame["mean"] - frame["mean"].iloc[0]).where(frame.index != frame.index[0])
    reach = NORMAL * (frame.standard_error**2 + frame.standard_error.iloc[0] ** 2) ** 0.5
    frame["difference_ci_low"], frame["difference_ci_high"] = frame.difference - reach, frame.difference + reach
    frame["reason"] = np.where(frame.standard_error.isna(), f"no interval: nobody was lost before period {periods}", "")
    return frame


def _no_restricted_means(young, groups):
    """The frame of `restricted_mean_survival` where some groups were not seen for a whole period."""
    numbers = ("mean", "standard_error", "ci_low", "ci_high", "difference", "difference_ci_low", "difference_ci_high")
    reason = f"cannot be estimated: {', '.join(map(str, young))} not seen for a whole period yet"
    frame = pd.DataFrame(pd.NA, pd.Index(groups, name="group"), numbers, dtype="Float64").assign(reason=reason)
    frame.insert(0, "periods", 0)
    return frame


def log_rank_test(durations):
    """Whether groups lose customers alike: a frame of one row. [Mantel 1966; Peto & Peto 1972]

    groups, chi2, df, p : the test; NA where it cannot be made
    reason              : why not; "" where it can
    """
    table = survival_curve(durations)
    table = table[table.period > 0].pivot(index="period", columns="group", values=["at_risk", "lost"]).fillna(0)
    at_risk, lost = table["at_risk"].to_numpy(), table["lost"].to_numpy()
    groups = at_risk.shape[1]
    reason = "one group only" if groups < 2 else "" if lost.sum() else "nobody was lost"
    if reason:
        blank = {"groups": groups, "chi2": pd.NA, "df": pd.NA, "p": pd.NA, "reason": f"cannot be estimated: {reason}"}
        return pd.DataFrame([blank])
    everybody, gone = at_risk.sum(axis=1), lost.sum(axis=1)
    share = at_risk / everybody[:, None]
    spread = gone * (everybody - gone) / np.maximum(everybody - 1, 1)
    difference = lost.sum(axis=0) - gone @ share
    variance = np.diag(spread @ share) - share.T @ (spread[:, None] * share)
    chi2 = float(difference @ np.linalg.pinv(variance, rcond=1e-10, hermitian=True) @ difference)
    df = int(np.linalg.matrix_rank(variance, tol=1e-10 * np.abs(variance).max(initial=0), hermitian=True))
    if not df:
        reason = "cannot be estimated: groups were never at risk together, or all were lost at once"
        return pd.DataFrame([{"groups": groups, "chi2": pd.NA, "df": pd.NA, "p": pd.NA, "reason": reason}])
    return pd.DataFrame([{"groups": groups, "chi2": chi2, "df": df, "p": float(stats.chi2.sf(chi2, df)), "reason": ""}])


def at_risk_and_lost(durations):
    """Customers whose renewal 1, 2 … was seen, and of them those lost at it: two arrays."""
    renewals, weight = durations.renewals.to_numpy(), durations.customers.to_numpy()
    last = renewals + durations.churned.to_numpy()
    top = int(last.max(initial=0))
    left = np.bincount(last, weight, top + 1).astype(int)
    lost = np.bincount(renewals[durations.churned] + 1, weight[durations.churned], top + 1).astype(int)
    return left[::-1].cumsum()[::-1][1:], lost[1:]


def censor_at(durations, periods):
    """What was known of `durations` once each customer had been there for so many periods: a frame like it."""
    churned = durations.churned & (durations.renewals < periods)
    known = durations.assign(renewals=durations.renewals.clip(upper=periods), churned=churned)
    return known.groupby(["group", "renewals", "churned"], as_index=False).customers.sum()


def _curve(rows):
    at_risk, lost = (np.append(0, found) for found in at_risk_and_lost(rows))
    at_risk[0] = rows.customers.sum()
    survival = np.cumprod(1 - lost / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.cumsum(lost / (at_risk * (at_risk - lost)))  # Greenwood's sum
        reach = np.exp(NORMAL * np.sqrt(spread) / np.abs(np.log(survival)))
        ends = {
            "standard_error": survival * np.sqrt(spread),
            "ci_low": survival**reach,
            "ci_high": survival ** (1 / reach),
        }
    known = (survival > 0) & (survival < 1)
    reason = np.where(survival == 1, "nobody was lost so far", "nobody is left")
    return pd.DataFrame(
        {"period": np.arange(len(lost)), "at_risk": at_risk, "lost": lost, "survival": survival}
        | {name: pd.Series(found, dtype="Float64").where(known) for name, found in ends.items()}
        | {"reason": np.where(known, "", np.char.add("cannot be estimated: ", reason))}
    )


def _median(rows):
    def passed(column):
        below = rows.period[(rows[column] <= 0.5).fillna(False) | (rows.survival == 0)]
        return float(below.iloc[0]) if len(below) else pd.NA

    last = rows.iloc[-1]
    found = {"customers": rows.at_risk.iloc[0], "lost": rows.lost.sum(), "median": passed("survival")}
    found |= {"ci_low": passed("ci_low"), "ci_high": passed("ci_high"), "reason": ""}
    if found["median"] is pd.NA:
        found["reason"] = (
            f"cannot be estimated: {last.survival:.1%} are still there after period {last.period}; "
            "use the restricted mean"
        )
    elif found["ci_high"] is pd.NA:
        found["reason"] = "the upper end cannot be estimated: too few were seen for so long"
    return found


def _followup(rows):
    """Periods up to which the curve is known: for ever where nobody is left."""
    return np.inf if rows.survival.iloc[-1] == 0 else rows.period.iloc[-1]


def _restricted_mean(rows, periods):
    """Area under a curve up to `periods`, and its standard error, NA where nobody was lost by then."""
    survival, at_risk, lost = (rows[name].to_numpy()[:periods] for name in ("survival", "at_risk", "lost"))
    beyond = survival[::-1].cumsum()[::-1]
    some = (lost > 0) & (at_risk > lost)
    variance = beyond[some] ** 2 @ (lost[some] / (at_risk[some] * (at_risk[some] - lost[some])))
    return survival.sum(), np.sqrt(variance) if lost.any() else pd.NA
