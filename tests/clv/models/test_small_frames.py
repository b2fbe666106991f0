"""Whatever customers a small shop has, a fit gives a model or the reason why there is none."""

import re

import numpy as np
import pandas as pd
import pytest

from crmlab import clv

from ..rates import MODELS, fits_of_small_frames

FRAMES = 40  # of each model; the bench fits to many more


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_fit_gives_a_model_or_the_reason(model):
    fits = fits_of_small_frames(model, FRAMES)
    reasons = [fit.reason for fit in fits if not fit]
    assert 0 < len(reasons) <= FRAMES
    assert all(re.match(rf"{re.escape(model.title)} (has|needs) ", reason) for reason in reasons)
    assert all(np.isfinite([*fit.parameters.value]).all() for fit in fits if fit)


def test_ordinary_buyers_of_whom_gamma_gamma_has_no_maximum():
    frequency = [6, 1, 1, 1, 1, 3, 1, 5, 4, 1, 2, 1, 1, 2, 2, 2, 6, 1, 1, 3, 6, 6, 5, 1, 6]
    spend = [
        35.52, 27.63, 77.39, 4.25, 59.99, 33.71, 44.04, 24.27, 36.57, 28.32, 32.26, 36.5, 33.67,
        29.13, 16.53, 52.08, 30.7, 22.89, 41.99, 30.28, 30.35, 28.96, 32.61, 21.26, 33.01,
    ]  # fmt: skip
    found = clv.GammaGamma.fit(pd.DataFrame({"frequency": frequency, "monetary_value": spend}))
    assert (
        "does not fall as q and gamma grow without end, so that all customers spend the same on average" in found.reason
    )


def never_leaving(seed, customers=150):
    """Customers of an NBD world: counts are gamma-mixed Poisson, order days even over each age."""
    rng = np.random.default_rng(seed)
    age = rng.integers(180, 365, customers)
    counts = rng.poisson(rng.gamma(0.5, 1 / 50, customers) * age)
    recency = [np.ceil(rng.random(count).max(initial=0) * days) for count, days in zip(counts, age, strict=True)]
    return pd.DataFrame({"frequency": counts.astype(float), "recency": recency, "age": age.astype(float)})


@pytest.mark.parametrize("model", [clv.BGNBD, clv.ParetoNBD], ids=lambda model: model.__name__)
def test_a_limit_is_named_with_the_model_that_it_is(model):
    fits = [model.fit(never_leaving(seed), replicates=0) for seed in range(4)]
    at_limit = [fit for fit in fits if not fit and "nobody leaves" in fit.reason]
    assert at_limit
    for fit in at_limit:
        assert fit.reason.endswith("towards that of a model in which nobody leaves, which is its limit here")
        assert fit.recommendation == 'choose model = "nbd"'


def test_where_a_search_went_is_what_is_said_of_it():
    found = clv.NBD.fit(pd.DataFrame({"frequency": [4.0] * 30, "recency": 80.0, "age": 100.0}))
    assert found.reason == (
        "NBD has no maximum on these 30 customers: its likelihood does not fall as r and alpha grow without end, so "
        "that all customers order equally often"
    )
