"""What fitted models expect of customers, and what they draw of them: the ground of totals and of predictions."""

import numpy as np
import pandas as pd

from crmlab.clv.models.inputs import daily_rate
from crmlab.clv.models.valuation import discounted_orders, value
from crmlab.stats.intervals import percentile_interval


def interval(name, drawn, index, level):
    """Ends of the interval of each row, from what was drawn of all: a frame, NaN where nothing was drawn."""
    low, high = percentile_interval(drawn, level) if len(drawn) else np.full((2, len(index)), np.nan)
    return pd.DataFrame({f"{name}_low": low, f"{name}_high": high}, index)


def draws_of(models):
    """Models drawn about the fitted ones, side by side: as many as each of them has."""
    return zip(*(model.draws for model in models), strict=False)


def expected_of_each(models, customers, horizon_days, rate, period_days, margin):
    """Expected of each row's customers: a frame."""
    model, *spend_models = models
    columns = {"p_alive": model.p_alive(customers)}
    if horizon_days is not None:
        columns["expected_orders"] = model.expected_orders(customers, horizon_days)
    columns["discounted_orders"] = ahead = discounted_orders(model, customers, rate, horizon_days, period_days)
    for spend_model in spend_models:
        columns["value"] = worth(ahead, spend_model, customers, margin)
    return pd.DataFrame(columns)


def worth(ahead, spend_model, customers, margin):
    """What orders ahead are expected to be worth: infinite where mean spend is."""
    each = spend_model.expected_spend(customers) if spend_model.q > 1 else np.where(ahead * margin > 0, np.inf, 0.0)
    return value(ahead, each, margin)


def simulated(models, customers, horizon_days, rate, period_days, rng):
    """Drawn of each row's customers: count of orders, discounted count and, with spend, discounted spend."""
    model, *spend_models = models
    orders = model.simulate_orders(customers, horizon_days, rng)
    discount_factor = np.exp(-daily_rate(rate) * (period_days or 1) * orders.day.to_numpy())
    sums = {"expected_orders": None, "discounted_orders": discount_factor}
    for spend_model in spend_models:
        sums["value"] = spend_model.simulate_spend(customers, orders, rng) * discount_factor
    return {name: np.bincount(orders.row, each, len(customers)) for name, each in sums.items()}
