"""Comparisons in words: the tables are written by hand."""

import numpy as np
import pandas as pd
import pytest

from crmlab import holdout
from crmlab.model import blank_of

CI = "confidence interval"


def comparison(*rows, measure="mae", population="all customers"):
    """A comparison by one measure, from (model, value, difference, low, high, outcome, reason where there is one);
    models in small letters are baselines."""
    columns = ["model", "value", "difference", "difference_ci_low", "difference_ci_high", "outcome", "reason"]
    table = pd.DataFrame([(*row, "")[:7] for row in rows], columns=columns).assign(
        population=population, measure=measure, ci_low=np.nan, ci_high=np.nan
    )
    reference = [row[0] for row in rows if row[5] == "reference"]
    return table.assign(is_baseline=table.model.str.islower(), baseline=reference[0] if reference else "rate or count")


RATE = ("rate", 1.0, 0, 0, 0, "reference")
COUNT = ("count", 1.2, 0.2, 0.1, 0.3, "worse")
NEAR = ("A", 0.7, -0.3, -0.41236, -0.2, "better")
NEARER = ("B", 0.6, -0.4, -0.5, -0.3, "better")
NEAREST = ("C", 0.5, -0.5, -0.6, -0.4, "better")
OPEN = ("D", 0.9, -0.1, -0.3, 0.1, "undecided")
FAR = ("E", 1.1, 0.1, 0.05, 0.2, "worse")
FARTHER = ("F", 1.5, 0.5, 0.4, 0.6, "worse")
OUTCOMES = {"better": "passed", "undecided": "undecided", "worse": "failed"}
UNFITTED = ("G", np.nan, np.nan, np.nan, np.nan, "not fitted", "a reason")


@pytest.mark.parametrize(
    ("rows", "winner", "summary"),
    [
        (
            (RATE, COUNT, NEAR, FAR),
            "A",
            f"A is closer than the best baseline, rate, by 0.3000 (95 % {CI} 0.2000 to 0.4124)",
        ),
        (
            (RATE, NEAR, NEARER, OPEN),
            "B",
            f"B is closer than the best baseline, rate, by 0.4000 (95 % {CI} 0.3000 to 0.5000); A too",
        ),
        (
            (RATE, NEAREST, NEAR, NEARER, FAR),
            "C",
            f"C is closer than the best baseline, rate, by 0.5000 (95 % {CI} 0.4000 to 0.6000); B and A too",
        ),
        (
            (FARTHER, COUNT, RATE, FAR),
            "rate",
            f"the baseline rate is closer than every model, even E, by 0.1000 (95 % {CI} 0.05000 to 0.2000)",
        ),
        ((RATE, OPEN, FAR), "undecided", "undecided between D and rate"),
        (
            (RATE, OPEN, UNFITTED, ("H", *OPEN[1:])),
            "undecided",
            "undecided between D, H and rate; without G, which could not be fitted",
        ),
        (
            (FAR, UNFITTED, RATE),
            "rate",
            f"the baseline rate is closer than every model that was fitted, even E, by 0.1000 (95 % {CI} 0.05000 to "
            "0.2000); "
            "without G, which could not be fitted",
        ),
        ((RATE, COUNT, UNFITTED), "undecided", "no model took part; without G, which could not be fitted"),
        (
            (("rate", 1, 0.1, -1, 1, "undecided"), FAR),
            "rate or count",
            "the baseline rate or count is closer than every model, even E, by ",
        ),
    ],
)
def test_the_winner_is_stated(rows, winner, summary):
    found = holdout.winners(comparison(*rows)).iloc[0]
    assert found.winner == winner
    assert found.summary.startswith(f"Mean absolute error, all customers: {summary}")


PARTLY = ("P", 0.2, -0.8, -0.9, -0.7, "better")  # from 2 of 3 origins, where another baseline was the best


@pytest.mark.parametrize(
    ("rows", "winner", "summary"),
    [
        (
            (RATE, NEAR, PARTLY),
            "A",
            f"A is closer than the best baseline, rate, by 0.3000 (95 % {CI} 0.2000 to 0.4124); "
            "over all origins, and so without P (at 2 of 3 origins)",
        ),
        (
            (RATE, OPEN, PARTLY),
            "undecided",
            "undecided between D and rate; over all origins, and so without P (at 2 of 3 origins)",
        ),
        (
            (RATE, PARTLY),
            "P",
            f"P (at 2 of 3 origins) is closer than the best baseline, count, by 0.8000 (95 % {CI} 0.7000 to 0.9000)",
        ),
        (
            (RATE, FAR, ("P", *FARTHER[1:])),
            "rate",
            "the baseline rate is closer than every model that was fitted from every origin, even E, by 0.1000",
        ),
    ],
    ids=["better, beside one better", "better, beside one undecided", "alone", "worse, beside one worse"],
)
def test_a_model_fitted_from_some_origins_says_from_how_many(rows, winner, summary):
    table = comparison(*rows).assign(origin="all origins", origins=3)
    partly = table.model == "P"
    table = table.assign(origins=table.origins.mask(partly, 2), baseline=table.baseline.mask(partly, "count"))
    found = holdout.winners(table).iloc[0]
    assert found.winner == winner
    assert found.summary.startswith(f"Mean absolute error, all customers: {summary}")
    assert holdout.improvements(table).label.to_list() == [r + " (at 2 of 3 origins)" * (r == "P") for r in table.model]
    found = holdout.judged_against_baseline(table, "P", "mae")
    assert found.outcome == OUTCOMES[table.outcome[partly].iloc[0]]
    assert found.values["at"] == " (at 2 of 3 origins)"


def test_models_none_of_which_was_fitted_everywhere_are_not_set_beside_each_other():
    table = comparison(RATE, NEAR, NEARER).assign(origin="all origins", origins=[3, 2, 1])
    found = holdout.winners(table).iloc[0]
    assert found.winner == "undecided"
    assert found.summary == (
        "Mean absolute error, all customers: no model was fitted from every origin, so that B (at 1 of 3 origins) "
        "and A (at 2 of 3 origins) cannot be compared"
    )


def test_who_could_not_be_fitted_is_listed_once_with_the_reason():
    table = pd.concat([comparison(RATE, NEAR, UNFITTED), comparison(RATE, UNFITTED, measure="rmse")]).assign(
        origin="2024-01-31"
    )
    pooled = comparison(RATE, NEAR, (*UNFITTED[:-1], "not fitted from any of 1 origins")).assign(origin="all origins")
    reasons = holdout.unfitted_reasons(pd.concat([table, pooled]))
    assert reasons.to_dict("records") == [{"origin": "2024-01-31", "model": "G", "reason": "a reason"}]
    assert holdout.unfitted_reasons(table[table.model != "G"]).empty


def test_a_comparison_that_could_not_be_made_has_its_reason_in_place_of_models():
    assert holdout.unfitted_reasons(blank_of(pd.DataFrame, "too short")).attrs["reason"] == "too short"


def test_where_more_is_better_the_largest_difference_wins():
    rows = (
        RATE,
        ("A", 1.2, 0.2, 0.1, 0.3, "better"),
        ("B", 1.5, 0.5, 0.4, 0.6, "better"),
        ("C", 1.1, 0.1, 0.05, 0.2, "better"),
    )
    for measure, title in [("spearman", "Spearman's correlation"), ("lift", "Lift of the top tenth"), ("gini", "Gini")]:
        found = holdout.winners(comparison(*rows, measure=measure, population="repeaters")).iloc[0]
        assert found.winner == "B"
        assert found.summary == (
            f"{title}, repeaters: B ranks customers better than the best baseline, rate, "
            f"by 0.5000 (95 % {CI} 0.4000 to 0.6000); A and C too"
        )


def test_there_is_a_winner_for_each_origin_population_and_measure():
    parts = [
        comparison(RATE, NEAR),
        comparison(RATE, OPEN, population="repeaters"),
        comparison(RATE, FAR, measure="rmse"),
    ]
    table = pd.concat([pd.concat(parts).assign(origin=origin) for origin in ("2024-01-31", "all origins")])
    found = holdout.winners(table)
    assert list(found.columns) == ["origin", "population", "measure", "winner", "summary"]
    assert list(found.winner) == 2 * ["A", "undecided", "rate"]
    assert "origin" not in holdout.winners(table.drop(columns="origin")[:3])


def test_every_measure_has_a_title():
    assert list(holdout.TITLES) == [measure.__name__ for measure in (*holdout.MEASURES, holdout.r2)]


def test_an_improvement_is_positive_where_a_model_is_better():
    # MAE .7 beside 1: 30 % better
    improvement = holdout.improvements(comparison(RATE, NEAR)).set_index("model").loc["A"]
    assert (improvement.improvement, improvement.improvement_ci_low, improvement.improvement_ci_high) == pytest.approx(
        (30, 20, 41.236)
    )
    # lift 3 beside 2: 50 % better
    improvement = holdout.improvements(comparison(("A", 3.0, 1.0, 0.5, 2.0, "better"), measure="lift")).iloc[0]
    assert (improvement.improvement, improvement.improvement_ci_low, improvement.improvement_ci_high) == pytest.approx(
        (50, 25, 100)
    )
    # a correlation of .45 beside .49: 4 hundredths worse
    improvement = holdout.improvements(comparison(("A", 0.45, -0.04, -0.06, -0.02, "worse"), measure="spearman")).iloc[
        0
    ]
    assert (improvement.improvement, improvement.improvement_ci_low, improvement.improvement_ci_high) == pytest.approx(
        (-4, -6, -2)
    )
    # 10 % too few beside 30 % off: 20 hundredths better
    improvement = holdout.improvements(comparison(("A", -0.1, -0.2, -0.3, -0.1, "better"), measure="bias")).iloc[0]
    assert (improvement.improvement, improvement.improvement_ci_low, improvement.improvement_ci_high) == pytest.approx(
        (20, 10, 30)
    )


def test_the_words_fit_a_comparison_that_was_made():
    rng = np.random.default_rng(2)
    rate = rng.gamma(1.0, 2.0, 500)
    predictions = {"A": rate, "noise": rng.permutation(rate)}
    found = holdout.winners(holdout.compare(predictions, rng.poisson(rate), baselines=("noise",), replicates=50))
    assert list(found.measure) == [measure.__name__ for measure in holdout.MEASURES]
    assert set(found.winner[1:]) == {"A"}
    assert found.summary[4].startswith("Spearman's correlation, all customers: A ranks customers better than the best")


def judged(*rows, **options):
    """The same comparison from one origin, where everybody is better, and over all of them."""
    table = comparison(*rows, **options)
    return pd.concat([table.assign(origin="2024-01-31", outcome="better"), table.assign(origin="all origins")])


@pytest.mark.parametrize(
    ("row", "outcome", "difference"),
    [
        (NEAR, "passed", (0.7, -0.3, -0.41236, -0.2)),
        (OPEN, "undecided", (0.9, -0.1, -0.3, 0.1)),
        (FAR, "failed", (1.1, 0.1, 0.05, 0.2)),
        (UNFITTED, "not applicable", None),
        (RATE, "undecided", (1, 0, 0, 0)),
    ],
    ids=["better", "undecided", "worse", "not fitted", "the baseline itself"],
)
def test_a_check_passes_where_a_model_is_better_and_fails_where_it_is_worse(row, outcome, difference):
    found = holdout.judged_against_baseline(judged(*dict.fromkeys([RATE, COUNT, row])), row[0], "mae")
    about = {"model": row[0], "measure": "mean absolute error", "population": "all customers"}
    assert (found.outcome, found.part) == (outcome, "mae")
    assert about.items() <= found.values.items()
    if difference is None:
        assert (found.case, found.values["why"]) == ("unknown", "a reason")
    else:
        names = ("value", "difference", "difference_ci_low", "difference_ci_high")
        assert tuple(found.values[name] for name in names) == difference
        assert (found.values["baseline"], found.values["at"], found.case) == ("rate", "", "")


def test_a_check_says_better_and_worse_alike_of_errors_and_of_scores():
    names = ("improvement", "improvement_low", "improvement_high")
    open_rows = {"mae": OPEN, "spearman": (*OPEN[:2], 0.1, -0.1, 0.3, "undecided")}
    for measure, row in open_rows.items():
        found = holdout.judged_against_baseline(judged(RATE, row, measure=measure), "D", measure)
        assert [found.values[name] for name in names] == ["0.100 better", "0.100 worse", "0.300 better"]


def test_a_check_is_on_one_model_measure_and_population():
    parts = [
        judged(RATE, NEAR, FAR),
        judged(RATE, ("A", 0.2, -0.1, -0.2, 0.1, "undecided"), measure="spearman"),
        judged(COUNT[:1] + RATE[1:], NEARER, ("A", 0.6, 0.4, 0.3, 0.5, "worse"), population="repeaters"),
    ]
    table = pd.concat(parts)
    assert holdout.judged_against_baseline(table, "A", "mae").outcome == "passed"
    assert holdout.judged_against_baseline(table, "E", "mae").outcome == "failed"
    open_one = holdout.judged_against_baseline(table, "A", "spearman")
    assert (open_one.outcome, open_one.part) == ("undecided", "spearman")
    assert (open_one.values["measure"], open_one.values["population"]) == ("Spearman's correlation", "all customers")
    repeaters = holdout.judged_against_baseline(table, "A", "mae", "repeaters")
    assert (repeaters.outcome, repeaters.values["value"]) == ("failed", 0.6)
    assert (repeaters.values["population"], repeaters.values["baseline"]) == ("repeaters", "count")
    assert holdout.judged_against_baseline(table, "B", "mae", "repeaters").outcome == "passed"


@pytest.mark.parametrize("measure", [measure.__name__ for measure in holdout.MEASURES])
def test_where_nobody_ordered_no_check_passes(measure):
    rng = np.random.default_rng(3)
    predictions = {"A": rng.gamma(1, 2, 50), "noise": rng.gamma(1, 2, 50)}
    by_origin = {"2024-01-31": {"predictions": predictions, "actual": np.zeros(50), "baselines": ("noise",)}}
    table = holdout.rolling(by_origin, replicates=50)
    found = holdout.judged_against_baseline(table, "A", measure)
    summary = holdout.winners(table).query("origin == 'all origins' and measure == @measure").summary.item()
    if measure in ("bias", "lift"):  # which divide by what was ordered
        assert (found.outcome, found.case) == ("not applicable", "unknown")
        assert found.values["why"] == "nothing came, so that the measure has no value, after some origin"
        assert summary.endswith(": nothing came, so that the measure has no value, after some origin")
    else:
        assert found.outcome == "undecided"
        assert np.isfinite([found.values["difference_ci_low"], found.values["difference_ci_high"]]).all()
    blank = table[table.difference.isna()]
    assert set(blank.measure) == {"bias", "lift"}
    assert set(blank.outcome) == {"no value"}
    assert blank.reason.str.startswith("nothing came").all()


def test_a_check_follows_the_comparison_that_was_made():
    rng = np.random.default_rng(2)
    rate = rng.gamma(1.0, 2.0, 500)
    parts = {
        "predictions": {"A": rate, "noise": rng.permutation(rate)},
        "actual": rng.poisson(rate),
        "baselines": ("noise",),
    }
    by_origin = {"1": parts | {"unfitted": {"G": "a reason"}}}
    table = holdout.rolling(by_origin, replicates=50)
    for measure in ("mae", "spearman", "gini"):
        assert holdout.judged_against_baseline(table, "A", measure).outcome == "passed"
    found = holdout.judged_against_baseline(table, "G", "mae")
    assert found.outcome == "not applicable"
    assert found.values["why"] == "not fitted from any of 1 origins"
