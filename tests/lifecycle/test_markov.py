"""What customers are worth to a chain: bad input, stopping, and the intervals of the values."""

import pickle
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.lifecycle import MarkovChain, checks, second_order_values, stage_values
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.model import Unfitted

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


def test_a_chain_of_many_moves_is_the_one_they_were_drawn_from():
    found = MarkovChain.fit(moved(20_000, 1), margin=0.5, cost=2)
    np.testing.assert_allclose(found.transition, TRUTH, atol=0.02)
    np.testing.assert_allclose(found.reward, 0.5 * SPEND - 2, rtol=0.03, atol=0.05)


def test_intervals_of_values_hold_the_truth_about_as_often_as_their_level():
    truth = MarkovChain(STAGES, TRUTH, SPEND)
    asked = {
        "horizon_value": truth.value(0.02, 6, include_present=False),
        "lifetime_value": truth.value(0.02, include_present=False),
    }
    held = []
    for seed in range(12):
        found = stage_values(moved(400, seed), 0.02, periods=6)
        held += [((found[f"{k}_ci_low"] <= v) & (v <= found[f"{k}_ci_high"])).mean() for k, v in asked.items()]
    assert np.mean(held) > 0.85


def test_a_stage_that_does_not_pay_is_not_kept():
    # decline brings 1 a period at a cost of 3; it recovers too seldom to make up for it at a discount of two
    found = stage_values(moved(2000, 1), 2.0, cost=3)
    assert list(found.keep) == [True, True, True, False]
    assert found.stopping_value[D] == 0
    assert found.reward[D] + found.lifetime_value[D] < 0
    assert (found.stopping_value > found.lifetime_value)[[E, G, M]].all()


def test_the_same_seed_gives_the_same_intervals():
    seen = moved(100, 1)
    pd.testing.assert_frame_equal(stage_values(seen, 0.1, seed=4), stage_values(seen, 0.1, seed=4))
    assert not stage_values(seen, 0.1, seed=4).equals(stage_values(seen, 0.1, seed=5))


def test_a_stage_nobody_was_in_is_left_out_with_the_reason():
    only = moved(300, 1, np.array([[0.7, 0, 0, 0.3], [0, 1, 0, 0], [0, 0, 1, 0], [0.2, 0, 0, 0.8]]))
    found = stage_values(only, 0.1)
    assert found.loc[[G, M], "lifetime_value"].isna().all()
    assert set(found.reason[[G, M]]) == {"nobody was in it"}
    assert found.loc[[E, D], "lifetime_value"].notna().all()
    assert MarkovChain.fit(only).states == (E, D)


def test_a_stage_whose_future_was_not_seen_leaves_all_values_blank_with_the_reason():
    seen = moved(300, 1, periods=2)  # nobody was in growth or decline before the last period
    fitted = MarkovChain.fit(seen)
    assert isinstance(fitted, Unfitted)
    assert fitted.reason == "nobody in growth, decline was observed a period later"
    for blank in (stage_values(seen, 0.1), second_order_values(seen, 0.1), fitted.value(0.1), fitted.parameters):
        assert blank.empty
        assert blank.attrs["reason"] == str(fitted)
    check = checks.second_order_values_agree(second_order_values(seen, 0.1))
    assert check.outcome == "not applicable"
    assert check.summary == f"Not judged: {fitted}."


def test_a_chain_is_numbers_that_can_be_kept():
    assert pickle.loads(pickle.dumps(model())) == model()
    assert model().parameters.value["establishment to growth"] == 0.2
    assert model().parameters.value["reward in maturity"] == 37
    assert model().parameters.reason.str.contains("transition_probabilities").all()


def test_a_memory_that_does_not_exist_is_worth_nothing():
    check = checks.second_order_values_agree(second_order_values(moved(5000, 2), 0.05))
    assert (check.id, check.kind, check.outcome) == ("lifecycle.second_order_values_agree", "assumption", "passed")
    assert "5,000 customers" in check.summary
    assert check.claim.endswith("gives customers the same value, within 5.0 %")
    assert check.recommendation == ""


def remembering(customers):
    """Moves of customers half of whom stay as they are for good, while the others move about."""
    about = np.array([[0, 0.2, 0.4, 0.4], [0, 0, 0.5, 0.5], [0, 0.5, 0, 0.5], [0.1, 0.4, 0.5, 0]])
    return pd.concat([moved(customers, 1, np.eye(4)), moved(customers, 2, about)])


def test_a_memory_that_matters_to_value_is_found_out():
    check = checks.second_order_values_agree(second_order_values(remembering(500), 0.05))
    assert check.outcome == "failed"
    assert check.recommendation.startswith("Use the values over the next periods")


def test_a_difference_whose_interval_holds_the_tolerance_is_undecided():
    found = second_order_values(moved(60, 3), 0.05)
    low, high = found.loc["relative difference", ["ci_low", "ci_high"]]
    check = checks.second_order_values_agree(found, tolerance=max(abs(low), abs(high)) - 1e-6)
    assert check.outcome == "undecided"
    assert "leaves open whether" in check.summary
    assert check.recommendation.endswith("until a longer log decides.")


def test_the_interval_of_the_difference_between_chains_holds_none_about_as_often_as_its_level():
    # moves are drawn without a memory, so that the true difference is 0
    ends = [
        second_order_values(moved(150, seed), 0.05, replicates=199).loc["relative difference"] for seed in range(40)
    ]
    held = [row.ci_low <= 0 <= row.ci_high for row in ends]
    assert np.mean(held) >= 0.85  # of 40 at 95 %


def test_values_of_both_chains_are_those_of_their_models():
    seen = moved(300, 5)
    found = second_order_values(seen, 0.05)
    last = seen[seen.period == seen.period.max()].groupby("stage").customers.sum()
    first = (last * MarkovChain.fit(seen).value(0.05, include_present=False)[last.index]).sum()
    assert found.value["first order"] == pytest.approx(first)
    assert (found.ci_low < found.value).all()
    assert (found.value < found.ci_high).all()
    assert found.value["relative difference"] == pytest.approx(found.value["second order"] / first - 1)
