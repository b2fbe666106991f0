"""What customers are expected to bring, at several origins."""

from collections.abc import Iterable
from datetime import date

import pandas as pd

from crmlab.clv.models.fitting import fit, fit_spend
from crmlab.clv.models.names import Choice
from crmlab.clv.models.valuation import score, spend_for_value
from crmlab.clv.tables import Orders, summarise
from crmlab.model import why_blank


def expected_margins(
    orders: Orders,
    origins: Iterable[date],
    model: str | Choice = "bg_nbd",
    horizon_days: int = 365,
    discount_annual: float = 0.10,
    margin: float = 1.0,
) -> pd.DataFrame:
    """Compute the margin that is expected of each customer, as known at each origin.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    origins : iterable of date
        Days on which the models are fitted to what was known then.
    model : str or Choice
        Model of orders, as `fit` takes it.
    horizon_days : int
        How far ahead, days.
    discount_annual : float
        Yearly rate at which later orders count for less, .1 for 10 %.
    margin : float
        Share of spend that is profit, 0 to 1.

    Returns
    -------
    DataFrame
        By origin and customer_id: expected_margin, in the currency of the data; model, of orders, as which one was
        fitted; reason, why it is blank.
    """
    margins = {day: _at(summarise(orders, day), model, horizon_days, discount_annual, margin) for day in origins}
    return pd.concat(margins, names=["origin"])


def _at(customers, model, horizon_days, discount_annual, margin):
    """The margins of one origin, by customer_id."""
    order_model = fit(customers, model, replicates=0)
    spend_model = spend_for_value(fit_spend(customers, replicates=0), customers, replicates=0)
    if reason := why_blank(order_model, spend_model):
        known = customers.select("customer_id").order_by("customer_id").execute()
        return known.assign(expected_margin=float("nan"), model="", reason=reason).set_index("customer_id")
    scored = score(customers, order_model, spend_model, horizon_days, discount_annual, margin).execute()
    margins = scored.set_index("customer_id")[["value"]].rename(columns={"value": "expected_margin"})
    return margins.assign(model=order_model.title, reason="")
