"""Scales are declared, standardised, and shown side by side."""

import numpy as np
import pytest
from scipy import stats

from crmlab.segments.models.transforms import KINDS, Transform, transform_comparison

from .logs import simulated
from .refusals import refused, unfitted

COLUMNS = ("orders", "spend")


@pytest.mark.parametrize("kind", KINDS)
def test_every_transform_has_mean_zero_and_deviation_one(kind):
    X = Transform.fit(simulated(), COLUMNS, kind).transform(simulated())
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(X.std(axis=0), 1)


def test_log_is_that_of_one_more_and_tells_refunds():
    frame = simulated(100)
    frame.loc[frame.index[0], "spend"] = -50.0
    scale = Transform.fit(frame, ["spend"], "log")
    inverse_transform = scale.transform(frame)[:, 0] * scale.standard_deviation[0] + scale.mean[0]
    assert inverse_transform[0] == pytest.approx(-np.log(51))
    np.testing.assert_allclose(inverse_transform[1:], np.log(1 + frame.spend[1:]))


def test_winsorised_ends_are_quantiles_and_hold_for_later_customers():
    frame, later = simulated(), simulated(50, seed=9)
    later.loc[later.index[0], "spend"] = 9e9
    scale = Transform.fit(frame, ["spend"], "winsorised", tail=0.05)
    assert scale.high[0] == pytest.approx(np.quantile(frame.spend, 0.95))
    assert scale.transform(later)[0, 0] == pytest.approx((scale.high[0] - scale.mean[0]) / scale.standard_deviation[0])


@pytest.mark.parametrize("kind", KINDS)
def test_back_is_the_way_back(kind):
    frame = simulated(200)
    inside = frame[frame.spend.between(*frame.spend.quantile([0.1, 0.9]))]
    scale = Transform.fit(frame, ["spend"], kind)
    np.testing.assert_allclose(scale.inverse_transform(scale.transform(inside))[:, 0], inside.spend)


def test_side_by_side_shows_the_skewness_of_each_transform():
    table = transform_comparison(simulated(), COLUMNS).set_index(["column", "transform"])
    assert [*table.index] == [(c, k) for c in COLUMNS for k in KINDS]
    spend = simulated().spend
    assert table.skewness["spend", "raw"] == pytest.approx(stats.skew(spend))
    assert table.skewness["spend", "log"] == pytest.approx(stats.skew(np.log1p(spend)))
    assert table.top_share["spend", "log"] < table.top_share["spend", "winsorised"] < table.top_share["spend", "raw"]


def test_what_cannot_be_scaled_is_named():
    frame = simulated(50).assign(orders=3)
    frame["spend"] = frame.spend.where(frame.index == frame.index[0])
    said = unfitted(Transform.fit, frame, ["orders", "spend", "visits"], "raw").split("; features: ")
    assert len(said) == 3
    assert "'orders' is 3 for all 50" in said[0]
    assert "'spend' is empty or infinite for 49 of 50" in said[1]
    assert "'visits'" in said[2]


def test_a_column_that_winsorising_makes_constant_is_named():
    frame = simulated(500).assign(orders=[9] + [1] * 499)
    assert "'orders', winsorised" in unfitted(Transform.fit, frame, ["orders"], "winsorised")


@pytest.mark.parametrize(("kind", "tail"), [("root", 0.01), ("raw", 0.0), ("winsorised", 0.5)])
def test_unknown_kinds_and_tails_are_refused(kind, tail):
    assert "choose a kind of raw, log, winsorised" in refused(Transform.fit, simulated(50), COLUMNS, kind, tail)[0]
