"""What validation does to answers, and what it finds suspicious in them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from crmlab.service_quality.tables.instrument import MEASURES

MIN_PAIRED_SHARE = 0.5  # share of expectations and perceptions that must pair, else the item is dropped
SWAPPED_SHARE = 0.8  # share of items perceived above expectation that suggests swapped columns
MIN_PAIRS = 5  # answers from which a correlation is computed
FEW = {  # items of a dimension, and what that leaves of its reliability
    1: "its reliability cannot be estimated",
    2: "its alpha rests on one correlation, and its omega is left blank",
}


def reverse_coded(survey):
    """The survey with reversed items turned round in every battery but importance and extents, with what was done."""
    instrument, frames = survey.instrument, {}
    names = [name for name, item in instrument.items.items() if item.reversed]
    for measure in MEASURES:
        there = getattr(survey, measure).columns.intersection(names)
        if len(there) and measure != "importance" and not instrument.scale_of(measure).extent:
            frames[measure] = turned_round(getattr(survey, measure), instrument, measure)
    listed_ = {"items turned round": f"{', '.join(names)} ({', '.join(frames)})"} if frames else {}
    return replace(survey, **frames), listed_


def turned_round(answers, instrument, battery):
    """Answers to a battery with reversed items turned round, or back."""
    scale, turned = instrument.scale_of(battery), [name for name in answers if instrument.items[name].reversed]
    return answers.assign(**{name: scale.low + scale.high - answers[name] for name in turned})


def drop_unpaired_items(survey):
    """The survey without items that hardly anyone answered in pairs, or at all; with the notes of it."""
    customers = (survey.people.audience == "customer").to_numpy()
    one, other = survey.expect[customers].notna(), survey.perceive[customers].notna()
    both = [name for name in survey.instrument.items if name in one and name in other]
    listed_ = _pairing(one[both], other[both]) if both else {}
    dropped = {name: why for name in survey.instrument.items if (why := _drop_reason(name, one, other))}
    if not dropped:
        return survey, listed_
    listed_["items dropped"] = "; ".join(f"{name}: {why}" for name, why in dropped.items())
    frames = {m: getattr(survey, m).drop(columns=[*dropped], errors="ignore") for m in (*MEASURES, "not_applicable")}
    instrument = survey.instrument.drop_items(dropped)
    points = survey.points if instrument.points else survey.points.iloc[:, :0]
    return replace(survey, instrument=instrument, points=points, dropped=dropped, **frames), listed_


def _pairing(one, other):
    """How many expectations and perceptions pair, and how many stand alone."""
    together, lone, alone = (int(rows.to_numpy().sum()) for rows in (one & other, one & ~other, ~one & other))
    return {
        "pairs": f"{together:,} expectations with a perception; left out of gaps: {lone:,} without one, "
        f"{alone:,} perceptions without an expectation"
    }


def _drop_reason(name, one, other):
    """Why an item is dropped; "" where it is not. One that was not asked of customers at all is no matter of theirs."""
    asked = [side[name] for side in (one, other) if name in side]
    if not asked:
        return ""
    if not any(side.any() for side in asked):
        return "no customer answered it"
    share = (asked[0] & asked[-1]).sum() / (asked[0] | asked[-1]).sum()
    noted = f"{share:.0%} of its expectations and perceptions pair, fewer than {MIN_PAIRED_SHARE:.0%}"
    return noted if share < MIN_PAIRED_SHARE else ""


def plausibility_warnings(survey):
    """Warnings on answers that look wrong but are left as they are; with the counts beside them."""
    customers = survey.select("customer")
    warnings = [f"item {name} is dropped: {why}" for name, why in survey.dropped.items()]
    warnings += [
        f"dimension {d!r} has {len(names)} item{'s' if len(names) > 1 else ''}: {FEW[len(names)]}"
        for d, names in survey.instrument.dimensions.items()
        if len(names) in FEW
    ]
    warnings += [*_reversed(customers), *_swapped(customers), *_constant(customers)]
    both = [name for name in customers.adequate if name in customers.expect]
    above = int((customers.adequate[both] > customers.expect[both]).to_numpy().sum())
    if not both:
        return warnings, {}
    level = "desired" if survey.instrument.conventions.desired else "expected"
    listed_ = {f"adequate above {level}": f"{above:,} of {_pairs(customers.adequate[both], customers.expect[both]):,}"}
    if above:
        warnings.append(f"adequate lies above {level} in {listed_[f'adequate above {level}']} pairs of answers")
    return warnings, listed_


def _pairs(one, other):
    return int((one.notna() & other.notna()).to_numpy().sum())


def _reversed(survey):
    """Items that run against the rest of their dimension, beyond what random answers would."""
    for measure in ("expect", "perceive"):
        frame = getattr(survey, measure)
        for dimension, names in survey.instrument.dimensions.items():
            for name in frame.columns.intersection(names):
                r, low = _rest_correlation(frame, name, names)
                if r < low:
                    yield (
                        f"reversed? {measure} {name} correlates {r:.2f} with the rest of {dimension!r}; if its wording "
                        "is turned round, state reversed = true; it was left as it is"
                    )


def _rest_correlation(frame, name, names):
    """The correlation of an item with the mean of the others, and its bound for random answers; NaN for none."""
    both = pd.DataFrame({"item": frame[name], "rest": frame[frame.columns.intersection(names).drop(name)].mean(axis=1)})
    both = both.dropna()
    if len(both) < MIN_PAIRS or not (both.std() > 0).all():
        return np.nan, np.nan
    return both.corr().iloc[0, 1], -1.96 / np.sqrt(len(both))


def _swapped(survey):
    both = [name for name in survey.expect if name in survey.perceive]
    above = [name for name in both if survey.expect[name].mean() < survey.perceive[name].mean()]
    if both and len(above) > SWAPPED_SHARE * len(both):
        yield (
            f"swapped? {len(above)} of {len(both)} items are perceived above expectation; see that expect and perceive "
            "name the right columns; they were left as they are"
        )


def _constant(survey):
    for measure in MEASURES:
        frame = getattr(survey, measure)
        same = [name for name in frame if frame[name].nunique() == 1]
        if same:
            listed_ = ", ".join(f"{name} ({frame[name].dropna().iloc[0]:g})" for name in same[:5])
            yield f"zero variance: {len(same)} of {len(frame.columns)} columns of {measure} hold one answer: {listed_}"
