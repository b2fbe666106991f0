"""Plots of weights, tiers, moves and the portfolio draw the frames they are given, on the axes they are given."""

import matplotlib.pyplot as plt
import pytest

from crmlab.segments.models import index_system, migration, portfolio, weights
from crmlab.segments.plots import index_system as index_plots
from crmlab.segments.plots import migration as migration_plots
from crmlab.segments.plots import portfolio as portfolio_plots

from ..figures import draws
from .test_index_system import FRAME, card
from .test_migration import AFTER, BEFORE, WORTH
from .test_portfolio import BOOK, CLV, LABELS, STAGE, VALUE
from .test_weights import consistent

MOVES = migration.migration_matrix(BEFORE, AFTER, *WORTH)


def doubts(tiers):
    return index_system.weight_sensitivity_by_tier(
        index_system.IndexSystem.fit(FRAME, card(), tiers).weight_sensitivity(FRAME, replicates=20)
    )


TABLES = {
    "weighting_comparison": (
        index_plots.weighting_comparison,
        lambda: index_system.weighting_comparison(FRAME, card()),
    ),
    "judgements": (index_plots.ahp_judgements, lambda: weights.ahp_judgements(consistent())),
    "doubt_by_tier, 8": (index_plots.weight_sensitivity_by_tier, lambda: doubts(8)),
    "doubt_by_tier, 30": (index_plots.weight_sensitivity_by_tier, lambda: doubts(30)),
    "migration": (migration_plots.migration_matrix, lambda: MOVES),
    "migration, with a blank": (
        migration_plots.migration_matrix,
        lambda: migration.migration_matrix(BEFORE[:2], AFTER[:2], WORTH[0], WORTH[1]),
    ),
    "migration_summary": (migration_plots.migration_summary, lambda: migration.migration_summary(MOVES)),
    "value_concentration": (portfolio_plots.value_concentration, lambda: portfolio.value_concentration(VALUE)),
    "portfolio": (portfolio_plots.segment_portfolio, lambda: portfolio.segment_portfolio(LABELS, VALUE, clv=CLV)),
    "portfolio by stage": (
        portfolio_plots.segment_portfolio,
        lambda: portfolio.segment_portfolio(LABELS, VALUE, STAGE),
    ),
    "segment_treatments": (
        portfolio_plots.segment_treatments,
        lambda: portfolio.segment_treatments(LABELS, VALUE, BOOK),
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_plot_returns_the_axes_it_was_given_and_leaves_its_frame_alone(name):
    draw, made = TABLES[name]
    draws(draw, made())


def drawn(name):
    draw, made = TABLES[name]
    ax = draw(made())
    plt.close(ax.figure)
    return ax, [text.get_text() for text in ax.texts]


def test_cells_of_moves_show_shares_with_their_intervals():
    _, texts = drawn("migration")
    assert texts[:2] == ["50", "9–91"]  # 1 of 2, Wilson
    assert len(texts) == 2 * len(MOVES)
    _, blank = drawn("migration, with a blank")
    assert blank.count("–") == 6  # nobody was in B or C


def test_bars_of_moves_are_what_was_carried():
    ax, texts = drawn("migration_summary")
    table = TABLES["migration_summary"][1]()
    assert [bar.get_width() for bar in ax.patches] == [*table.value_before, *table.value_after]
    assert texts[0] == "+8"


def test_cells_of_the_portfolio_say_where_there_is_nobody():
    _, texts = drawn("portfolio by stage")
    assert texts.count("nobody") == 2
    assert texts[:2] == ["30.0%\n1 × 30", "50.0%\n1 × 50"]  # growth, then decline


def test_weights_are_marked_by_the_way_of_weighing():
    ax, _ = drawn("weighting_comparison")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["equal", "given", "entropy sum", "entropy minmax"]


def test_thirty_tiers_are_not_crowded():
    ax, _ = drawn("doubt_by_tier, 30")
    assert len(ax.patches) == 30
    assert len(ax.get_xticks()) <= 16
