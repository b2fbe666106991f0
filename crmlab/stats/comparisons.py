"""Many comparisons at once: p-values that hold for the whole family of them."""

from typing import Any

import numpy as np
import pandas as pd


def holm(p: Any, family: Any = None) -> pd.Series:
    """p-values adjusted by Holm's step-down method: a Series; at .05 the whole family errs once in twenty families.

    p      : Series of p-values; NaN is no comparison and stays NaN
    family : names of families, one a p-value; None is one family
    """
    p = pd.Series(p, dtype=float)
    names = pd.Series(0 if family is None else np.asarray(family), range(len(p)))
    known = p.reset_index(drop=True).dropna()
    adjusted = known.groupby(names[known.index]).transform(_steps)
    return pd.Series(adjusted.reindex(range(len(p))).to_numpy(), p.index, name="p_adjusted")


def _steps(p):
    """One family, all of it known. By hand, as statsmodels collects garbage at each call: longer than all the tests."""
    lined = p.sort_values()
    return (lined * np.arange(len(lined), 0, -1)).cummax().clip(upper=1).reindex(p.index)
