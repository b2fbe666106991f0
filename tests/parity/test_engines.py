"""Every lazy table is the same on DuckDB, PostgreSQL and Spark: integers equal, money exact."""

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab import clv, engines
from crmlab.clv.tables import histories
from crmlab.orders import daily_orders, observed_span, order_days

END, LATER = "2024-06-30", "2024-10-01"
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


def stored(connection, name, frame, **types):
    """A frame as a table of an engine, with these types; as text first, so that none reads types of its own into it."""
    text = pd.DataFrame({column: frame[column].map(lambda v: None if pd.isna(v) else str(v)) for column in frame})
    table = ibis.memtable(text.reset_index(drop=True))
    if connection.name == "pyspark":
        table = connection.create_view(name, table, overwrite=True)
    table = table.mutate(**{column: table[column].cast(kind) for column, kind in types.items()})
    return connection.create_table(ibis.util.gen_name(name), table) if connection.name == "postgres" else table


def contract_table(connection, rows):
    """The rows of the contract on an engine."""
    types = {"time": "timestamp", "amount": "decimal(18, 4)", "order_day": "date"}
    return stored(connection, "parity_log", rows, **types)


@pytest.fixture(scope="module")
def both(rows, other):
    return contract_table(engines.connect(), rows), contract_table(other, rows)


def run(tables, expression):
    """What each engine makes of an expression, as frames sorted alike."""
    made = []
    for connection, table in zip((engines.connect(), None), tables, strict=True):
        lazy = expression(table)
        frame = lazy if isinstance(lazy, pd.DataFrame) else (connection or table.get_backend()).execute(lazy)
        made.append(frame)
    return made


def assert_same(one, other):
    assert list(one.columns) == list(other.columns)
    assert len(one) == len(other) > 0
    for name in one:
        left, right = one[name].to_numpy(), other[name].to_numpy()
        if one[name].dtype.kind == "f":
            np.testing.assert_allclose(left, right, rtol=1e-14)
        else:
            assert left.tolist() == right.tolist(), name


def test_the_log_holds_what_is_hard(rows):
    assert (rows.amount < 0).sum() > 10
    assert (pd.to_datetime(rows.order_day) != rows.time.dt.normalize()).any()


@pytest.mark.parametrize("acquired_from", [None, "2024-02-01"])
def test_summarise_is_the_same(both, acquired_from):
    assert_same(*run(both, lambda t: clv.summarise(t, END, acquired_from).order_by("customer_id")))


@pytest.mark.parametrize("extra", [(), ("monetary_value",)])
def test_collapse_is_the_same(both, extra):
    assert_same(*run(both, lambda t: clv.collapse(clv.summarise(t, END), *extra)))


def test_with_holdout_is_the_same(both):
    def later(t):
        return clv.with_holdout(clv.summarise(t, END), t, END, LATER)

    assert_same(*run(both, lambda t: later(t).order_by("customer_id")))
    assert_same(*run(both, lambda t: clv.collapse(later(t), "orders")))


def test_weekly_orders_are_the_same(both):
    assert_same(*run(both, lambda t: clv.weekly_orders(t, END, LATER)))


def test_score_is_the_same(both):
    orders, spend = clv.BGNBD(0.6, 20, 0.8, 3), clv.GammaGamma(6, 4, 60)
    assert_same(*run(both, lambda t: clv.score(clv.summarise(t, END), orders, spend, 365, 0.1)))


def test_first_waits_and_histories_are_the_same(both):
    assert_same(*run(both, lambda t: clv.first_interpurchase_times(t, END).reset_index()))
    one, other = run(both, lambda t: histories(t, "2024-03-01", END))
    assert one.frequency_early.isna().any()
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_who_stands_first_and_what_a_customer_did_are_the_same(both):
    orders, spend = clv.BGNBD(0.6, 20, 0.8, 3), clv.GammaGamma(6, 4, 60)

    def first(t):
        scored = clv.score(clv.summarise(t, END), orders, spend, 365, 0.1)
        return clv.top_customers(orders, scored, spend, 365, 0.1)

    one, other = run(both, first)
    assert_same(one, other)
    assert_same(*run(both, lambda t: clv.probability_alive_history(orders, t, one, END).reset_index()))


def test_the_days_of_orders_are_the_same(both):
    keys = ["customer_id", "day"]
    assert_same(*run(both, lambda t: order_days(t, END).order_by(keys)))
    assert_same(*run(both, lambda t: daily_orders(t, END, "2024-02-01").order_by(keys)))
    assert observed_span(both[0]) == observed_span(both[1])
