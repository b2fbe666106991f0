"""A day as it is given, a date or its ISO text; and what is said of anything else, whatever function it is given to."""

from datetime import date, datetime

import pandas as pd
import pytest

from crmlab.clv import tables as clv
from crmlab.contracts import InputError, Policy, validate
from crmlab.days import as_date, day_literal
from crmlab.lifecycle.metrics.stages import stage_forecast
from crmlab.lifecycle.models.alive import acquisition_cohorts
from crmlab.lifecycle.tables import cohorts, contracts, cycle, products, stages
from crmlab.segments.models.usefulness import rolling_features
from crmlab.segments.tables import brands, features
from crmlab.segments.tables import stores as home

from .conftest import log, table

DAY = "2024-03-31"
WRONG = "1997-13-30"


def test_a_day_is_a_date_or_its_iso_text():
    assert as_date("1997-09-30") == date(1997, 9, 30)
    assert as_date(date(1997, 9, 30)) == date(1997, 9, 30)
    assert as_date(datetime(1997, 9, 30, 12)) == date(1997, 9, 30)
    assert day_literal("1997-09-30").to_pyarrow().as_py() == date(1997, 9, 30)


@pytest.mark.parametrize(
    "given", [WRONG, "1997-02-30", "30.9.1997", "soon", "", 19970930, 1997.75, None, pd.NaT, [1997]]
)
def test_what_is_no_day_is_refused_with_how_to_write_one(given):
    for read in (as_date, day_literal):
        with pytest.raises(InputError) as caught:
            read(given)
        assert caught.value.breaches == (f"{given!r} is not a day; write it as 1997-09-30",)


@pytest.fixture(scope="module")
def orders():
    days = [f"2024-0{month}-0{day}" for month in (1, 2, 3) for day in (1, 2)]
    columns = {name: [name] * 6 for name in ("product_id", "category", "store_id")}
    return validate(log(["1"] * 6, [*"aabbcc"], days, **columns), "log", Policy()).table


@pytest.fixture(scope="module")
def subscriptions():
    raw = table(customer_id=["a"], start=["2024-01-01"], end=[""])
    return validate(raw, "file", Policy(contract="subscriptions")).table


MOVES = pd.DataFrame({"period": [pd.Timestamp(DAY)], "previous": ["new"], "stage": ["active"], "customers": [1]})
TAKE_ORDERS = {
    "summarise": lambda t, day: clv.summarise(t, day),
    "summarise, acquired_from": lambda t, day: clv.summarise(t, DAY, acquired_from=day),
    "summarise_periods": lambda t, day: clv.summarise_periods(t, day, 7),
    "with_holdout, split": lambda t, day: clv.with_holdout(clv.summarise(t, DAY), t, day, DAY),
    "with_holdout, until": lambda t, day: clv.with_holdout(clv.summarise(t, DAY), t, DAY, day),
    "weekly_orders, split": lambda t, day: clv.weekly_orders(t, day, DAY),
    "weekly_orders, until": lambda t, day: clv.weekly_orders(t, DAY, day),
    "first_interpurchase_times": lambda t, day: clv.first_interpurchase_times(t, day),
    "cohort_triangle": lambda t, day: cohorts.cohort_triangle(t, day),
    "cohort_triangle, acquired_from": lambda t, day: cohorts.cohort_triangle(t, "2024-03-02", acquired_from=day),
    "interpurchase_times": lambda t, day: cycle.interpurchase_times(t, day),
    "relative_interpurchase_times": lambda t, day: cycle.relative_interpurchase_times(t, day),
    "sales_by_category": lambda t, day: products.sales_by_category(t, day),
    "customer_stages": lambda t, day: stages.customer_stages(t, day, "month", None),
    "stage_transitions": lambda t, day: stages.stage_transitions(t, day, "month", None),
    "customer_features": lambda t, day: features.customer_features(t, day),
    "holdout_activity, end": lambda t, day: features.holdout_activity(t, day, DAY),
    "holdout_activity, until": lambda t, day: features.holdout_activity(t, DAY, day),
    "store_strength": lambda t, day: home.store_strength(t, day),
    "store_index": lambda t, day: home.store_index(t, day),
    "brand_usage": lambda t, day: brands.brand_usage(t, PRODUCTS, day),
    "rolling_features": lambda t, day: rolling_features(t, [day], 30),
    "stage_forecast": lambda t, day: stage_forecast(MOVES, day),
    "acquisition_cohorts": lambda t, day: acquisition_cohorts(pd.Series([10]), day),
}
PRODUCTS = table(product_id=["product_id"], own_label=[True])


@pytest.mark.parametrize("name", TAKE_ORDERS)
def test_a_day_that_does_not_exist_is_refused_by_whatever_takes_one(orders, name):
    with pytest.raises(InputError, match=r"^(\w+ = )?'1997-13-30' is not a day; write it as 1997-09-30$"):
        TAKE_ORDERS[name](orders, WRONG)


def test_so_it_is_where_contracts_are_taken(subscriptions):
    with pytest.raises(InputError, match="'1997-13-30' is not a day"):
        contracts.subscription_durations(subscriptions, WRONG, "month")
