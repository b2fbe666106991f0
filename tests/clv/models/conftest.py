"""What tests of intervals share: a small world, its models, and few draws."""

import numpy as np
import pytest

from crmlab import clv

from ..worlds import simulated, spread

DRAWS = 64


@pytest.fixture(scope="package")
def fits():
    """A collapsed summary, and both models fitted to it, with few draws."""
    customers = simulated(customers=500, r=0.6, alpha=60.0, a=0.8, b=3.0).assign(monetary_value=20.0)
    rng = np.random.default_rng(8)
    each = spread(customers)
    x = each.frequency.clip(lower=1)
    each["monetary_value"] = rng.gamma(6 * x) / (x * rng.gamma(4, 1 / 15, len(each)))  # p 6, q 4, gamma 15
    return customers, clv.BGNBD.fit(customers, replicates=DRAWS), clv.GammaGamma.fit(each, replicates=DRAWS)
