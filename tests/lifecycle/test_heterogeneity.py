"""The decomposition of rising retention: customers who change, customers who leave, and groups whose shares move."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta
from statsmodels.stats.proportion import confint_proportions_2indep

from crmlab.lifecycle import checks, constant_mixture_test
from crmlab.lifecycle.models import heterogeneity, survival
from crmlab.lifecycle.models.sbg import BDW, SBG
from crmlab.lifecycle.tables.contracts import retention_durations
from crmlab.stats.intervals import percentile_interval

from .cohort_worlds import collapsed, renewals, retention

ALIKE = renewals(20_000, 8, 0.7, 2.0, seed=2)  # nobody changes
LOYAL = renewals(20_000, 8, 2.0, 4.0, c=0.6, seed=2)  # everybody grows more loyal


def steady(stay, customers, group, seed):
    """Customers who all renew with the same probability, always."""
    return collapsed(group, np.random.default_rng(seed).random((customers, 8)) < stay)


TWO_KINDS = pd.concat([steady(0.9, 5000, "firm", 1), steady(0.5, 5000, "loose", 2)], ignore_index=True)
TWO_GROUPS = pd.concat([ALIKE.assign(group="a"), renewals(9000, 8, 0.5, 3.5, seed=4, group="b")], ignore_index=True)


def whole(table):
    return table[table.period == "all"].iloc[0]


@pytest.mark.parametrize("durations", [ALIKE, LOYAL, TWO_GROUPS], ids=["alike", "loyal", "two groups"])
def test_the_parts_add_up_to_the_change_and_the_steps_to_the_whole(durations):
    found = heterogeneity.retention_decomposition(durations)
    parts = found[["between_groups", "selection", "duration_dependence", "unexplained"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(found.change.to_numpy(), abs=1e-12)
    steps = found[found.period != "all"]
    for name in ("change", "between_groups", "selection", "duration_dependence", "unexplained"):
        assert steps[name].sum() == pytest.approx(whole(found)[name], abs=1e-12)
    assert list(found.period) == [*range(2, 9), "all"]


def test_the_steps_are_those_of_what_was_seen():
    renewed = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0], [0, 0, 0]], dtype=bool)
    found = heterogeneity.retention_decomposition(collapsed("all", renewed.repeat(20, axis=0)))
    assert list(found.before[:2]) == pytest.approx([3 / 4, 2 / 3])
    assert list(found.after[:2]) == pytest.approx([2 / 3, 1 / 2])


def test_under_sbg_nobody_changes_and_all_of_the_rise_is_mix():
    found = heterogeneity.retention_decomposition(ALIKE, model="sBG")
    assert (found[["duration_dependence", "duration_dependence_ci_low", "duration_dependence_ci_high"]] == 0).all(
        axis=None
    )
    assert found.between_groups.abs().max() == 0
    model = SBG.fit(ALIKE)
    rises = np.diff(model.retention(np.arange(1, 9)))
    assert found.selection[:-1].to_numpy() == pytest.approx(rises, rel=1e-9)


def test_the_parts_of_bdw_are_those_of_simulated_customers():
    # 100,000 customers with probabilities of their own, each weighed by the probability to be left: no closed form
    stay, c = 1 - beta.ppf((np.arange(100_000) + 0.5) / 100_000, 2.0, 4.0), 0.6
    t = np.arange(5.0) ** c
    there = stay[:, None] ** t[:-1]
    renewing = stay[:, None] ** np.diff(t)
    mean = there.T @ renewing / there.sum(axis=0)[:, None]  # of those left before row's renewal, at column's
    duration_dependence = [(mean[i, i + 1] - mean[i, i] + mean[i + 1, i + 1] - mean[i + 1, i]) / 2 for i in range(3)]
    selection = [(mean[i + 1, i] - mean[i, i] + mean[i + 1, i + 1] - mean[i, i + 1]) / 2 for i in range(3)]
    found = heterogeneity._parts(BDW(2.0, 4.0, c), 4)
    assert found[0] == pytest.approx(selection, abs=1e-5)
    assert found[1] == pytest.approx(duration_dependence, abs=1e-5)


def mixture_test(p=0.001, reason=""):
    """As from `constant_mixture_test`, of one group."""
    return pd.DataFrame({"likelihood_ratio": [9.0], "p": [p], "p_adjusted": [p], "reason": [reason]}, ["all"])


def both(table, p=0.001):
    """What is concluded of a decomposition: through heterogeneity, and through loyalty, where the test gave `p`."""
    loyal = checks.customers_become_more_loyal(table, mixture_test(p))
    return checks.heterogeneity_raises_retention(table), loyal


def test_a_rise_while_nobody_changes_is_one_of_heterogeneity():
    found = heterogeneity.retention_decomposition(ALIKE)
    rises, loyal = both(found)
    assert whole(found).change_ci_low > 0.1
    assert whole(found).duration_dependence_ci_low < 0 < whole(found).duration_dependence_ci_high
    assert (rises.id, rises.kind) == ("lifecycle.heterogeneity_raises_retention", "finding")
    assert (rises.outcome, loyal.outcome) == ("yes", "undecided")
    assert "by BdW selection contributed" in rises.summary
    assert rises.recommendation == "Compare the renewals of like customers, by group and by tenure within it."


def test_rising_retention_is_no_loyalty_where_a_mixture_of_constant_probabilities_makes_it_too():
    # BdW with c below 1 is exactly such a mixture
    found, test = heterogeneity.retention_decomposition(LOYAL), constant_mixture_test(LOYAL, 40)
    loyal = checks.customers_become_more_loyal(found, test)
    assert test.p["all"] > 0.3
    assert (loyal.id, loyal.kind, loyal.outcome) == ("lifecycle.customers_become_more_loyal", "finding", "undecided")
    assert "no change is needed to explain it. By BdW alone their own probabilities moved it by" in loyal.summary
    assert whole(found).duration_dependence > 0.1
    assert whole(found).duration_dependence_ci_low > 0


def test_two_kinds_of_steady_customers_make_a_rise_between_groups():
    found = heterogeneity.retention_decomposition(TWO_KINDS)
    last = whole(found)
    assert last.change_ci_low > 0.1
    assert last.between_groups == pytest.approx(last.change, abs=0.04)
    assert last[["selection", "duration_dependence", "unexplained"]].isna().all()
    assert "the likelihood of BdW has no clear maximum" in last.reason
    for check in both(found):
        assert (check.outcome, check.recommendation) == ("not applicable", "")
        assert last.reason in check.summary


def test_what_groups_do_is_counted_at_the_mean_of_their_rates_before_and_after():
    # a keeps 90 of 100, then 54; b keeps 50 of 100, then 45: the share of a goes from 1/2 to 9/14
    kept = {"a": (100, 90, 54), "b": (100, 50, 45)}
    durations = retention_durations(retention(**kept))
    step = heterogeneity.retention_decomposition(durations, seed=1).iloc[0]
    assert step.between_groups == pytest.approx(1 / 7 * ((0.9 + 0.6) / 2 - (0.5 + 0.9) / 2))


def test_a_change_of_customers_that_may_be_luck_is_undecided():
    found = heterogeneity.retention_decomposition(ALIKE)
    ends = "duration_dependence_ci_low", "duration_dependence_ci_high"
    outcomes = [
        both(found.assign(**dict(zip(ends, pair, strict=True))), p)[1].outcome
        for p in (0.049, 0.051)
        for pair in ((-0.01, 0.1), (0.01, 0.1), (-0.1, -0.01))
    ]
    assert outcomes == ["undecided", "yes", "no", *["undecided"] * 3]
    untested = checks.customers_become_more_loyal(found, mixture_test(np.nan, "nobody was lost"))
    assert (untested.outcome, untested.summary) == ("not applicable", "Not judged: nobody was lost.")
    ends = "selection_ci_low", "selection_ci_high"
    outcomes = [
        checks.heterogeneity_raises_retention(found.assign(**dict(zip(ends, pair, strict=True)))).outcome
        for pair in ((-0.01, 0.1), (0.01, 0.1), (-0.1, -0.01))
    ]
    assert outcomes == ["undecided", "yes", "no"]


def test_where_nothing_rises_there_is_nothing_to_explain():
    steady_table = heterogeneity.retention_decomposition(steady(0.8, 500, "all", 3))
    rises = checks.heterogeneity_raises_retention(steady_table)
    assert (rises.outcome, rises.recommendation) == ("undecided", "")
    assert rises.summary.endswith("there is no clear rise to explain.")
    fallen = heterogeneity.retention_decomposition(retention_durations(retention(all=(900, 850, 500))))
    falls = checks.heterogeneity_raises_retention(fallen)
    assert falls.outcome == "no"
    assert falls.summary.startswith(
        "Retention fell from 94.4 % to 58.8 %, by -35.62 percentage points (95 % confidence interval"
    )


def test_one_period_has_no_decomposition():
    found = heterogeneity.retention_decomposition(collapsed("all", np.array([[True], [False]])))
    assert list(found.reason) == ["one period only"]
    for check in both(found):
        assert (check.outcome, check.summary) == ("not applicable", "Not judged: one period only.")


def test_a_step_has_the_interval_of_newcombe():
    # two rates as if independent, computed by statsmodels
    table = heterogeneity.retention_decomposition(retention_durations(retention(all=(56, 48, 40))))
    change_ci_low, change_ci_high = confint_proportions_2indep(40, 48, 48, 56, compare="diff", method="newcomb")
    assert (table.change_ci_low[0], table.change_ci_high[0]) == (
        pytest.approx(change_ci_low),
        pytest.approx(change_ci_high),
    )


def test_a_renewal_that_few_saw_says_nothing_of_retention():
    # the last of 400 leaves at the end: that retention falls to 0 there is one customer's doing
    kept = 400, 250, 180, 150, 130, 110, 1, 0
    table = heterogeneity.retention_decomposition(retention_durations(retention(all=kept)))
    assert list(table.period) == [2, 3, 4, 5, 6, "all"]
    few = heterogeneity.retention_decomposition(retention_durations(retention(all=(50, 20, 10))))
    assert list(few.reason) == ["fewer than 30 customers were at risk at renewal 2"]
    assert {check.outcome for check in both(few)} == {"not applicable"}


def test_without_a_loss_retention_is_not_known_to_the_last_digit():
    table = heterogeneity.retention_decomposition(retention_durations(retention(all=(50, 50, 50))))
    change = checks.heterogeneity_raises_retention(table).values["change"]
    assert (change.value, round(change.ci_low, 1), round(change.ci_high, 1)) == (0, -7.1, 7.1)


def test_groups_are_compared_as_long_as_all_of_them_were_seen():
    found = heterogeneity.retention_decomposition(pd.concat([ALIKE, renewals(900, 5, 0.7, 2.0, seed=3, group="b")]))
    assert list(found.period) == [2, 3, 4, 5, "all"]


def test_the_draws_of_the_nth_group_are_of_its_own_seed():
    # the interval of selection, from draws of seed 3 for the first group and 4 for the second
    table = heterogeneity.retention_decomposition(TWO_GROUPS, seed=3)
    at_risk = np.stack([survival.at_risk_and_lost(rows)[0][:8] for _, rows in TWO_GROUPS.groupby("group")])
    weights = at_risk / at_risk.sum(axis=0)
    weights = (weights[:, 1:] + weights[:, :-1]) / 2
    models = [BDW.fit(rows, seed=3 + n) for n, (_, rows) in enumerate(TWO_GROUPS.groupby("group"))]
    drawn = [heterogeneity._modelled(pair, weights, 8) for pair in zip(*(m.draws for m in models), strict=True)]
    low, _high = percentile_interval(drawn)
    assert table.selection_ci_low.tolist() == pytest.approx(low[0].tolist())
