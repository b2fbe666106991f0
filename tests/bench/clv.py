"""The CLV models beside lifetimes: interleaved pairs on the same frames, one thread each, medians of their ratios.

Logs are simulated with CDNOW's parameters. Work is equal where the log-likelihoods agree to 1e-6 or ours is better, at
the maximum and off it: that is asserted. Growth is the exponent of our time in the number of customers.
"""

import time
import warnings

import ibis
import lifetimes
import numpy as np
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data

from crmlab import clv
from crmlab.simulate.orders import simulate_orders, simulate_spend

from .clock import QUICK, Measured

PAIRS, SMALL, LARGE = (1, 10_000, 30_000) if QUICK else (5, 100_000, 1_000_000)
DAYS, YEAR, RATE = 273, 365, 0.1
ORDERS, SPEND = clv.BGNBD(0.2426, 30.9, 0.793, 2.426), clv.GammaGamma(6.25, 3.74, 15.44)


def measure():
    """Every figure of this file, as they come."""
    warnings.simplefilter("ignore")
    logs = {size: log(size) for size in (SMALL, LARGE)}
    frames = {size: summary(logs[size]) for size in logs}
    yield from reading(logs)
    yield from fitting(frames, clv.BGNBD, lifetimes.BetaGeoFitter, {SMALL: 25, LARGE: 35})
    yield from fitting(frames, clv.ParetoNBD, lifetimes.ParetoNBDFitter, {SMALL: 50})
    yield from fitting(frames, clv.GammaGamma, lifetimes.GammaGammaFitter, {LARGE: 40})
    yield valuing(frames[LARGE])
    yield bootstrapping(frames[SMALL])


def log(size):
    """Orders of so many customers: a frame with customer_id, time, amount."""
    orders = simulate_orders(ORDERS.r, ORDERS.alpha, ORDERS.a, ORDERS.b, customers=size, days=DAYS, seed=1)
    amount = simulate_spend(orders, SPEND.p, SPEND.q, SPEND.gamma, seed=2)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(orders.day, unit="D")
    return pd.DataFrame({"customer_id": orders.customer_id, "time": days.astype("datetime64[us]"), "amount": amount})


def last_day():
    return (pd.Timestamp("2024-01-01") + pd.Timedelta(days=DAYS - 1)).date()


def summarised(orders):
    """The orders as validated, summarised: a frame, one row a customer."""
    table = ibis.memtable(orders)
    table = table.mutate(amount=table.amount.cast("decimal(18, 4)"), order_day=table.time.date())
    return clv.summarise(table, last_day()).drop("repeat_spend").order_by("customer_id").execute()


def summary(orders):
    frame = summarised(orders)
    return frame.astype({"frequency": "int64", "recency": "int64", "age": "int64"})


def reading(logs):
    def theirs(orders):
        return summary_data_from_transaction_data(
            orders, "customer_id", "time", monetary_value_col="amount", observation_period_end=last_day()
        )

    orders = logs[LARGE]
    ours, other = summarised(orders), theirs(orders)
    np.testing.assert_array_equal(ours.frequency, other.frequency)
    np.testing.assert_allclose(ours.monetary_value, other.monetary_value, rtol=1e-9)
    ratio, how = pairs(lambda: summarised(orders), lambda: theirs(orders))
    yield Measured(f"log to summary, {LARGE:,} customers", ratio, how=how, least=2.5)


def fitting(frames, model, fitter, asked):
    """One ratio for each size asked for, and how our time grows."""
    seconds = {}
    for size, least in asked.items():
        frame, columns = fitted_to(frames[size], model)
        ratio, how = pairs(lambda f=frame: model.fit(f), lambda c=columns: fitter().fit(*c))
        equal(model.fit(frame), fitter().fit(*columns), frame, columns)
        yield Measured(f"{model.__name__} fit, {size:,} customers", ratio, how=how, least=least)
    for size in frames:
        frame, _ = fitted_to(frames[size], model)
        seconds[size] = min(timed(lambda f=frame: model.fit(f)) for _ in range(3))
    growth = np.log(seconds[LARGE] / seconds[SMALL]) / np.log(LARGE / SMALL)
    yield Measured(f"{model.__name__} fit: exponent of growth", growth, 1.1)


def fitted_to(frame, model):
    """What a model is fitted to: our frame, and lifetimes' columns."""
    if model is clv.GammaGamma:
        kept = frame[clv.GammaGamma.eligible(frame)]
        return frame, (kept.frequency, kept.monetary_value)
    return frame, (frame.frequency, frame.recency, frame.age)


def equal(ours, theirs, frame, columns):
    """Their log-likelihood, at their maximum and off it, is ours at the same parameters; ours at ours is no worse."""
    found = theirs.params_.to_numpy()
    scale = getattr(theirs, "_scale", 1.0)
    shift = columns[0].sum() * np.log(scale) if len(columns) == 3 else 0.0
    for factor in (1.0, 1.3, 0.6):
        at = type(ours)(*(found * factor)).log_likelihood(frame)
        assert abs(native(theirs, found * factor, columns, scale, shift) / at - 1) < 1e-6
    assert ours.log_likelihood(frame) >= type(ours)(*found).log_likelihood(frame) * (1 + 1e-9)


def native(fitter, theta, columns, scale, shift):
    """lifetimes' log-likelihood of all customers, in days."""
    weights = np.ones(len(columns[0]))
    if isinstance(fitter, lifetimes.GammaGammaFitter):
        return -fitter._negative_log_likelihood(np.log(theta), *map(np.asarray, columns), weights, 0) * len(weights)
    x, t_x, T = (np.asarray(c, float) for c in columns)
    if isinstance(fitter, lifetimes.ParetoNBDFitter):
        scaled = theta * [1, scale, 1, scale]
        return -fitter._negative_log_likelihood(scaled, x, t_x * scale, T * scale, weights, 0) + shift
    scaled = np.log(theta * [1, scale, 1, 1])
    return -fitter._negative_log_likelihood(scaled, x, t_x * scale, T * scale, weights, 0) * len(weights) + shift


def valuing(frame):
    orders, spend = lifetimes.BetaGeoFitter(), lifetimes.GammaGammaFitter()
    orders.params_ = pd.Series({"r": ORDERS.r, "alpha": ORDERS.alpha, "a": ORDERS.a, "b": ORDERS.b})
    orders.predict = orders.conditional_expected_number_of_purchases_up_to_time
    spend.params_ = pd.Series({"p": SPEND.p, "q": SPEND.q, "v": SPEND.gamma})
    columns = frame.frequency, frame.recency, frame.age, frame.monetary_value
    monthly = (1 + RATE) ** (1 / 12) - 1

    def theirs():
        return spend.customer_lifetime_value(orders, *columns, time=12, discount_rate=monthly, freq="D")

    def ours():
        return clv.value(ORDERS.discounted_orders(frame, RATE, YEAR), SPEND.expected_spend(frame))

    ratio, how = pairs(ours, theirs)
    difference = ours().sum() / theirs().sum() - 1  # its year has 360 days, discounted at the end of each month
    assert abs(difference) < 0.03
    return Measured(f"CLV of {len(frame):,} customers", ratio, how=how, least=80)


def bootstrapping(frame):
    """200 refits; of lifetimes' only five are timed, and multiplied by 40."""
    rng = np.random.default_rng(1)
    fitted = clv.BGNBD.fit(frame)

    def theirs():
        for _ in range(5):
            drawn = frame.iloc[rng.integers(0, len(frame), len(frame))]
            lifetimes.BetaGeoFitter().fit(drawn.frequency, drawn.recency, drawn.age)

    ours = timed(lambda: list(fitted.bootstrap(frame, 200, seed=1)))
    other = timed(theirs) * 40
    how = f"{ours:.3g} s to {other:.3g} s (5 fits x 40)"
    return Measured(f"200 bootstrap fits, {len(frame):,} customers", other / ours, how=how, least=35)


def pairs(ours, theirs):
    """The median of how many times longer theirs takes than ours, in interleaved pairs; and in words."""
    ours()  # caches and imports, as theirs has them too by then
    taken = [(timed(ours), timed(theirs)) for _ in range(PAIRS)]
    mine, other = np.median(taken, axis=0)
    return float(np.median([b / a for a, b in taken])), f"{mine:.3g} s to {other:.3g} s, median of {PAIRS}"


def timed(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
