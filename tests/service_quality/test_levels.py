"""One level for all intervals: which functions take it, and what it does."""

import inspect
import re

import numpy as np
import pandas as pd
import pytest

from crmlab import service_quality as sq

from ..public import PUBLIC
from .gap_worlds import answers, world
from .gap_worlds import survey as of_batteries

OURS = {name: function for name, function in PUBLIC.items() if name.startswith("service_quality.")}
AS_OF = re.compile(r"[Aa]s of `(\w+)`|^`(\w+)` of", re.M)  # whose columns a docstring refers to


def documents_interval(name):
    """Whether what a function returns documents ci_low, itself or by the function that it refers to."""
    doc = inspect.getdoc(OURS[name]).split("Returns\n-------")
    referred = {f"service_quality.{one or other}" for one, other in AS_OF.findall(doc[-1])} - {name}
    return "ci_low" in doc[-1] or any(documents_interval(other) for other in referred & OURS.keys())


INTERVALS = [name for name in OURS if "." not in name.removeprefix("service_quality.") and documents_interval(name)]


def test_the_functions_that_give_intervals_are_found():
    assert {f"service_quality.{name}" for name in ("gap_scores", "scale_reliability", "key_drivers")} <= {*INTERVALS}
    assert len(INTERVALS) >= 20


@pytest.mark.parametrize("name", [*INTERVALS, "service_quality.PolynomialRegression.fit"])
def test_what_gives_intervals_takes_their_level(name):
    assert inspect.signature(OURS[name]).parameters["level"].default == 0.95


@pytest.mark.parametrize("function", [sq.gap_scores, sq.scale_reliability, sq.gaps_model])
def test_a_higher_level_makes_intervals_wider(function):
    rng = np.random.default_rng(1)  # one dimension, as factors of several take seconds to rotate
    survey = of_batteries({"reliability": 5}, expect=answers(rng, 60, 5, 5.6), perceive=answers(rng, 60, 5, 5.3))
    wide, narrow = (function(survey, level=level) for level in (0.99, 0.8))
    lows = [name for name in wide if name.endswith("ci_low") and wide[name].notna().any()]
    for low in lows:
        known, high = wide[low].notna(), low.removesuffix("low") + "high"
        assert (wide[low][known] < narrow[low][known]).all()
        assert (wide[high][known] > narrow[high][known]).all()
    assert lows


def test_numbers_checks_and_plots_say_of_which_level_their_intervals_are():
    gaps = sq.gap_scores(world(n=60), "dimension", level=0.9)
    assert sq.gap_estimates(gaps)["overall"].level == 0.9
    assert sq.plots.gap_scores(gaps).get_xlabel() == "Gap: perceived − expected (90 % simultaneous interval)"
    promoters = sq.promoter_shares(pd.Series([10, 9, 8, 3]), level=0.9)
    assert "90 % confidence interval" in str(sq.net_promoter_estimate(promoters))
    satisfied, loyal = pd.Series([4.0, 5.0] * 40), pd.Series([0, 1, 1, 1] * 20)
    check = sq.checks.top_box_more_loyal(sq.loyal_share_by_level(satisfied, loyal, level=0.9))
    assert "90 % confidence interval" in check.summary
