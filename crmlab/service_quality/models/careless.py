"""Signs of careless answering, and what the gaps would be without those who show them. Nobody is left out."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.models.asked import MEASURE_NAMES, reasoned
from crmlab.service_quality.models.gaps import gap_scores
from crmlab.service_quality.models.scores import single_wave
from crmlab.service_quality.tables.survey import Survey

BATTERIES = ("expect", "perceive")
MIN_ANSWERS = 6  # answers of a battery below which sameness means nothing
LONG_STRING_SHARE = 0.5  # share of the answers to a battery that are one string before it is long [Curran 2016]
LOW_VARIABILITY_SHARE = 0.05  # share of respondents whose answers vary least, to see what they do to the gaps
MIN_EVEN_ODD = 0.3  # even-odd consistency below which answers hardly hang together [Johnson 2005]
INDICATORS = {  # and the column each is read from
    "straightlining": "long_string",
    "repetitive": "long_string",
    "unvarying": "irv",
    "inconsistent": "even_odd",
}
DESCRIPTIONS = {
    "straightlining": "one answer throughout",
    "repetitive": "more than half the answers in one string",
    "unvarying": "the twentieth whose answers vary least",
    "inconsistent": "even and odd items do not go together",
}
FLAGS = tuple(f"{sign}_{battery}" for battery in ("perceive", "expect") for sign in INDICATORS)


def careless_responding(survey: Survey) -> pd.DataFrame:
    """Signs of careless answering of each customer; nobody is left out.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.

    Returns
    -------
    DataFrame
        A row a customer, with the rows of `survey.select("customer").people`; NaN where there are too few answers:

        - respondent
        - expect_long_string: most answers in a row that are the same, in the order of the items, as they were ticked
        - expect_irv: intra-individual standard deviation of the answers, as they were ticked
        - expect_even_odd: correlation over dimensions of the means of even and odd items, by Spearman and Brown
        - straightlining_expect: bool, six answers or more, all the same; honest where all matters utterly
        - repetitive_expect: bool, more than half of the answers in one string
        - unvarying_expect: bool, of the twentieth whose answers vary least
        - inconsistent_expect: bool, even-odd consistency below .3
        - perceive_long_string, …, straightlining_perceive, …: the same of perceptions
        - careless: bool, straightlining_perceive, the one sign that few honest customers show

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.

    References
    ----------
    Meade & Craig (2012), Psychological Methods 17, 437-455. Long strings: Curran (2016), Journal of Experimental Social
    Psychology 66, 4-19. Variability: Dunn et al. (2018), Journal of Business and Psychology 33, 105-121. Even-odd:
    Jackson (1976), The appraisal of personal reliability; Johnson (2005), Journal of Research in Personality 39,
    103-129.
    """
    survey = single_wave(survey)
    found = survey.people[["respondent"]].copy()
    for battery in BATTERIES:
        answers = getattr(survey, battery)
        raw_answers = undo_reverse_coding(answers, survey.instrument, battery).to_numpy(dtype=float)
        count = (~np.isnan(raw_answers)).sum(axis=1)
        longest, spread, consistent = (
            long_string(raw_answers),
            intra_individual_variability(raw_answers),
            even_odd(answers, survey.instrument),
        )
        found[f"{battery}_long_string"] = np.where(count >= MIN_ANSWERS, longest, np.nan)
        found[f"{battery}_irv"] = np.where(count >= MIN_ANSWERS, spread, np.nan)
        found[f"{battery}_even_odd"] = consistent
        found[f"straightlining_{battery}"] = (count >= MIN_ANSWERS) & (longest == count)
        found[f"repetitive_{battery}"] = (count >= MIN_ANSWERS) & (longest > LONG_STRING_SHARE * count)
        found[f"unvarying_{battery}"] = _least(found[f"{battery}_irv"])
        found[f"inconsistent_{battery}"] = consistent < MIN_EVEN_ODD
    return found.assign(careless=found.straightlining_perceive)


def _least(spread):
    """Which answers vary least: up to a share LOW_VARIABILITY_SHARE of those whose spread is known, ties together
    where they fit."""
    rank = spread.rank(method="max")
    return (rank <= LOW_VARIABILITY_SHARE * spread.notna().sum()) | (spread == 0)


def flag_counts(found: pd.DataFrame) -> pd.DataFrame:
    """How many customers each sign of careless answering flags.

    Parameters
    ----------
    found : DataFrame
        Of `careless_responding`.

    Returns
    -------
    DataFrame
        A row a sign and battery: flag, n who could show it, flagged, share.
    """
    rows = []
    for flag in FLAGS:
        indicator, battery = flag.split("_")
        n = int(found[f"{battery}_{INDICATORS[indicator]}"].notna().sum())
        rows.append({"flag": flag, "n": n, "flagged": int(found[flag].sum())})
    return pd.DataFrame(rows).assign(share=lambda rows: rows.flagged / rows.n.where(rows.n > 0))


@reasoned("gap")
def careless_sensitivity_by_flag(survey: Survey, replicates: int = 2000, seed: int = 1) -> pd.DataFrame:
    """The overall gap without those who show each sign of careless answering.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    DataFrame
        A row a sign and battery:

        - flag, n, flagged, share: as of `flag_counts`
        - indicator, battery: the flag in words
        - gap, gap_without, gap_without_ci_low, gap_without_ci_high, difference: as of `careless_sensitivity`, overall
        - conclusion_changes: dimensions, or "overall", on which the conclusion is another one without them; or "none"
        - reason: why the numbers without them are blank

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
    """
    survey = single_wave(survey)
    found, rows = careless_responding(survey), []
    for flag in FLAGS:
        table = careless_sensitivity(survey, found[flag], replicates=replicates, seed=seed)
        row = table.iloc[-1][
            ["gap", "gap_without", "gap_without_ci_low", "gap_without_ci_high", "difference", "reason"]
        ].to_dict()
        indicator, battery = flag.split("_")
        about = {"flag": flag, "indicator": DESCRIPTIONS[indicator], "battery": MEASURE_NAMES[battery]}
        rows.append(
            about | {"conclusion_changes": ", ".join(table.dimension[table.conclusion_changes]) or "none"} | row
        )
    return flag_counts(found).merge(pd.DataFrame(rows), on="flag")


@reasoned("gap")
def careless_sensitivity(
    survey: Survey, flag: str | pd.Series = "careless", by: str = "dimension", replicates: int = 2000, seed: int = 1
) -> pd.DataFrame:
    """Gaps of everybody beside gaps without those flagged.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    flag : str or Series of bool
        "careless", a flag of `flag_counts`, or whom to leave out, with the rows of `survey.select("customer").people`.
    by : {"item", "dimension"}
        A row an item, or a row a dimension and one overall.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    DataFrame
        A row an item, or a dimension and overall:

        - item, dimension
        - n, gap, ci_low, ci_high, p_adjusted: of everybody, as of `gap_scores`
        - n_without, gap_without, gap_without_ci_low, gap_without_ci_high, p_adjusted_without: without the flagged
        - difference: gap_without − gap
        - conclusion_changes: bool, the gap is another one at .05 by Holm: it comes or goes, or its sign changes
        - reason: why the numbers without them are blank

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no flag of this name.
    """
    survey = single_wave(survey)
    marked = careless_responding(survey)[_known(flag)] if isinstance(flag, str) else flag
    whole = gap_scores(survey, by, replicates, seed)
    rest = gap_scores(keep_rows(survey, ~np.asarray(marked, dtype=bool)), by, replicates, seed)
    said = [np.where(table.p_adjusted < 0.05, np.sign(table.gap), 0) for table in (whole, rest)]
    kept = ["n", "gap", "ci_low", "ci_high", "p_adjusted"]
    names = ["n_without", "gap_without", "gap_without_ci_low", "gap_without_ci_high", "p_adjusted_without"]
    without = rest[kept].set_axis(names, axis=1)
    return pd.concat([whole[["item", "dimension", *kept]], without], axis=1).assign(
        difference=rest.gap - whole.gap, conclusion_changes=said[0] != said[1], reason=rest.reason
    )


def undo_reverse_coding(answers, instrument, battery):
    """Answers as respondents gave them: reversed items turned back."""
    scale = instrument.scale_of(battery)
    turned = [name for name in answers if instrument.items[name].reversed]
    return answers.assign(**{name: scale.low + scale.high - answers[name] for name in turned})


def long_string(answers):
    """Most answers in a row that are the same, NaN passed over: an array, one a row of the array `answers`."""
    run, longest = np.zeros(len(answers), dtype=int), np.zeros(len(answers), dtype=int)
    last = np.full(len(answers), np.nan)
    for column in answers.T:
        there = ~np.isnan(column)
        run = np.where(there, np.where(column == last, run + 1, 1), run)
        last, longest = np.where(there, column, last), np.maximum(longest, run)
    return longest


def intra_individual_variability(answers):
    """Standard deviation within each row of the array `answers`, NaN left out: an array; NaN below two answers."""
    there = ~np.isnan(answers)
    n = there.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = np.where(there, answers - np.where(there, answers, 0).sum(axis=1, keepdims=True) / n[:, None], 0)
        return np.where(n > 1, np.sqrt((centred**2).sum(axis=1) / (n - 1)), np.nan)


def even_odd(answers, instrument):
    """Even-odd consistency of each respondent: an array; NaN below three dimensions of two items, or where one is flat.

    answers : reversed items turned round, as in a Survey
    """
    halves: list[list[np.ndarray]] = [[], []]
    for names in instrument.dimensions.values():
        held = [name for name in names if name in answers]
        if len(held) > 1:
            for start, half in enumerate(halves):
                half.append(_row_means(answers[held[start::2]].to_numpy(dtype=float)))
    if len(halves[0]) < 3:
        return np.full(len(answers), np.nan)
    odd, even = (np.column_stack(half) for half in halves)
    there = ~np.isnan(odd) & ~np.isnan(even)
    odd, even = (_centred(np.where(there, half, np.nan)) for half in (odd, even))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (odd * even).sum(axis=1) / np.sqrt((odd**2).sum(axis=1) * (even**2).sum(axis=1))
        r = np.where((there.sum(axis=1) >= 3) & np.isfinite(r), r.clip(-1, 1), np.nan)
        return np.maximum(2 * r / (1 + r), -1)


def keep_rows(survey, kept):
    """The survey of the rows `kept`, an array of bool."""
    frames = {f.name: value for f in fields(survey) if isinstance(value := getattr(survey, f.name), pd.DataFrame)}
    return replace(survey, **{name: frame[kept].reset_index(drop=True) for name, frame in frames.items()})


def _row_means(values):
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(there, values, 0).sum(axis=1) / there.sum(axis=1)


def _centred(values):
    """Each row about its mean, 0 where missing; a row that is flat but for rounding is 0 throughout."""
    centred = np.nan_to_num(values - _row_means(values)[:, None])
    return np.where(np.abs(centred).max(axis=1, keepdims=True) > 1e-9, centred, 0)


def _known(flag):
    if flag not in ("careless", *FLAGS):
        raise InputError(f"flag = {flag!r}: write one of {', '.join(map(repr, ('careless', *FLAGS)))}")
    return flag
