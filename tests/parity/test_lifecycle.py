"""The tables of the lifecycle are the same on DuckDB, PostgreSQL and Spark."""

from datetime import date

import pandas as pd
import pytest

from crmlab import engines, lifecycle
from crmlab.lifecycle.tables.contracts import seen_contracts
from crmlab.lifecycle.tables.stages import STAGES

from .test_engines import END, contract_table, stored

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def logs(rows, other):
    """The log on both engines, customers' first orders spread over four months."""
    later = pd.to_timedelta(rows.customer_id.str[-1].astype(int) * 13, unit="D")
    days = pd.to_datetime(rows.order_day) + later
    spread = rows.assign(time=rows.time + later, order_day=days.dt.date.where(days.notna(), None))
    return contract_table(engines.connect(), spread), contract_table(other, spread)


@pytest.mark.parametrize("acquired_from", [None, "2024-02-01"])
@pytest.mark.parametrize("every", ["week", "month", "quarter"])
def test_the_triangle_is_the_same(logs, every, acquired_from):
    duck, other = (lifecycle.cohort_triangle(log, END, every, acquired_from) for log in logs)
    assert {"observed", "not yet"} <= set(duck.state)
    pd.testing.assert_frame_equal(duck, other)
    duck, other = (lifecycle.cohort_spend(log, END, every, acquired_from) for log in logs)
    assert duck.spend.sum() > 0
    pd.testing.assert_frame_equal(duck, other, check_dtype=False, rtol=1e-12)


@pytest.mark.parametrize("waits", [lifecycle.interpurchase_times, lifecycle.relative_interpurchase_times])
def test_waits_are_the_same(logs, waits):
    duck, other = (waits(log, END, "2024-02-01") for log in logs)
    assert set(duck.observed) == {True, False}
    pd.testing.assert_frame_equal(duck, other, check_dtype=False)


def test_stages_and_moves_between_them_are_the_same(logs):
    overdue = lifecycle.OverdueThresholds.fit(
        lifecycle.interpurchase_times(logs[0], END), lifecycle.relative_interpurchase_times(logs[0], END)
    )
    at = ["customer_id", "period"]
    duck, other = (lifecycle.customer_stages(log, END, "week", overdue).order_by(at).execute() for log in logs)
    assert set(duck.stage) == set(STAGES)
    pd.testing.assert_frame_equal(duck, other, check_dtype=False, rtol=1e-12)
    duck, other = (lifecycle.stage_flows(lifecycle.customer_stages(log, END, "week", overdue)) for log in logs)
    pd.testing.assert_frame_equal(duck, other, check_dtype=False)
    duck, other = (lifecycle.stage_transitions(log, END, "week", overdue) for log in logs)
    pd.testing.assert_frame_equal(duck, other, check_dtype=False, rtol=1e-12)


@pytest.fixture(scope="module")
def held(rows, other):
    """Contracts from each customer's first day to the last, on both engines; those of one day still run."""
    days = rows.groupby("customer_id").time.agg(["min", "max"])
    churned = days["max"].where(days["max"] > days["min"])
    text = pd.DataFrame({"start": days["min"].astype(str), "end": churned.astype(str).where(churned.notna(), None)})
    text["group"] = days.index.astype(str).str[-1]
    text["group"] = text.group.where(text.group != "0", None)
    types = {"start": "timestamp", "end": "timestamp"}
    return [stored(on, "parity_contracts", text, **types) for on in (engines.connect(), other)]


@pytest.mark.parametrize("since", [None, date(2024, 3, 1)])
def test_contracts_seen_are_the_same(held, since):
    keys = ["group", "start", "ended"]
    seen = [seen_contracts(table, date(2025, 2, 28), since) for table in held]
    duck, other = (counts.assign(later=later, before=before).sort_values(keys) for counts, later, before in seen)
    assert duck.customers.sum() == 300
    assert duck.before.any() == (since is not None)
    pd.testing.assert_frame_equal(duck.reset_index(drop=True), other.reset_index(drop=True), check_dtype=False)


def test_durations_are_the_same(held):
    duck, other = (lifecycle.subscription_durations(table, "2025-02-28", "year") for table in held)
    assert duck.customers.sum() == 300
    assert set(duck.churned) == {True, False}
    assert "no group" in set(duck.group)
    pd.testing.assert_frame_equal(duck, other, check_dtype=False)


def test_early_ends_are_the_same(held):
    duck, other = (lifecycle.early_ends(table) for table in held)
    assert duck.ended[0] > 0
    pd.testing.assert_frame_equal(duck, other, check_dtype=False, rtol=1e-12)


def test_states_and_what_they_were_worth_are_the_same(logs):
    overdue = lifecycle.OverdueThresholds((40, 30, 20), 3.0)
    duck, other = (lifecycle.state_transitions(log, END, "month", overdue, 2) for log in logs)
    assert (duck.spend_ahead > 0).any()
    pd.testing.assert_frame_equal(duck, other, check_dtype=False, rtol=1e-12)
    ids = [logs[0].customer_id.min().execute(), "nobody"]
    duck, other = (lifecycle.latest_stages(lifecycle.customer_stages(log, END, "month", overdue), ids) for log in logs)
    assert list(duck) == list(other)
    assert len(duck) == 1


def test_answers_on_satisfaction_are_the_same(other):
    frame = pd.DataFrame({"customer_id": ["1", "2"], "satisfaction": ["4.5", None]})
    both = [stored(on, "parity_survey", frame, satisfaction="float64") for on in (engines.connect(), other)]
    duck, other = (lifecycle.satisfaction_answers(table).sort_index() for table in both)
    pd.testing.assert_series_equal(duck, other)
