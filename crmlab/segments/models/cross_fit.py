"""What later behaviour segments predict: means learned from some customers, judged on others, under resampling.

Customers are parted into folds. In each, a segment predicts for its customers the mean of those of the other folds who
are in it, and a continuous rule the rising curve fitted to the others [isotonic regression, Barlow et al. 1972], so
that neither needs a straight line. Measures are ratios of sums over folds, within each of which one set of
predictions orders customers: a segment that knows nothing is then worth 0, not less.

Customers are drawn anew within their fold, and what is predicted for them is learned anew, as what is learned by luck
is half of what may go wrong: the means of segments, and the heights of a curve's steps. Where its steps begin and end
stays as it was, which makes intervals somewhat wider than those of curves fitted anew.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.isotonic import IsotonicRegression

from crmlab.holdout.measures import TIE_TOLERANCE, TOP_SHARE, Weighted
from crmlab.stats.threads import one_thread

CELLS = 500_000  # weights drawn at a time: enough to be quick, few enough for a small machine
MEASURES = ("gini", "lift", "r2")
PARTS = ("area", "most", "top", "all", "gain", "spread")


def assign_folds(count, folds, seed):
    """The fold of each of `count` customers, as equal as can be: an array."""
    return np.random.default_rng(seed).permutation(np.arange(count) % folds)


def cross_fitted_measures(codes, scores, targets, fold, replicates, seed):
    """Each measure of each rule, as observed and in customers drawn anew: rules x targets x MEASURES x 1 + replicates.

    codes    : list of arrays, the segment of each customer, from 0
    scores   : list of arrays, continuous rules; the rows of both come in this order
    targets : customers x targets
    fold     : of each customer; customers are drawn anew within their fold, the same for all rules
    Replicates are shifted to have the mean that was observed, less what drawing itself adds. NaN where a measure has no
    value, as a target is the same for all.
    """
    rng, shape = np.random.default_rng(seed), (len(codes) + len(scores), targets.shape[1], 1 + replicates)
    parts = {name: np.zeros(shape) for name in PARTS}
    cells, places = _cells(codes, len(fold))
    curves = [_curves(score, targets, fold) for score in scores]
    step = max(CELLS // len(fold), 1)
    for begun in range(0, 1 + replicates, step):
        block = slice(begun, min(begun + step, 1 + replicates))
        weights, held = _weights(rng, fold, block), {name: part[..., block] for name, part in parts.items()}
        with one_thread():
            _add(held, cells, places, curves, targets, fold, weights)
    found = np.stack(_ratios(parts), axis=2)
    drawn = found[..., 1:]
    drawn += found[..., :1] - drawn.mean(axis=-1, keepdims=True) if replicates else 0
    return found


def _cells(codes, count):
    """Customers who are alike to all schemes share a cell: the cell of each, and the segment of each cell by scheme."""
    if not codes:
        return np.zeros(count, int), []
    kinds, cells = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
    return cells, [*kinds.T]


def _curves(score, targets, fold):
    """By fold: the level of each customer's score; and by target, the curve fitted to the other folds."""
    found = []
    for held in range(fold.max() + 1):
        others = fold != held
        level, place = np.unique(score[~others], return_inverse=True)
        found.append((place, [IsotonicCurve.fit(score, y, others, level) for y in targets.T]))
    return found


@dataclass(frozen=True)
class IsotonicCurve:
    """A rising curve as steps, straight between them: what it predicts at a level is a mean of heights of steps."""

    step: np.ndarray  # of each customer that it is learned from
    heights: np.ndarray  # of steps, as observed
    parts: sparse.csr_array  # levels x steps, rows sum to 1
    others: np.ndarray  # whether it is learned from a customer
    target: np.ndarray  # of those

    @classmethod
    def fit(cls, score, target, others, level):
        """The isotonic regression of the others' targets on their scores, as it is read at each level."""
        x, y = score[others], target[others]
        fit = IsotonicRegression(out_of_bounds="clip").fit(x, y)
        heights, step = np.unique(fit.predict(x), return_inverse=True)
        ends, steps, rows = np.sort(x), np.sort(step), np.arange(len(level))  # both rise with the score
        right = np.clip(np.searchsorted(ends, level), 0, len(x) - 1)
        left = np.where(ends[right] == level, right, np.maximum(right - 1, 0))
        wide = ends[right] - ends[left]
        share = np.divide(level - ends[left], wide, out=np.zeros(len(level)), where=wide > 0).clip(0, 1)
        cells = np.r_[1 - share, share], (np.r_[rows, rows], np.r_[steps[left], steps[right]])
        return cls(step, heights, sparse.csr_array(cells, (len(level), len(heights))), others, y)

    def predict(self, weights):
        """What it predicts at each level, its heights learned from customers drawn anew: levels x replicates."""
        drawn = weights[self.others]
        counts, sums = (_onto(self.step, v, len(self.heights)) for v in (drawn, drawn * self.target[:, None]))
        kept = np.broadcast_to(self.heights[:, None], sums.shape).copy()  # where nobody of a step is drawn
        return self.parts @ np.divide(sums, counts, out=kept, where=counts > 0)


def _weights(rng, fold, block):
    """How often each customer is drawn, customers x replicates; once each in the first, which is what was observed."""
    weights = np.ones((len(fold), block.stop - block.start))
    for place in range(1 if block.start == 0 else 0, weights.shape[1]):
        for held in range(fold.max() + 1):
            rows = np.flatnonzero(fold == held)
            weights[rows, place] = np.bincount(rng.integers(0, len(rows), len(rows)), minlength=len(rows))
    return weights


def _add(parts, cells, places, curves, targets, fold, weights):
    """The sums of all folds that measures are ratios of, for one block of replicates."""
    folds, rows = fold.max() + 1, [weights, *(weights * y[:, None] for y in targets.T)]
    held = [_onto(cells * folds + fold, v, (cells.max() + 1) * folds).reshape(-1, folds * v.shape[1]) for v in rows]
    whole = [v.reshape(-1, folds, weights.shape[1]).sum(axis=0) for v in held]  # folds x replicates
    own = [[_onto(place, v).reshape(-1, folds, weights.shape[1]) for v in held] for place in places]
    for f in range(folds):
        observed, w = targets[fold == f], weights[fold == f]
        weighed = [w, *(w * y[:, None] for y in observed.T)]
        levels = [[_onto(by[f][0], v) for v in weighed] for by in curves]
        for o, y in enumerate(observed.T):
            count, total = whole[0][f], whole[o + 1][f]
            base = (whole[o + 1].sum(axis=0) - total) / (whole[0].sum(axis=0) - count)
            plain = base**2 * count - 2 * base * total  # squares about the base, less those of the target itself
            parts["most"][:, o] += (weighed[o + 1] * Weighted(y, w).centred_ranks).sum(axis=0)
            parts["all"][:, o] += total
            parts["spread"][:, o] += (y**2) @ w + plain
            for r, (counts, *sums) in enumerate(own):
                mean = _means(counts, sums[o], f, base)
                _put(parts, r, o, plain, mean, counts[:, f], sums[o][:, f], _by_mean(mean, counts[:, f]))
            for r, (by, (counts, *sums)) in enumerate(zip(curves, levels, strict=True), len(own)):
                _put(parts, r, o, plain, by[f][1][o].predict(weights), counts, sums[o], _by_level(counts))


def _put(parts, r, o, plain, mean, counts, sums, order):
    """Add the sums of one fold, for one rule and target."""
    centred_ranks, share = order
    parts["area"][r, o] += (sums * centred_ranks).sum(axis=0)
    parts["top"][r, o] += (sums * share).sum(axis=0)
    parts["gain"][r, o] += plain - (mean**2 * counts).sum(axis=0) + 2 * (mean * sums).sum(axis=0)


def _means(counts, sums, f, base):
    """Mean of each segment in the folds but one, that of all of them where nobody there is in it."""
    others, total = counts.sum(axis=1) - counts[:, f], sums.sum(axis=1) - sums[:, f]
    return np.divide(total, others, out=np.broadcast_to(base, total.shape).copy(), where=others > 0)


def _by_mean(mean, counts):
    """Standing of each segment's customers, and their share in the best tenth, ordered by mean; ties share both."""
    more = mean[:, None] - mean[None] > TIE_TOLERANCE * np.abs(mean)[:, None]  # one above other
    above, below = (np.einsum(e, more.astype(float), counts) for e in ("ijr,ir->jr", "ijr,jr->ir"))
    tied = counts.sum(axis=0) - above - below
    return (below - above) / 2, _in_top(above, tied, counts.sum(axis=0))


def _by_level(counts):
    """The same for levels that rise."""
    so_far = np.cumsum(counts, axis=0)
    whole = so_far[-1]
    return so_far - (counts + whole) / 2, _in_top(whole - so_far, counts, whole)


def _in_top(above, tied, whole):
    taken = np.clip(whole * TOP_SHARE - above, 0, tied)
    return np.divide(taken, tied, out=taken, where=tied > 0)


def _onto(place, rows, size=None):
    """Sums of rows by place, 0 where a place below `size` has none."""
    shape = (size or place.max() + 1, len(place))
    return sparse.csr_array((np.ones(len(place)), (place, np.arange(len(place)))), shape) @ rows


def _ratios(parts):
    """Gini, lift of the best tenth, and R² beside the mean of the other folds."""
    pairs = ((parts["area"], parts["most"]), (parts["top"], TOP_SHARE * parts["all"]), (parts["gain"], parts["spread"]))
    there = (parts["most"] > 0) & (parts["spread"] > 0)
    return [np.divide(p, w, out=np.full(p.shape, np.nan), where=there & (w != 0)) for p, w in pairs]
