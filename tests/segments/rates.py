"""Worlds simulated in number: what a test and a row of `make bench PART=coverage` both count."""

import numpy as np

from crmlab.segments.checks import customers_form_clusters
from crmlab.segments.models import cross_fit
from crmlab.segments.models.null_model import null_comparison
from crmlab.stats.intervals import percentile_interval

from .worlds import COLUMNS, ONE_KIND, one_kind

TRANSFORMS = {"uniform": "raw", "gaussian": "raw", "lognormal": "raw", "gamma_poisson": "log"}
SMALL = {"k_values": (2, 3, 4), "replicates": 19, "sample_size": 200}


def clusters_claimed(worlds):
    """In how many worlds of one kind, so many of each of four kinds, clusters are shown."""
    claims = [
        len(table) == 20 and customers_form_clusters(table).outcome == "yes"
        for kind in ONE_KIND for seed in range(worlds)
        for table in [null_comparison(one_kind(kind, seed, 200), COLUMNS, TRANSFORMS[kind], stop_early=True, **SMALL)]
    ]  # fmt: skip
    return sum(claims)


def no_difference_held(backtests, segments, replicates=100):
    """The shares of backtests of two schemes of nothing whose intervals hold 0: Gini, lift and R²."""
    held = np.zeros(3)
    for seed in range(backtests):
        rng = np.random.default_rng([3, seed])
        codes, y = [rng.integers(0, k, 300) for k in segments], rng.lognormal(size=(300, 1))
        drawn = cross_fit.cross_fitted_measures(codes, [], y, np.arange(300) % 3, replicates, seed)[:, 0, :, 1:]
        ci_low, ci_high = percentile_interval((drawn[0] - drawn[1]).T)
        held += (ci_low <= 0) & (ci_high >= 0)
    return held / backtests
