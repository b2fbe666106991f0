"""Whatever stands in the rows after the cut-off, features and labels are the same to the last byte."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog
from crmlab.segments import CLUSTERS
from crmlab.segments.models.abc import ABC
from crmlab.segments.models.brand_loyalty import BrandLoyalty
from crmlab.segments.models.eight_classes import EightClasses
from crmlab.segments.models.index_system import IndexSystem
from crmlab.segments.models.rfm import RFM, RFMTiers
from crmlab.segments.models.value_matrix import ValueMatrix
from crmlab.segments.tables import scorecard
from crmlab.segments.tables.brands import brand_usage
from crmlab.segments.tables.features import collect, customer_features
from crmlab.segments.tables.stores import store_strength

from .logs import MORE, log, random_rows, table

END = "2024-06-30"
SCHEMES = (ABC, RFM, RFMTiers, ValueMatrix, EightClasses)
PRODUCTS = table(
    product_id=[f"p{i}" for i in range(9)], category=["k"] * 9, own_label=[i % 3 == 0 for i in range(9)],
    brand=[f"b{i % 4}" for i in range(9)],
)  # fmt: skip


def everything(rows):
    """Everything known on END, and every label, of a log: bytes."""
    transactions = log(*rows, columns=MORE)
    known = collect(customer_features(transactions, END, 90), store_strength(transactions, END, window_days=90))
    known["expected_margin"] = known.spend / known.orders
    used = collect(brand_usage(transactions, PRODUCTS, END, "k", window_days=90))
    fitted = [*(kind.fit(known) for kind in SCHEMES), *(kind.fit(known, k=3) for kind in CLUSTERS)]
    fitted.append(IndexSystem.fit(known, scorecard.load_scorecard(catalog.root() / "data" / "scorecard.toml")))
    labels = [scheme.assign(known) for scheme in fitted]
    labels.append(BrandLoyalty.fit(used).assign(used))
    return [part.to_csv().encode() for part in (known, used, *labels)]


@pytest.fixture(scope="module")
def before():
    return random_rows(np.random.default_rng(3), 700, "2024-01-01", END)


@pytest.fixture(scope="module")
def expected(before):
    return everything(before)


@pytest.mark.parametrize("seed", range(3))
def test_permuting_every_later_row_changes_no_byte_of_features_and_labels(before, expected, seed):
    rng = np.random.default_rng(seed)
    after = pd.DataFrame(random_rows(rng, 400, "2024-07-01", "2024-12-31", customers=90))
    permuted = pd.DataFrame({name: rng.permutation(column.to_numpy()) for name, column in after.items()})
    rows = [*before, *map(tuple, permuted.itertuples(index=False))]
    assert everything([rows[i] for i in rng.permutation(len(rows))]) == expected


def test_the_rows_before_it_do_change_them(before, expected):
    other = everything(before[:-40])
    assert all(one != two for one, two in zip(other, expected, strict=True))
