"""Money by cohort, times between orders, flows of stages: what is counted, by hand, and what is drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab import lifecycle
from crmlab.contracts import InputError
from crmlab.lifecycle import plots
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.model import Unfitted, why_blank
from crmlab.style import drawn_frame

from ..clv.worlds import log
from ..figures import draws, texts

pytestmark = pytest.mark.usefixtures("figures_are_closed")
SHOP = (
    ("ann", "2024-01-05", "10.00"),
    ("ann", "2024-02-10", "4.00"),
    ("bob", "2024-01-20", "20.00"),
    ("bob", "2024-03-02", "6.00"),
    ("cid", "2024-02-03", "8.00"),
    ("eve", "2024-03-25", "3.00"),
)
BACK = ("bob", "2024-03-20", "-5.00", "2024-01-20")  # of the first order, returned in March
AFTER = (("ann", "2024-04-02", "50.00"), ("dan", "2024-04-03", "9.00"))
END = "2024-03-25"


def cells(frame, column):
    return {(f"{row.cohort:%m}", row.period): getattr(row, column) for row in frame.itertuples()}


def test_money_of_cohorts_by_hand():
    found = lifecycle.cohort_spend(log(*SHOP, BACK, *AFTER), END)
    spend = cells(found, "spend")
    assert {cell: spend[cell] for cell in [("01", 0), ("01", 1), ("01", 2), ("02", 0), ("02", 1)]} == {
        ("01", 0): 30.0,  # ann's 10 and bob's 20, which he returns 5 of later
        ("01", 1): 4.0,
        ("01", 2): 1.0,  # bob's 6, less the 5 that came back in March
        ("02", 0): 8.0,
        ("02", 1): 0.0,
    }
    assert pd.isna(spend["02", 2])
    assert cells(found, "spend_per_customer")["01", 1] == 2.0
    assert cells(found, "cumulative_spend")["01", 2] == 17.5
    assert cells(found, "state")["01", 2] == "in progress"
    assert cells(found, "size")["01", 0] == 2


def test_later_rows_and_the_order_of_rows_change_no_money():
    one, other = (lifecycle.cohort_spend(log(*rows), END) for rows in (SHOP, (AFTER + SHOP)[::-1]))
    pd.testing.assert_frame_equal(one, other)


def test_money_of_cohorts_has_the_cells_of_the_triangle():
    orders = log(*SHOP, BACK)
    spend, triangle = lifecycle.cohort_spend(orders, END), lifecycle.cohort_triangle(orders, END)
    shared = ["cohort", "period", "size", "state"]
    pd.testing.assert_frame_equal(spend[shared], triangle[shared])
    later = lifecycle.cohort_spend(orders, END, acquired_from="2024-02-01")
    assert set(later.cohort.dt.month) == {2, 3}


def test_money_of_a_log_without_amounts_is_blank():
    orders = log(*SHOP)
    found = lifecycle.cohort_spend(orders.mutate(amount=orders.amount.nullif(orders.amount)), END)
    assert "the data hold no amounts" in why_blank(found)
    assert "the data hold no amounts" in plots.cohort_spend(found).texts[0].get_text()


def test_money_of_cohorts_is_drawn_as_a_heat_map_without_their_own_period():
    found = lifecycle.cohort_spend(log(*SHOP, BACK), END)
    ax = plots.cohort_spend(found, "EUR")
    assert [text.get_text() for text in ax.texts] == ["2.0", "0.5", "0.0"]
    assert [other.get_ylabel() for other in ax.figure.axes[1:]] == ["Spend a customer, EUR"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["2024-01-01 (2)", "2024-02-01 (1)", "2024-03-01 (1)"]
    draws(plots.cohort_spend, found)


WAITS = pd.DataFrame(
    {"order_number": [1, 1, 1, 1, 2], "gap": [1, 7, 8, 20, 3], "observed": [True, True, True, False, True]}
).assign(customers=[4, 2, 5, 3, 6])


def test_times_between_orders_by_hand():
    found = lifecycle.interpurchase_time_histogram(WAITS, 7)
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        (1, 1, 7, 6, 0),  # the seventh day is of the first bin
        (1, 8, 14, 5, 0),
        (1, 15, 21, 0, 3),
        (2, 1, 7, 6, 0),
        (2, 8, 14, 0, 0),
        (2, 15, 21, 0, 0),
    ]


@pytest.mark.parametrize(("longest", "width"), [(40, 1), (41, 7), (280, 7), (281, 14), (99_999, 364)])
def test_bins_are_as_narrow_as_forty_of_them_allow(longest, width):
    waits = WAITS.assign(gap=[longest, 7, 8, 20, 3])
    found = lifecycle.interpurchase_time_histogram(waits)
    assert set(found.days_to - found.days_from + 1) == {width}
    assert found.gaps.sum() + found.open.sum() == WAITS.customers.sum()


def test_times_between_orders_are_drawn_on_each_other():
    found = lifecycle.interpurchase_time_histogram(WAITS, 7)
    ax = plots.interpurchase_time_histogram(found)
    first, second = ax.containers
    assert [bar.get_height() for bar in first] == [6, 5, 0]
    assert [bar.get_y() for bar in second] == [6, 5, 0]
    assert [bar.get_x() for bar in first] == [0, 7, 14]
    assert ax.get_xlabel() == "Days from an order to the next (bins of 7 days)"
    assert ax.get_xlim() == (0, 14)  # the bin that holds open waits alone is not drawn
    draws(plots.interpurchase_time_histogram, found)
    with pytest.raises(InputError, match="bin_days = 0: choose"):
        lifecycle.interpurchase_time_histogram(WAITS, 0)


OVERDUE = lifecycle.OverdueThresholds(days=(60.0, 50.0, 40.0), own_gap_multiple=3.0)
PATHS = (
    *((name, "2024-01-01", "5") for name in ("ann", "bob")),
    ("ann", "2024-06-01", "5"),
    ("cid", "2024-04-05", "5"),
    ("zoe", "2024-06-30", "1"),
)


def flows(columns):
    stages = lifecycle.customer_stages(log(*PATHS), "2024-06-30", "month", OVERDUE)
    return lifecycle.stage_flows(stages, columns)


def test_flows_of_stages_by_hand():
    found = flows(3)  # of six months the first, the third (2.5 rounds to an even number) and the last
    rows = [(f"{row.as_of:%m}", row.previous, row.stage, row.customers) for row in found.itertuples()]
    assert rows == [
        ("01", "", "establishment", 2),
        ("03", "establishment", "decline", 2),  # 60 days and more without an order
        ("06", "", "establishment", 1),  # zoe
        ("06", "", "decline", 1),  # cid, who ordered first in April
        ("06", "decline", "establishment", 1),  # ann, who came back
        ("06", "decline", "decline", 1),
    ]


def test_flows_of_more_columns_than_periods_are_of_all_and_the_last_is_always_there():
    assert flows(99).as_of.nunique() == 6
    assert flows(2).as_of.dt.month.unique().tolist() == [1, 6]
    with pytest.raises(InputError, match="columns = 1: choose"):
        flows(1)
    assert why_blank(lifecycle.stage_flows(Unfitted(lifecycle.OverdueThresholds, "too few"))) == "too few"


def test_in_an_alluvial_each_column_holds_all_customers_and_bands_meet_it():
    found = flows(3)
    ax = plots.stage_flows(found)
    heights = pd.Series({i: bar.get_height() for i, bar in enumerate(ax.patches)})
    places = pd.Series({i: round(bar.get_x() + bar.get_width() / 2) for i, bar in enumerate(ax.patches)})
    assert heights.groupby(places).sum().to_list() == [4, 4, 4]
    bands = [path.vertices for band in ax.collections for path in band.get_paths()]
    left = [v[v[:, 0] == v[:, 0].min(), 1] for v in bands if v[:, 0].min() < 1]
    assert sorted(float(np.ptp(side)) for side in left) == [2, 2]  # into decline, and not yet acquired
    assert sum(np.ptp(v[v[:, 0] == v[:, 0].max(), 1]) for v in bands if v[:, 0].min() > 1) == pytest.approx(4)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["establishment", "decline", "not yet acquired"]
    assert set(names) < {*STAGES, "not yet acquired"}
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2024-01-31", "2024-03-31", "2024-06-30"]
    assert drawn_frame(ax) is found
    draws(plots.stage_flows, found)


def test_nothing_lies_on_anything_else():
    waits = lifecycle.interpurchase_time_histogram(WAITS, 7)
    for ax in (plots.stage_flows(flows(5)), plots.interpurchase_time_histogram(waits)):
        boxes = [text.get_window_extent() for text in texts(ax)]
        assert len(boxes) > 6
        assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
        plt.close(ax.figure)
