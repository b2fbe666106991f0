"""Sales by category from orders, where each category stands, and the plots of product life cycles."""

import random
from datetime import date

import ibis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, lifecycle
from crmlab.contracts import CONTRACTS, InputError, Policy, validate
from crmlab.dataset import Data, Findings
from crmlab.entry import Entry
from crmlab.lifecycle import Bass, plots
from crmlab.style import drawn_frame

ROWS = [
    ("a", "2024-01-10", "5", "tea"),
    ("a", "2024-01-31 23:59", "5", "tea"),
    ("e", "2024-02-01", "7", "cups"),
    ("b", "2024-04-02", "2.5", "tea"),
    ("e", "2024-04-03", "-7", "cups"),
    ("c", "2024-04-30", "1", ""),
    ("c", "2024-05-01", "100", "tea"),
    ("d", "2024-06-15", "1", "tea"),
]


def log(rows=ROWS, **policy):
    names = ["customer_id", "time", "amount", "category"]
    columns = [pd.Series(column, dtype="str") for column in zip(*rows, strict=True)]
    raw = ibis.memtable(pd.DataFrame(dict(zip(names, columns, strict=True))))
    return validate(raw, "log", Policy(returns="net", **policy)).table


def sold(*asked, rows=ROWS):
    frame = lifecycle.sales_by_category(log(rows), *asked)
    return [(r.category, str(r.time.date()), r.sales) for r in frame.itertuples()]


def test_sales_are_summed_by_category_and_whole_period_with_zeros_between():
    assert sold("2024-05-15") == [
        ("cups", "2024-02-01", 0), ("cups", "2024-03-01", 0), ("cups", "2024-04-01", 0),
        ("none", "2024-04-01", 1),
        ("tea", "2024-01-01", 10), ("tea", "2024-02-01", 0), ("tea", "2024-03-01", 0), ("tea", "2024-04-01", 2.5),
    ]  # fmt: skip


def test_a_return_counts_once_it_is_known_and_in_the_period_of_its_order():
    assert ("cups", "2024-02-01", 7) in sold("2024-04-02")
    assert ("cups", "2024-02-01", 0) in sold("2024-04-03")


def test_sales_are_not_negative_where_a_return_is_set_against_another_category():
    rows = [("a", "2024-01-01", "5", "tea"), ("a", "2024-01-02", "-4", "cups"), ("a", "2024-02-01", "1", "tea")]
    assert sold("2024-02-01", rows=rows) == [("cups", "2024-01-01", 0), ("tea", "2024-01-01", 5)]


def test_a_period_counts_from_its_last_day_on():
    assert ("none", "2024-04-01", 1) in sold("2024-04-30")
    assert not any(time == "2024-04-01" for _, time, _ in sold("2024-04-29"))
    assert [row[1] for row in sold("2024-06-15", "quarter") if row[0] == "tea"] == ["2024-01-01"]
    weeks = [row for row in sold("2024-04-07", "week") if row[0] == "tea"]
    assert (weeks[0], weeks[-1]) == (("tea", "2024-01-08", 5), ("tea", "2024-04-01", 2.5))


def test_later_rows_and_their_order_change_nothing():
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    assert sold("2024-05-15", rows=shuffled) == sold("2024-05-15")
    assert sold("2024-05-15", rows=[*ROWS, ("z", "2024-05-16", "9", "new")]) == sold("2024-05-15")


def test_a_log_without_categories_is_one():
    frame = lifecycle.sales_by_category(log().drop("category"), "2024-05-15")
    assert frame.category.unique().tolist() == ["all"]
    assert frame.sales.tolist() == [10, 0, 0, 3.5]


@pytest.mark.parametrize(
    ("asked", "summary"),
    [
        (("2025-01-01",), "end 2025-01-01: the log runs from 2024-01-10 to 2024-06-15; choose a day of that span"),
        (("2023-01-01",), "end 2023-01-01: the log runs from"),
        (
            ("2024-01-20",),
            "no month with a sale is over by 2024-01-20, and one whole calendar month is needed; choose every = "
            "'week', or an end from 2024-01-31 on",
        ),
        (  # that of January 10, 2024, a Wednesday, ends on the 14th; the year on its last day, after the last order
            ("2024-01-13", "week"),
            "one whole calendar week is needed; choose an end from 2024-01-14 on",
        ),
        (
            ("2024-06-15", "year"),
            "choose every = 'quarter', or observed_until = 2024-12-31 or later, if orders are complete to it",
        ),
        (("2024-05-15", "day"), "every = 'day': choose one of 'week', 'month', 'quarter', 'year'"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, summary):
    with pytest.raises(InputError, match=summary):
        sold(*asked)


def test_sales_run_to_the_day_up_to_which_orders_are_complete(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("customer_id,time,amount\na,2024-01-10,5\nb,2024-02-03,7\n")
    assert lifecycle.product_sales(catalog.orders(path)).sales.tolist() == [5]
    later = catalog.orders(path, "2024-04-30")
    assert lifecycle.product_sales(later).sales.tolist() == [5, 7, 0, 0]


def test_a_table_of_another_contract_is_refused_either_way():
    series = ibis.memtable({"time": ["2024-01-01"], "sales": [1.0], "category": ["all"]})
    with pytest.raises(InputError, match="where it is a SERIES already, use"):
        lifecycle.sales_by_category(series, "2024-01-01")
    with pytest.raises(InputError, match="make a series of TRANSACTIONS with"):
        lifecycle.sales_from_series(log())


def two(periods=24, freq="MS"):
    """A frame of two categories: one of a Bass curve, and a short one."""
    times = pd.date_range("2020-01-01", periods=periods, freq=freq)
    long = pd.DataFrame(
        {"category": "long", "time": times, "sales": Bass(1000, 0.01, 0.4).sales(range(1, periods + 1)).to_numpy()}
    )
    short = pd.DataFrame({"category": "short", "time": times[-3:], "sales": [1.0, 2.0, 3.0]})
    return pd.concat([long, short], ignore_index=True)


@pytest.mark.parametrize(("freq", "count"), [("YS", 1), ("QS", 4), ("MS", 12), ("W-MON", 52), ("D", 365)])
def test_a_year_has_as_many_periods_as_fit(freq, count):
    assert lifecycle.periods_per_year(two(freq=freq)) == count


def test_a_curve_is_one_categorys_sales_the_largest_unless_named():
    assert lifecycle.category_sales(two()).name == "long"
    assert lifecycle.category_sales(two(), "short").tolist() == [1, 2, 3]
    with pytest.raises(InputError, match=r"no category 'x' among 2 \(the largest: 'long', 'short'\); name one"):
        lifecycle.category_sales(two(), "x")


TOO_FEW = "3 of the 8 periods a shape needs at least"


def test_an_overview_says_where_each_category_stands_and_what_cannot_be_said():
    table = lifecycle.product_overview(two(freq="YS"))
    assert table.index.tolist() == ["long", "short"]
    assert (table.stage["long"], table["shape"]["long"]) == ("decline", "classic")
    assert table.peak_time["long"] == pd.Timestamp("2028-01-01")  # Bass's peak is ln(40) / 0.41 = 8.997 periods on
    assert table.stage_since["long"] == pd.Timestamp("2029-01-01")
    assert table.loc["short", ["summary", "reason"]].tolist() == ["", TOO_FEW]
    assert table.loc["short", ["periods", "sales"]].tolist() == [3, 6]
    sales = lifecycle.category_sales(two(freq="YS"))
    of_long = [24, sales.sum(), sales.iloc[-1] / sales.iloc[-2] - 1]
    assert table.loc["long", ["periods", "sales", "growth"]].tolist() == pytest.approx(of_long)
    assert table.loc["short", ["shape", "peak_time"]].isna().all()
    assert lifecycle.product_overview(two(freq="YS"), max_categories=1).index.tolist() == ["long"]


@pytest.fixture(scope="module")
def drawn():
    """A frame for each plot, by its name."""
    sales = lifecycle.category_sales(two(12, "YS"))
    fitted = lifecycle.fit_growth_curves(sales + 5)
    stages = lifecycle.life_cycle_stages(sales)
    return {
        "growth_path": lifecycle.growth_path(fitted["Bass"], sales + 5, 3),
        "growth_paths": lifecycle.growth_paths(fitted, sales + 5, 3),
        "life_cycle_stages": stages,
        "growth_rates": stages,
        "life_cycle_shape": lifecycle.life_cycle_shape(sales).line(sales),
        "errors_by_horizon": lifecycle.errors_by_horizon(lifecycle.backtest_growth(sales, 2)),
    }


NAMES = ["growth_path", "growth_paths", "life_cycle_stages", "growth_rates", "life_cycle_shape", "errors_by_horizon"]


@pytest.mark.parametrize("name", NAMES)
def test_every_plot_returns_the_axes_it_was_given_with_named_axes(drawn, name):
    _figure, ax = plt.subplots()
    assert getattr(plots, name)(drawn[name], ax=ax) is ax
    assert drawn_frame(ax) is drawn[name]
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.get_legend() is not None
    plt.close("all")


def test_a_path_is_drawn_with_its_intervals_and_a_line_before_what_is_to_come(drawn):
    ax = plots.growth_path(drawn["growth_path"])
    assert ax.lines[1].get_ydata()[:12] == pytest.approx(drawn["growth_path"].sales[:12])
    assert len(ax.collections) == 2
    assert any("to come" in text.get_text() for text in ax.texts)
    plain = plots.growth_path(drawn["growth_path"].iloc[:12], cumulative=True)
    assert not plain.texts
    assert plain.get_ylabel().startswith("Sales so far")
    plt.close("all")


def test_stages_are_drawn_as_stretches_that_meet(drawn):
    ax = plots.life_cycle_stages(drawn["life_cycle_stages"])
    lefts = [patch.get_x() for patch in ax.patches]
    rights = [patch.get_x() + patch.get_width() for patch in ax.patches]
    assert lefts[1:] == pytest.approx(rights[:-1])
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert set(named) == set(drawn["life_cycle_stages"].stage)
    assert np.diff(ax.get_xlim()) > 0
    plt.close("all")


def test_sales_that_no_curve_fits_are_drawn_alone():
    sales = lifecycle.category_sales(two(12, "YS"))
    none = Bass.fit(sales[:3])
    growth_path = lifecycle.growth_path(none, sales, 3)
    assert growth_path.sales.to_list() == sales.to_list()
    assert growth_path.expected.isna().all()
    assert set(growth_path.reason) == {none.reason}
    for ax in (plots.growth_path(growth_path), plots.growth_paths(lifecycle.growth_paths({"Bass": none}, sales, 3))):
        assert [len(line.get_ydata()) for line in ax.lines] == [12]
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["sold"]
    plt.close("all")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("sales", [[5.0, 8, 20], [5.0, 8], [5.0], [0.0] * 9, [100.0] * 10])
def test_sales_of_which_little_can_be_said_are_drawn_without_what_is_not_there(sales):
    series = pd.Series(sales, pd.date_range("2000-01-01", periods=len(sales), freq="YS"))
    drawn = lifecycle.life_cycle_stages(series)
    for ax in (
        plots.life_cycle_stages(drawn),
        plots.growth_rates(drawn),
    ):
        ax.figure.canvas.draw()
        labels = [label.get_text() for label in ax.get_xticklabels() if label.get_text()]
        assert all(label.removesuffix("-01-01").isdigit() for label in labels), labels
    shape = lifecycle.life_cycle_shape(series)
    assert plots.life_cycle_shape(shape.line(series)).texts[0].get_text().replace("\n", " ") == str(shape)
    plt.close("all")


def data(table, contract, **counts):
    return Data(table, CONTRACTS[contract], Findings("sold", Entry(path="x"), counts))


def test_sales_are_read_of_a_series_or_summed_from_orders():
    until_may = lifecycle.sales_by_category(log(), "2024-05-15")
    pd.testing.assert_frame_equal(lifecycle.product_sales(log(), "2024-05-15"), until_may)
    whole = lifecycle.sales_by_category(log(), "2024-06-15")
    pd.testing.assert_frame_equal(lifecycle.product_sales(log()), whole)
    given = data(log(), "transactions", last=date(2024, 6, 15))
    pd.testing.assert_frame_equal(lifecycle.product_sales(given), whole)
    pd.testing.assert_frame_equal(lifecycle.product_sales(given, "2024-06-15", "quarter"),
                                  lifecycle.sales_by_category(log(), "2024-06-15", "quarter"))  # fmt: skip
    series = ibis.memtable(two().iloc[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(lifecycle.product_sales(data(series, "series")), two(), check_dtype=False)
    with pytest.raises(InputError, match=r"give a Data, as a reader of crmlab\.catalog gives or a Table"):
        lifecycle.product_sales("vcr_sales")


def test_a_category_whose_sales_cannot_be_has_its_reason_beside_the_others():
    wrong = two(freq="YS").replace({"sales": {2.0: -2.0}})
    table = lifecycle.product_overview(wrong)
    assert table.reason["short"].startswith("sales are negative in 1 of 3 periods")
    assert table.loc["short", ["periods", "sales"]].tolist() == [3, 2]
    assert table.stage["long"] == "decline"
    assert pd.isna(table.stage["short"])
