"""Small logs past the door, and features, whose numbers are plain to see."""

from datetime import date, datetime, time
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

TYPES = {"customer_id": "string", "time": pa.timestamp("us"), "amount": pa.decimal128(18, 4), "order_day": pa.date32()}
MORE = ("category", "store_id", "product_id")


def log(*rows, columns=()):
    """A table from (customer, day, amount, *columns), and last the order day of a return if it is another."""
    full = []
    for i, (customer, day, amount, *more) in enumerate(rows):
        values, order = more[: len(columns)], (more[len(columns) :] or [day])[0]
        when = datetime.combine(date.fromisoformat(day), time(9 + i % 9))
        full.append((customer, when, Decimal(amount), order and date.fromisoformat(order), *values))
    types = TYPES | dict.fromkeys(columns, "string")
    cells = list(zip(*full, strict=True)) if full else [[]] * len(types)
    return ibis.memtable(pa.table({n: pa.array(v, t) for (n, t), v in zip(types.items(), cells, strict=True)}))


def table(**columns):
    """A lazy table of these columns."""
    return ibis.memtable(pd.DataFrame(columns))


def random_rows(rng, count, first, last, customers=60):
    """Rows for `log` with MORE columns, of days within; a tenth are returns of earlier orders."""
    span = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    found = []
    for _ in range(count):
        day = np.datetime64(first) + rng.integers(span)
        back = rng.random() < 0.1
        cents = int(rng.integers(1, 9000))
        found.append(
            (
                f"c{rng.integers(customers):03d}",
                str(day),
                f"{(-cents if back else cents) / 100:.2f}",
                f"k{rng.integers(4)}",
                f"s{rng.integers(5)}",
                f"p{rng.integers(9)}",
                str(day - int(rng.integers(0, 20))) if back else str(day),
            )
        )
    return found


def simulated(count=2000, seed=1):
    """Features of customers drawn without regard for each other: a frame with all that schemes ask for."""
    rng = np.random.default_rng(seed)
    orders = rng.geometric(0.3, count)
    spend = np.round(orders * rng.lognormal(3, 1, count), 2)
    frame = {
        "orders": orders,
        "spend": spend,
        "mean_spend": spend / orders,
        "days_since_last": rng.integers(0, 300, count),
        "window_spend": np.round(spend * rng.random(count), 2),
        "expected_margin": np.round(rng.lognormal(3, 1, count), 2),
        "store_strength": rng.choice([0.4, 0.9, 1.1, 2.0], count),
    }
    return pd.DataFrame(frame, pd.Index([f"c{i:05d}" for i in range(count)], name="customer_id"))


def later_features(count=1500, seed=2):
    """Features of other customers, some of whom are beyond all that were seen before."""
    frame = simulated(count, seed)
    frame.loc[frame.index[:5], ["spend", "window_spend", "orders"]] = [9e6, 9e6, 999]
    frame.loc[frame.index[5:9], "days_since_last"] = 4000
    return frame
