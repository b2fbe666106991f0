"""Whether segments stay: when customers are drawn anew, and when what is known of them is slightly off."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype
from sklearn.metrics import adjusted_rand_score

from crmlab.check import within
from crmlab.contracts import InputError
from crmlab.holdout.comparison import NO_VALUE, NOT_FITTED
from crmlab.model import Unfitted, blank_of
from crmlab.segments.models.clusters import subsample
from crmlab.segments.models.scheme import Scheme
from crmlab.stats.intervals import percentile_interval

SAMPLE = 5000  # customers that are drawn anew, at most
DISSOLVED, RECOVERED = 0.5, 0.75  # Jaccard similarities [Hennig 2007]
PERTURBATIONS = (0.01, 0.05, 0.1)
EVERYONE = "all"
COUNTS = ["customers", "dissolved", "recovered", "replicates"]
STABILITY_COLUMNS = ["scheme", "label", "customers", "jaccard", "jaccard_ci_low", "jaccard_ci_high", *COUNTS[1:]]
STABILITY_COLUMNS += ["ari", "ari_ci_low", "ari_ci_high", "outcome", "reason"]


def bootstrap_stability(
    schemes: Mapping[str, Callable[[pd.DataFrame], Any]],
    features: pd.DataFrame,
    replicates: int = 100,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """How well segments are found again in customers drawn anew.

    A customer who is drawn several times counts once, as in Hennig's `clusterboot`: repetitions are clusters of their
    own. Rules with cuts at quantiles are stable by this, as it asks only whether other customers of the same kind lead
    to the same segments; see `jitter_stability` for those at a cut.

    Parameters
    ----------
    schemes : mapping
        Name -> what fits the scheme to features: of `define_schemes`, or such as `ABC.fit`.
    features : DataFrame
        One row a customer, of `customer_features`; schemes are fitted to 5,000 at most, drawn with the seed, and to
        each of the draws from them.
    replicates : int
        Number of draws.
    seed : int
        Seed of the random generator.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        A row for each scheme and segment. scheme, label; customers of the sample, count; jaccard, mean similarity with
        the most similar segment of a draw, 0 to 1, with jaccard_ci_low, jaccard_ci_high; dissolved, recovered, draws in
        which it is .5 or less, .75 or more; replicates, draws to which the scheme could be fitted; ari, mean adjusted
        Rand index of the scheme, with ari_ci_low, ari_ci_high; outcome, "passed" where the whole interval of jaccard is
        .75 or more, so that the segment is stable, "failed" where it is below, else "undecided", "no value" where
        nobody is in the segment, "not fitted" where the scheme was not; reason.

    Raises
    ------
    InputError
        Where there are no schemes, or no draws.

    References
    ----------
    Hennig (2007), Cluster-wise assessment of cluster stability.
    Hubert & Arabie (1985), Comparing partitions.
    """
    if not schemes or replicates < 1:
        raise InputError(f"schemes: {len(schemes)}, replicates = {replicates}: give one scheme and one draw at least")
    features = features.sort_index()
    held = features.iloc[subsample(len(features), SAMPLE, seed)]
    found = pd.concat([_found_again(name, fit, held, replicates, seed, level) for name, fit in schemes.items()])
    return found.reset_index(drop=True).reindex(columns=STABILITY_COLUMNS).astype(dict.fromkeys(COUNTS, "Int64"))


def jitter_stability(
    schemes: Mapping[str, Scheme | Unfitted],
    features: pd.DataFrame,
    perturbations: Sequence[float] = PERTURBATIONS,
    replicates: int = 50,
    seed: int = 1,
) -> pd.DataFrame:
    """How many customers change segment when what is known of them is slightly off.

    Parameters
    ----------
    schemes : mapping
        Name -> fitted scheme or Unfitted, of `fit_schemes`.
    features : DataFrame
        One row a customer, of `customer_features`.
    perturbations : sequence of float
        By how much of itself each number may be off, either way, above 0 and below 1; whole numbers are rounded to
        whole ones.
    replicates : int
        Number of draws.
    seed : int
        Seed of the random generator.

    Returns
    -------
    DataFrame
        A row for each scheme, perturbation and segment, "all" among them, and one for a scheme that was not fitted.
        scheme, perturbation, label; customers, count; near_cut, share of them who changed in any draw, and so are
        within the perturbation of a cut; changed, share who change, mean of draws; reason why the scheme was not
        fitted. Blank where none was.

    Raises
    ------
    InputError
        Where there are no schemes, no draws, or perturbations are not possible.
    """
    perturbations = [*perturbations]
    if not schemes or replicates < 1 or not all(0 < s < 1 for s in perturbations):
        advice = "give shares above 0 and below 1, and draws"
        raise InputError(f"perturbations = {perturbations}, replicates = {replicates}: {advice}")
    if not any(schemes.values()):
        return blank_of(pd.DataFrame, _none_fitted(schemes))
    features = features.sort_index()
    fitted = {name: scheme for name, scheme in schemes.items() if not isinstance(scheme, Unfitted)}
    labels = {name: scheme.assign(features) for name, scheme in fitted.items()}
    rows = {name: [] if name in fitted else [{"scheme": name, "reason": str(schemes[name])}] for name in schemes}
    for perturbation in perturbations:
        rng = np.random.default_rng([seed, round(perturbation * 1e6)])
        moved = {name: np.zeros(len(features)) for name in fitted}
        for _ in range(replicates):
            off = _off(features, perturbation, rng)  # the same for all schemes
            for name, scheme in fitted.items():
                moved[name] += scheme.assign(off).cat.codes.to_numpy() != labels[name].cat.codes.to_numpy()
        for name in fitted:
            rows[name] += _moved(name, perturbation, labels[name], moved[name], replicates)
    return pd.DataFrame([row for held in rows.values() for row in held])


def jaccard(one, other, ones, others):
    """Of each segment of `one`, its similarity with the most similar of `other`: in both over in either; 0 if empty.

    one, other  : codes of the same customers, from 0
    ones, others: how many segments either has
    """
    both = np.bincount(one * others + other, minlength=ones * others).reshape(ones, others)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
    return np.divide(both, either, out=np.zeros(both.shape), where=either > 0).max(axis=1)


def _found_again(name, fit, held, replicates, seed, level):
    """The rows of one scheme."""
    if not (fitted := fit(held)):
        return pd.DataFrame({"scheme": [name], "outcome": NOT_FITTED, "reason": str(fitted)})
    labels = fitted.assign(held)
    kinds, codes = labels.cat.categories, labels.cat.codes.to_numpy().astype(int)
    rng, similar, alike = np.random.default_rng(seed), [], []
    for _ in range(replicates):
        once = np.unique(rng.integers(0, len(held), len(held)))
        if not (refitted := fit(held.iloc[once])):
            continue
        new = refitted.assign(held)
        others = new.cat.codes.to_numpy().astype(int)
        each = jaccard(codes[once], others[once], len(kinds), len(new.cat.categories))
        similar.append(np.where(np.bincount(codes[once], minlength=len(kinds)) > 0, each, np.nan))
        alike.append(adjusted_rand_score(codes[once], others[once]))
    customers = labels.value_counts(sort=False).to_numpy()
    table = pd.DataFrame({"scheme": name, "label": kinds.astype(str), "customers": customers})
    if not similar:
        return table.assign(replicates=0, outcome=NOT_FITTED, reason=f"not fitted to any of {replicates} draws")
    return _summarise(table, pd.DataFrame(similar), np.array(alike), level)


def _summarise(table, similar, alike, level):
    (low, high), (ari_low, ari_high) = percentile_interval(similar.to_numpy(), level), percentile_interval(alike, level)
    table = table.assign(jaccard=similar.mean(), jaccard_ci_low=low, jaccard_ci_high=high)
    table = table.assign(dissolved=(similar <= DISSOLVED).sum(), recovered=(similar >= RECOVERED).sum())
    table = table.assign(replicates=len(alike), ari=alike.mean(), ari_ci_low=ari_low, ari_ci_high=ari_high)
    nobody = table.jaccard.isna()
    outcome = pd.Series([within(*ends, RECOVERED, 1) for ends in zip(low, high, strict=True)]).mask(nobody, NO_VALUE)
    return table.assign(outcome=outcome, reason=np.where(nobody, "nobody is in it", ""))


def _none_fitted(schemes):
    reasons = "; ".join(dict.fromkeys(map(str, schemes.values())))
    return f"none of {len(schemes)} schemes was fitted: {reasons}"


def _off(features, perturbation, rng):
    """Features whose numbers are each off by up to a share of themselves."""
    found = {}
    for name, values in features.items():
        if is_float_dtype(values) or is_integer_dtype(values):
            off = values.to_numpy(float) * (1 + rng.uniform(-perturbation, perturbation, len(values)))
            found[name] = np.round(off) if is_integer_dtype(values) else off
    return features.assign(**found)


def _moved(name, perturbation, labels, moved, replicates):
    for label, held in [(EVERYONE, slice(None)), *((k, (labels == k).to_numpy()) for k in labels.cat.categories)]:
        of = moved[held]
        near_cut, changed = ((of > 0).mean(), of.mean() / replicates) if len(of) else (0.0, 0.0)
        row = {"scheme": name, "perturbation": perturbation, "label": str(label), "customers": len(of)}
        yield row | {"near_cut": near_cut, "changed": changed, "reason": ""}
