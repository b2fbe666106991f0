"""Shapes of life cycles, found in sales simulated from each, with noise."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.lifecycle import Bass, Shape, life_cycle_shape, shape_note
from crmlab.lifecycle.models import shapes
from crmlab.lifecycle.models.shapes import Pieces
from crmlab.model import Unfitted


def step(t, at, width):
    return 1 / (1 + np.exp(-(t - at) / width))


def sold_by(t):
    return Bass(1, 0.3, 11.4).cumulative(t).to_numpy()


WORLDS = {  # time from 0 to 1 -> sales; the name before a colon is the shape
    "classic: hump": lambda t: sold_by(t + 1e-3) - sold_by(t),
    "classic: plateau": lambda t: step(t, 0.3, 0.06),
    "classic: growth so far": lambda t: np.exp(3 * t),
    "classic: fall only": lambda t: np.exp(-3 * t),
    "growth-slump-maturity": lambda t: step(t, 0.2, 0.04) - 0.4 * step(t, 0.55, 0.04),
    "cycle-recycle": lambda t: np.exp(-((t - 0.28) ** 2) / 0.02) + 0.7 * np.exp(-((t - 0.72) ** 2) / 0.02),
    "scalloped": lambda t: step(t, 0.12, 0.025) + step(t, 0.45, 0.025) + step(t, 0.8, 0.025),
}


def simulated(world, periods, noise, seed):
    """Sales of a world, normal errors of `noise` times the highest on top."""
    pure = WORLDS[world](np.linspace(0, 1, periods))
    errors = noise * np.random.default_rng(seed).standard_normal(periods)
    return pd.Series(np.maximum(pure / pure.max() + errors, 0))


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("periods", [20, 40, 80])
def test_each_shape_is_found_in_little_noise(world, periods):
    found = [life_cycle_shape(simulated(world, periods, 0.02, seed)).name for seed in range(3)]
    assert found == [world.split(":")[0]] * 3


@pytest.mark.parametrize("world", WORLDS)
def test_in_more_noise_a_shape_is_found_or_called_ambiguous_but_seldom_taken_for_another(world):
    found = [life_cycle_shape(simulated(world, 60, 0.06, seed)).name for seed in range(10)]
    right = world.split(":")[0]
    assert sum(name in (right, "ambiguous") for name in found) >= 9
    assert found.count(right) >= 6


@pytest.mark.parametrize("world", [world for world in WORLDS if world.startswith("classic")])
def test_much_noise_makes_no_cycles_of_a_classic_curve(world):
    found = [life_cycle_shape(simulated(world, 60, 0.1, seed)).name for seed in range(10)]
    assert found.count("classic") >= 8


def test_pieces_too_slight_to_name_a_shape_lengthen_the_move_that_they_continue():
    # sales of video recorders, 1980 to 1989: the first two years of the fall alone would be within its noise
    sales = pd.Series([840, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890.0])
    assert life_cycle_shape(sales).summary == "rises for 5, then falls for 4 periods"
    assert shape_note(life_cycle_shape(sales)) == (
        "The shape of sales so far is classic: rises for 5, then falls for 4 periods."
    )


def test_noise_alone_draws_no_shape():
    rng = np.random.default_rng(3)
    found = [life_cycle_shape(pd.Series(10 + rng.standard_normal(50))) for _ in range(10)]
    assert [one.name for one in found] == ["ambiguous"] * 10
    assert "no line of few pieces explains more than" in found[0].summary


def test_moves_are_put_in_words_and_drawn_as_a_line():
    sales = simulated("cycle-recycle", 40, 0.01, 0)
    found = life_cycle_shape(sales)
    line = found.line(sales)
    kinds = [part.split(" for ")[0].strip() for part in found.summary.removesuffix(" periods").split(", then")]
    assert [kind for kind in kinds if kind != "is flat"] == ["rises", "falls", "rises", "falls"]
    assert line.columns.tolist() == ["sales", "line", "joint", "shape"]
    assert np.abs(line.line - line.sales).max() < 0.2
    assert not line.joint.iloc[[0, -1]].any()


def test_rescaled_sales_have_the_same_shape():
    sales = simulated("growth-slump-maturity", 40, 0.05, 1)
    assert (
        life_cycle_shape(sales).summary
        == life_cycle_shape(sales * 1e6).summary
        == life_cycle_shape(sales * 1e-6).summary
    )


def test_seasons_are_no_cycles():
    months = np.arange(72)
    seasonal = pd.Series((1 + months / 20) * (1 + 0.5 * np.sin(2 * np.pi * months / 12)))
    assert life_cycle_shape(seasonal, periods_per_year=12).name == "classic"
    assert life_cycle_shape(seasonal).name != "classic"


def test_a_slump_that_leaves_next_to_nothing_is_a_decline():
    t = np.linspace(0, 1, 40)
    high, low = (pd.Series(step(t, 0.2, 0.04) - deep * step(t, 0.5, 0.04)) for deep in (0.5, 0.9))
    assert (life_cycle_shape(high).name, life_cycle_shape(low).name) == ("growth-slump-maturity", "classic")


@pytest.mark.parametrize(("left", "name"), [(3.0, "growth-slump-maturity"), (2.9, "classic")])
def test_a_product_lives_on_after_a_slump_at_three_tenths_of_its_highest_sales(left, name):
    line = np.array([0.0, 5, 10, (10 + left) / 2, left, left, left, left, left])
    assert shapes._named([2, 4], line, line)[0] == name


def test_what_has_no_shape_to_read_has_a_reason():
    sales = pd.Series(range(7), dtype=float)
    few = life_cycle_shape(sales)
    assert few == Unfitted(Shape, "7 of the 8 periods a shape needs at least")
    assert few.line(sales).attrs["reason"] == few.reason
    assert (
        shape_note(few) == "The shape of sales so far cannot be estimated: 7 of the 8 periods a shape needs at least."
    )
    few = life_cycle_shape(pd.Series(range(14), dtype=float), periods_per_year=12)
    assert few.reason == "3 of the 8 periods a shape needs at least after a moving mean over 12"
    with pytest.raises(InputError, match="negative in 1 of 10 periods"):
        life_cycle_shape(pd.Series([*range(9), -1.0]))
    assert "the same in all 9 periods" in life_cycle_shape(pd.Series([2.0] * 9)).reason


def test_seasons_alone_are_no_shape():
    found = life_cycle_shape(pd.Series([float(1 + month % 12) for month in range(36)]), periods_per_year=12)
    assert found.reason == "sales are the same in all 25 periods after a moving mean over 12"


def test_the_line_through_one_spike_is_the_nearest_of_all_for_each_number_of_joints():
    # of 12 periods, the joints tried at first leave each other no place to go
    sales = np.array([0.0] * 5 + [100] + [0] * 6)
    pieces = Pieces(sales)
    for error, joints in pieces.found():
        sets = [each for each in combinations(range(1, 11), len(joints)) if all(np.diff(each) > 1)]
        least = min(np.square(pieces.line([*each])[1] - sales).sum() for each in sets)
        assert error == pytest.approx(least, rel=1e-8)
    assert str(life_cycle_shape(pd.Series(sales))) == "classic: is flat for 11 periods"
