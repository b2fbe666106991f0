"""How much customers use a category, and which brands they choose in it, built lazily where the log lives."""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.contracts import InputError, nearest
from crmlab.dataset import Data
from crmlab.model import blank_of
from crmlab.orders import need_amounts, rows
from crmlab.segments.tables.features import collect, window_spend_by

SHOWN = 5  # names of categories in a breach


def brand_customers(
    orders: Data | ir.Table,
    products: Data | ir.Table | None,
    end: date | str,
    category: str | None = None,
    own_brands: Sequence[str] | None = None,
    window_days: int = 365,
) -> pd.DataFrame:
    """What each customer spent on a category in the window, by brand, as a frame.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not used.
    products : Data or Ibis table, optional
        Rows of the PRODUCTS contract; None gives a blank.
    end : date or str
        Last day that counts, a date or its ISO text.
    category : str, optional
        One of `products`; None takes all products together.
    own_brands : sequence of str, optional
        Values of `brand` that are the shop's own; None goes by `own_label`.
    window_days : int
        Length of the window that ends with `end`, days.

    Returns
    -------
    DataFrame
        By customer_id, the columns of `brand_usage`.

    Raises
    ------
    InputError
        Where the columns needed, or the category, are not there.
    """
    if products is None:
        return blank_of(pd.DataFrame, "no products were named")
    found = collect(brand_usage(orders, products, end, category, own_brands, window_days))
    need_amounts(found.usage)
    return found


def brand_usage(
    orders: Data | ir.Table,
    products: Data | ir.Table,
    end: date | str,
    category: str | None = None,
    own_brands: Sequence[str] | None = None,
    window_days: int = 365,
) -> ir.Table:
    """What each customer spent on a category in the window, by brand.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not used.
    products : Data or Ibis table
        Rows of the PRODUCTS contract.
    end : date or str
        Last day that counts, a date or its ISO text.
    category : str, optional
        One of `products`; None takes all products together.
    own_brands : sequence of str, optional
        Values of `brand` that are the shop's own; None goes by `own_label`.
    window_days : int
        Length of the window that ends with `end`, days.

    Returns
    -------
    Ibis table
        Lazy, one row a customer who bought it. customer_id; usage, spent on it, in the currency of `amount`;
        own_label_share, share of that spent on the shop's own label, 0 to 1; national_share, share spent on the other
        brand bought most, or on all others together where products have no `brand`. What is of unknown label counts in
        usage alone.

    Raises
    ------
    InputError
        Where the columns needed, or the category, are not there.
    """
    bought = _bought(rows(orders), rows(products), end, category, own_brands, window_days)
    by_brand = bought.group_by("customer_id", "brand", "own").aggregate(spend=_.spend.sum())
    used = by_brand.group_by("customer_id").aggregate(
        usage=_.spend.sum().cast("float64"),
        own=_.spend.sum(where=_.own == 1).fill_null(0).cast("float64"),
        national=_.spend.max(where=_.own == 0).fill_null(0).cast("float64"),
    )
    shares = {"own_label_share": used.own / used.usage, "national_share": used.national / used.usage}
    return used.select("customer_id", "usage", **shares)


def _bought(orders, products, end, category, own_brands, window_days):
    """Customers' spend on products in the window: customer_id, spend above 0, category, brand, own (1, 0 or null)."""
    _check(orders, products, category, own_brands)
    label = products.own_label if own_brands is None else products.brand.isin(list(own_brands))
    texts = {
        name: products[name].fill_null("") if name in products.columns else ibis.literal("")
        for name in ("category", "brand")
    }
    kinds = products.select("product_id", **texts, own=label.cast("int32"))
    if category is not None:
        kinds = kinds.filter(kinds.category == category)
    lines = window_spend_by(orders, end, "product_id", window_days)
    lines = lines.filter((lines.window_spend > 0).fill_null(True))
    spent = lines.select("customer_id", "product_id", spend="window_spend")
    return spent.join(kinds, "product_id")


def _check(orders, products, category, own_brands):
    """Whether the columns needed, and the category, are there: without a query, but for a category."""
    needs = {"own_label": own_brands is None, "brand": own_brands is not None, "category": category is not None}
    breaches = []
    if "product_id" not in orders.columns:
        breaches.append("orders: no column 'product_id', so no brands are known; map it in data/catalog.toml")
    for name, needed in needs.items():
        if needed and name not in products.columns:
            other = "; or name the own_brands" if name == "own_label" and "brand" in products.columns else ""
            breaches.append(f"products: no column {name!r}; map it in data/catalog.toml{other}")
    if not breaches and category is not None and not products.filter(products.category == category).count().execute():
        known = products.category.topk(1000).execute().iloc[:, 0].dropna().tolist()
        take = [near] if (near := nearest(category, known)) else known[:SHOWN]
        breaches.append(f"products: no category {category!r}; take {', '.join(map(repr, take))}")
    if not breaches and own_brands is not None:
        known = products.filter(products.brand.isin(list(own_brands))).count().execute()
        listed = ", ".join(map(repr, own_brands))
        breaches += [] if known else [f"products: no brand is among own_brands = {listed}; correct them"]
    if breaches:
        raise InputError(*breaches)
