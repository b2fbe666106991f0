"""Sales by category and period are the same on DuckDB, PostgreSQL and Spark, to the last digit."""

import pandas as pd
import pytest

from crmlab import engines
from crmlab.lifecycle.tables import products

from .test_engines import END, contract_table

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def both(rows, other):
    """The log with a category of each customer's, on both engines."""
    named = rows.assign(category=rows.customer_id.str[-1].where(rows.customer_id.str[-1] != "0"))
    return contract_table(engines.connect(), named), contract_table(other, named)


@pytest.mark.parametrize("every", ["week", "month", "quarter"])
def test_sales_by_category_are_the_same(both, every):
    duck, other = (products.sales_by_category(table, END, every) for table in both)
    assert {"none", "1", "9"} <= set(duck.category)
    pd.testing.assert_frame_equal(duck, other, check_dtype=False)
