"""sBG and BdW: exact likelihoods and derivatives, parameters found again, and what they refuse."""

import pickle
import re
import time
from dataclasses import replace

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from crmlab import lifecycle, likelihood
from crmlab.contracts import InputError
from crmlab.lifecycle import checks
from crmlab.lifecycle.models import sbg
from crmlab.lifecycle.models.sbg import BDW, SBG
from crmlab.lifecycle.models.survival import at_risk_and_lost
from crmlab.model import Unfitted

from .cohort_worlds import renewals

MODELS = (SBG(0.67, 3.8), BDW(0.3, 1.7, 1.6), BDW(2.0, 5.0, 0.4))
WORLD = renewals(3000, 10, 0.7, 3.0, seed=1)


def exact(model, t):
    """S(t), to 40 digits."""
    alpha, beta, c = (mpmath.mpf(str(v)) for v in (model.alpha, model.beta, getattr(model, "c", 1)))
    return mpmath.beta(alpha, beta + mpmath.mpf(t) ** c) / mpmath.beta(alpha, beta)


def judged(table, p=None, **limits):
    """The check of duration dependence, by 40 draws, or as if the test had given `p`."""
    test = lifecycle.constant_mixture_test(table, 40)
    return checks.no_duration_dependence(table, test if p is None else test.assign(p_adjusted=p), **limits)


def durations(*rows):
    frame = pd.DataFrame(rows, columns=["renewals", "churned", "customers"])
    return frame.assign(group="all")


@pytest.mark.parametrize("model", MODELS)
def test_survival_is_exact(model):
    with mpmath.workdps(40):
        expected = [float(exact(model, t)) for t in (0, 1, 2, 12, 500)]
        rates = [float(exact(model, t) / exact(model, t - 1)) for t in (1, 2, 12, 500)]
    assert list(model.survival([0, 1, 2, 12, 500])) == pytest.approx(expected, rel=1e-12)
    assert list(model.retention([1, 2, 12, 500])) == pytest.approx(rates, rel=1e-10)
    assert model.survival(0).tolist() == [1]


@pytest.mark.parametrize("model", MODELS)
def test_the_likelihood_is_exact(model):
    table = durations((0, True, 5), (1, True, 2), (3, True, 4), (0, False, 3), (2, False, 6), (8, False, 7))
    with mpmath.workdps(40):
        total = sum(
            row.customers
            * mpmath.log(exact(model, row.renewals) - (exact(model, row.renewals + 1) if row.churned else 0))
            for row in table.itertuples()
        )
    assert model.log_likelihood(table) == pytest.approx(float(total), rel=1e-13)


@pytest.mark.parametrize("model", MODELS)
def test_the_likelihood_of_contracts_that_came_under_observation_later_is_given_that_they_lasted_so_long(model):
    rows = durations((0, True, 5), (1, True, 2), (3, True, 4), (2, False, 6), (8, False, 7), (2, False, 3))
    table = rows.assign(entry=[0, 0, 2, 1, 3, 2])
    with mpmath.workdps(40):
        total = sum(
            row.customers
            * mpmath.log(
                (exact(model, row.renewals) - (exact(model, row.renewals + 1) if row.churned else 0))
                / exact(model, row.entry)
            )
            for row in table.itertuples()
        )
    assert model.log_likelihood(table) == pytest.approx(float(total), rel=1e-12)


@pytest.mark.parametrize("model", [SBG(6.7e12, 3.8e13), BDW(6.7e12, 3.8e13, 1.6), BDW(6.7e8, 3.8e9, 0.4)])
def test_digits_are_kept_where_the_likelihood_runs_off(model):
    with mpmath.workdps(60):
        expected = [float(mpmath.log(exact(model, t))) for t in (1, 2, 12)]
        lost = mpmath.log(exact(model, 3) - exact(model, 4))
    assert list(np.log(model.survival([1, 2, 12]))) == pytest.approx(expected, rel=1e-11)
    assert model.log_likelihood(durations((3, True, 1))) == pytest.approx(float(lost), rel=1e-11)


@pytest.mark.parametrize("model", MODELS)
def test_gradient_and_hessian_are_exact(model):
    # differences of the exact likelihood, in 40 digits
    table = durations((0, True, 5), (1, True, 2), (3, True, 4), (2, False, 6), (8, False, 7))
    derivatives = model._likelihood(*at_risk_and_lost(table))
    theta = [getattr(model, name) for name in likelihood.parameter_names(model)]

    def total(*parameters):
        alpha, beta, c = (*parameters, mpmath.mpf(1))[:3]

        def s(t):
            return mpmath.beta(alpha, beta + mpmath.mpf(t) ** c) / mpmath.beta(alpha, beta)

        return sum(
            r.customers * mpmath.log(s(r.renewals) - (s(r.renewals + 1) if r.churned else 0))
            for r in table.itertuples()
        )

    with mpmath.workdps(40):
        point, count = tuple(mpmath.mpf(v) for v in theta), len(theta)
        unit = np.eye(count, dtype=int)
        gradient = [float(mpmath.diff(total, point, tuple(map(int, unit[i])))) for i in range(count)]
        hessian = [
            [float(mpmath.diff(total, point, tuple(map(int, unit[i] + unit[j])))) for j in range(count)]
            for i in range(count)
        ]
    _, slope, curve = derivatives(np.array(theta))
    assert list(slope) == pytest.approx(gradient, rel=1e-9)
    assert np.asarray(curve) == pytest.approx(np.array(hessian), rel=1e-9)


@pytest.mark.parametrize("model", [SBG(0.7, 3.0), BDW(0.9, 4.0, 1.4)])
def test_a_fit_finds_the_parameters_that_customers_were_simulated_from(model):
    found = type(model).fit(renewals(60_000, 15, model.alpha, model.beta, getattr(model, "c", 1.0), seed=3))
    table = found.parameters
    truth = np.array([getattr(model, name) for name in table.index])
    assert (np.abs(np.log(table.value / truth)) < 3.5 * table.standard_error / table.value).all()
    assert (table.standard_error / table.value < 0.15).all()


def test_bdw_with_c_of_1_is_sbg():
    t = np.arange(30)
    assert list(BDW(0.7, 3.0, 1.0).survival(t)) == pytest.approx(list(SBG(0.7, 3.0).survival(t)), rel=1e-12)
    assert BDW(0.7, 3.0, 1.0).log_likelihood(WORLD) == pytest.approx(SBG(0.7, 3.0).log_likelihood(WORLD), rel=1e-12)


@pytest.mark.parametrize("discount", [0.5, 0.1, 0.008, 0.0018])
def test_payments_to_come_of_sbg_are_the_closed_form(discount):
    # Fader & Hardie 2010: (b + n) / (a + b + n) 2F1(1, b + n + 1; a + b + n + 1; 1 / (1 + d))
    a, b = 0.7, 3.0
    for n in (0, 3, 40):
        with mpmath.workdps(30):
            series = mpmath.hyp2f1(1, b + n + 1, a + b + n + 1, 1 / (1 + mpmath.mpf(discount)))
            expected = float((b + n) / (a + b + n) * series)
        assert SBG(a, b).residual_lifetime(n, discount)[n] == pytest.approx(expected, rel=1e-10)


def test_payments_to_come_are_by_the_renewals_in_the_order_asked():
    found = BDW(0.3, 1.7, 1.6).residual_lifetime([0, 1, 7, 3], 0.1)
    assert found.index.tolist() == [0, 1, 7, 3]
    assert (found.name, found.index.name) == ("residual_lifetime", "renewals")
    assert found[7] == BDW(0.3, 1.7, 1.6).residual_lifetime(7, 0.1)[7]


def test_a_yearly_discount_is_the_same_by_any_period():
    rates = {every: sbg.discount_per_period(0.1, every) for every in ("week", "month", "quarter", "year")}
    assert rates["year"] == pytest.approx(0.1)
    assert (1 + rates["month"]) ** 12 == pytest.approx(1.1)
    assert (1 + rates["quarter"]) ** 4 == pytest.approx(1.1)
    assert (1 + rates["week"]) ** (365 / 7) == pytest.approx(1.1)


def test_the_check_of_duration_dependence_passes_where_there_is_none_and_fails_where_there_is():
    (still,) = judged(renewals(100_000, 12, 0.7, 3.0, seed=5))
    (moving,) = judged(renewals(8000, 12, 0.7, 3.0, c=1.5, seed=5))
    assert (still.id, still.kind) == ("lifecycle.no_duration_dependence.all", "assumption")
    assert (still.outcome, moving.outcome) == ("passed", "failed")
    assert still.recommendation == ""
    assert moving.recommendation.startswith("Look for what changed between renewals in all, and compare")
    assert still.claim == (
        "Each customer's own probability to renew stays the same (a mixture of customers with constant probabilities "
        "fits, confidence level 95 %, and the whole confidence interval of c in BdW lies from 0.9 to 1.1)"
    )
    assert re.fullmatch(
        r"all: no mixture of customers with constant probabilities fits this survival \(likelihood ratio "
        r"[\d.]+, p \.\d+\)\. BdW has c = 1\.\d+ \(95 % confidence interval 1\.\d+ to "
        r"1\.\d+\), and a likelihood ratio of [\d.]+ over sBG \(p < \.001\)\.",
        moving.summary,
    )


def test_the_check_of_duration_dependence_is_undecided_where_the_interval_crosses_the_tolerance():
    (found,) = judged(WORLD)
    row = BDW.fit(WORLD).parameters.loc["c"]
    assert (found.values["c"].ci_low, found.values["c"].ci_high) == (row.ci_low, row.ci_high)
    assert row.ci_low < 1.1 < row.ci_high
    assert (found.outcome, found.recommendation) == ("undecided", "Use BdW for all, which includes sBG as c = 1.")
    outcomes = {
        (p, limits): judged(WORLD, p, least=limits[0], most=limits[1])[0].outcome
        for p in (0.049, 0.051)
        for limits in ((row.ci_low, row.ci_high), (row.ci_high + 0.01, 9.0))
    }
    # c shows no change where a mixture of constant probabilities makes the survival, wherever its interval lies
    assert list(outcomes.values()) == ["failed", "failed", "passed", "undecided"]


def test_the_gain_is_the_likelihood_ratio_on_one_degree_of_freedom():
    gain = 2 * (BDW.fit(WORLD).log_likelihood(WORLD) - SBG.fit(WORLD).log_likelihood(WORLD))
    (found,) = judged(WORLD)
    assert found.values["gain"] == pytest.approx(gain)
    assert found.values["p"] == pytest.approx(chi2.sf(gain, 1))


BAD = {
    "2 of the 3 periods needed were observed": durations((0, True, 5), (1, True, 5), (2, False, 9)),
    "none of 9 customers was lost in 7 periods": durations((7, False, 9)),
    "all 5 customers were lost at the first renewal": durations((0, True, 5)),
}


@pytest.mark.parametrize("model", [SBG, BDW])
@pytest.mark.parametrize("reason", BAD)
def test_what_cannot_be_estimated_is_unfitted_with_the_reason(model, reason):
    table = BAD[reason]
    if "all" in reason:
        reason = "1 of the 3 periods needed were observed"
    found = model.fit(table)
    assert isinstance(found, Unfitted)
    assert (found.reason, found.recommendation) == (reason, "use the Kaplan–Meier curve")
    assert found.survival([1, 2]).empty
    assert found.survival([1, 2]).attrs["reason"] == str(found)
    assert np.isnan(found.log_likelihood(table))


def test_all_lost_at_the_first_renewal_is_the_reason_where_others_are_censored_early():
    table = durations((0, True, 5), (0, False, 3))
    assert sbg._unfit(np.array([5, 4, 4]), np.array([5, 0, 0]), 5) == "all 5 customers were lost at the first renewal"
    assert SBG.fit(table).reason == "1 of the 3 periods needed were observed"


@pytest.mark.parametrize("model", [SBG, BDW])
def test_customers_who_are_alike_leave_no_clear_maximum(model):
    # each renews with probability .8: alpha and beta grow without end
    kept = np.round(10_000 * 0.8 ** np.arange(9)).astype(int)
    rows = [(t, True, kept[t] - kept[t + 1]) for t in range(8)] + [(8, False, kept[8])]
    found = model.fit(durations(*rows))
    assert re.search(r"on these 10,000 customers.*no clear maximum", found.reason)


def test_a_check_of_models_that_cannot_be_fitted_is_not_applicable():
    (found,) = judged(BAD["none of 9 customers was lost in 7 periods"])
    assert (found.outcome, found.recommendation) == ("not applicable", "")
    assert found.summary.startswith("all: not judged: none of 9")


def test_where_bdw_cannot_be_fitted_the_test_of_mixtures_judges_alone():
    kept = np.round(10_000 * 0.8 ** np.arange(9)).astype(int)
    alike = durations(*[(t, True, kept[t] - kept[t + 1]) for t in range(8)], (8, False, kept[8]))
    falling = durations((0, True, 100), (1, True, 200), (2, True, 400), (3, False, 300))
    (found,), (departs,), (rejected,) = judged(alike), judged(falling), judged(alike, 0.01)
    assert (found.outcome, found.case, departs.outcome) == ("undecided", "unfitted", "failed")
    assert "has no clear maximum" in found.summary
    assert found.recommendation == "Read the curve of all alone until more periods or customers decide."
    assert (rejected.outcome, rejected.case) == ("failed", "unfitted")
    assert rejected.recommendation == "Look for what changed between renewals in all."


def test_a_model_is_numbers_with_draws():
    fitted = SBG.fit(WORLD)
    assert pickle.loads(pickle.dumps(fitted)) == fitted
    assert len(list(pickle.loads(pickle.dumps(fitted)).draws)) == likelihood.REPLICATES
    assert re.fullmatch(r"SBG\(alpha=0\.\d+ ± 0\.\d+, beta=[\d.]+ ± [\d.]+\)", repr(fitted))
    assert not list(replace(fitted, alpha=1.0).draws)
    assert replace(fitted, alpha=1.0).parameters.ci_low.isna().all()
    by_hand = SBG(fitted.alpha, fitted.beta).with_covariance(fitted.covariance)
    assert by_hand.parameters.ci_low.tolist() == pytest.approx(fitted.parameters.ci_low.tolist(), rel=0.1)
    with pytest.raises(InputError, match=r"SBG: alpha = -1; choose a finite number above 0"):
        SBG(-1, 2)


@pytest.mark.parametrize(("other", "same"), [({"seed": 1}, True), ({"seed": 2}, False), ({"replicates": 0}, False)])
def test_draws_are_those_of_their_seed(other, same):
    one, two = SBG.fit(WORLD).uncertainty.draws, SBG.fit(WORLD, **other).uncertainty.draws
    assert np.array_equal(one, two) is same


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: MODELS[0].survival(-1), "periods = -1: choose whole numbers, 0 or more"),
        (lambda: MODELS[0].survival(1.5), "whole numbers"),
        (lambda: MODELS[0].retention([0, 1]), "choose whole numbers, 1 or more"),
        (lambda: MODELS[0].residual_lifetime(7, 0), "discount = 0: choose a rate a period above 0"),
        (lambda: MODELS[0].residual_lifetime(7, 1e-9), "too near 0 to sum"),
        (lambda: MODELS[0].residual_lifetime(np.nan, 0.1), "renewals = nan: choose whole numbers"),
        (lambda: MODELS[0].survival("ten"), "periods = 'ten': choose whole numbers"),
        (lambda: MODELS[0].survival([[0, 1], [7, 3]]), "periods = .*: choose whole numbers"),
        (lambda: sbg.discount_per_period(-0.1, "year"), "choose a yearly rate of 0 or more"),
        (lambda: sbg.discount_per_period(0.1, "day"), "one of 'week', 'month', 'quarter', 'year'"),
    ],
)
def test_what_makes_no_sense_is_refused(ask, said):
    with pytest.raises(InputError, match=said):
        ask()


def test_sbg_is_fitted_within_50_ms():
    table = renewals(50_000, 60, 0.7, 3.0, seed=2)
    SBG.fit(table, replicates=0)
    begun = time.process_time()
    for _ in range(5):
        SBG.fit(table, replicates=0)
    assert (time.process_time() - begun) / 5 < 0.05


def test_a_fit_leaves_durations_alone_and_is_the_same_each_time():
    before = WORLD.copy()
    assert SBG.fit(WORLD) == SBG.fit(WORLD.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(WORLD, before)


@pytest.mark.filterwarnings("error")
def test_a_tenure_beyond_what_a_float_holds_is_survived_by_nobody():
    survived = BDW(0.7, 3.0, 900.0).survival([1, 2, 5])
    assert list(np.diff(survived) < 0) == [True, True]
    assert survived[5] == pytest.approx(0, abs=1e-200)
