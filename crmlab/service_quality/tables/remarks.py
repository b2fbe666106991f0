"""What the door does to answers, and what it finds suspicious in them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from crmlab.service_quality.tables.instrument import MEASURES

ENOUGH = 0.5  # share of expectations and perceptions that must pair, else the item is dropped
MOST = 0.8  # share of items perceived above expectation that suggests swapped columns
FEW_PAIRS = 5  # answers from which a correlation is told
FEW_ITEMS = 3  # a dimension of fewer has no reliability worth the name


def turned(survey):
    """The survey with reversed items turned round in every battery but importance and extents; noted."""
    instrument = survey.instrument
    names = [name for name, item in instrument.items.items() if item.reversed]
    frames = {}
    for measure in MEASURES:
        there = [name for name in names if name in (frame := getattr(survey, measure)).columns]
        if there and measure != "importance" and not instrument.scale_of(measure).extent:
            scale = instrument.scale_of(measure)
            frames[measure] = frame.assign(**{name: scale.low + scale.high - frame[name] for name in there})
    told = {"items turned round": f"{', '.join(names)} ({', '.join(frames)})"} if frames else {}
    return replace(survey, **frames), told


def paired(survey):
    """The survey without items of which too few answers pair, expectation with perception; with the notes of it."""
    customers = survey.people.audience == "customer"
    both = [name for name in survey.instrument.items if name in survey.expect and name in survey.perceive]
    if not both:
        return survey, {}
    expect, perceive = survey.expect.loc[customers, both].notna(), survey.perceive.loc[customers, both].notna()
    lone, alone = int((expect & ~perceive).to_numpy().sum()), int((~expect & perceive).to_numpy().sum())
    share = (expect & perceive).sum() / (expect | perceive).sum().where(lambda n: n > 0)
    told = {
        "pairs": f"{int((expect & perceive).to_numpy().sum()):,} expectations with a perception; left out of gaps: "
        f"{lone:,} without one, {alone:,} perceptions without an expectation"
    }
    dropped = {
        name: f"{share[name]:.0%} of its expectations and perceptions pair, fewer than {ENOUGH:.0%}"
        if share[name] == share[name]
        else "no customer answered it"
        for name in both
        if not share[name] >= ENOUGH
    }
    if not dropped:
        return survey, told
    told["items dropped"] = "; ".join(f"{name}: {why}" for name, why in dropped.items())
    frames = {m: getattr(survey, m).drop(columns=[*dropped], errors="ignore") for m in (*MEASURES, "not_applicable")}
    instrument = survey.instrument.without(dropped)
    points = survey.points if instrument.points else survey.points.iloc[:, :0]
    return replace(survey, instrument=instrument, points=points, dropped=dropped, **frames), told


def suspicious(survey):
    """Warnings on answers that look wrong but are left as they are; with the counts told beside them."""
    customers = survey.of("customer")
    warnings = [f"item {name} is dropped: {why}" for name, why in survey.dropped.items()]
    warnings += [
        f"dimension {d!r} has {len(names)} item{'s' if len(names) > 1 else ''}, fewer than {FEW_ITEMS}: "
        "its reliability is left blank"
        for d, names in survey.instrument.dimensions.items()
        if len(names) < FEW_ITEMS
    ]
    warnings += [*_reversed(customers), *_swapped(customers), *_constant(customers)]
    both = [name for name in customers.adequate if name in customers.expect]
    above = int((customers.adequate[both] > customers.expect[both]).to_numpy().sum())
    if not both:
        return warnings, {}
    level = "desired" if survey.instrument.conventions.desired else "expected"
    told = {f"adequate above {level}": f"{above:,} of {_pairs(customers.adequate[both], customers.expect[both]):,}"}
    if above:
        warnings.append(f"adequate lies above {level} in {told[f'adequate above {level}']} pairs of answers")
    return warnings, told


def _pairs(one, other):
    return int((one.notna() & other.notna()).to_numpy().sum())


def _reversed(survey):
    """Items that run against the rest of their dimension, beyond chance."""
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
    """The correlation of an item with the mean of the others, and what is below chance; NaN where there is none."""
    both = pd.DataFrame({"item": frame[name], "rest": frame[frame.columns.intersection(names).drop(name)].mean(axis=1)})
    both = both.dropna()
    if len(both) < FEW_PAIRS or not (both.std() > 0).all():
        return np.nan, np.nan
    return both.corr().iloc[0, 1], -1.96 / np.sqrt(len(both))


def _swapped(survey):
    both = [name for name in survey.expect if name in survey.perceive]
    above = [name for name in both if survey.expect[name].mean() < survey.perceive[name].mean()]
    if both and len(above) > MOST * len(both):
        yield (
            f"swapped? {len(above)} of {len(both)} items are perceived above expectation; see that expect and perceive "
            "name the right columns; they were left as they are"
        )


def _constant(survey):
    for measure in MEASURES:
        frame = getattr(survey, measure)
        same = [name for name in frame if frame[name].nunique() == 1]
        if same:
            told = ", ".join(f"{name} ({frame[name].dropna().iloc[0]:g})" for name in same[:5])
            yield f"zero variance: {len(same)} of {len(frame.columns)} columns of {measure} hold one answer: {told}"
