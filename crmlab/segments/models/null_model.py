"""Whether there are clusters at all: the same search for clusters in customers like these, but of one kind.

Indices find clusters in any data, in skewed ones above all. So they are compared with what they find in draws from a
model that has the skewness, the zeros and the dependence of the data, but one mode in each feature: a normal copula
over margins whose densities rise to a mode and fall. Margins as they are would carry planted clusters into the null.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special, stats
from scipy.spatial.distance import cdist

from crmlab.contracts import InputError
from crmlab.estimate import Estimate
from crmlab.model import Model, Unfitted, blank_of, needs_fit, or_unfitted
from crmlab.segments.models.clusters import COLUMNS, k_means, one_thread, subsample
from crmlab.segments.models.how_many import K_VALUES, prediction_strength, scaled, silhouette
from crmlab.segments.models.scheme import require_features, to_tuples
from crmlab.segments.models.transforms import Transform, signed_exp, signed_log

NULL_QUANTILE = 0.95  # of what the null gives, which customers must beat
MARGIN_PIECES = 50  # intervals of equal share of a margin
MATCHED, STEPS = 2000, 6  # draws, and steps, to find the correlations of the copula that give those of the ranks
MEASURES = ("silhouette", "prediction_strength")


@dataclass(frozen=True)
class Margin(Model):
    """One feature: a share at zero, and a density that rises to one mode and falls."""

    edges: tuple  # of the pieces on which the density is flat
    shares: tuple  # of those who are not at zero, below each edge, from 0 to 1
    zero: float  # share of customers at zero
    whole: bool  # values are whole numbers
    log: bool  # edges are log(1 + x), so that one mode is meant there

    @classmethod
    def fit(cls, values: np.ndarray, log: bool = False) -> "Margin":
        """The density of one mode that is nearest to the observed one, by the largest difference of shares below.

        On each side of a mode it is the least-squares one that only rises, or only falls [Grenander 1956]; of the modes
        the best is taken. Whole numbers keep their steps: a count of 1 is no cluster.
        """
        zero = values == 0
        rest = np.sort(values[~zero])
        whole = bool((rest == np.round(rest)).all())
        distinct, counts = np.unique(rest, return_counts=True)
        below = np.cumsum(counts) / len(rest)
        if len(distinct) > MARGIN_PIECES:
            at = np.unique(np.searchsorted(below, np.linspace(0, 1, MARGIN_PIECES + 1)[1:] * (1 - 1e-12)))
            at = at if whole else np.unique([0, *at])
            distinct, below = distinct[at], below[at]
        if whole:
            edges, shares = np.r_[distinct[0] - 0.5, distinct + 0.5], np.r_[0, below]
        else:
            edges, shares = (distinct, np.r_[0, below[1:]]) if len(distinct) > 1 else (distinct.repeat(2), [0, 1])
        edges = signed_log(edges) if log else edges
        if len(edges) > 2:
            shares = _one_mode(np.diff(edges), np.diff(shares))
        return cls(tuple(edges.tolist()), tuple(np.asarray(shares, float).tolist()), float(zero.mean()), whole, log)

    def quantile(self, ranks: np.ndarray) -> np.ndarray:
        """Values at ranks between 0 and 1: an array."""
        start = np.interp(0.0, self.edges, self.shares) * (1 - self.zero)  # share below zero
        beyond = np.where(ranks < start, ranks, np.maximum(ranks - self.zero, start)) / max(1 - self.zero, 1e-12)
        values = np.interp(beyond, self.shares, self.edges)
        values = signed_exp(values) if self.log else values
        values = np.round(values) if self.whole else values
        return np.where((ranks >= start) & (ranks < start + self.zero), 0.0, values)


@dataclass(frozen=True)
class UnimodalNull(Model):
    """Customers of one kind, with the margins, zeros and rank correlations of those observed.

    Parameters
    ----------
    columns : tuple of str
        Features that customers are clustered by.
    margins : tuple of Margin
        Distribution of each feature, of one mode.
    root : tuple
        Cholesky factor of the correlations of a normal copula, columns x columns.

    References
    ----------
    Grenander (1956), On the theory of mortality measurement: densities that only rise, or only fall.
    """

    columns: tuple
    margins: tuple
    root: tuple

    title = "Customers of one kind"

    @classmethod
    @or_unfitted
    def fit(
        cls, features: pd.DataFrame, columns: Sequence[str] = COLUMNS, transform: str = "log", seed: int = 1
    ) -> "UnimodalNull | Unfitted":
        """Margins of one mode and rank correlations learned from features.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        columns : sequence of str
            Features that customers are clustered by.
        transform : str
            Where it is "log", margins have one mode on the logarithmic scale, else as they are.
        seed : int
            Seed of the random generator.

        Returns
        -------
        UnimodalNull or Unfitted
            A model to draw customers from; Unfitted where a column is missing, or empty for a customer.
        """
        require_features(features, "a model of customers of one kind", columns)
        values = features[list(columns)].to_numpy(float)
        margins = tuple(Margin.fit(v, transform == "log") for v in values.T)
        wanted = np.corrcoef(_scores(values).T).reshape(len(columns), -1)
        normal = np.random.default_rng([seed, 1]).normal(size=(MATCHED, len(columns)))
        latent = _nearest(wanted)
        for _ in range(STEPS):  # ties hide some of the correlation, so that the copula needs more of it
            drawn = _drawn(margins, normal @ np.linalg.cholesky(latent).T)
            with np.errstate(invalid="ignore"):  # a column that is the same in all draws has no correlations
                off = wanted - np.corrcoef(_scores(drawn).T).reshape(wanted.shape)
            latent = _nearest(latent + np.nan_to_num(off))
        return cls(tuple(columns), margins, to_tuples(np.linalg.cholesky(latent)))

    def sample(self, count: int, rng: np.random.Generator) -> pd.DataFrame:
        """Customers of one kind, drawn at random.

        Parameters
        ----------
        count : int
            How many customers.
        rng : Generator
            Random generator of numpy.

        Returns
        -------
        DataFrame
            One row a customer, with `columns` in the units of the features.
        """
        normal = rng.normal(size=(count, len(self.columns)))
        return pd.DataFrame(_drawn(self.margins, normal @ np.array(self.root).T), columns=list(self.columns))


@needs_fit
def null_comparison(
    features: pd.DataFrame,
    columns: Sequence[str] = COLUMNS,
    transform: str = "log",
    k_values: Sequence[int] = K_VALUES,
    replicates: int = 99,
    sample_size: int = 1000,
    stop_early: bool = False,
    seed: int = 1,
) -> pd.DataFrame:
    """What the search for clusters finds in customers, and in draws of customers of one kind.

    Parameters
    ----------
    features : DataFrame
        One row a customer, of `customer_features`.
    columns : sequence of str
        Features that customers are clustered by.
    transform : str
        Scale of features, "raw", "log" or "winsorised": see `Transform`.
    k_values : sequence of int
        Numbers of clusters that are tried, 2 or more each, rising.
    replicates : int
        Number of draws, 19 or more.
    sample_size : int
        Customers searched, and drawn, at most; four times the highest number of clusters at least.
    stop_early : bool
        End the draws once the finding can no longer be "yes".
    seed : int
        Seed of the random generator.

    Returns
    -------
    DataFrame
        Customers first, then a row for each draw. source, "customers" or "null"; k, the number of clusters with the
        highest silhouette; silhouette, −1 to 1, and prediction_strength, 0 to 1, there; searched, how many of
        customers, a sample drawn with the seed where they are more than `sample_size`. Blank where `Transform.fit` is
        Unfitted, and where distinct customers are fewer than clusters.

    Raises
    ------
    InputError
        Where replicates, k_values or the sample are too few.
    """
    if replicates < 19 or not k_values or min(k_values) < 2 or sample_size < 4 * max(k_values):
        raise InputError(
            f"replicates = {replicates}, k_values = {k_values}, sample_size = {sample_size}: "
            "give 19 draws or more, counts of 2 or more, and a sample of four times the highest count"
        )
    observed = features.iloc[subsample(len(features), sample_size, seed)]
    if reason := scaled(observed, columns, transform, 4 * max(k_values), max(k_values))[1]:
        return blank_of(pd.DataFrame, reason)
    null, rng = UnimodalNull.fit(observed, columns, transform, seed), np.random.default_rng([seed, 2])
    rows = [{"source": "customers"} | _search(observed, columns, transform, k_values, seed)]
    for place in range(replicates):
        simulated = null.sample(len(observed), rng)
        rows.append({"source": "null"} | _search(simulated, columns, transform, k_values, seed + 1 + place))
        if stop_early and max(p_value(pd.DataFrame(rows), m, replicates) for m in MEASURES) > 1 - NULL_QUANTILE:
            break
    return pd.DataFrame(rows).assign(searched=len(observed), customers=len(features))


@needs_fit
def clusters_by_silhouette(comparison: pd.DataFrame) -> Estimate:
    """The number of clusters with the highest silhouette among customers.

    Parameters
    ----------
    comparison : DataFrame
        Of `null_comparison`.

    Returns
    -------
    Estimate
        A count.
    """
    return Estimate(int(comparison.k.iloc[0]), n=int(comparison.searched.iloc[0]), kind="count")


def p_value(table, measure, replicates):
    """Share of the draws, the customers among them, that are as good as the customers."""
    values = table[measure].to_numpy()
    return (1 + (values[1:] >= values[0]).sum()) / (1 + replicates)


def _search(features, columns, transform, k_values, seed):
    """The best number of clusters by silhouette, with that and the prediction strength.

    A draw in which a column is the same for all is left with the others.
    """
    varying = [c for c in columns if features[c].nunique() > 1]
    if len(features[varying].drop_duplicates()) < k_values[0]:
        return {"k": k_values[0], "silhouette": 0.0, "prediction_strength": 0.0}  # a draw without clusters
    X = Transform.fit(features, varying, transform).transform(features)
    kinds = len(np.unique(X, axis=0))
    distances, found = cdist(X, X), {}
    for k in (k for k in k_values if k <= kinds):
        codes = k_means(X, k, seed, 3)[1]
        with one_thread():
            found[k] = silhouette(distances, codes)
    best = max(sorted(found), key=found.__getitem__)
    return {"k": best, "silhouette": found[best], "prediction_strength": prediction_strength(X, best, 3, seed, 2)}


def _one_mode(widths, masses):
    """Shares below each edge of the density of one mode that is nearest to flat pieces of such widths and masses."""
    density, observed = masses / widths, np.r_[0, np.cumsum(masses)]
    best, least = observed, np.inf
    for mode in range(len(widths) + 1):
        rising, falling = slice(mode), slice(mode, None)
        held = [side for side in (rising, falling) if len(widths[side])]
        fits = [optimize.isotonic_regression(density[s], weights=widths[s], increasing=s is rising).x for s in held]
        shares = np.r_[0, np.cumsum(np.concatenate(fits) * widths)]
        if (off := np.abs(shares - observed).max()) < least - 1e-12:
            best, least = shares / shares[-1], off
    return best


def _scores(values):
    """Normal scores of ranks; ties share the mean of theirs."""
    return special.ndtri(stats.rankdata(values, axis=0) / (len(values) + 1))


def _drawn(margins, normal):
    return np.stack([m.quantile(special.ndtr(z)) for m, z in zip(margins, normal.T, strict=True)], axis=1)


def _nearest(matrix):
    """The nearest matrix that is one of correlations, by its eigenvalues."""
    values, vectors = np.linalg.eigh(np.clip(matrix, -0.999, 0.999) * (1 - np.eye(len(matrix))) + np.eye(len(matrix)))
    held = (vectors * np.maximum(values, 1e-4)) @ vectors.T
    scale = np.sqrt(np.diag(held))
    return held / np.outer(scale, scale)
