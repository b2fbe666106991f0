"""Gap analysis of a large survey: 22 items and 6 scores, every test, Holm, 2,000 bootstrap replicates.

Intervals by histogram are checked against a bootstrap of rows before anything is timed.
"""

import time

import numpy as np
import pandas as pd

from crmlab import service_quality as sq
from crmlab.simulate.survey import SERVQUAL
from crmlab.stats import bootstrap
from crmlab.stats.intervals import percentile_interval

from .clock import QUICK, Measured

SIZE, REPLICATES = (10_000, 500) if QUICK else (100_000, 2000)


def measure():
    """Every figure of this file, as they come."""
    plain, weighted = survey(SIZE, np.ones(SIZE)), survey(SIZE, np.random.default_rng(2).gamma(4, size=SIZE))
    agreeing(plain)
    how = f"{SIZE:,} respondents, {REPLICATES:,} replicates, best of 3"
    yield Measured("gaps of 22 items and 6 scores, seconds", min(timed(plain) for _ in range(3)), 1, how)
    once = how.replace("best of 3", "once")
    yield Measured("the same, weighted, seconds", timed(weighted), 20, once)
    yield Measured("quadrants of 22 items, ranks of 5 drivers, seconds", ranked(plain), 20, f"{once}, by respondent")


def survey(size, weights):
    """Complete answers on a scale of 1 to 7 to 22 items, both batteries."""
    rng, names, dimensions = np.random.default_rng(1), iter(range(1, 100)), {}
    for dimension, count in SERVQUAL.items():
        dimensions[dimension] = [f"i{next(names)}" for _ in range(count)]
    listed = [name for held in dimensions.values() for name in held]
    items = {name: {"expect": f"E{name}", "perceive": f"P{name}"} for name in listed}
    halo = rng.normal(size=(size, 1))
    expect, perceive = (
        pd.DataFrame(np.clip(np.round(m + s * rng.normal(size=(size, 22)) + h * halo), 1, 7), columns=listed)
        for m, s, h in ((5.8, 0.9, 0.4), (4.8, 1.1, 0.7))
    )
    people = pd.DataFrame({"respondent": range(size), "wave": 1, "audience": "customer", "weight": weights})
    none = people[[]]
    instrument = sq.Instrument(scale={"low": 1, "high": 7}, dimensions=dimensions, items=items)
    return sq.Survey(instrument, people, expect, perceive, *[none] * 7)


def agreeing(answers):
    """Intervals by histogram and by rows differ by no more than both vary from seed to seed."""
    table = sq.gap_scores(answers, replicates=REPLICATES)
    drawn = bootstrap.means((answers.perceive - answers.expect)[table.item], replicates=REPLICATES, seed=5)
    ends, error = percentile_interval(drawn), drawn.std(axis=0) * 2.7 / np.sqrt(REPLICATES)
    for found, expected in zip((table.bootstrap_ci_low, table.bootstrap_ci_high), ends, strict=True):
        assert (np.abs(found - expected) < 5 * np.sqrt(2) * error).all()


def timed(answers):
    begun = time.perf_counter()
    sq.gap_scores(answers, replicates=REPLICATES)
    sq.gap_scores(answers, by="dimension", replicates=REPLICATES)
    return time.perf_counter() - begun


def ranked(answers):
    """How long the statistics take whose replicates draw respondents anew."""
    satisfied = pd.Series(answers.perceive.mean(axis=1) + np.random.default_rng(3).normal(size=SIZE))
    means = {d: answers.perceive[names].mean(axis=1) for d, names in answers.instrument.dimensions.items()}
    begun = time.perf_counter()
    sq.importance_performance_analysis(answers.perceive, satisfied, replicates=REPLICATES)
    sq.relative_importance(pd.DataFrame(means), satisfied, replicates=REPLICATES)
    return time.perf_counter() - begun
