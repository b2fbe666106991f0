"""When customers come back, if ever, and from when on they are overdue.

Waits still open are censored, and some customers never come back: the Kaplan–Meier curve of all waits levels off at
the share who do. Divided by its height there, it is the distribution of waits among those who do, corrected for
the long waits that the end of the log cuts off. [Maller & Zhou 1992; 1996, 2.3]
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.contracts import InputError
from crmlab.estimate import Estimate, Kind
from crmlab.lifecycle.models.survival import kaplan_meier
from crmlab.lifecycle.tables.cycle import POOLED_FROM
from crmlab.model import FitError, Model, or_unfitted, prediction
from crmlab.stats.intervals import percentile_interval

OVERDUE_QUANTILE = 0.9  # share of returners who are back before a customer is overdue
MIN_COUNT = 30  # returns for a quantile, and waits still followed, beyond which a curve is not trusted
PLATEAU = 0.05  # share of returns in the last quarter of the time followed, up to which the curve has levelled off
REPLICATES = 400
LONGER = "take a longer log"
NO_MULTIPLE = "too few with more orders came back; the last number of days is taken for them"
ESTIMATED = ("followed_for", "return_share", "median", "overdue_after", "overdue_after_ci_low", "overdue_after_ci_high")


@dataclass(frozen=True)
class OverdueThresholds(Model):
    """The waits beyond which customers are overdue.

    Parameters
    ----------
    days : tuple of float
        Days after the first, second, third ... order, for those who placed no more.
    own_gap_multiple : float or None
        Multiple of the customer's own mean gap, for those with more orders; None takes the last of `days`, for the
        reason in `parameters`.

    Examples
    --------
    >>> OverdueThresholds((205, 173, 117), 4.9).parameters.value.tolist()
    [205.0, 173.0, 117.0, 4.9]
    """

    title = "Overdue thresholds"
    days: tuple[float, ...]
    own_gap_multiple: float | None

    def __post_init__(self) -> None:
        days = tuple(self.days) if isinstance(self.days, (tuple, list)) else (self.days,)
        given = days if self.own_gap_multiple is None else (*days, self.own_gap_multiple)
        wrong = [value for value in given if not _positive(value)]
        if wrong or not days:
            raise InputError(f"OverdueThresholds: {', '.join(map(repr, wrong)) or 'no days'}; give numbers above 0")
        object.__setattr__(self, "days", days)

    @classmethod
    @or_unfitted
    def fit(cls, interpurchase_times: pd.DataFrame, relative_interpurchase_times: pd.DataFrame) -> "OverdueThresholds":
        """The waits by which OVERDUE_QUANTILE of those who come back are back.

        Parameters
        ----------
        interpurchase_times : DataFrame
            Waits in days, as from `interpurchase_times`.
        relative_interpurchase_times : DataFrame
            Waits in own mean gaps, as from `relative_interpurchase_times`.

        Returns
        -------
        OverdueThresholds or Unfitted
            Unfitted where too few came back after some order.
        """
        points = overdue_thresholds(interpurchase_times, relative_interpurchase_times, replicates=0)
        if points.overdue_after.iloc[:-1].isna().any():
            raise FitError(points.reason.iloc[0].removesuffix(f"; {LONGER}"), LONGER)
        own = points.overdue_after.iloc[-1]
        return cls(tuple(map(float, points.overdue_after.iloc[:-1])), None if np.isnan(own) else float(own))

    @property
    @prediction
    def parameters(self) -> pd.DataFrame:
        """A row a threshold: value; standard_error, ci_low and ci_high are blank, for the `reason` beside them."""
        names = [f"days_after_order_{number}" for number, _ in enumerate(self.days, 1)] + ["own_gap_multiple"]
        values = [*self.days, np.nan if self.own_gap_multiple is None else self.own_gap_multiple]
        frame = pd.DataFrame({"value": np.array(values, float)}, pd.Index(names, name="parameter"))
        reason = np.where(frame.value.isna(), NO_MULTIPLE, "no interval here: see `overdue_thresholds`")
        return frame.assign(standard_error=np.nan, ci_low=np.nan, ci_high=np.nan, reason=reason)


def _positive(value):
    return isinstance(value, (int, float, np.integer, np.floating)) and 0 < value < np.inf


def overdue_thresholds(
    interpurchase_times: pd.DataFrame,
    relative_interpurchase_times: pd.DataFrame,
    replicates: int = REPLICATES,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """When customers are overdue, by the number of the order they placed last.

    Parameters
    ----------
    interpurchase_times : DataFrame
        Waits in days, as from `interpurchase_times`.
    relative_interpurchase_times : DataFrame
        Waits in own mean gaps, as from `relative_interpurchase_times`.
    replicates : int
        Bootstrap draws; 0 leaves the interval blank.
    seed : int
        Seed of the draws.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        By order_number (1, 2, 3 in days; "4+" in own mean gaps):

        - unit: "days" or "own mean gaps"
        - waits, returned: waits, and those that ended with an order, count; of several order numbers where one alone
          has too few, as `reason` states
        - followed_for: how long waits are followed
        - return_share: share who come back within that time, 0 to 1
        - median, overdue_after: waits by which half, and OVERDUE_QUANTILE, of these are back
        - overdue_after_ci_low, overdue_after_ci_high: bootstrap percentile interval
        - reason: why a number is blank, or from what it was estimated

    References
    ----------
    Maller & Zhou (1996), Survival Analysis with Long-Term Survivors, section 2.3.

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> orders = catalog.orders("cdnow_sample")
    >>> waits = lifecycle.interpurchase_times(orders, "1997-09-30")
    >>> own = lifecycle.relative_interpurchase_times(orders, "1997-09-30")
    >>> lifecycle.overdue_thresholds(waits, own).overdue_after.tolist()
    [205.0, 173.0, 117.0, 4.9]
    """
    most = max(POOLED_FROM, *interpurchase_times.order_number)
    rows = {}
    for number in range(1, most):
        held, pooled = _enough(interpurchase_times, number)
        rows[str(number)] = {"unit": "days"} | _point(held, pooled, replicates, [seed, number], level)
    own = _point(relative_interpurchase_times, "", replicates, [seed, most], level)
    rows[f"{most}+"] = {"unit": "own mean gaps"} | own
    return pd.DataFrame(list(rows.values()), pd.Index(list(rows), name="order_number"))


def overdue_after(thresholds: pd.DataFrame, order_number: int | str = 1) -> Estimate:
    """The wait beyond which a customer is overdue who placed so many orders.

    Parameters
    ----------
    thresholds : DataFrame
        Waits by order number, as from `overdue_thresholds`.
    order_number : int or str
        1, 2, 3, or "4+" for later ones.

    Returns
    -------
    Estimate
        Days, or own mean gaps, with the confidence interval; blank with the reason where too few came back.

    Raises
    ------
    InputError
        Where `thresholds` has no such order number.
    """
    if str(order_number) not in thresholds.index:
        raise InputError(f"order_number = {order_number!r}: choose one of {', '.join(thresholds.index)}")
    row = thresholds.loc[str(order_number)]
    if np.isnan(row.overdue_after):
        return Estimate(None, reason=row.reason)
    kind: Kind = "days" if row.unit == "days" else "ratio"
    ends = row.overdue_after_ci_low, row.overdue_after_ci_high
    return Estimate(row.overdue_after, *ends, n=row.waits, unit=row.unit, kind=kind)


def _enough(interpurchase_times, number):
    """Waits after an order number, with later ones, and then earlier ones, where it alone has too few returns."""
    order = interpurchase_times.order_number
    choices = {
        "": order == number,
        f"too few returns after order {number} alone: {number} and later together": order >= number,
        f"too few returns after order {number}: all orders together": order > 0,
    }
    returned = interpurchase_times.customers * interpurchase_times.observed
    for pooled, held in choices.items():
        if returned[held].sum() >= MIN_COUNT:
            return interpurchase_times[held], pooled
    return interpurchase_times, ""


def _point(held, pooled, replicates, seed, level):
    """What is known of one order number: a dict."""
    returned, waits = int((held.customers * held.observed).sum()), int(held.customers.sum())
    found = {"waits": waits, "returned": returned} | dict.fromkeys(ESTIMATED, np.nan)
    if returned < MIN_COUNT:
        few = f"{returned:,} came back, at least {MIN_COUNT} are needed"
        return found | {"reason": f"{few}; {LONGER}"}
    wait, censored, observed = _by_wait(held)
    drawn = np.random.default_rng(seed).multinomial(waits, np.append(censored, observed) / waits, replicates)
    curves = _share_returned(*np.split(np.vstack([np.append(censored, observed), drawn]), 2, axis=1))
    kept = _followup(censored, observed)
    wait, curves = wait[kept], curves[:, kept]
    points = _quantile(wait, curves, OVERDUE_QUANTILE)
    found |= {"followed_for": wait[-1], "return_share": curves[0, -1]}
    found |= {"median": _quantile(wait, curves[:1], 0.5)[0], "overdue_after": points[0]}
    if replicates:
        found["overdue_after_ci_low"], found["overdue_after_ci_high"] = percentile_interval(points[1:], level)
    quarter = np.searchsorted(wait, 0.75 * wait[-1], side="right") - 1
    late = 1 - curves[0, quarter] / curves[0, -1]
    short = f"returns still come after {found['followed_for']:g}: a lower bound" if late > PLATEAU else ""
    return found | {"reason": "; ".join(filter(None, (pooled, short)))}


def _by_wait(held):
    """Distinct waits, ascending, with how many of each are censored and observed: three arrays."""
    counts = held.pivot_table("customers", "gap", "observed", "sum", fill_value=0)
    counts = counts.reindex(columns=[False, True], fill_value=0).sort_index()
    return counts.index.to_numpy(float), counts[False].to_numpy(), counts[True].to_numpy()


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


def return_curve(interpurchase_times: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """How customers come back, wait by wait: a life table, as far as enough customers are followed.

    Parameters
    ----------
    interpurchase_times : DataFrame
        Waits in days, as from `interpurchase_times`.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        - order_number, wait: the order waited from, and the wait in days
        - at_risk, returned: customers who waited so long, and who came back then, count
        - hazard: share of the former who did, 0 to 1
        - share, share_ci_low, share_ci_high: of all, back by then, with its interval (log-log, Greenwood's variance)

    References
    ----------
    Kaplan & Meier (1958), Nonparametric estimation from incomplete observations.
    """
    found = []
    for number, held in interpurchase_times.groupby("order_number"):
        wait, censored, returned = _by_wait(held)
        at_risk = _at_risk(censored, returned)
        away, _, low, high = kaplan_meier(at_risk, returned, level)
        columns = {"order_number": number, "wait": wait, "at_risk": at_risk, "returned": returned}
        columns |= {"hazard": returned / at_risk, "share": 1 - away, "share_ci_low": 1 - high, "share_ci_high": 1 - low}
        found.append(pd.DataFrame(columns)[_followup(censored, returned)])
    return pd.concat(found, ignore_index=True)


def return_hazard(interpurchase_times: pd.DataFrame, bin_days: int = 28, level: float = 0.95) -> pd.DataFrame:
    """The probability to come back within a day of customers who still wait, by how long they have waited.

    Parameters
    ----------
    interpurchase_times : DataFrame
        Waits in days, as from `interpurchase_times`.
    bin_days : int
        Width of a class of waits; classes that fewer than MIN_COUNT customers wait through are left out.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        - order_number, wait_from: the class begins after so many days of waiting
        - at_risk: customers who waited so long at least, count
        - returned: in the class, count
        - hazard: probability to come back within a day, 0 to 1: returned over days waited
        - ci_low, ci_high: its interval (Poisson, exact)

        Blank where too few waited through every class.
    """
    found = []
    for order_number, held in interpurchase_times.groupby("order_number"):
        edges = np.arange(0, held.gap.max() + bin_days, bin_days)
        wait, customers = held.gap.to_numpy(float)[:, None], held.customers.to_numpy()[:, None]
        waited = (np.clip(wait - edges, 0, bin_days) * customers).sum(axis=0)
        within = (wait > edges) & (wait <= edges + bin_days) & held.observed.to_numpy()[:, None]
        returned, at_risk = ((part * customers).sum(axis=0) for part in (within, wait > edges))
        tail = (1 - level) / 2
        ci_low, ci_high = stats.chi2.ppf(tail, 2 * returned) / 2, stats.chi2.ppf(1 - tail, 2 * returned + 2) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = {"hazard": returned / waited, "ci_low": np.nan_to_num(ci_low) / waited, "ci_high": ci_high / waited}
        columns = {"order_number": order_number, "wait_from": edges, "at_risk": at_risk, "returned": returned}
        found.append(pd.DataFrame(columns | rates)[waited >= MIN_COUNT * bin_days])
    table = pd.concat(found, ignore_index=True)
    if table.empty:
        table.attrs["reason"] = (
            f"fewer than {MIN_COUNT} customers waited through any {bin_days} days; take a longer log"
        )
    return table
