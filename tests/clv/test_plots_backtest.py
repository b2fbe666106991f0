"""The forest plot of a backtest."""

import pandas as pd
import pytest

from crmlab import holdout
from crmlab.clv import plots
from crmlab.style import BASELINE, EXPECTED, MUTED

from .drawings import COMPARISON, DRAWN, MEASURES, lines

pytestmark = pytest.mark.usefixtures("figures_are_closed")


def test_a_backtest_has_a_line_a_model_under_the_title_of_its_measure():
    ax = DRAWN["backtest"]()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    titles = [holdout.TITLES[measure] for measure in MEASURES]
    assert labels == [text for title in titles for text in (title, "BG/NBD", "Pareto/NBD", "NBD")]
    bold = [label.get_text() for label in ax.get_yticklabels() if label.get_fontweight() == "bold"]
    assert bold == titles
    assert ax.yaxis_inverted()


def test_a_backtest_shows_outcomes_by_colour_and_by_marker():
    found = lines(DRAWN["backtest"]())
    assert {name: line.get_color() for name, line in found.items()} == {
        "better": EXPECTED,
        "undecided": MUTED,
        "worse": BASELINE,
    }
    assert len({line.get_marker() for line in found.values()}) == 3
    assert list(found["better"].get_ydata()) == [1, 5, 9, 13, 17, 21, 25]
    assert list(found["worse"].get_ydata()) == [3, 7, 11, 15, 19, 23, 27]


def test_the_legend_of_a_backtest_lies_below_its_lines():
    ax = DRAWN["backtest"]()
    ax.figure.draw_without_rendering()
    lowest = ax.transData.transform((0, len(ax.get_yticklabels()) - 1))[1]
    assert ax.get_legend().get_texts()[0].get_window_extent().y1 < lowest
    assert ax.get_legend().get_texts()[0].get_window_extent().y0 > ax.bbox.y0


def test_a_backtest_draws_improvements_with_their_intervals():
    ax = DRAWN["backtest"]()
    table = holdout.improvements(COMPARISON)
    held = table[table.outcome == "worse"]
    assert list(lines(ax)["worse"].get_xdata()) == list(held.improvement)
    ends = [tuple(segment[:, 0]) for segment in ax.collections[2].get_segments()]
    assert ends == list(zip(held.improvement_ci_low, held.improvement_ci_high, strict=True))
    assert (held.improvement_ci_high < 0).all()


def test_a_backtest_by_one_measure_is_a_small_figure():
    one, all_of_them = plots.backtest(COMPARISON[COMPARISON.measure == "gini"]), DRAWN["backtest"]()
    assert one.figure.get_figheight() < 3 < all_of_them.figure.get_figheight()
    assert len(one.get_yticklabels()) == 4


def test_a_backtest_leaves_out_what_has_no_place():
    # an improvement on a lift of 0 is infinite; MBG/NBD was not fitted
    of_lift = (COMPARISON.measure == "lift") & (COMPARISON.model == "NBD")
    infinite = COMPARISON.assign(value=COMPARISON.value.mask(of_lift, COMPARISON.difference))
    labels = [label.get_text() for label in plots.backtest(infinite).get_yticklabels()]
    assert labels.count("NBD") == 6
    assert "MBG/NBD" not in labels
    assert len(plots.backtest(COMPARISON[COMPARISON.is_baseline]).get_yticklabels()) == 0


def test_a_backtest_is_drawn_over_all_origins_of_one_population():
    others = [COMPARISON.assign(origin="2024-01-31"), COMPARISON.assign(population="repeaters", value=0.5)]
    ax = plots.backtest(pd.concat([COMPARISON, *others]))
    assert list(lines(ax)["better"].get_xdata()) == list(lines(DRAWN["backtest"]())["better"].get_xdata())
    some = plots.backtest(pd.concat([COMPARISON, *others]), "repeaters")
    assert list(lines(some)["better"].get_xdata()) != list(lines(ax)["better"].get_xdata())


def test_a_model_fitted_from_some_origins_says_so_on_its_line():
    pooled = COMPARISON.assign(origins=3)
    pooled["origins"] = pooled.origins.mask(pooled.model == "Pareto/NBD", 2)
    labels = [label.get_text() for label in plots.backtest(pooled).get_yticklabels()]
    assert labels.count("Pareto/NBD (at 2 of 3 origins)") == 7
    assert labels.count("BG/NBD") == 7
