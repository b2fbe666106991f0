"""How long customers with a contract stay, without a model of why: survival curves and what they say of groups.

All take `durations`: group, length (renewals survived), ended, customers. A loss at renewal t is seen at period t, one
more than the length; who was last seen holding the contract after `length` renewals is at risk up to that period.
"""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.contracts import InputError

NORMAL = stats.norm.ppf(0.975)


def curve(durations):
    """Share of each group that survived each renewal: a frame by group and period. [Kaplan & Meier 1958]

    period     renewals since the start; 0 is the start itself
    at_risk    customers whose renewal was seen, kept or lost
    lost       of them, those who did not renew
    survival   share of all that survives this renewal, 0 to 1
    se         its standard error [Greenwood]
    low, high  its 95 % interval, of log(−log survival), so that it stays within 0 and 1
    reason     why there is no interval; "" where there is one
    """
    parts = {group: _curve(rows) for group, rows in durations.groupby("group")}
    return pd.concat(parts, names=["group"]).reset_index("group").reset_index(drop=True)


def median(durations):
    """The period by which half of each group is lost: a frame by group, with its 95 % interval.

    customers, lost           count
    median, low, high         periods; the ends are where those of the curve pass one half [Brookmeyer & Crowley 1982],
                              NA where that is not seen
    reason                    why there is no median, or no upper end; "" where there are both
    """
    found = {group: _median(rows) for group, rows in curve(durations).groupby("group")}
    frame = pd.DataFrame.from_dict(found, orient="index").rename_axis("group")
    for name in ("median", "low", "high"):
        frame[name] = frame[name].astype("Float64")
    return frame


def restricted_mean(durations, periods=None):
    """Periods that a customer of each group keeps on average, of the first `periods`: a frame by group.

    periods    : None takes the longest that every group was seen for, so that groups can be compared
    returns
        periods        of which the mean is taken
        mean           periods, the area under the curve, with se, low and high (95 %)
        difference     from the first group, with difference_low and difference_high (95 %); NA for that group itself
        reason         why there is no interval, or no mean as a group is too young; "" where there is one
    The variance is that of the area, Σ (area beyond each loss)² lost / (at risk (at risk − lost)), rather than the
    survivors' sample variance. [Klein & Moeschberger 2003, (4.5.2)] Raises InputError where a group was not seen
    so long.
    """
    curves = dict(list(curve(durations).groupby("group")))
    longest = min(_seen(rows) for rows in curves.values())
    if periods is None and not longest:
        return _no_areas([group for group, rows in curves.items() if not _seen(rows)], curves)
    if periods is None:
        periods = int(longest if np.isfinite(longest) else max(rows.period.iloc[-1] for rows in curves.values()))
    if not 0 < periods <= longest:
        raise InputError(f"periods = {periods!r}: every group was seen for {longest:g} of them; choose 1 up to that")
    areas = {group: _area(rows, periods) for group, rows in curves.items()}
    frame = pd.DataFrame.from_dict(areas, orient="index", columns=["mean", "se"], dtype="Float64").rename_axis("group")
    frame.insert(0, "periods", periods)
    frame["low"], frame["high"] = frame["mean"] - NORMAL * frame.se, frame["mean"] + NORMAL * frame.se
    frame["difference"] = (frame["mean"] - frame["mean"].iloc[0]).where(frame.index != frame.index[0])
    reach = NORMAL * (frame.se**2 + frame.se.iloc[0] ** 2) ** 0.5
    frame["difference_low"], frame["difference_high"] = frame.difference - reach, frame.difference + reach
    frame["reason"] = np.where(frame.se.isna(), f"no interval: nobody was lost before period {periods}", "")
    return frame


def _no_areas(young, groups):
    """The frame of `restricted_mean` where some groups were not seen for a whole period."""
    numbers = ("mean", "se", "low", "high", "difference", "difference_low", "difference_high")
    reason = f"cannot be estimated: {', '.join(map(str, young))} not seen for a whole period yet"
    frame = pd.DataFrame(pd.NA, pd.Index(groups, name="group"), numbers, dtype="Float64").assign(reason=reason)
    frame.insert(0, "periods", 0)
    return frame


def log_rank(durations):
    """Whether groups lose customers alike: a frame of one row. [Mantel 1966; Peto & Peto 1972]

    groups, chi2, df, p : the test; NA where it cannot be made
    reason              : why not; "" where it can
    """
    table = curve(durations)
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
    apart = lost.sum(axis=0) - gone @ share
    variance = np.diag(spread @ share) - share.T @ (spread[:, None] * share)
    chi2 = float(apart @ np.linalg.pinv(variance, rcond=1e-10, hermitian=True) @ apart)
    df = int(np.linalg.matrix_rank(variance, tol=1e-10 * np.abs(variance).max(initial=0), hermitian=True))
    if not df:
        reason = "cannot be estimated: groups were never at risk together, or all were lost at once"
        return pd.DataFrame([{"groups": groups, "chi2": pd.NA, "df": pd.NA, "p": pd.NA, "reason": reason}])
    return pd.DataFrame([{"groups": groups, "chi2": chi2, "df": df, "p": float(stats.chi2.sf(chi2, df)), "reason": ""}])


def at_risk_and_lost(durations):
    """Customers whose renewal 1, 2 … was seen, and of them those lost at it: two arrays."""
    length, weight = durations.length.to_numpy(), durations.customers.to_numpy()
    last = length + durations.ended.to_numpy()
    top = int(last.max(initial=0))
    left = np.bincount(last, weight, top + 1).astype(int)
    lost = np.bincount(length[durations.ended] + 1, weight[durations.ended], top + 1).astype(int)
    return left[::-1].cumsum()[::-1][1:], lost[1:]


def first_periods(durations, periods):
    """What was known of `durations` once each customer had been there for so many periods: a frame like it."""
    ended = durations.ended & (durations.length < periods)
    known = durations.assign(length=durations.length.clip(upper=periods), ended=ended)
    return known.groupby(["group", "length", "ended"], as_index=False).customers.sum()


def _curve(rows):
    at_risk, lost = (np.append(0, found) for found in at_risk_and_lost(rows))
    at_risk[0] = rows.customers.sum()
    survival = np.cumprod(1 - lost / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.cumsum(lost / (at_risk * (at_risk - lost)))  # Greenwood's sum
        reach = np.exp(NORMAL * np.sqrt(spread) / np.abs(np.log(survival)))
        ends = {"se": survival * np.sqrt(spread), "low": survival**reach, "high": survival ** (1 / reach)}
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
    found |= {"low": passed("low"), "high": passed("high"), "reason": ""}
    if found["median"] is pd.NA:
        found["reason"] = (
            f"cannot be estimated: {last.survival:.1%} are still there after period {last.period}; "
            "use the restricted mean"
        )
    elif found["high"] is pd.NA:
        found["reason"] = "the upper end cannot be estimated: too few were seen for so long"
    return found


def _seen(rows):
    """Periods up to which the curve is known: for ever where nobody is left."""
    return np.inf if rows.survival.iloc[-1] == 0 else rows.period.iloc[-1]


def _area(rows, periods):
    """Area under a curve up to `periods`, and its standard error, NA where nobody was lost by then."""
    survival, at_risk, lost = (rows[name].to_numpy()[:periods] for name in ("survival", "at_risk", "lost"))
    beyond = survival[::-1].cumsum()[::-1]
    some = (lost > 0) & (at_risk > lost)
    variance = beyond[some] ** 2 @ (lost[some] / (at_risk[some] * (at_risk[some] - lost[some])))
    return survival.sum(), np.sqrt(variance) if lost.any() else pd.NA
