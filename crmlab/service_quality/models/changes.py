"""Change between two waves of the same customers, and whether answers of both measure the same thing."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.check import within
from crmlab.model import FitError
from crmlab.service_quality.models.asked import OVERALL, not_asked_reason, reasoned
from crmlab.service_quality.models.covariance import complete, effective_n, pairwise_covariance
from crmlab.service_quality.models.gaps import at_once
from crmlab.service_quality.models.scores import battery_of, column_means, dimension_scores, single_wave
from crmlab.service_quality.models.structure import Moments, Places, Structure, rmsea, solve
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.differences import Sample, one_sample
from crmlab.stats.simultaneous import mean_deviations

MIN_ITEMS = 3  # of a dimension, below which loadings of both waves are not identified
STEPS = ("configural", "loadings", "intercepts")  # what is held equal, one after the other
COMPARABLE = {"passed": "yes", "failed": "no", "undecided": "undecided"}
TESTS = [f"{step}_{name}" for step in STEPS[1:] for name in ("chi2", "df", "p")]
COLUMNS = ["dimension", "waves", "n", "before", "after", "change", "ci_low", "ci_high"]
COLUMNS += ["simultaneous_ci_low", "simultaneous_ci_high", "p", "p_adjusted", "comparable", "n_invariance", *TESTS]
COLUMNS += ["rmsea", "rmsea_ci_low", "rmsea_ci_high", "reason"]


@reasoned("change")
def wave_changes(
    survey: Survey,
    wave: str | int | None = None,
    battery: str = "perceive",
    tolerance: float = 0.08,
    replicates: int = 2000,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """How far answers of the same customers changed since the wave before, and whether both can be compared.

    Parameters
    ----------
    survey : Survey
        Answers of several waves; only those of customers who answered in both are used.
    wave : str or int, optional
        The later wave; None takes the last of customers. The earlier one is the wave of customers before it.
    battery : str
        "expect", "perceive", "adequate", "importance", "standard" or "promise".
    tolerance : float
        Largest RMSEA of equal loadings and intercepts with which waves are comparable.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the draws.
    level : float
        Confidence level of the intervals, but for that of the RMSEA, which is of 90 % as is usual.

    Returns
    -------
    DataFrame
        A row a dimension and one overall:

        - dimension; waves: the two
        - n: customers who answered in both, each over the items answered in both
        - before, after, change, ci_low, ci_high: mean scores, and their difference with its interval by paired t
        - simultaneous_ci_low, simultaneous_ci_high, p, p_adjusted: as of `gap_scores`; dimensions are one family
        - comparable: "yes" where the whole interval of the RMSEA lies within `tolerance`, "no" where all of it lies
          above, else "undecided"; overall "no" where a dimension is
        - n_invariance: effective customers who answered all items of the dimension in both waves
        - loadings_chi2, loadings_df, loadings_p: test that loadings are equal in both waves (metric invariance)
        - intercepts_chi2, intercepts_df, intercepts_p: test that intercepts are equal too (scalar invariance)
        - rmsea, rmsea_ci_low, rmsea_ci_high: of both constraints, with the 90 % interval
        - reason: why the change is blank or not comparable, or why that is undecided

    Raises
    ------
    InputError
        If `survey` is no Survey, or there is no such wave or battery.

    References
    ----------
    Meredith (1993), Psychometrika 58, 525-543. Vandenberg & Lance (2000), Organizational Research Methods 3, 4-70.
    RMSEA of a difference: Savalei, Brace & Fouladi (2024), Psychological Methods 29, 466-493.
    """
    single_wave(survey if not isinstance(survey, Survey) else survey.as_of(wave))
    battery_of(survey, battery)
    waves = [str(each) for each in survey.waves]
    later = waves[-1] if wave is None else str(wave)
    place = waves.index(later) if later in waves else 0
    reason = not_asked_reason(survey, battery) or ("" if place else "customers answered in no wave before this one")
    if reason:
        return pd.DataFrame([{"dimension": OVERALL, "n": 0, "reason": reason}], columns=COLUMNS)
    answers, w = _paired_waves(survey, battery, waves[place - 1], later)
    scores = [dimension_scores(each, survey.instrument) for each in answers]
    compared = {"waves": f"{waves[place - 1]} to {later}"}
    rows = [_change(scores, name, w, level) | compared for name in scores[0]]
    difference = (scores[1] - scores[0]).to_numpy(dtype=float)
    for family in ([len(rows) - 1], range(len(rows) - 1)):
        at_once([rows[i] for i in family], mean_deviations(difference[:, family], w, replicates, seed), level)
    for row in rows[:-1]:
        items = [name for name in survey.instrument.dimensions[row["dimension"]] if name in answers[0]]
        row |= _comparable([each[items] for each in answers], w, tolerance, row["reason"])
    rows[-1] |= _all_comparable(rows)
    return pd.DataFrame(rows).rename(columns={"gap": "change"}).reindex(columns=COLUMNS)


def _paired_waves(survey, battery, *waves):
    """Answers of customers to the items that they answered in both waves, and their weights in the later one."""
    sides = [survey.select("customer", wave) for wave in waves]
    named = [
        getattr(side, battery).set_axis(side.people.respondent)[side.people.respondent.notna().to_numpy()]
        for side in sides
    ]
    shared = named[0].index.intersection(named[1].index)
    before, after = (each.loc[shared] for each in named)
    weight = sides[1].people.set_index("respondent").weight.loc[shared].to_numpy(dtype=float)
    there = before.notna() & after.notna()
    alike = len(weight) == 0 or (weight == weight[0]).all()
    return [each.where(there).reset_index(drop=True) for each in (before, after)], None if alike else weight


def _change(scores, name, w, level):
    """The change of one score."""
    before, after = scores[0][name], scores[1][name]
    sample = Sample.of((after - before).to_numpy(dtype=float), w)
    row: dict[str, Any] = {"dimension": name, "n": sample.n, "gap": sample.mean, "reason": sample.blank("pairs")}
    row |= {"before": column_means(before.to_frame(), w)[0], "after": column_means(after.to_frame(), w)[0]}
    if row["reason"]:
        return row
    ends = {key: value for key, value in one_sample(sample, level).items() if key in ("ci_low", "ci_high", "p")}
    return row | ends | {"standard_error": sample.standard_error, "df": sample.n_effective - 1}


def _comparable(answers, w, tolerance, reason):
    """Whether a dimension is the same in both waves, with the tests of it."""
    size = answers[0].shape[1]
    joined, weight = complete(pd.concat(answers, axis=1, ignore_index=True), w)
    n = effective_n(joined, weight)
    row: dict[str, Any] = {"n_invariance": n, "comparable": "undecided"}
    if size < MIN_ITEMS:
        return row | {"reason": reason or f"{size} items: invariance needs {MIN_ITEMS}"}
    if n <= 4 * size:
        return row | {"reason": reason or f"{n:.0f} answered all in both waves: more than {4 * size} are needed"}
    try:
        fits = [solve([_moments(joined, weight, n)], *_two_waves(size, step)) for step in STEPS]
    except FitError as fault:
        return row | {"reason": reason or str(fault)}
    for step, (less, more) in zip(STEPS[1:], ((fits[0], fits[1]), (fits[1], fits[2])), strict=True):
        chi2, df = max(more.chi2 - less.chi2, 0), more.df - less.df
        row |= {f"{step}_chi2": chi2, f"{step}_df": df, f"{step}_p": float(stats.chi2.sf(chi2, df))}
    value, low, high = rmsea(max(fits[2].chi2 - fits[0].chi2, 0), fits[2].df - fits[0].df, n)
    row |= {"rmsea": value, "rmsea_ci_low": low, "rmsea_ci_high": high}
    row["comparable"] = COMPARABLE[within(low, high, 0, tolerance)]
    open_ = f"undecided whether comparable: the interval of the RMSEA holds {tolerance:g}"
    noted = {"no": "not comparable: loadings or intercepts differ", "undecided": open_}
    return row | {"reason": reason or noted.get(row["comparable"], "")}


def _all_comparable(rows):
    """Whether the overall change is comparable: where all dimensions are."""
    found = [row["comparable"] for row in rows[:-1]]
    if "no" in found:
        unlike = " and ".join(row["dimension"] for row in rows[:-1] if row["comparable"] == "no")
        return {"comparable": "no", "reason": rows[-1]["reason"] or f"not comparable: {unlike}"}
    if "undecided" in found:
        return {
            "comparable": "undecided",
            "reason": rows[-1]["reason"] or "undecided for a dimension",
        }
    return {"comparable": "yes"}


def _moments(joined, weight, n):
    """Means and covariances of both waves, each item about its mean of both and over its deviation in both."""
    size = joined.shape[1] // 2
    table = pairwise_covariance(joined, weight).to_numpy() * (n - 1) / n
    mean = column_means(joined, weight)
    centre, spread = (mean[:size] + mean[size:]) / 2, np.sqrt((np.diag(table)[:size] + np.diag(table)[size:]) / 2)
    spread = np.tile(np.where(spread > 0, spread, 1), 2)
    return Moments(n, (mean - np.tile(centre, 2)) / spread, table / np.outer(spread, spread))


def _two_waves(size, step):
    """One factor in two waves, unique parts of an item correlated between them; what is equal by `step`: and starts."""
    item, both, places = np.arange(size), np.arange(2 * size), Places()
    equal = lambda start: np.tile(places.free((size,), item, start=start), 2)  # noqa: E731
    loadings, between = np.full((2 * size, 2), -1), places.correlations(2)
    loads = places.free((2 * size,), both, start=0.7) if step == "configural" else equal(0.7)
    loadings[both, np.repeat([0, 1], size)] = loads
    means = np.full(2, -1)
    if step != "configural":
        between[1, 1] = places.free((1,), np.array([0]), start=1.0)[0]
    unique = places.free((2 * size, 2 * size), both, both, start=0.5)
    unique[item, item + size] = unique[item + size, item] = places.free((size,), item)
    if step == "intercepts":
        means[1] = places.free((1,), np.array([0]))[0]
    parts = {
        "loadings": (np.zeros((2 * size, 2)), loadings),
        "between": (np.eye(2), between),
        "unique": (np.zeros((2 * size, 2 * size)), unique),
        "intercepts": (np.zeros(2 * size), equal(0.0) if step == "intercepts" else places.free((2 * size,), both)),
        "means": (np.zeros(2), means),
    }
    return [Structure(parts)], np.array(places.starts)
