"""Races in words: the tables are written by hand."""

import numpy as np
import pandas as pd
import pytest

from crmlab import holdout


def comparison(*rows, measure="mae", population="all customers"):
    """A race by one measure, from (rule, value, difference, low, high, outcome); rules in small letters are naive."""
    table = pd.DataFrame(
        rows, columns=["model", "value", "difference", "difference_ci_low", "difference_ci_high", "outcome"]
    ).assign(population=population, measure=measure)
    reference = [model for model, *_, outcome in rows if outcome == "reference"]
    return table.assign(is_baseline=table.model.str.islower(), baseline=reference[0] if reference else "rate or count")


RATE = ("rate", 1.0, 0, 0, 0, "reference")
COUNT = ("count", 1.2, 0.2, 0.1, 0.3, "worse")
NEAR = ("A", 0.7, -0.3, -0.41236, -0.2, "better")
NEARER = ("B", 0.6, -0.4, -0.5, -0.3, "better")
NEAREST = ("C", 0.5, -0.5, -0.6, -0.4, "better")
OPEN = ("D", 0.9, -0.1, -0.3, 0.1, "undecided")
FAR = ("E", 1.1, 0.1, 0.05, 0.2, "worse")
FARTHER = ("F", 1.5, 0.5, 0.4, 0.6, "worse")
UNFITTED = ("G", np.nan, np.nan, np.nan, np.nan, "not fitted: a reason")


@pytest.mark.parametrize(
    ("rows", "winner", "summary"),
    [
        (
            (RATE, COUNT, NEAR, FAR),
            "A",
            "A is nearer than the best naive rule, rate, by 0.3000 (95 % 0.2000 to 0.4124)",
        ),
        (
            (RATE, NEAR, NEARER, OPEN),
            "B",
            "B is nearer than the best naive rule, rate, by 0.4000 (95 % 0.3000 to 0.5000); so is A",
        ),
        (
            (RATE, NEAREST, NEAR, NEARER, FAR),
            "C",
            "C is nearer than the best naive rule, rate, by 0.5000 (95 % 0.4000 to 0.6000); so are B and A",
        ),
        (
            (FARTHER, COUNT, RATE, FAR),
            "rate",
            "rate is nearer than every model, even E, by 0.1000 (95 % 0.05000 to 0.2000)",
        ),
        ((RATE, OPEN, FAR), "undecided", "undecided between D and rate"),
        (
            (RATE, OPEN, UNFITTED, ("H", *OPEN[1:])),
            "undecided",
            "undecided between D, H and rate; without G (not fitted)",
        ),
        (
            (FAR, UNFITTED, RATE),
            "rate",
            "rate is nearer than every model that was fitted, even E, by 0.1000 (95 % 0.05000 to 0.2000); "
            "without G (not fitted)",
        ),
        ((RATE, COUNT, UNFITTED), "undecided", "no model took part; without G (not fitted)"),
        (
            (("rate", 1, 0.1, -1, 1, "undecided"), FAR),
            "rate or count",
            "rate or count is nearer than every model, even E, by ",
        ),
    ],
)
def test_the_winner_is_told(rows, winner, summary):
    found = holdout.winners(comparison(*rows)).iloc[0]
    assert found.winner == winner
    assert found.summary.startswith(f"Mean absolute error, all customers: {summary}")


PARTLY = ("P", 0.2, -0.8, -0.9, -0.7, "better")  # from 2 of 3 origins, where another naive rule was the best


@pytest.mark.parametrize(
    ("rows", "winner", "summary"),
    [
        (
            (RATE, NEAR, PARTLY),
            "A",
            "A is nearer than the best naive rule, rate, by 0.3000 (95 % 0.2000 to 0.4124); "
            "so is P (at 2 of 3 origins)",
        ),
        (
            (RATE, OPEN, PARTLY),
            "P",
            "P (at 2 of 3 origins) is nearer than the best naive rule, count, by 0.8000 (95 % 0.7000 to 0.9000)",
        ),
        ((RATE, OPEN, ("P", *OPEN[1:])), "undecided", "undecided between D, P (at 2 of 3 origins) and rate"),
        ((RATE, FAR, ("P", *FARTHER[1:])), "rate", "rate is nearer than every model, even E, by 0.1000"),
    ],
    ids=["beside one fitted everywhere", "alone", "undecided", "worse"],
)
def test_a_rule_fitted_from_some_origins_says_from_how_many(rows, winner, summary):
    table = comparison(*rows).assign(origin="all origins", origins=3)
    partly = table.model == "P"
    table = table.assign(origins=table.origins.mask(partly, 2), baseline=table.baseline.mask(partly, "count"))
    found = holdout.winners(table).iloc[0]
    assert found.winner == winner
    assert found.summary.startswith(f"Mean absolute error, all customers: {summary}")
    assert holdout.improvements(table).label.to_list() == [r + " (at 2 of 3 origins)" * (r == "P") for r in table.model]
    judged = holdout.beats_baseline(table, "P", "mae").evidence
    assert judged.startswith(f"{table.outcome[partly].iloc[0]} (at 2 of 3 origins): ")


def test_who_could_not_be_fitted_is_told_once_with_the_reason():
    table = pd.concat([comparison(RATE, NEAR, UNFITTED), comparison(RATE, UNFITTED, measure="rmse")]).assign(
        origin="2024-01-31"
    )
    pooled = comparison(RATE, NEAR, ("G", *UNFITTED[1:-1], "not fitted from any of 1 origins")).assign(
        origin="all origins"
    )
    reasons = holdout.unfitted_reasons(pd.concat([table, pooled]))
    assert reasons == ("In the race, G could not be fitted from 2024-01-31: a reason.",)
    assert holdout.unfitted_reasons(table[table.model != "G"]) == ()


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
            f"{title}, repeaters: B tells customers apart better than the best naive rule, rate, "
            "by 0.5000 (95 % 0.4000 to 0.6000); so do A and C"
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
    assert list(holdout.TITLES) == [measure.__name__ for measure in holdout.MEASURES]


def test_a_lead_is_positive_where_a_rule_is_better():
    # MAE .7 beside 1: 30 % ahead
    improvement = holdout.improvements(comparison(RATE, NEAR)).set_index("model").loc["A"]
    assert (improvement.improvement, improvement.improvement_ci_low, improvement.improvement_ci_high) == pytest.approx(
        (30, 20, 41.236)
    )
    # lift 3 beside 2: 50 % ahead
    improvement = holdout.improvements(comparison(("A", 3.0, 1.0, 0.5, 2.0, "better"), measure="lift")).iloc[0]
    assert (improvement.improvement, improvement.improvement_ci_low, improvement.improvement_ci_high) == pytest.approx(
        (50, 25, 100)
    )
    # a correlation of .45 beside .49: 4 hundredths behind
    improvement = holdout.improvements(comparison(("A", 0.45, -0.04, -0.06, -0.02, "worse"), measure="spearman")).iloc[
        0
    ]
    assert (improvement.improvement, improvement.improvement_ci_low, improvement.improvement_ci_high) == pytest.approx(
        (-4, -6, -2)
    )
    # 10 % too few beside 30 % off: 20 hundredths ahead
    improvement = holdout.improvements(comparison(("A", -0.1, -0.2, -0.3, -0.1, "better"), measure="bias")).iloc[0]
    assert (improvement.improvement, improvement.improvement_ci_low, improvement.improvement_ci_high) == pytest.approx(
        (20, 10, 30)
    )


def test_the_words_fit_a_race_that_was_run():
    rng = np.random.default_rng(2)
    rate = rng.gamma(1.0, 2.0, 500)
    predictions = {"A": rate, "noise": rng.permutation(rate)}
    found = holdout.winners(holdout.compare(predictions, rng.poisson(rate), baselines=("noise",), replicates=50))
    assert list(found.measure) == list(holdout.TITLES)
    assert set(found.winner[1:]) == {"A"}
    assert found.summary[4].startswith(
        "Spearman's correlation, all customers: A tells customers apart better than the best"
    )


def judged(*rows, **options):
    """The same race from one origin, where everybody is better, and over all of them."""
    table = comparison(*rows, **options)
    return pd.concat([table.assign(origin="2024-01-31", outcome="better"), table.assign(origin="all origins")])


@pytest.mark.parametrize(
    ("row", "passed", "evidence"),
    [
        (NEAR, True, "better: 0.7000, apart by -0.3000 (95 % -0.4124 to -0.2000) from rate"),
        (OPEN, False, "undecided: 0.9000, apart by -0.1000 (95 % -0.3000 to 0.1000) from rate"),
        (FAR, False, "worse: 1.100, apart by 0.1000 (95 % 0.05000 to 0.2000) from rate"),
        (UNFITTED, False, "not fitted: a reason"),
        (RATE, False, "reference: 1.000, apart by 0.000 (95 % 0.000 to 0.000) from rate"),
    ],
    ids=["better", "undecided", "worse", "not fitted", "the naive rule itself"],
)
def test_a_verdict_passes_only_where_a_rule_is_better(row, passed, evidence):
    found = holdout.beats_baseline(judged(*dict.fromkeys([RATE, COUNT, row])), row[0], "mae")
    assert found.passed is passed
    assert found.evidence == evidence
    assert found.claim == f"{row[0]} beats the best naive rule: Mean absolute error, all customers"
    assert found.instead == "rate, or neither where undecided"
    assert "nan" not in str(found)


def test_a_verdict_is_on_one_rule_measure_and_population():
    parts = [
        judged(RATE, NEAR, FAR),
        judged(RATE, ("A", 0.2, -0.1, -0.2, 0.1, "undecided"), measure="spearman"),
        judged(COUNT[:1] + RATE[1:], NEARER, ("A", 0.6, 0.4, 0.3, 0.5, "worse"), population="repeaters"),
    ]
    table = pd.concat(parts)
    assert holdout.beats_baseline(table, "A", "mae").passed
    assert not holdout.beats_baseline(table, "E", "mae").passed
    open_one = holdout.beats_baseline(table, "A", "spearman")
    assert not open_one.passed
    assert open_one.claim == "A beats the best naive rule: Spearman's correlation, all customers"
    repeaters = holdout.beats_baseline(table, "A", "mae", "repeaters")
    assert repeaters.evidence.startswith("worse: 0.6000")
    assert repeaters.claim.endswith("Mean absolute error, repeaters")
    assert str(repeaters).endswith("use count, or neither where undecided")
    assert holdout.beats_baseline(table, "B", "mae", "repeaters").passed


@pytest.mark.parametrize("measure", holdout.TITLES)
def test_a_race_in_which_nobody_ordered_passes_no_verdict(measure):
    rng = np.random.default_rng(3)
    predictions = {"A": rng.gamma(1, 2, 50), "noise": rng.gamma(1, 2, 50)}
    by_origin = {"2024-01-31": {"predictions": predictions, "actual": np.zeros(50), "baselines": ("noise",)}}
    table = holdout.rolling(by_origin, replicates=50)
    found = holdout.beats_baseline(table, "A", measure)
    summary = holdout.winners(table).query("origin == 'all origins' and measure == @measure").summary.item()
    assert not found.passed
    if measure in ("bias", "lift"):  # which divide by what was ordered
        assert found.evidence == "no value: nothing came after some origin"
        assert summary.endswith(": no value: nothing came after some origin")
    else:
        assert found.evidence.startswith("undecided: ")
        assert "apart by" in found.evidence
    blank = table[table.difference.isna()]
    assert set(blank.measure) == {"bias", "lift"}
    assert blank.outcome.str.startswith("no value: nothing came").all()


def test_a_verdict_tells_the_race_that_was_run():
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
        assert holdout.beats_baseline(table, "A", measure).passed
    found = holdout.beats_baseline(table, "G", "mae")
    assert not found.passed
    assert found.evidence == "not fitted from any of 1 origins"
