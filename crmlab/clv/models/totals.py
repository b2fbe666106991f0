"""What is expected of all customers together and of each, with the interval that is asked for.

confidence : of an expectation; parameters are drawn about the fitted ones, the customers are those observed
predictive : of what will be seen; on top of it, who is still active and who orders when, and spends what, is drawn
"""

import numpy as np
import pandas as pd

from crmlab import likelihood
from crmlab.clv.models.inputs import daily_rate
from crmlab.clv.models.value import total, value
from crmlab.stats import intervals

DRAWS = 256  # a power of two, as points that fill a space evenly ask for


def active_customers(orders, customers, seed, interval="confidence"):
    """How many customers are still active: an Estimate."""
    return _total(
        lambda model: total(model.p_alive(customers), customers.customers),
        lambda model, rng: rng.binomial(customers.customers, model.p_alive(customers)).sum(),
        (orders,), seed, interval, "customers",
    )  # fmt: skip


def orders_ahead(orders, customers, days, seed, interval="predictive"):
    """Orders that all customers will place in the next `days`: an Estimate."""
    return _total(
        lambda model: total(model.expected_orders(customers, days), customers.customers),
        lambda model, rng: len(model.simulate_orders(customers, days, rng)),
        (orders,), seed, interval, "orders",
    )  # fmt: skip


def value_ahead(
    orders, spend, customers, days, discount_annual, margin, seed, unit="", interval="confidence", **periods
):
    """What all customers are worth over the next `days`, customer equity: an Estimate; undiscounted, what they spend.

    customers : a collapsed summary. For a confidence interval the mean spend of a row's customers will do, as expected
                spend is linear in it; a predictive one asks for `collapse(summary, "monetary_value")`
    days      : None is for ever, of which there is only a confidence interval
    periods   : every = days a period has, for BGBB, whose `days` are periods
    """

    money = (customers, days, discount_annual, margin)

    def expected(model, spend_model):
        return total(_value(model, spend_model, *money, **periods), customers.customers)

    def seen(model, spend_model, rng):
        return _seen(model, spend_model, *money, rng, **periods)[1].sum()

    return _total(expected, seen, (orders, spend), seed, interval, unit)


def expected_of_each(orders, spend, customers, days, discount_annual, margin, seed, **periods):
    """What is expected of each customer over the next `days`, and what may be seen: a frame beside `customers`.

    spend                                 None leaves out what it is needed for: value and worth
    p_alive, expected_orders, value       each with its confidence interval as _low and _high
    orders_low, orders_high               predictive, count
    worth_low, worth_high                 predictive, discounted margin, in the currency of the data
    periods                               every = days a period has, for BGBB, whose `days` are periods
    """
    one, models = customers.assign(customers=1), (orders, spend) if spend else (orders,)
    pairs, rng = list(_draws(models, seed)), np.random.default_rng(seed)
    expected = {
        "p_alive": lambda model, *_: model.p_alive(one),
        "expected_orders": lambda model, *_: model.expected_orders(one, days),
    }
    money = (one, days, discount_annual, margin)
    outcomes = [_seen(*pair, *money, rng, **periods) if spend else (_count(*pair, one, days, rng),) for pair in pairs]
    if spend:
        expected["value"] = lambda model, spend_model: _value(model, spend_model, *money, **periods)
    columns = {}
    for name, of in expected.items():
        columns[name] = of(*models)
        columns[f"{name}_low"], columns[f"{name}_high"] = intervals.tails([of(*pair) for pair in pairs])
    for name, drawn in zip(("orders", "worth"), zip(*outcomes, strict=True), strict=False):
        columns[f"{name}_low"], columns[f"{name}_high"] = intervals.tails(drawn)
    return pd.DataFrame(columns, index=customers.index)


def likely_by_group(orders, customers, days, by, seed):
    """Orders per customer that each group is likely to place in the next `days`: a frame, predictive low and high.

    by : the group of each row, a Series
    """
    place, groups = pd.factorize(by, sort=True)
    groups, rng = pd.Index(groups, name=by.name), np.random.default_rng(seed)
    size = np.bincount(place, customers.customers, len(groups))
    drawn = [
        np.bincount(place[model.simulate_orders(customers, days, rng).row], minlength=len(groups)) / size
        for model in likelihood.draws(orders, DRAWS, seed)
    ]
    return pd.DataFrame(dict(zip(("low", "high"), intervals.tails(drawn), strict=True)), groups)


def orders_by_week(orders, customers, weeks, seed):
    """Repeat orders of all customers in each week since the first acquisition: a frame by week.

    customers : the collapsed summary; the customers' ages tell when each was acquired
    weeks     : week numbers from 1, without gaps
    returns   : expected, count; low and high, predictive, for the week
                so_far_low and so_far_high, predictive, for all weeks up to it
    """
    acquired = customers.customers.groupby(customers.age.max() - customers.age).sum()
    day, last_days = acquired.index.to_numpy(), 7 * np.arange(len(weeks) + 1) - 1
    so_far = orders.expected_orders_new(np.clip(last_days[:, None] - day[None, :], 0, None))
    newcomers = pd.DataFrame({"frequency": 0, "recency": 0, "age": 0, "customers": acquired.to_numpy()})
    rng, drawn = np.random.default_rng(seed), []
    for model in likelihood.draws(orders, DRAWS, seed):
        found = model.simulate_orders(newcomers, 7 * len(weeks), rng)
        week = np.ceil(found.day + day[found.row]).astype(int) // 7
        drawn.append(np.bincount(week, minlength=len(weeks))[: len(weeks)])
    bands = *intervals.tails(drawn), *intervals.tails(np.cumsum(drawn, axis=1))
    columns = dict(zip(("low", "high", "so_far_low", "so_far_high"), bands, strict=True))
    return pd.DataFrame({"expected": np.diff(so_far @ acquired.to_numpy())} | columns, weeks)


def _total(expected, outcome, models, seed, interval, unit):
    if interval not in ("confidence", "predictive"):
        raise ValueError(f"interval = {interval!r}: choose confidence or predictive")
    if interval == "confidence":
        return intervals.confidence(expected(*models), [expected(*drawn) for drawn in _draws(models, seed)], unit)
    rng = np.random.default_rng(seed)
    return intervals.predictive(expected(*models), [outcome(*drawn, rng) for drawn in _draws(models, seed)], unit)


def _draws(models, seed):
    return zip(*(likelihood.draws(model, DRAWS, seed + n) for n, model in enumerate(models)), strict=True)


def _value(model, spend_model, customers, days, discount_annual, margin, **periods):
    """Expected of each customer: infinite where mean spend is."""
    orders = model.discounted_orders(customers, discount_annual, days, **periods)
    spend = spend_model.expected_spend(customers) if spend_model.q > 1 else np.where(orders * margin > 0, np.inf, 0.0)
    return value(orders, spend, margin)


def _seen(model, spend_model, customers, days, discount_annual, margin, rng, every=1):
    """Drawn for each row over the next `days`: how many orders come, and what they are worth."""
    orders = model.simulate_orders(customers, days, rng)
    paid = spend_model.simulate_spend(customers, orders, rng) * np.exp(
        -daily_rate(discount_annual) * every * orders.day
    )
    count = np.bincount(orders.row, minlength=len(customers))
    return count, margin * np.bincount(orders.row, paid, minlength=len(customers))


def _count(model, customers, days, rng):
    return np.bincount(model.simulate_orders(customers, days, rng).row, minlength=len(customers))
