"""What to fix first: attributes by importance and performance, as far as the answers decide it."""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.models.asked import (
    no_outcome_reason,
    not_asked_reason,
    not_asked_reasons,
    outcome_of,
    reasoned,
    with_unasked_rows,
)
from crmlab.service_quality.models.scores import single_wave, weights_of, with_ci
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats import resample
from crmlab.stats.intervals import percentile_interval

QUADRANTS = {  # (important, performs)
    (True, False): "concentrate here",
    (True, True): "keep up",
    (False, False): "low priority",
    (False, True): "possible overkill",
}
CROSSHAIRS = ("means", "medians", "midpoint")
MIN_ANSWERS = 10  # answers to an attribute
MIN_STABILITY = 0.8  # share of replicates that must agree before a decision is one
COLUMNS = ["item", "n", *with_ci("importance", "performance"), "quadrant", "stability", "decision", "iso_rating"]
COLUMNS += ["above_iso_rating", "above_iso_rating_share", "crosshair", "crosshair_importance", "crosshair_performance"]
COLUMNS += ["reason"]


@reasoned("importance")
def importance_performance_analysis(
    performance: pd.DataFrame,
    importance: pd.DataFrame | pd.Series,
    crosshair: str = "means",
    midpoint: tuple[float, float] | None = None,
    replicates: int = 2000,
    seed: int = 1,
    weights: np.ndarray | pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Importance beside performance of each attribute, and what to do about it.

    Parameters
    ----------
    performance : DataFrame
        A row a respondent, a column an attribute; NaN where not answered.
    importance : DataFrame or Series
        Stated importance, like `performance`; or an outcome, whose correlation with each attribute is its importance.
    crosshair : {"means", "medians", "midpoint"}
        Where quadrants meet: over attributes, or of the scale, which needs stated importance and `midpoint`.
    midpoint : tuple of float, optional
        Midpoints of the scales of importance and of performance.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row an attribute:

        - item
        - n: effective respondents, of the side that fewer answered
        - importance, performance: with intervals, …_ci_low and …_ci_high
        - quadrant: "concentrate here", "keep up", "low priority" or "possible overkill"; on the crosshair is above
        - stability: share of bootstrap replicates, each with a crosshair of its own, in which it stays there
        - decision: the quadrant, or "undecided" where stability is below 0.8
        - iso_rating: importance on the iso-rating line: as much as its performance where importance is stated, else as
          far from the crosshair, in standard deviations over attributes
        - above_iso_rating: importance − iso_rating, above 0 where it deserves more; above_iso_rating_share: of
          replicates
        - crosshair, crosshair_importance, crosshair_performance: as chosen, and where it lies, the same for all
        - reason: why the row is blank: fewer than ten answers, or no variance to correlate

    Raises
    ------
    InputError
        If there is no such crosshair, its midpoints are not given, or the two sides differ in attributes.

    Notes
    -----
    Respondents are drawn anew, both sides of one together.

    References
    ----------
    Martilla & James (1977), Journal of Marketing 41(1), 77-79.
    """
    _check(performance, importance, crosshair, midpoint)
    stated = isinstance(importance, pd.DataFrame)
    parts = _stated(performance, importance) if stated else _derived(performance, importance)
    w = np.ones(len(performance)) if weights is None else np.asarray(weights, dtype=float)
    read = _means if stated else _correlations
    seen = read((w[None] @ parts).reshape(1, -1, performance.shape[1]))
    n = _effective(performance, importance, w)
    reasons = _reasons(seen[0][0], seen[1][0], n)
    kept = np.flatnonzero(reasons == "")
    table = pd.DataFrame({"item": performance.columns, "n": n, "reason": reasons})
    if len(kept) == 1:
        table.loc[kept, "reason"] = "no other attribute to lay a crosshair by"
    if len(kept) >= 2:
        drawn = read(resample.totals(parts, replicates, seed, weights).reshape(replicates, -1, performance.shape[1]))
        seen, drawn = ([side[:, kept] for side in sides] for sides in (seen, drawn))
        noted = _placed(seen, drawn, crosshair, midpoint, stated, level)
        table = table.merge(noted.assign(item=performance.columns[kept]), on="item", how="left")
    return table.reindex(columns=COLUMNS)


@reasoned("importance")
def improvement_priorities(
    survey: Survey,
    importance: str | None = None,
    crosshair: str = "means",
    replicates: int = 2000,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """`importance_performance_analysis` of a survey's customers: what to fix first.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    importance : str, optional
        "stated" for the battery of importance, or the name of an outcome to derive it; None takes the first there is of
        "stated" and the outcome of kind satisfaction.
    crosshair : {"means", "medians", "midpoint"}
        Where quadrants meet: over attributes, or of the scale, which needs stated importance.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `importance_performance_analysis`, with the dimension and text of the item, and the source of importance;
        blank with the reason where something was not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no outcome of this name, or no such crosshair.

    Examples
    --------
    >>> from crmlab import service_quality
    >>> survey = service_quality.read_survey("data/example_survey.csv", "data/example_survey.toml")
    >>> customers = survey.as_of().select("customer")
    >>> first = service_quality.improvement_priorities(customers, replicates=100)
    >>> first[first.decision == "concentrate here"]["item"].to_list()[:2]
    ['Q10', 'Q11']
    """
    survey = single_wave(survey)
    items, stated = survey.instrument.items, importance in (None, "stated") and survey.importance.shape[1] > 0
    outcome = None if stated or importance == "stated" else outcome_of(survey, "satisfaction", importance)
    source = "stated" if stated else f"correlation with {outcome}" if outcome else ""
    why = not_asked_reasons(survey, "item", "perceive", *(["importance"] if stated else []))
    reason = not_asked_reason(survey, "perceive") or ("" if stated else _unknown(survey, importance, outcome))
    if reason or not (why == "").any():
        table, why = pd.DataFrame(columns=COLUMNS), why.mask(why == "", reason)
    else:
        rated = [item for item in survey.perceive if item in survey.importance or not stated]
        side = survey.importance[rated] if stated else survey.outcomes[outcome]
        scale_of, w = survey.instrument.scale_of, weights_of(survey)
        midpoint = (scale_of("importance").middle, scale_of("perceive").middle) if stated else None
        table = importance_performance_analysis(
            survey.perceive[rated], side, crosshair, midpoint, replicates, seed, w, level
        )
    table = with_unasked_rows(table, "item", why)
    table.insert(1, "dimension", [items[item].dimension for item in table["item"]])
    return table.assign(source=source, text=[items[item].text for item in table["item"]])


def _unknown(survey, importance, outcome):
    """Why there is no importance; empty where there is."""
    if importance == "stated":
        return not_asked_reason(survey, "importance")
    noted = no_outcome_reason(survey, satisfaction=outcome)
    both = "neither importance nor satisfaction was"
    return noted.replace("satisfaction was not", both) if importance is None else noted


def _check(performance, importance, crosshair, midpoint):
    """Raise InputError with everything wrong in the choices."""
    wrong = []
    stated = isinstance(importance, pd.DataFrame)
    if crosshair not in CROSSHAIRS:
        wrong.append(f"crosshair = {crosshair!r}: choose one of {', '.join(CROSSHAIRS)}")
    if crosshair == "midpoint" and (midpoint is None or not stated):
        wrong.append("crosshair = 'midpoint' needs stated importance and the midpoints; choose 'means' or 'medians'")
    if stated and list(importance) != list(performance):
        unlike = sorted(set(importance) ^ set(performance))
        wrong.append(
            f"importance and performance differ in {len(unlike)} attributes ({', '.join(unlike[:5])}); give both"
        )
    if wrong:
        raise InputError(*wrong)


def _stated(performance, importance):
    """Columns whose sums give the means of both sides."""
    sides = [side.to_numpy(dtype=float) for side in (importance, performance)]
    return np.hstack([part for side in sides for part in (~np.isnan(side), np.nan_to_num(side))])


def _means(sums):
    """Importance and performance from sums: two arrays, replicates x attributes."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, 1] / sums[:, 0], sums[:, 3] / sums[:, 2]


def _derived(performance, outcome):
    """Columns whose sums give correlations of each attribute with the outcome, and its mean."""
    x, y = performance.to_numpy(dtype=float), outcome.to_numpy(dtype=float)[:, None]
    y = y - np.nanmean(y)
    middle = np.nanmean(x, axis=0)
    there, both = ~np.isnan(x), ~np.isnan(x + y)
    x0, xb, yb = np.nan_to_num(x), np.where(both, x - middle, 0), np.where(both, y, 0)
    return np.hstack([there, x0, both, xb, yb, xb * xb, yb * yb, xb * yb])


def _correlations(sums):
    """Importance and performance from sums: two arrays, replicates x attributes."""
    with np.errstate(invalid="ignore", divide="ignore"):
        n, x, y, xx, yy, xy = (sums[:, i] for i in range(2, 8))
        r = (xy - x * y / n) / np.sqrt(np.maximum(xx - x * x / n, 0) * np.maximum(yy - y * y / n, 0))
        return np.where(np.isfinite(r), r, np.nan), sums[:, 1] / sums[:, 0]


def _reasons(importance, performance, n):
    """Why an attribute has no place; empty where it has."""
    known = np.isfinite(importance) & np.isfinite(performance)
    few = [f"{count:.0f} respondents answered both: at least {MIN_ANSWERS} are needed" for count in n]
    still = np.where(known, "", "no importance, as its answers or the outcome do not vary")
    return np.where(n < MIN_ANSWERS, few, still)


def _effective(performance, importance, w):
    """Effective respondents of each attribute, of the side that fewer answered."""
    stated = isinstance(importance, pd.DataFrame)
    sides = [performance, importance] if stated else [performance.where(importance.notna(), axis=0)]
    there = np.array([side.notna() for side in sides], dtype=float)
    total, square = w @ there, w**2 @ there
    return np.divide(total**2, square, out=np.zeros_like(total), where=square > 0).min(axis=0)


def _cross(side, crosshair, middle):
    """Where quadrants meet on one side: an array, replicates x 1."""
    if crosshair == "midpoint":
        return np.full((len(side), 1), float(middle))
    return (np.nanmean if crosshair == "means" else np.nanmedian)(side, axis=1, keepdims=True)


def _line(importance, performance, crosses, stated):
    """Importance on the iso-rating line at each performance."""
    if stated:
        return performance
    spread = np.nanstd(importance, axis=1, keepdims=True) / np.nanstd(performance, axis=1, keepdims=True)
    return crosses[0] + (performance - crosses[1]) * spread


def _placed(seen, drawn, crosshair, midpoint, stated, level):
    """Quadrants, their stability and the line: a frame."""
    found = []
    for sides in (seen, drawn):
        crosses = [_cross(side, crosshair, m) for side, m in zip(sides, midpoint or (0, 0), strict=True)]
        high = np.array([side >= cross for side, cross in zip(sides, crosses, strict=True)])
        found.append((crosses, high, _line(sides[0], sides[1], crosses, stated)))
    (crosses, high, line), (_, drawn_high, drawn_line) = found
    stability = (drawn_high == high).all(axis=0).mean(axis=0)
    table = pd.DataFrame({"quadrant": [QUADRANTS[bool(i), bool(p)] for i, p in high[:, 0].T], "stability": stability})
    table["decision"] = table.quadrant.where(stability >= MIN_STABILITY, "undecided")
    table = table.assign(crosshair=crosshair, iso_rating=line[0], above_iso_rating=seen[0][0] - line[0])
    table["above_iso_rating_share"] = (drawn[0] > drawn_line).mean(axis=0)
    for name, side, draws, cross in zip(("importance", "performance"), seen, drawn, crosses, strict=True):
        ends = percentile_interval(draws, level)  # nobody drawn who answered: no value
        columns = [*with_ci(name), f"crosshair_{name}"]
        table = table.assign(**dict(zip(columns, (side[0], *ends, float(cross[0, 0])), strict=True)))
    return table
