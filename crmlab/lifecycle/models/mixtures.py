"""Whether survival is that of some mixture of customers who never change: each with a constant probability to renew.

The share left after t renewals is then a mixture of powers p^t, whatever its form: rising retention, and a BdW with c
below 1, are such. The nearest mixture is found by nonparametric maximum likelihood on a fixed grid of probabilities.
"""

import numpy as np
import pandas as pd
from scipy import optimize, special

from crmlab.lifecycle.models.survival import at_risk_and_lost
from crmlab.likelihood import REPLICATES
from crmlab.model import needs_fit
from crmlab.stats.comparisons import holm

GRID = np.concatenate([[0.0], 1 - np.geomspace(0.9, 1e-4, 120), [1.0]])  # probabilities to renew
STEPS, TOLERANCE = 100, 1e-6  # of the search; what is left to gain in log-likelihood where it ends
TINY = 1e-300


@needs_fit
def constant_mixture_test(durations: pd.DataFrame, replicates: int = REPLICATES, seed: int = 1) -> pd.DataFrame:
    """Whether the survival of each group departs from every mixture of customers with constant probabilities to renew.

    The likelihood ratio of the product limit over the nearest mixture, beside those of losses drawn from that mixture,
    with the same customers last seen, or first observed, at each renewal.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    replicates : int
        Draws of the parametric bootstrap.
    seed : int
        Seed of the draws; the n-th group's is seed + n, from 0.

    Returns
    -------
    DataFrame
        By group: likelihood_ratio, twice the difference of the log-likelihoods; p, the share of draws with as large a
        one; p_adjusted, by Holm over groups; reason, why there is no test.

    References
    ----------
    Lindsay (1995), Mixture Models: theory, geometry and applications; Wang (2007), On fast computation of the
    non-parametric maximum likelihood estimate of a mixing distribution, for the search.
    """
    groups = durations.groupby("group")
    found = {group: _tested(rows, replicates, seed + n) for n, (group, rows) in enumerate(groups)}
    frame = pd.DataFrame.from_dict(found, orient="index", columns=["likelihood_ratio", "p", "reason"])
    frame.insert(2, "p_adjusted", holm(frame.p.astype(float)).to_numpy())
    return frame.rename_axis("group")


def _tested(durations, replicates, seed):
    at_risk, lost = at_risk_and_lost(durations)
    if (at_risk > 0).sum() < 2:
        return np.nan, np.nan, f"{(at_risk > 0).sum()} of the 2 periods needed were observed"
    if not lost.sum():
        return np.nan, np.nan, f"none of {durations.customers.sum():,} customers was lost"
    ratio, weights = likelihood_ratio(at_risk, lost)
    drawn = [likelihood_ratio(*both)[0] for both in _drawn(at_risk, lost, weights, replicates, seed)]
    as_large = sum(one >= ratio - 2 * TOLERANCE for one in drawn)
    return ratio, (1 + as_large) / (1 + replicates), ""


def likelihood_ratio(at_risk, lost):
    """Twice the log-likelihood of the product limit over the nearest mixture, and the weights of that on GRID."""
    kept = at_risk - lost
    limit = special.xlogy(lost, lost / np.maximum(at_risk, 1)) + special.xlogy(kept, kept / np.maximum(at_risk, 1))
    best, weights = nearest_mixture(at_risk, lost)
    return max(2 * (float(limit.sum()) - best), 0.0), weights


def nearest_mixture(at_risk, lost):
    """Log-likelihood and weights on GRID of the mixture by which what was observed is most probable.

    Customers who came under observation after t renewals count given that they had survived them. Each step adds those
    lost unseen before, as expected (Turnbull 1976), and goes to the maximum of a quadratic approximation.
    """
    left = GRID ** np.arange(len(lost) + 1)[:, None]
    last_seen = at_risk - lost - np.append(at_risk[1:], 0)
    came, unseen = np.maximum(-last_seen, 0), 1 - left[1:]
    rows, counts = np.vstack([left[:-1] - left[1:], left[1:]]), np.concatenate([lost, np.maximum(last_seen, 0)])
    rows, counts = rows[counts > 0], counts[counts > 0].astype(float)

    def total(weights):
        return counts @ np.log(np.maximum(rows @ weights, TINY)) - came @ np.log(np.maximum(left[1:] @ weights, TINY))

    weights = np.full(len(GRID), 1 / len(GRID))
    value = total(weights)
    for _ in range(STEPS):
        away = came * (unseen @ weights) / np.maximum(left[1:] @ weights, TINY)
        step = _step(np.vstack([rows, unseen[came > 0]]), np.concatenate([counts, away[came > 0]]), weights)
        while (better := total(weights + step)) < value and np.abs(step).max() > TOLERANCE:
            step = step / 2
        if better < value + TOLERANCE:
            break
        weights, value = weights + step, better
    return float(value), weights


def _step(rows, counts, weights):
    """From `weights` to those that maximise the quadratic approximation, none below 0 and with sum 1."""
    ratio = rows / np.maximum(rows @ weights, TINY)[:, None]
    root = np.sqrt(counts)[:, None]
    whole = np.sqrt(counts.sum())
    system = np.vstack([root * (ratio - 2), np.full(len(weights), whole)])
    found = optimize.nnls(system, np.append(np.zeros(len(counts)), whole), maxiter=100 * len(weights))[0]
    return found / found.sum() - weights


def _drawn(at_risk, lost, weights, replicates, seed):
    """Customers at risk and lost, drawn from a mixture `replicates` times; as many are last seen, or come, as did."""
    rng, left = np.random.default_rng(seed), GRID ** np.arange(len(lost) + 1)[:, None] @ weights
    share = np.clip(1 - left[1:] / np.maximum(left[:-1], TINY), 0, 1)
    last_seen = at_risk - lost - np.append(at_risk[1:], 0)
    there, drawn = np.full(replicates, at_risk[0]), []
    for probability, leaves in zip(share, last_seen, strict=True):
        gone = rng.binomial(there, probability)
        drawn.append((there, gone))
        there = np.maximum(there - gone - leaves, 0)
    return np.array(drawn).transpose(2, 1, 0)
