"""How many customers ordered so often, and spent so much, beside how many a model expects."""

import numpy as np
import pandas as pd
from scipy.special import betainc

from crmlab.clv.metrics.orders import frequency_groups
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.orders import OrderModel, sufficient_statistics
from crmlab.clv.tables import Customers, collapsed, mean_spends
from crmlab.contracts import InputError
from crmlab.model import FitError, needs_fit

SHOWN = 0.99  # share of repeat buyers whose mean spend lies in bins of one width; the last bin holds the others
STEPS = np.array([1.0, 2.0, 2.5, 5.0, 10.0])  # of which, times a power of ten, a bin is wide


@needs_fit
def repeat_order_distribution(model: OrderModel, customers: Customers, max_frequency: int = 7) -> pd.DataFrame:
    """Compare how many customers placed 0, 1, 2 … repeat orders with how many a model expects.

    The expected numbers are exact: the probability of so many orders within the age of each customer, summed over
    customers.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`: what the model was fitted to.
    max_frequency : int
        Repeat orders from which on customers are one group: the counts are censored there, on the right.

    Returns
    -------
    DataFrame
        By repeat orders: actual and expected, customers.

    Raises
    ------
    InputError
        Where `max_frequency` is below 1.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way. [eq. 8]

    Examples
    --------
    >>> from crmlab import clv
    >>> customers = pd.DataFrame({"frequency": [0, 2], "recency": [0, 30], "age": [40, 40]})
    >>> clv.repeat_order_distribution(clv.BGNBD(0.243, 30.9, 0.793, 2.426), customers, 2).expected.round(3).tolist()
    [1.634, 0.259, 0.107]
    """
    if max_frequency < 1:
        raise InputError(f"max_frequency = {max_frequency!r}: choose a number of repeat orders, 1 or more")
    frequency, _, age, weights = sufficient_statistics(collapsed(customers))
    ages, of_age = np.unique(age, return_inverse=True)
    shares = model.order_shares_new(ages, max_frequency)
    shares = np.vstack([shares, np.maximum(1 - shares.sum(axis=0), 0)])
    counts = pd.Series(np.arange(max_frequency + 1))
    groups = pd.Index(frequency_groups(counts, max_frequency).astype(str), name="repeat orders")
    actual = np.bincount(np.minimum(frequency, max_frequency).astype(int), weights, max_frequency + 1).astype(int)
    return pd.DataFrame({"actual": actual, "expected": shares @ np.bincount(of_age, weights)}, groups)


@needs_fit
def spend_distribution(spend_model: GammaGamma, customers: Customers, bins: int = 40) -> pd.DataFrame:
    """Compare how many repeat buyers spent so much on average with how many a model of spend expects.

    The expected numbers are exact: of x orders whose spend sums to z, z / (gamma + z) has the distribution
    Beta(p x, q). Customers without a repeat order, or who spent nothing on them, are left out.

    Parameters
    ----------
    spend_model : GammaGamma or Unfitted
        Fitted model of spend.
    customers : Ibis table or DataFrame
        The table of `summarise`, or a frame with frequency, monetary_value and, where a row is several, customers.
    bins : int
        How many bins of one width there are, about, up to the mean spend that 1 % of repeat buyers exceed.

    Returns
    -------
    DataFrame
        By bin: spend_from and spend_to, mean spend an order day, in the currency of the data, infinite at the end of
        the last; actual and expected, customers.

    Raises
    ------
    InputError
        Where `bins` is below 1.

    References
    ----------
    Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value. [eq. 1a]

    Examples
    --------
    >>> from crmlab import clv
    >>> customers = pd.DataFrame({"frequency": [1, 2], "monetary_value": [10.0, 40.0]})
    >>> clv.spend_distribution(clv.GammaGamma(1, 2, 10), customers, bins=2).expected.round(3).tolist()
    [1.785, 0.141, 0.074]
    """
    if bins < 1:
        raise InputError(f"bins = {bins!r}: choose how many, 1 or more")
    x, m, weights = spend_model._statistics(mean_spends(customers))
    if not len(m):
        raise FitError("no repeat buyer spent anything", "take a longer log")
    in_order = np.argsort(m)
    upper = m[in_order][np.searchsorted(weights[in_order].cumsum(), SHOWN * weights.sum())]
    width = _width(upper / bins)
    edges = np.append(width * np.arange(np.ceil(upper / width) + 1), np.inf)
    actual = np.histogram(m, edges, weights=weights)[0].astype(int)
    counts, of_count = np.unique(x, return_inverse=True)
    total = np.outer(edges[:-1], counts)
    below = betainc(spend_model.p * counts, spend_model.q, total / (spend_model._scale(counts) + total))
    expected = np.diff(np.vstack([below, np.ones_like(counts)]), axis=0) @ np.bincount(of_count, weights)
    return pd.DataFrame({"spend_from": edges[:-1], "spend_to": edges[1:], "actual": actual, "expected": expected})


def _width(least):
    """The next round number: 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(least))
    return power * STEPS[np.searchsorted(STEPS, least / power * (1 - 1e-9))]
