"""Contracts given by how long they have lasted: against hand-computed product limits and the same contracts by days."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, lifecycle
from crmlab.contracts import InputError

# three lost at 1, 2 and 4 months; three running at 2, 3 and 4
SIX = pd.DataFrame(
    {"Tenure": [1, 2, 4, 2, 3, 4], "Churn": ["Yes", "Yes", "Yes", "No", "No", "No"], "Kind": [*"ababab"]}
)


def of_six(**more):
    return catalog.subscriptions(SIX, tenure="Tenure", churned="Churn", **more)


def test_survival_is_the_product_limit():
    data = of_six()
    survival = lifecycle.survival_curve(lifecycle.durations(data), min_at_risk=1).set_index("period")
    assert survival.at_risk.tolist()[1:] == [6, 5, 3, 2]
    assert survival.lost.tolist()[1:] == [1, 1, 0, 1]
    expected = [1, 5 / 6, 5 / 6 * 4 / 5, 5 / 6 * 4 / 5, 5 / 6 * 4 / 5 / 2]
    assert survival.survival.tolist() == pytest.approx(expected)
    assert (data.findings.first, data.findings.last) == (None, None)
    groups = lifecycle.durations(of_six(group="Kind"))
    assert groups.groupby("group").customers.sum().to_dict() == {"a": 3, "b": 3}


def test_a_contract_that_ended_at_tenure_0_was_lost_at_the_first_renewal():
    frame = pd.DataFrame({"tenure": [0, 0, 2], "churned": [True, False, False]})
    data = catalog.check(frame)
    found = lifecycle.durations(data)
    assert found[["renewals", "churned", "customers"]].values.tolist() == [[0, False, 1], [0, True, 1], [2, False, 1]]
    assert data.summary.found["contracts ended at tenure 0 (lost at the first renewal)"] == "1"


def test_rows_may_stand_for_many_contracts():
    many = pd.DataFrame({"tenure": [1, 2, 2], "churned": ["1", "1", "0"], "customers": [30, 20, 50]})
    data = catalog.subscriptions(many)
    survival = lifecycle.survival_curve(lifecycle.durations(data)).survival
    assert survival.tolist() == pytest.approx([1, 0.7, 0.5])
    found = data.summary.found
    assert (found["customers"], found["contracts ended"], found["contracts running"]) == ("100", "50", "50")
    assert found["ids of customers"] == "as column customers counts"
    each = many.loc[many.index.repeat(many.customers)].drop(columns="customers")
    pd.testing.assert_frame_equal(lifecycle.durations(catalog.subscriptions(each)), lifecycle.durations(data))


def both_ways():
    """2,000 contracts by days, and the same by how many days each has lasted by the last of them."""
    rng = np.random.default_rng(1)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 300, 2000), unit="D")
    last = pd.Timestamp("2024-03-01")
    days = rng.integers(1, 500, 2000)
    end = pd.Series(start + pd.to_timedelta(days, unit="D"))
    end = end.where(end <= last)
    by_days = pd.DataFrame({"customer_id": [f"c{i}" for i in range(2000)], "start": start, "end": end})
    lasted = (end.fillna(last) - pd.Series(start)).dt.days
    return by_days, pd.DataFrame({"tenure": lasted, "churned": end.notna()}), last.date()


def test_the_same_contracts_by_days_and_by_tenure_survive_alike():
    by_days, by_tenure, last = both_ways()
    days = lifecycle.durations(catalog.subscriptions(by_days), last, "week")
    tenure = lifecycle.durations(catalog.subscriptions(by_tenure, tenure_unit="day"), every="week")
    first, second = (lifecycle.survival_curve(found).set_index("period").survival.dropna() for found in (days, tenure))
    assert len(first) > 50
    pd.testing.assert_series_equal(first, second)


def test_the_same_contracts_by_months_survive_alike_and_quarters_as_their_last_months():
    starts = [f"2023-{month:02}-01" for month in range(1, 13) for _ in range(60)]
    lasted = [1 + (7 * i) % 13 for i in range(len(starts))]
    ended = [pd.Timestamp(day) + pd.DateOffset(months=n) for day, n in zip(starts, lasted, strict=True)]
    last = pd.Timestamp("2024-03-01")
    gone = pd.Series(ended) <= last
    ends = [str(day.date()) if over else "" for day, over in zip(ended, gone, strict=True)]
    by_days = pd.DataFrame({"customer_id": [f"c{i}" for i in range(len(starts))], "start": starts, "end": ends})
    held = [(last.year - 2023) * 12 + last.month - int(day[5:7]) for day in starts]
    tenure = [n if over else months for n, over, months in zip(lasted, gone, held, strict=True)]
    by_tenure = catalog.subscriptions(pd.DataFrame({"tenure": tenure, "churned": gone}))
    days = lifecycle.survival_curve(lifecycle.durations(catalog.subscriptions(by_days), last.date(), "month"))
    assert days.lost.sum() > 400
    found = lifecycle.survival_curve(lifecycle.durations(by_tenure, every="month"))
    pd.testing.assert_series_equal(days.survival, found.survival)
    by_quarter = lifecycle.survival_curve(lifecycle.durations(by_tenure, every="quarter"))
    off = (by_quarter.survival - found.survival[::3].to_numpy()).abs()
    halves = by_quarter.lost / (by_quarter.at_risk - 0.5) ** 2 / 2  # as those at risk are rounded to whole contracts
    assert (off <= halves.cumsum() + 1e-12).all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"end": "2024-01-01"},
            "the table: until = 2024-01-01: contracts given by tenure and churned know no days; le",
        ),
        ({"observed_from": "2024-01-01"}, "observed_from = 2024-01-01: contracts given by tenure and churned know no"),
        (
            {"every": "week"},
            "every = 'week': tenure is in months, which know no weeks; choose every = 'month' or 'quar",
        ),
    ],
)
def test_what_means_nothing_of_tenures_is_refused(asked, said):
    with pytest.raises(InputError, match=said):
        lifecycle.durations(of_six(), **asked)


def test_tenures_too_short_for_a_period_and_without_a_unit_are_refused():
    running = catalog.subscriptions(pd.DataFrame({"tenure": [3, 4], "churned": ["no", "no"]}))
    with pytest.raises(InputError, match="no contract has lasted for a whole year, so that nothing is known of rene"):
        lifecycle.durations(running, every="year")
    with pytest.raises(InputError, match=r"does not say in which unit; give what catalog\.subscriptions returns"):
        lifecycle.durations(of_six().table)


def test_days_are_blank_with_the_reason():
    data = of_six()
    early = lifecycle.early_ends(data)
    assert early.empty
    assert early.attrs["reason"] == "the data know how long contracts have lasted, and no day of an end"
    assert lifecycle.checks.early_ends_in_data(early).outcome == "not applicable"
    durations = lifecycle.durations(data)
    assert lifecycle.censoring_note(durations) == (
        "It is known how long contracts have lasted, and no day: until, observed_from and the check of early ends do "
        "not apply. Each contract is taken to be observed from its start."
    )
    assert lifecycle.contract_totals(durations).contracts.tolist() == [3, 0, 3]


def test_those_that_ended_in_a_period_that_nobody_was_observed_through_count_as_held():
    frame = pd.DataFrame(
        {"tenure": [3, 6, 7, 8], "churned": [False, False, True, False], "customers": [30, 30, 20, 10]}
    )
    durations = lifecycle.durations(catalog.subscriptions(frame), every="quarter")
    assert not durations.churned.any()  # the third quarter ends after the longest tenure, of 8 months
    assert lifecycle.contract_totals(durations).contracts.tolist() == [0, 20, 70]
    assert lifecycle.censoring_note(durations).endswith("were observed through count as held so far: 20 of them.")
    longer = pd.concat([frame, pd.DataFrame({"tenure": [9], "churned": [False], "customers": [10]})])
    durations = lifecycle.durations(catalog.subscriptions(longer), every="quarter")
    assert lifecycle.survival_curve(durations).survival.tolist() == pytest.approx([1, 1, 1, 0.5])  # 20 of 40 at month 7
