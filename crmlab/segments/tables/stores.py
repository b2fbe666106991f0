"""How strong the store is that serves each customer, built lazily where the log lives.

strength : weighted mean, over indicators, of a store's value in values of the average store; 1 is an average store
A customer's own purchases are left out of the strength of that customer's home store: it is what one would find in a
log without the customer.
"""

from collections.abc import Mapping
from datetime import date

import ibis
import ibis.expr.types as ir
from ibis import _

from crmlab.contracts import InputError, nearest
from crmlab.dataset import Data
from crmlab.orders import rows
from crmlab.segments.tables.features import days_before, window_spend_by, with_home_store

SALES_INDICATORS = ("spend", "customers")  # indicators that the log has itself, of the window
EQUAL_WEIGHTS = {"spend": 1.0, "customers": 1.0}


def store_strength(
    orders: Data | ir.Table,
    end: date | str,
    weights: Mapping[str, float] = EQUAL_WEIGHTS,
    stores: Data | ir.Table | None = None,
    window_days: int = 365,
) -> ir.Table:
    """The strength of each customer's home store, the customer's own purchases left out.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not used.
    end : date or str
        Last day that counts, a date or its ISO text.
    weights : mapping
        Indicator -> weight of 0 or more: "spend" and "customers" of the window, or a numeric column of `stores`.
    stores : Data or Ibis table, optional
        Rows of the STORES contract; needed where `weights` name a column of it.
    window_days : int
        Length of the window that ends with `end`, days.

    Returns
    -------
    Ibis table
        Lazy, one row a customer who bought at a known store. customer_id; home_store, by all spend up to `end`, as in
        `customer_features`; store_strength, 1 an average store; of sales, 0 where nobody else bought anywhere.

    Raises
    ------
    InputError
        Where an indicator is unknown, a weight is below 0, or the value of a store is not known.
    """
    visits, each = _visits_and_stores(orders, end, weights, stores, window_days)
    own = (
        visits.join(each, "store_id")
        .group_by("customer_id")
        .aggregate(
            own_spend=_.window_spend.sum(),
            own_customers=_.visited.sum(),
            alone=_.visited.sum(where=_.customers == 1),
            home_store=_.store_id.max(where=_.home),
            home_spend=_.window_spend.max(where=_.home),
            home_customers=_.visited.max(where=_.home),
            **{name: _[name].max(where=_.home) for name in each.columns if name != "store_id"},
        )
    )
    others = own.open_stores - own.alone.fill_null(0)
    ratios = {
        name: _over(own[name] - own[f"home_{name}"], own[f"all_{name}"] - own[f"own_{name}"]) * others
        for name in SALES_INDICATORS
    }
    return own.select("customer_id", "home_store", store_strength=_weighed(ratios, own, weights))


def store_index(
    orders: Data | ir.Table,
    end: date | str,
    weights: Mapping[str, float] = EQUAL_WEIGHTS,
    stores: Data | ir.Table | None = None,
    window_days: int = 365,
) -> ir.Table:
    """The strength of each store over all customers' purchases.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not used.
    end : date or str
        Last day that counts, a date or its ISO text.
    weights : mapping
        Indicator -> weight of 0 or more: "spend" and "customers" of the window, or a numeric column of `stores`.
    stores : Data or Ibis table, optional
        Rows of the STORES contract; needed where `weights` name a column of it.
    window_days : int
        Length of the window that ends with `end`, days.

    Returns
    -------
    Ibis table
        Lazy, one row a store bought at by `end`, the strongest first. store_id; spend, in the currency of `amount`, and
        customers, count, of the window; the indicators of `stores`; strength, 1 an average store.

    Raises
    ------
    InputError
        Where an indicator is unknown, a weight is below 0, or the value of a store is not known.
    """
    _visits, each = _visits_and_stores(orders, end, weights, stores, window_days)
    ratios = {name: _over(each[name], each[f"all_{name}"]) * each.open_stores for name in SALES_INDICATORS}
    own = {name: each[f"kept_{name}"] for name in _own(weights)}
    strength = _weighed(ratios, each, weights)
    spend = each.spend.cast("float64")
    found = each.select("store_id", spend=spend, customers=each.customers, **own, strength=strength)
    return found.order_by(found.strength.desc(), found.store_id)


def _visits_and_stores(orders, end, weights, stores, window_days):
    """Two lazy tables, of customers at stores and of stores.

    customers at stores : customer_id, store_id, window_spend, visited in the window (1 or 0), and home
    stores : sales in the window, those of all, and the stores' own indicators as kept_NAME and the mean as mean_NAME
    """
    orders, stores = rows(orders), None if stores is None else rows(stores)
    if breaches := [*_weight_faults(orders, weights, stores)]:
        raise InputError(*breaches)
    visits = with_home_store(window_spend_by(orders, end, "store_id", window_days))
    visited = (days_before(visits.latest, end) < window_days).ifelse(1, 0)
    visits = visits.select("customer_id", "store_id", "window_spend", "home", visited=visited)
    if stores is not None and (breaches := [*_store_faults(visits, weights, stores)]):
        raise InputError(*breaches)
    each = visits.group_by("store_id").aggregate(spend=_.window_spend.sum(), customers=_.visited.sum())
    each = each.mutate(
        all_spend=each.spend.sum().over(),
        all_customers=each.customers.sum().over(),
        open_stores=(each.customers > 0).sum().over(),
    )
    kept = {f"kept_{name}": stores[name] for name in _own(weights)}
    if not kept:
        return visits, each
    kept |= {f"mean_{name}": stores[name].mean().over() for name in _own(weights)}
    named = stores.select(known_id=stores.store_id, **kept)
    return visits, each.left_join(named, each.store_id == named.known_id).select(each, *kept)


def _own(weights):
    """The indicators that are columns of stores."""
    return [name for name in weights if name not in SALES_INDICATORS]


def _weighed(ratios, table, weights):
    ratios = ratios | {name: table[f"kept_{name}"] / table[f"mean_{name}"] for name in _own(weights)}
    return sum(weight / sum(weights.values()) * ratios[name] for name, weight in weights.items())


def _over(part, whole):
    """part / whole, 0 where whole is not above 0; null where the log holds no amounts to sum."""
    part, whole = part.cast("float64"), whole.cast("float64")
    none = whole.notnull().ifelse(0.0, ibis.null("float64"))
    return (whole > 0).ifelse(part / (whole > 0).ifelse(whole, 1.0), none)


def _weight_faults(orders, weights, stores):
    """What is wrong with the weights, or with orders that have no stores."""
    missing = "store_id" not in orders.columns
    if missing:
        yield "orders: no column 'store_id', so nobody has a home store; map it in data/catalog.toml"
    numbers = [] if stores is None else [name for name in stores.columns if stores[name].type().is_numeric()]
    known = [*SALES_INDICATORS, *numbers]
    wrong = [name for name, weight in weights.items() if name not in known or not 0 <= weight < float("inf")]
    for name in wrong:
        if name in known:
            yield f"weights: {name} = {weights[name]!r} is no weight; give 0 or more"
        else:
            yield f"weights: no indicator {name!r} of stores; take {nearest(name, known) or ', '.join(known)}"
    if not missing and not wrong and not sum(weights.values()):
        yield "weights: none is above 0; give one indicator a weight at least"


def _store_faults(visits, weights, stores):
    """What is wrong with the stores that were bought at, where their indicators are asked for: one small query."""
    own = _own(weights)
    used = visits.select("store_id").distinct()
    listed = stores.select(known_id=stores.store_id, **{name: stores[name] for name in own})
    joined = used.left_join(listed, used.store_id == listed.known_id)
    wrong = {f"no_{n}": (joined[n].isnull() & joined.known_id.notnull()).sum() for n in own}
    wrong |= {f"low_{n}": (joined[n] < 0).sum() for n in own} | {f"top_{n}": joined[n].max() for n in own}
    counts = joined.aggregate(used=joined.count(), strange=joined.known_id.isnull().sum(), **wrong)
    found = counts.to_pyarrow().to_pylist()[0]
    of = f"of the {found['used']:,} stores bought at"
    if own and found["strange"]:
        yield f"stores: no row for {found['strange']:,} {of}; add them"
    for name in own:
        if found[f"no_{name}"]:
            yield f"stores: {name!r} is empty for {found[f'no_{name}']:,} {of}; fill it"
        if found[f"low_{name}"] or found[f"top_{name}"] == 0:
            yield f"stores: {name!r} is negative somewhere, or 0 everywhere; strength needs sizes above 0"
