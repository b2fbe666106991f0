"""How answers are spread over the scale, and what models found as readers and Results want it."""

import numpy as np
import pandas as pd

from crmlab.result import Estimate
from crmlab.service_quality.models.asked import OVERALL, not_asked_reason
from crmlab.service_quality.models.scores import single_wave

SHARE_COLUMNS = ("stability", "above_iso_rating_share")
P_VALUES = ("p", "p_adjusted", "signed_rank_p", "signed_rank_p_adjusted")


def response_frequencies(survey, battery="perceive"):
    """How customers answered each item: a frame, a row an item.

    item, dimension, text, n    n: those who answered
    1, 2 …                      shares of them at each level of the scale, summing to 1; reversed items turned round
    not_applicable, missing     shares of all asked; of batteries but the perceptions, both are in `missing`
    reason                      why there are none
    All shares are weighted.
    """
    survey = single_wave(survey)
    if reason := not_asked_reason(survey, battery):
        items = survey.instrument.items
        about = {"item": list(items), "dimension": [item.dimension for item in items.values()]}
        return pd.DataFrame(about).assign(text=[item.text for item in items.values()], n=0, reason=reason)
    scale, frame = survey.instrument.scale_of(battery), getattr(survey, battery)
    weight, rows = survey.people.weight.to_numpy(dtype=float), []
    for name in frame:
        given = frame[name].to_numpy(dtype=float)
        apart = survey.not_applicable.get(name, pd.Series(False, frame.index)).to_numpy(dtype=bool)
        apart = apart & np.isnan(given) & (battery == "perceive")
        there = ~np.isnan(given)
        total = weight[there].sum()
        at = {level: weight[given == level].sum() for level in range(scale.low, scale.high + 1)}
        item = survey.instrument.items[name]
        row = {"item": name, "dimension": item.dimension, "text": item.text, "n": int((there & (weight > 0)).sum())}
        row |= {level: mass / total if total else np.nan for level, mass in at.items()}
        left = {"not_applicable": weight[apart].sum(), "missing": weight[~there & ~apart].sum()}
        rows.append(row | {k: mass / weight.sum() if weight.sum() else np.nan for k, mass in left.items()})
    return pd.DataFrame(rows).assign(reason="")


def format_table(table, *columns, **renamed):
    """Some columns of a table as a reader wants them: a frame, with chances, shares of replicates and bools as text.

    renamed : columns under other names, which come last
    `reason` comes at the end where a row has one, and columns that hold nothing are left out; rows without any number
    that all have the same reason are one row.
    """
    names = dict(zip(columns, columns, strict=True)) | {old: new for new, old in renamed.items()}
    table = table.reset_index(drop=True)
    held = table[list(names)].replace({np.inf: "∞"})
    for name in names:
        if name in P_VALUES:
            held = held.assign(**{name: held[name].map(format_p)})
        elif name in SHARE_COLUMNS:
            held = held.assign(**{name: held[name].map(lambda share: "" if np.isnan(share) else f"{share:.1%}")})
        elif held[name].dtype == bool:
            held = held.assign(**{name: held[name].map({True: "yes", False: "no"})})
    held = held.rename(columns=names)
    reason = table.reason if "reason" in table else pd.Series("", table.index)
    blank = (held.apply(pd.to_numeric, errors="coerce").fillna(0) == 0).all(axis=None)
    if blank and reason.nunique() == 1 and reason.iloc[0]:
        return pd.DataFrame({columns[0]: ["all"], "cannot be estimated": [reason.iloc[0]]})
    empty = (held.isna() | (held == "")).all()
    held = held.loc[:, ~empty] if len(held) else held
    return held if (reason == "").all() else held.assign(reason=reason)


def format_p(p):
    """A p-value as papers print it."""
    return "" if np.isnan(p) else "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 0.9995 else "1"


def gap_facts(table, weighted=None):
    """The gaps of a frame of `gap_scores` by dimension, the overall one first: facts for a Result, in points of the
    scale.

    weighted : of `weighted_gap_scores` by dimension, whose overall gap stands second
    """
    told, facts = table[table.gap.notna()], {}
    for row in told[told.dimension == OVERALL].itertuples():
        facts["gap_overall"] = _points(row.gap, row)
    for row in () if weighted is None else weighted[weighted.dimension == OVERALL].dropna(subset="ci_low").itertuples():
        facts["gap_overall_weighted"] = _points(row.weighted_gap, row)
    for row in told[told.dimension != OVERALL].itertuples():
        facts[f"gap_{row.dimension}".replace(" ", "_")] = _points(row.gap, row)
    return facts


def loyalty_facts(levels, promoters):
    """The top-box ratio of `loyal_share_by_level` and the net promoter score of `promoter_shares`: facts for a Result,
    where known."""
    top, score = levels.iloc[-1], promoters.iloc[0]
    facts = {}
    if np.isfinite([top.risk_ratio, top.risk_ratio_ci_low, top.risk_ratio_ci_high]).all():
        facts["top_box_risk_ratio"] = Estimate(
            top.risk_ratio, top.risk_ratio_ci_low, top.risk_ratio_ci_high, "times as loyal as one level below"
        )
    if pd.notna(score.nps):
        facts["nps"] = Estimate(score.nps, score.ci_low, score.ci_high, "points")
    return facts


def _points(value, row):
    ends = (None, None) if np.isnan(row.ci_low) else (row.ci_low, row.ci_high)
    return Estimate(value, *ends, "points of the scale")
