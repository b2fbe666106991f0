"""Simulates example_shop.csv: a file with names and habits of its own. Run it to write the file anew."""

from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.simulate.orders import simulate_orders, simulate_spend

SEED = 20_240_101


def example_shop():
    """A year of orders of 400 customers as a German shop might export them, returns included: a frame of text."""
    rng = np.random.default_rng(SEED)
    log = simulate_orders(r=0.5, alpha=30, a=0.8, b=3, customers=400, days=365, seed=SEED)
    log["amount"] = simulate_spend(log, p=6, q=4, gamma=60, seed=SEED + 1)
    log["order"] = [f"B{n:05d}" for n in range(1, len(log) + 1)]
    clock = pd.Timestamp("2024-01-01", tz="Europe/Berlin")
    log["time"] = (
        clock
        + pd.to_timedelta(log.day, unit="D")
        + pd.to_timedelta(rng.integers(8 * 60, 23 * 60, len(log)), unit="min")
    )
    back = log[rng.random(len(log)) < 0.05]
    share = np.where(rng.random(len(back)) < 0.7, 1.0, 0.5)
    back = back.assign(amount=-(back.amount * share).round(2), time=back.time + pd.Timedelta(days=5))
    both = pd.concat([log, back[back.time < clock + pd.Timedelta(days=366)]]).sort_values(["time", "order"])
    return pd.DataFrame(
        {
            "Kunde": both.customer_id.str.zfill(5),
            "Bestellung": both.order,
            "Zeitpunkt": both.time.map(lambda t: t.isoformat(timespec="minutes")),
            "Betrag": both.amount.map(lambda amount: f"{amount:.2f}".replace(".", ",")),
        }
    )


if __name__ == "__main__":
    example_shop().to_csv(Path(__file__).with_name("example_shop.csv"), sep=";", index=False)
