"""What a survey asked, and the words for what it did not."""

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec

import numpy as np
import pandas as pd

from crmlab.contracts import InputError

P = ParamSpec("P")
OVERALL = "overall"
MEASURE_NAMES = {
    "expect": "expectations",
    "perceive": "perceptions",
    "adequate": "adequate levels",
    "importance": "ratings of importance",
    "standard": "standards",
    "promise": "promises",
}
OUTCOME_NAMES = {  # of outcomes, as a reader knows them
    "satisfaction": "satisfaction",
    "loyalty": "loyalty",
    "recommend": "whether customers would recommend",
    "resolved": "whether complaints were resolved",
}

P_VALUES = ("p", "p_adjusted", "signed_rank_p", "signed_rank_p_adjusted")
SHARES = ("stability", "above_iso_rating_share", "share", "share_ci_low", "share_ci_high")
KINDS = dict.fromkeys(P_VALUES, "p") | dict.fromkeys(SHARES, "share")  # how columns are written
MAX_REASONS = 3  # reasons that a blank frame names


def reasoned(value: str) -> Callable[[Callable[P, pd.DataFrame]], Callable[P, pd.DataFrame]]:
    """Decorates a function that gives a frame with `reason`: where no row has a `value`, the frame bears the reasons.

    Checks, plots and functions then take it as blank; its rows stay, each with its reason. Where the function takes a
    `level`, the frame bears it too, so that numbers and plots say of which level their intervals are.
    """

    def decorate(function: Callable[P, pd.DataFrame]) -> Callable[P, pd.DataFrame]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def framed(*given: P.args, **named: P.kwargs) -> pd.DataFrame:
            table = with_reason(function(*given, **named), value)
            bound = signature.bind(*given, **named)
            bound.apply_defaults()
            table.attrs |= {name: value for name, value in bound.arguments.items() if name == "level"}
            return table

        return framed

    return decorate


def with_reason(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """`table` with the kinds of its columns and, where no row has a `value`, the reasons of its rows as its own."""
    kept = {name: held for name, held in table.attrs.items() if name == "deviations"}
    table.attrs = kept | {"kinds": {name: kind for name, kind in KINDS.items() if name in table}}
    blank = (table[value].isna() | table[value].isin([0, np.inf])) & (table.reason != "")
    if blank.all():
        reasons = list(dict.fromkeys(table.reason))
        table.attrs["reason"] = "; ".join(reasons[:MAX_REASONS]) or "there are no rows"
    return table


def level_of(table):
    """Confidence level of the intervals of a frame; .95 where it does not say."""
    return table.attrs.get("level", 0.95)


def percent_interval(table, name="interval"):
    """What intervals of a frame are called, as "95 % interval"."""
    return f"{100 * level_of(table):.4g} % {name}"


def not_asked_reason(survey, *measures):
    """Which of these batteries nobody was asked, in words; "" where all were."""
    return _not_asked([measure for measure in measures if not len(getattr(survey, measure).columns)])


def not_asked_reasons(survey, by, *measures):
    """Why items, or dimensions and overall, have no answers to all of these batteries: a Series; "" where they have."""
    instrument = survey.instrument
    lacking = {name: [m for m in measures if name not in getattr(survey, m)] for name in instrument.items}
    items = {name: _not_asked(lacks) for name, lacks in lacking.items()}
    if by == "item":
        return pd.Series(items, dtype=object)
    groups = instrument.dimensions | {OVERALL: list(instrument.items)}
    return pd.Series(
        {name: _common_reason([items[item] for item in held]) for name, held in groups.items()}, dtype=object
    )


def with_unasked_rows(table, key, unasked_reasons):
    """`table` with a row for each of `why`, a Series of reasons by `key`, in its order; those it lacks say theirs."""
    lacking = ~unasked_reasons.index.isin(table[key])
    if not lacking.any():
        return table
    held = table.set_index(key).reindex(unasked_reasons.index.rename(key)).reset_index()[list(table)]
    reason = held.reason.astype(object).mask(lacking, unasked_reasons.to_numpy())
    return held.assign(n=held.n.astype(float).mask(lacking, 0.0), reason=reason)


def outcome_of(survey, kind, name=None):
    """The name of an outcome: the one given, else the first of its kind; None where there is none.

    Raises InputError for a name that the instrument does not have.
    """
    outcomes = survey.instrument.outcomes
    if name is not None and name not in outcomes:
        known = ", ".join(map(repr, outcomes)) or "none"
        raise InputError(f"outcome {name!r}: the instrument has none of this name, but {known}; name one of these")
    return name or next((held for held, outcome in outcomes.items() if outcome.kind == kind), None)


def no_outcome_reason(survey, **named):
    """What of these outcomes, kind -> name or None, was not asked or answered, in words; "" where all were."""
    lacking = [f"{OUTCOME_NAMES[kind]} was not asked" for kind, name in named.items() if name is None]
    silent = [f"nobody answered {name}" for name in named.values() if name and survey.outcomes[name].isna().all()]
    return "; ".join([*lacking, *silent])


def _common_reason(noted):
    """Why none of several items has answers; "" where one has."""
    reasons = set(noted)
    return "" if "" in reasons else reasons.pop() if len(reasons) == 1 else "no item of it was asked in all of them"


def _not_asked(measures):
    return f"{' and '.join(MEASURE_NAMES[measure] for measure in measures)} were not asked" if measures else ""
