"""Views of a fitted model: against its own answers row by row, and shares against mpmath."""

from datetime import date, timedelta

import mpmath
import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.contracts import InputError
from crmlab.model import Unfitted

from ..worlds import by_customer, log
from ..worlds import customers as rows

MODELS = [
    clv.BGNBD(0.25, 4.4, 0.8, 2.4),
    clv.MBGNBD(0.5, 6.0, 0.9, 1.5),
    clv.ParetoNBD(0.6, 10.0, 0.6, 12.0),
    clv.NBD(0.4, 5.0),
    clv.DailyBGBB(0.54, 70.8, 0.61, 80.6),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
SHOP = (
    ("ann", "2024-01-03", "5.00"),
    ("ann", "2024-01-04", "7.00"),
    ("ann", "2024-01-04", "1.00"),  # the same day
    ("bob", "2024-01-01", "9.00"),
    ("bob", "2024-01-12", "9.00"),
    ("ann", "2024-01-11", "3.00"),
    ("cid", "2024-01-20", "2.00"),
)
LATER = (("ann", "2024-01-21", "4.00"), ("cid", "2024-01-22", "4.00"))
END = date(2024, 1, 20)


@every_model
def test_a_history_is_what_each_day_would_have_given(model):
    path = clv.probability_alive_history(model, log(*SHOP, *LATER), "ann", END)
    days = [date(2024, 1, 3) + timedelta(n) for n in range(18)]
    known = pd.concat([by_customer(clv.summarise(log(*SHOP), day)).loc[["ann"]] for day in days])
    assert list(path.index.date) == days
    assert path.index.name == "day"
    assert path.p_alive.to_list() == pytest.approx(model.p_alive(known).to_list(), rel=1e-12)
    assert list(path.columns) == ["ordered", "p_alive"]


def test_a_history_marks_the_days_with_an_order():
    path = clv.probability_alive_history(MODELS[0], log(*SHOP), "ann", END)
    assert path.index[path.ordered].day.to_list() == [3, 4, 11]
    assert path.p_alive.iloc[0] == 1
    falls = path.p_alive.diff() < 0
    assert falls[
        ~path.ordered & (path.index > "2024-01-04")
    ].all()  # every day without an order lowers a repeat buyer's


def test_a_history_of_one_day_is_that_of_a_new_customer():
    path = clv.probability_alive_history(MODELS[1], log(*SHOP), "cid", "2024-01-20")
    assert path.ordered.to_list() == [True]
    # MBG/NBD: who may leave after the first order has left with probability a / (a + b)
    assert path.p_alive.to_list() == pytest.approx([1.5 / 2.4])


@pytest.mark.parametrize(("returned", "days"), [("2024-01-15", [3, 4]), ("2024-01-25", [3, 4, 11])])
def test_a_history_leaves_out_an_order_returned_whole_by_its_end(returned, days):
    back = ("ann", returned, "-3.00", "2024-01-11")
    path = clv.probability_alive_history(MODELS[0], log(*SHOP, back), "ann", END)
    assert path.index[path.ordered].day.to_list() == days


@every_model
@pytest.mark.parametrize("age", [1, 9, 400])
def test_a_matrix_asks_the_model_cell_by_cell(model, age, recwarn):
    found = clv.probability_alive_matrix(model, age, max_frequency=4)
    assert found.index.to_list() == [0, 1, 2, 3, 4]
    assert (found.index.name, found.columns.name) == ("frequency", "days_since_last")
    for orders, row in found.iterrows():
        for since_last, probability in row.items():
            if orders == 0 and since_last == age:
                assert probability == pytest.approx(model.p_alive(rows((0, 0, age)))[0], rel=1e-12)
            elif orders > 0 and age - since_last >= orders:  # a day an order
                assert probability == pytest.approx(model.p_alive(rows((orders, age - since_last, age)))[0], rel=1e-12)
            else:
                assert np.isnan(probability)
    assert not recwarn.list


def test_the_impossible_cells_of_a_matrix_are_empty():
    found = clv.probability_alive_matrix(MODELS[0], age=3, max_frequency=4)
    assert found.columns.to_list() == [0, 1, 2, 3]
    possible = [[0, 0, 0, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert found.notna().astype(int).to_numpy().tolist() == possible


def test_a_matrix_reaches_from_today_to_the_whole_age_in_whole_days():
    days = clv.probability_alive_matrix(MODELS[0], age=1000, max_frequency=1).columns
    assert (days[0], days[-1], len(days)) == (0, 1000, 60)
    assert days.is_unique
    assert np.diff(days).max() - np.diff(days).min() <= 1


@pytest.mark.parametrize("model", MODELS[:3], ids=lambda model: type(model).__name__)
def test_departures_are_shares_of_the_law_of_leaving(model):
    found = clv.dropout_distribution(model)
    for until, share in found.share[::50].items():
        if isinstance(
            model, clv.BGNBD
        ):  # after so many orders on average: a probability p ~ Beta(a, b) above 1 / until
            expected = mpmath.betainc(model.a, model.b, 1 / mpmath.mpf(until), 1, regularized=True)
        else:  # after so many days on average: a rate ~ Gamma(s, beta) above 1 / until
            expected = mpmath.gammainc(model.s, model.beta / mpmath.mpf(until), regularized=True)
        assert share == pytest.approx(float(expected), rel=1e-9, abs=1e-14)
    assert found.index.name == ("orders until leaving" if isinstance(model, clv.BGNBD) else "days until leaving")


@pytest.mark.parametrize("model", MODELS[:4], ids=lambda model: type(model).__name__)
def test_order_gaps_are_shares_of_the_law_of_rates(model):
    found = clv.interpurchase_time_distribution(model)
    expected = [
        mpmath.gammainc(model.r, model.alpha / mpmath.mpf(days), regularized=True) for days in found.index[::50]
    ]
    assert found.share.to_list()[::50] == pytest.approx(list(map(float, expected)), rel=1e-9, abs=1e-14)
    assert found.index.name == "days between orders"


def test_shares_by_hand():
    # a rate ~ Exponential(mean 1/30): above 1/days with e^(-30/days); p ~ Uniform: above 1/orders with 1 - it
    gaps = clv.interpurchase_time_distribution(clv.NBD(1.0, 30.0)).share
    assert gaps.to_numpy() == pytest.approx(np.exp(-30 / gaps.index))
    stays = clv.dropout_distribution(clv.ParetoNBD(1.0, 1.0, 1.0, 30.0)).share
    assert stays.to_numpy() == pytest.approx(np.exp(-30 / stays.index))
    orders = clv.dropout_distribution(clv.BGNBD(1.0, 1.0, 1.0, 1.0)).share
    assert orders.to_numpy() == pytest.approx(1 - 1 / orders.index)


@pytest.mark.parametrize("view", [clv.interpurchase_time_distribution, clv.dropout_distribution])
@every_model
def test_shares_grow_from_0_towards_1_over_what_a_plot_shows(view, model):
    share = view(model).share
    assert share.between(0, 1).all()
    assert share.is_monotonic_increasing
    if len(share):
        assert (share.index[0], share.index[-1]) == pytest.approx((1, 1e5))


def test_nobody_leaves_by_a_model_of_staying():
    found = clv.dropout_distribution(MODELS[3])
    assert found.empty
    assert list(found.columns) == ["share"]
    assert found.index.name == "nobody leaves"


@pytest.mark.parametrize(("family", "unit"), [(clv.BGBB, "periods"), (clv.DailyBGBB, "days")])
def test_bgbb_counts_its_periods_which_may_be_days(family, unit):
    # p ~ Uniform: an order after more than n periods on average: 1 / n; leaving ~ Beta(1, 5): (1 - 1/n)^5
    gaps, leaving = (
        view(family(1.0, 1.0, 1.0, 5.0)).share
        for view in (clv.interpurchase_time_distribution, clv.dropout_distribution)
    )
    assert gaps.to_numpy() == pytest.approx(1 - 1 / gaps.index)
    assert leaving.to_numpy() == pytest.approx((1 - 1 / leaving.index) ** 5)
    assert (gaps.index.name, leaving.index.name) == (f"{unit} between orders", f"{unit} until leaving")


def test_the_history_of_an_unknown_customer_is_refused_without_showing_an_id():
    shop = log(("0007", "2024-01-03", "5.00"), ("ann", "2024-01-05", "5.00"), ("late", "2024-03-01", "5.00"))
    with pytest.raises(InputError) as refused:
        clv.probability_alive_history(MODELS[0], shop, "7", END)
    message = str(refused.value)
    assert message.startswith("customer_id: c-")
    assert "is none of the 2 customers with an order by 2024-01-20; 1 differs from it in leading zeros" in message
    assert "0007" not in message
    with pytest.raises(InputError, match="by 2024-01-20; give the id as the data write it, as text"):
        clv.probability_alive_history(MODELS[0], shop, "late", END)


def test_the_history_of_a_frame_is_that_of_its_first_customer():
    frame = pd.DataFrame({"customer_id": ["ann", "bob"]})
    of_frame, of_id = (clv.probability_alive_history(MODELS[0], log(*SHOP), who, END) for who in (frame, "ann"))
    pd.testing.assert_frame_equal(of_frame, of_id)


def test_views_of_what_was_not_fitted_are_blank_with_the_reason():
    unfitted = Unfitted(clv.BGNBD, "no maximum")
    for blank in (
        clv.probability_alive_matrix(unfitted, 30, 4),
        clv.probability_alive_history(unfitted, log(*SHOP), "ann", END),
        clv.interpurchase_time_distribution(unfitted),
        clv.dropout_distribution(unfitted),
    ):
        assert blank.empty
        assert blank.attrs["reason"] == "no maximum"
