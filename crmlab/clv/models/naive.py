"""The rule of thumb that a model must beat."""

import numpy as np
import pandas as pd

from crmlab.clv.models.inputs import repeat_buying


def past_rate(summary, days):
    """Orders of each customer in the next `days` if each goes on as before: frequency / age x days."""
    x, _, T = repeat_buying(summary)
    return pd.Series(np.divide(x * days, T, out=np.zeros_like(x), where=T > 0), summary.index, name="past_rate")
