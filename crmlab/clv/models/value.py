"""From orders and spend to money: for a customer, for all of them, and written by the engine."""

import ibis

from crmlab.clv.models.inputs import validated_margin
from crmlab.clv.tables import SUFFICIENT_STATISTICS, collapse


def value(discounted_orders, spend, margin=1.0):
    """Customer lifetime value: discounted orders x spend an order x margin, in the currency of `spend`.

    margin : share of spend that is profit, 0 to 1; another is refused by ValueError
    """
    return (discounted_orders * spend * validated_margin(margin)).rename("value")


def total(series, weights=1):
    """The sum over all customers of a Series with one row for each of `customers` alike."""
    return float((series * weights).sum(skipna=False))


def score(customers, model, spend_model, horizon_days, discount_annual, margin=1.0, with_value=True, **periods):
    """What is expected of each customer: a lazy table, one row a customer, computed where `customers` lives.

    model, spend_model : fitted models; without a model of spend (None), orders alone
    horizon_days    : how far ahead orders count
    discount_annual : yearly rate at which later money counts for less
    with_value      : False keeps orders and spend apart, where the two depend on each other and have no product
    periods         : period_days = days a period has, for BGBB, whose `horizon_days` are periods
    returns         : the columns of `summarise` but repeat_spend, with p_alive, expected_orders, discounted_orders,
                      expected_spend and value
    """
    alike = collapse(customers)[[*SUFFICIENT_STATISTICS]]
    expected = alike.assign(
        p_alive=model.p_alive(alike),
        expected_orders=model.expected_orders(alike, horizon_days),
        discounted_orders=model.discounted_orders(alike, discount_annual, horizon_days, **periods),
    )
    scored = customers.drop("repeat_spend").inner_join(ibis.memtable(expected), SUFFICIENT_STATISTICS)
    if spend_model:
        scored = scored.mutate(
            expected_spend=spend_model.conditional_expected_spend(scored.frequency, scored.monetary_value)
        )
    if spend_model and with_value:
        scored = scored.mutate(value=scored.discounted_orders * scored.expected_spend * validated_margin(margin))
    return scored.order_by("customer_id")
