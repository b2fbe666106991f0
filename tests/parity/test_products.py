"""Sales by category and period are the same on DuckDB and on Spark, to the last digit."""

import pandas as pd
import pytest

from crmlab import engines
from crmlab.lifecycle.tables import products

from .test_engines import END, contract_table

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]


@pytest.fixture(scope="module")
def both(rows, spark):
    """The log with a category of each customer's, on both engines."""
    named = rows.assign(category=rows.customer_id.str[-1].where(rows.customer_id.str[-1] != "0"))
    return contract_table(engines.connect(), named), contract_table(spark, named)


@pytest.mark.parametrize("every", ["week", "month", "quarter"])
def test_sales_by_category_are_the_same(both, every):
    duck, spark = (products.sales_by_category(table, END, every) for table in both)
    assert {"none", "1", "9"} <= set(duck.category)
    pd.testing.assert_frame_equal(duck, spark, check_dtype=False)
