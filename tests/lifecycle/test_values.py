"""Money by state of buying, customer and stage: counted by hand, against simulation, and where it is blank."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, lifecycle
from crmlab.contracts import InputError
from crmlab.lifecycle import MarkovChain, OverdueThresholds, checks
from crmlab.lifecycle.models import buying_chain
from crmlab.lifecycle.tables.order_states import with_state
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.model import Unfitted, blank_of

from ..clv.worlds import log
from . import rates
from .buying import bought, moves

OVERDUE = OverdueThresholds(days=(60.0, 50.0, 40.0), own_gap_multiple=3.0)
ORDERS = log(
    ("ann", "2024-01-05", "10"),
    ("ann", "2024-01-20", "5"),
    ("ann", "2024-03-02", "7"),
    ("bob", "2024-01-09", "20"),
    ("cid", "2024-02-11", "30"),
    *[("cid", f"2024-03-{day}", "1") for day in ("01", "02", "03", "04")],
    ("zoe", "2024-09-30", "1"),
)
E, G, M, D = STAGES
WORLD = bought(800, 14, 1)


def test_a_state_is_periods_since_the_last_order_and_repeat_orders_of_the_last_six():
    stages = lifecycle.customer_stages(ORDERS, "2024-09-30", "month", OVERDUE)
    found = with_state(stages, "period").order_by("period").execute().groupby("customer_id")
    states = found[["since", "recent"]].apply(lambda rows: [*map(tuple, rows.to_numpy().tolist())])
    # a repeat order in January and one in March, which no longer count from July and September on
    assert states["ann"] == [(0, 1), (1, 1), (0, 2), (1, 2), (2, 2), (3, 2), (4, 1), (5, 1), (6, 0)]
    assert states["bob"] == [(since, 0) for since in range(9)]
    # cid joins in February; four repeat orders in March count as three and more
    assert states["cid"] == [(0, 0), *[(since, 3) for since in range(6)], (6, 0)]


def test_moves_carry_the_spend_of_their_period_and_of_those_after_it():
    found = lifecycle.state_transitions(ORDERS, "2024-09-30", "month", OVERDUE, 2)
    by = found.groupby("period")[["customers", "spend", "spend_ahead"]].sum(min_count=1)
    assert by.customers.tolist() == [2, *[3] * 7, 4]
    assert by.spend.tolist() == [35, 30, 11, 0, 0, 0, 0, 0, 1]
    # of those acquired by then: 7 of ann in March counts for January, 30 of cid, who came in February, does not
    assert by.spend_ahead[:7].tolist() == [7, 11, 0, 0, 0, 0, 0]
    assert by.spend_ahead[7:].isna().all()
    assert found.spend_squares.sum() == 15**2 + 20**2 + 30**2 + 7**2 + 4**2 + 1


@pytest.mark.parametrize("periods_ahead", [0, -1])
def test_no_periods_ahead_are_refused(periods_ahead):
    with pytest.raises(InputError, match=f"periods_ahead = {periods_ahead}: choose a whole number, 1 or more"):
        lifecycle.state_transitions(ORDERS, "2024-09-30", "month", OVERDUE, periods_ahead)


# of 40 without an order since, 10 order again (state 1) and 30 do not (state 4); of those, 12 of 30 order
COUNTED = moves(
    (1, -1, -1, 0, E, 40), (2, -1, 0, 1, E, 10), (2, -1, 0, 4, E, 30), (3, 0, 4, 1, M, 12), (3, 0, 4, 8, D, 18)
).assign(spend=[400.0, 200.0, 0.0, 120.0, 0.0], spend_squares=[4000, 4010, 0, 1320, 0])


def test_probabilities_and_rewards_are_those_counted_by_hand():
    chain = MarkovChain.fit(COUNTED, margin=0.5, cost=1)
    # 2 since is reached and never left: it counts as 1 since, out of which 30 moves were seen
    names = ("0 periods since, 0 repeat orders", "0 periods since, 1 repeat order")
    assert chain.states == (*names, "1 and more periods since, 0 repeat orders")
    # one move is added to each, spread as those out of all states of as many periods: .25 and .75, .4 and .6
    assert chain.transition[0] == pytest.approx((0, 10.25 / 41, 30.75 / 41))
    assert chain.transition[1] == pytest.approx((0, 0.25, 0.75))
    assert chain.transition[2] == pytest.approx((0, 12.4 / 31, 18.6 / 31))
    # 22 arrived in state 1 with 320, and one more with the mean of all after an order, 320 / 22; first orders are none
    assert chain.reward == pytest.approx((0.5 * 320 / 22 - 1, 0.5 * (320 + 320 / 22) / 23 - 1, -1))


def test_the_move_added_is_spread_as_those_out_of_all_states_of_as_many_periods():
    seen = buying_chain.counts(
        moves((2, -1, 1, 1, E, 3), (2, -1, 1, 4, E, 1), (2, -1, 0, 1, E, 2), (2, -1, 0, 4, E, 4), (3, 0, 4, 1, E, 30))
    )
    # 0, 1 and 4 are the states; out of 0 and 1, 5 of 10 moves are to 1
    np.testing.assert_allclose(seen.posterior(seen.moves.sum(axis=0))[:2], [[0, 2.5, 4.5], [0, 3.5, 1.5]])


def test_the_value_of_a_stage_is_the_mean_over_the_states_of_those_in_it():
    blank = blank_of(pd.DataFrame, "not asked")
    found = lifecycle.stage_values(COUNTED, 0.25, 1, blank, blank)
    spend = 320 / 22
    assert found.customers.tolist() == [0, 0, 12, 18, 30]
    # one period ahead: M has .25 to order again, D .4, discounted by a quarter
    assert found.horizon_value[[M, D]].tolist() == pytest.approx([0.25 * spend / 1.25, 0.4 * spend / 1.25])
    assert found.horizon_value["all"] == pytest.approx((12 * 0.25 + 18 * 0.4) / 30 * spend / 1.25)
    assert found.reason[E] == "nobody is in it"
    assert np.isnan(found.horizon_value[E])
    with_cost = lifecycle.stage_values(COUNTED, 0.25, 1, blank, blank, margin=0.5, cost=1)
    assert with_cost.horizon_value[D] == pytest.approx((0.5 * 0.4 * spend - 1) / 1.25)
    shift = with_cost.horizon_value_pi_low[D] + 1 / 1.25  # the same draws, halved, and a cost
    assert shift == pytest.approx(0.5 * found.horizon_value_pi_low[D])


def test_seasons_are_orders_to_those_expected():
    found = buying_chain.counts(COUNTED).seasons()
    # 40 at 10.25 / 41 make 10, and 30 at 12.4 / 31 make 12
    assert found == pytest.approx([1, 1])
    more = pd.concat([COUNTED, moves((4, 4, 8, 1, M, 9), (4, 4, 8, 8, D, 11))])
    # 50 without an order for a period and more order 21 times, 21.42 of 51 with the one added
    share = 21.42 / 51
    assert buying_chain.counts(more).seasons() == pytest.approx([1, 12 / (30 * share), 9 / (20 * share)])


def test_a_period_in_which_no_order_is_expected_has_a_season_of_its_own():
    # out of one period without an order nobody ever ordered: the third period expects none, and says nothing
    few = moves((2, -1, 1, 1, E, 10), (2, -1, 1, 4, E, 30), (3, 1, 4, 8, D, 40))
    assert buying_chain.counts(few).seasons().tolist() == [1, 1]
    assert lifecycle.state_values(few, 0.01, 3, replicates=99).notna().all(axis=None)


def test_draws_of_orders_keep_to_their_moments():
    rng = np.random.default_rng(1)
    spent = buying_chain._amount(np.full(40_000, 40.0), 100.0, rng)
    assert spent.mean() == pytest.approx(40, rel=0.01)
    assert spent.var() == pytest.approx(100, rel=0.05)
    assert (spent > 0).all()
    assert buying_chain._amount(np.array([0.0, 30.0]), 0.0, rng).tolist() == [0, 30]
    assert buying_chain._amount(np.full(9, -40.0), 0.0, rng).tolist() == [-40] * 9


def test_a_season_multiplies_the_probability_to_order_and_no_more_than_to_one():
    P = np.array([[[0.2, 0.3, 0.5], [0.4, 0.5, 0.1], [0, 0, 1]]])
    made = buying_chain._in_season(P, np.array([True, True, False]), np.array([1.5]))[0]
    np.testing.assert_allclose(made, [[0.3, 0.45, 0.25], [0.4 / 0.9, 0.5 / 0.9, 0], [0, 0, 1]])


def test_a_quiet_season_leaves_customers_who_always_order_where_they_are():
    P = np.array([[[0.2, 0.3, 0.5], [0.25, 0.75, 0], [0, 0, 1]]])
    made = buying_chain._in_season(P, np.array([True, True, False]), np.array([0.5]))[0]
    np.testing.assert_allclose(made, [[0.1, 0.15, 0.75], [0.25, 0.75, 0], [0, 0, 1]])


def test_values_are_the_means_of_what_is_simulated():
    found = lifecycle.state_values(WORLD, 0.01, 4, replicates=1000)
    seen, rng = buying_chain.counts(WORLD), np.random.default_rng(2)
    one = seen.simulate_one(*seen.draw(1000, rng), 4, 0.01, rng).mean(axis=0)
    many = seen.simulate(*seen.draw(400, rng), 50 * np.eye(len(one), dtype=int), 4, 0.01, rng).mean(axis=0) / 50
    for simulated in (one, many):
        assert simulated @ found.customers == pytest.approx(found.value @ found.customers, rel=0.05)
    assert ((found.pi_low <= found.ci_low) & (found.ci_high <= found.pi_high)).all()
    halved = lifecycle.state_values(WORLD, 0.01, 4, margin=0.5, replicates=1000)
    np.testing.assert_allclose(halved[["value", "ci_low", "pi_high"]], found[["value", "ci_low", "pi_high"]] / 2)


def test_intervals_hold_what_is_spent_about_as_often_as_their_level():
    assert rates.spend_held(25) >= 0.85  # of 25 worlds, 4 stages each


def test_customers_have_the_value_of_their_state_and_stages_the_mean_over_them():
    orders, limits = catalog.orders("cdnow_sample"), OverdueThresholds((205.0, 173.0, 117.0), 4.9)
    counted = lifecycle.state_transitions(orders, "1997-12-31", "month", limits)
    values = lifecycle.state_values(counted, 0.008, 6, replicates=99)
    stages = lifecycle.customer_stages(orders, "1997-12-31", "month", limits)
    found = lifecycle.customer_values(stages, values).execute()
    assert len(found) == 2357
    backtest = lifecycle.value_backtest(counted, 6, replicates=99)
    whole = lifecycle.stage_values(counted, 0.008, 6, lifecycle.markov_order_test(counted), backtest, replicates=99)
    by = found.groupby("stage").value.mean()
    np.testing.assert_allclose(by, whole.horizon_value[by.index])
    total = lifecycle.total_values(lifecycle.compare_stage_values({"by_states": whole}), "USD")["by_states"]
    assert total.value == pytest.approx(found.value.sum())
    assert (total.unit, total.n, total.kind) == ("USD", 2357, "money")
    assert total.pi_low == pytest.approx(2357 * whole.horizon_value_pi_low["all"])


def test_money_on_cdnow_is_near_what_was_spent():
    # by the chain of stages: 717,422 in all, 12.66 in decline, 114 in maturity
    orders, limits = catalog.orders("cdnow"), OverdueThresholds((205.0, 173.0, 117.0), 4.9)
    counted = lifecycle.state_transitions(orders, "1998-06-30", "month", limits)
    found = lifecycle.value_backtest(counted, 6, replicates=199)
    last = found[found.origin == "1997-12-31"].set_index("stage")
    assert last.spent["all"] == pytest.approx(476_154, abs=1)
    assert last.ratio["all"] == pytest.approx(1, abs=0.15)
    assert last.held[[G, M, D, "all"]].all()
    outcomes = {check.id.rpartition(".")[2]: check.outcome for check in checks.spend_within_interval(found)}
    assert outcomes[E] == "failed"  # 44 claimed, 25 spent
    assert outcomes["all"] == "passed"


def backtest(**rows):
    """A backtest of two origins, the first of which held, from (pi_low, pi_high, spent) by stage."""
    parts = []
    for stage, (low, high, spent) in rows.items():
        for origin, ends in (("2024-01-01", (0, 2 * spent)), ("2024-02-01", (low, high))):
            row = {"origin": pd.Timestamp(origin), "stage": stage, "customers": 9, "expected": (low + high) / 2}
            parts.append(row | {"pi_low": ends[0], "pi_high": ends[1], "spent": spent})
    found = pd.DataFrame(parts)
    return found.assign(ratio=1.0, held=found.pi_low.le(found.spent) & found.spent.le(found.pi_high))


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        ((100, 150), "passed"),
        ((50, 100), "passed"),
        ((101, 150), "failed"),
        ((50, 99), "failed"),
        ((100, 151), "undecided"),
        ((49, 100), "undecided"),
    ],
)
@pytest.mark.parametrize("name", ["spend_within_interval", "model_spend_within_interval"])
def test_an_interval_passes_where_it_holds_what_was_spent_and_is_narrow(name, ends, outcome):
    found = {check.id: check for check in getattr(checks, name)(backtest(maturity=(*ends, 100)))}
    check = found[f"lifecycle.{name}.maturity"]
    assert (check.kind, check.outcome) == ("assumption", outcome)
    assert "customers in maturity" in check.claim
    assert f"of 2 origins the interval held at {1 if outcome == 'failed' else 2}." in check.summary
    assert check.recommendation.startswith({"passed": "", "failed": "Do not plan", "undecided": "Read"}[outcome])
    assert found[f"lifecycle.{name}.growth"].outcome == "not applicable"
    assert found[f"lifecycle.{name}.growth"].summary == "Nobody was in the stage at the last origin."


def order_test(high):
    columns = {"n": 99, "g2": 1.0, "df": 1, "p": 0.5, "effect_size": 0.0, "effect_size_ci_low": 0.0, "reason": ""}
    return pd.DataFrame([columns | {"effect_size_ci_high": high}], ["all"])


HELD, MISSED = backtest(all=(90, 110, 100), decline=(90, 110, 100)), backtest(all=(110, 120, 100), decline=(9, 11, 10))


def test_an_infinite_horizon_has_a_value_where_the_chain_passed_its_tests():
    found = lifecycle.stage_values(WORLD, 0.02, 3, order_test(0.1), HELD, replicates=99)
    seen = found.loc[[M, D, "all"]]
    assert (seen.lifetime_value > seen.horizon_value).all()
    assert (seen.stopping_value == seen.lifetime_value).all()
    assert (seen.lifetime_value_ci_low < seen.lifetime_value).all()
    assert set(seen.reason) == {""}
    assert found.held.tolist()[-2:] == [True, True]
    assert found.held.isna().tolist() == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("test", "seen", "reason"),
    [
        (order_test(0.101), HELD, "the state before the present one may add an effect of up to w = 0.101"),
        (order_test(0.1), MISSED, "in the last backtest 110 to 120 was predicted and 100 was spent"),
        (order_test(0.1), blank_of(pd.DataFrame, "too short"), "too short"),
        (blank_of(pd.DataFrame, "no moves"), HELD, "no moves"),
    ],
)
def test_an_infinite_horizon_is_blank_where_the_chain_did_not_pass(test, seen, reason):
    found = lifecycle.stage_values(WORLD, 0.02, 3, test, seen, replicates=99)
    blank = ["lifetime_value", "lifetime_value_ci_low", "lifetime_value_ci_high", "stopping_value"]
    assert found[blank].isna().all(axis=None)
    assert set(found.reason[[M, D, "all"]]) == {reason}
    assert found.horizon_value[[M, D, "all"]].notna().all()


def test_a_total_that_the_backtest_missed_is_no_fact():
    missed, held = (
        lifecycle.stage_values(WORLD, 0.02, 3, order_test(0.1), each, replicates=99) for each in (MISSED, HELD)
    )
    blank = blank_of(pd.DataFrame, "nobody came back")
    compared = lifecycle.compare_stage_values({"by_states": missed, "by_model": held, "by_none": blank})
    assert compared.index.unique("method").tolist() == ["by_states", "by_model"]
    assert compared.loc["by_states"].index.tolist() == [*STAGES, "all"]
    found = lifecycle.total_values(compared)
    assert not found["by_states"]
    assert found["by_states"].reason == (
        "what customers spent in the last backtest lay outside the interval that was predicted"
    )
    assert (found["by_none"].value, found["by_none"].reason) == (None, "nobody came back")
    assert found["by_model"].value == pytest.approx(800 * held.horizon_value["all"])
    assert found["by_model"].ci_high == pytest.approx(800 * held.horizon_value_ci_high["all"])
    levels = [lifecycle.total_values(compared, level=level)["by_model"].level for level in (0.8, 0.95)]
    assert levels == [0.8, 0.95]


def test_where_no_method_has_values_the_comparison_says_why():
    blanks = {"by_states": blank_of(pd.DataFrame, "one period"), "by_model": blank_of(pd.DataFrame, "nobody came back")}
    compared = lifecycle.compare_stage_values(blanks)
    assert compared.attrs["reason"] == "one period; nobody came back"
    assert lifecycle.total_values(compared) is compared


def test_a_backtest_knows_nothing_of_what_came_after_its_origin():
    found = lifecycle.value_backtest(WORLD, 3, replicates=99)
    assert found.origin.unique().tolist() == list(pd.date_range("2024-06-30", "2024-11-30", freq="ME"))
    early = WORLD[WORLD.period <= "2024-06-01"]
    again = lifecycle.value_backtest(early, 3, replicates=99)
    pd.testing.assert_frame_equal(again, found[found.origin == "2024-06-30"].reset_index(drop=True))
    whole = found[found.stage == "all"].set_index("origin")
    parts = found[found.stage != "all"].groupby("origin")[["customers", "expected", "spent"]].sum()
    np.testing.assert_allclose(whole[parts.columns], parts)
    # what a chain of the moves so far makes of it
    chain = MarkovChain.fit(early.assign(spend_ahead=np.nan))
    values = lifecycle.stage_values(early, 0.0001, 3, order_test(1.0), HELD, replicates=99)
    assert chain.states
    assert whole.expected.iloc[0] == pytest.approx(800 * values.horizon_value["all"], rel=1e-3)


def test_a_short_log_has_no_backtest_and_says_so():
    short = bought(100, 8, 1, ahead=3)
    found = lifecycle.value_backtest(short, 3)
    assert found.attrs["reason"] == "8 periods are known; a backtest of 3 takes 9"
    for check in checks.spend_within_interval(found):
        assert (check.outcome, check.summary) == ("not applicable", f"Not judged: {found.attrs['reason']}.")
    assert not lifecycle.value_backtest(bought(100, 9, 1, ahead=3), 3, replicates=9).empty


@pytest.mark.parametrize(
    ("counted", "reason"),
    [
        (moves((2, -1, 0, 4, E, 90), (3, 0, 4, 1, E, 29)), "29 moves out of periods without an order were observed"),
        (moves((2, -1, 0, 4, E, 50), (3, 0, 4, 8, E, 50)), "nobody ordered in a period after"),
        (moves((2, -1, 0, 4, E, 50)), "0 moves out of periods without an order"),
        (blank_of(pd.DataFrame, "no thresholds"), "no thresholds"),
    ],
)
def test_what_cannot_be_valued_is_blank_with_the_reason(counted, reason):
    chain = MarkovChain.fit(counted)
    assert isinstance(chain, Unfitted)
    assert chain.reason.startswith(reason)
    values = lifecycle.stage_values(counted, 0.01, 3, order_test(0.1), HELD)
    states = lifecycle.state_values(counted, 0.01, 3)
    for blank in (values, states, lifecycle.customer_values(pd.DataFrame(), states)):
        assert blank.attrs["reason"].startswith(reason)
    assert lifecycle.compare_stage_values({"by_states": values}).attrs["reason"].startswith(reason)


def test_the_same_seed_gives_the_same_intervals():
    pd.testing.assert_frame_equal(*(lifecycle.state_values(WORLD, 0.01, 2, seed=4, replicates=99) for _ in range(2)))
    one, other = (lifecycle.state_values(WORLD, 0.01, 2, seed=seed, replicates=99) for seed in (4, 5))
    assert not one.equals(other)


def test_the_memory_of_states_is_tested_out_of_each():
    found = lifecycle.markov_order_test(
        moves((2, -1, 0, 4, E, 9), (3, 0, 4, 1, E, 20), (3, 0, 4, 8, E, 10), (3, 1, 4, 1, E, 30), (3, 1, 4, 8, E, 5))
    )
    assert found.df["1 period since, 0 repeat orders"] == 1
    assert found.loc["all", "n"] == 65


def test_one_huge_order_makes_no_value_negative():
    spend = [400.0, 1e9, 0.0, 120.0, 0.0]
    huge = COUNTED.assign(spend=spend, spend_squares=[4000, 1e18, 0, 1320, 0])
    states = lifecycle.state_values(huge, 0.01, 3, replicates=199)
    assert (states[["ci_low", "pi_low"]] >= 0).all(axis=None)
    assert (states.value > 0).any()


def test_a_backtest_without_draws_is_not_judged():
    undrawn = backtest(maturity=(90, 110, 100)).assign(held=pd.array([None, None], "boolean"))
    found = {check.id: check for check in checks.model_spend_within_interval(undrawn)}
    check = found["lifecycle.model_spend_within_interval.maturity"]
    assert check.outcome == "not applicable"
    assert check.summary == "Without draws of the model there is no prediction interval."


def test_an_interval_that_held_at_less_than_half_of_the_origins_is_undecided():
    held = backtest(maturity=(90, 110, 100))
    more = [held.iloc[[0]].assign(origin=pd.Timestamp("2023-12-01"), held=False)] * 3
    for misses, outcome in ((2, "passed"), (3, "undecided")):
        found = checks.spend_within_interval(pd.concat([*more[:misses], held], ignore_index=True))
        check = next(check for check in found if check.id.endswith("maturity"))
        assert check.outcome == outcome
    assert check.summary.endswith("and spent 100.00; but the interval held at 2 of 5 origins only.")
