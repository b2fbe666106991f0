"""What is expected up to each day ahead."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, clv
from crmlab.contracts import InputError


@pytest.fixture(scope="module")
def customers():
    return clv.summarise(catalog.orders("cdnow_sample"), "1997-09-30")


@pytest.fixture(scope="module")
def models(customers):
    return clv.fit(customers, "mbg_nbd"), clv.fit_spend(customers)


def test_each_day_is_what_forecast_orders_says_of_that_horizon(customers, models):
    ahead = clv.forecast_by_day(*models, customers, "1997-09-30", 273)
    assert list(ahead.index[[0, -1]]) == [pd.Timestamp("1997-10-01"), pd.Timestamp("1998-06-30")]
    for horizon in (1, 6, 7, 100, 273):
        whole = clv.forecast_orders(models[0], customers, horizon)
        row = ahead.iloc[horizon - 1]
        assert row.orders == pytest.approx(whole.value, rel=2e-3)
    assert (row.orders_pi_low, row.orders_pi_high) == pytest.approx((whole.pi_low, whole.pi_high), rel=0.05)


def test_spend_is_the_undiscounted_value_of_customers(customers, models):
    ahead = clv.forecast_by_day(*models, customers, "1997-09-30", 273)
    equity = clv.customer_equity(*models, customers, 273, 0.0)
    assert ahead.spend.iloc[-1] == pytest.approx(equity.value, rel=1e-9)
    assert ahead.spend_pi_low.iloc[-1] == pytest.approx(equity.pi_low, rel=0.05)


def test_sums_never_fall_and_lie_in_their_intervals(customers, models):
    ahead = clv.forecast_by_day(*models, customers, "1997-09-30", 60)
    assert (ahead.diff().iloc[1:] >= -1e-9).all().all()
    for name in ("orders", "spend"):
        assert (ahead[f"{name}_pi_low"] <= ahead[name]).all()
        assert (ahead[name] <= ahead[f"{name}_pi_high"]).all()


def test_without_spend_orders_stand_alone_and_without_draws_intervals_are_blank(customers):
    ahead = clv.forecast_by_day(clv.fit(customers, "nbd", replicates=0), None, customers, "1997-09-30", 10)
    assert list(ahead) == ["orders", "orders_pi_low", "orders_pi_high"]
    assert ahead.orders_pi_low.isna().all()
    assert np.isfinite(ahead.orders).all()


def test_no_day_ahead_is_refused(customers, models):
    with pytest.raises(InputError, match="horizon_days = 0: choose 1 day or more"):
        clv.forecast_by_day(*models, customers, "1997-09-30", 0)
