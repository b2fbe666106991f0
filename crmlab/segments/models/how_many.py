"""How many clusters there are, by six indices that need not agree, prediction strength among them.

Each index finds a number in data without any clusters, too: `null_comparison` asks whether to believe it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.metrics import calinski_harabasz_score, confusion_matrix, davies_bouldin_score

from crmlab.contracts import InputError
from crmlab.model import blank_of, needs_fit
from crmlab.segments.models import clusters
from crmlab.segments.models.clusters import COLUMNS, k_means, one_thread
from crmlab.segments.models.transforms import Transform

K_VALUES = tuple(range(2, 9))
PREDICTION_STRENGTH_LIMIT = 0.8  # prediction strength that is asked for [Tibshirani & Walther 2005]
ONE_CLUSTER = "silhouette, Calinski–Harabasz and Davies–Bouldin compare clusters, and there is one"
INDICES = {
    "silhouette": ("silhouette", "highest"),
    "calinski_harabasz": ("Calinski–Harabasz", "highest"),
    "davies_bouldin": ("Davies–Bouldin", "lowest"),
    "gap": ("gap", "first within a standard error of the next"),
    "bic": ("BIC of a mixture", "lowest"),
    "prediction_strength": ("prediction strength", f"most with {PREDICTION_STRENGTH_LIMIT} or more"),
}


@needs_fit
def validity_indices(
    features: pd.DataFrame,
    columns: Sequence[str] = COLUMNS,
    transform: str = "log",
    k_values: Sequence[int] = K_VALUES,
    replicates: int = 20,
    splits: int = 5,
    seed: int = 1,
) -> pd.DataFrame:
    """Six indices of how many clusters there are, for each number of clusters.

    Of k-means, and of a Gaussian mixture for BIC.

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
        Number of draws.
    splits : int
        Halvings for prediction strength.
    seed : int
        Seed of the random generator.

    Returns
    -------
    DataFrame
        By k, 1 the first, which has no silhouette, Calinski–Harabasz or Davies–Bouldin (NaN). silhouette, −1 to 1, on
        5,000 customers at most; calinski_harabasz, variance between over within clusters, each by its degrees of
        freedom; davies_bouldin, width of clusters over the distance between them, low is good; gap, log of the spread
        within clusters below that of uniform data, and gap_standard_error; bic, low is good; prediction_strength, share
        of pairs kept together by clusters of the other half, of the worst cluster; reason why an index is NaN. Blank
        where `Transform.fit` is Unfitted, and where distinct customers are fewer than clusters.

    Raises
    ------
    InputError
        Where k_values are out of order, or replicates or splits are fewer than 1.

    References
    ----------
    Rousseeuw (1987), Silhouettes.
    Caliński & Harabasz (1974), A dendrite method for cluster analysis.
    Davies & Bouldin (1979), A cluster separation measure.
    Tibshirani, Walther & Hastie (2001), Estimating the number of clusters in a data set via the gap statistic.
    Schwarz (1978), Estimating the dimension of a model.
    Tibshirani & Walther (2005), Cluster validation by prediction strength, (2.1).
    """
    if not [*k_values] or min(k_values) < 2 or [*k_values] != sorted(set(k_values)):
        raise InputError(f"k_values = {[*k_values]}: give numbers of clusters, 2 or more, in order")
    if replicates < 1 or splits < 1:
        raise InputError(f"replicates = {replicates}, splits = {splits}: give 1 of each at least")
    X, reason = scaled(features, columns, transform, 2 * max(k_values), max(k_values))
    if reason:
        return blank_of(pd.DataFrame, reason)
    return validity_indices_of(X, k_values, replicates, splits, seed)


def validity_indices_of(
    X: np.ndarray, k_values: Sequence[int] = K_VALUES, replicates: int = 20, splits: int = 5, seed: int = 1
) -> pd.DataFrame:
    """`validity_indices` of the rows of an array as they are."""
    taken = clusters.subsample(len(X), clusters.SAMPLE, seed)
    rows = {k: _row(X, taken, k, splits, seed) for k in (1, *k_values)}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("k")
    gap, error = _gaps(X, table.spread, replicates, seed)
    table = table.assign(gap=gap)[[*INDICES]]
    table.insert(table.columns.get_loc("gap") + 1, "gap_standard_error", error)
    return table.assign(reason=np.where(table.silhouette.isna(), ONE_CLUSTER, ""))


def scaled(features, columns, transform, min_customers, kinds):
    """Customers on a transform's scales, and why there are none: an array and a text, one of them empty."""
    if 0 < len(features) < min_customers:
        few = (
            f"features: {len(features):,} customers are fewer than the {min_customers} that a search for up to {kinds} "
        )
        return np.empty((0, len(columns))), f"{few}clusters needs; search for fewer (k_values), or take more customers"
    scale = Transform.fit(features, columns, transform)
    X = scale.transform(features) if scale else np.empty((0, len(columns)))
    return X, clusters.distinct_fault(X, columns, kinds, "clusters that are searched for") if scale else str(scale)


@needs_fit
def suggested_k(indices: pd.DataFrame) -> pd.DataFrame:
    """The number of clusters that each index chooses.

    Parameters
    ----------
    indices : DataFrame
        Of `validity_indices`.

    Returns
    -------
    DataFrame
        By index. k, number of clusters, which gap, BIC and prediction strength may put at 1; rule, how it is chosen, in
        words; value of the index there.
    """
    found = {}
    for name, (title, rule) in INDICES.items():
        k = int(_chosen(indices, name))
        found[title] = {"k": k, "rule": rule, "value": indices[name][k]}
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("index")


def silhouette(distances: np.ndarray, codes: np.ndarray) -> float:
    """Mean silhouette of a clustering, from the distances of all pairs, which several may share; NaN of one cluster.

    As scikit-learn has it, which goes row by row: sums over all rows at once are four times as fast.
    """
    kinds, codes, counts = np.unique(codes, return_inverse=True, return_counts=True)
    if len(kinds) == 1:
        return np.nan
    rows = np.arange(len(codes))
    sums = distances @ np.eye(len(kinds))[codes]
    within = sums[rows, codes] / np.maximum(counts[codes] - 1, 1)
    means = sums / counts
    means[rows, codes] = np.inf
    between = means.min(axis=1)
    widest = np.maximum(within, between)
    width = np.divide(between - within, widest, out=np.zeros(len(codes)), where=(widest > 0) & (counts[codes] > 1))
    return float(width.mean())


def prediction_strength(X, k, splits=5, seed=1, n_init=5):
    """Share of pairs in a cluster of one half that clusters of the other half keep together; of the worst cluster.

    Mean over halvings, each both ways; 1 where k is 1. [Tibshirani & Walther 2005, (2.1)]
    """
    if k == 1:
        return 1.0
    rng, found = np.random.default_rng([seed, k]), []
    for _ in range(splits):
        mixed = rng.permutation(len(X))
        halves = X[mixed[: len(X) // 2]], X[mixed[len(X) // 2 :]]
        fits = [k_means(half, k, int(rng.integers(2**31)), n_init) for half in halves]
        for one in (0, 1):
            own, predicted = fits[one][1], clusters.nearest_centre(halves[one], fits[1 - one][0])
            found.append(_kept(own, predicted, k))
    return float(np.mean(found))


def _kept(own, predicted, k):
    """Share of a cluster's pairs that are together as predicted, of the worst; one customer has no pair: 0."""
    together = confusion_matrix(own, predicted, labels=range(k))
    counts = together.sum(axis=1)
    pairs = (together * (together - 1)).sum(axis=1)
    return np.divide(pairs, counts * (counts - 1), out=np.zeros(k), where=counts > 1).min()


def _row(X, taken, k, splits, seed):
    """All but the gap for one number of clusters, with the log of the spread within, which the gap is made of."""
    centres, codes = k_means(X, k, seed)
    row = {"spread": _spread(X, centres, codes), "bic": clusters.fit_mixture(X, k, seed).bic(X)}
    row["prediction_strength"] = prediction_strength(X, k, splits, seed)
    if k > 1:
        with one_thread():
            row["silhouette"] = silhouette(cdist(X[taken], X[taken]), codes[taken])
            row["calinski_harabasz"] = calinski_harabasz_score(X, codes)
            row["davies_bouldin"] = davies_bouldin_score(X, codes)
    return row


def _spread(X, centres, codes):
    return np.log(((X - centres[codes]) ** 2).sum())


def _gaps(X, spread, replicates, seed):
    """The gap and its error for each k of `spread`: two Series."""
    rng = np.random.default_rng([seed, 0])
    low, high = X.min(axis=0), X.max(axis=0)
    drawn = np.empty((replicates, len(spread)))
    for b in range(replicates):
        uniform = rng.uniform(low, high, X.shape)
        for i, k in enumerate(spread.index):
            drawn[b, i] = _spread(uniform, *k_means(uniform, k, seed, 1))
    gap = pd.Series(drawn.mean(axis=0), spread.index) - spread
    return gap, pd.Series(drawn.std(axis=0) * np.sqrt(1 + 1 / replicates), spread.index)


def _chosen(table, name):
    values = table[name].dropna()
    if name == "gap":
        within = values.to_numpy()[:-1] >= (table.gap - table.gap_standard_error).to_numpy()[1:]
        return values.index[np.argmax(within)] if within.any() else values.index[-1]
    if name == "prediction_strength":
        return values.index[values >= PREDICTION_STRENGTH_LIMIT].max()
    return values.idxmin() if INDICES[name][1] == "lowest" else values.idxmax()
