"""The plots of gaps: what they draw, where, in which colours, and that nothing lies on anything else."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.service_quality import metrics, plots
from crmlab.service_quality.models.asked import with_reason
from crmlab.service_quality.models.board import gaps_model
from crmlab.service_quality.models.gaps import gap_scores, perception_scores
from crmlab.service_quality.models.segments import all_segment_gap_scores, segment_gap_scores
from crmlab.service_quality.models.zone import zone_of_tolerance
from crmlab.service_quality.plots.lines import lines
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED

from .gap_worlds import answers, survey

TEXT = "When {} promises to do something by a certain time for $5 or $6, it does so without being asked twice"
SEGMENTS = ["north", "south", "overseas territories", "west"]


def world():
    rng = np.random.default_rng(1)
    who = np.array(["customer"] * 240 + ["manager"] * 12 + ["staff"] * 30)
    expect, perceive = answers(rng, len(who), 9, 5.6), answers(rng, len(who), 9, [5.6, 5.5, 4, 4, 6.5, 6.6, 5, 4.6, 2])
    perceive[rng.random(perceive.shape) < 0.04] = np.nan
    empty = pd.DataFrame(np.isnan(perceive) & (rng.random(perceive.shape) < 0.7))
    held = survey(
        {"tangibles": 3, "reliability": 4, "empathy": 2},
        expect=expect,
        perceive=perceive,
        adequate=np.clip(expect - 1 - rng.integers(0, 2, expect.shape), 1, 7),
        standard=np.where(who[:, None] == "manager", 4.0, np.nan) + rng.integers(0, 2, expect.shape),
        not_applicable=empty.set_axis(["t1", "t2", "t3", "r1", "r2", "r3", "r4", "e1", "e2"], axis=1),
        people={
            "audience": who,
            "region": rng.choice(SEGMENTS, len(who), p=[0.5, 0.39, 0.01, 0.1]),
            "town": [f"the town of {i % 40}" for i in range(len(who))],
        },
        design={"segments": ["region", "town"]},
        conventions={"desired": True},
    )
    worded = {k: v.model_copy(update={"text": TEXT.format(k)}) for k, v in held.instrument.items.items()}
    object.__setattr__(held.instrument, "items", worded)
    return held


HELD = world()
ITEMS, DIMENSIONS, ZONE = (
    gap_scores(HELD, replicates=20),
    gap_scores(HELD, "dimension", replicates=20),
    zone_of_tolerance(HELD),
)
BOARD, SEGMENT, ANSWERS = gaps_model(HELD), segment_gap_scores(HELD, "region"), metrics.response_frequencies(HELD)
SEGMENTS_OF_ALL_KINDS, PERCEIVED = all_segment_gap_scores(HELD), perception_scores(HELD, replicates=20)
DRAWN = {
    "gap_scores": lambda ax=None: plots.gap_scores(ITEMS, ax=ax),
    "dimensions": lambda ax=None: plots.gap_scores(DIMENSIONS, ax=ax),
    "zone_of_tolerance": lambda ax=None: plots.zone_of_tolerance(ZONE, ax=ax),
    "gaps_model": lambda ax=None: plots.gaps_model(BOARD, ax=ax),
    "segment_gap_scores": lambda ax=None: plots.segment_gap_scores(SEGMENT, ax=ax),
    "shrunken_gap": lambda ax=None: plots.segment_gap_scores(SEGMENT, "shrunken_gap", ax=ax),
    "kinds of segments": lambda ax=None: plots.segment_gap_scores(SEGMENTS_OF_ALL_KINDS, ax=ax),
    "perception_scores": lambda ax=None: plots.perception_scores(PERCEIVED, ax=ax),
    "response_frequencies": lambda ax=None: plots.response_frequencies(ANSWERS, ax=ax),
}
every_plot = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
pytestmark = pytest.mark.usefixtures("figures_are_closed")


def named(ax):
    return {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}


@every_plot
def test_a_plot_is_drawn_on_the_axes_it_is_given(draw):
    ax = plt.figure().add_subplot()
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1


@every_plot
def test_a_plot_leaves_its_frame_and_the_global_look_alone(draw):
    frames = ITEMS, DIMENSIONS, ZONE, BOARD, SEGMENT, ANSWERS
    before, kept = dict(mpl.rcParams), [frame.copy() for frame in frames]
    draw()
    assert dict(mpl.rcParams) == before
    for frame, copy in zip(frames, kept, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


@every_plot
def test_nothing_on_a_plot_lies_on_anything_or_runs_off_the_figure(draw):
    ax = draw()
    ax.figure.draw_without_rendering()
    whole = ax.figure.bbox
    labels = [label for label in ax.get_yticklabels() if label.get_text()]
    down = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
    assert all(lower.y1 <= upper.y0 + 1 for lower, upper in itertools.pairwise(down))
    left, right = sorted(ax.get_xlim())
    across = [t for t in ax.get_xticklabels() if left <= t.get_position()[0] <= right and t.get_text()]
    for side in ax.child_axes:
        left, right = sorted(side.get_xlim())
        across += [t for t in side.get_xticklabels() if left <= t.get_position()[0] <= right and t.get_text()]
    boxes = sorted((t.get_window_extent() for t in across), key=lambda box: box.x0)
    assert all(one.x1 <= other.x0 + 1 for one, other in itertools.pairwise(boxes))
    legend = [ax.get_legend().get_window_extent()] if ax.get_legend() else []
    parts = [*down, *boxes, *legend, ax.xaxis.label.get_window_extent(), *(t.get_window_extent() for t in ax.texts)]
    assert all(whole.x0 - 1 <= box.x0 and box.x1 <= whole.x1 + 1 for box in parts)
    assert all(whole.y0 - 1 <= box.y0 and box.y1 <= whole.y1 + 1 for box in parts)
    assert not any(box.overlaps(other) for box in legend for other in (*down, *boxes))


@every_plot
def test_a_plot_says_what_its_axes_are(draw):
    assert draw().get_xlabel()


def test_gaps_are_told_by_colour_and_marker_and_sorted_within_their_dimension():
    ax = DRAWN["gap_scores"]()
    found = named(ax)
    colours = {"falls short": BASELINE, "exceeds": EXPECTED, "undecided": MUTED}
    assert {name: line.get_color() for name, line in found.items()} == colours
    assert len({line.get_marker() for line in found.values()}) == 3
    short = ITEMS[ITEMS.simultaneous_ci_high < 0]
    assert sorted(found["falls short"].get_xdata()) == sorted(short.gap)
    for _, rows in lines(ITEMS, by="gap").query("~title").groupby("dimension"):
        assert rows.gap.is_monotonic_increasing
        assert rows.place.is_monotonic_increasing
    bold = [label.get_text() for label in ax.get_yticklabels() if label.get_fontweight() == "bold"]
    assert bold == ["Tangibles", "Reliability", "Empathy"]


def test_gaps_are_drawn_with_their_intervals():
    ax = DRAWN["dimensions"]()
    ends = sorted(tuple(s[:, 0]) for c in ax.collections if hasattr(c, "get_segments") for s in c.get_segments())
    expected = DIMENSIONS[["simultaneous_ci_low", "simultaneous_ci_high"]].to_numpy()
    np.testing.assert_allclose(ends, sorted(map(tuple, expected)))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Tangibles", "Reliability", "Empathy", "Overall"]


def test_wordings_wrap_and_their_dollars_are_no_formulas():
    label = DRAWN["gap_scores"]().get_yticklabels()[1]
    assert 1 <= label.get_text().count("\n") <= 2
    assert "$5" in label.get_text().replace("\n", " ")
    assert not label.get_parse_math()


def test_a_gap_without_a_number_bears_its_reason():
    ends = dict.fromkeys(["gap", "simultaneous_ci_low", "simultaneous_ci_high"], np.nan)
    blank = ITEMS.assign(**ends, reason="fewer than 2 pairs")
    ax = plots.gap_scores(pd.concat([ITEMS[:4], blank[4:]]))
    assert [text.get_text() for text in ax.texts] == ["fewer than 2 pairs"] * 5
    assert "exceeds" not in named(plots.gap_scores(blank))


@pytest.mark.parametrize(
    ("draw", "table"),
    [
        (plots.gap_scores, ITEMS.assign(gap=np.nan)),
        (plots.perception_scores, PERCEIVED.assign(perceive=np.nan)),
        (plots.zone_of_tolerance, ZONE.assign(perceive=np.nan)),
        (plots.segment_gap_scores, SEGMENT.assign(gap=np.nan)),
        (plots.response_frequencies, ANSWERS[["item", "dimension", "text", "n"]]),
    ],
    ids=["gap_scores", "perception_scores", "zone_of_tolerance", "segment_gap_scores", "response_frequencies"],
)
def test_a_plot_of_nothing_says_why_in_words_alone(draw, table):
    ax = plt.figure().add_subplot()
    value = next((name for name in ("gap", "perceive") if name in table), "n")
    blank = with_reason(table.assign(reason="expectations were not asked", **{value: np.nan}), value)
    assert draw(blank, ax=ax) is ax
    assert [text.get_text() for text in ax.texts] == ["expectations were not asked"]
    assert not ax.axison
    assert not ax.lines


def test_perceptions_are_drawn_with_their_intervals():
    ax = DRAWN["perception_scores"]()
    ends = sorted(tuple(s[:, 0]) for c in ax.collections for s in c.get_segments())
    np.testing.assert_allclose(ends, sorted(zip(PERCEIVED.ci_low, PERCEIVED.ci_high, strict=True)))


def test_the_zone_lies_between_its_levels():
    ax = DRAWN["zone_of_tolerance"]()
    held = lines(ZONE)
    spans = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches)
    np.testing.assert_allclose(spans, sorted(zip(ZONE.adequate, ZONE.desired, strict=True)))
    drawn = np.concatenate([line.get_xdata() for name, line in named(ax).items() if "level" not in name])
    assert sorted(drawn) == pytest.approx(sorted(held.perceive.dropna()))
    assert "above" in named(ax)
    assert named(ax)["above"].get_color() == EXPECTED


def test_the_board_tells_measured_from_proxy_and_why_a_gap_is_absent():
    ax = DRAWN["gaps_model"]()
    assert set(named(ax)) == {"measured"}
    assert len(named(ax)["measured"].get_xdata()) == 6
    assert [text.get_text() for text in ax.texts] == ["absent: not asked: staff's promises"]
    stand_in = BOARD.assign(state=BOARD.state.mask(BOARD.number == 3, "proxy"))
    marks = named(plots.gaps_model(stand_in))
    assert marks["proxy"].get_markerfacecolor() == "white"
    assert marks["proxy"].get_marker() != marks["measured"].get_marker()
    extents = BOARD.assign(gap=BOARD.gap.mask(BOARD.number == 2), managers=4.25, staff=3.5, state="proxy")
    assert (
        plots.gaps_model(extents).texts[0].get_text() == "proxy: mean ratings of extent, managers 4.25 and staff 3.50"
    )
    waves = BOARD.assign(waves=BOARD.waves.mask(BOARD.number == 1, "managers of wave 1, customers of wave 2"))
    assert "of wave 1" in plots.gaps_model(waves).get_yticklabels()[0].get_text().replace("\n", " ")
    absent = plots.gaps_model(BOARD.assign(gap=np.nan, ci_low=np.nan, ci_high=np.nan))
    assert not absent.get_xlabel()
    assert not absent.get_xticks().size


def test_no_value_of_a_suppressed_cell_is_drawn():
    ax = DRAWN["segment_gap_scores"]()
    texts = {(t.get_position()[0] - 0.5, t.get_position()[1] - 0.5): t for t in ax.texts}
    lines = [label.get_text() for label in ax.get_yticklabels()]
    dimensions = list(dict.fromkeys(SEGMENT.dimension))
    assert set(SEGMENT.state) == {"shown", "greyed", "suppressed"}
    for row in SEGMENT.itertuples():
        place = dimensions.index(row.dimension), lines.index({"all": "All"}.get(row.segment, row.segment))
        told = texts[place].get_text()
        assert told == ("×" if row.state == "suppressed" else f"{row.gap:.2f}".replace("-", "−"))
        assert (texts[place].get_color() == MUTED) == (row.state != "shown")
    painted = ax.collections[0].get_array()
    assert painted.mask.sum() == (SEGMENT.state != "shown").sum()  # neither greyed nor suppressed cells bear colour


def test_segments_of_every_kind_stand_under_its_name_and_the_smallest_are_counted():
    ax = DRAWN["kinds of segments"]()
    told = [(label.get_text(), label.get_fontweight()) for label in ax.get_yticklabels()]
    assert [name for name, weight in told if weight == "bold"] == ["Region", "Town"]
    assert told[0][0] == "All"
    assert told[-1][0] == "and 25 smaller"  # of 40 towns
    assert len(told) == 1 + 1 + 4 + 1 + 15 + 1
    raw, shrunken = (plots.segment_gap_scores(SEGMENTS_OF_ALL_KINDS, value) for value in ("gap", "shrunken_gap"))
    assert raw.collections[0].get_clim() == shrunken.collections[0].get_clim()  # one scale of colours for both
    assert np.ma.allequal(raw.collections[0].get_array().mask, shrunken.collections[0].get_array().mask)


def test_answers_part_at_the_neutral_point_and_sum_to_all():
    ax = DRAWN["response_frequencies"]()
    places = sorted({bar.get_y() for bar in ax.patches})
    assert len(places) == len(ANSWERS)
    for place, row in zip(places, ANSWERS.itertuples(), strict=True):
        held = [bar for bar in ax.patches if bar.get_y() == place]
        assert sum(bar.get_width() for bar in held) == pytest.approx(1)
        neutral = held[3]
        assert neutral.get_x() + neutral.get_width() / 2 == pytest.approx(0, abs=1e-9)
        given = HELD.select("customer").perceive[row.item].dropna()
        assert [bar.get_width() for bar in held] == pytest.approx([(given == level).mean() for level in range(1, 8)])
    (side,) = ax.child_axes
    assert [bar.get_width() for bar in side.patches] == pytest.approx(ANSWERS.not_applicable.tolist())


def test_an_even_scale_parts_between_its_middle_answers():
    held = survey({"a": 2}, perceive=[[1, 4], [2, 3], [3, 1], [4, 2]], scale={"low": 1, "high": 4})
    ax = plots.response_frequencies(metrics.response_frequencies(held))
    starts = {round(bar.get_x() + bar.get_width(), 9) for bar in ax.patches[2:4]}
    assert starts == {0}


def test_a_long_scale_names_only_its_ends():
    rng = np.random.default_rng(1)
    held = survey({"a": 2}, perceive=rng.integers(0, 101, (50, 2)), scale={"low": 0, "high": 100})
    ax = plots.response_frequencies(metrics.response_frequencies(held))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "100"]


def test_shares_of_answers_are_weighted_and_tell_missing_from_not_applicable():
    there = pd.DataFrame({"a1": [False, False, True, False], "a2": [False] * 4})
    held = survey(
        {"a": 2},
        perceive=[[1, 2], [2, 2], [np.nan, 3], [np.nan, 1]],
        scale={"low": 1, "high": 3},
        weights=[3, 1, 4, 2],
        not_applicable=there,
    )
    table = metrics.response_frequencies(held).set_index("item")
    assert table.loc["a1", [1, 2, 3]].tolist() == [0.75, 0.25, 0]
    assert table.loc["a1", ["n", "not_applicable", "missing"]].tolist() == [2, 0.4, 0.2]
    assert table.loc["a2", [1, 2, 3]].tolist() == [0.2, 0.4, 0.4]


def test_a_radar_is_never_drawn_alone():
    left, right = plots.gap_radar(DIMENSIONS)
    assert left.figure is right.figure
    assert (left.name, right.name) == ("rectilinear", "polar")
    assert named(left)
    profiles = named(right)
    assert {name: line.get_color() for name, line in profiles.items()} == {"expected": EXPECTED, "perceived": ACTUAL}
    assert list(profiles["perceived"].get_ydata()) == pytest.approx([*DIMENSIONS.perceive[:3], DIMENSIONS.perceive[0]])
    left.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in right.get_xticklabels()]
    legend = right.get_legend().get_window_extent()
    assert not any(legend.overlaps(box) or left.bbox.overlaps(box) for box in boxes)
    given = [plt.figure().add_subplot(121), plt.figure().add_subplot(122, projection="polar")]
    assert plots.gap_radar(DIMENSIONS, ax=given) == given
