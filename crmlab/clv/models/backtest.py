"""Models and rules of thumb, asked on earlier days for what is known today."""

from datetime import timedelta

from crmlab.clv.models import naive
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.tables import collapse, summarise, with_baseline_features, with_holdout
from crmlab.likelihood import FitError
from crmlab.result import words


def backtest_orders(orders, models, origins, horizon_days, acquired_from=None):
    """What was expected of orders in the `horizon_days` after each origin, with what came: rounds for
    `holdout.rolling`.

    models  : name -> class of an order model, fitted at each origin to what was known then
    origins : dates
    returns : origin -> arguments of `holdout.compare`
        predictions  expected orders, by the models that could be fitted and by past_rate, past_orders, last_orders
                     and cohort_rate
        actual       orders that came, count
        weights      how many each row stands for
        baselines    the names of the rules of thumb
        populations  "all customers", and "repeaters" who had come back by the origin
        unfitted     model -> why it could not be fitted
    """
    return {o: _orders(_features(orders, o, horizon_days, acquired_from), models, horizon_days) for o in origins}


def backtest_spend(orders, models, origins, horizon_days, acquired_from=None):
    """What was expected of spend in the `horizon_days` after each origin, with what came: as from `backtest_orders`.

    A model expects its orders at the spend that Gamma-Gamma expects of each; the rules of thumb are past_spend_rate,
    past_orders_spend, last_spend and cohort_spend_rate.
    """
    return {o: _spend(_features(orders, o, horizon_days, acquired_from), models, horizon_days) for o in origins}


def _features(orders, origin, horizon_days, acquired_from):
    """What was known of each customer at the origin, beside what came after it: a lazy table."""
    features = summarise(orders, origin, acquired_from)
    features = with_holdout(features, orders, origin, origin + timedelta(days=horizon_days))
    return with_baseline_features(features, orders, origin, horizon_days)


def _orders(features, models, horizon_days):
    customers = collapse(features, "orders", "last_orders", "cohort")
    expected, unfitted = _expected(models, customers, lambda model: model.expected_orders(customers, horizon_days))
    rate, cohort = naive.past_rate(customers, horizon_days), naive.cohort_rate(customers, horizon_days)
    baselines = rate, naive.past_orders(customers), naive.last_orders(customers), cohort
    return _round(customers, customers.orders, expected, baselines, unfitted)


def _spend(features, models, horizon_days):
    customers = collapse(features, "spend", "monetary_value", "past_spend", "last_spend", "cohort")
    try:
        each = _expected_spend(customers)
    except FitError as problem:
        expected, unfitted = {}, dict.fromkeys(models, str(problem))
    else:
        expected, unfitted = _expected(
            models, customers, lambda model: model.expected_orders(customers, horizon_days) * each
        )
    rate, cohort = naive.past_spend_rate(customers, horizon_days), naive.cohort_spend_rate(customers, horizon_days)
    baselines = rate, naive.past_orders_spend(customers), naive.last_spend(customers), cohort
    return _round(customers, customers.spend, expected, baselines, unfitted)


def _expected_spend(customers):
    spend = GammaGamma.fit(customers)
    if spend.q <= 1:
        raise FitError(f"GammaGamma expects infinite spend: q = {spend.q:.4g} is at most 1; try a longer calibration")
    return spend.expected_spend(customers)


def _expected(models, customers, expect):
    """What each model expects once it is fitted; and of the others, why it could not be: two dicts by name."""
    expected, unfitted = {}, {}
    for name, model in models.items():
        try:
            expected[name] = expect(model.fit(customers))
        except FitError as problem:
            unfitted[name] = str(problem)
    return expected, unfitted


def _round(customers, actual, expected, baselines, unfitted):
    baselines = {words(rule.name): rule for rule in baselines}
    return {
        "predictions": expected | baselines,
        "actual": actual,
        "weights": customers.customers,
        "baselines": tuple(baselines),
        "populations": {"all customers": customers.customers > 0, "repeaters": customers.frequency > 0},
        "unfitted": unfitted,
    }
