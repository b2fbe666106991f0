"""Models and rules of thumb, asked on earlier days for what is known today."""

from datetime import timedelta

from crmlab.clv.models import naive
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.tables import collapse, summarise, with_holdout, with_past
from crmlab.likelihood import FitError
from crmlab.result import words


def backtest_orders(transactions, models, origins, days, acquired_from=None):
    """What was expected of orders in the `days` after each origin, with what came: rounds for `holdout.rolling`.

    models  : name -> class of an order model, fitted at each origin to what was known then
    origins : dates
    returns : origin -> arguments of `holdout.race`
        rules        expected orders, by the models that could be fitted and by past_rate, past_orders, last_orders
                     and cohort_rate
        actual       orders that came, count
        customers    how many each row stands for
        naive        the names of the rules of thumb
        populations  "all customers", and "repeaters" who had come back by the origin
        unfitted     model -> why it could not be fitted
    """
    return {o: _orders(_known(transactions, o, days, acquired_from), models, days) for o in origins}


def backtest_spend(transactions, models, origins, days, acquired_from=None):
    """What was expected of spend in the `days` after each origin, with what came: as from `backtest_orders`.

    A model expects its orders at the spend that Gamma-Gamma expects of each; the rules of thumb are past_spend_rate,
    past_orders_spend, last_spend and cohort_spend_rate.
    """
    return {o: _spend(_known(transactions, o, days, acquired_from), models, days) for o in origins}


def _known(transactions, origin, days, acquired_from):
    """What was known of each customer at the origin, beside what came after it: a lazy table."""
    seen = summarise(transactions, origin, acquired_from)
    seen = with_holdout(seen, transactions, origin, origin + timedelta(days=days))
    return with_past(seen, transactions, origin, days)


def _orders(known, models, days):
    customers = collapse(known, "orders", "last_orders", "cohort")
    expected, unfitted = _expected(models, customers, lambda orders: orders.expected_orders(customers, days))
    rate, cohort = naive.past_rate(customers, days), naive.cohort_rate(customers, days)
    simple = rate, naive.past_orders(customers), naive.last_orders(customers), cohort
    return _round(customers, customers.orders, expected, simple, unfitted)


def _spend(known, models, days):
    customers = collapse(known, "spend", "monetary_value", "past_spend", "last_spend", "cohort")
    try:
        each = _expected_spend(customers)
    except FitError as problem:
        expected, unfitted = {}, dict.fromkeys(models, str(problem))
    else:
        expected, unfitted = _expected(models, customers, lambda orders: orders.expected_orders(customers, days) * each)
    rate, cohort = naive.past_spend_rate(customers, days), naive.cohort_spend_rate(customers, days)
    simple = rate, naive.past_orders_spend(customers), naive.last_spend(customers), cohort
    return _round(customers, customers.spend, expected, simple, unfitted)


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


def _round(customers, actual, expected, simple, unfitted):
    simple = {words(rule.name): rule for rule in simple}
    return {
        "rules": expected | simple,
        "actual": actual,
        "customers": customers.customers,
        "naive": tuple(simple),
        "populations": {"all customers": customers.customers > 0, "repeaters": customers.frequency > 0},
        "unfitted": unfitted,
    }
