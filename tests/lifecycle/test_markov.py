"""What customers are worth to a chain: bad input, horizons and stopping."""

import pickle
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.lifecycle import MarkovChain
from crmlab.lifecycle.tables.stages import STAGES

E, G, M, D = STAGES
TRUTH = np.array([[0.7, 0.2, 0.0, 0.1], [0.0, 0.6, 0.3, 0.1], [0.0, 0.1, 0.8, 0.1], [0.05, 0.05, 0.0, 0.9]])
SPEND = np.array([10.0, 20.0, 40.0, 1.0])


def moved(customers, seed, truth=TRUTH, periods=10):
    """Moves as `stage_transitions` counts them, of customers who all begin in establishment; spend is exponential."""
    rng, steps = np.random.default_rng(seed), np.cumsum(truth, axis=1)
    paths = np.zeros((customers, periods), int)
    for t in range(1, periods):
        paths[:, t] = (rng.random(customers)[:, None] > steps[paths[:, t - 1]]).sum(axis=1)
    names, spent = np.array(["", *STAGES]), rng.exponential(SPEND[paths])
    columns = {"customers": 1, "spend": spent.ravel(), "spend_squares": spent.ravel() ** 2}
    lagged = [np.pad(paths + 1, ((0, 0), (k, 0)))[:, :periods] for k in (2, 1, 0)]
    columns |= {
        key: names[part.ravel()] for key, part in zip(("before_previous", "previous", "stage"), lagged, strict=True)
    }
    months = pd.date_range("2024-01-01", periods=periods, freq="MS")
    frame = pd.DataFrame(columns | {"period": np.tile(months, customers)})
    return frame.groupby(["period", "before_previous", "previous", "stage"], as_index=False).sum()


def model(**changed):
    return MarkovChain(**({"states": STAGES, "transition": TRUTH, "reward": SPEND - 3} | changed))


def test_everything_wrong_with_a_chain_is_refused_at_once():
    with pytest.raises(InputError) as caught:
        MarkovChain(("a", "b"), [[0.5, 0.4], [1.2, -0.2]], [1.0, np.nan])
    message = "\n".join(caught.value.breaches)
    assert "2 cells are no probabilities" in message
    assert "1 of 2 are not numbers" in message
    with pytest.raises(InputError, match=r"rows of a \(0.9\) do not sum to 1"):
        MarkovChain(("a", "b"), [[0.5, 0.4], [0.2, 0.8]], [1.0, 2.0])
    with pytest.raises(InputError, match="transition is 2x2 and reward 2 for 3 states"):
        MarkovChain(("a", "b", "c"), np.eye(2), [1.0, 2.0])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"discount": 0.0}, "a sum over an infinite horizon has no end"),
        ({"discount": -1.5, "periods": 3}, "choose a rate above -1"),
        ({"discount": np.nan}, "choose a rate above -1"),
        ({"discount": 0.1, "periods": -1}, "choose a whole number"),
        ({"discount": 0.1, "periods": 2.5}, "choose a whole number"),
        ({"discount": 0.1, "stop": ("gone",)}, "no state 'gone'; choose among establishment"),
    ],
)
def test_a_value_that_cannot_be_asked_for_is_refused(asked, message):
    with pytest.raises(InputError, match=message):
        model().value(**asked)


def test_undiscounted_periods_are_summed_as_they_are():
    # one state left for good with .1 a period: 1 + .9 + .81
    one = MarkovChain(("in", "out"), [[0.9, 0.1], [0, 1]], [1, 0])
    assert one.value(0.0, periods=2)["in"] == pytest.approx(2.71)


def test_many_periods_come_to_an_infinite_horizon():
    pd.testing.assert_series_equal(model().value(0.1, periods=400), model().value(0.1), rtol=1e-9)


def test_without_the_present_period_a_value_is_that_of_those_ahead():
    whole, ahead = model().value(0.1), model().value(0.1, include_present=False)
    np.testing.assert_allclose(ahead, TRUTH @ whole / 1.1)


@pytest.mark.parametrize("seed", range(5))
def test_the_best_states_to_stop_in_are_the_best_of_all_subsets(seed):
    rng = np.random.default_rng(seed)
    one = MarkovChain(tuple("abcd"), rng.dirichlet(np.full(4, 0.6), 4), rng.normal(0, 3, 4))
    every = [s for k in range(5) for s in combinations("abcd", k)]
    best = max(one.value(0.1, stop=stop).sum() for stop in every)
    found = one.value(0.1, stop=one.optimal_stop(0.1))
    assert found.sum() == pytest.approx(best)
    assert (found >= one.value(0.1) - 1e-9).all()


def test_a_chain_is_numbers_that_can_be_kept():
    assert pickle.loads(pickle.dumps(model())) == model()
    assert model().parameters.value["establishment to growth"] == 0.2
    assert model().parameters.value["reward in maturity"] == 37
    assert model().parameters.reason.str.contains("stage_values").all()
