"""The lazy tables of segments are the same on DuckDB and on Spark: integers equal, money exact."""

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab.segments.tables.brands import brand_usage
from crmlab.segments.tables.features import collect, customer_features, holdout_activity
from crmlab.segments.tables.stores import store_strength

from ..parity.conftest import spark  # noqa: F401  (a fixture)
from .logs import MORE, log, random_rows

END, UNTIL = "2024-06-30", "2024-09-30"
WEIGHTS = {"spend": 1.0, "customers": 2.0, "area": 1.0}
PRODUCTS = pd.DataFrame(
    {
        "product_id": [f"p{i}" for i in range(9)],
        "category": ["k"] * 9,
        "brand": [f"b{i % 4}" for i in range(9)],
        "own_label": [i % 3 == 0 for i in range(9)],
    }
)
STORES = pd.DataFrame({"store_id": [f"s{i}" for i in range(5)], "area": [1.0, 2, 3, 4, 5]})
TABLES = {
    "features": lambda log, products, stores: collect(customer_features(log, END, 90)),
    "later": lambda log, products, stores: collect(holdout_activity(log, END, UNTIL)),
    "store_strength": lambda log, products, stores: collect(store_strength(log, END, WEIGHTS, stores, 90)),
    "brands": lambda log, products, stores: collect(brand_usage(log, products, END, "k")),
}
pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]


@pytest.fixture(scope="module")
def both(spark):  # noqa: F811
    rows = log(*random_rows(np.random.default_rng(1), 300, "2024-01-01", UNTIL), columns=MORE)
    here = ibis.duckdb.connect()
    found = []
    for connection in (here, spark):
        tables = {"segments_log": rows, "segments_products": PRODUCTS, "segments_stores": STORES}
        made = [ibis.memtable(t if isinstance(t, pd.DataFrame) else t.to_pyarrow()) for t in tables.values()]
        found.append([connection.create_view(n, t, overwrite=True) for n, t in zip(tables, made, strict=True)])
    return found


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_the_same_on_both_engines(name, both):
    one, other = (TABLES[name](*tables) for tables in both)
    assert len(one)
    pd.testing.assert_frame_equal(one, other, rtol=1e-14, check_index_type=False)
