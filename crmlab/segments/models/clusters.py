"""Schemes found by clustering: customers near each other on a declared transform; best class first by mean spend.

Whether clusters are more than an index finds anywhere is asked by `null_comparison`, whether they stay by
`bootstrap_stability`. Fits run on one thread from a given seed, so that they are the same from run to run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import sklearn
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from sklearn import cluster, mixture
from threadpoolctl import ThreadpoolController

from crmlab.contracts import InputError
from crmlab.model import Unfitted, or_unfitted
from crmlab.segments.models import scheme
from crmlab.segments.models.scheme import Scheme, require_fitted, to_tuples
from crmlab.segments.models.transforms import COLUMNS, Transform, column_names

SAMPLE = 5000  # customers a tree of clusters is grown on: it takes the distances of all pairs
LINKAGES = ("ward", "average", "complete", "single")
CHECKED = {"assume_finite": True, "skip_parameter_validation": True}  # rows were, and fits are made by the thousand
N_INIT = 10  # of k-means and mixtures, the best of which is taken

_threads = cache(ThreadpoolController)


@dataclass(frozen=True)
class Clusters(Scheme):
    """What the three share: scales, centres, names of classes, and rules in words."""

    transform: Transform
    centres: tuple

    rule_text = "nearest to"

    def __post_init__(self) -> None:
        widths = {len(centre) for centre in self.centres}
        if len(self.centres) < 2 or widths != {len(self.transform.columns)}:
            raise InputError(
                f"{type(self).__name__}: centres = {self.centres!r}; give two or more, with a number for each column"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that `assign` reads."""
        return self.transform.columns

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of clusters, the first that of the highest mean value."""
        return scheme.numbered("cluster", len(self.centres))

    def _places(self, features):
        scheme.check_features(features, self.name, self.columns)
        return self._places_of(self.transform.transform(features))

    def _places_of(self, X):
        return nearest_centre(X, self.centres)

    def _descriptions(self):
        for centre in self.transform.inverse_transform(np.array(self.centres)):
            pairs = zip(self.columns, centre, strict=True)
            where = ", ".join(f"{c} about {scheme.format_amount(float(f'{v:.4g}'))}" for c, v in pairs)
            yield f"{self.rule_text}: {where}"


@dataclass(frozen=True)
class KMeans(Clusters):
    """Clusters about means; each customer belongs to the nearest.

    Parameters
    ----------
    transform : Transform
        Scales of the features.
    centres : tuple
        Means, clusters x columns, as transformed.

    References
    ----------
    Lloyd (1982), Least squares quantization in PCM.
    Arthur & Vassilvitskii (2007), k-means++: the advantages of careful seeding.
    """

    name, title = "k-means", "k-means"

    @classmethod
    @or_unfitted
    def fit(
        cls,
        features: pd.DataFrame,
        k: int,
        columns: Sequence[str] = COLUMNS,
        transform: str = "log",
        value: str = "spend",
        seed: int = 1,
        n_init: int = N_INIT,
    ) -> "KMeans | Unfitted":
        """Clusters of customers by k-means.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        k : int
            Number of clusters, 2 or more.
        columns : sequence of str
            Features that customers are clustered by.
        transform : str
            Scale of features, "raw", "log" or "winsorised": see `Transform`.
        value : str
            Feature by whose mean clusters are ordered, the highest first.
        seed : int
            Seed of the random generator.
        n_init : int
            Starts, the best of which is taken.

        Returns
        -------
        KMeans or Unfitted
            Unfitted where customers are fewer than clusters, or a column is missing, empty or the same for all.

        Raises
        ------
        InputError
            Where k, the columns or the transform are not possible.
        """
        scale, X = _prepared(cls, features, k, columns, transform, value)
        centres, codes = k_means(X, k, seed, n_init)
        return cls(scale, to_tuples(centres[_order(codes, features[value], k)]))


@dataclass(frozen=True)
class GaussianMixture(Clusters):
    """Clusters that are normal, each with a covariance of its own; customers belong to the most probable one.

    Parameters
    ----------
    transform : Transform
        Scales of the features.
    centres : tuple
        Means, clusters x columns, as transformed.
    weights : tuple of float
        Shares of customers.
    covariances : tuple
        Clusters x columns x columns, as transformed.
    """

    weights: tuple
    covariances: tuple

    name, title, rule_text = "mixture", "Gaussian mixture", "most probable about"

    @classmethod
    @or_unfitted
    def fit(
        cls,
        features: pd.DataFrame,
        k: int,
        columns: Sequence[str] = COLUMNS,
        transform: str = "log",
        value: str = "spend",
        seed: int = 1,
    ) -> "GaussianMixture | Unfitted":
        """Clusters of customers by expectation maximisation.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        k : int
            Number of clusters, 2 or more.
        columns : sequence of str
            Features that customers are clustered by.
        transform : str
            Scale of features, "raw", "log" or "winsorised": see `Transform`.
        value : str
            Feature by whose mean clusters are ordered, the highest first.
        seed : int
            Seed of the random generator.

        Returns
        -------
        GaussianMixture or Unfitted
            Unfitted where customers are fewer than clusters, or a column is missing, empty or the same for all.

        Raises
        ------
        InputError
            Where k, the columns or the transform are not possible.
        """
        scale, X = _prepared(cls, features, k, columns, transform, value)
        found = fit_mixture(X, k, seed)
        order = _order(found.predict(X), features[value], k)
        return cls(scale, *(to_tuples(v[order]) for v in (found.means_, found.weights_, found.covariances_)))

    def _places_of(self, X):
        logs = []  # of share times density, but for a constant
        for weight, mean, covariance in zip(self.weights, self.centres, self.covariances, strict=True):
            away = np.linalg.solve(factor := np.linalg.cholesky(np.array(covariance)), (X - np.array(mean)).T)
            logs.append(np.log(weight) - np.log(np.diag(factor)).sum() - (away**2).sum(axis=0) / 2)
        return np.argmax(logs, axis=0)


@dataclass(frozen=True)
class Hierarchical(Clusters):
    """Clusters cut from a tree that joins the nearest first.

    The tree is grown on 5,000 customers at most, drawn with the seed; those have the tree's own labels, and another
    customer that of the nearest of them.

    Parameters
    ----------
    transform : Transform
        Scales of the features.
    centres : tuple
        Means of the tree's clusters, clusters x columns, as transformed.
    points : tuple
        What the tree was grown on, without repetition, points x columns, as transformed.
    codes : tuple of int
        The place of each point's cluster in `labels`.
    linkage : str
        Distance between clusters: "ward", "average", "complete" or "single".
    """

    points: tuple
    codes: tuple
    linkage: str = "ward"

    name, title, rule_text = "hierarchical", "Hierarchical clusters", "a branch of the tree, its mean"

    @classmethod
    @or_unfitted
    def fit(
        cls,
        features: pd.DataFrame,
        k: int,
        columns: Sequence[str] = COLUMNS,
        transform: str = "log",
        value: str = "spend",
        seed: int = 1,
        linkage: str = "ward",
    ) -> "Hierarchical | Unfitted":
        """Clusters of customers by agglomeration, the tree cut where k are left.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        k : int
            Number of clusters, 2 or more.
        columns : sequence of str
            Features that customers are clustered by.
        transform : str
            Scale of features, "raw", "log" or "winsorised": see `Transform`.
        value : str
            Feature by whose mean clusters are ordered, the highest first.
        seed : int
            Seed of the random generator.
        linkage : str
            Distance between clusters: "ward", "average", "complete" or "single".

        Returns
        -------
        Hierarchical or Unfitted
            Unfitted where customers are fewer than clusters, or a column is missing, empty or the same for all.

        Raises
        ------
        InputError
            Where k, the columns, the transform or the linkage are not possible.
        """
        if linkage not in LINKAGES:
            raise InputError(f"linkage = {linkage!r}: choose one of {', '.join(LINKAGES)}")
        scale, X = _prepared(cls, features, k, columns, transform, value)
        taken = X[subsample(len(X), SAMPLE, seed)]
        codes = cluster.AgglomerativeClustering(k, linkage=linkage).fit_predict(taken)
        points, first = np.unique(taken, axis=0, return_index=True)
        order = _order(codes[first][cKDTree(points).query(X)[1]], features[value], k)
        centres = np.stack([taken[codes == c].mean(axis=0) for c in order])
        return cls(scale, to_tuples(centres), to_tuples(points), to_tuples(np.argsort(order)[codes[first]]), linkage)

    def _places_of(self, X):
        return np.array(self.codes)[cKDTree(np.array(self.points)).query(X)[1]]


def k_means(X, k, seed, n_init=N_INIT):
    """Centres of k clusters of the rows of X, and the cluster of each row: two arrays."""
    with one_thread(), sklearn.config_context(**CHECKED):
        found = cluster.KMeans(k, n_init=n_init, random_state=seed).fit(X)
    return found.cluster_centers_, found.labels_


def fit_mixture(X, k, seed, n_init=3):
    """A normal mixture of k parts, as scikit-learn has it; a covariance is never thinner than 1e-6."""
    with one_thread(), sklearn.config_context(**CHECKED):
        return mixture.GaussianMixture(k, n_init=n_init, random_state=seed, max_iter=300, tol=1e-4).fit(X)


def nearest_centre(X, centres):
    """The nearest centre of each row: an array of places."""
    return cdist(X, np.asarray(centres, dtype=float)).argmin(axis=1)


def distinct_fault(X, columns, k, what):
    """What to say where fewer of the rows of X than k are distinct; empty where they are enough."""
    if (found := len(np.unique(X, axis=0))) >= k:
        return ""
    return (
        f"features: {len(X):,} customers have {found} distinct values of {', '.join(columns)}, fewer than the "
        f"{k} {what}; take fewer, or more columns"
    )


def subsample(n, size, seed):
    """Places of at most so many customers, drawn with the seed, ascending: all where there are no more."""
    return np.arange(n) if n <= size else np.sort(np.random.default_rng(seed).choice(n, size, False))


def one_thread():
    """A context in which neither BLAS nor scikit-learn's own loops share work among threads."""
    return _threads().limit(limits=1)


def _prepared(cls, features, k, columns, transform, value):
    """The transform, and the customers on it."""
    if not (isinstance(k, (int, np.integer)) and k >= 2):
        raise InputError(f"k = {k!r}: choose a whole number of clusters, 2 or more")
    columns = column_names(columns)
    scheme.require_features(features, cls.name, dict.fromkeys([*columns, value]), columns, int(k))
    scale = require_fitted(Transform.fit(features, columns, transform))
    X = scale.transform(features)
    if fault := distinct_fault(X, columns, k, f"segments of {cls.name}"):
        raise scheme.unfit(fault)
    return scale, X


def _order(codes, value, k):
    """Clusters by the mean value of their customers, the highest first; those without any come last."""
    means = value.astype(float).groupby(codes).mean().reindex(range(k), fill_value=-np.inf)
    return np.argsort(-means.to_numpy(), kind="stable")
