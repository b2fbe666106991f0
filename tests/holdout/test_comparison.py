"""Comparisons whose winners are known, and the bootstrap against one that resamples customers one by one."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import holdout
from crmlab.holdout import comparison as comparison_module
from crmlab.stats.intervals import percentile_interval

ERROR_MEASURES = [measure.__name__ for measure in holdout.ERROR_MEASURES]


@pytest.fixture(scope="module")
def world():
    """Collapsed: two guesses at the orders of 1,500 customers in 60 rows, the orders, and the customers."""
    rng = np.random.default_rng(4)
    rate = rng.gamma(1.0, 2.0, 60)
    customers = rng.multinomial(1500, np.full(60, 1 / 60))
    return rate + rng.normal(0, 0.3, 60), rate * 1.5, rng.poisson(rate), customers


@pytest.fixture(scope="module")
def table(world):
    """The comparison of both guesses, one a baseline, and of a baseline that knows no more than the mean."""
    good, bad, actual, customers = world
    predictions = {"good": good, "bad": bad, "blind": np.full(60, np.average(actual, weights=customers))}
    return holdout.compare(predictions, actual, customers, baselines=("bad", "blind"), replicates=200)


def row(table, measure, model):
    return table[(table.measure == measure) & (table.model == model)].iloc[0]


@pytest.mark.parametrize("measure", [holdout.mae, holdout.spearman, holdout.gini, holdout.lift])
def test_a_difference_has_the_interval_of_a_bootstrap_over_customers(world, measure):
    # the same bootstrap, resampling customers one by one; each end to 4 standard errors of the quantile of 400 draws
    *series, customers = world
    each = [np.repeat(values, customers) for values in series]
    rng = np.random.default_rng(9)

    def difference(rows):
        expected, baselines, actual = (values[rows] for values in each)
        return measure(expected, actual) - measure(baselines, actual)

    drawn = [difference(rng.integers(0, 1500, 1500)) for _ in range(400)]
    predictions = {"good": series[0], "bad": series[1]}
    table = holdout.compare(predictions, series[2], customers, baselines=("bad",), replicates=400)
    found = row(table, measure.__name__, "good")
    assert found.difference == pytest.approx(difference(np.arange(1500)), rel=1e-9)
    error = np.sqrt(0.025 * 0.975 / 400) / stats.norm.pdf(1.96) * np.std(drawn)
    ends = found.difference_ci_low, found.difference_ci_high
    assert ends == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=4 * np.sqrt(2) * error)


def test_a_difference_of_equals_is_nothing(world):
    expected, _, actual, customers = world
    table = holdout.compare({"one": expected, "same": expected}, actual, customers, baselines=("one",), replicates=20)
    assert (table[["difference", "difference_ci_low", "difference_ci_high"]] == 0).all(axis=None)


def test_a_comparison_has_a_row_a_population_measure_and_model(table):
    assert list(table.columns[:4]) == ["population", "measure", "model", "is_baseline"]
    assert len(table) == 7 * 3
    assert list(table.measure.unique()) == [measure.__name__ for measure in holdout.MEASURES]
    assert set(table.population) == {"all customers"}
    assert table.groupby("model").is_baseline.first().to_dict() == {"good": False, "bad": True, "blind": True}


def test_a_comparison_values_each_model_by_each_measure(world, table):
    good, bad, actual, customers = world
    for measure in holdout.MEASURES:
        assert row(table, measure.__name__, "good").value == measure(good, actual, customers)
        assert row(table, measure.__name__, "bad").value == measure(bad, actual, customers)


def test_a_comparison_draws_the_same_customers_for_all_models(world, table):
    # alone, a pair has the difference that it has among others
    good, bad, actual, customers = world
    for measure in holdout.MEASURES[1:]:
        found = row(table, measure.__name__, "good")
        assert found.baseline == "bad"
        pair = holdout.compare({"good": good, "bad": bad}, actual, customers, baselines=("bad",), replicates=200)
        alone = row(pair, measure.__name__, "good")
        ends = alone.difference, alone.difference_ci_low, alone.difference_ci_high
        assert (found.difference, found.difference_ci_low, found.difference_ci_high) == pytest.approx(ends, abs=1e-12)


def test_the_interval_of_a_value_is_that_of_a_bootstrap(world, table):
    # the same draws, one by one
    good, _, actual, customers = world
    rng = np.random.default_rng(1)
    drawn = [holdout.rmse(good, actual, rng.multinomial(1500, customers / 1500)) for _ in range(200)]
    found = row(table, "rmse", "good")
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(percentile_interval(drawn)), rel=1e-12)


def test_the_best_baseline_is_found_for_each_measure(table):
    best = table[table.is_baseline].set_index(["measure", "model"]).value.unstack()
    for measure, found in table.groupby("measure"):
        expected = best.loc[measure].abs().idxmin() if measure in ERROR_MEASURES else best.loc[measure].idxmax()
        assert set(found.baseline) == {expected}
        assert row(found, measure, expected).outcome == "reference"
        assert row(found, measure, expected).difference == 0
    assert table.baseline.nunique() == 2  # or nothing was asked


def test_bias_is_compared_without_its_sign():
    # totals of 90, 105 and 150 beside 100: 5 % too much is nearer than 10 % too little
    actual, share = pd.Series([20, 30, 50]), np.array([0.2, 0.3, 0.5])
    predictions = {"over": 105 * share, "under": 90 * share, "far": 150 * share}
    table = holdout.compare(predictions, actual, 400, baselines=("under", "far"), replicates=50)
    found = row(table, "bias", "over")
    assert found.value == pytest.approx(0.05)
    assert found.baseline == "under"
    assert found.difference == pytest.approx(0.05 - 0.10)
    again = holdout.compare(predictions, actual, 400, baselines=("over",), replicates=50)
    assert row(again, "bias", "under").difference == pytest.approx(0.10 - 0.05)
    assert row(again, "bias", "under").value == pytest.approx(-0.10)


def test_who_is_better_is_said_to_be_and_who_is_worse_too():
    rng = np.random.default_rng(2)
    rate = rng.gamma(1.0, 2.0, 2000)
    close, noise = rate * 1.001, rng.permutation(rate)
    actual = rng.poisson(rate)
    predictions = {"rate": rate, "close": close, "noise": noise}
    outcome = lambda baselines: holdout.compare(predictions, actual, baselines=(baselines,), replicates=200).pivot(  # noqa: E731
        index="measure", columns="model", values="outcome"
    )
    by_noise, by_rate = outcome("noise"), outcome("rate")
    judged = ["mae", "rmse", "correlation", "spearman", "gini", "lift"]  # noise has the total of rate
    assert set(by_noise.rate[judged]) == {"better"}
    assert set(by_rate.noise[judged]) == {"worse"}
    assert set(by_noise.noise) == {"reference"}
    assert by_rate.close["correlation"] == by_rate.close["spearman"] == "undecided"


def test_rounding_makes_nobody_better(world):
    good, _, actual, customers = world
    predictions = {"one": good, "rounded": good * (1 + 1e-15)}
    table = holdout.compare(predictions, actual, customers, baselines=("one",), replicates=50)
    assert set(table[table.model == "rounded"].outcome) == {"undecided"}


def test_a_population_has_the_comparison_of_its_rows_alone(world):
    good, bad, actual, customers = world
    held = pd.Series(np.arange(60) % 3 > 0)
    populations = {"all": held | True, "some": held, "nobody": ~(held | True)}
    options = {"baselines": ("bad",), "replicates": 50}
    table = holdout.compare({"good": good, "bad": bad}, actual, customers, populations=populations, **options)
    alone = holdout.compare({"good": good[held], "bad": bad[held]}, actual[held], customers[held], **options)
    assert list(table.population.unique()) == ["all", "some"]
    some = table[table.population == "some"].reset_index(drop=True)
    pd.testing.assert_frame_equal(some.drop(columns="population"), alone.drop(columns="population"))
    assert not some.value.equals(table[table.population == "all"].value.reset_index(drop=True))


def test_rows_without_customers_do_not_take_part(world):
    good, bad, actual, customers = world
    here = np.arange(60) < 40
    populations = {"here": pd.Series(here), "gone": pd.Series(~here)}
    options = {"baselines": ("bad",), "replicates": 20, "populations": populations}
    table = holdout.compare({"good": good, "bad": bad}, actual, customers * here, **options)
    assert list(table.population.unique()) == ["here"]
    assert row(table, "mae", "good").value == holdout.mae(good[here], actual[here], customers[here])


def test_a_comparison_takes_a_frame_of_predictions_and_leaves_its_arguments_alone(world):
    good, bad, actual, customers = world
    predictions, actual, customers = pd.DataFrame({"good": good, "bad": bad}), pd.Series(actual), pd.Series(customers)
    kept = predictions.copy(), actual.copy(), customers.copy()
    options = {"baselines": ("bad",), "replicates": 20}
    one = holdout.compare(predictions, actual, customers, **options)
    pd.testing.assert_frame_equal(one, holdout.compare({"good": good, "bad": bad}, actual, customers, **options))
    for given, before in zip((predictions, actual, customers), kept, strict=True):
        assert given.equals(before)


def test_a_comparison_repeats_from_its_seed(world):
    good, bad, actual, customers = world
    run = lambda seed: holdout.compare({"a": good, "b": bad}, actual, customers, ("b",), replicates=50, seed=seed)  # noqa: E731
    pd.testing.assert_frame_equal(run(3), run(3))
    assert not run(3).ci_low.equals(run(4).ci_low)
    assert run(3).value.equals(run(4).value)


def test_it_does_not_matter_how_many_replicates_are_drawn_at_a_time(world, monkeypatch):
    good, bad, actual, customers = world
    run = lambda: holdout.compare({"a": good, "b": bad}, actual, customers, ("b",), replicates=50)  # noqa: E731
    at_once = run()
    monkeypatch.setattr(comparison_module, "CELLS", 60 * 7)
    pd.testing.assert_frame_equal(run(), at_once, rtol=1e-12)


def test_who_could_not_be_fitted_is_listed_with_the_reason(world):
    good, bad, actual, customers = world
    unfitted = {"NBD": "there are no repeat orders"}
    table = holdout.compare({"a": good, "b": bad}, actual, customers, ("b",), unfitted=unfitted, replicates=20)
    missing = table[table.model == "NBD"]
    assert list(missing.measure) == [measure.__name__ for measure in holdout.MEASURES]
    assert set(missing.outcome) == {"not fitted"}
    assert set(missing.reason) == {"there are no repeat orders"}
    assert (table.reason[table.model != "NBD"] == "").all()
    assert missing.value.isna().all()
    assert not missing.is_baseline.any()
    assert list(missing.baseline) == list(table[table.model == "a"].baseline)


def test_where_nobody_ordered_only_ratios_have_nothing_to_say(world, recwarn):
    good, bad, actual, customers = world
    table = holdout.compare({"a": good, "b": bad}, actual * 0, customers, ("b",), replicates=20)
    unknown = table[table.value.isna()]
    assert set(unknown.measure) == {"bias", "lift"}
    assert set(unknown.outcome) == {"no value"}
    assert set(unknown.reason) == {"nothing came, so that the measure has no value"}
    assert table[~table.measure.isin(["bias", "lift"])].notna().all(axis=None)
    assert not recwarn.list


def test_replicates_with_nothing_to_say_are_left_out():
    # one of ten ordered: in a third of the replicates, nobody
    actual = pd.Series([1] + 9 * [0])
    predictions = {"a": pd.Series([0.5] + 9 * [0.1]), "b": pd.Series(np.full(10, 0.2))}
    table = holdout.compare(predictions, actual, baselines=("b",), replicates=100)
    assert table.notna().all(axis=None)


@pytest.mark.parametrize("baselines", [(), ("nobody",)])
def test_a_comparison_without_a_baseline_is_refused(world, baselines):
    good, _, actual, customers = world
    with pytest.raises(ValueError, match="name at least one of the predictions 'good'"):
        holdout.compare({"good": good}, actual, customers, baselines)
