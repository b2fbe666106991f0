"""Kaplan–Meier curves, medians, restricted means and log-rank tests, against statsmodels and by resampling."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from crmlab import lifecycle as survival
from crmlab.contracts import InputError


def frame(**groups):
    """Durations from (length, ended, customers) of each group."""
    rows = [(group, *row) for group, found in groups.items() for row in found]
    return pd.DataFrame(rows, columns=["group", "renewals", "churned", "customers"])


def people(seed, count=200, churn=0.2):
    """Time and status of customers, each censored at some time of its own, and the same as durations."""
    rng = np.random.default_rng(seed)
    left, seen = rng.geometric(churn, count), rng.integers(1, 12, count)
    time, status = np.minimum(left, seen), (left <= seen).astype(int)
    table = pd.DataFrame({"group": "all", "renewals": time - status, "churned": status == 1, "customers": 1})
    return time, status, table.groupby(["group", "renewals", "churned"], as_index=False).customers.sum()


NOBODY = frame(all=[(3, False, 40), (5, False, 60)])
EVERYBODY = frame(all=[(0, True, 60), (2, True, 40)])
MIXED = pd.concat([people(1)[2].assign(group="a"), people(2, churn=0.3)[2].assign(group="b")], ignore_index=True)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_curve_is_that_of_statsmodels(seed):
    time, status, durations = people(seed)
    theirs = SurvfuncRight(time, status)
    same_as_theirs(survival.survival_curve(durations), theirs)


def same_as_theirs(curve, theirs):
    ours, known = curve.set_index("period").loc[theirs.surv_times], theirs.n_risk >= 10
    assert known.sum() > 5
    assert list(ours.survival[known]) == pytest.approx(list(theirs.surv_prob[known]), rel=1e-12)
    assert list(ours.standard_error[known]) == pytest.approx(list(theirs.surv_prob_se[known]), rel=1e-12)
    assert list(ours.at_risk) == list(theirs.n_risk)
    assert list(ours.lost) == list(theirs.n_events)


def test_the_curve_of_customers_who_came_under_observation_later_is_that_of_statsmodels():
    time, status, _ = people(4, count=900)
    entry = np.random.default_rng(4).integers(0, 4, 900)
    known = entry < time
    table = pd.DataFrame({"group": "all", "entry": entry, "renewals": time - status, "churned": status == 1})
    durations = table[known].assign(customers=1)
    theirs = SurvfuncRight(time[known], status[known], entry=entry[known])
    same_as_theirs(survival.survival_curve(durations), theirs)


def test_no_step_is_drawn_of_fewer_than_ten_at_risk_nor_any_after_it():
    ten, nine = (survival.survival_curve(frame(all=[(0, True, 5), (1, True, 2), (2, False, n)])) for n in (8, 7))
    assert list(ten.survival) == pytest.approx([1, 10 / 15, 8 / 15])
    assert list(nine.survival[:2]) == pytest.approx([1, 9 / 14])
    assert nine.survival.isna().tolist() == [False, False, True]
    assert nine.reason.tolist()[2] == "fewer than 10 were at risk at renewal 2"
    late = frame(all=[(0, False, 9), (3, False, 50), (2, True, 5)]).assign(entry=[0, 1, 1])
    found = survival.survival_curve(late)
    assert found.at_risk.tolist() == [64, 0, 55, 55]
    assert found.survival.isna().tolist() == [False, True, True, True]
    assert survival.median_survival(late).reason.tolist() == [
        "100.0% are still customers after period 0; use the restricted mean"
    ]
    assert survival.restricted_mean_survival(late).reason.tolist() == [
        "fewer than 10 customers of all were observed for a whole period"
    ]
    few = survival.median_survival(frame(all=[(0, True, 5)]))
    assert few.reason.tolist() == ["fewer than 10 were at risk at renewal 0"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_median_and_its_interval_are_those_of_statsmodels(seed):
    time, status, durations = people(seed)
    theirs = SurvfuncRight(time, status)
    ours = survival.median_survival(durations).loc["all"]
    assert (ours["median"], ours.ci_low, ours.ci_high) == (
        theirs.quantile(0.5),
        *theirs.quantile_ci(0.5, method="cloglog"),
    )
    assert (ours.customers, ours.lost) == (200, status.sum())


def test_customers_counted_together_are_customers_one_by_one():
    many = MIXED.loc[MIXED.index.repeat(MIXED.customers)].assign(customers=1)
    pd.testing.assert_frame_equal(survival.survival_curve(MIXED), survival.survival_curve(many))


def test_without_losses_the_median_cannot_be_estimated_and_the_curve_has_no_interval():
    found = survival.median_survival(NOBODY).loc["all"]
    assert found[["median", "ci_low", "ci_high"]].isna().all()
    assert found.reason.startswith("100.0% are still customers after period 5")
    survival_curve = survival.survival_curve(NOBODY)
    assert (survival_curve.survival == 1).all()
    assert survival_curve[["standard_error", "ci_low", "ci_high"]].isna().all(axis=None)
    assert set(survival_curve.reason) == {"nobody was lost so far"}


def test_where_all_are_lost_there_is_a_median_and_the_curve_ends_at_0():
    found = survival.median_survival(EVERYBODY).loc["all"]
    assert (found["median"], found.reason) == (1, "")
    survival_curve = survival.survival_curve(EVERYBODY)
    assert list(survival_curve.survival) == [1, 0.4, 0.4, 0]
    assert survival_curve.reason.iloc[-1] == "nobody is left"
    assert survival_curve.iloc[-1][["standard_error", "ci_low", "ci_high"]].isna().all()
    assert survival.restricted_mean_survival(EVERYBODY).loc["all", "mean"] == pytest.approx(0.6 * 1 + 0.4 * 3)


def test_an_upper_end_that_was_not_observed_is_blank_with_the_reason():
    found = survival.median_survival(frame(all=[(0, True, 6), (1, False, 6)])).loc["all"]
    assert found["median"] == 1
    assert found.ci_high is pd.NA
    assert found.reason == "the upper end cannot be estimated: too few were observed for so long"


def test_the_restricted_mean_without_censoring_is_the_sample_mean():
    # its variance is then that of a mean: sum of squares about it, over n squared
    time = np.repeat([1, 1, 2, 4, 7, 7, 9], 10)
    durations = frame(all=[(t - 1, True, 1) for t in time])
    found = survival.restricted_mean_survival(durations).loc["all"]
    assert found.periods == 9
    assert found["mean"] == pytest.approx(time.mean())
    assert found.standard_error == pytest.approx(np.sqrt(((time - time.mean()) ** 2).sum()) / len(time))
    cut = np.minimum(time, 5)
    found = survival.restricted_mean_survival(durations, 5).loc["all"]
    assert (found["mean"], found.standard_error) == (
        pytest.approx(cut.mean()),
        pytest.approx(cut.std() / np.sqrt(len(cut))),
    )


def test_the_standard_error_of_the_restricted_mean_is_what_resampling_finds():
    time, status, durations = people(5, count=300)
    rng, drawn = np.random.default_rng(1), []
    for _ in range(2000):
        pick = rng.integers(0, 300, 300)
        lost = np.bincount(time[pick], status[pick], 12)
        at_risk = np.bincount(time[pick], minlength=12)[::-1].cumsum()[::-1]
        drawn.append(np.cumprod(1 - lost[:8] / at_risk[:8]).sum())
    found = survival.restricted_mean_survival(durations, 8).loc["all"]
    assert found["mean"] == pytest.approx(np.mean(drawn), abs=0.02)
    assert found.standard_error == pytest.approx(np.std(drawn), rel=0.05)


def test_restricted_means_are_of_the_periods_that_every_group_was_observed_for():
    durations = frame(a=[(0, True, 50), (9, False, 50)], b=[(1, True, 50), (4, False, 50)])
    found = survival.restricted_mean_survival(durations)
    assert list(found.periods) == [4, 4]
    assert list(found["mean"]) == [pytest.approx(1 + 3 * 0.5), pytest.approx(2 + 2 * 0.5)]
    assert found.difference.isna().tolist() == [True, False]
    assert found.reason.tolist() == ["the first group, which others are compared with", ""]
    assert found.difference["b"] == pytest.approx(0.5)
    with pytest.raises(InputError, match="every group was observed for 4 of them; choose 1 up to that"):
        survival.restricted_mean_survival(durations, 5)


def test_a_restricted_mean_without_losses_has_no_interval():
    found = survival.restricted_mean_survival(NOBODY).loc["all"]
    assert (found["mean"], found.periods) == (5, 5)
    assert found[["standard_error", "ci_low", "ci_high"]].isna().all()
    assert found.reason == "no interval: nobody was lost before period 5"


def test_where_a_group_is_younger_than_a_period_there_is_no_mean_to_compare():
    found = survival.restricted_mean_survival(frame(a=[(0, True, 50), (9, False, 50)], new=[(0, False, 3)]))
    assert list(found.index) == ["a", "new"]
    assert found[["mean", "standard_error", "ci_low", "ci_high", "difference"]].isna().all(axis=None)
    assert set(found.reason) == {"fewer than 10 customers of new were observed for a whole period"}


@pytest.mark.parametrize("groups", [2, 3])
def test_log_rank_is_that_of_statsmodels(groups):
    made = [people(seed, churn=0.15 + 0.05 * seed) for seed in range(groups)]
    durations = pd.concat([table.assign(group=f"g{i}") for i, (_, _, table) in enumerate(made)])
    time, status = (np.concatenate([one[i] for one in made]) for i in (0, 1))
    chi2, p = survdiff(time, status, np.repeat(np.arange(groups), 200))
    found = survival.log_rank_test(durations).iloc[0]
    assert (found.groups, found.df, found.reason) == (groups, groups - 1, "")
    assert (found.chi2, found.p) == (pytest.approx(chi2, rel=1e-9), pytest.approx(p, rel=1e-9))


@pytest.mark.parametrize(
    ("durations", "reason"),
    [
        (people(1)[2], "one group only"),
        (frame(a=[(2, False, 5)], b=[(2, False, 5)]), "nobody was lost"),
        (frame(a=[(0, True, 5)], b=[(0, True, 5)]), "groups were never at risk together, or all were lost at once"),
    ],
)
def test_groups_that_cannot_be_compared_have_a_reason(durations, reason):
    found = survival.log_rank_test(durations).iloc[0]
    assert found.reason == f"{reason}"
    assert found[["chi2", "df", "p"]].isna().all()


def test_first_periods_hold_nothing_of_later_ones():
    durations = frame(a=[(0, True, 3), (2, True, 4), (5, True, 6), (7, False, 9)])
    known = survival.censor_at(durations, 3)
    assert known.to_dict("list") == {
        "group": ["a", "a", "a"], "renewals": [0, 2, 3], "churned": [True, True, False], "customers": [3, 4, 15],
    }  # fmt: skip
    assert survival.censor_at(durations, 2).churned.tolist() == [True, False]
    late = survival.censor_at(durations.assign(entry=[0, 1, 4, 2]), 3)
    assert late.to_dict("list") == {
        "group": ["a"] * 4, "entry": [0, 1, 2, 3], "renewals": [0, 2, 3, 3], "churned": [True, True, False, False],
        "customers": [3, 4, 9, 6],
    }  # fmt: skip


def test_durations_are_left_as_they_are():
    before = MIXED.copy()
    for read in (
        survival.survival_curve,
        survival.median_survival,
        survival.restricted_mean_survival,
        survival.log_rank_test,
    ):
        read(MIXED)
    pd.testing.assert_frame_equal(MIXED, before)


def test_the_level_of_an_interval_is_that_asked_for():
    z, (wide, narrow) = (
        stats.norm.ppf(0.9),
        (survival.restricted_mean_survival(MIXED, 5, level) for level in (0.95, 0.8)),
    )
    assert (narrow.ci_high - narrow["mean"]).tolist() == pytest.approx((z * narrow.standard_error).tolist())
    curves = [survival.survival_curve(MIXED, level).dropna() for level in (0.95, 0.8)]
    assert (curves[0].ci_low < curves[1].ci_low).all()
    assert (wide.ci_high > narrow.ci_high).all()
    assert (survival.median_survival(MIXED, 0.8).ci_low >= survival.median_survival(MIXED).ci_low).all()
