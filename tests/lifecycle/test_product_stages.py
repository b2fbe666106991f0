"""Stages of products read along the path of their sales."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.contracts import InputError
from crmlab.lifecycle import Bass, compare_with_peak, current_stage, life_cycle_stages, stage_note, stage_spells
from crmlab.lifecycle.models.product_stages import STAGES

from ..conftest import QUICK

VCR = pd.Series(
    [840.0, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890], pd.date_range("1980", periods=10, freq="YS")
)
SALES = st.lists(st.integers(0, 30).map(float), min_size=3, max_size=15).filter(lambda sales: len(set(sales)) > 1)


def test_a_stage_is_certain_a_period_after_it_began():
    read = life_cycle_stages(VCR)
    assert read.stage.tolist() == ["undetermined", *["growth"] * 5, *["decline"] * 4]
    assert read.real_time_stage.tolist() == ["undetermined", "introduction", *["growth"] * 5, *["decline"] * 3]


def test_one_period_that_reads_otherwise_ends_no_stage():
    read = life_cycle_stages(pd.Series([100, 120, 150, 140, 180, 180, 220.0]))
    assert read.period_stage.tolist()[3:] == ["decline", "growth", "maturity", "growth"]
    assert set(read.stage[1:]) == {"growth"}


def test_a_stage_gives_way_to_the_nearer_of_two_readings():
    falls = life_cycle_stages(pd.Series([100, 120, 150, 155, 150, 140, 130.0]))
    assert falls.stage.tolist()[3:] == ["maturity", "decline", "decline", "decline"]
    back = life_cycle_stages(pd.Series([100, 120, 150, 130, 110, 112, 130, 150.0]))
    assert back.stage.tolist()[3:] == ["decline", "decline", "maturity", "growth", "growth"]


def test_growth_is_from_the_same_period_a_year_before():
    quarters = pd.Series([10, 20, 30, 40, 12, 24, 36, 48, 14, 28, 42, 56.0])
    read = life_cycle_stages(quarters, periods_per_year=4)
    assert read.growth.isna().sum() == 4
    assert read.growth.iloc[4:8].tolist() == [0.2] * 4
    assert set(read.stage.iloc[4:]) == {"growth"}
    assert set(life_cycle_stages(quarters[:4], periods_per_year=4).stage) == {"undetermined"}


def test_periods_after_nothing_was_sold_have_no_rate_and_change_no_stage():
    read = life_cycle_stages(pd.Series([100, 120, 150, 0, 150, 170, 190.0]))
    assert read.growth.isna().tolist() == [True, False, False, False, True, False, False]
    assert set(read.stage[1:]) == {"growth"}


def test_a_strip_has_a_row_for_each_stretch():
    found = stage_spells(life_cycle_stages(VCR))
    assert found.stage.tolist() == ["undetermined", "growth", "decline"]
    assert found.periods.tolist() == [1, 5, 4]
    assert found["first"].dt.year.tolist() == [1980, 1981, 1986]
    assert found["last"].dt.year.tolist() == [1980, 1985, 1989]


def test_basss_peak_is_a_second_opinion():
    found = compare_with_peak(
        life_cycle_stages(VCR), Bass(67_660, 0.00879, 0.6422)
    )  # its peak is 6.59 periods after launch
    assert found.by_peak.tolist() == ["before the peak"] * 7 + ["after the peak"] * 3
    assert found.agrees.isna().tolist() == [True] + [False] * 9
    assert found.agrees.iloc[1:].tolist() == [True] * 5 + [False] + [True] * 3


def test_without_a_curve_stages_have_no_second_opinion():
    found = compare_with_peak(life_cycle_stages(VCR), Bass.fit(VCR[:3]))
    assert found.stage.tolist() == life_cycle_stages(VCR).stage.tolist()
    assert found[["by_peak", "agrees"]].isna().all(axis=None)
    assert set(found.reason.iloc[1:]) == {"3 of the 4 periods needed were observed"}
    assert found.reason.iloc[0] == "no period a year before; 3 of the 4 periods needed were observed"


def test_growth_that_is_blank_has_its_reason():
    found = life_cycle_stages(pd.Series([5.0, 0, 7, 8, 9]))
    assert found.reason.tolist() == ["no period a year before", "", "nothing sold a year before", "", ""]
    assert (found.growth.isna() == (found.reason != "")).all()


def test_periods_of_a_year_are_those_of_the_dates():
    quarters = [10, 20, 30, 40, 12, 24, 36, 48, 14, 28, 42, 56.0]
    dated = pd.Series(quarters, pd.date_range("2020-01-01", periods=12, freq="QS"))
    given = life_cycle_stages(pd.Series(quarters), periods_per_year=4)
    assert life_cycle_stages(dated).stage.tolist() == given.stage.tolist()


@QUICK
@given(SALES, st.floats(1e-3, 1e3))
def test_rescaled_sales_have_the_same_stages(sales, by):
    plain, scaled = (life_cycle_stages(pd.Series(sales) * factor) for factor in (1.0, by))
    assert plain.stage.tolist() == scaled.stage.tolist()


@QUICK
@given(SALES, SALES)
def test_what_is_known_of_a_period_does_not_change_with_later_ones(sales, later):
    before, after = life_cycle_stages(pd.Series(sales)), life_cycle_stages(pd.Series(sales + later))
    assert after.real_time_stage.tolist()[: len(sales)] == before.real_time_stage.tolist()
    assert after.stage.tolist()[: len(sales) - 1] == before.stage.tolist()[:-1]
    assert set(after.stage) <= set(STAGES)


@QUICK
@given(SALES)
def test_introduction_comes_only_before_growth_and_decline_only_after(sales):
    stages = life_cycle_stages(pd.Series(sales)).stage.tolist()
    launched = stages.index("growth") if "growth" in stages else len(stages)
    assert set(stages[:launched]) <= {"introduction", "undetermined"}
    assert set(stages[launched:]) <= {"growth", "maturity", "decline"}


def test_sales_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="sales are negative in 1 of 3 periods"):
        life_cycle_stages(pd.Series([1.0, -1, 2]))


@pytest.mark.parametrize("sales", [[1.0, 2], [4.0] * 9, [0.0] * 9])
def test_sales_that_show_no_growth_have_no_stage(sales):
    read = life_cycle_stages(pd.Series(sales))
    assert set(read.stage) == set(read.real_time_stage) == {"undetermined"}
    assert len(read) == len(sales)


def test_the_stage_of_the_last_period_is_said_with_how_long_it_has_lasted():
    read = life_cycle_stages(VCR)
    assert str(current_stage(read)) == "4 periods of decline, since 1986-01-01"
    assert stage_note(read) == "The product has been in decline for 4 periods, from 1986-01-01 to 1989-01-01."
    grown = life_cycle_stages(pd.Series([100.0, 120, 150, 155, 157, 190, 230]))
    early = grown[:4]
    assert early.stage.iloc[-1] == "maturity"
    assert str(current_stage(early)) == "1 period of maturity, since 3"
    assert stage_note(early) == "The product has been in maturity for one period, 3."


@pytest.mark.parametrize(
    ("sales", "reason"),
    [
        ([5.0, 6], "2 of the 3 periods needed were observed"),
        ([5.0] * 4, "sales are the same in all 4 periods, so there is no growth"),
        ([9.0, 8, 7], "no 2 periods in a row grew by more than 10 % in a year"),
    ],
)
def test_a_stage_that_cannot_be_read_says_why(sales, reason):
    read = life_cycle_stages(pd.Series(sales))
    assert (current_stage(read).value, current_stage(read).reason) == (None, reason)
    assert stage_note(read) == f"The stage of the product cannot be read: {reason}."


def test_a_stage_needs_rates_of_growth_over_a_year():
    months = life_cycle_stages(pd.Series(range(14, 1, -1), dtype=float), periods_per_year=12)
    rates = "growth from a year before is known of 1 of 13 periods"
    assert current_stage(months).reason == f"{rates}, and 2 are needed: a year and 2 periods more"
