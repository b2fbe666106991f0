"""The board of seven gaps: what is read from whom, tested as what it is, by scipy."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.contracts import InputError
from crmlab.service_quality.models.antecedents import gap_antecedents
from crmlab.service_quality.models.board import NAMES, gaps_model

from .gap_worlds import answers
from .rates import WHO, null_boards, only
from .rates import board_world as world


def score(held, audience, battery):
    """A loop over respondents: the mean of the means of each dimension."""
    rows = getattr(held, battery)[held.people.audience == audience]
    dimensions = held.instrument.dimensions.values()
    return np.array([np.mean([row[names].mean() for names in dimensions]) for _, row in rows.iterrows()])


def test_every_gap_is_measured_and_tested_as_the_samples_it_is_of():
    held = world()
    table = gaps_model(held).set_index("number")
    assert list(table.index) == [1, 2, 3, 4, 5, 6, 7]
    assert table.name.to_dict() == NAMES
    assert set(table.state) == {"measured"}
    sides = {
        1: ("manager", "expect", "customer", "expect"),
        2: ("manager", "standard", "manager", "expect"),
        3: ("staff", "perceive", "manager", "standard"),
        4: ("staff", "perceive", "staff", "promise"),
        5: ("customer", "perceive", "customer", "expect"),
        6: ("staff", "expect", "customer", "expect"),
        7: ("staff", "expect", "manager", "expect"),
    }
    for number, (who, battery, other, subtrahend) in sides.items():
        row, one, two = table.loc[number], score(held, who, battery), score(held, other, subtrahend)
        route = stats.ttest_rel(one, two) if who == other else stats.ttest_ind(one, two, equal_var=False)
        ends = route.confidence_interval()
        assert row.test == ("paired" if who == other else "Welch")
        assert [row.gap, row.t, row.p, row.df] == pytest.approx(
            [one.mean() - two.mean(), route.statistic, route.pvalue, route.df]
        )
        assert [row.ci_low, row.ci_high] == pytest.approx([*ends])
        assert (row.n_minuend, row.n_subtrahend) == (len(one), len(two))
        assert row.minuend - row.subtrahend == pytest.approx(row.gap)


def test_the_first_three_gaps_and_what_customers_expect_add_up_to_what_is_delivered():
    held = world()
    table = gaps_model(held).set_index("number")
    delivered = score(held, "customer", "expect").mean() + table.gap[[1, 2, 3]].sum()
    assert delivered == pytest.approx(score(held, "staff", "perceive").mean())


def test_weights_of_customers_reach_the_board():
    weight = np.where(WHO == "customer", np.random.default_rng(2).gamma(2, size=len(WHO)), 1)
    held, row = world(weights=weight), gaps_model(world(weights=weight)).set_index("number").loc[6]
    one, two, w = score(held, "staff", "expect"), score(held, "customer", "expect"), weight[WHO == "customer"]
    mean = np.average(two, weights=w)
    errors = one.var(ddof=1) / 40, 200 / 199 * sum((w * (two - mean)) ** 2) / sum(w) ** 2
    df = sum(errors) ** 2 / (errors[0] ** 2 / 39 + errors[1] ** 2 / (sum(w) ** 2 / sum(w**2) - 1))
    reach = stats.t.ppf(0.975, df) * np.sqrt(sum(errors))
    assert [row.gap, row.df, row.ci_low] == pytest.approx([one.mean() - mean, df, one.mean() - mean - reach])
    row = gaps_model(held).set_index("number").loc[5]  # of the same customers
    sides = [np.average(score(held, "customer", battery), weights=w) for battery in ("perceive", "expect")]
    assert [row.minuend, row.subtrahend, row.gap] == pytest.approx([*sides, sides[0] - sides[1]])


def test_what_nobody_was_asked_is_absent_and_says_what_is_missing():
    alone = world()
    table = gaps_model(alone.select("customer")).set_index("number")
    assert table.state.to_dict() == dict.fromkeys(NAMES, "absent") | {5: "measured"}
    assert table.reason[1] == "not asked: managers' expectations"
    assert table.reason[3] == "not asked: staff's perceptions and managers' standards"
    assert table.loc[[1, 2, 3, 4, 6, 7], ["gap", "ci_low", "p", "p_adjusted"]].isna().all(axis=None)
    assert table.p_adjusted[5] == table.p[5]  # a family of one


def test_customers_perceptions_stand_in_for_what_is_delivered_as_a_proxy():
    rng = np.random.default_rng(3)
    held = world(asked={"perceive": only(answers(rng, len(WHO), 5), "customer")})
    table = gaps_model(held).set_index("number")
    assert table.state[[3, 4]].tolist() == ["proxy", "proxy"]
    assert (table.reason[[3, 4]] == "customers' perception stands for what is delivered").all()
    assert table.minuend_source[3] == "customers' perceptions"
    assert table.gap[3] == pytest.approx(
        score(held, "customer", "perceive").mean() - score(held, "manager", "standard").mean()
    )


def test_ratings_of_extent_are_shown_and_never_subtracted():
    rng = np.random.default_rng(4)
    rated = {"standard": only(answers(rng, len(WHO), 5, 4, high=7), "manager", "staff")}
    held = world(asked=rated, scales={"standard": {"low": 1, "high": 7, "extent": True}})
    table = gaps_model(held).set_index("number")
    assert table.state[[2, 3]].tolist() == ["proxy", "proxy"]
    assert table.loc[[2, 3], ["gap", "ci_low", "t", "minuend"]].isna().all(axis=None)
    for who, name in (("manager", "managers"), ("staff", "staff")):
        x = score(held, who, "standard")
        ends = stats.t.interval(0.95, len(x) - 1, x.mean(), stats.sem(x))
        row = table.loc[3, [name, f"{name}_ci_low", f"{name}_ci_high", f"{name}_n"]]
        assert row.tolist() == pytest.approx([x.mean(), *ends, len(x)])
    assert table.state[4] == "measured"
    assert table.ratings_reason[[2, 3]].tolist() == ["", ""]
    assert table.ratings_reason[4] == "no ratings of extent stand for this gap"
    alone = world(
        asked={"standard": only(rated["standard"], "staff")}, scales={"standard": {"low": 1, "high": 7, "extent": True}}
    )
    assert gaps_model(alone).set_index("number").ratings_reason[2] == "managers gave no ratings of it"


def test_another_range_is_no_common_scale():
    held = world(scales={"promise": {"low": 1, "high": 10}})
    row = gaps_model(held).set_index("number").loc[4]
    assert np.isnan(row.gap)
    assert row.reason == "no common scale: perceive 1 to 7, promise 1 to 10"
    assert row.staff == pytest.approx(score(held, "staff", "promise").mean())


def test_dimensions_have_rows_of_their_own_and_families_by_gap():
    table = gaps_model(world(), by="dimension")
    assert len(table) == 14
    for _, rows in table.groupby("number"):
        assert (rows.p_adjusted >= rows.p).all()
        assert (rows.p_adjusted <= np.minimum(2 * rows.p, 1) + 0.02).all()  # by Bonferroni, and Monte-Carlo error
    with pytest.raises(InputError, match="by = 'item'"):
        gaps_model(world(), by="item")


def test_sides_are_compared_over_the_items_asked_of_both():
    standard = only(answers(np.random.default_rng(5), len(WHO), 5), "manager")
    standard[:, :3] = np.nan  # none of the tangibles
    held = world(asked={"standard": standard})
    table = gaps_model(held, by="dimension").set_index(["number", "dimension"])
    assert table.loc[(3, "tangibles"), "state"] == "absent"
    assert table.loc[(3, "tangibles"), "reason"] == "no item of it was asked of both"
    delivered = held.perceive[WHO == "staff"][["r1", "r2"]].mean(axis=1)
    assert table.loc[(3, "reliability"), "minuend"] == pytest.approx(delivered.mean())


def test_two_managers_alike_have_a_gap_and_no_interval():
    held = world()
    held.expect.loc[WHO == "manager"] = 5.0
    held.standard.loc[WHO == "manager"] = 4.0
    row = gaps_model(held).set_index("number").loc[2]
    assert row.gap == -1
    assert np.isnan(row.ci_low)
    assert row.reason == "all 15 pairs are the same"


def test_the_same_manager_in_two_waves_is_refused():
    held = world()
    held.people["wave"] = "1"
    held.people.loc[WHO == "manager", "respondent"] = "m1"
    with pytest.raises(InputError, match="14 rows are further answers of the same manager"):
        gaps_model(held)


def test_a_board_of_one_wave_takes_that_wave_of_everybody():
    held, other = world(), world(seed=2)
    both = replace(
        held,
        **{
            f.name: pd.concat([getattr(held, f.name), getattr(other, f.name)], ignore_index=True)
            for f in fields(held)
            if isinstance(getattr(held, f.name), pd.DataFrame)
        },
    )
    both.people["wave"] = ["1"] * len(WHO) + ["2"] * len(WHO)
    pd.testing.assert_frame_equal(gaps_model(both, wave="2"), gaps_model(other))


def test_null_boards_are_seldom_wrong():
    found = null_boards(12)
    assert found.adjusted <= 1 / 12  # .05 and two standard errors of many are asked by the bench
    assert found.unadjusted > 0.15  # as it would be one by one


def test_antecedents_are_listed_for_every_gap_with_measures_and_source():
    table = gap_antecedents(gaps_model(world().select("customer")))
    assert list(table.columns) == ["number", "state", "antecedent", "measure", "respondents", "source"]
    assert set(table.number) == set(NAMES)
    # as many as the paper has constructs [Zeithaml, Berry & Parasuraman 1988]
    assert table[table.number <= 4].groupby("number").size().tolist() == [3, 4, 7, 2]
    assert set(table[table.number == 5].state) == {"measured"}
    assert (table.drop(columns="number").map(len) > 0).all(axis=None)
