"""Where a comparison starts from, and what several give together."""

import re
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab import holdout
from crmlab.contracts import InputError

FIRST, LAST = date(1997, 1, 1), date(1998, 6, 30)  # of CDNOW
RANDOM = settings(max_examples=200, deadline=None, derandomize=True)


def test_origins_lie_evenly_and_the_latest_ends_on_the_last_day():
    # 545 days less 273 are 272: days 136, 204 and 272
    found = holdout.origins(FIRST, LAST, 273, 3)
    assert found == [date(1997, 5, 17), date(1997, 7, 24), date(1997, 9, 30)]
    assert holdout.origins(FIRST, LAST, 273, 1) == [date(1997, 9, 30)]


@RANDOM
@given(span=st.integers(1, 900), horizon=st.integers(1, 900), count=st.integers(1, 8))
def test_origins_differ_and_leave_half_of_the_longest_calibration(span, horizon, count):
    last = FIRST + timedelta(span)
    longest = span - horizon
    if longest < max(2 * (count - 1), 1):
        with pytest.raises(InputError):
            holdout.origins(FIRST, last, horizon, count)
        return
    found = holdout.origins(FIRST, last, horizon, count)
    ages = [(origin - FIRST).days for origin in found]
    steps = np.diff(ages)
    assert len(found) == count
    assert ages[-1] == longest
    assert ages[0] >= longest / 2
    assert count == 1 or (steps.min() >= 1 and steps.max() - steps.min() <= 1)


@pytest.mark.parametrize(("horizon", "count"), [(0, 1), (273, 0)])
def test_no_origin_or_no_day_after_it_is_refused(horizon, count):
    words = f"{count} origins with {horizon} days after each were asked for; choose at least one origin, and at least"
    for asked in (holdout.origins, holdout.too_short):
        with pytest.raises(InputError, match=words):
            asked(FIRST, LAST, horizon, count)


@pytest.mark.parametrize(
    ("days", "horizon", "count", "asked", "offers"),
    [  # the latest origin comes after days - horizon; of three, that is 4 days at least, of one a day
        (545, 545, 1, "1 origin with 545 days", "at most 544 days after each, by a later split, or data that run over "
         "at least 546 days, with no more after each"),
        (545, 542, 3, "3 origins with 542 days", "at most 2 origins, or at most 541 days after each, by a later split, "
         "or data that run over at least 546 days, with no more after each"),
        (5, 3, 3, "3 origins with 3 days", "at most 2 origins, or at most 1 day after each, by a later split, or data "
         "that run over at least 7 days, with no more after each"),
        (3, 1, 3, "3 origins with 1 day", "at most 2 origins, or data that run over at least 5 days, with no more "
         "after each"),
        (1, 1, 3, "3 origins with 1 day", "data that run over at least 5 days, with no more after each"),
    ],
)  # fmt: skip
def test_data_too_short_for_the_origins_are_refused_with_what_would_fit(days, horizon, count, asked, offers):
    last = FIRST + timedelta(days)
    span = "1 day" if days == 1 else f"{days} days"
    reason = f"{asked} after each do not fit into the {span} from 1997-01-01 to {last}; choose {offers}"
    assert holdout.too_short(FIRST, last, horizon, count) == reason
    with pytest.raises(InputError, match=f"^{reason}$"):
        holdout.origins(FIRST, last, horizon, count)


@RANDOM
@given(span=st.integers(1, 40), horizon=st.integers(1, 40), count=st.integers(1, 8))
def test_each_offer_of_data_too_short_fits_when_taken_and_one_more_does_not(span, horizon, count):
    last = FIRST + timedelta(span)
    offers = holdout.too_short(FIRST, last, horizon, count).partition("; choose ")[2]
    for most, what in re.findall(r"at most (\d+) (origin|day)", offers):
        for more in (0, 1):
            asked = (horizon, int(most) + more) if what == "origin" else (int(most) + more, count)
            assert bool(holdout.too_short(FIRST, last, *asked)) == bool(more)
    for least in re.findall(r"at least (\d+) day", offers):
        for fewer in (0, 1):
            assert bool(holdout.too_short(FIRST, FIRST + timedelta(int(least) - fewer), horizon, count)) == bool(fewer)


@pytest.fixture(scope="module")
def by_origin():
    """Two origins: at the first "b" is the better baseline, at the second "c" is."""
    rng = np.random.default_rng(7)
    rate = rng.gamma(1.0, 2.0, 300)
    noise = rng.gamma(1.0, 2.0, (2, 300))
    actual = rng.poisson(rate, (2, 300))
    some = {"all customers": np.full(300, True), "some": np.arange(300) < 150}
    each = {"a": rate, "b": rate / 2 + noise[0], "c": rate / 2 + noise[1]}
    other = {"a": rate, "b": rate / 2 + 2 * noise[0], "c": rate / 2 + noise[1] / 2}
    shared = {"baselines": ("b", "c"), "populations": some}
    return {
        date(2024, 1, 31): {"predictions": each | {"c": noise[1], "d": rate + 1}, "actual": actual[0], **shared},
        date(2024, 2, 29): {"predictions": other, "actual": actual[1], **shared, "unfitted": {"d": "a reason"}},
    }


@pytest.fixture(scope="module")
def table(by_origin):
    return holdout.rolling(by_origin, replicates=50)


def test_each_origin_has_its_own_comparison(by_origin, table):
    for origin, arguments in by_origin.items():
        found = table[table.origin == str(origin)].drop(columns=["origin", "origins"]).reset_index(drop=True)
        pd.testing.assert_frame_equal(found, holdout.compare(**arguments, replicates=50), check_dtype=False)
    assert list(table.origin.unique()) == ["2024-01-31", "2024-02-29", "all origins"]


def test_all_origins_hold_the_means_of_each(table):
    numbers = ["value", "ci_low", "ci_high", "difference", "difference_ci_low", "difference_ci_high"]
    keys = ["population", "measure", "model"]
    each = table[(table.origin != "all origins") & (table.model != "d")].set_index(["origin", *keys])[numbers]
    first, second = each.loc["2024-01-31"], each.loc["2024-02-29"]
    pooled = table[(table.origin == "all origins") & (table.model != "d")].set_index(keys)
    assert set(pooled.origins) == {2}
    pd.testing.assert_frame_equal(pooled[numbers], ((first + second) / 2).loc[pooled.index], check_dtype=False)
    assert set(pooled.baseline.xs("spearman", level="measure")) == {"b or c"}
    assert pooled.is_baseline.to_list() == [model in "bc" for _, _, model in pooled.index]


def test_all_origins_are_judged_by_their_own_intervals(table):
    pooled = table[(table.origin == "all origins") & (table.model != "d")]
    away = (pooled.difference_ci_low > 0) | (pooled.difference_ci_high < 0)
    assert list(away) == list(pooled.outcome.isin(["better", "worse"]))
    assert {"better", "worse", "undecided"} <= set(pooled.outcome)
    assert set(pooled[(pooled.model == "a") & (pooled.measure != "bias")].outcome) <= {"better", "undecided"}


def test_who_was_fitted_from_some_origins_is_compared_over_those_alone(table):
    # "d" takes part from the first of two origins: its pooled row is that of the first, beside its baselines
    pooled = table[(table.origin == "all origins") & (table.model == "d")].drop(columns="origin").reset_index(drop=True)
    first = table[(table.origin == "2024-01-31") & (table.model == "d")].drop(columns="origin").reset_index(drop=True)
    pd.testing.assert_frame_equal(pooled, first)
    assert set(pooled.origins) == {1}
    assert set(pooled.baseline) == {"b", "c"}  # never "b or c", as of those who took part from both
    assert set(table[(table.origin == "2024-02-29") & (table.model == "d")].outcome) == {"not fitted"}
    assert set(table[(table.origin == "2024-02-29") & (table.model == "d")].reason) == {"a reason"}
    assert set(table[(table.origin == "2024-02-29") & (table.model == "d")].origins) == {0}


def test_who_was_fitted_from_two_of_three_has_the_mean_of_the_two(by_origin):
    first, second = by_origin.values()
    three = holdout.rolling({"1": first, "2": second, "3": first}, replicates=20)
    numbers = ["value", "ci_low", "ci_high", "difference", "difference_ci_low", "difference_ci_high"]
    each = three[three.model == "d"].set_index(["origin", "population", "measure"])[numbers].astype(float)
    for at in ("value", "difference", "difference_ci_low"):
        mean = (each.loc["1"][at] + each.loc["3"][at]) / 2
        assert each.loc["all origins"][at].to_numpy() == pytest.approx(mean.to_numpy())
    summary = holdout.winners(three)
    mae = summary[
        (summary.origin == "all origins") & (summary.measure == "mae") & (summary.population == "all customers")
    ]
    assert "d (at 2 of 3 origins)" in mae.summary.iloc[0]


def test_who_was_never_fitted_has_no_mean(by_origin):
    nowhere = {o: a | {"unfitted": {"e": "a reason"}} for o, a in by_origin.items()}
    table = holdout.rolling(nowhere, replicates=10)
    absent = table[(table.origin == "all origins") & (table.model == "e")]
    assert len(absent) == 2 * 7
    assert set(absent.outcome) == {"not fitted"}
    assert set(absent.reason) == {"not fitted from any of 2 origins"}
    assert set(absent.origins) == {0}
    assert absent[["value", "ci_low", "difference_ci_high"]].isna().all(axis=None)
    assert list(table[table.origin == "all origins"].measure.unique()) == [m.__name__ for m in holdout.MEASURES]


def test_the_same_best_baseline_everywhere_is_the_reference(by_origin):
    alike = {origin: arguments | {"baselines": ("b",)} for origin, arguments in by_origin.items()}
    table = holdout.rolling(alike, replicates=10)
    pooled = table[table.origin == "all origins"]
    assert set(pooled.baseline) == {"b"}
    assert set(pooled[pooled.model == "b"].outcome) == {"reference"}


def test_a_measure_without_value_at_one_origin_has_none_over_all():
    expected, rival = pd.Series([3.0, 1.0, 2.0]), pd.Series([1.0, 1.0, 1.0])
    came = {"first": pd.Series([2, 0, 1]), "second": pd.Series([0, 0, 0])}
    rounds = {
        origin: {"predictions": {"model": expected, "rival": rival}, "actual": actual, "baselines": ("rival",)}
        for origin, actual in came.items()
    }
    found = holdout.rolling(rounds, replicates=20, seed=1)
    pooled = found[(found.origin == holdout.ALL_ORIGINS) & (found.model == "model")].set_index("measure")
    assert pooled.outcome["lift"] == "no value"
    assert np.isnan(pooled.value["lift"])
    assert pooled.reason["lift"] == "nothing came, so that the measure has no value, after some origin"
    assert pooled.value["mae"] == pytest.approx((1 + 1 + 1 + 3 + 1 + 2) / 6)
