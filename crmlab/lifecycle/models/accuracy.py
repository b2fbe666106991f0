"""Whether the rules of stages find those that are known."""

import pandas as pd

from crmlab.lifecycle.models.cycle import OverdueThresholds
from crmlab.lifecycle.tables import cycle
from crmlab.lifecycle.tables.stages import STAGES, customer_stages
from crmlab.model import blank_of, why_blank
from crmlab.simulate.lifecycle import SimulatedCustomers


def stage_accuracy(simulated: SimulatedCustomers) -> pd.DataFrame:
    """How well the rules find known stages, beside a filter that knows the true parameters.

    Parameters
    ----------
    simulated : SimulatedCustomers
        Orders with their true stages, as from `crmlab.simulate.lifecycle.simulate_customers`.

    Returns
    -------
    DataFrame
        By "rules", "filter" and "majority", which gives all the commonest stage:

        - macro_f1: mean of the F1 of the stages, 0 to 1
        - establishment, growth, maturity, decline: F1 of each
        - decline_detected: share of the spells of decline that were found before they ended, 0 to 1
        - decline_delay: months from the beginning of these spells until they were found, on average
    """
    table, end = simulated.table, simulated.end
    waits = cycle.interpurchase_times(table, end), cycle.relative_interpurchase_times(table, end)
    thresholds = OverdueThresholds.fit(*waits)
    if reason := why_blank(thresholds):
        return blank_of(pd.DataFrame, reason)
    ruled = customer_stages(table, end, "month", thresholds).select("customer_id", "period", "stage")
    ruled = ruled.execute().astype({"period": simulated.truth.period.dtype})
    keys = ["customer_id", "period"]
    known = simulated.truth.merge(ruled, on=keys, suffixes=("", "_rules"), validate="1:1")
    known = known.merge(simulated.filtered, on=keys, suffixes=("", "_filter"), validate="1:1").sort_values(keys)
    labels = {"rules": known.stage_rules, "filter": known.stage_filter}
    labels["majority"] = pd.Series(known.stage.mode()[0], known.index)
    rows = {method: _scores(known.stage, predicted) | _delays(known, predicted) for method, predicted in labels.items()}
    return pd.DataFrame(rows).T.rename_axis("labels_by")


def _scores(truth, predicted):
    both = truth.where(truth == predicted).value_counts()
    size = truth.value_counts().add(predicted.value_counts(), fill_value=0)
    f1 = (2 * both / size).reindex(list(STAGES)).fillna(0.0)
    return {"macro_f1": f1.mean(), **f1}


def _delays(known, predicted):
    """How soon each spell of decline is found: a dict."""
    bad, customer = known.stage == "decline", known.customer_id
    begun = bad & ~(bad.shift(fill_value=False) & (customer == customer.shift()))
    spell = begun.cumsum()[bad]
    since = spell.groupby(spell).cumcount()
    first = since[predicted[bad] == "decline"].groupby(spell).min()
    return {"decline_detected": len(first) / max(spell.nunique(), 1), "decline_delay": first.mean()}
