"""What is expected of all customers together and of each, with the interval that is asked for.

confidence : of an expectation; parameters are drawn about the fitted ones, the customers are those observed
predictive : of what will be seen; on top of it, who is still active and who orders when, and spends what, is drawn
"""

import numpy as np
import pandas as pd

from crmlab import likelihood
from crmlab.clv.models.inputs import Checked, daily_rate
from crmlab.clv.models.value import total, value
from crmlab.stats import intervals

DRAWS = 256  # a power of two, as points that fill a space evenly ask for


def active_customers(orders, customers, seed, interval="confidence"):
    """How many customers are still active, by this model of orders: an Estimate."""
    customers = Checked(customers)
    return _total(
        lambda model: total(model.p_alive(customers), customers.customers),
        lambda model, rng: rng.binomial(customers.customers, model.p_alive(customers)).sum(),
        (orders,), seed, interval, f"customers, by {orders.title}",
    )  # fmt: skip


def orders_ahead(orders, customers, days, seed, interval="predictive"):
    """Orders that all customers will place in the next `days`: an Estimate."""
    customers = Checked(customers)
    return _total(
        lambda model: total(model.expected_orders(customers, days), customers.customers),
        lambda model, rng: len(model.simulate_orders(customers, days, rng)),
        (orders,), seed, interval, "orders",
    )  # fmt: skip


def value_ahead(
    orders, spend, customers, days, discount_annual, margin, seed, unit="", interval="confidence", **periods
):
    """What all customers are worth over the next `days`, customer equity: an Estimate; undiscounted, what they spend.

    spend     : None leaves money out: the orders they will place, each worth less the later it comes
    customers : a collapsed summary. For a confidence interval the mean spend of a row's customers will do, as expected
                spend is linear in it; a predictive one asks for `collapse(summary, "monetary_value")`
    days      : None is for ever, of which there is only a confidence interval
    periods   : every = days a period has, for BGBB, whose `days` are periods
    """
    customers = Checked(customers)

    def expected(model, spend_model=None):
        ahead = model.discounted_orders(customers, discount_annual, days, **periods)
        return total(_worth(ahead, spend_model, customers, margin) if spend else ahead, customers.customers)

    def seen(*models, rng):
        drawn = _seen(*models, customers=customers, days=days, rate=discount_annual, rng=rng, **periods)
        return margin * drawn["worth"].sum() if spend else drawn["discounted"].sum()

    return _total(expected, seen, (orders, spend) if spend else (orders,), seed, interval, unit)


def expected_of_each(orders, spend, customers, days, discount_annual, margin, seed, **periods):
    """What is expected of each customer over the next `days`, and what may be seen: a frame beside `customers`.

    spend                      None leaves out what it is needed for: value and worth
    days                       None is for ever: without expected_orders, and without what may be seen
    p_alive, expected_orders, discounted_orders, value
                               each with its confidence interval as _low and _high
    orders_low, orders_high    predictive, count
    discounted_low, discounted_high
                               predictive, orders that are worth less the later they come
    worth_low, worth_high      predictive, discounted margin, in the currency of the data
    periods                    every = days a period has, for BGBB, whose `days` are periods
    """
    models = (orders, spend) if spend else (orders,)
    pairs, rng = list(_draws(models, seed)), np.random.default_rng(seed)
    asked = {"customers": Checked(customers.assign(customers=1)), "days": days, "rate": discount_annual, **periods}
    found = _expected(*models, margin=margin, **asked)
    low, high = intervals.tails([_expected(*pair, margin=margin, **asked) for pair in pairs])
    columns = {}
    for name, *ends in zip(found, low.T, high.T, strict=True):
        columns |= {name: found[name], f"{name}_low": ends[0], f"{name}_high": ends[1]}
    if days is not None:
        outcomes = [_seen(*pair, **asked, rng=rng) for pair in pairs]
        for name in outcomes[0]:
            unit = margin if name == "worth" else 1
            ends = intervals.tails([outcome[name] * unit for outcome in outcomes])
            columns |= {f"{name}_low": ends[0], f"{name}_high": ends[1]}
    return pd.DataFrame(columns, index=customers.index)


def chances_of_each(orders, customers, days, count, seed):
    """How likely each customer is to place exactly `count` orders in the next `days`: a frame beside `customers`.

    chance : 0 to 1, with its confidence interval as low and high
    """
    customers = Checked(customers)
    drawn = [model.probability_of_orders(customers, days, count) for model in likelihood.draws(orders, DRAWS, seed)]
    low, high = intervals.tails(drawn)
    chance = orders.probability_of_orders(customers, days, count)
    return pd.DataFrame({"chance": chance, "low": low, "high": high}, index=customers.index)


def newcomers(customers=1):
    """So many customers who place their first order today: a collapsed summary, for all that can be asked of one."""
    return pd.DataFrame(
        {"frequency": [0], "recency": [0], "age": [0], "monetary_value": [0.0], "customers": [customers]}
    )


def likely_by_group(orders, customers, days, by, seed):
    """Orders per customer that each group is likely to place in the next `days`: a frame, predictive low and high.

    by : the group of each row, a Series
    """
    place, groups = pd.factorize(by, sort=True)
    customers = Checked(customers)
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
    new = Checked(pd.DataFrame({"frequency": 0, "recency": 0, "age": 0, "customers": acquired.to_numpy()}))
    rng, drawn = np.random.default_rng(seed), []
    for model in likelihood.draws(orders, DRAWS, seed):
        found = model.simulate_orders(new, 7 * len(weeks), rng)
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
    return intervals.predictive(expected(*models), [outcome(*drawn, rng=rng) for drawn in _draws(models, seed)], unit)


def _draws(models, seed):
    return zip(*(likelihood.draws(model, DRAWS, seed + n) for n, model in enumerate(models)), strict=True)


def _expected(model, spend=None, *, customers, days, rate, margin, **periods):
    """Expected of each row's customers: a frame."""
    columns = {"p_alive": model.p_alive(customers)}
    if days is not None:
        columns["expected_orders"] = model.expected_orders(customers, days)
    columns["discounted_orders"] = ahead = model.discounted_orders(customers, rate, days, **periods)
    if spend:
        columns["value"] = _worth(ahead, spend, customers, margin)
    return pd.DataFrame(columns)


def _worth(ahead, spend, customers, margin):
    """What orders ahead are expected to be worth: infinite where mean spend is."""
    each = spend.expected_spend(customers) if spend.q > 1 else np.where(ahead * margin > 0, np.inf, 0.0)
    return value(ahead, each, margin)


def _seen(model, spend=None, *, customers, days, rate, rng, every=1):
    """Drawn for each row over the next `days`: how many orders come, what they count for and, with spend, cost."""
    orders = model.simulate_orders(customers, days, rng)
    worth = np.exp(-daily_rate(rate) * every * orders.day.to_numpy())
    sums = {"orders": None, "discounted": worth}
    if spend:
        sums["worth"] = spend.simulate_spend(customers, orders, rng) * worth
    return {name: np.bincount(orders.row, each, len(customers)) for name, each in sums.items()}
