"""Sizes and money by segment: the grid of recency and frequency, tiles, bars and profiles."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from crmlab import segments
from crmlab.model import blank_of
from crmlab.segments.plots.treemap import tiles

from ..figures import draws, texts
from .refusals import refused
from .test_portfolio import LABELS, STAGE, VALUE

IDS = list("abcd")
SCORES = pd.DataFrame({"r": [2, 2, 1, 2], "f": [1, 1, 2, 2], "m": [1, 1, 1, 1]}, IDS)
SPEND = pd.Series([30.0, 10.0, 60.0, -5.0], IDS)
pytestmark = pytest.mark.usefixtures("figures_are_closed")


def grid():
    return segments.recency_frequency_value(SCORES, SPEND, bins=2)


def test_money_is_summed_by_recency_and_frequency():
    # by hand: 30 + 10 of two in the cell (2, 1), 60 of one in (1, 2), -5 of one in (2, 2), which has no share
    assert grid()[["r", "f"]].values.tolist() == [[2, 1], [2, 2], [1, 1], [1, 2]]
    assert grid().customers.tolist() == [2, 1, 0, 1]
    assert grid().share.tolist() == [0.5, 0.25, 0, 0.25]
    assert grid().value.tolist() == [40, -5, 0, 60]
    assert grid().value_mean.tolist() == [20, -5, 0, 60]
    assert grid().value_share.tolist() == [0.4, 0, 0, 0.6]


def test_the_grid_of_all_customers_holds_all_customers_and_all_money():
    rng = np.random.default_rng(1)
    scores = pd.DataFrame(rng.integers(1, 6, (200, 2)), columns=["r", "f"])
    found = segments.recency_frequency_value(scores, pd.Series(rng.exponential(10, 200)))
    assert (len(found), found.customers.sum(), found.value_share.sum()) == (25, 200, pytest.approx(1))


def test_scores_beyond_the_bins_are_refused_and_blanks_stay_blank():
    with_more = refused(segments.recency_frequency_value, SCORES.assign(r=3), SPEND, bins=2)
    assert with_more == ("scores: recency 3 and frequency 1 are beyond bins = 2; give the bins of the scores",)
    empty = segments.recency_frequency_value(blank_of(pd.DataFrame, "no amounts"), SPEND)
    assert empty.attrs["reason"] == "no amounts"
    assert [text.get_text() for text in segments.plots.recency_frequency_value(empty).texts] == ["no amounts"]


def test_cells_of_the_grid_say_their_share_customers_and_mean_the_latest_order_on_top():
    draws(segments.plots.recency_frequency_value, grid())
    ax = segments.plots.recency_frequency_value(grid())
    placed = {(text.get_text(), *text.xy) for text in ax.texts}
    assert placed == {
        ("40.0%\n2\n× 20", 0, 0),
        ("0.0%\n1\n× -5", 1, 0),
        ("nobody", 0, 1),
        ("60.0%\n1\n× 60", 1, 1),
    }
    assert [label.get_text() for label in ax.get_yticklabels()] == ["R 2", "R 1"]
    assert "currency of the data" in ax.get_xlabel()


def test_tiles_are_those_of_the_paper():
    # Bruls, Huizing & van Wijk (2000), section 3.1: areas 6, 6, 4, 3, 2, 2, 1 in a box of 6 by 4
    found = tiles([6, 6, 4, 3, 2, 2, 1], 0, 0, 6, 4)
    assert found[:2] == [pytest.approx((0, 0, 3, 2)), pytest.approx((0, 2, 3, 2))]
    assert found[2] == pytest.approx((3, 0, 12 / 7, 7 / 3))  # 4 and 3 share a row of height 7/3
    assert found[3] == pytest.approx((3 + 12 / 7, 0, 9 / 7, 7 / 3))
    assert [width * height for _, _, width, height in found] == pytest.approx([6, 6, 4, 3, 2, 2, 1])


def test_a_treemap_has_a_tile_for_each_segment_with_value_as_large_as_its_share():
    frame = segments.segment_portfolio(LABELS, VALUE)
    draws(segments.plots.segment_treemap, frame)
    ax = segments.plots.segment_treemap(frame)
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    areas = np.array([box.get_width() * box.get_height() for box in boxes])
    assert areas / areas.sum() == pytest.approx([0.8, 0.2])  # by hand: 80 and 20 of 100
    assert [text.get_text() for text in ax.texts] == ["high\n80.0%\n2 customers", "low\n20.0%\n3 customers"]
    assert ax.get_xlabel().splitlines() == ["Area: share of value", "Without value: none"]
    assert boxes[0].get_facecolor() != boxes[1].get_facecolor()  # 40 a customer, and 20 / 3


def test_names_of_a_treemap_lie_within_their_tiles_and_small_ones_are_listed_below():
    labels = pd.Series([f"a long name {place}" for place in range(12)]).astype("category")
    ax = segments.plots.segment_treemap(segments.segment_portfolio(labels, pd.Series(3.0 ** np.arange(12, 0, -1))))
    ax.figure.draw_without_rendering()
    tiled = [patch.get_window_extent() for patch in ax.patches]
    for text in ax.texts:
        inside = text.get_window_extent()
        assert any(b.x0 <= inside.x0 and inside.x1 <= b.x1 and b.y0 <= inside.y0 and inside.y1 <= b.y1 for b in tiled)
    assert "Too small for a name: a long name" in ax.get_xlabel()
    named = sum("a long" in text.get_text().replace("\n", " ") for text in ax.texts)
    assert named + ax.get_xlabel().count("a long name") == 12


def test_a_treemap_of_stages_and_of_nothing_is_drawn():
    draws(segments.plots.segment_treemap, segments.segment_portfolio(LABELS, VALUE, STAGE))
    ax = segments.plots.segment_treemap(segments.segment_portfolio(LABELS, VALUE * 0))
    assert "Without value: high, low, none" in ax.get_xlabel()


def test_bars_of_segments_bear_their_value():
    ax = segments.plots.segment_portfolio(segments.segment_portfolio(LABELS, VALUE))
    assert [text.get_text() for text in ax.texts] == ["80", "20", "0"]
    assert "currency of the data" in ax.get_xlabel()
    assert "high (2)" in [text.get_text() for text in texts(ax)]


def test_means_of_segments_bear_the_spread_that_their_colours_are_in():
    features = pd.DataFrame({"spend": [1.0, 2, 3, 4], "age": [5.0, 5, 5, 5]}, IDS)
    labels = pd.Series(["x", "x", "y", "y"], IDS, dtype="category")
    means = segments.segment_means(labels, features)
    assert means.attrs["standard_deviations"]["spend"] == pytest.approx((5 / 3) ** 0.5)  # by hand
    borne, given = segments.plots.segment_means(means), segments.plots.segment_means(means, features.std())
    colours = [ax.images[0].get_array() for ax in (borne, given)]
    assert np.array_equal(*colours)
    assert colours[0][:, 1].tolist() == [0, 0]  # of one age, all are at the mean
    assert colours[0][1, 0] == pytest.approx(1 / (5 / 3) ** 0.5)


def test_many_columns_of_means_run_down_and_few_across():
    features = pd.DataFrame(np.arange(32.0).reshape(4, 8), IDS, columns=[f"feature_{n}" for n in range(8)])
    labels = pd.Series(["x", "x", "y", "y"], IDS, dtype="category")
    many, few = (segments.segment_means(labels, features[features.columns[:n]]) for n in (8, 3))
    draws(segments.plots.segment_means, many)
    down, across = segments.plots.segment_means(many), segments.plots.segment_means(few)
    assert [label.get_text() for label in down.get_xticklabels()] == ["x (2)", "y (2)"]
    assert [label.get_text() for label in down.get_yticklabels()][:2] == ["feature 0", "feature 1"]
    assert [label.get_text() for label in across.get_yticklabels()] == ["x (2)", "y (2)"]
    # by hand: customers have 0, 8, 16 and 24 of the first feature
    assert {text.get_text(): text.xy for text in down.texts if text.xy[1] == 0} == {"4": (0, 0), "20": (1, 0)}
