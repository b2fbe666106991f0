"""What the tables say of random logs, against a loop that counts."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmlab import clv

from .worlds import by_customer, log

CUSTOMERS = st.sampled_from("abcdefghijklmno")  # many in a log, as asking an engine takes longest
SALES = st.tuples(CUSTOMERS, st.integers(0, 20), st.sampled_from(["0", "0.10", "1.25", "7"]), st.just(None))
RETURNS = st.tuples(
    CUSTOMERS,
    st.integers(0, 20),
    st.sampled_from(["-0.10", "-1.25", "-9"]),
    st.sampled_from([0, 1, 3, "none"]),
)
RANDOM = settings(max_examples=12, deadline=None, derandomize=True)


def on(day):
    return date(2024, 1, 1) + timedelta(days=day)


def random_log(rows):
    """As `worlds.log`, from days as numbers and the lag of a return behind its order."""
    return log(
        *(
            (customer, on(day).isoformat(), amount, None if lag == "none" else on(day - (lag or 0)).isoformat())
            for customer, day, amount, lag in rows
        )
    )


def order_days(rows, end):
    """customer -> day -> spend, counted in a loop."""
    days = defaultdict(lambda: defaultdict(list))
    for customer, day, amount, lag in rows:
        if day <= end and lag != "none":
            days[customer][day - (lag or 0)].append(Decimal(amount))
    kept = {
        customer: {day: sum(a) for day, a in found.items() if min(a) >= 0 or sum(a) > 0}
        for customer, found in days.items()
    }
    return {customer: found for customer, found in kept.items() if found}


@RANDOM
@given(rows=st.lists(st.one_of(SALES, RETURNS), min_size=20, max_size=60), end=st.integers(0, 20))
@example(rows=[("a", 3, "7", None), ("a", 5, "7", None), ("a", 6, "-9", 1)], end=6)
def test_summarise_is_what_a_loop_counts(rows, end):
    found = by_customer(clv.summarise(random_log(rows), on(end)))
    counted = {}
    for customer, days in order_days(rows, end).items():
        spend = sum(days.values()) - days[min(days)]
        mean = float(spend) / (len(days) - 1) if len(days) > 1 else 0.0
        counted[customer] = (len(days) - 1, max(days) - min(days), end - min(days), spend, mean)
    assert {customer: tuple(line) for customer, line in found.iterrows()} == counted


@RANDOM
@given(
    rows=st.lists(st.one_of(SALES, RETURNS), min_size=20, max_size=60),
    ends=st.tuples(st.integers(0, 20), st.integers(0, 20)),
)
def test_the_holdout_is_what_a_loop_counts(rows, ends):
    split, until = sorted(ends)
    table = random_log(rows)
    found = by_customer(clv.with_holdout(clv.summarise(table, on(split)), table, on(split), on(until)))
    later = order_days(rows, until)
    counted = {}
    for customer in order_days(rows, split):
        spends = [spend for day, spend in later.get(customer, {}).items() if day > split]
        counted[customer] = (len(spends), float(sum(spends)))
    assert {customer: (line.orders, line.spend) for customer, line in found.iterrows()} == counted
