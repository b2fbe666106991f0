"""What is expected of all customers together and of each, with the interval that is asked for.

confidence : of an expectation; parameters are drawn about the fitted ones, the customers are those observed
predictive : of what will be seen; on top of it, who is still active and who orders when, and spends what, is drawn
"""

import numpy as np
import pandas as pd

from crmlab import likelihood
from crmlab.clv.models.inputs import Validated, daily_rate
from crmlab.clv.models.value import total, value
from crmlab.stats import intervals

REPLICATES = 256  # a power of two, as points that fill a space evenly ask for


def active_customers(model, customers, seed, interval="confidence"):
    """How many customers are still active, by this model of orders: an Estimate."""
    customers = Validated(customers)
    return _total(
        lambda m: total(m.p_alive(customers), customers.customers),
        lambda m, rng: rng.binomial(customers.customers, m.p_alive(customers)).sum(),
        (model,), seed, interval, f"customers, by {model.title}",
    )  # fmt: skip


def forecast_orders(model, customers, horizon_days, seed, interval="predictive"):
    """Orders that all customers will place in the next `horizon_days`: an Estimate."""
    customers = Validated(customers)
    return _total(
        lambda m: total(m.expected_orders(customers, horizon_days), customers.customers),
        lambda m, rng: len(m.simulate_orders(customers, horizon_days, rng)),
        (model,), seed, interval, "orders",
    )  # fmt: skip


def customer_equity(
    model,
    spend_model,
    customers,
    horizon_days,
    discount_annual,
    margin,
    seed,
    unit="",
    interval="confidence",
    **periods,
):
    """What all customers are worth over the next `horizon_days`, customer equity: an Estimate; undiscounted, what they
    spend.

    spend_model : None leaves money out: the orders they will place, each worth less the later it comes
    customers : a collapsed summary. For a confidence interval the mean spend of a row's customers will do, as expected
                spend is linear in it; a predictive one asks for `collapse(summary, "monetary_value")`
    horizon_days : None is for ever, of which there is only a confidence interval
    periods   : period_days = days a period has, for BGBB, whose `horizon_days` are periods
    """
    customers = Validated(customers)

    def expected(model, spend_model=None):
        ahead = model.discounted_orders(customers, discount_annual, horizon_days, **periods)
        return total(
            _expected_value(ahead, spend_model, customers, margin) if spend_model else ahead, customers.customers
        )

    def simulated(*models, rng):
        drawn = _simulated(
            *models, customers=customers, horizon_days=horizon_days, rate=discount_annual, rng=rng, **periods
        )
        return margin * drawn["value"].sum() if spend_model else drawn["discounted_orders"].sum()

    return _total(expected, simulated, (model, spend_model) if spend_model else (model,), seed, interval, unit)


def predict_customers(model, spend_model, customers, horizon_days, discount_annual, margin, seed, **periods):
    """What is expected of each customer over the next `horizon_days`, and what may be seen: a frame beside `customers`.

    spend_model                None leaves out what it is needed for: value
    horizon_days               None is for ever: without expected_orders, and without what may be seen
    p_alive, expected_orders, discounted_orders, value
                               each with its confidence interval as _ci_low and _ci_high
    expected_orders_pi_low, expected_orders_pi_high    predictive, count
    discounted_orders_pi_low, discounted_orders_pi_high
                               predictive, orders that are worth less the later they come
    value_pi_low, value_pi_high      predictive, discounted margin, in the currency of the data
    periods                    period_days = days a period has, for BGBB, whose `horizon_days` are periods
    """
    models = (model, spend_model) if spend_model else (model,)
    pairs, rng = list(_draws(models, seed)), np.random.default_rng(seed)
    asked = {
        "customers": Validated(customers.assign(customers=1)),
        "horizon_days": horizon_days,
        "rate": discount_annual,
        **periods,
    }
    found = _expected(*models, margin=margin, **asked)
    low, high = intervals.percentile_interval([_expected(*pair, margin=margin, **asked) for pair in pairs])
    columns = {}
    for name, *ends in zip(found, low.T, high.T, strict=True):
        columns |= {name: found[name], f"{name}_ci_low": ends[0], f"{name}_ci_high": ends[1]}
    if horizon_days is not None:
        outcomes = [_simulated(*pair, **asked, rng=rng) for pair in pairs]
        for name in outcomes[0]:
            unit = margin if name == "value" else 1
            ends = intervals.percentile_interval([outcome[name] * unit for outcome in outcomes])
            columns |= {f"{name}_pi_low": ends[0], f"{name}_pi_high": ends[1]}
    return pd.DataFrame(columns, index=customers.index)


def order_probabilities(model, customers, horizon_days, count, seed):
    """How likely each customer is to place exactly `count` orders in the next `horizon_days`: a frame beside
    `customers`.

    chance : 0 to 1, with its confidence interval as ci_low and ci_high
    """
    customers = Validated(customers)
    drawn = [
        draw.probability_of_orders(customers, horizon_days, count) for draw in likelihood.draws(model, REPLICATES, seed)
    ]
    low, high = intervals.percentile_interval(drawn)
    probability = model.probability_of_orders(customers, horizon_days, count)
    return pd.DataFrame({"probability": probability, "ci_low": low, "ci_high": high}, index=customers.index)


def new_customers(n=1):
    """So many customers who place their first order today: a collapsed summary, for all that can be asked of one."""
    return pd.DataFrame({"frequency": [0], "recency": [0], "age": [0], "monetary_value": [0.0], "customers": [n]})


def prediction_interval_by_group(model, customers, horizon_days, by, seed):
    """Orders per customer that each group is likely to place in the next `horizon_days`: a frame: pi_low and pi_high.

    by : the group of each row, a Series
    """
    place, groups = pd.factorize(by, sort=True)
    customers = Validated(customers)
    groups, rng = pd.Index(groups, name=by.name), np.random.default_rng(seed)
    size = np.bincount(place, customers.customers, len(groups))
    drawn = [
        np.bincount(place[draw.simulate_orders(customers, horizon_days, rng).row], minlength=len(groups)) / size
        for draw in likelihood.draws(model, REPLICATES, seed)
    ]
    return pd.DataFrame(dict(zip(("pi_low", "pi_high"), intervals.percentile_interval(drawn), strict=True)), groups)


def forecast_weekly_orders(model, customers, weeks, seed):
    """Repeat orders of all customers in each week since the first acquisition: a frame by week.

    customers : the collapsed summary; the customers' ages tell when each was acquired
    weeks     : week numbers from 1, without gaps
    returns   : expected, count; pi_low and pi_high, predictive, for the week
                cumulative_pi_low and cumulative_pi_high, predictive, for all weeks up to it
    """
    acquired = customers.customers.groupby(customers.age.max() - customers.age).sum()
    day, last_days = acquired.index.to_numpy(), 7 * np.arange(len(weeks) + 1) - 1
    so_far = model.expected_orders_new(np.clip(last_days[:, None] - day[None, :], 0, None))
    new = Validated(pd.DataFrame({"frequency": 0, "recency": 0, "age": 0, "customers": acquired.to_numpy()}))
    rng, drawn = np.random.default_rng(seed), []
    for draw in likelihood.draws(model, REPLICATES, seed):
        found = draw.simulate_orders(new, 7 * len(weeks), rng)
        week = np.ceil(found.day + day[found.row]).astype(int) // 7
        drawn.append(np.bincount(week, minlength=len(weeks))[: len(weeks)])
    bands = *intervals.percentile_interval(drawn), *intervals.percentile_interval(np.cumsum(drawn, axis=1))
    columns = dict(zip(("pi_low", "pi_high", "cumulative_pi_low", "cumulative_pi_high"), bands, strict=True))
    return pd.DataFrame({"expected": np.diff(so_far @ acquired.to_numpy())} | columns, weeks)


def _total(expected, outcome, models, seed, interval, unit):
    if interval not in ("confidence", "predictive"):
        raise ValueError(f"interval = {interval!r}: choose confidence or predictive")
    if interval == "confidence":
        return intervals.confidence_interval(
            expected(*models), [expected(*drawn) for drawn in _draws(models, seed)], unit
        )
    rng = np.random.default_rng(seed)
    return intervals.prediction_interval(
        expected(*models), [outcome(*drawn, rng=rng) for drawn in _draws(models, seed)], unit
    )


def _draws(models, seed):
    return zip(*(likelihood.draws(model, REPLICATES, seed + n) for n, model in enumerate(models)), strict=True)


def _expected(model, spend_model=None, *, customers, horizon_days, rate, margin, **periods):
    """Expected of each row's customers: a frame."""
    columns = {"p_alive": model.p_alive(customers)}
    if horizon_days is not None:
        columns["expected_orders"] = model.expected_orders(customers, horizon_days)
    columns["discounted_orders"] = ahead = model.discounted_orders(customers, rate, horizon_days, **periods)
    if spend_model:
        columns["value"] = _expected_value(ahead, spend_model, customers, margin)
    return pd.DataFrame(columns)


def _expected_value(ahead, spend_model, customers, margin):
    """What orders ahead are expected to be worth: infinite where mean spend is."""
    each = spend_model.expected_spend(customers) if spend_model.q > 1 else np.where(ahead * margin > 0, np.inf, 0.0)
    return value(ahead, each, margin)


def _simulated(model, spend_model=None, *, customers, horizon_days, rate, rng, period_days=1):
    """Drawn for each row over the next `horizon_days`: how many orders come, what they count for and, with spend,
    cost."""
    orders = model.simulate_orders(customers, horizon_days, rng)
    discount_factor = np.exp(-daily_rate(rate) * period_days * orders.day.to_numpy())
    sums = {"expected_orders": None, "discounted_orders": discount_factor}
    if spend_model:
        sums["value"] = spend_model.simulate_spend(customers, orders, rng) * discount_factor
    return {name: np.bincount(orders.row, each, len(customers)) for name, each in sums.items()}
