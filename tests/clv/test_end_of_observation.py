"""An order log is complete up to a day that may lie after its last order: what that day does to a forecast."""

from datetime import date

import ibis
import pytest

from crmlab import catalog, clv

SAMPLE = catalog.orders("cdnow_sample").table
CUT = SAMPLE.filter(SAMPLE.time < ibis.literal("1997-06-30").cast("timestamp"))


@pytest.mark.parametrize(
    ("end", "model", "orders"),
    [("1997-06-29", "bg_nbd", 2173), ("1998-06-30", "bg_nbd", 130), ("1998-06-30", "mbg_nbd", 3)],
)
def test_a_year_without_orders_is_no_pause(end, model, orders):
    customers = clv.summarise(CUT, end)
    ahead = clv.forecast_orders(clv.fit(customers, model, replicates=0), customers, 365)
    assert round(ahead.value) == orders


def test_observation_ends_with_the_last_order_unless_it_is_said_to_go_on(shop):
    shop.entry("customer_id,time,amount\na,2024-01-01,1\nb,2024-01-10,1\na,2024-01-21,1\n")
    assert catalog.orders("log").period().until == date(2024, 1, 21)
    later = catalog.orders("log", "2024-03-01").period()
    assert (later.until, later.split) == (date(2024, 3, 1), date(2024, 2, 10))
    assert later.summary.loc["until: holdout ends"].tolist() == [date(2024, 3, 1), "observed_until"]
    assert later.summary.loc["last order"].tolist() == [date(2024, 1, 21), "the data"]
    customers = clv.summarise(catalog.orders("log", "2024-03-01"), later.until)
    assert sorted(customers.execute().age) == [51, 60]


def test_the_catalog_may_say_so_and_a_parameter_goes_before_it(shop):
    shop.entry("customer_id,time,amount\na,2024-01-01,1\na,2024-01-21,1\n", observed_until="2024-02-01")
    assert catalog.orders("log").period().until == date(2024, 2, 1)
    assert catalog.orders("log", date(2024, 2, 10)).period("2024-02-05").until == date(2024, 2, 10)


@pytest.mark.parametrize(
    ("observed", "message"),
    [
        (
            "2024-01-20",
            "log: observed_until = 2024-01-20 comes before the last order, of 2024-01-21; choose that day or",
        ),
        ("2024-02-31", "log: observed_until = '2024-02-31'"),
    ],
)
def test_a_day_before_the_last_order_or_that_does_not_exist_is_refused(shop, observed, message):
    shop.entry("customer_id,time,amount\na,2024-01-01,1\na,2024-01-21,1\n")
    with pytest.raises(catalog.InputError) as refused:
        catalog.orders("log", observed)
    assert str(refused.value).startswith(message)


def test_a_day_of_the_catalog_before_the_last_order_is_refused_too(shop):
    shop.entry("customer_id,time,amount\na,2024-01-01,1\na,2024-01-21,1\n", observed_until="2024-01-20")
    with pytest.raises(catalog.InputError, match="observed_until = 2024-01-20 comes before the last order"):
        catalog.orders("log")


def test_a_holdout_ends_no_later_than_observation(shop):
    shop.entry("customer_id,time,amount\na,2024-01-01,1\na,2024-01-21,1\n")
    with pytest.raises(catalog.InputError, match="runs from 2024-01-01 to 2024-02-01; choose a day within"):
        catalog.orders("log", "2024-02-01").period(until="2024-02-02")
