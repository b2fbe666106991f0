"""The board of the seven gaps: where between the firm and its customers service falls short.

1 to 5: Parasuraman, Zeithaml & Berry 1985, 1988; 6 and 7: Luk & Layton 2002. Gaps 1 to 3 and what customers expect add
up to what is delivered, so a gap is always of the same two things, and who answered for them is named.
"""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.models.asked import MEASURE_NAMES, OVERALL, reasoned
from crmlab.service_quality.models.gaps import at_once
from crmlab.service_quality.models.scores import (
    column_means,
    dimension_scores,
    incomparable_reason,
    paired_answers,
    single_wave,
    weights_of,
    with_ci,
)
from crmlab.service_quality.tables.instrument import AUDIENCES
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.differences import Sample, one_sample, two_samples
from crmlab.stats.simultaneous import mean_deviations

NAMES = {
    1: "managers' estimate − customers' expectation",
    2: "standard − managers' estimate",
    3: "delivered − standard",
    4: "delivered − promised",
    5: "perceived − expected",
    6: "staff's estimate − customers' expectation",
    7: "staff's estimate − managers' estimate",
}
CUSTOMERS_SEE = "customers' perception stands for what is delivered"
# gap -> the pairs of answers it may be read from, the best first; any but the first kind needs a reason
SIDES = {
    1: [(("manager", "expect"), ("customer", "expect"), "")],
    2: [
        (("manager", "standard"), ("manager", "expect"), ""),
        (("staff", "standard"), ("manager", "expect"), "staff's rating stands for the standard"),
    ],
    3: [
        (("staff", "perceive"), ("manager", "standard"), ""),
        (("staff", "perceive"), ("staff", "standard"), ""),
        (("customer", "perceive"), ("manager", "standard"), CUSTOMERS_SEE),
        (("customer", "perceive"), ("staff", "standard"), CUSTOMERS_SEE),
    ],
    4: [
        (("staff", "perceive"), ("staff", "promise"), ""),
        (("staff", "perceive"), ("manager", "promise"), ""),
        (("customer", "perceive"), ("customer", "promise"), CUSTOMERS_SEE),
        (("customer", "perceive"), ("manager", "promise"), CUSTOMERS_SEE),
        (("customer", "perceive"), ("staff", "promise"), CUSTOMERS_SEE),
    ],
    5: [(("customer", "perceive"), ("customer", "expect"), "")],
    6: [(("staff", "expect"), ("customer", "expect"), "")],
    7: [(("staff", "expect"), ("manager", "expect"), "")],
}
EXTENTS = {2: "standard", 3: "standard", 4: "promise"}
UNRATED = "no ratings of extent stand for this gap"
WHO = {"customer": "customers", "manager": "managers", "staff": "staff"}
WHOSE = {"customer": "customers'", "manager": "managers'", "staff": "staff's"}
COLUMNS = ["number", "name", "dimension", "state", "gap", "ci_low", "ci_high", "t", "df", "p_adjusted", "d", "p"]
COLUMNS += ["simultaneous_ci_low", "simultaneous_ci_high"]
COLUMNS += ["test", "minuend", "n_minuend", "minuend_source", "subtrahend", "n_subtrahend", "subtrahend_source"]
COLUMNS += ["waves", *with_ci("managers"), "managers_n", *with_ci("staff"), "staff_n", "ratings_reason", "reason"]


@reasoned("number")  # never blank: each gap says what would have to be asked
def gaps_model(
    survey: Survey,
    by: str = "overall",
    wave: str | int | None = None,
    level: float = 0.95,
    replicates: int = 2000,
    seed: int = 1,
) -> pd.DataFrame:
    """The seven gaps between what customers, managers and staff answered.

    Parameters
    ----------
    survey : Survey
        Answers of all audiences, each of one wave unless `wave` is given.
    by : {"overall", "dimension"}
        A row a gap, or a row a gap and dimension.
    wave : str, optional
        Wave that customers answered, with the latest of the others by then; needed where some answered in several.
    level : float
        Confidence level of the intervals.
    replicates : int
        Draws of the respondents of each audience, for all gaps at once.
    seed : int
        Seed of the draws.

    Returns
    -------
    DataFrame
        A row a gap, or a gap and dimension:

        - number, name, dimension
        - state: "measured"; "proxy" where something stands in for what was not asked, as `reason` says; "absent"
        - gap, ci_low, ci_high: minuend less subtrahend, in points of the scale, with its interval
        - t, df, p: Student's t of pairs, or Welch's of independent samples
        - simultaneous_ci_low, simultaneous_ci_high: intervals that hold all gaps at once, or all dimensions of each
          gap, by the largest absolute t over a bootstrap of the respondents of each audience
        - p_adjusted: p adjusted for as many, from the same draws: at most 1 - level where that interval excludes 0
        - d: the gap over the standard deviation of the differences, or of both samples
        - test: "paired" or "Welch"
        - minuend, n_minuend, minuend_source: mean, number of answers, and whose they are; subtrahend, … the same
        - waves: whose answers are of which wave, where not all are of the one that customers answered
        - managers, staff: mean ratings of extent of gaps 2 to 4, where they share no scale with the other side and so
          are not subtracted; with …_ci_low, …_ci_high and …_n
        - ratings_reason: why managers or staff are blank
        - reason: why a gap is a proxy, absent or without an interval

    Raises
    ------
    InputError
        If `by` is none of these, there is no such wave, or respondents of an audience answered in several waves.

    Notes
    -----
    Samples are compared over the items asked of both, respondent by respondent.

    References
    ----------
    Gaps 1 to 5: Parasuraman, Zeithaml & Berry (1985), Journal of Marketing 49(4), 41-50; Zeithaml, Berry & Parasuraman
    (1988), Journal of Marketing 52(2), 35-48. Gaps 6 and 7: Luk & Layton (2002), Service Industries Journal 22(2),
    109-128. Simultaneous intervals: Hothorn, Bretz & Westfall (2008), Biometrical Journal 50, 346-363.
    """
    if by not in ("overall", "dimension"):
        raise InputError(f"by = {by!r}: write 'overall' or 'dimension'")
    survey = survey if wave is None else survey.as_of(wave)
    held = {audience: single_wave(survey, audience) for audience in AUDIENCES}
    wanted = [OVERALL] if by == "overall" else list(survey.instrument.dimensions)
    rows = [
        {"number": k, "name": NAMES[k], "ratings_reason": UNRATED} | row
        for k in SIDES
        for row in _gap(k, held, wanted, level)
    ]
    drawn = _deviations(rows, held, replicates, seed)
    for family in [range(len(rows))] if by == "overall" else np.split(np.arange(len(rows)), len(SIDES)):
        at_once([rows[i] for i in family], drawn[:, family], level)
    return pd.DataFrame(rows).reindex(columns=COLUMNS).fillna({"waves": ""})


def _deviations(rows, held, replicates, seed):
    """How far each gap lies from that found when the respondents of each audience are drawn anew, each once for all."""
    drawn = np.zeros((replicates, len(rows)))
    for number, who in enumerate(AUDIENCES):
        terms = [(i, *term) for i, row in enumerate(rows) for term in row.get("terms", ()) if term[0] == who]
        if terms:
            values = np.column_stack([value for *_, value in terms])
            means = mean_deviations(values, weights_of(held[who]), replicates, [seed, number])
            for (i, _, sign, _), mean in zip(terms, means.T, strict=True):
                drawn[:, i] += sign * mean
    return drawn


def _gap(number, held, wanted, level):
    """The rows of one gap."""
    instrument = held["customer"].instrument
    for above, below, stand_in in SIDES[number]:
        if _answered(held, *above) and _answered(held, *below):
            if not (unfit := incomparable_reason(instrument, above[1], below[1])):
                return _measured(held, above, below, wanted, stand_in, level)
            break
    else:
        unfit = _missing(held, number)
    if number in EXTENTS and any(_answered(held, who, EXTENTS[number]) for who in ("manager", "staff")):
        return _extents(number, held, wanted, unfit, level)
    return [{"dimension": d, "state": "absent", "reason": unfit} for d in wanted]


def _answered(held, audience, measure):
    return bool(getattr(held[audience], measure).notna().any(axis=None))


def _missing(held, number):
    """What would have to be asked for a gap."""
    sides = dict.fromkeys(SIDES[number][0][:2])
    noted = [_whose(who, m) for who, m in sides if not _answered(held, who, m)]
    return f"not asked: {' and '.join(noted)}" if noted else "nobody answered both"


def _measured(held, above, below, wanted, stand_in, level):
    """One side less the other, of each dimension wanted."""
    base = {"state": "proxy" if stand_in else "measured", "waves": _waves(held, above[0], below[0])}
    base |= {"minuend_source": _whose(*above), "subtrahend_source": _whose(*below)}
    one, other, paired = _sides(held, above, below)
    w = [weights_of(held[who]) for who, _ in (above, below)]
    rows = []
    for dimension in wanted:
        row = base | {"dimension": dimension, "test": "paired" if paired else "Welch"}
        if dimension not in one:
            rows.append(row | {"state": "absent", "reason": "no item of it was asked of both"})
            continue
        tested = (
            _paired(one, other, dimension, w[0], level) if paired else _independent(one, other, dimension, w, level)
        )
        sides = [(who, sign, side[dimension]) for (who, _), sign, side in ((above, 1, one), (below, -1, other))]
        tested["terms"] = [(above[0], 1, one[dimension] - other[dimension])] if paired else sides
        rows.append(row | tested | {"reason": "; ".join(filter(None, (stand_in, tested["reason"])))})
    return rows


def _whose(audience, measure):
    return f"{WHOSE[audience]} {MEASURE_NAMES[measure]}"


def _waves(held, *audiences):
    """Which wave the answers of each audience are of; "" where all are of that of the customers."""
    waves = {who: ", ".join(map(str, held[who].people.wave.drop_duplicates())) for who in dict.fromkeys(audiences)}
    customers = set(held["customer"].people.wave)
    if all(set(held[who].people.wave) <= customers for who in waves):
        return ""
    if len(set(waves.values())) == 1:
        return f"wave {next(iter(waves.values()))}"
    return ", ".join(f"{WHO[who]} of wave {wave}" for who, wave in waves.items())


def _sides(held, above, below):
    """Scores of both sides over the items asked of both, and whether the same people gave them."""
    if above[0] == below[0]:
        lower, upper = paired_answers(held[above[0]], below[1], above[1])
        instrument = held[above[0]].instrument
        return dimension_scores(upper, instrument), dimension_scores(lower, instrument), True
    one, other = (getattr(held[who], measure).dropna(axis=1, how="all") for who, measure in (above, below))
    shared = [name for name in held["customer"].instrument.items if name in one and name in other]
    return *(dimension_scores(frame[shared], held["customer"].instrument) for frame in (one, other)), False


def _paired(one, other, dimension, w, level):
    sample = Sample.of((one[dimension] - other[dimension]).to_numpy(dtype=float), w)
    row = {"gap": sample.mean, "n_minuend": sample.n, "n_subtrahend": sample.n, "reason": sample.blank("pairs")}
    row |= {"minuend": column_means(one[[dimension]], w)[0], "subtrahend": column_means(other[[dimension]], w)[0]}
    if row["reason"]:
        return row
    return row | one_sample(sample, level) | {"df": sample.n_effective - 1, "standard_error": sample.standard_error}


def _independent(one, other, dimension, w, level):
    pair = [Sample.of(f[dimension].to_numpy(dtype=float), v) for f, v in zip((one, other), w, strict=True)]
    row = {"minuend": pair[0].mean, "n_minuend": pair[0].n, "subtrahend": pair[1].mean, "n_subtrahend": pair[1].n}
    row |= {"gap": pair[0].mean - pair[1].mean}
    few = [f"fewer than 2 answers {place}" for s, place in zip(pair, ("above", "below"), strict=True) if s.n < 2]
    same = all(len(sample.value) == 1 for sample in pair)
    reason = " and ".join(few) or ("all answers of each side are the same" if same else "")
    if reason:
        return row | {"reason": reason}
    error = float(np.hypot(pair[0].standard_error, pair[1].standard_error))
    return row | {"reason": "", "standard_error": error} | two_samples(pair[0], pair[1], level)


def _extents(number, held, wanted, why, level):
    """Ratings of extent by managers and by staff, side by side."""
    measure = EXTENTS[number]
    rating = [who for who in ("manager", "staff") if _answered(held, who, measure)]
    base = {"state": "proxy", "reason": why, "waves": _waves(held, *rating), "managers_n": 0, "staff_n": 0}
    rows = {dimension: base | {"dimension": dimension} for dimension in wanted}
    for who in rating:
        rated = dimension_scores(getattr(held[who], measure), held[who].instrument)
        for dimension in rated.columns.intersection(wanted):
            rows[dimension] |= _rating(rated[dimension], weights_of(held[who]), WHO[who], level)
    for row in rows.values():
        lacking = [WHO[who] for who in ("manager", "staff") if not row[f"{WHO[who]}_n"]]
        row["ratings_reason"] = f"{' and '.join(lacking)} gave no ratings of it" if lacking else ""
    return [*rows.values()]


def _rating(answers, w, name, level):
    sample = Sample.of(answers.to_numpy(dtype=float), w)
    ends = {} if sample.blank() else one_sample(sample, level)
    return {name: sample.mean, f"{name}_n": sample.n} | {
        f"{name}_{end}": ends.get(end) for end in ("ci_low", "ci_high")
    }
