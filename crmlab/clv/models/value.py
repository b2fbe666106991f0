"""From orders and spend to money: for a customer, for all of them, and written by the engine."""

import ibis

from crmlab.clv.models.inputs import share
from crmlab.clv.tables import TUPLE, collapse


def value(discounted_orders, spend, margin=1.0):
    """Customer lifetime value: discounted orders x spend an order x margin, in the currency of `spend`.

    margin : share of spend that is profit, 0 to 1; another is refused by ValueError
    """
    return (discounted_orders * spend * share(margin)).rename("value")


def total(series, customers=1):
    """The sum over all customers of a Series with one row for each of `customers` alike."""
    return float((series * customers).sum(skipna=False))


def score(summary, orders, spend, days, discount_annual, margin=1.0, valued=True, **periods):
    """What is expected of each customer: a lazy table, one row a customer, computed where `summary` lives.

    orders, spend   : fitted models; without a model of spend (None), orders alone
    days            : how far ahead orders count
    discount_annual : yearly rate at which later money counts for less
    valued          : False keeps orders and spend apart, where the two depend on each other and have no product
    periods         : every = days a period has, for BGBB, whose `days` are periods
    returns         : the columns of `summarise` but repeat_spend, with p_alive, expected_orders, discounted_orders,
                      expected_spend and value
    """
    alike = collapse(summary)[[*TUPLE]]
    expected = alike.assign(
        p_alive=orders.p_alive(alike),
        expected_orders=orders.expected_orders(alike, days),
        discounted_orders=orders.discounted_orders(alike, discount_annual, days, **periods),
    )
    scored = summary.drop("repeat_spend").inner_join(ibis.memtable(expected), TUPLE)
    if spend:
        scored = scored.mutate(expected_spend=spend.spend_given(scored.frequency, scored.monetary_value))
    if spend and valued:
        scored = scored.mutate(value=scored.discounted_orders * scored.expected_spend * share(margin))
    return scored.order_by("customer_id")
