"""Markov-chain values of customers by recency. [Pfeifer & Carraway 2000]

An order brings 40; marketing costs 4 a period until a customer has been silent for five; money loses a fifth a period.
The inputs are the paper's; the values are those of an independent program, here confirmed by a sum over every path.
"""

from itertools import pairwise, product

import numpy as np
import pytest

from crmlab.lifecycle import MarkovChain

ORDERS = (0.3, 0.2, 0.15, 0.05)  # probability of an order at recency 1 to 4
FOUR_PERIODS = [50.115, 4.220, 0.592, -1.980, 0]
LIFETIME = [52.320, 5.554, 1.251, -1.820, 0]
STOPPED = [53.149, 6.621, 2.644, 0, 0]
DISCOUNT, DIGITS = 0.2, 5e-4  # printed to three decimals


def chain():
    moves = np.zeros((5, 5))
    moves[:4, 0] = ORDERS
    for recency, probability in enumerate(ORDERS):
        moves[recency, recency + 1] = 1 - probability
    moves[4, 4] = 1
    return MarkovChain(("recency 1", "recency 2", "recency 3", "recency 4", "former"), moves, (40 - 4, -4, -4, -4, 0))


def test_four_periods_are_worth_the_published_values():
    np.testing.assert_allclose(chain().value(DISCOUNT, periods=4), FOUR_PERIODS, atol=DIGITS)


def test_an_infinite_horizon_is_worth_the_published_values():
    np.testing.assert_allclose(chain().value(DISCOUNT), LIFETIME, atol=DIGITS)


def test_to_stop_marketing_from_recency_four_is_worth_the_published_values():
    np.testing.assert_allclose(chain().value(DISCOUNT, stop=("recency 4",)), STOPPED, atol=DIGITS)


def test_to_stop_from_recency_four_is_found_to_be_best():
    assert chain().optimal_stop(DISCOUNT) == ("recency 4", "former")
    np.testing.assert_allclose(chain().value(DISCOUNT, stop=chain().optimal_stop(DISCOUNT)), STOPPED, atol=DIGITS)


def test_four_periods_are_the_mean_over_every_path():
    model = chain()
    P, R = np.array(model.transition), np.array(model.reward)
    worth = 0.0
    for path in product(range(5), repeat=4):
        steps = (0, *path)
        probability = np.prod([P[a, b] for a, b in pairwise(steps)])
        worth += probability * sum(R[state] / 1.2**t for t, state in enumerate(steps))
    assert model.value(DISCOUNT, periods=4).iloc[0] == pytest.approx(worth, abs=1e-9)
    assert worth == pytest.approx(FOUR_PERIODS[0], abs=DIGITS)
