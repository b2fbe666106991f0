"""Our fits beside those of lifetimes, at the same data."""

import pytest

from crmlab import clv
from crmlab.clv.models.crosscheck import by_lifetimes

from ..worlds import simulated


@pytest.fixture(scope="module")
def world():
    return simulated(r=0.6, alpha=60.0, a=0.8, b=3.0)


@pytest.mark.parametrize("family", [clv.BGNBD, clv.MBGNBD, clv.ParetoNBD])
def test_lifetimes_finds_the_same_maximum(family, world):
    found = by_lifetimes(family.fit(world), world)
    assert (abs(found.difference) < 1e-3).all()  # of parameters, which its optimiser leaves early
    assert abs(found.difference["log_likelihood"]) < 1e-8
    assert found.crmlab["log_likelihood"] >= found.lifetimes["log_likelihood"] - 1e-6
    assert found.columns.to_list() == ["crmlab", "lifetimes", "difference"]


def test_another_model_than_the_fitted_one_is_seen_to_differ(world):
    fitted = clv.BGNBD.fit(world)
    found = by_lifetimes(clv.BGNBD(fitted.r * 1.1, fitted.alpha, fitted.a, fitted.b), world)
    assert found.difference["r"] == pytest.approx(0.1, abs=1e-3)
    assert found.crmlab["log_likelihood"] < found.lifetimes["log_likelihood"] - 1


def test_spend_is_checked_too():
    from crmlab import catalog

    spenders = clv.collapse(clv.summarise(catalog.load("cdnow_sample"), "1997-09-30"), "monetary_value")
    found = by_lifetimes(clv.GammaGamma.fit(spenders), spenders)
    assert found.index.to_list() == ["p", "q", "gamma", "log_likelihood"]
    assert (abs(found.difference) < 1e-6).all()


def test_a_model_that_lifetimes_lacks_has_no_rows(world):
    found = by_lifetimes(clv.NBD.fit(world), world)
    assert found.empty
    assert found.columns.to_list() == ["crmlab", "lifetimes", "difference"]
