"""The rules of thumb that a model must beat: each takes the frame of `collapse` and returns a Series of its name."""

import numpy as np
import pandas as pd

from crmlab.clv.models.inputs import count_customers


def past_rate(summary, days):
    """Orders of each customer in the next `days` if each goes on as before: frequency / age x days."""
    return _daily(summary.frequency, summary.age, summary, "past_rate") * days


def past_orders(summary):
    """As many orders to come as each customer repeated so far: frequency."""
    return summary.frequency.astype(float).rename("past_orders")


def last_orders(summary):
    """As many orders as in the last days, as many as lie ahead: last_orders of `with_past`."""
    return summary.last_orders.astype(float)


def cohort_rate(summary, days):
    """Orders in the next `days` if each customer is as all who came in the same month: their orders / their age x days.

    summary : with the cohort of `with_past`
    """
    return _cohort_mean(summary.frequency, summary, "cohort_rate") * days


def past_spend_rate(summary, days):
    """Spend of each customer in the next `days` if each goes on as before, the first order included, in currency.

    summary : with the past_spend of `with_past`
    """
    return _daily(summary.past_spend, summary.age, summary, "past_spend_rate") * days


def past_orders_spend(summary):
    """As many orders to come as each repeated so far, at the mean spend of all: the order of frequency, in currency."""
    orders, customers = summary.frequency, count_customers(summary)
    spent = (orders * summary.monetary_value * customers).sum()
    return (orders * (spent / max((orders * customers).sum(), 1))).rename("past_orders_spend")


def last_spend(summary):
    """As much spend as in the last days, as many as lie ahead, in currency: last_spend of `with_past`."""
    return summary.last_spend.astype(float)


def cohort_spend_rate(summary, days):
    """Spend in the next `days` if each customer is as all who came in the same month: on repeat orders, in currency.

    summary : with the cohort of `with_past`
    """
    spent = summary.frequency * summary.monetary_value
    return _cohort_mean(spent, summary, "cohort_spend_rate") * days


def _cohort_mean(seen, summary, name):
    """What a cohort did a day of its customers' age, for each customer in it."""
    customers = count_customers(summary)
    both = pd.DataFrame({"seen": seen * customers, "age": summary.age * customers})
    sums = both.groupby(summary.cohort).transform("sum")
    return _daily(sums.seen, sums.age, summary, name)


def _daily(seen, age, summary, name):
    """seen / age; 0 for who came on the last day."""
    rate = np.divide(seen, age, out=np.zeros(len(summary)), where=np.asarray(age) > 0)
    return pd.Series(rate, summary.index, name=name)
