"""Small surveys whose numbers are plain to see, and the columns of those simulated."""

import numpy as np
import pandas as pd

from crmlab.service_quality import Instrument, Survey

DIMENSIONS = {"tangibles": 4, "reliability": 5, "empathy": 3}
BATTERIES = ("expect", "perceive", "adequate", "importance", "standard", "promise")


def survey(dimensions=None, weights=None, people=None, points=None, not_applicable=None, **batteries):
    """A survey of the batteries given, each an array or dict of columns; items are named by dimension: a1, a2, b1 …

    dimensions : dimension -> number of items; design, scales, scale, conventions and reversed go to the instrument
    """
    told = {k: batteries.pop(k) for k in ("scale", "scales", "design", "conventions") if k in batteries}
    turned = batteries.pop("reversed", ())
    listed = {
        d: [f"{d if d[0].isdigit() else d[0]}{i + 1}" for i in range(n)] for d, n in (dimensions or {"all": 2}).items()
    }
    names = [name for held in listed.values() for name in held]
    items = {n: {"text": f"Item {n}", "reversed": n in turned} | {b: f"{b}_{n}" for b in batteries} for n in names}
    instrument = Instrument(**{"scale": {"low": 1, "high": 7}} | told, dimensions=listed, items=items)
    frames = {b: pd.DataFrame(v, columns=names).astype(float) for b, v in batteries.items()}
    n = len(next(iter(frames.values())))
    base = pd.DataFrame({"respondent": [f"r{i}" for i in range(n)], "wave": "1", "audience": "customer"})
    base = base.assign(weight=1.0 if weights is None else np.asarray(weights, float), **(people or {}))
    none = base[[]]
    return Survey(
        instrument,
        base,
        **{b: frames.get(b, none) for b in BATTERIES},
        not_applicable=pd.DataFrame(False, base.index, names) if not_applicable is None else not_applicable,
        points=none if points is None else pd.DataFrame(points, columns=list(listed)),
        outcomes=none,
        outcome_answers=none,
    )


def answers(rng, n, items, mean=5.0, spread=1.0, halo=0.6, high=7):
    """Whole answers from 1 to `high` that share a halo: an array."""
    opinion = mean + halo * rng.normal(size=(n, 1)) + spread * rng.normal(size=(n, items))
    return np.clip(np.round(opinion), 1, high)


def world(n=300, seed=1, holes=0.0, **more):
    """A survey of DIMENSIONS in which much is a little worse than expected; `holes` is the share left out."""
    rng = np.random.default_rng(seed)
    expect, perceive = answers(rng, n, 12, 5.6, 0.8), answers(rng, n, 12, 5.3, 1.1)
    for battery in (expect, perceive):
        battery[rng.random(battery.shape) < holes] = np.nan
    return survey(DIMENSIONS, expect=expect, perceive=perceive, **more)
