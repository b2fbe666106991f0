"""Moves between stages: probabilities with intervals, and whether they have a memory."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.lifecycle import (
    checks,
    markov_order_test,
    spend_by_stage,
    transition_counts,
    transition_probabilities,
)
from crmlab.lifecycle.tables.stages import STAGES

E, G, M, D = STAGES


def moved(*rows):
    """A frame as `stage_transitions` gives, from (before, previous, stage, customers)."""
    frame = pd.DataFrame(rows, columns=["before_previous", "previous", "stage", "customers"])
    return frame.assign(period=pd.Timestamp("2024-01-01"), spend=0.0, spend_squares=0.0)


SEEN = moved(("", "", E, 100), ("", E, E, 60), (E, E, G, 30), (E, E, D, 10), (E, G, M, 5), (E, D, G, 2))


def test_newcomers_have_not_moved():
    found = transition_counts(SEEN)
    assert found.to_numpy().sum() == 107
    assert found.loc[E].tolist() == [60, 30, 0, 10]


def test_probabilities_are_the_posterior_of_a_dirichlet_with_its_beta_intervals():
    found = transition_probabilities(SEEN).set_index(["previous", "stage"])
    # Jeffreys' prior adds 1/2 to each of four moves: 30.5 of 102
    assert found.probability[E, G] == pytest.approx(30.5 / 102)
    ci_low, ci_high = stats.beta.interval(0.95, 30.5, 71.5)
    assert (found.ci_low[E, G], found.ci_high[E, G]) == (pytest.approx(ci_low), pytest.approx(ci_high))
    assert found.loc[(E, M), "customers"] == 0
    assert 0 < found.probability[E, M] < found.ci_high[E, M] < 0.05
    assert found.groupby("previous").probability.sum()[[E, G, D]].to_numpy() == pytest.approx(np.ones(3))


def test_a_move_the_rules_do_not_allow_has_no_probability_and_takes_none_from_others():
    found = transition_probabilities(SEEN).set_index(["previous", "stage"])
    assert found.probability[G, E] == 0
    assert "impossible" in found.reason[G, E]
    assert found.probability[G, M] == pytest.approx(5.5 / 6.5)


def test_moves_out_of_a_stage_that_was_never_left_are_blank_with_the_reason():
    found = transition_probabilities(SEEN).set_index("previous").loc[M]
    assert found[["probability", "ci_low", "ci_high"]].isna().all(axis=None)
    assert found.reason.str.startswith("nobody was in maturity a period before").all()


def test_intervals_of_probabilities_hold_the_truth_about_as_often_as_their_level():
    rng, truth, held = np.random.default_rng(1), np.array([0.85, 0.1, 0.01, 0.04]), []
    for _ in range(50):
        drawn = rng.multinomial(150, truth)
        rows = [("", E, stage, count) for stage, count in zip(STAGES, drawn, strict=True)]
        found = transition_probabilities(moved(*rows)).head(4)
        held.append((found.ci_low <= truth) & (truth <= found.ci_high))
    assert np.mean(held) > 0.92


def walk(customers, probabilities, seed, length=6):
    """Moves of customers by `probabilities`, an array over the stage before, the present and the next one."""
    rng, steps = np.random.default_rng(seed), np.cumsum(probabilities, axis=2)
    paths, rows = rng.integers(0, 3, (customers, 2)), []
    for _ in range(length):
        before, now = paths[:, -2:].T
        following = (rng.random(customers)[:, None] > steps[before, now]).sum(axis=1)
        rows.append(np.column_stack([before, now, following]))
        paths = np.column_stack([paths, following])
    names = np.array([G, M, D])[np.vstack(rows)]
    return moved(*((*row, 1) for row in names))


FIRST = np.tile(np.array([[0.6, 0.3, 0.1], [0.1, 0.7, 0.2], [0.1, 0.2, 0.7]]), (3, 1, 1))


def test_a_chain_without_a_memory_is_seldom_taken_for_one_with():
    p = [markov_order_test(walk(60, FIRST, seed)).loc["all", "p"] for seed in range(40)]
    assert 0 <= np.mean(np.array(p) < 0.05) <= 0.15  # of 40 at 5 %: more at random once in 300
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_a_chain_with_a_memory_is_found_out():
    found = markov_order_test(walk(150, 0.5 * FIRST + 0.5 * np.eye(3)[:, None], 1))  # half go back to where they were
    assert found.loc["all", "p"] < 1e-6
    assert found.loc["all", "dissimilarity"] > 0.1
    check = checks.first_order_markov(found)
    assert (check.id, check.kind, check.outcome) == ("lifecycle.first_order_markov", "assumption", "failed")
    assert check.claim.endswith("less than a small effect (Cohen's w at most 0.1)")
    assert "p < .001" in check.summary
    assert check.recommendation.startswith("Use the values over the next periods, by their backtest;")


def test_the_test_is_that_of_a_table_for_each_stage_by_another_program():
    seen = walk(150, FIRST, 2)
    found = markov_order_test(seen)
    table = seen[seen.previous == M].pivot_table("customers", "before_previous", "stage", "sum", fill_value=0)
    theirs = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert found.g2[M] == pytest.approx(theirs.statistic)
    assert (found.df[M], found.p[M]) == (theirs.dof, pytest.approx(theirs.pvalue))
    assert found.loc["all", "df"] == found.df[[G, M, D]].sum()
    assert found.loc["all", "g2"] == pytest.approx(found.g2[[G, M, D]].sum())


def test_degrees_of_freedom_are_of_the_cells_seen():
    rows = [(G, M, M, 20), (G, M, D, 10), (M, M, M, 30), (M, M, D, 5), (E, D, D, 9), (G, D, D, 9)]
    found = markov_order_test(moved(*rows))
    assert list(found.df[[E, G, M, D]]) == [0, 0, 1, 0]
    assert found.reason[D].startswith("18 moves")
    assert np.isnan(found.p[D])
    assert found.loc["all", "n"] == 83


def test_a_log_of_two_periods_cannot_tell_whether_there_is_a_memory():
    found = markov_order_test(SEEN[SEEN.before_previous == ""])
    assert found[["p", "effect_size"]].isna().all(axis=None)
    check = checks.first_order_markov(found)
    assert check.outcome == "not applicable"
    assert check.summary == "Not tested: 0 moves, which do not differ in what came before or after."


def test_a_chain_near_enough_to_one_without_a_memory_passes():
    check = checks.first_order_markov(markov_order_test(walk(2000, FIRST, 5)))
    assert check.outcome == "passed"
    assert "G²" in check.summary
    assert check.recommendation == ""


def test_few_moves_leave_the_memory_undecided():
    check = checks.first_order_markov(markov_order_test(walk(40, FIRST, 5)))
    assert check.outcome == "undecided"
    assert "240 moves leave open" in check.summary
    assert check.recommendation.endswith("until a longer log decides.")


def test_the_interval_of_the_effect_is_that_of_noncentralities_at_either_tail():
    whole = markov_order_test(walk(150, 0.5 * FIRST + 0.5 * np.eye(3)[:, None], 1)).loc["all"]
    ends = np.array([whole.effect_size_ci_low, whole.effect_size_ci_high]) ** 2 * whole.n
    assert stats.ncx2.cdf(whole.g2, whole.df, ends) == pytest.approx([0.975, 0.025])
    assert whole.effect_size == pytest.approx(np.sqrt((whole.g2 - whole.df) / whole.n))


def test_the_interval_of_the_effect_holds_none_about_as_often_as_its_level():
    lows = [markov_order_test(walk(60, FIRST, seed)).loc["all", "effect_size_ci_low"] for seed in range(40)]
    assert np.mean(np.array(lows) == 0) >= 0.9  # of 40 at 97.5 %


def test_spending_by_stage_is_that_of_the_customers_in_it():
    frame = moved(("", "", E, 2), (E, E, E, 2), (E, E, M, 1)).assign(
        spend=[30.0, 10.0, 7.0], spend_squares=[500, 100, 49]
    )
    found = spend_by_stage(frame)
    # 10 and 20, then 0 and 10: mean 10, squares 600 over 4 less 100 is 50
    assert (found["mean"][E], found.standard_error[E]) == (10, pytest.approx(np.sqrt(50 / 4)))
    assert found.standard_error[M] == 0
    assert np.isnan(found["mean"][D])
