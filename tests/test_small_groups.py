"""Groups too small to be shown, and those by which they could be worked out. [issue: smallest group size]"""

import numpy as np
import pandas as pd
import pytest

from crmlab.small_groups import withheld, without_small

WITHHELD = "withheld: fewer than 5 customers, or such a group could be worked out from it"


def hidden(counts, smallest=5, **groups):
    return withheld(counts, pd.DataFrame(groups), smallest).tolist()


def test_a_small_group_takes_the_next_smallest_with_it():
    # 3 is below 5; alone it is the total less the rest, so 8 goes too: 3 + 8 = 11, which is 5 or more
    assert hidden([120, 3, 8, 40], segment=list("abcd")) == [False, True, True, False]


def test_two_small_groups_whose_sum_is_small_take_a_third():
    # 1 + 2 = 3 people are the total less the rest: still fewer than 5
    assert hidden([120, 1, 2, 40], segment=list("abcd")) == [False, True, True, True]
    assert hidden([120, 4, 2, 40], segment=list("abcd")) == [False, True, True, False]  # 6 are enough


def test_a_group_of_exactly_the_smallest_is_shown_and_one_of_nobody_too():
    assert hidden([5, 0, 30], segment=list("abc")) == [False, False, False]
    assert hidden([4, 0, 30], segment=list("abc")) == [True, False, True]


def test_a_cell_of_a_matrix_is_hidden_along_its_row_and_its_column():
    # value x potential: only (high, low) is small. Its row takes 20, its column 30; these two then stand alone in their
    # own column and row, and take 40, the only cell left there
    counts = {"value": ["high", "high", "low", "low"], "potential": ["high", "low", "high", "low"]}
    assert hidden([20, 3, 40, 30], **counts) == [True, True, True, True]
    nine = {"value": np.repeat(list("hml"), 3), "potential": list("hml") * 3}
    found = np.reshape(hidden([50, 3, 60, 70, 20, 80, 90, 95, 99], **nine), (3, 3))
    assert found.tolist() == [[True, True, False], [True, True, False], [False, False, False]]
    assert all(row.sum() != 1 for row in (*found, *found.T))


def test_nobody_can_solve_a_line_for_a_small_group():
    rng = np.random.default_rng(1)
    groups = {"a": np.repeat(range(6), 5), "b": np.tile(range(5), 6)}
    for _ in range(200):
        counts = rng.negative_binomial(0.6, 0.03, 30)
        found, table = np.reshape(hidden(counts, **groups), (6, 5)), counts.reshape(6, 5)
        assert found[(table > 0) & (table < 5)].all()
        for line, people in (*zip(found, table, strict=True), *zip(found.T, table.T, strict=True)):
            if line.any():
                assert not (~line & (people > 0)).any() or (line.sum() > 1 and people[line].sum() >= 5)


def test_an_unknown_count_is_no_small_one():
    assert hidden([np.nan, 30, 40], segment=list("abc")) == [False, False, False]


def test_rows_are_blank_from_the_count_on_with_the_reason_and_the_rest_stands():
    frame = pd.DataFrame(
        {"segment": ["a", "b", "c"], "customers": [120, 3, 8], "mean": [1.5, 2.5, 3.5], "held": [True, False, True],
         "summary": ["x", "y", "z"]}
    )  # fmt: skip
    found, cells = without_small(frame, 5)
    assert cells == 8
    assert found.segment.tolist() == ["a", "b", "c"]
    assert found.customers.tolist() == [120, pd.NA, pd.NA]
    assert found["mean"].fillna(0).tolist() == [1.5, 0, 0]
    assert found.summary.tolist() == ["x", "", ""]
    assert found.reason.tolist() == ["", WITHHELD, WITHHELD]  # one for both, which do not say which of them is small
    assert frame.customers.tolist() == [120, 3, 8]


def test_an_index_names_groups_as_columns_do_and_reasons_are_kept():
    frame = pd.DataFrame(
        {"n": [3, 9, 50], "gap": [0.1, None, 0.3], "reason": ["", "too few answers", None]},
        pd.Index(["x", "y", "z"], name="item"),
    )
    found, cells = without_small(frame, 5)
    assert cells == 3  # two counts and one gap
    assert found.reason.tolist() == [WITHHELD, WITHHELD, ""]


def test_shares_of_people_are_counted():
    frame = pd.DataFrame([[0.5, 0.02], [0.18, 0.3]], pd.Index(["heavy", "light"], name="usage"), ["own", "national"])
    frame.attrs["people"] = 100
    found, cells = without_small(frame, 5)
    assert cells == 4
    assert found.drop(columns="reason").isna().all().all()


@pytest.mark.parametrize("frame", [pd.DataFrame({"customers": []}), pd.DataFrame({"value": [1, 2]})])
def test_what_counts_nobody_is_as_it_was(frame):
    found, cells = without_small(frame, 5)
    assert cells == 0
    assert found is frame


def test_a_column_n_that_counts_no_people_withholds_nothing():
    frame = pd.DataFrame({"horizon": [1, 2], "n": [3, 1]})
    assert without_small(frame, 5)[1] == 2
    frame.attrs["n"] = "projections"
    assert without_small(frame, 5)[1] == 0


def test_two_columns_that_name_each_row_leave_no_group_alone():
    """By hand: 3 of 303 would be the total less 100 and 200."""
    frame = pd.DataFrame({"segment": list("abc"), "description": ["aa", "bb", "cc"], "customers": [3, 100, 200]})
    assert without_small(frame, 5)[0].customers.isna().tolist() == [True, True, False]


def test_a_row_of_a_matrix_is_known_by_its_margin():
    """By hand: of 100 who were in A, 97 stayed and 3 went to B; of 53 who are in B, 50 were."""
    frame = pd.DataFrame({"before": list("AAB"), "after": list("ABB"), "customers": [97, 3, 50]})
    assert without_small(frame, 5)[0].customers.isna().tolist() == [True, True, True]


def test_measures_before_the_count_are_withheld_and_labels_stand():
    frame = pd.DataFrame(
        {"group": ["a", "b", "c"], "period": [1, 1, 1], "actual": [0.5, 0.9, 0.7], "at_risk": [40, 2, 9]}
    )
    found, cells = without_small(frame, 5)
    assert found.actual.isna().tolist() == found.at_risk.isna().tolist() == [False, True, True]
    assert found.period.tolist() == [1, 1, 1]
    assert cells == 4


@pytest.mark.parametrize("name", ["customers", "Customers", "count", "buyers", "customers_2024", "n of both"])
def test_counts_are_known_by_their_names_and_in_the_index(name):
    column = pd.DataFrame({"segment": list("abc"), name: [103, 3, 100], "spend": [9.0, 1, 8]})
    indexed = column.drop(columns="segment").set_index(name)
    levels = column.set_axis(pd.MultiIndex.from_product([["all"], column.columns]), axis=1)
    for frame in (column, indexed, levels):
        assert without_small(frame, 5)[0].iloc[:, -2].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("counts", [["x", 3, 100], [10**400, 3, 100], [np.inf, 3, 100], [-4, 3, 100], [None, 3, 100]])
def test_odd_counts_are_no_small_ones(counts):
    frame = pd.DataFrame({"segment": [["a"], ["b"], ["c"]], "customers": pd.Series(counts, dtype=object)})
    assert without_small(frame, 5)[0].iloc[1:, 1].isin(["", None]).tolist() == [True, True]


def test_a_frame_with_two_reasons_or_without_rows_is_taken():
    frame = pd.DataFrame([["a", 3, "x", "y"], ["b", 9, "", ""]], columns=["segment", "customers", "reason", "reason"])
    assert without_small(frame, 5)[0].iloc[0, 2] == WITHHELD
    empty = pd.DataFrame({"own": []})
    empty.attrs["people"] = 0
    assert without_small(empty, 5)[1] == 0
