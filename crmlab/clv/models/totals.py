"""Totals over all customers, each with its interval."""

import numpy as np

from crmlab import likelihood
from crmlab.clv.models.value import total, value
from crmlab.stats import intervals

DRAWS = 400


def active_customers(orders, customers, seed):
    """How many customers are still active: an Estimate, with a confidence interval."""
    count = lambda model: total(model.p_alive(customers), customers.customers)  # noqa: E731
    return intervals.confidence(count(orders), map(count, likelihood.draws(orders, DRAWS, seed)), "customers")


def orders_ahead(orders, customers, days, seed):
    """Orders that all customers will place in the next `days`: an Estimate, with a predictive interval."""
    rng = np.random.default_rng(seed)
    drawn = (len(model.simulate_orders(customers, days, rng)) for model in likelihood.draws(orders, DRAWS, seed))
    expected = total(orders.expected_orders(customers, days), customers.customers)
    return intervals.predictive(expected, drawn, "orders")


def value_ahead(orders, spend, customers, days, discount_annual, margin, seed, currency=""):
    """What all customers are worth over the next `days`: an Estimate, with a confidence interval.

    customers : a collapsed summary; its mean spends suffice, as expected spend is linear in them
    """

    def worth(order_model, spend_model):
        orders_to_come = order_model.discounted_orders(customers, discount_annual, days)
        return total(value(orders_to_come, spend_model.expected_spend(customers), margin), customers.customers)

    pairs = zip(likelihood.draws(orders, DRAWS, seed), likelihood.draws(spend, DRAWS, seed + 1), strict=True)
    return intervals.confidence(worth(orders, spend), (worth(*pair) for pair in pairs), currency)
