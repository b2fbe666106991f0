"""What tests of plots share: frames to draw, each plot of one, and what is written on it."""

from datetime import date

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from crmlab import clv, holdout
from crmlab.clv import plots
from crmlab.style import BAND

from .worlds import log

MEASURES = [measure.__name__ for measure in holdout.MEASURES]  # of a comparison; TITLES names others too
QUIET_DAYS = ["0–29", "30–59", "60–89", "90–179", "180–364", "365+"]
EXPECTED_ORDERS = np.array([3.5, 2.1, 1.5, 0.8, 0.3, 0.1])
CALIBRATION = pd.DataFrame(
    {"customers": 90, "expected": EXPECTED_ORDERS, "actual": EXPECTED_ORDERS * 1.1}
    | {"pi_low": EXPECTED_ORDERS * 0.8, "pi_high": EXPECTED_ORDERS * 1.3},
    index=pd.CategoricalIndex(QUIET_DAYS, QUIET_DAYS, ordered=True, name="days since the last order"),
)
WEEK = np.arange(60)
TRACKING = clv.tracking(
    pd.DataFrame(
        {"expected": 90 / (1 + WEEK / 10), "pi_low": 60 / (1 + WEEK / 10), "pi_high": 120 / (1 + WEEK / 10)}
        | {"cumulative_pi_low": 600 * np.log1p(WEEK / 10), "cumulative_pi_high": 1200 * np.log1p(WEEK / 10)},
        index=pd.RangeIndex(1, 61, name="week"),
    ),
    pd.Series(80 / (1 + WEEK / 10) + WEEK % 7, pd.RangeIndex(1, 61)),
    pd.Series(pd.date_range("2024-01-07", periods=60, freq="7D"), pd.RangeIndex(1, 61)),
)
MODEL = clv.BGNBD(0.25, 4.4, 0.8, 2.4)
MAP = clv.probability_alive_matrix(
    clv.MBGNBD(0.5, 6.0, 0.9, 1.5), 300, max_frequency=12
)  # in which no probability is 1
GAPS, LEAVING = clv.interpurchase_time_distribution(MODEL), clv.dropout_distribution(MODEL)
STAYING = clv.dropout_distribution(clv.NBD(0.25, 4.4))
SPEND = clv.spend_by_frequency(
    pd.DataFrame(
        {
            "frequency": [1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8],
            "monetary_value": [9.0, 12.0, 8.0, 11.0, 14.0, 10.0, 9.0, 9.0, 13.0, 9.0, 10.0],
        }
    )
)
SPLIT = date(2024, 9, 30)
LORENZ = clv.lorenz(pd.Series([3.0, 0.0, 1.0]), pd.Series([1, 2, 1]))


def comparison():
    """A comparison by every measure: of each, a model that is better, one that is worse and one that is undecided."""
    models = [("BG/NBD", 0.2, "better"), ("Pareto/NBD", 0.05, "undecided"), ("NBD", -0.3, "worse")]
    rows = [
        {"population": "all customers", "measure": measure, "model": model, "is_baseline": False, "outcome": outcome}
        | {"value": 0.8, "difference": ahead * (-1 if measure in ("bias", "mae", "rmse") else 1)}
        for measure in MEASURES
        for model, ahead, outcome in models
    ]
    table = pd.DataFrame(rows)
    model = {"model": "past rate", "is_baseline": True, "outcome": "reference", "difference": 0.0, "value": 0.8}
    table = pd.concat([table, pd.DataFrame([{"population": "all customers", "measure": "mae"} | model])])
    unfitted = {"model": "MBG/NBD", "is_baseline": False, "outcome": "not fitted", "measure": "mae"}
    table = pd.concat([table, pd.DataFrame([unfitted])], ignore_index=True)
    ends = {"difference_ci_low": table.difference - 0.1, "difference_ci_high": table.difference + 0.1}
    return table.assign(
        **ends, population=holdout.ALL_CUSTOMERS, baseline="past rate", origin=holdout.ALL_ORIGINS, origins=1
    )


def history():
    """The history of a customer with five orders."""
    days = ("2024-01-07", "2024-02-01", "2024-02-02", "2024-05-20", "2024-07-01")
    return clv.probability_alive_history(MODEL, log(*(("ann", day, "1.00") for day in days)), "ann", "2024-12-31")


COMPARISON, HISTORY = comparison(), history()
REPEATS = clv.repeat_order_distribution(
    MODEL, pd.DataFrame({"frequency": [0, 0, 1, 3], "recency": [0, 0, 9, 40], "age": [50, 60, 50, 60]})
)
SPENT = clv.spend_distribution(
    clv.GammaGamma(6.0, 4.0, 15.0),
    pd.DataFrame({"frequency": [1, 1, 2, 4, 1], "monetary_value": [9.0, 22.0, 31.0, 44.0, 120.0]}),
)
AHEAD = clv.expected_orders_matrix(clv.MBGNBD(0.5, 6.0, 0.9, 1.5), 300, 90)
CROWD = pd.DataFrame({"frequency": [0, 1, 3, 12], "recency": [0, 20, 80, 99], "age": 100, "customers": [60, 20, 15, 5]})
DECILES = clv.value_by_decile(
    MODEL, clv.GammaGamma(6.0, 4.0, 15.0), CROWD.assign(monetary_value=[0.0, 10.0, 30.0, 20.0]), 365, 0.1
)
FRAMES = CALIBRATION, TRACKING, MAP, HISTORY, GAPS, LEAVING, STAYING, SPEND, LORENZ, COMPARISON
FRAMES += REPEATS, SPENT, AHEAD, DECILES
OVER_TIME = {
    "calibration": lambda ax=None: plots.holdout_calibration(CALIBRATION, ax=ax),
    "tracking": lambda ax=None: plots.weekly_tracking(TRACKING, SPLIT, ax=ax),
    "tracking so far": lambda ax=None: plots.weekly_tracking(TRACKING, SPLIT, cumulative=True, ax=ax),
}
SIDE_BY_SIDE = OVER_TIME | {
    "alive matrix": lambda ax=None: plots.probability_alive_matrix(MAP, ax=ax),
    "alive history": lambda ax=None: plots.probability_alive_history(HISTORY, ax=ax),
    "order gaps": lambda ax=None: plots.interpurchase_time_distribution(GAPS, ax=ax),
    "dropout_distribution": lambda ax=None: plots.dropout_distribution(LEAVING, ax=ax),
    "no departures": lambda ax=None: plots.dropout_distribution(STAYING, ax=ax),
    "value concentration": lambda ax=None: plots.value_concentration(LORENZ, ax=ax),
}
DRAWN = SIDE_BY_SIDE | {
    "repeat orders": lambda ax=None: plots.repeat_order_distribution(REPEATS, ax=ax),
    "spend": lambda ax=None: plots.spend_distribution(SPENT, "EUR", ax=ax),
    "orders matrix": lambda ax=None: plots.expected_orders_matrix(AHEAD, 90, ax=ax),
    "deciles": lambda ax=None: plots.value_by_decile(DECILES, "EUR", ax=ax),
    "spend by orders": lambda ax=None: plots.spend_by_frequency(SPEND, ax=ax),
    "backtest": lambda ax=None: plots.backtest(COMPARISON, ax=ax),
}


def band(ax):
    """Upper and lower edge of the band drawn: two lists."""
    (found,) = ax.collections
    corners = pd.DataFrame(found.get_paths()[0].vertices, columns=["at", "edge"]).groupby("at").edge
    assert found.get_facecolor()[0] == pytest.approx(mpl.colors.to_rgba(BAND))
    return list(corners.min()), list(corners.max())


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}
