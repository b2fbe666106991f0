"""How far facts move in customers drawn anew: to first order, as if all were fitted again."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, clv
from crmlab.clv.models.dependent_spend import SpendByFrequency
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.mean_spend import MeanSpend
from crmlab.clv.tables import reweighted
from crmlab.likelihood import values

DRAWS = 24  # that are fitted again


@pytest.fixture(scope="module")
def customers():
    return clv.summarise(catalog.orders("cdnow_sample"), "1997-09-30")


def drawn(frame, change, place):
    return frame.assign(customers=(frame.customers + change[:, place]).round().astype(int)).query("customers > 0")


@pytest.mark.parametrize("name", ["nbd", "bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_parameters_move_as_in_a_new_fit(customers, name):
    frame, change = reweighted(customers)
    model = clv.fit(frame, name)
    moved = model.influence(frame, change[:, :DRAWS])
    fits = [type(model).fit(drawn(frame, change, place), [tuple(values(model))], 0) for place in range(DRAWS)]
    again = np.array([np.log(values(each)) - np.log(values(model)) for each in fits if each]).T
    kept = [place for place, each in enumerate(fits) if each]
    assert len(kept) > DRAWS / 2
    assert np.corrcoef(moved[0, kept], again[0])[0, 1] > 0.9  # of the first parameter, r
    errors = np.sqrt(np.diag(model.covariance))
    assert model.influence(frame, change).std(axis=1) == pytest.approx(errors, rel=0.5)


# of SpendByFrequency, what draws classes together is held as it was
@pytest.mark.parametrize(("kind", "alike"), [(GammaGamma, 0.9), (MeanSpend, 0.9), (SpendByFrequency, 0.8)])
def test_expected_spend_moves_as_in_a_new_fit(customers, kind, alike):
    frame, change = reweighted(customers, "monetary_value")
    model = kind.fit(frame)
    buyers = frame[frame.frequency > 0]
    slope = []
    for place, value in enumerate(values(model)):
        ends = [
            kind(*[v * np.exp(step) if n == place else v for n, v in enumerate(values(model))])
            for step in (1e-4, -1e-4)
        ]
        sums = [(end.expected_spend(buyers) * buyers.customers).sum() for end in ends]
        slope.append((sums[0] - sums[1]) / 2e-4)
        assert value > 0
    predicted = np.array(slope) @ model.influence(frame, change[:, :DRAWS])
    fits = [kind.fit(drawn(frame, change, place), 0) for place in range(DRAWS)]
    whole = (model.expected_spend(buyers) * buyers.customers).sum()
    again = [(each.expected_spend(buyers) * buyers.customers).sum() - whole for each in fits]
    assert np.corrcoef(predicted, again)[0, 1] > alike
    assert np.std(predicted) == pytest.approx(np.std(again), rel=0.35)


def test_a_total_moves_as_where_all_is_fitted_again(customers):
    model, spend = clv.fit(customers, "mbg_nbd"), clv.fit_spend(customers)
    equity = clv.customer_equity(model, spend, customers, 365, 0.1)
    frame, change = reweighted(customers, "monetary_value")
    again = []
    for place in range(DRAWS):
        rows = drawn(frame, change, place)
        anew = clv.customer_equity(
            clv.fit(rows, "mbg_nbd", 0), clv.fit_spend(rows, 0), rows, 365, 0.1
        )  # fmt: skip
        again.append(anew.value - equity.value)
    moves = equity.deviations()
    assert np.corrcoef(moves[:DRAWS], again)[0, 1] > 0.97
    assert np.std(moves[:DRAWS]) == pytest.approx(np.std(again), rel=0.15)


def test_counts_of_the_active_move_with_all_customers_whom_the_model_was_fitted_to(customers):
    model = clv.fit(customers, "mbg_nbd")
    everybody, repeat = (clv.activity(model, customers, 365)[name] for name in ("customers", "repeat_buyers"))
    assert repeat.deviations().std() < everybody.deviations().std()
    frame, change = reweighted(customers)
    again = []
    for draw in range(DRAWS):
        rows = drawn(frame, change, draw)
        again.append(clv.activity(clv.fit(rows, "mbg_nbd", 0), rows, 365)["repeat_buyers"].value - repeat.value)
    assert np.corrcoef(repeat.deviations()[:DRAWS], again)[0, 1] > 0.97


def test_who_is_not_known_is_not_drawn(customers):
    frame = clv.collapse(customers)
    model = clv.fit(frame, "mbg_nbd")
    assert clv.forecast_orders(model, frame, 365).deviations is None
    alone = pd.DataFrame({"frequency": [0, 2], "recency": [0, 20], "age": [30, 40]})
    assert reweighted(alone) is None


def test_moves_are_alike_wherever_a_customer_is():
    orders = catalog.orders("cdnow_sample")
    whole = clv.summarise(orders, "1997-09-30")
    half = whole.filter(whole.customer_id.hash() % 2 == 0)
    first, second = (clv.forecast_orders(clv.fit(c, "mbg_nbd"), c, 180).deviations() for c in (whole, half))
    shared = half.count().execute() / whole.count().execute()
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(np.sqrt(shared), abs=0.15)
