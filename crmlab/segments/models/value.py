"""The share of value of a class: what it is of, and since when. There is one definition for all tables and figures."""

from datetime import date

import pandas as pd

from crmlab.days import as_date
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
