"""Models and baselines, fitted at earlier days and judged on what is known today."""

import functools
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, TypeAlias

import pandas as pd

from crmlab import holdout
from crmlab.clv.models import baselines
from crmlab.clv.models.dependent_spend import SpendByFrequency
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.mean_spend import or_mean
from crmlab.clv.models.names import MODELS, order_model
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.tables import Orders, collapse, summarise, with_baseline_features, with_holdout
from crmlab.dataset import Period
from crmlab.display import words
from crmlab.model import Unfitted, blank_of, why_blank
from crmlab.orders import need_amounts

ORIGINS, REPLICATES = 3, 1000
Models: TypeAlias = Mapping[str, type[OrderModel]]
Rounds: TypeAlias = dict[date, dict[str, Any]]  # origin -> arguments of `holdout.compare`


def backtest(
    orders: Orders,
    period: Period,
    models: Iterable[str] = tuple(MODELS),
    origins: int = ORIGINS,
    replicates: int = REPLICATES,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare models of orders with baselines on later orders, from several origins (rolling-origin backtest).

    Each model is fitted anew at each origin, forecasts as many days as the holdout has, and is compared with baselines
    that need no model: the customer's own past rate, past orders, last orders, and the rate of the customers acquired
    in the same month.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    period : Period
        Of `orders.period`; the latest origin leaves a holdout of its length.
    models : iterable of str
        Names of models of orders, as `fit` takes them.
    origins : int
        How many days to forecast from.
    replicates : int
        Of the bootstrap over customers.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        The columns of `holdout.compare`, behind origin and origins: a row for each origin, and over all of them, for
        each population ("all customers", and "repeaters" who had ordered again by the origin), measure and model.
        Blank where the data are too short for the origins.

    Examples
    --------
    >>> from crmlab import catalog, clv
    >>> orders = catalog.orders("cdnow_sample")
    >>> comparison = clv.backtest(orders, orders.period(), models=["nbd"], origins=1, replicates=20)
    >>> comparison.model.unique().tolist()
    ['NBD', 'past rate', 'past orders', 'last orders', 'cohort rate']
    """
    return _backtest(order_rounds, orders, period, models, origins, replicates, seed, level)


def backtest_spend(
    orders: Orders,
    period: Period,
    models: Iterable[str] = tuple(MODELS),
    origins: int = ORIGINS,
    replicates: int = REPLICATES,
    seed: int = 1,
    level: float = 0.95,
    by_frequency: str | None = None,
) -> pd.DataFrame:
    """Compare models of orders, each with Gamma-Gamma, with baselines on later spend, as `backtest` does on orders.

    A model expects its orders at the spend that Gamma-Gamma expects of each customer; the baselines are past spend
    rate, past orders at the mean spend of all, last spend, and the spend rate of the customers acquired in the same
    month.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    period : Period
        Of `orders.period`; the latest origin leaves a holdout of its length.
    models : iterable of str
        Names of models of orders, as `fit` takes them.
    origins : int
        How many days to forecast from.
    replicates : int
        Of the bootstrap over customers.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.
    by_frequency : str, optional
        Name of a model among `models` whose orders are multiplied, beside, by the spend of `SpendByFrequency`.

    Returns
    -------
    DataFrame
        The columns of `backtest`; blank where the data hold no amounts, too.
    """
    title = order_model(by_frequency).title if by_frequency else None
    rounds = functools.partial(spend_rounds, by_frequency=title)
    return _backtest(rounds, orders, period, models, origins, replicates, seed, level)


def pooled_winners(comparisons: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Say which model wins by each measure over all origins, in words.

    Parameters
    ----------
    comparisons : mapping
        What was predicted, as "orders" or "spend" -> its `backtest`.

    Returns
    -------
    DataFrame
        By `of`: population, measure, winner, summary; without comparisons that are blank, and blank where all are.
    """
    known = {name: table for name, table in comparisons.items() if not why_blank(table)}
    if not known:
        return blank_of(pd.DataFrame, why_blank(*comparisons.values()))
    found = {name: holdout.winners(table[table.origin == holdout.ALL_ORIGINS]) for name, table in known.items()}
    table = pd.concat(found, names=["of"]).reset_index("of").set_index("of")
    return table[["population", "measure", "winner", "summary"]]


def _backtest(rounds, orders, period, models, origins, replicates, seed, level):
    first = max(period.acquired_from or period.first, period.first)
    if reason := holdout.too_short(first, period.until, period.horizon_days, origins):
        return blank_of(pd.DataFrame, reason)
    days = holdout.origins(first, period.until, period.horizon_days, origins)
    named = {order_model(name).title: order_model(name) for name in models}
    by_origin = rounds(orders, named, days, period.horizon_days, period.acquired_from)
    return holdout.rolling(by_origin, replicates=replicates, seed=seed, level=level)


def order_rounds(
    orders: Orders, models: Models, origins: Iterable[date], horizon_days: int, acquired_from: date | None = None
) -> Rounds:
    """What was expected of orders in the `horizon_days` after each origin, and what came: for `holdout.rolling`.

    models  : name -> class of an order model, fitted at each origin to what was known then
    returns : origin -> arguments of `holdout.compare`
        predictions  expected orders, by the models that could be fitted and by past_rate, past_orders, last_orders
                     and cohort_rate
        actual       orders that came, count
        weights      how many each row stands for
        baselines    the names of the baselines
        populations  "all customers", and "repeaters" who had ordered again by the origin
        unfitted     model -> why it could not be fitted
    """
    return {o: _orders(_features(orders, o, horizon_days, acquired_from), models, horizon_days) for o in origins}


def spend_rounds(
    orders: Orders,
    models: Models,
    origins: Iterable[date],
    horizon_days: int,
    acquired_from: date | None = None,
    by_frequency: str | None = None,
) -> Rounds:
    """What was expected of spend in the `horizon_days` after each origin, and what came: as from `order_rounds`.

    by_frequency : name of the model whose orders are multiplied by spend that depends on frequency, too
    """
    features = {origin: _features(orders, origin, horizon_days, acquired_from) for origin in origins}
    return {origin: _spend(each, models, horizon_days, by_frequency) for origin, each in features.items()}


def _features(orders, origin, horizon_days, acquired_from):
    """What was known of each customer at the origin, beside what came after it: a lazy table."""
    features = summarise(orders, origin, acquired_from)
    features = with_holdout(features, orders, origin, origin + timedelta(days=horizon_days))
    return with_baseline_features(features, orders, origin, horizon_days)


def _orders(features, models, horizon_days):
    customers = collapse(features, "orders", "last_orders", "cohort")
    fits = {name: model.fit(customers, replicates=0) for name, model in models.items()}
    expected = {name: fitted.expected_orders(customers, horizon_days) for name, fitted in fits.items() if fitted}
    rate, cohort = baselines.past_rate(customers, horizon_days), baselines.cohort_rate(customers, horizon_days)
    rivals = rate, baselines.past_orders(customers), baselines.last_orders(customers), cohort
    return _round(customers, customers.orders, fits, expected, rivals)


def _spend(features, models, horizon_days, by_frequency=None):
    customers = collapse(features, "spend", "monetary_value", "past_spend", "last_spend", "cohort")
    need_amounts(customers.monetary_value)
    spend = _finite(or_mean(GammaGamma.fit(customers, replicates=0), customers, 0))
    fits = {name: spend and model.fit(customers, replicates=0) for name, model in models.items()}
    each = spend.expected_spend(customers)
    ahead = {name: fitted.expected_orders(customers, horizon_days) for name, fitted in fits.items() if fitted}
    expected = {name: orders * each for name, orders in ahead.items()}
    own = _finite(SpendByFrequency.fit(customers, replicates=0)) if by_frequency else None
    if own and by_frequency in ahead:
        expected[f"{by_frequency}, spend by frequency"] = ahead[by_frequency] * own.expected_spend(customers)
    rate = baselines.past_spend_rate(customers, horizon_days)
    cohort = baselines.cohort_spend_rate(customers, horizon_days)
    rivals = rate, baselines.past_orders_spend(customers), baselines.last_spend(customers), cohort
    return _round(customers, customers.spend, fits, expected, rivals)


def _finite(spend: GammaGamma | Unfitted) -> GammaGamma | Unfitted:
    """The model of spend; Unfitted where its mean is infinite."""
    if isinstance(spend, Unfitted) or spend.q > 1:
        return spend
    reason = f"{spend.title} expects infinite spend: q = {spend.q:.4g} is at most 1"
    return Unfitted(GammaGamma, reason, "try a longer calibration")


def _round(customers, actual, fits, expected, rivals):
    named = {words(rival.name): rival for rival in rivals}
    return {
        "predictions": expected | named,
        "actual": actual,
        "weights": customers.customers,
        "baselines": tuple(named),
        "populations": {"all customers": customers.customers > 0, "repeaters": customers.frequency > 0},
        "unfitted": {name: str(fitted) for name, fitted in fits.items() if not fitted},
    }
