"""The share of value of a class: what it is of, and since when. There is one definition for all tables and figures."""

from datetime import date
from itertools import product

import pandas as pd

from crmlab.contracts import InputError
from crmlab.days import as_date
from crmlab.model import needs_fit
from crmlab.orders import need_amounts
from crmlab.sentences import sentence, templates

SHARE_OF_VALUE = "share of value"


def value_shares(labels: pd.Series, value: pd.Series) -> pd.Series:
    """The share of value of each class.

    Parameters
    ----------
    labels : Series
        Class of each customer by customer_id, of `assign` of a scheme.
    value : Series
        What each customer spent so far, by customer_id, in the currency of the data; 0 or less counts as 0.

    Returns
    -------
    Series
        By class, the empty ones too, 0 to 1; 0 for all where nobody spent anything.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab import segments
    >>> labels = pd.Series(["A", "B", "B"], dtype="category")
    >>> segments.value_shares(labels, pd.Series([6.0, 2.0, -1.0])).tolist()
    [0.75, 0.25]
    """
    return shares_by([labels], value)


@needs_fit
def recency_frequency_value(scores: pd.DataFrame, value: pd.Series, bins: int = 5) -> pd.DataFrame:
    """Where customers and money lie by scores of recency and frequency, the grid that RFM is read by.

    Parameters
    ----------
    scores : DataFrame
        r and f of each customer, of `RFM.score`.
    value : Series
        What each customer spent so far, by customer_id, in the currency of the data.
    bins : int
        Scores an axis.

    Returns
    -------
    DataFrame
        A row for each cell, the empty ones too, the highest recency first, then the lowest frequency. r, f, scores from
        1, the highest best; customers, count; share of them, 0 to 1; value, sum, and value_mean, of a customer, in the
        currency of the data, 0 where there is nobody; value_share, of all, where 0 or less counts as 0.

    Raises
    ------
    InputError
        Where a score is beyond `bins`.

    References
    ----------
    Hughes (1994), Strategic Database Marketing: customers by recency and frequency.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab import segments
    >>> scores = pd.DataFrame({"r": [2, 2, 1], "f": [1, 1, 2]})
    >>> segments.recency_frequency_value(scores, pd.Series([30.0, 10.0, 60.0]), bins=2).value_share.tolist()
    [0.4, 0.0, 0.0, 0.6]
    """
    grid = list(product(range(bins, 0, -1), range(1, bins + 1)))
    cells = pd.Series(list(zip(scores.r, scores.f, strict=True)), scores.index)
    if beyond := [cell for cell in cells.unique() if cell not in grid]:
        r, f = beyond[0]
        raise InputError(f"scores: recency {r} and frequency {f} are beyond bins = {bins}; give the bins of the scores")
    keys = cells.astype(pd.CategoricalDtype(grid))
    share, sums = shares_by([keys], value), value.loc[keys.index].astype(float).groupby(keys, observed=False).sum()
    customers = keys.value_counts(sort=False)
    found = pd.DataFrame(grid, columns=["r", "f"]).assign(customers=customers.to_numpy())
    found = found.assign(share=found.customers / len(keys), value=sums.to_numpy())
    return found.assign(value_mean=found.value / found.customers.clip(lower=1), value_share=share.to_numpy())


def value_note(day: date | str) -> str:
    """Say what a share of value is of.

    Parameters
    ----------
    day : day
        Up to which customers' spend is counted.

    Returns
    -------
    str
        A sentence.
    """
    return sentence(templates("crmlab.segments")["notes"]["share_of_value"], {"day": as_date(day)})


def shares_by(keys: list[pd.Series], amounts: pd.Series) -> pd.Series:
    """The share of each group in amounts; 0 or less counts as 0. Raises FitError where the data hold none."""
    need_amounts(amounts)
    sums = amounts.loc[keys[0].index].astype(float).clip(lower=0).groupby(keys, observed=False).sum()
    return sums / (sums.sum() or 1)
