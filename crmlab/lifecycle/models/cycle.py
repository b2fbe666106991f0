"""When customers come back, if ever, and from when on they are overdue.

Waits still open are censored, and some customers never come back: the Kaplan–Meier curve of all waits levels off at
the share who do not. Divided by its height there, it is the distribution of waits among those who do, corrected for
the long waits that the end of the log cuts off. [Maller & Zhou 1992; 1996, 2.3]
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.contracts import InputError
from crmlab.stats.intervals import percentile_interval

OVERDUE_QUANTILE = 0.9  # share of returners who are back before a customer is overdue
MIN_COUNT = 30  # returns for a quantile, and waits still followed, beyond which a curve is not trusted
PLATEAU = 0.05  # share of returns in the last quarter of the time followed, up to which the curve has levelled off
REPLICATES = 400


@dataclass(frozen=True)
class OverdueThresholds:
    """The waits beyond which customers are overdue.

    days : after the first, second, third ... order, for those who placed no more
    own_gap_multiple : own mean gaps, for those with more orders; None takes the last of `days`
    """

    days: tuple
    own_gap_multiple: float | None

    @classmethod
    def fit(cls, interpurchase_times, relative_interpurchase_times):
        """The waits by which OVERDUE_QUANTILE of those who come back are back, from `tables.cycle`.

        Raises InputError where too few came back.
        """
        points = overdue_thresholds(interpurchase_times, relative_interpurchase_times, replicates=0)
        if points.overdue_after.iloc[:-1].isna().any():
            raise InputError(f"overdue points: {points.reason.iloc[0]}")
        own = points.overdue_after.iloc[-1]
        return cls(tuple(points.overdue_after.iloc[:-1]), None if np.isnan(own) else float(own))


def overdue_thresholds(interpurchase_times, relative_interpurchase_times, replicates=REPLICATES, seed=1):
    """When customers are overdue, by order number: a frame.

    interpurchase_times, relative_interpurchase_times : of `tables.cycle`
    returns, by order_number (1, 2, 3 in days; "4+" in own mean gaps)
        unit            "days" or "own mean gaps"
        n, returned     waits, and those that ended with an order, count; of several order numbers where one alone has
                        too few, as `reason` says
        followup        how long waits are followed
        return_share    share who come back within that time, 0 to 1
        median, overdue_after   waits by which half, and OVERDUE_QUANTILE, of these are back
        overdue_after_ci_low, overdue_after_ci_high   95 %, bootstrap
        reason          why a number is missing, or what to make of it
    """
    numbers, rows = sorted(interpurchase_times.order_number.unique()), []
    most = max(4, *numbers) if numbers else 4
    for number in range(1, most):
        held, pooled = _enough(interpurchase_times, number)
        rows.append({"order_number": str(number), "unit": "days"} | _point(held, pooled, replicates, [seed, number]))
    own = _point(relative_interpurchase_times, "", replicates, [seed, most])
    rows.append({"order_number": f"{most}+", "unit": "own mean gaps"} | own)
    return pd.DataFrame(rows).set_index("order_number")


def _enough(interpurchase_times, number):
    """Waits after an order number, with later ones, and then earlier ones, where it alone has too few returns."""
    choices = {
        "": interpurchase_times.order_number == number,
        f"too few returns after order {number} alone: {number} and later together": interpurchase_times.order_number
        >= number,
        f"too few returns after order {number}: all orders together": interpurchase_times.order_number > 0,
    }
    for pooled, held in choices.items():
        if (interpurchase_times.customers * interpurchase_times.observed)[held].sum() >= MIN_COUNT:
            return interpurchase_times[held], pooled
    return interpurchase_times, ""


def _point(held, pooled, replicates, seed):
    """What is known of one order number: a dict."""
    returned, waits = int((held.customers * held.observed).sum()), int(held.customers.sum())
    blank = dict.fromkeys(
        ("followup", "return_share", "median", "overdue_after", "overdue_after_ci_low", "overdue_after_ci_high"), np.nan
    )
    found = {"n": waits, "returned": returned} | blank
    if returned < MIN_COUNT:
        few = f"cannot be estimated: {returned:,} came back, at least {MIN_COUNT} are needed; take a longer log"
        return found | {"reason": few}
    wait, censored, observed = _by_wait(held)
    drawn = np.random.default_rng(seed).multinomial(waits, np.append(censored, observed) / waits, replicates)
    curves = _share_returned(*(np.vstack([part, drawn[:, side]]) for part, side in _sides(censored, observed)))
    kept = _followup(censored, observed)
    wait, curves = wait[kept], curves[:, kept]
    points = _quantile(wait, curves, OVERDUE_QUANTILE)
    found |= {"followup": wait[-1], "return_share": curves[0, -1]}
    found |= {"median": _quantile(wait, curves[:1], 0.5)[0], "overdue_after": points[0]}
    if replicates:
        found["overdue_after_ci_low"], found["overdue_after_ci_high"] = percentile_interval(points[1:])
    quarter = np.searchsorted(wait, 0.75 * wait[-1], side="right") - 1
    late = 1 - curves[0, quarter] / curves[0, -1]
    short = f"returns still come after {found['followup']:g}: a lower bound" if late > PLATEAU else ""
    return found | {"reason": "; ".join(filter(None, (pooled, short)))}


def _by_wait(held):
    """Distinct waits, ascending, with how many of each are censored and observed: three arrays."""
    counts = held.pivot_table("customers", "gap", "observed", "sum", fill_value=0)
    counts = counts.reindex(columns=[False, True], fill_value=0).sort_index()
    return counts.index.to_numpy(float), counts[False].to_numpy(), counts[True].to_numpy()


def _sides(censored, observed):
    return (censored, slice(0, len(censored))), (observed, slice(len(censored), None))


def _at_risk(censored, observed):
    """How many wait as long or longer."""
    return np.cumsum((censored + observed)[..., ::-1], axis=-1)[..., ::-1]


def _share_returned(censored, observed):
    """Share who are back by each wait, of all who ever wait so long. [Kaplan & Meier 1958]"""
    at_risk = np.maximum(_at_risk(censored, observed), 1)
    return 1 - np.cumprod(1 - observed / at_risk, axis=-1)


def _followup(censored, observed):
    """Which waits are followed for enough customers to be trusted."""
    kept = _at_risk(censored, observed) >= min(MIN_COUNT, (censored + observed).sum())
    return kept | (np.arange(len(kept)) == 0)


def _quantile(wait, curves, share):
    """The first wait by which `share` of those who come back at all are back, of each curve."""
    return wait[(curves >= share * curves[:, -1:] - 1e-12).argmax(axis=1)]


def return_curve(interpurchase_times):
    """How customers come back, wait by wait: a life table, by order number, as far as enough are followed.

    order_number, wait  wait in days
    at_risk, returned   customers who waited so long, and who came back then, count
    hazard              share of the former who did, 0 to 1
    share, share_ci_low, share_ci_high   of all, back by then, with its 95 % interval (log-log, Greenwood's variance)
    """
    found = []
    for number, held in interpurchase_times.groupby("order_number"):
        wait, censored, observed = _by_wait(held)
        at_risk, share = _at_risk(censored, observed), _share_returned(censored, observed)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sqrt(np.cumsum(observed / (at_risk * (at_risk - observed)))) / np.abs(np.log1p(-share))
            share_ci_low, share_ci_high = (
                1 - (1 - share) ** np.exp(-sign * stats.norm.ppf(0.975) * spread) for sign in (1, -1)
            )
        columns = {"order_number": number, "wait": wait, "at_risk": at_risk, "returned": observed}
        columns |= {
            "hazard": observed / at_risk,
            "share": share,
            "share_ci_low": share_ci_low,
            "share_ci_high": share_ci_high,
        }
        found.append(pd.DataFrame(columns)[_followup(censored, observed)])
    return pd.concat(found, ignore_index=True)


def return_hazard(interpurchase_times, bin_days=28):
    """How likely customers who still wait are to come back, by how long they have waited: a frame, by order number.

    bin_days      : width of a class of waits; classes that fewer than MIN_COUNT wait through are left out
    order_number, wait_from   the class begins after so many days of waiting
    at_risk       customers who waited so long at least, count
    returned      in the class, count
    hazard        chance to come back within a day, 0 to 1: returned over days waited
    ci_low, ci_high   its 95 % interval (Poisson, exact)
    """
    found = []
    for order_number, held in interpurchase_times.groupby("order_number"):
        edges = np.arange(0, held.gap.max() + bin_days, bin_days)
        wait, customers = held.gap.to_numpy(float)[:, None], held.customers.to_numpy()[:, None]
        waited = (np.clip(wait - edges, 0, bin_days) * customers).sum(axis=0)
        within = (wait > edges) & (wait <= edges + bin_days) & held.observed.to_numpy()[:, None]
        returned, at_risk = ((part * customers).sum(axis=0) for part in (within, wait > edges))
        ci_low, ci_high = stats.chi2.ppf(0.025, 2 * returned) / 2, stats.chi2.ppf(0.975, 2 * returned + 2) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = {"order_number": order_number, "wait_from": edges, "at_risk": at_risk, "returned": returned}
            columns |= {
                "hazard": returned / waited,
                "ci_low": np.nan_to_num(ci_low) / waited,
                "ci_high": ci_high / waited,
            }
        found.append(pd.DataFrame(columns)[waited >= MIN_COUNT * bin_days])
    return pd.concat(found, ignore_index=True)
