"""Where all customers spend the same on average: moments by hand, money that still comes, and what is said of it."""

import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.model import Unfitted

FEW = pd.DataFrame({"frequency": [1, 2, 1, 0], "monetary_value": [8.0, 10.0, 12.0, 0.0]})


def alike(seed=3, count=400, mean=10.0):
    """Repeat buyers whose orders are of one distribution: gamma of shape 6."""
    rng = np.random.default_rng(seed)
    frequency = rng.geometric(0.3, count)
    return pd.DataFrame({"frequency": frequency, "monetary_value": rng.gamma(6 * frequency, mean / 6 / frequency)})


def test_mean_and_scatter_by_hand():
    found = clv.MeanSpend.fit(FEW, replicates=0)
    # four orders of 40 in all; scatter 1 (-.2)^2 + 2 0 + 1 (.2)^2 = .08 over three customers less one
    assert found.p == pytest.approx(1 / 0.04)
    assert found.expected_spend(FEW).tolist() == pytest.approx([10.0] * 4, rel=1e-4)
    weighted = pd.DataFrame({"frequency": [1, 2, 1], "monetary_value": [8.0, 10, 12], "customers": [3, 1, 3]})
    assert clv.MeanSpend.fit(weighted, 0).p == pytest.approx(1 / (6 * 0.04 / 6))


def test_draws_scatter_as_the_mean_does():
    fitted = clv.MeanSpend.fit(alike(), replicates=4000)
    orders = alike().frequency.sum()
    drawn = np.array([draw.expected_spend(FEW.tail(1)).iloc[0] for draw in fitted.draws])
    assert drawn.std() / drawn.mean() == pytest.approx(1 / np.sqrt(fitted.p * orders), rel=0.05)
    assert np.std([np.log(draw.p) for draw in fitted.draws]) == pytest.approx(np.sqrt(2 / 399), rel=0.05)
    assert fitted.p == pytest.approx(6, rel=0.15)
    again = clv.MeanSpend.fit(alike(), replicates=4000)
    assert [draw.p for draw in again.draws] == [draw.p for draw in fitted.draws]


@pytest.fixture(scope="module")
def of_limit():
    """Customers of whom Gamma-Gamma says that all spend the same on average."""
    worlds = (alike(seed) for seed in range(40))
    return next(world for world in worlds if "the same on average" in getattr(clv.fit_spend(world), "reason", ""))


def test_money_comes_by_the_mean_of_all_where_that_is_the_limit(of_limit):
    spend = clv.fit_spend(of_limit)
    valued = clv.spend_for_value(spend, of_limit)
    assert isinstance(valued, clv.MeanSpend)
    customers = of_limit.assign(recency=90.0, age=100.0)
    equity = clv.customer_equity(clv.NBD(0.8, 40.0), valued, customers, 365, 0.1)
    orders = clv.customer_equity(clv.NBD(0.8, 40.0), None, customers, 365, 0.1)
    mean = (of_limit.frequency * of_limit.monetary_value).sum() / of_limit.frequency.sum()
    assert equity.value == pytest.approx(orders.value * mean, rel=1e-3)
    note = clv.spend_note(spend, valued)
    assert note == f"Money rests on mean spend of all, not on Gamma-Gamma: {spend.reason}."


def test_all_spends_equal_are_the_mean_of_all():
    same = alike().assign(monetary_value=9.99)
    valued = clv.spend_for_value(clv.fit_spend(same), same)
    assert isinstance(valued, clv.MeanSpend)
    assert valued.expected_spend(same).to_numpy() == pytest.approx(9.99, rel=1e-4)


def test_what_else_cannot_be_fitted_stays_so():
    one = pd.DataFrame({"frequency": [3], "monetary_value": [5.0]})
    found = clv.spend_for_value(clv.fit_spend(one), one)
    assert isinstance(found, Unfitted)
    assert "needs two repeat buyers; there are 1" in clv.MeanSpend.fit(one).reason
    rich = clv.GammaGamma(6.0, 4.0, 15.0)
    assert clv.spend_for_value(rich, FEW) is rich
    assert clv.spend_note(rich, rich) == clv.spend_note(found, found) == ""


def test_within_classes_of_frequency_too(of_limit):
    depends = of_limit.assign(monetary_value=of_limit.monetary_value * np.log1p(of_limit.frequency))
    valued = clv.spend_for_value(clv.fit_spend(depends), depends)
    assert isinstance(valued, clv.SpendByFrequency)
    assert valued.once < valued.few < valued.many
    assert clv.spend_note(clv.fit_spend(depends), valued).startswith("Money rests on Gamma-Gamma by frequency, not on ")
