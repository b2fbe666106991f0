"""Rounds of a backtest, on a simulated shop whose later orders are known."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from crmlab import clv, holdout
from crmlab.clv.models import backtests, baselines
from crmlab.dataset import Period
from crmlab.model import Unfitted
from crmlab.simulate.orders import simulate_orders, simulate_spend

FIRST = date(2023, 1, 1)
ORIGINS = [date(2023, 6, 30), date(2023, 9, 30)]
DAYS = 90
MODELS = {"BG/NBD": clv.BGNBD, "NBD": clv.NBD}
BASELINES = ("past rate", "past orders", "last orders", "cohort rate")
OF_SPEND = ("past spend rate", "past orders spend", "last spend", "cohort spend rate")


class Never:
    """A model that no data can be fitted by."""

    @classmethod
    def fit(cls, customers, replicates):
        return Unfitted(cls, f"not by {customers.customers.sum()} customers")


def shop(days=365):
    """400 customers of a BG/NBD and Gamma-Gamma world, validated."""
    log = simulate_orders(r=0.5, alpha=30, a=0.8, b=3, customers=400, days=365, seed=3, acquired_over=120)
    log["amount"] = simulate_spend(log, p=6, q=4, gamma=60, seed=4)
    log = log[log.day < days]
    day = [FIRST + timedelta(int(d)) for d in log.day]
    amount = pa.array([f"{a:.2f}" for a in log.amount]).cast(pa.decimal128(18, 4))
    time = pa.array(pd.to_datetime(pd.Series(day)), pa.timestamp("us"))
    columns = {"customer_id": list(log.customer_id), "time": time, "amount": amount, "order_day": pa.array(day)}
    return ibis.memtable(pa.table(columns))


@pytest.fixture(scope="module")
def log():
    return shop()


@pytest.fixture(scope="module")
def orders(log):
    return backtests.order_rounds(log, MODELS | {"never": Never}, ORIGINS, DAYS)


@pytest.fixture(scope="module")
def spend(log):
    return backtests.spend_rounds(log, MODELS | {"never": Never}, ORIGINS, DAYS)


def totals(series, found):
    return (series * found["weights"]).sum()


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_round_holds_every_customer_and_every_later_order(log, orders, spend, origin):
    each = log.execute()
    day = pd.to_datetime(each.order_day)
    until = pd.Timestamp(origin) + pd.Timedelta(days=DAYS)
    known = each[day <= pd.Timestamp(origin)].customer_id.unique()
    later = each[(day > pd.Timestamp(origin)) & (day <= until) & each.customer_id.isin(known)]
    assert orders[origin]["weights"].sum() == spend[origin]["weights"].sum() == len(known)
    assert totals(orders[origin]["actual"], orders[origin]) == len(later.drop_duplicates(["customer_id", "order_day"]))
    assert totals(spend[origin]["actual"], spend[origin]) == pytest.approx(float(later.amount.sum()))


@pytest.mark.parametrize("origin", ORIGINS)
def test_models_expect_what_they_would_alone(log, orders, spend, origin):
    each = clv.summarise(log, origin).execute()
    model, money = clv.BGNBD.fit(each), clv.GammaGamma.fit(each)
    expected = model.expected_orders(each, DAYS)
    found = orders[origin]
    assert totals(found["predictions"]["BG/NBD"], found) == pytest.approx(expected.sum(), rel=1e-6)
    assert totals(found["predictions"]["past rate"], found) == pytest.approx(baselines.past_rate(each, DAYS).sum())
    worth = expected * money.expected_spend(each)
    assert totals(spend[origin]["predictions"]["BG/NBD"], spend[origin]) == pytest.approx(worth.sum(), rel=1e-6)


def test_a_round_names_its_rules_and_populations(orders, spend):
    assert list(orders) == list(spend) == ORIGINS
    for found, names in [(orders, BASELINES), (spend, OF_SPEND)]:
        for one in found.values():
            assert one["baselines"] == names
            assert tuple(one["predictions"]) == ("BG/NBD", "NBD", *names)
            assert list(one["populations"]) == ["all customers", "repeaters"]
            assert one["populations"]["all customers"].all()
            assert (one["predictions"][names[1]][one["populations"]["repeaters"]] > 0).all()
            assert (one["predictions"][names[1]][~one["populations"]["repeaters"]] == 0).all()


def test_who_cannot_be_fitted_is_named_with_the_reason(orders, spend):
    for found in (orders, spend):
        for one in found.values():
            assert one["unfitted"] == {"never": f"not by {one['weights'].sum()} customers"}


def test_without_a_model_of_spend_only_baselines_take_part(log, monkeypatch):
    unfitted = Unfitted(clv.GammaGamma, "no spend")
    monkeypatch.setattr(clv.GammaGamma, "fit", lambda customers, replicates: unfitted)
    found = backtests.spend_rounds(log, MODELS, ORIGINS[:1], DAYS)[ORIGINS[0]]
    assert tuple(found["predictions"]) == OF_SPEND
    assert found["unfitted"] == {"BG/NBD": "no spend", "NBD": "no spend"}
    monkeypatch.setattr(clv.GammaGamma, "fit", lambda customers, replicates: clv.GammaGamma(2, 0.9, 20))
    found = backtests.spend_rounds(log, MODELS, ORIGINS[:1], DAYS)[ORIGINS[0]]
    assert set(found["unfitted"]) == {"BG/NBD", "NBD"}
    assert "q = 0.9 is at most 1; try a longer calibration" in found["unfitted"]["NBD"]


def test_what_comes_after_the_holdout_changes_nothing(orders):
    ends = (ORIGINS[0] - FIRST).days + DAYS + 1
    found = backtests.order_rounds(shop(ends), MODELS, ORIGINS[:1], DAYS)[ORIGINS[0]]
    for name, model in found["predictions"].items():
        pd.testing.assert_series_equal(model, orders[ORIGINS[0]]["predictions"][name])


def test_customers_acquired_earlier_can_be_left_out(log):
    since = date(2023, 3, 1)
    found = backtests.order_rounds(log, MODELS, ORIGINS[:1], DAYS, acquired_from=since)[ORIGINS[0]]
    first = pd.to_datetime(log.execute().order_day).groupby(log.execute().customer_id).min()
    assert found["weights"].sum() == (first >= pd.Timestamp(since)).sum()


def test_the_rounds_are_what_a_comparison_takes(orders, spend):
    for found, names in [(orders, BASELINES), (spend, OF_SPEND)]:
        table = holdout.rolling(found, replicates=20)
        pooled = table[table.origin == "all origins"]
        assert set(table.model) == {"BG/NBD", "NBD", "never", *names}
        never = pooled[pooled.model == "never"]
        assert (set(never.outcome), set(never.reason)) == ({"not fitted"}, {"not fitted from any of 2 origins"})
        assert np.isfinite(table[table.model != "never"].value).all()
        assert len(holdout.winners(table)) == 3 * 2 * 7


@pytest.mark.parametrize(
    ("ask", "rounds"), [(clv.backtest, backtests.order_rounds), (clv.backtest_spend, backtests.spend_rounds)]
)
def test_a_backtest_forecasts_as_many_days_as_the_holdout_has_from_several_origins(log, ask, rounds):
    split, until = date(2023, 9, 30), date(2023, 12, 29)
    period = Period(FIRST, split, until, None, pd.DataFrame())
    found = ask(log, period, models=["bg_nbd", "nbd"], origins=2, replicates=20, seed=3)
    days = holdout.origins(FIRST, until, 90, 2)
    assert days[-1] == split
    pd.testing.assert_frame_equal(found, holdout.rolling(rounds(log, MODELS, days, 90), replicates=20, seed=3))
    words = clv.pooled_winners({"orders": found})
    assert list(words.columns) == ["population", "measure", "winner", "summary"]
    assert set(words.index) == {"orders"}
    assert len(words) == 2 * 7


def test_of_a_log_too_short_for_its_origins_the_comparison_is_blank_with_the_reason():
    # two days hold no three origins: the latest comes after the first four days at least
    two_days = Period(FIRST, FIRST, FIRST + timedelta(1), None, pd.DataFrame())
    reason = (
        "3 origins with 1 day after each do not fit into the 1 day from 2023-01-01 to 2023-01-02; choose data that run "
        "over at least 5 days, with no more after each"
    )
    orders, spend = clv.backtest(shop(2), two_days), clv.backtest_spend(shop(2), two_days)
    winners = clv.pooled_winners({"orders": orders, "spend": spend})
    assert [each.attrs["reason"] for each in (orders, spend, winners)] == [reason] * 3
    checks = clv.checks.beats_baselines(orders, clv.NBD(0.4, 20.0))
    assert [check.outcome for check in checks] == ["not applicable"] * 2
