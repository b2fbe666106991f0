"""Small logs and summaries whose numbers are plain to see."""

from datetime import date, datetime, time
from decimal import Decimal

import ibis
import pandas as pd
import pyarrow as pa

from crmlab.simulate.orders import simulate_orders

TYPES = {"customer_id": "string", "time": pa.timestamp("us"), "amount": pa.decimal128(18, 4), "order_day": pa.date32()}


def log(*rows):
    """A table of validated orders, from (customer, day, amount) or (customer, day, amount, order day), days as text."""
    full = [
        (customer, datetime.combine(date.fromisoformat(day), time(9 + i % 9)), Decimal(amount), *(order or [day]))
        for i, (customer, day, amount, *order) in enumerate(rows)
    ]
    columns = list(zip(*full, strict=True)) if full else [[]] * 4
    columns[3] = [day and date.fromisoformat(day) for day in columns[3]]
    arrays = {name: pa.array(values, kind) for (name, kind), values in zip(TYPES.items(), columns, strict=True)}
    return ibis.memtable(pa.table(arrays))


def customers(*rows):
    """A summary frame, from (frequency, recency, age)."""
    return pd.DataFrame(rows, columns=["frequency", "recency", "age"])


def rows(summary):
    """The (frequency, recency, age) of each row of a summary frame."""
    return [tuple(map(int, row)) for row in summary[["frequency", "recency", "age"]].to_numpy()]


def by_customer(table):
    """The rows of a lazy table, by customer_id."""
    return table.order_by("customer_id").execute().set_index("customer_id")


def simulated(customers=3000, seed=1, days=600, **parameters):
    """A collapsed summary of a simulated BG/NBD world, as of its last day."""
    orders = simulate_orders(**parameters, customers=customers, days=days, seed=seed).groupby("customer_id").day
    life = pd.DataFrame({"frequency": orders.nunique() - 1, "recency": orders.max() - orders.min()})
    life["age"] = days - 1 - orders.min()
    return life.groupby(["frequency", "recency", "age"]).size().rename("customers").reset_index()


def spread(frame):
    """The same customers, one a row."""
    return frame.loc[frame.index.repeat(frame.customers)].drop(columns="customers").reset_index(drop=True)
