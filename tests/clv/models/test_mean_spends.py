"""Mean spends of many repeat buyers, grouped in bins where they are stored, beside the same one by one."""

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab import clv, engines
from crmlab.clv import tables
from crmlab.likelihood import values

WORLD = {"p": 4.0, "q": 3.0, "gamma": 60.0}


@pytest.fixture(scope="module")
def customers():
    """The summary of 20,000 customers of a Gamma-Gamma world, some without a repeat order or without spend."""
    rng = np.random.default_rng(5)
    x = rng.geometric(0.3, 20_000) - 1
    rate = rng.gamma(WORLD["q"], 1 / WORLD["gamma"], x.size)
    spend = np.where(x > 0, rng.gamma(np.maximum(WORLD["p"] * x, 1), 1 / rate), 0).round(2)
    spend[:10] = 0
    frame = pd.DataFrame({"customer_id": [f"c{n}" for n in range(x.size)], "frequency": x, "repeat_spend": spend})
    frame["monetary_value"] = frame.repeat_spend / frame.frequency.clip(lower=1)
    with engines.held(ibis.memtable(frame.assign(recency=x, age=x + 1))) as table:
        yield table


def test_up_to_the_stated_number_each_mean_counts_by_itself(customers):
    pd.testing.assert_frame_equal(tables.mean_spends(customers), clv.collapse(customers, "monetary_value"))
    assert clv.fit_spend(customers, replicates=0).uncertainty.bin_error == 0


def test_bins_keep_the_counts_and_the_sums_of_logs(customers, monkeypatch):
    monkeypatch.setattr(tables, "MOST_MEANS", 1000)
    binned, each = tables.mean_spends(customers), customers.execute()
    each = each[(each.frequency > 0) & (each.monetary_value > 0)]
    assert len(binned) < len(each) / 2
    logs = (np.log(binned.monetary_value) * binned.customers).groupby(binned.frequency).sum()
    exact = np.log(each.monetary_value).groupby(each.frequency)
    np.testing.assert_allclose(logs, exact.sum(), rtol=1e-9)
    assert binned.groupby("frequency").customers.sum().tolist() == exact.size().tolist()
    within = np.floor(np.log(binned.monetary_value) / tables.BIN_WIDTH)
    assert (abs(within - binned.bin) <= 1).all()


def test_bins_move_no_parameter_by_a_thousandth_and_the_note_says_by_how_much(customers, monkeypatch):
    exact = clv.fit_spend(customers, replicates=0)
    monkeypatch.setattr(tables, "MOST_MEANS", 1000)
    monkeypatch.setattr(tables, "BIN_WIDTH", 0.05)
    binned = clv.fit_spend(customers, replicates=0)
    moved = np.abs(np.array(values(binned)) / values(exact) - 1).max()
    assert 1e-6 < moved < 1e-3
    assert moved / 3 < binned.uncertainty.bin_error < 3 * moved
    assert clv.spend_note(binned, binned).endswith(
        f"that moves a parameter by {binned.uncertainty.bin_error:.1g} of itself at most."
    )
    assert clv.spend_note(exact, exact) == ""


def test_spend_by_frequency_is_fitted_to_the_same_bins(customers, monkeypatch):
    spend = clv.fit_spend(customers, replicates=16)
    one_by_one = clv.spend_for_value(spend, customers, limit=0.0001, replicates=0)
    monkeypatch.setattr(tables, "MOST_MEANS", 1000)
    binned = clv.spend_for_value(spend, customers, limit=0.0001, replicates=0)
    assert binned.title == one_by_one.title == "Gamma-Gamma by frequency"
    np.testing.assert_allclose(values(binned), values(one_by_one), rtol=1e-3)
    assert values(binned) != values(one_by_one)
