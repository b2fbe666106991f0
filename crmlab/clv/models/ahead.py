"""What all customers are expected to do by each day ahead, for whoever looks again on one of these days."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from crmlab.clv.models.drawn import draws_of
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.inputs import Validated
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.valuation import total
from crmlab.clv.tables import Customers, collapsed
from crmlab.contracts import InputError
from crmlab.model import Unfitted, needs_fit
from crmlab.stats.intervals import percentile_interval

STEP = 7  # days between those for which orders are expected by the formula, but for the first, which all are


@needs_fit
def forecast_by_day(
    model: OrderModel | Unfitted,
    spend_model: GammaGamma | None,
    customers: Customers,
    until: date | str,
    horizon_days: int,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Forecast orders and spend of all customers from tomorrow to each day ahead, with prediction intervals.

    A run keeps it as the table "forecast_by_day", by which `crmlab compare` judges what came since.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    spend_model : GammaGamma or None
        Fitted model of spend; None leaves spend out.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse` by monetary_value.
    until : date or str
        The last day that is known, or its ISO text.
    horizon_days : int
        How far ahead, days.
    seed : int
        Start of the generator of draws.
    level : float
        Level of the prediction intervals.

    Returns
    -------
    DataFrame
        By day: orders, orders_pi_low and orders_pi_high, count; with a model of spend, spend, spend_pi_low and
        spend_pi_high, in the currency of the data. Each is the sum from the day after `until` to that day. Without
        draws of the models, intervals are NaN.

    Raises
    ------
    InputError
        Where `horizon_days` is below 1.

    Examples
    --------
    >>> from crmlab import catalog, clv
    >>> customers = clv.summarise(catalog.orders("cdnow_sample"), "1997-09-30")
    >>> ahead = clv.forecast_by_day(clv.fit(customers, "bg_nbd"), None, customers, "1997-09-30", 273)
    >>> ahead.orders.iloc[[0, -1]].round().to_dict()
    {Timestamp('1997-10-01 00:00:00'): 7.0, Timestamp('1998-06-30 00:00:00'): 1653.0}
    """
    if horizon_days < 1:
        raise InputError(f"horizon_days = {horizon_days}: choose 1 day or more")
    frame, rng = Validated(collapsed(customers, "monetary_value")), np.random.default_rng(seed)
    first = date.fromisoformat(str(until)[:10]) + timedelta(days=1)
    days = pd.date_range(first, periods=horizon_days, name="day")
    models = (model, spend_model) if spend_model else (model,)
    steps = np.unique([*range(min(STEP, horizon_days)), *range(0, horizon_days, STEP), horizon_days])
    ahead = [frame.customers * model.expected_orders(frame, int(step)) for step in steps]
    found = {"orders": np.interp(range(1, horizon_days + 1), steps, [total(each) for each in ahead])}
    if spend_model:
        each = spend_model.expected_spend(frame)
        found["spend"] = np.interp(range(1, horizon_days + 1), steps, [total(orders * each) for orders in ahead])
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in found}
    for order_draw, *spend_draws in draws_of(models):
        orders = order_draw.simulate_orders(frame, horizon_days, rng)
        day = np.clip(np.ceil(orders.day.to_numpy()).astype(int), 1, horizon_days) - 1
        drawn["orders"].append(np.cumsum(np.bincount(day, minlength=horizon_days)))
        for spend_draw in spend_draws:
            spent = spend_draw.simulate_spend(frame, orders, rng)
            drawn["spend"].append(np.cumsum(np.bincount(day, spent, horizon_days)))
    columns = {}
    for name, expected in found.items():
        ends = percentile_interval(drawn[name], level) if drawn[name] else np.full((2, horizon_days), np.nan)
        columns |= {name: expected, f"{name}_pi_low": ends[0], f"{name}_pi_high": ends[1]}
    return pd.DataFrame(columns, days)
