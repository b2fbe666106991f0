"""Fits beside those of lifetimes, on the same data; without draws, which take longer than the fits."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv.models.crosscheck import compare_with_lifetimes
from crmlab.model import Unfitted

from ..worlds import simulated


@pytest.fixture(scope="module")
def world():
    return simulated(r=0.6, alpha=60.0, a=0.8, b=3.0)


def differences(found):
    """Relative, by parameter, with all their digits."""
    return (found.crmlab / found.lifetimes - 1).droplevel("model")


@pytest.mark.parametrize("family", [clv.BGNBD, clv.MBGNBD, clv.ParetoNBD])
def test_lifetimes_finds_the_same_maximum(family, world):
    found = compare_with_lifetimes(family.fit(world, replicates=0), world)
    assert (abs(differences(found)) < 1e-3).all()  # of parameters, which its optimiser leaves early
    assert abs(differences(found)["log_likelihood"]) < 1e-8
    assert found.relative_difference.to_list() == [round(each, 5) for each in differences(found)]
    last = found.loc[family.title, :].loc["log_likelihood"]
    assert last.crmlab >= last.lifetimes - 1e-6
    assert found.columns.to_list() == ["crmlab", "lifetimes", "relative_difference", "reason"]
    assert set(found.reason) == {""}


def test_lifetimes_starts_at_the_same_place_every_time_and_leaves_random_states_alone(world):
    fitted = clv.ParetoNBD.fit(world, replicates=0)
    once = compare_with_lifetimes(fitted, world)
    np.random.seed(7)
    expected = np.random.random()
    np.random.seed(7)
    pd.testing.assert_frame_equal(compare_with_lifetimes(fitted, world), once, check_exact=True)
    assert np.random.random() == expected


def test_another_model_than_the_fitted_one_is_seen_to_differ(world):
    fitted = clv.BGNBD.fit(world, replicates=0)
    found = compare_with_lifetimes(clv.BGNBD(fitted.r * 1.1, fitted.alpha, fitted.a, fitted.b), world)
    assert differences(found)["r"] == pytest.approx(0.1, abs=1e-3)
    last = found.loc["BG/NBD"].loc["log_likelihood"]
    assert last.crmlab < last.lifetimes - 1


def test_spend_is_checked_too():
    from crmlab import catalog

    spenders = clv.summarise(catalog.orders("cdnow_sample"), "1997-09-30")
    found = compare_with_lifetimes(clv.fit_spend(spenders), spenders)
    assert found.index.to_list() == [("Gamma-Gamma", name) for name in ("p", "q", "gamma", "log_likelihood")]
    assert (abs(differences(found)) < 1e-6).all()


@pytest.mark.parametrize(
    ("family", "reason"), [(clv.NBD, "lifetimes has no NBD"), (clv.DailyBGBB, "lifetimes' BG/BB adds 1e-15")]
)
def test_a_model_that_lifetimes_lacks_is_shown_alone_with_the_reason(world, family, reason):
    fitted = family.fit(world, replicates=0)
    found = compare_with_lifetimes(fitted, world)
    assert found.crmlab.iloc[-1] == fitted.log_likelihood(world)
    assert found[["lifetimes", "relative_difference"]].isna().all(axis=None)
    assert found.reason.str.startswith(reason).all()


def test_a_model_that_lifetimes_cannot_fit_says_so(world, monkeypatch):
    import lifetimes
    from lifetimes.utils import ConvergenceError

    def refuse(*seen, **weights):
        raise ConvergenceError

    monkeypatch.setattr(lifetimes.BetaGeoFitter, "fit", refuse)
    found = compare_with_lifetimes(clv.BGNBD.fit(world), world)
    assert set(found.reason) == {"lifetimes does not converge on these data"}
    assert found.crmlab.notna().all()


def test_what_was_not_fitted_is_blank_with_the_reason(world):
    found = compare_with_lifetimes(Unfitted(clv.GammaGamma, "no spend"), world)
    assert found.empty
    assert found.attrs["reason"] == "no spend"


def test_bgbb_of_periods_is_checked_too():
    donations = pd.read_csv(Path(importlib.util.find_spec("lifetimes").origin).parent / "datasets" / "donations.csv")
    donations = donations.rename(columns={"periods": "age", "weights": "customers"})
    found = compare_with_lifetimes(clv.BGBB.fit(donations), donations)
    assert (abs(differences(found)) < 1e-6).all()
    assert found.crmlab.iloc[-1] == pytest.approx(-33225.58, abs=0.005)  # REFERENCE
