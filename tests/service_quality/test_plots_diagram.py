"""The gap model's diagram, the bar of promoters, changes between waves, and wordings beside codes."""

import itertools

import numpy as np
import pandas as pd
import pytest

from crmlab import service_quality as sq
from crmlab.service_quality import plots
from crmlab.service_quality.models.asked import with_reason
from crmlab.service_quality.plots.lines import shortened, worded
from crmlab.style import ACTUAL, BASELINE, MUTED

from ..figures import draws
from .test_plots_gaps import BOARD

pytestmark = pytest.mark.usefixtures("figures_are_closed")
NUMBERS = ["gap", "simultaneous_ci_low", "simultaneous_ci_high", "minuend", "subtrahend", "managers", "staff"]
GAPS = pd.DataFrame(
    [
        (1, "measured", -0.5, -0.8, -0.2, 5.1, 5.6, np.nan, np.nan),
        (2, "proxy", *[np.nan] * 5, 4.4, 4.2),
        (3, "absent", *[np.nan] * 7),
        (4, "absent", *[np.nan] * 7),
        (5, "measured", -0.66, -0.76, -0.57, 4.94, 5.6, np.nan, np.nan),
        (6, "proxy", 0.1, -0.2, 0.4, 5.7, 5.6, np.nan, np.nan),
        (7, "measured", 0.6, np.nan, np.nan, 5.7, 5.1, np.nan, np.nan),
    ],
    columns=["number", "state", *NUMBERS],
)
WAVES = pd.DataFrame(
    {
        "dimension": ["tangibles", "empathy", "overall"],
        "waves": "1 to 2",
        "n": [40, 30, 0],
        "before": [4.0, 5.0, np.nan],
        "after": [4.5, 4.75, np.nan],
        "change": [0.5, -0.25, np.nan],
        "simultaneous_ci_low": [0.25, -0.5, np.nan],
        "simultaneous_ci_high": [0.75, 0.0, np.nan],
        "comparable": ["yes", "no", "undecided"],
    }
)


def said(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def test_the_diagram_has_the_numbers_of_each_gap_and_of_what_is_held():
    found = set(said(plots.gap_diagram(GAPS)))
    assert {"Gap 1\n−0.50\n−0.80 to −0.20", "Gap 5\n−0.66\n−0.76 to −0.57", "Gap 2\nrated", "Gap 3\nnot asked"} < found
    assert {"Gap 6, proxy\n0.10\n−0.20 to 0.40", "Gap 7\n0.60"} < found
    assert {"Expected service\n5.60", "Perceived service\n4.94", "Managers' view\nof expectations\n5.10"} < found
    assert {"Service standards\nrated: managers 4.40,\nstaff 4.20", "Promises to\ncustomers\nnot asked"} < found


def test_shortfalls_are_in_their_colour_and_gaps_without_a_number_are_pale():
    colours = {text.get_text().split("\n")[0]: text.get_color() for text in plots.gap_diagram(GAPS).texts}
    assert [colours[f"Gap {number}"] for number in (1, 5, 2, 3, 7)] == [BASELINE, BASELINE, MUTED, MUTED, MUTED]
    assert colours["Gap 6, proxy"] == ACTUAL  # its interval holds 0


@pytest.mark.parametrize("frame", [GAPS, BOARD], ids=["by hand", "of a survey"])
def test_nothing_of_the_diagram_lies_on_anything_else(frame):
    draws(plots.gap_diagram, frame)
    ax = plots.gap_diagram(frame)
    ax.figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in ax.texts if text.get_text()]
    pairs = itertools.combinations(boxes, 2)
    assert not [(a, b) for (a, one), (b, other) in pairs if one.overlaps(other)]
    whole = ax.figure.bbox
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 for _, box in boxes)


def test_a_bar_of_promoters_has_the_shares_and_the_score():
    frame = sq.promoter_shares(pd.Series([10, 9, 8, 3]))  # by hand: 2, 1 and 1 of 4; 100 (2 - 1) / 4
    draws(plots.net_promoter_score, frame)
    ax = plots.net_promoter_score(frame)
    widths = [container.patches[0].get_width() for container in ax.containers]
    assert widths == pytest.approx([0.25, 0.25, 0.5])
    assert [container.patches[0].get_x() for container in ax.containers] == pytest.approx([0, 0.25, 0.5])
    assert said(ax) == ["25%", "25%", "50%"]
    assert "Net promoter score 25 (95 % interval" in ax.get_xlabel()
    assert "n 4" in ax.get_xlabel()


def test_who_was_not_asked_to_recommend_has_the_reason():
    frame = sq.promoter_shares(pd.Series([1.0, 2.0]), scale=(1, 5))
    assert said(plots.net_promoter_score(frame)) == ["needs answers of 0 to 10, asked on 1 to 5"]


def test_changes_between_waves_are_drawn_with_their_intervals_by_whether_waves_are_comparable():
    draws(plots.wave_changes, WAVES)
    ax = plots.wave_changes(WAVES)
    lines = {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}
    assert list(lines) == ["comparable", "not comparable"]
    assert (list(lines["comparable"].get_xdata()), list(lines["not comparable"].get_xdata())) == ([0.5], [-0.25])
    ends = [[*segment[:, 0]] for part in ax.collections for segment in part.get_segments()]
    assert sorted(ends) == [[-0.5, 0.0], [0.25, 0.75]]
    assert said(ax) == ["4.00 to 4.50", "5.00 to 4.75", "no number"]
    assert "waves 1 to 2, points of the scale" in ax.get_xlabel()


def test_without_an_earlier_wave_the_reason_is_drawn():
    frame = pd.DataFrame([{"dimension": "overall", "change": np.nan, "reason": "customers answered in no wave before"}])
    assert said(plots.wave_changes(with_reason(frame, "change"))) == ["customers answered in no wave before"]


def test_wordings_stand_beside_codes_shortened():
    frame = pd.DataFrame({"item": ["p1", "p2"], "text": ["Staff are polite", "服务" * 30]})
    assert worded(frame, width=16).tolist() == ["p1  Staff are polite", f"p2  {'服务' * 7}服…"]
    assert worded(frame.drop(columns="text")).tolist() == ["p1", "p2"]
    assert shortened("one two  three", 9) == "one two…"


@pytest.fixture(scope="module")
def customers():
    return sq.read_survey("data/example_survey.csv", "data/example_survey.toml").as_of().select("customer")


def test_items_have_their_wording_where_they_are_drawn_by_code(customers):
    asked = customers.instrument.items
    impact = sq.asymmetric_impact(customers)
    assert impact.text.tolist() == [item.text for item in asked.values()]
    labels = [label.get_text() for label in plots.asymmetric_impact(impact).get_yticklabels()]
    assert labels[4] == f"Q5  {asked['Q5'].text}"
    ax = plots.improvement_priorities(sq.improvement_priorities(customers, replicates=20))
    (key,) = [text.get_text().splitlines() for text in ax.texts if "\n" in text.get_text()]
    assert key == [f"{name}  {item.text}" for name, item in asked.items()]
    assert sq.key_drivers(customers, replicates=20).text.eq("").all()  # of dimensions
