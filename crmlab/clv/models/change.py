"""Have customers changed since an earlier day? The parameters of one model, fitted on both."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.clv.models.orders import OrderModel
from crmlab.clv.tables import Orders, as_of_early, histories
from crmlab.dataset import Period
from crmlab.likelihood import values
from crmlab.model import blank_of, needs_fit

LEAST_DRAWS = 20  # of customers to which both models could be fitted, below which there is no covariance
LEAST_SHARE = 1e-6  # of the largest eigenvalue: below it, a difference of covariances is taken as not positive


@needs_fit
def parameter_change(
    before: OrderModel, now: OrderModel, orders: Orders, period: Period, replicates: int = 100, seed: int = 1
) -> pd.DataFrame:
    """Test whether the parameters of a model have moved from the split to the end of the holdout.

    Both fits share customers, so that the covariance of the difference of the logs of their parameters is that of the
    first less that of the second (Hausman 1978). Where this is not positive, customers are drawn anew and both models
    fitted to them.

    Parameters
    ----------
    before : OrderModel or Unfitted
        Fitted to customers as of the split.
    now : OrderModel or Unfitted
        The same model, fitted to customers as of `until`.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    period : Period
        Of `orders.period`.
    replicates : int
        Draws of customers, where they are needed.
    seed : int
        Start of the generator of draws.

    Returns
    -------
    DataFrame
        One row: statistic, Wald's, with its degrees of freedom and p; method, by which the covariance was found. Blank,
        with the reason, where the fits are of two models or have no covariance.

    References
    ----------
    Hausman (1978), Specification Tests in Econometrics.
    """
    if type(before) is not type(now):
        return blank_of(pd.DataFrame, f"{before.title} was fitted at the split, and {now.title} at the end")
    if before.covariance is None or now.covariance is None:
        return blank_of(pd.DataFrame, f"{before.title} was not fitted, but made of numbers")
    moved = np.log(values(now)) - np.log(values(before))
    covariance, method = before.covariance - now.covariance, "difference of covariances"
    lowest, *_between, highest = np.linalg.eigvalsh(covariance)
    if lowest <= LEAST_SHARE * highest:
        drawn = _drawn(before, now, orders, period, replicates, seed)
        if len(drawn) < LEAST_DRAWS:
            few = f"{len(drawn)} of {replicates} draws of customers could be fitted, and {LEAST_DRAWS} are needed"
            return blank_of(pd.DataFrame, few)
        covariance, method = np.cov(np.transpose(drawn)), f"{len(drawn)} draws of customers"
    statistic = float(moved @ np.linalg.pinv(covariance, hermitian=True) @ moved)
    p = float(stats.chi2.sf(statistic, moved.size))
    return pd.DataFrame({"statistic": [statistic], "df": [moved.size], "p": [p], "method": [method]})


def _drawn(before, now, orders, period, replicates, seed):
    """Differences of the logs, of both models fitted to customers drawn anew, as often as both could be."""
    kinds = histories(orders, period.split, period.until, period.acquired_from)
    rng, everybody, moved = np.random.default_rng(seed), int(kinds.customers.sum()), []
    for _draw in range(replicates):
        drawn = kinds.assign(customers=rng.multinomial(everybody, kinds.customers / everybody))
        pair = [
            type(model).fit(frame[frame.customers > 0], starts=[tuple(values(model))], replicates=0)
            for model, frame in ((before, as_of_early(drawn)), (now, drawn))
        ]
        if all(pair):
            moved.append(np.subtract(*(np.log(values(model)) for model in pair)))
    return moved
