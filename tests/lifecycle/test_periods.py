"""Unfinished periods and delayed entry: what is known of them is counted, and totals add up."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, lifecycle
from crmlab.contracts import CONTRACTS, InputError
from crmlab.dataset import Data, Findings
from crmlab.entry import Entry
from crmlab.lifecycle.tables import contracts

from .cohort_worlds import retention, subscriptions
from .rates import delayed_entry


def counts(found):
    return list(found[["entry", "renewals", "churned", "customers"]].itertuples(index=False, name=None))


OVER = [("2024-01-01", "2024-01-31")] * 2 + [("2024-01-01", None)] * 10  # their first month is over
UNFINISHED = [("2024-01-22", "2024-02-01")] * 2 + [("2024-01-22", None)] * 6


def test_contracts_that_ended_in_an_unfinished_period_are_lost_and_those_that_run_count_by_the_product_limit():
    # by hand: 2 of 20 are lost on day 10, 2 of the 12 observed so long on day 30: .9 * 10 / 12 = .75 are left,
    # so that the 4 lost are a quarter of 16: those 4, 10 who renewed, and 2 of the 6 that run
    found = lifecycle.subscription_durations(subscriptions(*OVER, *UNFINISHED), "2024-02-11")
    assert counts(found) == [(0, 0, False, 4), (0, 0, True, 4), (0, 1, False, 12)]
    assert lifecycle.survival_curve(found).survival.tolist() == [1, 0.75]
    assert lifecycle.contract_totals(found).contracts.tolist() == [4, 0, 16, 0, 0]


def test_a_period_that_few_were_observed_through_counts_those_it_lost_as_held_and_says_so():
    found = lifecycle.subscription_durations(subscriptions(*OVER[:9], *UNFINISHED), "2024-02-11")
    assert counts(found) == [(0, 0, False, 8), (0, 0, True, 2), (0, 1, False, 7)]
    assert lifecycle.contract_totals(found).contracts.tolist() == [2, 2, 13, 0, 0]
    assert contracts.censoring_note(found) == (
        "Contracts are observed up to 2024-02-11; those without an end are taken to run then. Contracts that ended in "
        "a period that fewer than 10 contracts were observed through count as held so far: 2 of them."
    )


LATE = [("2024-01-01", "2024-01-25")] * 2 + [("2024-01-01", None)] * 4  # observed from the middle of their month
WHOLE = [("2024-01-16", "2024-01-22")] * 2 + [("2024-01-16", "2024-02-10")] + [("2024-01-16", None)] * 7


def test_contracts_that_began_before_observation_are_at_risk_from_then_on():
    # by hand: 2 of 10 on day 6, 2 of 8 + 6 on day 24, 1 of 12 on day 25: .8 * 12 / 14 * 11 / 12 are left, .629, so
    # that the 5 lost are of 13.5: 5 and 7 observed whole, and 1 of 4 that came later
    found = lifecycle.subscription_durations(subscriptions(*LATE, *WHOLE), "2024-02-16", "month", "2024-01-16")
    assert counts(found) == [(0, 0, True, 5), (0, 1, False, 8), (1, 1, False, 3)]
    assert lifecycle.survival_curve(found).survival[1] == pytest.approx(1 - 5 / 13)
    assert lifecycle.contract_totals(found).contracts.tolist() == [5, 0, 11, 0, 0]


def test_where_few_were_observed_through_a_period_those_who_came_within_it_are_at_risk_from_the_next():
    rows = subscriptions(*LATE, *WHOLE[:9])
    found = lifecycle.subscription_durations(rows, "2024-02-16", "month", "2024-01-16")
    assert counts(found) == [(0, 0, False, 2), (0, 0, True, 3), (0, 1, False, 6), (1, 1, False, 4)]
    assert lifecycle.contract_totals(found).contracts.tolist() == [3, 2, 10, 0, 0]


def test_contracts_that_ended_before_observation_are_left_out_and_counted():
    rows = subscriptions(("2023-01-01", "2024-01-15"), ("2023-01-01", "2024-01-16"), ("2024-03-01", None), *WHOLE)
    found = lifecycle.subscription_durations(rows, "2024-02-16", "month", "2024-01-16")
    assert lifecycle.contract_totals(found).contracts.tolist() == [3, 1, 7, 1, 1]
    assert int(found.customers.sum()) == 11


def drawn(seed, customers=3000):
    """Contracts of 72 months whose ends are dated on the last day, starts by months of 30.44 days, or exact ones."""
    rng = np.random.default_rng(seed)
    left, seen = rng.geometric(rng.beta(0.7, 12, customers).clip(1e-6)), rng.integers(1, 73, customers)
    tenure, until = np.minimum(left, seen), np.datetime64("2020-01-01")
    end = np.where(left <= seen, until, np.datetime64("NaT"))
    starts = until - np.round(tenure * 30.44).astype(int), (until.astype("M8[M]") - tenure).astype("M8[D]")
    return [pd.DataFrame({"customer_id": np.arange(customers).astype(str), "start": s, "end": end}) for s in starts]


def test_totals_of_validation_and_report_agree_and_dates_off_by_hours_change_little(tmp_path):
    kept = []
    for name, frame in zip(("rounded", "exact"), drawn(1), strict=True):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        data = catalog.subscriptions(tmp_path / f"{name}.csv")
        found = lifecycle.durations(data)
        totals, ended = lifecycle.contract_totals(found).contracts, data.findings.counts["ended"]
        assert totals.sum() == len(frame)
        assert ended == frame.end.notna().sum() == found.customers[found.churned].sum() + totals.iloc[1]
        assert totals.iloc[1] <= 2
        kept.append(lifecycle.restricted_mean_survival(found, 70)["mean"].iloc[0])
    assert kept[0] == pytest.approx(kept[1], abs=0.15)  # 60 of 70 where ends of unfinished months are left out


def test_the_days_of_observation_are_those_given_else_the_catalogs():
    rows = subscriptions(*LATE, *WHOLE)
    entry = Entry(path="x", contract="subscriptions", until="2024-02-16", observed_from="2024-01-16")
    data = Data(rows, CONTRACTS["subscriptions"], Findings("sold", entry, {}))
    expected = lifecycle.subscription_durations(rows, "2024-02-16", "month", "2024-01-16")
    assert lifecycle.durations(data).equals(expected)
    assert lifecycle.durations(data, observed_from="2024-02-01").entry.max() == 1
    assert lifecycle.contract_totals(lifecycle.durations(data, observed_from="2024-02-01")).contracts.iloc[3] == 4


def test_a_table_of_how_many_were_left_knows_no_single_contract():
    found = lifecycle.contract_totals(lifecycle.durations(retention(all=[10, 7, 5])))
    assert found.attrs["reason"] == "the data count customers by period, and know no single contract"


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ("2024-02-17", "observed_from = 2024-02-17 comes after 2024-02-16, the last day seen; choose one before"),
        ("soon", "observed_from = 'soon' is not a day"),
    ],
)
def test_a_day_that_observation_cannot_begin_on_is_refused(since, said):
    with pytest.raises(InputError, match=said):
        lifecycle.durations(subscriptions(*WHOLE), "2024-02-16", "month", since)


def test_contracts_that_all_ended_before_observation_are_refused():
    with pytest.raises(InputError, match="none of them was observed from 2024-02-01 to 2024-02-16"):
        lifecycle.durations(subscriptions(("2023-01-01", "2024-01-15")), "2024-02-16", "month", "2024-02-01")


def test_delayed_entry_brings_survival_back_that_missing_contracts_make_too_high():
    found = delayed_entry(1, 6000)
    assert (found.loc["2022-01-01", "first"] - 0.682).abs().max() < 0.03
    assert (found.loc["2022-01-01", "kept"] - 4.915).abs().max() < 0.3
    assert found.loc["None"].min().tolist() == pytest.approx([0.88, 8.6], abs=0.3)
    assert found.loc["None", "kept"].min() > 7.5


def test_the_first_day_of_observation_is_of_subscriptions_only():
    with pytest.raises(ValueError, match="observed_from: only of contract = 'subscriptions', this one is 'retention'"):
        Entry(path="x", contract="retention", observed_from="2024-01-16")
