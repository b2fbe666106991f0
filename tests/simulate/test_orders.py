"""Simulated logs and spend, and the example that is made of them."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab.simulate.orders import simulate_orders, simulate_spend

WORLD = {"r": 0.5, "alpha": 30, "a": 0.8, "b": 3, "customers": 4000, "days": 400}


def test_a_simulated_log_is_the_same_for_the_same_seed():
    pd.testing.assert_frame_equal(simulate_orders(**WORLD, seed=1), simulate_orders(**WORLD, seed=1))
    assert not simulate_orders(**WORLD, seed=1).equals(simulate_orders(**WORLD, seed=2))


def test_a_simulated_log_holds_every_customer_within_its_days_and_ids_as_text():
    log = simulate_orders(**WORLD, seed=1)
    assert log.customer_id.nunique() == 4000
    assert log.customer_id.str.len().eq(4).all()
    assert log.day.between(0, 399).all()
    assert log.groupby("customer_id").day.min().max() < 90


def test_spend_is_that_of_a_gamma_gamma_world_to_the_cent():
    log = simulate_orders(**WORLD, seed=1)
    money = simulate_spend(log, p=6, q=4, gamma=60, seed=2)
    assert (money > 0).all()
    assert np.allclose(money * 100, np.round(money * 100))
    per_customer = pd.Series(money).groupby(log.customer_id.to_numpy()).mean()
    assert per_customer.mean() == pytest.approx(6 * 60 / 3, rel=0.05)


def test_the_example_shop_is_what_its_script_simulates():
    path = Path(__file__).parents[2] / "data" / "simulate_example_shop.py"
    spec = importlib.util.spec_from_file_location("example_shop", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = module.example_shop().to_csv(sep=";", index=False)
    assert written == path.with_name("example_shop.csv").read_text()


def test_a_world_shorter_than_its_acquisition_is_simulated_too():
    log = simulate_orders(**(WORLD | {"days": 30}), seed=1)
    assert log.customer_id.nunique() == 4000
    assert log.day.between(0, 29).all()
