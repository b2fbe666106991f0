"""How satisfied customers say they are, where a survey asked them."""

import ibis.expr.types as ir
import pandas as pd

from crmlab import catalog
from crmlab.contracts import InputError
from crmlab.dataset import Data
from crmlab.model import blank_of
from crmlab.orders import rows

NO_SURVEY = "no survey was named"


def satisfaction_answers(survey: str | Data | ir.Table | None = None) -> pd.Series:
    """The satisfaction of each customer who answered, as it was asked.

    Parameters
    ----------
    survey : str, Data, Ibis table or None
        Rows of the CUSTOMERS contract with a column satisfaction, or their name in the catalog, or a path.

    Returns
    -------
    Series
        Satisfaction by customer_id; blank with the reason where no survey was named, or it did not ask.

    Raises
    ------
    InputError
        Where satisfaction is no number.

    Examples
    --------
    >>> from crmlab import lifecycle
    >>> lifecycle.satisfaction_answers(None).attrs["reason"]
    'no survey was named'
    """
    if survey is None:
        return blank_of(pd.Series, NO_SURVEY, "satisfaction")
    table = rows(catalog.customers(survey) if isinstance(survey, str) else survey)
    if not {"customer_id", "satisfaction"} <= set(table.columns):
        missing = "the survey has no column customer_id with a column satisfaction beside it"
        return blank_of(pd.Series, f"{missing}; it has {', '.join(table.columns)}", "satisfaction")
    given = table.select("customer_id", "satisfaction").to_pandas().set_index("customer_id").satisfaction
    answers = pd.to_numeric(given, errors="coerce")
    if len(wrong := given[answers.isna() & given.notna()]):
        among = f"{len(wrong):,} of {len(given):,} rows (first: {wrong.iloc[0]!r})"
        raise InputError(f"survey: 'satisfaction' is no number in {among}; write numbers")
    return answers.astype(float)
