"""Usage by loyalty: nine cells of a category's customers."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.models.brand_loyalty import BrandLoyalty, usage_by_loyalty

from .refusals import refused, unfitted


def customers(count=900, seed=1):
    rng = np.random.default_rng(seed)
    own = rng.random(count)
    frame = {"usage": rng.lognormal(2, 1, count), "own_label_share": own, "national_share": (1 - own) * 0.95}
    return pd.DataFrame(frame, pd.Index([f"c{i}" for i in range(count)], name="customer_id"))


def test_cells_are_usage_by_loyalty():
    rows = [(100, 0.9, 0.1), (100, 0.1, 0.9), (100, 0.5, 0.5), (10, 0.7, 0.3), (5, 0.0, 0.6), (4.9, 0.7, 0.0)]
    frame = pd.DataFrame(rows, columns=["usage", "own_label_share", "national_share"])
    labels = BrandLoyalty((5, 10), loyal_share=0.7).assign(frame)
    assert labels.tolist() == [
        "heavy, own label", "heavy, national", "heavy, switcher", "medium, own label", "light, switcher",
        "light, own label",
    ]  # fmt: skip
    assert labels.name == "brand_loyalty"
    assert len(labels.cat.categories) == 9


def test_levels_part_customers_into_thirds_unless_told_otherwise():
    frame = customers()
    scheme = BrandLoyalty.fit(frame)
    assert usage_by_loyalty(scheme.assign(frame)).sum(axis=1).tolist() == pytest.approx([1 / 3] * 3, abs=0.001)
    other = BrandLoyalty.fit(frame, usage_quantiles=(0.5, 0.9), loyal_share=0.8)
    assert usage_by_loyalty(other.assign(frame)).sum(axis=1).tolist() == pytest.approx([0.1, 0.4, 0.5], abs=0.001)
    assert other.loyal_share == 0.8


def test_nine_cells_show_the_empty_ones():
    table = usage_by_loyalty(BrandLoyalty((5, 10)).assign(customers().assign(own_label_share=1.0, national_share=0.0)))
    assert table.shape == (3, 3)
    assert (table[["national", "switcher"]] == 0).all().all()
    assert table.to_numpy().sum() == pytest.approx(1)


def test_equal_usage_is_never_parted():
    frame = customers().assign(usage=np.repeat([1.0, 2.0], 450))
    usage_quantiles = BrandLoyalty.fit(frame).assign(frame).str.split(",").str[0]
    assert usage_quantiles.groupby(frame.usage).nunique().eq(1).all()


def test_rules_are_the_cuts():
    rules = BrandLoyalty((5, 10), 0.7).rules().rule
    assert rules["heavy, own label"] == "usage above 10; own label at least 0.7000 of it"
    assert rules["light, switcher"] == "usage up to 5; neither"


def test_bad_input_is_named():
    frame = customers()
    assert "cuts must rise" in refused(BrandLoyalty.fit, frame, usage_quantiles=(0.6, 0.3))[0]
    for options in ({"usage_quantiles": (0.5,)}, {"loyal_share": 0.5}, {"loyal_share": 1.1}):
        assert "give two quantiles, and loyal_share above 0.5" in refused(BrandLoyalty.fit, frame, **options)[0]
    assert "'usage' is 3 for all 900" in unfitted(BrandLoyalty.fit, frame.assign(usage=3.0))
    assert "8 customers are fewer than the 9 that" in unfitted(BrandLoyalty.fit, frame.iloc[:8])
    assert "no column 'national_share'" in unfitted(BrandLoyalty.fit, frame.drop(columns="national_share"))
    unused = frame.assign(usage=np.where(np.arange(900) < 7, 0.0, frame.usage))
    assert "'usage' is 0 or less for 7 of 900 customers" in refused(BrandLoyalty((5, 10)).assign, unused)[0]
