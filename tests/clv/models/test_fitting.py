"""What is fitted, and to whom."""

import pandas as pd
import pytest

from crmlab import clv, likelihood

from ..worlds import customers

SEEN = customers((0, 0, 90), (1, 5, 90), (2, 40, 90), (4, 80, 90))
DAILY = {
    "BG/NBD": clv.BGNBD,
    "MBG/NBD": clv.MBGNBD,
    "NBD": clv.NBD,
    "Pareto/NBD": clv.ParetoNBD,
    "BG/BB": clv.DailyBGBB,
}


def test_repeat_buyers_who_spent_nothing_are_counted_of_all_repeat_buyers():
    # 20 never ordered again; of 3 + 4 + 5 who did, 4 spent nothing
    frame = pd.DataFrame(
        {"frequency": [0, 1, 2, 3], "monetary_value": [0.0, 9.5, 0.0, 7.0], "customers": [20, 3, 4, 5]}
    )
    found = clv.repeat_buyers_without_spend(frame.assign(recency=frame.frequency, age=10))
    assert (found.value, found.n, found.unit, found.kind) == (4, 12, "customers", "count")


@pytest.mark.parametrize("model", DAILY.values(), ids=DAILY)
def test_a_search_begins_where_it_is_told_and_else_at_places_of_the_model(model, monkeypatch):
    begun = []
    monkeypatch.setattr("crmlab.clv.models.orders.fit", lambda *given, **_: begun.append(given[4]))
    model.fit(SEEN, starts=[(1.0, 2.0)])
    model.fit(SEEN)
    *columns, weights = model._statistics(SEEN)
    assert begun == [[(1.0, 2.0)], model._starts(*columns, weights)]


@pytest.mark.parametrize("model", DAILY.values(), ids=DAILY)
def test_predictions_bear_their_names_and_the_index_of_the_customers(model):
    fitted, frame = (
        model(*(0.5 + n for n in range(len(likelihood.parameter_names(model))))),
        SEEN.set_axis(list("abcd")),
    )
    for some in (frame, frame[:0]):
        asked = [
            fitted.p_alive(some),
            fitted.expected_orders(some, 30),
            fitted.discounted_orders(some, 0.1, horizon_days=60),
        ]
        assert [one.name for one in asked] == ["p_alive", "expected_orders", "discounted_orders"]
        assert all(one.index.equals(some.index) for one in asked)
