"""Ends of intervals and spreads of draws, by hand."""

import numpy as np
import pandas as pd
import pytest

from crmlab import service_quality
from crmlab.service_quality.models import satisfaction
from crmlab.service_quality.models.reliability import cronbach_alpha_interval


def test_the_interval_of_alpha_has_the_degrees_of_freedom_of_feldt():
    # tables: F of 10 and 40 degrees has 2.388 above it in 2.5 % of cases, F of 40 and 10 has 3.255
    assert cronbach_alpha_interval(0.8, 5, 11) == pytest.approx((1 - 0.2 * 2.388, 1 - 0.2 / 3.255), abs=2e-4)


def test_the_interval_of_nps_adds_three_quarters_to_promoters_and_to_detractors():
    found = service_quality.promoter_shares(pd.Series([10, 9, 8, 3])).iloc[0]
    # shares (2 + .75) / 7 and (1 + .75) / 7: difference 1 / 7, variance (4.5 / 7 - 1 / 49) / 7
    reach = 1.959964 * np.sqrt((4.5 / 7 - 1 / 49) / 7)
    assert (found.ci_low, found.ci_high) == pytest.approx((100 * (1 / 7 - reach), 100 * (1 / 7 + reach)))


def test_weights_are_drawn_with_the_relative_spread_that_is_asked_for():
    # of three weights the first alone counts; it is a third, and spreads by as much
    weighted = satisfaction._band(np.array([1.0, 0, 0]), np.full(3, 1 / 3), 1.0, 20_000, 1)[:, 1]
    assert weighted.mean() == pytest.approx(1 / 3, rel=0.02)
    assert weighted.std() / weighted.mean() == pytest.approx(1.0, rel=0.02)
