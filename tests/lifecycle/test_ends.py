"""Whether contracts that ended early are in the data."""

import numpy as np
import pandas as pd
import pytest

from crmlab import lifecycle
from crmlab.contracts import InputError
from crmlab.lifecycle import checks
from crmlab.lifecycle.tables import ends

from .cohort_worlds import left_truncated, log, retention, subscriptions

TRUNCATED = left_truncated(4000, 1)


def judged(*given):
    return checks.early_ends_in_data(lifecycle.early_ends(*given))


def test_a_ratio_is_the_odds_of_early_over_the_odds_of_days_with_the_score_interval():
    # one age: 4 of 10 ends are early, of 30 days before and 60 after: (4 / 6) / (30 / 60), and by hand the interval of
    # Wilson for 4 of 10, .1682 to .6873, as odds over the same
    found = ends._ratio(4, np.array([10.0]), np.array([0.5]), 0.95)
    assert found == pytest.approx([4 / 3, 0.1682 / 0.8318 / 0.5, 0.6873 / 0.3127 / 0.5], rel=1e-3)
    assert ends._ratio(0, np.array([10.0]), np.array([0.5]), 0.95)[:2] == [0, 0]
    assert ends._ratio(10, np.array([10.0]), np.array([0.5]), 0.95)[::2] == [np.inf, np.inf]


def test_days_of_contracts_are_counted_by_age_before_and_after_the_day_that_divides():
    # ends on days 10, 20, 30 and 40 divide at day 20; two contracts run to day 45
    day = pd.Timestamp("2024-01-01")
    rows = [(0, 10), (5, 20), (15, 30), (30, 40), (0, None), (12, None)]
    on = [tuple(None if d is None else str((day + pd.Timedelta(d, "D")).date()) for d in row) for row in rows]
    found = lifecycle.early_ends(subscriptions(*on), "2024-02-15").iloc[0]
    assert (found["first"], found.day, found.ended) == (day, day + pd.Timedelta(20, "D"), 1)
    # at the age of 10 days, one of two ends is early, of 3 contracts early and 3 later; at 15, none of two, of 1 and 3:
    # 1 = 2 x / (1 + x) + 2 x / (3 + x), or 3 x² + 4 x = 3
    assert found.ratio == pytest.approx((np.sqrt(52) - 4) / 6)


def test_ends_on_anniversaries_are_as_frequent_early_as_later_where_none_is_missing():
    # three contracts begin a day, and one of them ends after a year; by the twentieth end some are a few days older
    begun = pd.date_range("2020-01-01", periods=400)
    ended = [[str((day + pd.Timedelta(365, "D")).date()), None, None] for day in begun]
    rows = [(str(day.date()), end) for day, ends in zip(begun, ended, strict=True) for end in ends]
    assert lifecycle.early_ends(subscriptions(*rows), "2022-12-31").ratio[0] == pytest.approx(1)


def test_contracts_that_ended_before_observation_are_found_missing_and_those_observed_are_not():
    missing, known = judged(TRUNCATED, "2023-12-31"), judged(TRUNCATED, "2023-12-31", "2022-01-01")
    assert (missing.id, missing.kind) == ("lifecycle.early_ends_in_data", "assumption")
    assert (missing.outcome, known.outcome) == ("failed", "passed")
    assert missing.summary.startswith(
        "Observation begins on 2012-01-10, and up to 2022-01-31 only 19 contracts ended, 0.0216"
    )
    assert missing.recommendation.startswith(
        "Set observed_from to the first day from which all ends were recorded, 2022"
    )
    assert known.recommendation == ""


def test_the_outcome_is_that_of_the_interval():
    found = lifecycle.early_ends(TRUNCATED, "2023-12-31")
    ends_of = [(0.5, 2.0), (0.49, 2.0), (0.1, 0.49), (0.1, 0.51)]
    outcomes = [checks.early_ends_in_data(found.assign(ci_low=low, ci_high=high)).outcome for low, high in ends_of]
    assert outcomes == ["passed", "undecided", "failed", "undecided"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (retention(all=[10, 7, 5]), "the data count customers by period, and know no day of an end"),
        (subscriptions(("2024-01-01", None), ("2024-01-01", "2024-02-01")), "1 of the 2 ended contracts needed"),
        (
            subscriptions(("2024-01-01", "2024-01-01"), ("2024-01-01", "2024-12-01")),
            "no later contract of the age of the first ended",
        ),
    ],
)
def test_what_cannot_be_compared_is_not_applicable(given, why):
    found = judged(given, "2024-12-31")
    assert found.outcome == "not applicable"
    assert why in found.summary


def test_orders_have_no_ends():
    with pytest.raises(InputError, match="a survival curve needs SUBSCRIPTIONS"):
        lifecycle.early_ends(log(("ann", "2024-01-01")), "2024-12-31")
