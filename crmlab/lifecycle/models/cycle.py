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
from crmlab.stats.intervals import tails

LATE = 0.9  # share of returners who are back before a customer is overdue
ENOUGH = 30  # returns for a quantile, and waits still followed, beyond which a curve is not trusted
SETTLED = 0.05  # share of returns in the last quarter of the time followed, up to which the curve has levelled off
REPLICATES = 400


@dataclass(frozen=True)
class Overdue:
    """The waits beyond which customers are overdue.

    after     : days after the first, second, third ... order, for those who placed no more
    times_own : own mean gaps, for those with more orders; None takes the last of `after`
    """

    after: tuple
    times_own: float | None

    @classmethod
    def fit(cls, gaps, own_gaps):
        """The waits by which LATE of those who come back are back, from `tables.cycle`.

        Raises InputError where too few came back.
        """
        points = overdue(gaps, own_gaps, replicates=0)
        if points.overdue.iloc[:-1].isna().any():
            raise InputError(f"overdue points: {points.reason.iloc[0]}")
        own = points.overdue.iloc[-1]
        return cls(tuple(points.overdue.iloc[:-1]), None if np.isnan(own) else float(own))


def overdue(gaps, own_gaps, replicates=REPLICATES, seed=1):
    """When customers are overdue, by order number: a frame.

    gaps, own_gaps : of `tables.cycle`
    returns, by order_number (1, 2, 3 in days; "4+" in own mean gaps)
        unit            "days" or "own mean gaps"
        waits, returned  count; of several order numbers where one alone has too few, as `reason` says
        followed        how long waits are followed
        ever            share who come back within that time, 0 to 1
        median, overdue  waits by which half, and LATE, of these are back
        low, high       95 % bootstrap interval of `overdue`
        reason          why a number is missing, or what to make of it
    """
    numbers, rows = sorted(gaps.order_number.unique()), []
    most = max(4, *numbers) if numbers else 4
    for number in range(1, most):
        held, pooled = _enough(gaps, number)
        rows.append({"order_number": str(number), "unit": "days"} | _point(held, pooled, replicates, [seed, number]))
    own = _point(own_gaps, "", replicates, [seed, most])
    rows.append({"order_number": f"{most}+", "unit": "own mean gaps"} | own)
    return pd.DataFrame(rows).set_index("order_number")


def _enough(gaps, number):
    """Waits after an order number, with later ones, and then earlier ones, where it alone has too few returns."""
    choices = {
        "": gaps.order_number == number,
        f"too few returns after order {number} alone: {number} and later together": gaps.order_number >= number,
        f"too few returns after order {number}: all orders together": gaps.order_number > 0,
    }
    for pooled, held in choices.items():
        if (gaps.customers * gaps.closed)[held].sum() >= ENOUGH:
            return gaps[held], pooled
    return gaps, ""


def _point(held, pooled, replicates, seed):
    """What is known of one order number: a dict."""
    returned, waits = int((held.customers * held.closed).sum()), int(held.customers.sum())
    blank = dict.fromkeys(("followed", "ever", "median", "overdue", "low", "high"), np.nan)
    found = {"waits": waits, "returned": returned} | blank
    if returned < ENOUGH:
        few = f"cannot be estimated: {returned:,} came back, at least {ENOUGH} are needed; take a longer log"
        return found | {"reason": few}
    wait, open_, closed = _counts(held)
    drawn = np.random.default_rng(seed).multinomial(waits, np.append(open_, closed) / waits, replicates)
    curves = _gone_by(*(np.vstack([part, drawn[:, side]]) for part, side in _sides(open_, closed)))
    kept = _followed(open_, closed)
    wait, curves = wait[kept], curves[:, kept]
    points = _quantile(wait, curves, LATE)
    found |= {"followed": wait[-1], "ever": curves[0, -1]}
    found |= {"median": _quantile(wait, curves[:1], 0.5)[0], "overdue": points[0]}
    if replicates:
        found["low"], found["high"] = tails(points[1:])
    quarter = np.searchsorted(wait, 0.75 * wait[-1], side="right") - 1
    late = 1 - curves[0, quarter] / curves[0, -1]
    short = f"returns still come after {found['followed']:g}: a lower bound" if late > SETTLED else ""
    return found | {"reason": "; ".join(filter(None, (pooled, short)))}


def _counts(held):
    """Distinct waits, ascending, with how many of each are open and closed: three arrays."""
    counts = held.pivot_table("customers", "gap", "closed", "sum", fill_value=0)
    counts = counts.reindex(columns=[False, True], fill_value=0).sort_index()
    return counts.index.to_numpy(float), counts[False].to_numpy(), counts[True].to_numpy()


def _sides(open_, closed):
    return (open_, slice(0, len(open_))), (closed, slice(len(open_), None))


def _at_risk(open_, closed):
    """How many wait as long or longer."""
    return np.cumsum((open_ + closed)[..., ::-1], axis=-1)[..., ::-1]


def _gone_by(open_, closed):
    """Share who are back by each wait, of all who ever wait so long. [Kaplan & Meier 1958]"""
    at_risk = np.maximum(_at_risk(open_, closed), 1)
    return 1 - np.cumprod(1 - closed / at_risk, axis=-1)


def _followed(open_, closed):
    """Which waits are followed for enough customers to be trusted."""
    kept = _at_risk(open_, closed) >= min(ENOUGH, (open_ + closed).sum())
    return kept | (np.arange(len(kept)) == 0)


def _quantile(wait, curves, share):
    """The first wait by which `share` of those who come back at all are back, of each curve."""
    return wait[(curves >= share * curves[:, -1:] - 1e-12).argmax(axis=1)]


def returns(gaps):
    """How customers come back, wait by wait: a life table, by order number, as far as enough are followed.

    order_number, wait  wait in days
    waiting, returned   customers who waited so long, and who came back then, count
    hazard              share of the former who did, 0 to 1
    share, low, high    of all, back by then, with its 95 % interval (log-log, Greenwood's variance)
    """
    found = []
    for number, held in gaps.groupby("order_number"):
        wait, open_, closed = _counts(held)
        at_risk, share = _at_risk(open_, closed), _gone_by(open_, closed)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sqrt(np.cumsum(closed / (at_risk * (at_risk - closed)))) / np.abs(np.log1p(-share))
            low, high = (1 - (1 - share) ** np.exp(-sign * stats.norm.ppf(0.975) * spread) for sign in (1, -1))
        columns = {"order_number": number, "wait": wait, "waiting": at_risk, "returned": closed}
        columns |= {"hazard": closed / at_risk, "share": share, "low": low, "high": high}
        found.append(pd.DataFrame(columns)[_followed(open_, closed)])
    return pd.concat(found, ignore_index=True)


def hazard(gaps, days=28):
    """How likely customers who still wait are to come back, by how long they have waited: a frame, by order number.

    days          : width of a class of waits; classes that fewer than ENOUGH wait through are left out
    order_number, since   the class begins after so many days of waiting
    waiting       customers who waited so long at least, count
    returned      in the class, count
    hazard        chance to come back within a day, 0 to 1: returned over days waited
    low, high     its 95 % interval (Poisson, exact)
    """
    found = []
    for order_number, held in gaps.groupby("order_number"):
        edges = np.arange(0, held.gap.max() + days, days)
        wait, customers = held.gap.to_numpy(float)[:, None], held.customers.to_numpy()[:, None]
        waited = (np.clip(wait - edges, 0, days) * customers).sum(axis=0)
        within = (wait > edges) & (wait <= edges + days) & held.closed.to_numpy()[:, None]
        returned, waiting = ((part * customers).sum(axis=0) for part in (within, wait > edges))
        low, high = stats.chi2.ppf(0.025, 2 * returned) / 2, stats.chi2.ppf(0.975, 2 * returned + 2) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = {"order_number": order_number, "since": edges, "waiting": waiting, "returned": returned}
            columns |= {"hazard": returned / waited, "low": np.nan_to_num(low) / waited, "high": high / waited}
        found.append(pd.DataFrame(columns)[waited >= ENOUGH * days])
    return pd.concat(found, ignore_index=True)
