"""Signs of careless answering, and what the gaps would be without those who show them. Nobody is left out."""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.models.asked import MEASURE_NAMES, reasoned
from crmlab.service_quality.models.gaps import gap_scores
from crmlab.service_quality.models.scores import asked_items, single_wave, with_ci
from crmlab.service_quality.tables.remarks import turned_round
from crmlab.service_quality.tables.survey import Survey, keep_rows

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
BY_FLAG = ["gap", *with_ci("gap_without"), "difference", "reason"]  # what is read of a table for each flag
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
        raw = turned_round(answers, survey.instrument, battery).to_numpy(dtype=float)
        count = (~np.isnan(raw)).sum(axis=1)
        enough, longest, consistent = count >= MIN_ANSWERS, long_string(raw), even_odd(answers, survey.instrument)
        found[f"{battery}_long_string"] = np.where(enough, longest, np.nan)
        found[f"{battery}_irv"] = np.where(enough, intra_individual_variability(raw), np.nan)
        found[f"{battery}_even_odd"] = consistent
        found[f"straightlining_{battery}"] = enough & (longest == count)
        found[f"repetitive_{battery}"] = enough & (longest > LONG_STRING_SHARE * count)
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
    read = [f"{battery}_{INDICATORS[indicator]}" for indicator, battery in (flag.split("_") for flag in FLAGS)]
    counts = {"flag": FLAGS, "n": found[read].notna().sum().to_numpy(), "flagged": found[[*FLAGS]].sum().to_numpy()}
    return pd.DataFrame(counts).assign(share=lambda rows: rows.flagged / rows.n.where(rows.n > 0))


@reasoned("gap")
def careless_sensitivity_by_flag(
    survey: Survey, replicates: int = 2000, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """The overall gap without those who show each sign of careless answering.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

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
        table = careless_sensitivity(survey, found[flag], replicates=replicates, seed=seed, level=level)
        indicator, battery = flag.split("_")
        about = {"flag": flag, "indicator": DESCRIPTIONS[indicator], "battery": MEASURE_NAMES[battery]}
        about["conclusion_changes"] = ", ".join(table.dimension[table.conclusion_changes]) or "none"
        rows.append(about | table.iloc[-1][BY_FLAG].to_dict())
    return flag_counts(found).merge(pd.DataFrame(rows), on="flag")


@reasoned("gap")
def careless_sensitivity(
    survey: Survey,
    flag: str | pd.Series = "careless",
    by: str = "dimension",
    replicates: int = 2000,
    seed: int = 1,
    level: float = 0.95,
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
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row an item, or a dimension and overall:

        - item, dimension
        - n, gap, ci_low, ci_high, simultaneous_ci_low, simultaneous_ci_high, p_adjusted: of everybody, as of
          `gap_scores`
        - n_without, gap_without, gap_without_ci_low, …: the same without the flagged
        - difference: gap_without − gap
        - conclusion_changes: bool, the gap is another one by its simultaneous interval: it comes to exclude 0 or to
          hold it, or its sign changes
        - reason: why the numbers without them are blank

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no flag of this name.
    """
    survey = single_wave(survey)
    marked = careless_responding(survey)[_known(flag)] if isinstance(flag, str) else flag
    whole = gap_scores(survey, by, replicates, seed, level)
    rest = gap_scores(keep_rows(survey, ~np.asarray(marked, dtype=bool)), by, replicates, seed, level)
    concluded = [gap_sign(table) for table in (whole, rest)]
    ends = ["ci_low", "ci_high", "simultaneous_ci_low", "simultaneous_ci_high"]
    kept = ["n", "gap", *ends, "p_adjusted"]
    names = ["n_without", "gap_without", *(f"gap_without_{end}" for end in ends), "p_adjusted_without"]
    without = rest[kept].set_axis(names, axis=1)
    return pd.concat([whole[["item", "dimension", *kept]], without], axis=1).assign(
        difference=rest.gap - whole.gap, conclusion_changes=concluded[0] != concluded[1], reason=rest.reason
    )


def gap_sign(gaps):
    """1 or -1 where the simultaneous interval of a gap lies above or below 0, else 0: a Series."""
    return (gaps.simultaneous_ci_low > 0).astype(int) - (gaps.simultaneous_ci_high < 0).astype(int)


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
    return pd.DataFrame(answers).std(axis=1).to_numpy()


def even_odd(answers, instrument):
    """Even-odd consistency of each respondent: an array; NaN below three dimensions of two items, or where one is flat.

    answers : reversed items turned round, as in a Survey
    """
    asked = {d: names for d, names in asked_items(instrument, answers).items() if len(names) > 1}
    if len(asked) < 3:
        return np.full(len(answers), np.nan)
    odd, even = (
        pd.DataFrame({d: answers[names[start::2]].mean(axis=1) for d, names in asked.items()}) for start in (0, 1)
    )
    there = odd.notna() & even.notna()
    odd, even = (_centred(half.where(there)) for half in (odd, even))
    r = (odd * even).sum(axis=1) / np.sqrt((odd**2).sum(axis=1) * (even**2).sum(axis=1))
    r = r.where(there.sum(axis=1) >= 3).clip(-1, 1)
    return np.maximum(2 * r / (1 + r), -1).to_numpy()


def _centred(scores):
    """Each row about its mean; a row that is flat but for rounding is 0 throughout."""
    centred = scores.sub(scores.mean(axis=1), axis=0)
    return centred.where(centred.abs().max(axis=1) > 1e-9, 0.0, axis=0)


def _known(flag):
    if flag not in ("careless", *FLAGS):
        raise InputError(f"flag = {flag!r}: write one of {', '.join(map(repr, ('careless', *FLAGS)))}")
    return flag
