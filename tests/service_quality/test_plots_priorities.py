"""The plots of priorities and loyalty: what they draw, where, and that nothing lies on anything else."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab import service_quality as sq
from crmlab.service_quality import plots
from crmlab.service_quality.models.asked import with_reason
from crmlab.style import EXPECTED

ITEMS = [f"{'TRSAE'[i // 5]}{i % 5 + 1}" for i in range(22)]


def world(seed=1, n=300):
    """Ratings of 22 items by importance and by performance, and satisfaction."""
    rng = np.random.default_rng(seed)
    halo = rng.normal(size=(n, 1))
    sides = [
        np.clip(np.round(mean + 0.3 * rng.normal(size=22) + 0.6 * halo + 0.8 * rng.normal(size=(n, 22))), 1, 7)
        for mean in (5.7, 5.0)
    ]
    importance, performance = (pd.DataFrame(side, columns=ITEMS) for side in sides)
    outcome = performance.mean(axis=1) + np.minimum(performance.T1, 4) + pd.Series(rng.normal(size=n))
    return importance, performance, outcome


IMPORTANCE, PERFORMANCE, OUTCOME = world()
LEVEL = pd.Series(np.repeat([1.0, 2, 3, 4, 5], 60))
LOYAL = pd.Series((np.arange(300) % 60 < LEVEL.map({1: 1, 2: 2, 3: 4, 4: 6, 5: 36})).astype(float))
RESOLVED = pd.Series(np.tile([0.0, 1.0], 150))
TOLD, STOPPED = RESOLVED.map({0: 9.0, 1: 4.0}) + np.arange(300) % 3, ((RESOLVED == 0) & (np.arange(300) % 3 == 0)) * 1.0
STOPPED[1] = 1.0
TABLES = {
    "improvement_priorities": sq.importance_performance_analysis(PERFORMANCE, IMPORTANCE, replicates=200),
    "key_drivers": sq.relative_importance(PERFORMANCE[ITEMS[:5]], OUTCOME, replicates=200),
    "asymmetric_impact": sq.penalty_reward_contrasts(PERFORMANCE, OUTCOME, 3, 5),
    "loyalty_by_satisfaction": sq.loyal_share_by_level(LEVEL, LOYAL),
    "satisfaction_index": sq.importance_weighted_scores(PERFORMANCE, IMPORTANCE.mean(), replicates=200),
    "complaint_resolution": sq.resolution_ratios(
        RESOLVED, {"people told": TOLD}, {"stopped buying": STOPPED, "never": STOPPED * 0}
    ),
}
LONG = TABLES["improvement_priorities"].assign(item=[f"prompt answers to {item}" for item in ITEMS], source="stated")
DRAWN = {name: (getattr(plots, name), table) for name, table in TABLES.items()}
DRAWN["priorities of long names"] = (plots.improvement_priorities, LONG)
every_plot = pytest.mark.parametrize(("draw", "table"), DRAWN.values(), ids=DRAWN)
pytestmark = pytest.mark.usefixtures("figures_are_closed")


@every_plot
def test_a_plot_returns_the_axes_it_is_given_and_makes_one_figure_without(draw, table):
    ax = plt.figure().add_subplot()
    assert draw(table, ax=ax) is ax
    assert len(plt.get_fignums()) == 1
    own = draw(table)
    assert own.figure.axes == [own]
    assert len(plt.get_fignums()) == 2


@every_plot
def test_a_plot_leaves_its_frame_and_the_global_look_alone(draw, table):
    before, look = table.copy(), dict(mpl.rcParams)
    draw(table)
    pd.testing.assert_frame_equal(table, before)
    assert dict(mpl.rcParams) == look


@every_plot
def test_a_plot_says_what_its_axes_are(draw, table):
    ax = draw(table)
    assert ax.get_xlabel()
    assert ax.get_ylabel() or [label for label in ax.get_yticklabels() if label.get_text()]


@every_plot
def test_nothing_lies_on_anything_or_runs_off_the_figure(draw, table):
    ax = draw(table)
    ax.figure.draw_without_rendering()
    notes = [text for text in ax.texts if text.get_text()]
    boxes = [text.get_window_extent() for text in notes]
    assert not [
        (one.get_text(), other.get_text())
        for (one, a), (other, b) in itertools.combinations(zip(notes, boxes, strict=True), 2)
        if a.overlaps(b)
    ]
    left, right = ax.get_xlim()
    down, up = sorted(ax.get_ylim())
    beside = [label for label in ax.get_yticklabels() if down <= label.get_position()[1] <= up]
    places = [label for label in ax.get_xticklabels() if left <= label.get_position()[0] <= right]
    across = sorted((p.get_window_extent() for p in places if p.get_text()), key=lambda box: box.x0)
    assert not any(one.overlaps(other) for one, other in itertools.pairwise(across))
    legend = [ax.get_legend().get_window_extent()] if ax.get_legend() else []
    assert not any(box.overlaps(held) for held in legend for box in boxes)
    labels = [part.get_window_extent() for part in (ax.xaxis.label, ax.yaxis.label, *beside) if part.get_text()]
    whole = ax.figure.bbox
    for box in (*boxes, *legend, *across, *labels):
        assert whole.x0 - 1 <= box.x0
        assert box.x1 <= whole.x1 + 1
        assert whole.y0 - 1 <= box.y0
        assert box.y1 <= whole.y1 + 1


def points(ax, label):
    return next(c for c in ax.containers if c.get_label() == label).lines[0]


def test_the_map_has_every_item_named_where_it_is_and_the_undecided_hollow():
    table, ax = TABLES["improvement_priorities"], plots.improvement_priorities(TABLES["improvement_priorities"])
    assert {"decided", "undecided"} == {c.get_label() for c in ax.containers}
    decided = table[table.decision != "undecided"]
    assert list(points(ax, "decided").get_xdata()) == list(decided.performance)
    assert list(points(ax, "decided").get_ydata()) == list(decided.importance)
    assert points(ax, "decided").get_markerfacecolor() == EXPECTED
    assert points(ax, "undecided").get_markerfacecolor() == "white"
    named = {text.get_text(): text.xy for text in ax.texts if text.get_text() in ITEMS}
    assert named == {row.item: (row.performance, row.importance) for row in table.itertuples()}
    assert {"concentrate here", "keep up", "low priority", "possible overkill"} < {t.get_text() for t in ax.texts}


def test_no_name_on_the_map_covers_a_point():
    ax = plots.improvement_priorities(TABLES["improvement_priorities"])
    ax.figure.draw_without_rendering()
    table = TABLES["improvement_priorities"]
    places = ax.transData.transform(table[["performance", "importance"]].to_numpy())
    names = [text.get_window_extent() for text in ax.texts if text.get_text() in ITEMS]
    assert len(names) == 22
    assert not any(box.contains(*place) for box in names for place in places)


def test_long_names_become_numbers_with_a_key():
    ax = plots.improvement_priorities(LONG)
    key = next(text.get_text() for text in ax.texts if "\n" in text.get_text())
    assert key.split("\n")[0] == "1  prompt answers to T1"
    assert len(key.split("\n")) == 22
    assert {text.get_text() for text in ax.texts} >= {str(i) for i in range(1, 23)}
    assert ax.get_ylabel() == "Importance (stated)"


def test_the_crosshair_lies_where_the_table_says():
    table, ax = TABLES["improvement_priorities"], plots.improvement_priorities(TABLES["improvement_priorities"])
    found = {
        tuple(line.get_xdata()): tuple(line.get_ydata()) for line in ax.get_lines() if line.get_gid() == "crosshair"
    }
    assert found[(0, 1)] == (table.crosshair_importance[0],) * 2
    assert found[(table.crosshair_performance[0],) * 2] == (0, 1)
    line = next(line for line in ax.get_lines() if line.get_label() == "iso-rating line")
    assert list(line.get_ydata()) == pytest.approx(list(line.get_xdata()))  # stated importance: as it performs


@pytest.mark.parametrize("name", TABLES)
def test_a_plot_of_nothing_says_why_in_words_alone(name):
    table = TABLES[name]
    numbers = {column: np.nan for column in table.select_dtypes("number") if column != "level"}
    blank = with_reason(table.assign(**numbers, reason="nobody answered"), next(iter(numbers)))
    ax = getattr(plots, name)(blank)
    assert [text.get_text() for text in ax.texts] == ["nobody answered"]
    assert not ax.axison


def test_the_map_names_the_crosshair_that_was_chosen():
    for crosshair, told in {"means": "mean of the items", "medians": "median of the items"}.items():
        table = sq.importance_performance_analysis(PERFORMANCE, IMPORTANCE, crosshair, replicates=20)
        assert f"crosshair: {told}" in [
            text.get_text() for text in plots.improvement_priorities(table).get_legend().get_texts()
        ]


def test_drivers_show_their_parts_and_ranks():
    table, ax = TABLES["key_drivers"], plots.key_drivers(TABLES["key_drivers"])
    assert [label.get_text() for label in ax.get_yticklabels()] == list(table.driver)
    ends = [tuple(segment[:, 0]) for segment in ax.collections[0].get_segments()]
    assert ends == list(zip(table.r2_share_ci_low, table.r2_share_ci_high, strict=True))
    assert ax.texts[0].get_text() == f"rank 1 ({table.rank_ci_low[0]:.0f} to {table.rank_ci_high[0]:.0f})"


def test_penalties_and_rewards_stand_with_their_kind():
    table, ax = TABLES["asymmetric_impact"], plots.asymmetric_impact(TABLES["asymmetric_impact"])
    found = {line.get_label(): line.get_xdata() for line in ax.get_lines()}
    assert (table.reason != "").sum() == 1
    for side in ("penalty", "reward"):
        np.testing.assert_array_equal(found[side], table[side])
    assert [text.get_text() for text in ax.texts] == list(table.category.mask(table.reason != "", "too few answers"))
    assert len(ax.get_yticklabels()) == len(table)


def test_loyalty_says_what_the_top_box_is_worth():
    ax = plots.loyalty_by_satisfaction(TABLES["loyalty_by_satisfaction"])
    top = TABLES["loyalty_by_satisfaction"].iloc[-1]
    assert (
        ax.texts[0].get_text()
        == f"5 is worth 6.0 × 4\n(95 % {top.risk_ratio_ci_low:.1f} to {top.risk_ratio_ci_high:.0f})"
    )
    assert [label.get_text() for label in ax.get_xticklabels()] == [f"{i}\nn 60" for i in range(1, 6)]


def test_complaints_are_on_a_log_axis_with_one_marked():
    table, ax = TABLES["complaint_resolution"], plots.complaint_resolution(TABLES["complaint_resolution"])
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "people told",
        "stopped buying",
    ]  # never has no ratio
    assert list(ax.get_lines()[0].get_xdata()) == list(table.ratio[:2])
    assert list(ax.get_lines()[1].get_xdata()) == [1, 1]


def test_the_band_of_scores_is_drawn_about_the_weighted_one():
    table, ax = TABLES["satisfaction_index"], plots.satisfaction_index(TABLES["satisfaction_index"])
    weighted = ax.patches[1]
    assert weighted.get_x() == pytest.approx(table.sensitivity_low[1])
    assert weighted.get_width() == pytest.approx(table.sensitivity_high[1] - table.sensitivity_low[1])
    assert ax.patches[0].get_width() == 0
