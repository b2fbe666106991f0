"""How customers moved between stages over several periods, counted where the log lives."""

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.model import needs_fit


@needs_fit
def stage_flows(stages: ir.Table, columns: int = 5) -> pd.DataFrame:
    """How many customers moved from each stage to each, between periods that lie evenly over the log.

    Parameters
    ----------
    stages : Ibis table or blank frame
        Stages by customer and period, as from `customer_stages`.
    columns : int
        How many periods, the last one among them; fewer where there are fewer.

    Returns
    -------
    DataFrame
        - as_of: last day of the period
        - previous: stage in the period before among these; "" of customers acquired since, and in the first of them
        - stage: in the period
        - customers: count

    Raises
    ------
    InputError
        Where `columns` is below 2.

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> orders, thresholds = catalog.orders("cdnow_sample"), lifecycle.OverdueThresholds((205, 173, 117), 4.9)
    >>> flows = lifecycle.stage_flows(lifecycle.customer_stages(orders, "1997-12-31", "month", thresholds), columns=3)
    >>> flows.groupby("as_of").customers.sum().tolist()
    [781, 2357, 2357]
    """
    if columns < 2:
        raise InputError(f"columns = {columns!r}: choose how many periods, 2 or more")
    days = sorted(stages.group_by("as_of").aggregate(customers=_.count()).execute().as_of)
    chosen = np.unique(np.linspace(0, len(days) - 1, columns).round().astype(int))
    held = stages.filter(stages.as_of.isin([days[place] for place in chosen])).select("customer_id", "as_of", "stage")
    moved = held.mutate(
        previous=_.stage.lag().over(ibis.window(group_by="customer_id", order_by="as_of")).fill_null("")
    )
    frame = moved.group_by("as_of", "previous", "stage").aggregate(customers=_.count()).execute()
    order = {stage: place for place, stage in enumerate(("", *STAGES))}
    frame = frame.sort_values(
        ["as_of", "previous", "stage"], key=lambda column: column.map(order) if column.name != "as_of" else column
    )
    return frame.assign(as_of=pd.to_datetime(frame.as_of)).reset_index(drop=True)
