"""Signs of careless answering, and what the gaps would be without those who show them. Nobody is left out.

[Meade & Craig 2012; intra-individual variability: Dunn et al. 2018; even-odd: Jackson 1976]
"""

from dataclasses import fields, replace

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.result import Verdict, number
from crmlab.service_quality.models.asked import WORDS
from crmlab.service_quality.models.gaps import gaps
from crmlab.service_quality.models.scores import one_wave

BATTERIES = ("expect", "perceive")
FEWEST = 6  # answers of a battery below which sameness says nothing
LONG = 0.5  # share of the answers to a battery that are one string before it is long [Curran 2016]
LEAST = 0.05  # share of respondents whose answers vary least, to see what they do to the gaps
INCONSISTENT = 0.3  # even-odd consistency below which answers hardly hang together [Johnson 2005]
SIGNS = {  # and the column each is read from
    "straight": "long_string",
    "long": "long_string",
    "unvarying": "variability",
    "inconsistent": "even_odd",
}
TOLD = {
    "straight": "one answer throughout",
    "long": "more than half the answers in one string",
    "unvarying": "the twentieth whose answers vary least",
    "inconsistent": "even and odd items do not go together",
}
FLAGS = tuple(f"{sign}_{battery}" for battery in ("perceive", "expect") for sign in SIGNS)


def careless(survey):
    """Signs of careless answering of each customer: a frame with the rows of `survey.of("customer").people`.

    respondent
    expect_long_string     most answers in a row that are the same, in the order of the items, as they were ticked
    expect_variability     standard deviation of a customer's answers, as they were ticked
    expect_even_odd        correlation over dimensions of the means of even and odd items, by Spearman & Brown
    straight_expect        bool: six answers or more, all the same. Honest where all matters utterly
    long_expect            bool: more than half of the answers in one string
    unvarying_expect       bool: of the twentieth whose answers vary least
    inconsistent_expect    bool: even-odd below .3
    perceive_..., straight_perceive, …     the same of perceptions
    careless               bool: straight_perceive, the one sign that few honest customers show
    NaN where there are too few answers to say.
    """
    survey = one_wave(survey)
    found = survey.people[["respondent"]].copy()
    for battery in BATTERIES:
        answers = getattr(survey, battery)
        ticked = as_ticked(answers, survey.instrument, battery).to_numpy(dtype=float)
        count = (~np.isnan(ticked)).sum(axis=1)
        longest, spread, consistent = long_string(ticked), variability(ticked), even_odd(answers, survey.instrument)
        found[f"{battery}_long_string"] = np.where(count >= FEWEST, longest, np.nan)
        found[f"{battery}_variability"] = np.where(count >= FEWEST, spread, np.nan)
        found[f"{battery}_even_odd"] = consistent
        found[f"straight_{battery}"] = (count >= FEWEST) & (longest == count)
        found[f"long_{battery}"] = (count >= FEWEST) & (longest > LONG * count)
        found[f"unvarying_{battery}"] = _least(found[f"{battery}_variability"])
        found[f"inconsistent_{battery}"] = consistent < INCONSISTENT
    return found.assign(careless=found.straight_perceive)


def _least(spread):
    """Which answers vary least: up to a share LEAST of those whose spread is known, ties together where they fit."""
    rank = spread.rank(method="max")
    return (rank <= LEAST * spread.notna().sum()) | (spread == 0)


def flags(found):
    """How many each sign of `careless` flags: a frame with flag, n who could show it, flagged, share."""
    rows = []
    for flag in FLAGS:
        sign, battery = flag.split("_")
        n = int(found[f"{battery}_{SIGNS[sign]}"].notna().sum())
        rows.append({"flag": flag, "n": n, "flagged": int(found[flag].sum())})
    return pd.DataFrame(rows).assign(share=lambda rows: rows.flagged / rows.n.where(rows.n > 0))


def sensitivities(survey, replicates=2000, seed=1):
    """The overall gap without those who show each sign of carelessness: a frame, a row a sign and battery.

    flag, n, flagged, share        as `flags`
    sign, battery                  the flag in words
    gap, gap_without, low_without, high_without, difference
    changes    names of the dimensions, or "overall", whose verdict is another one without them, or "none"
    reason     why the numbers without are blank
    """
    survey = one_wave(survey)
    found, rows = careless(survey), []
    for flag in FLAGS:
        table = sensitivity(survey, found[flag], replicates=replicates, seed=seed)
        row = table.iloc[-1][["gap", "gap_without", "low_without", "high_without", "difference", "reason"]].to_dict()
        sign, battery = flag.split("_")
        about = {"flag": flag, "sign": TOLD[sign], "battery": WORDS[battery]}
        rows.append(about | {"changes": ", ".join(table.dimension[table.changes]) or "none"} | row)
    return flags(found).merge(pd.DataFrame(rows), on="flag")


def stands(table):
    """Whether the gaps stand without the careless, from `sensitivity`: a Verdict."""
    claim, told = "The gaps stand without careless answers", table[table.gap.notna()]
    left_out = (told.n - told.n_without).max() if len(told) else 0
    if told.empty or (told.reason != "").all():
        reason = "; ".join(dict.fromkeys(table.reason[table.reason != ""]))
        return Verdict(claim, False, f"cannot be judged: {reason}", "the answers as they are, with care")
    changed = " and ".join(told.dimension[told.changes])
    largest = told.difference.abs().max()
    evidence = f"of {told.n.max():,} customers {left_out:,} gave one answer to all perceptions; without them the gaps "
    evidence += (
        f"move by {number(largest, 2)} at most, and {f'that of {changed}' if changed else 'none'} turns another way"
    )
    return Verdict(claim, not told.changes.any(), evidence, "gap_without and its interval for the gaps named")


def sensitivity(survey, flag="careless", by="dimension", replicates=2000, seed=1):
    """Gaps of everybody beside gaps without those flagged: a frame, a row an item or a dimension.

    flag : "careless", one of FLAGS, or a Series of bool with the rows of `survey.of("customer").people`
    item, dimension
    n, gap, low, high, p_holm                         of everybody, as reported
    n_without, gap_without, low_without, high_without, p_holm_without
    difference                                        gap_without − gap
    changes    bool: without the flagged, the gap is another one at .05 by Holm: from nothing to something, or its sign
    reason     why the numbers without are blank
    """
    survey = one_wave(survey)
    marked = careless(survey)[_known(flag)] if isinstance(flag, str) else flag
    whole = gaps(survey, by, replicates, seed)
    rest = gaps(only(survey, ~np.asarray(marked, dtype=bool)), by, replicates, seed)
    said = [np.where(table.p_holm < 0.05, np.sign(table.gap), 0) for table in (whole, rest)]
    kept = ["n", "gap", "low", "high", "p_holm"]
    without = rest[kept].add_suffix("_without")
    return pd.concat([whole[["item", "dimension", *kept]], without], axis=1).assign(
        difference=rest.gap - whole.gap, changes=said[0] != said[1], reason=rest.reason
    )


def as_ticked(answers, instrument, battery):
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


def variability(answers):
    """Standard deviation within each row of the array `answers`, NaN left out: an array; NaN below two answers."""
    there = ~np.isnan(answers)
    n = there.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.where(there, answers - np.where(there, answers, 0).sum(axis=1, keepdims=True) / n[:, None], 0)
        return np.where(n > 1, np.sqrt((apart**2).sum(axis=1) / (n - 1)), np.nan)


def even_odd(answers, instrument):
    """Even-odd consistency of each respondent: an array; NaN below three dimensions of two items, or where one is flat.

    answers : reversed items turned round, as in a Survey
    """
    halves = [[], []]
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


def only(survey, kept):
    """The survey of the rows `kept`, an array of bool."""
    frames = {f.name: value for f in fields(survey) if isinstance(value := getattr(survey, f.name), pd.DataFrame)}
    return replace(survey, **{name: frame[kept].reset_index(drop=True) for name, frame in frames.items()})


def _row_means(values):
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(there, values, 0).sum(axis=1) / there.sum(axis=1)


def _centred(values):
    """Each row about its mean, 0 where missing; a row that is flat but for rounding is 0 throughout."""
    apart = np.nan_to_num(values - _row_means(values)[:, None])
    return np.where(np.abs(apart).max(axis=1, keepdims=True) > 1e-9, apart, 0)


def _known(flag):
    if flag not in ("careless", *FLAGS):
        raise InputError(f"flag = {flag!r}: write one of {', '.join(map(repr, ('careless', *FLAGS)))}")
    return flag
