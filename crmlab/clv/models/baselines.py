"""The baselines that a model must beat: each takes the frame of `collapse` and returns a Series of its name."""

import numpy as np
import pandas as pd

from crmlab.clv.models.inputs import customer_weights


def past_rate(customers: pd.DataFrame, horizon_days: float) -> pd.Series:
    """Orders of each customer in the next `horizon_days` if each continues as before: frequency / age x days.

    Parameters
    ----------
    customers : DataFrame
        The frame of `collapse`.
    horizon_days : float
        How far ahead, days.

    Returns
    -------
    Series
        Count; 0 for customers acquired on the last day.
    """
    return _daily(customers.frequency, customers.age, customers, "past_rate") * horizon_days


def past_orders(customers):
    """As many orders to come as each customer repeated so far: frequency."""
    return customers.frequency.astype(float).rename("past_orders")


def last_orders(customers):
    """As many orders as in the last days, as many as lie ahead: last_orders of `with_baseline_features`."""
    return customers.last_orders.astype(float)


def cohort_rate(customers, horizon_days):
    """Orders in the next `horizon_days` if each customer is as all acquired in the same month: orders / age x days.

    customers : with the cohort of `with_baseline_features`
    """
    return _cohort_mean(customers.frequency, customers, "cohort_rate") * horizon_days


def past_spend_rate(customers, horizon_days):
    """Spend of each customer in the next `horizon_days` if each continues as before, the first order included, in
    currency.

    customers : with the past_spend of `with_baseline_features`
    """
    return _daily(customers.past_spend, customers.age, customers, "past_spend_rate") * horizon_days


def past_orders_spend(customers):
    """As many orders to come as each repeated so far, at the mean spend of all: the order of frequency, in currency."""
    orders, weights = customers.frequency, customer_weights(customers)
    spent = (orders * customers.monetary_value * weights).sum()
    return (orders * (spent / max((orders * weights).sum(), 1))).rename("past_orders_spend")


def last_spend(customers):
    """As much spend as in the last days, as many as lie ahead, in currency: last_spend of `with_baseline_features`."""
    return customers.last_spend.astype(float)


def cohort_spend_rate(customers, horizon_days):
    """Spend in the next `horizon_days` as that of all acquired in the same month: on repeat orders, in currency.

    customers : with the cohort of `with_baseline_features`
    """
    spent = customers.frequency * customers.monetary_value
    return _cohort_mean(spent, customers, "cohort_spend_rate") * horizon_days


def _cohort_mean(observed, customers, name):
    """What a cohort did a day of its customers' age, for each customer in it."""
    weights = customer_weights(customers)
    both = pd.DataFrame({"observed": observed * weights, "age": customers.age * weights})
    sums = both.groupby(customers.cohort).transform("sum")
    return _daily(sums.observed, sums.age, customers, name)


def _daily(observed, age, customers, name):
    """observed / age; 0 for customers acquired on the last day."""
    rate = np.divide(observed, age, out=np.zeros(len(customers)), where=np.asarray(age) > 0)
    return pd.Series(rate, customers.index, name=name)
