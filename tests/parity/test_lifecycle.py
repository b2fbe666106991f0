"""The tables of the lifecycle are the same on DuckDB, PostgreSQL and Spark."""

import pandas as pd
import pytest

from crmlab import engines, lifecycle
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
    return [
        stored(on, "parity_contracts", text, start="timestamp", end="timestamp") for on in (engines.connect(), other)
    ]


@pytest.mark.parametrize("every", ["week", "month", "quarter", "year"])
def test_durations_are_the_same(held, every):
    duck, other = (lifecycle.subscription_durations(table, "2025-02-28", every) for table in held)
    assert duck.customers.sum() == 300
    assert set(duck.churned) == {True, False}
    assert "no group" in set(duck.group)
    pd.testing.assert_frame_equal(duck, other, check_dtype=False)
