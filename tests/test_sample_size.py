import numpy as np
import pytest
from scipy import stats

from crmlab.stats.sample_size import for_mean, for_share


@pytest.mark.parametrize(
    ("share", "half_width", "answers"),
    [(0.5, 0.05, 385), (0.5, 0.03, 1068), (0.2, 0.04, 385)],  # z² p (1 - p) / h², rounded up, z = 1.96
)
def test_a_share_takes_the_answers_of_the_textbook(share, half_width, answers):
    assert for_share(half_width, share).answers == answers


def test_a_finite_population_takes_fewer():
    assert for_share(0.05, population=1000).answers == 278  # Krejcie & Morgan 1970, table 1
    assert for_share(0.05, population=10_000).answers == 370
    assert for_share(0.001, population=50).answers <= 50
    assert for_share(0.0001, population=50).half_width <= 0.0001


def test_the_t_interval_of_a_planned_mean_is_as_wide_as_wanted_and_one_answer_fewer_does_not_do():
    plan = for_mean(0.25, sd=1.3)
    width = [stats.t.ppf(0.975, n - 1) * 1.3 / np.sqrt(n) for n in (plan.answers - 1, plan.answers)]
    assert width[0] > 0.25 >= width[1]
    assert plan.half_width == pytest.approx(width[1])


def test_invitations_make_up_for_those_who_do_not_answer():
    plan = for_mean(0.25, sd=1.3, response_rate=0.3)
    assert plan.answers <= plan.invitations * 0.3 < plan.answers + 0.3


def test_very_wide_intervals_take_two_answers():
    assert for_mean(100, sd=1).answers == 2


def test_where_all_who_answer_are_too_few_the_plan_is_what_they_give():
    plan = for_share(0.05, response_rate=0.25, population=500)
    assert (plan.answers, plan.invitations, plan.reached) == (125, 500, False)
    assert plan.half_width == pytest.approx(1.959964 * np.sqrt(0.25 / 125 * 375 / 499))  # Cochran 1977, 2.6
    assert for_share(0.05, population=500).reached
    assert not for_mean(1e-9, sd=1e6).reached


def test_no_plan_asks_more_than_there_are():
    for response_rate in (0.1, 0.37, 1.0):
        for width in (0.3, 0.1, 0.01):
            assert for_mean(width, 1.4, population=321, response_rate=response_rate).invitations <= 321
