"""Moves between classes, on customers whose way is plain to see."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.checks import more_rose_than_fell
from crmlab.segments.models.migration import customer_moves, migration_matrix, migration_summary

from .refusals import refused

KINDS = pd.CategoricalDtype(["A", "B", "C"], ordered=True)


def labels(text, first=0):
    """One letter a customer."""
    return pd.Series(list(text), [f"c{i + first:02d}" for i in range(len(text))]).astype(KINDS)


BEFORE, AFTER = labels("AABBBC"), labels("ABABBCA", first=0)
WORTH = pd.Series([10.0, 20, 1, 2, 3, 0], BEFORE.index), pd.Series([11.0, 5, 9, 2, 4, 0, 7], AFTER.index)


def test_each_customer_rose_stayed_fell_or_is_new():
    table = customer_moves(BEFORE, AFTER, *WORTH)
    assert table.change.tolist() == ["stayed", "fell", "rose", "stayed", "stayed", "stayed", "new"]
    assert table.before.tolist() == ["A", "A", "B", "B", "B", "C", "new"]
    assert table.value_before.tolist() == [10, 20, 1, 2, 3, 0, 0]
    assert table.value_after.sum() == WORTH[1].sum()


def test_who_is_no_longer_known_is_gone():
    table = customer_moves(BEFORE, AFTER.iloc[1:], WORTH[0], WORTH[1])
    assert table.loc["c00", ["after", "change", "value_after"]].tolist() == ["gone", "gone", 0]


def test_the_matrix_has_every_pair_with_what_was_carried():
    table = migration_matrix(BEFORE, AFTER, *WORTH).set_index(["before", "after"])
    assert len(table) == 4 * 3  # nobody is gone
    assert table.customers.tolist() == [1, 1, 0, 1, 2, 0, 0, 0, 1, 1, 0, 0]
    assert table.loc[("B", "A"), ["change", "n", "value_before", "value_after"]].tolist() == ["rose", 3, 1, 9]
    assert table.probability[("B", "A")] == pytest.approx(1 / 3)
    assert table.groupby("before").probability.sum().tolist() == pytest.approx([1, 1, 1, 1])
    assert table.value_before.sum() == WORTH[0].sum()


def test_intervals_are_wilsons():
    # Wilson's formula by hand, 1 of 3
    z, n, p = 1.959963984540054, 3, 1 / 3
    middle, reach = p + z**2 / 2 / n, z * np.sqrt(p * (1 - p) / n + z**2 / 4 / n**2)
    row = migration_matrix(BEFORE, AFTER, *WORTH).set_index(["before", "after"]).loc[("B", "A")]
    assert [row.ci_low, row.ci_high] == pytest.approx(
        [(middle - reach) / (1 + z**2 / n), (middle + reach) / (1 + z**2 / n)]
    )


def test_value_that_goes_against_the_change_is_said():
    # by hand: c02 rose, 5 to 2; c01 fell, 20 to 26
    before, after = labels("AABC"), labels("ABAC")
    was, now = pd.Series([10.0, 20, 5, 0], before.index), pd.Series([11.0, 26, 2, 0], after.index)
    summary = migration_summary(migration_matrix(before, after, was, now)).summary
    assert summary["rose"].startswith("These customers are in a better class and bring 3.00 less")
    assert summary["fell"].startswith("These customers are in a worse class and bring 6.00 more")
    assert summary["stayed"] == ""
    back = migration_summary(migration_matrix(labels("AB"), labels("BA"), was[:2] * [1, 0], now[:2] * [0, 1]))
    assert set(back.summary) == {""}


def test_a_class_nobody_was_in_is_a_stated_blank():
    table = migration_matrix(labels("AABB"), labels("ACBB"), *[pd.Series(1.0, labels("AABB").index)] * 2)
    empty = table[table.before == "C"]
    assert empty.probability.isna().all()
    assert (empty.reason == "nobody was in C").all()
    assert (table.reason[table.before != "C"] == "").all()
    assert table.change.tolist() == ["stayed", "fell", "fell", "rose", "stayed", "fell", "rose", "rose", "stayed"]


def test_the_summary_tells_what_who_rose_and_fell_brings():
    table = migration_summary(migration_matrix(BEFORE, AFTER, *WORTH))
    assert table.index.tolist() == ["rose", "stayed", "fell", "new"]
    assert table.customers.tolist() == [1, 4, 1, 1]
    assert table.share.tolist() == pytest.approx([1 / 6, 4 / 6, 1 / 6, 1 / 7])
    assert table.value_change.tolist() == [8, 17 - 15, -15, 7]
    assert ((table.ci_low < table.share) & (table.share < table.ci_high)).all()


def test_the_check_is_the_exact_test_of_those_who_moved():
    n = 40
    before, worth = labels("B" * n), pd.Series(1.0, labels("B" * n).index)

    def check(after):
        return more_rose_than_fell(migration_summary(migration_matrix(before, labels(after), worth, worth)))

    found = check("A" * 12 + "C" * 2 + "B" * 26)
    assert (found.id, found.kind, found.outcome) == ("segments.more_rose_than_fell", "finding", "yes")
    # twice the probability of 2 or fewer heads of 14: (1 + 14 + 91) / 2**13
    assert found.values["p"] == pytest.approx(106 / 2**13)
    assert found.summary == "12 rose, 2 fell, 26 stayed (p .013)."
    even = check("A" * 8 + "C" * 5 + "B" * 27)
    assert even.outcome == "undecided"
    assert "no difference is shown" in even.summary
    fell = check("A" * 2 + "C" * 12 + "B" * 26)
    assert (fell.outcome, fell.summary) == ("no", "12 fell, 2 rose, 26 stayed (p .013).")
    assert fell.recommendation.startswith("Review the treatment of the classes that most customers fell from")
    alone = check("A" * 9 + "B" * 31)
    assert "If the values of the scheme only grow, no customer can fall." in alone.summary
    assert check("B" * n).summary == "All 40 customers stayed."


def test_moves_that_the_window_makes_are_not_judged():
    n, moved = 40, migration_summary(migration_matrix(BEFORE, AFTER, *WORTH))
    first = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) % 60, "D"), [f"c{i}" for i in range(n)])

    def known(day):
        """All ordered on their first day alone, and the window is 90 days."""
        return pd.DataFrame({"orders": 1, "window_orders": ((pd.Timestamp(day) - first).dt.days < 90).astype(int)})

    check = more_rose_than_fell(moved, known("2024-03-20"), known("2024-07-01"))
    assert check.outcome == "not applicable"
    assert "the first order of 100 % of 40 customers on the earlier day and of 0 % on the later one" in check.summary
    assert check.summary.startswith("Not judged: current value is what the window holds")
    assert check.recommendation == ""
    for days in [("2024-07-01", "2024-10-01"), ("2024-03-01", "2024-03-20")]:  # none is new on either day, or all are
        assert more_rose_than_fell(moved, *map(known, days)) == more_rose_than_fell(moved)


def test_row_order_changes_nothing_and_arguments_stay():
    copies = [series.copy() for series in (BEFORE, AFTER, *WORTH)]
    pd.testing.assert_frame_equal(migration_matrix(*(s[::-1] for s in copies)), migration_matrix(BEFORE, AFTER, *WORTH))
    assert all(a.equals(b) for a, b in zip(copies, (BEFORE, AFTER, *WORTH), strict=True))


def test_bad_input_is_named_at_once():
    two = BEFORE.cat.remove_unused_categories().cat.rename_categories({"C": "gone"})
    two.iloc[0] = np.nan
    assert refused(migration_matrix, two, pd.concat([AFTER, AFTER[:1]]), WORTH[0].iloc[1:], WORTH[1]) == (
        "before: classes are called gone, names that moves have; rename them",
        "before: no label for 1 of 6 customers; assign them",
        "value_before: empty for 1 customers (first: 'c00'); fill it",
        "after: 1 of 8 customers are there twice; give at least one, and one row each",
        "before has classes A, B, gone, after A, B, C; assign both by one fitted scheme",
    )
    assert "labels are in no order" in refused(customer_moves, BEFORE.astype(object), AFTER, *WORTH)[0]
    others = labels("ABC", first=50)
    assert (
        "nobody is known on both days"
        in refused(customer_moves, BEFORE, others, WORTH[0], pd.Series(1.0, others.index))[0]
    )
    gone = WORTH[1].copy()
    gone.iloc[2] = np.nan
    assert (
        "value_after: empty for 1 customers (first: 'c02')" in refused(customer_moves, BEFORE, AFTER, WORTH[0], gone)[0]
    )
