"""How large the classes of a scheme are, and what they bring."""

import pandas as pd


def sizes(labels, value):
    """Customers and value of each class: a frame by label, the empty ones too.

    value   : of each customer, such as spend
    returns : customers, customer_share; value, value_share of the sum; mean, 0 where there is nobody. Shares of value
              are 0 where the sum is 0
    """
    by = value.groupby(labels, observed=False)
    customers, total = by.size(), by.sum()
    whole = total.sum()
    found = {
        "customers": customers,
        "customer_share": customers / max(len(labels), 1),
        "value": total,
        "value_share": total / whole if whole else total * 0.0,
        "mean": (total / customers.where(customers > 0)).fillna(0.0),
    }
    return pd.DataFrame(found).set_axis(pd.Index(map(str, customers.index), name="label"))
