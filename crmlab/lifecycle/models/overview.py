"""Where the products of a shop stand."""

import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models.growth import Bass
from crmlab.lifecycle.models.growth_forecasts import peak_time
from crmlab.lifecycle.models.product_stages import life_cycle_stages, stage_spells
from crmlab.lifecycle.models.shapes import life_cycle_shape
from crmlab.lifecycle.tables import products
from crmlab.model import Unfitted


def product_overview(
    sales: pd.DataFrame, periods_per_year: int | None = None, max_categories: int = 20
) -> pd.DataFrame:
    """Where each category stands, those that sold most first.

    Parameters
    ----------
    sales : DataFrame
        category, time, sales, as from `product_sales`.
    periods_per_year : int, optional
        Periods in a year; None takes it from the dates of `sales`.
    max_categories : int
        Most categories to list.

    Returns
    -------
    DataFrame
        By category: periods, how many; sales, their sum; growth, rate in the last year, NA where there is none; stage
        of the last period, and stage_since, since which period; shape of sales so far, NA where there is none to read;
        peak_time, the period of Bass's peak, where that curve could be fitted; summary, the shape and its moves;
        reason, why something could not be read.
    """
    periods_per_year = products.periods_per_year(sales) if periods_per_year is None else periods_per_year
    totals = sales.groupby("category").sales.sum().sort_values(ascending=False, kind="stable")
    series = {name: products.category_sales(sales, name) for name in totals.index[:max_categories]}
    rows = {name: _overview_row(one, periods_per_year) for name, one in series.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("category")


def _overview_row(sales, periods_per_year):
    row = {"periods": len(sales), "sales": sales.sum(), "growth": pd.NA, "stage": pd.NA, "stage_since": pd.NaT}
    row |= {"shape": pd.NA, "peak_time": pd.NaT, "summary": "", "reason": ""}
    try:
        path = life_cycle_stages(sales, periods_per_year)
    except InputError as problem:
        return row | {"reason": str(problem)}
    shape, last = life_cycle_shape(sales, periods_per_year), stage_spells(path).iloc[-1]
    curve = Bass.fit(sales, replicates=0)
    row |= {"growth": path.growth.iloc[-1], "stage": last.stage, "stage_since": last["first"]}
    row |= {"peak_time": peak_time(curve, sales) if curve else pd.NaT}
    if isinstance(shape, Unfitted):
        return row | {"reason": str(shape)}
    return row | {"shape": shape.name, "summary": shape.summary}
