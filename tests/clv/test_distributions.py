"""How many customers ordered so often and spent so much beside the model, and value by decile: by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from crmlab import clv
from crmlab.clv import plots
from crmlab.contracts import InputError
from crmlab.model import Unfitted, why_blank
from crmlab.style import ACTUAL, EXPECTED

from .drawings import AHEAD, DECILES, REPEATS, SPENT

pytestmark = pytest.mark.usefixtures("figures_are_closed")
CUSTOMERS = pd.DataFrame(
    {"frequency": [0, 1, 1, 5], "recency": [0, 10, 30, 50], "age": [40, 40, 60, 60], "customers": [4, 2, 1, 3]}
)
ORDER_MODELS = {
    "nbd": clv.NBD(0.5, 20.0),
    "bg_nbd": clv.BGNBD(0.5, 20.0, 0.8, 2.5),
    "mbg_nbd": clv.MBGNBD(0.5, 20.0, 0.8, 2.5),
    "pareto_nbd": clv.ParetoNBD(0.5, 20.0, 0.6, 30.0),
    "bg_bb": clv.DailyBGBB(0.5, 20.0, 0.8, 30.0),
}


def test_repeat_orders_by_hand_where_they_come_at_one_rate():
    # r = 1: the number of orders within 10 days is geometric, with p = alpha / (alpha + t) = 30 / 40
    customers = pd.DataFrame({"frequency": [0, 2, 5], "recency": [0, 5, 9], "age": 10, "customers": [6, 1, 1]})
    found = clv.repeat_order_distribution(clv.NBD(1.0, 30.0), customers, 2)
    assert list(found.index) == ["0", "1", "2+"]
    assert found.actual.to_list() == [6, 0, 2]
    assert found.expected.to_list() == pytest.approx([8 * 0.75, 8 * 0.75 * 0.25, 8 * 0.0625])


@pytest.mark.parametrize("name", ORDER_MODELS)
def test_expected_repeat_orders_are_the_sum_of_the_probabilities_of_each_customer(name):
    model = ORDER_MODELS[name]
    found = clv.repeat_order_distribution(model, CUSTOMERS, 3)
    of_age = CUSTOMERS.groupby("age").customers.sum()
    by_hand = [sum(n * model.probability_of_orders_new(age, k) for age, n in of_age.items()) for k in range(3)]
    assert found.expected.to_list()[:3] == pytest.approx(by_hand)
    assert found.expected.sum() == pytest.approx(10)
    assert found.actual.to_list() == [4, 3, 0, 3]


def test_repeat_orders_are_those_that_the_model_draws():
    model, rng = clv.MBGNBD(0.5, 20.0, 0.8, 2.5), np.random.default_rng(1)
    new = pd.DataFrame({"frequency": [0], "recency": [0], "age": [0], "customers": [40_000]})
    orders = model.simulate_orders(new, 60, rng).groupby("customer").size()
    drawn = np.bincount(np.minimum(np.append(orders, np.zeros(40_000 - len(orders), int)), 4), minlength=5)
    alike = pd.DataFrame({"frequency": [0], "recency": [0], "age": [60], "customers": [40_000]})
    expected = clv.repeat_order_distribution(model, alike, 4).expected
    assert stats.chisquare(drawn, expected).pvalue > 0.01


def test_spend_by_hand_where_one_order_has_a_known_distribution():
    # p = 1, q = 1: the spend of one order is at most z with probability z / (gamma + z)
    customers = pd.DataFrame({"frequency": [1, 1, 0], "monetary_value": [5.0, 19.0, 0.0], "customers": [3, 1, 9]})
    found = clv.spend_distribution(clv.GammaGamma(1.0, 1.0, 10.0), customers, bins=2)
    assert found.spend_from.to_list() == [0, 10, 20]
    assert found.spend_to.to_list() == [10, 20, np.inf]
    assert found.actual.to_list() == [3, 1, 0]
    assert found.expected.to_list() == pytest.approx([4 * 1 / 2, 4 * (2 / 3 - 1 / 2), 4 / 3])


def test_expected_spend_is_the_integral_of_the_density():
    spend, x = clv.GammaGamma(6.25, 3.74, 15.44), 3
    customers = pd.DataFrame({"frequency": [x] * 50, "monetary_value": np.linspace(5, 60, 50)})
    found = clv.spend_distribution(spend, customers, bins=5)

    def density(m):  # of the mean of x orders: Fader & Hardie (2013), equation 1a
        return np.exp(clv.log_likelihood(spend, pd.DataFrame({"frequency": [x], "monetary_value": [m]})).value)

    ends = zip(found.spend_from[:-1], found.spend_to[:-1], strict=True)
    each = [50 * integrate.quad(density, low + 1e-9, high)[0] for low, high in ends]
    assert found.expected.iloc[:-1].to_list() == pytest.approx(each, rel=1e-6)
    assert found.expected.sum() == pytest.approx(50)


def test_spend_of_classes_of_frequency_has_a_scale_each():
    by_class = clv.SpendByFrequency(1.0, 1.0, 10.0, 1.0, 2.0, 1.0, 1.0, 1.0)  # those who ordered once: gamma 20
    customers = pd.DataFrame({"frequency": [1, 1], "monetary_value": [5.0, 19.0]})
    found = clv.spend_distribution(by_class, customers, bins=2)
    assert found.expected.to_list() == pytest.approx([2 / 3, 2 * (1 / 2 - 1 / 3), 1])


class Even(clv.NBD):
    """By which a customer's discounted orders are the frequency."""

    def discounted_orders(self, customers, discount_annual, horizon_days=None):
        return customers.frequency.astype(float)


def test_deciles_by_hand():
    # 20 customers worth 1 to 20 orders: the best two have 39 of 210
    customers = pd.DataFrame({"frequency": range(1, 21), "recency": 1, "age": 30})
    found = clv.value_by_decile(Even(1.0, 30.0), None, customers, 365, 0.1)
    assert list(found.index) == [*range(1, 11)]
    assert set(found.customers) == {2.0}
    assert found.value.to_list() == pytest.approx([19.5 - 2 * k for k in range(10)])
    assert found["share"].iloc[0] == pytest.approx(39 / 210)
    assert found.cumulative_share.iloc[[1, -1]].to_list() == pytest.approx([(39 + 35) / 210, 1])
    assert set(found.of) == {"discounted orders"}


def test_customers_alike_are_divided_between_deciles():
    # 5 customers, one of them worth all: the best tenth is half of that one
    customers = pd.DataFrame({"frequency": [0, 8], "recency": [0, 9], "age": 30, "customers": [4, 1]})
    found = clv.value_by_decile(Even(1.0, 30.0), None, customers, 365, 0.1)
    assert found.customers.iloc[0] == 0.5
    assert found.value.to_list() == pytest.approx([8, 8, *[0] * 8])
    assert found["share"].to_list() == pytest.approx([0.5, 0.5, *[0] * 8])
    nothing = clv.value_by_decile(Even(1.0, 30.0), None, customers.iloc[:1], 365, 0.1)
    assert nothing["share"].isna().all()
    assert set(nothing.value) == {0}


def test_deciles_of_money_are_orders_times_spend():
    model, spend = clv.BGNBD(0.5, 20.0, 0.8, 2.5), clv.GammaGamma(6.0, 4.0, 15.0)
    frame = CUSTOMERS.assign(monetary_value=[0.0, 8.0, 12.0, 40.0])
    each = model.discounted_orders(frame, 0.1, 365) * spend.expected_spend(frame) * 0.5
    found = clv.value_by_decile(model, spend, frame, 365, 0.1, margin=0.5)
    assert (found.value * found.customers).sum() == pytest.approx((each * frame.customers).sum())
    assert found.value.iloc[0] == pytest.approx(each.iloc[3])
    assert set(found.of) == {"value"}


def test_the_matrix_of_expected_orders_is_that_of_the_model():
    model = clv.BGNBD(0.5, 20.0, 0.8, 2.5)
    found = clv.expected_orders_matrix(model, 100, 30, 3)
    one = pd.DataFrame({"frequency": [2], "recency": [100 - found.columns[7]], "age": [100]})
    assert found.iloc[2, 7] == pytest.approx(model.expected_orders(one, 30).iloc[0])
    assert found.iloc[0].notna().to_list() == [*[False] * (found.shape[1] - 1), True]  # who never came back
    assert np.isnan(found.loc[3].iloc[-1])  # three orders do not fit into no day


def test_what_was_not_fitted_is_blank_and_what_makes_no_sense_is_refused():
    unfitted, spend = Unfitted(clv.BGNBD, "too few"), Unfitted(clv.GammaGamma, "all spend the same")
    assert why_blank(clv.repeat_order_distribution(unfitted, CUSTOMERS)) == "too few"
    assert why_blank(clv.spend_distribution(spend, CUSTOMERS)) == "all spend the same"
    assert why_blank(clv.expected_orders_matrix(unfitted, 100, 30)) == "too few"
    assert why_blank(clv.value_by_decile(unfitted, None, CUSTOMERS, 365, 0.1)) == "too few"
    nobody = clv.spend_distribution(clv.GammaGamma(6.0, 4.0, 15.0), CUSTOMERS.assign(monetary_value=0.0))
    assert why_blank(nobody) == "no repeat buyer spent anything; take a longer log"
    with pytest.raises(InputError, match="max_frequency = 0: choose"):
        clv.repeat_order_distribution(ORDER_MODELS["nbd"], CUSTOMERS, 0)
    with pytest.raises(InputError, match="bins = 0: choose"):
        clv.spend_distribution(clv.GammaGamma(6.0, 4.0, 15.0), CUSTOMERS.assign(monetary_value=9.0), 0)


def test_repeat_orders_are_drawn_as_pairs_of_bars():
    ax = plots.repeat_order_distribution(REPEATS)
    actual, expected = ax.containers
    assert [bar.get_height() for bar in actual] == REPEATS.actual.to_list()
    assert [bar.get_height() for bar in expected] == pytest.approx(REPEATS.expected.to_list())
    assert (actual[0].get_facecolor()[:3], expected[0].get_facecolor()[:3]) == tuple(map(rgb, (ACTUAL, EXPECTED)))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list(REPEATS.index)


def test_spend_is_drawn_up_to_the_bin_without_end_which_is_written():
    ax = plots.spend_distribution(SPENT, "EUR")
    (bars,), (line,) = ax.containers, ax.get_lines()
    assert [bar.get_height() for bar in bars] == SPENT.actual.to_list()[:-1]
    assert bars[0].get_x() == pytest.approx(0)
    assert list(line.get_ydata()) == pytest.approx(SPENT.expected.to_list()[:-1])
    assert ax.get_xlabel() == "Mean spend an order day, EUR"
    rest = SPENT.iloc[-1]
    written = f"{rest.spend_from:,.6g} and more: {rest.actual:,.0f} customers, {rest.expected:,.1f} expected"
    assert ax.get_legend().get_title().get_text() == written


def test_deciles_are_drawn_with_the_share_of_each():
    ax = plots.value_by_decile(DECILES, "EUR")
    assert [bar.get_height() for bar in ax.patches] == pytest.approx(DECILES.value.to_list())
    assert ax.texts[0].get_text() == f"{DECILES['share'].iloc[0]:.0%}"
    assert ax.get_ylabel() == "Expected value of a customer, EUR"
    orders = plots.value_by_decile(DECILES.assign(of="discounted orders"))
    assert orders.get_ylabel() == "Expected discounted orders of a customer"


def test_the_matrix_of_orders_says_how_far_ahead_they_lie():
    ax = plots.expected_orders_matrix(AHEAD, 90)
    (mesh,) = ax.collections
    assert np.ma.filled(mesh.get_array().reshape(AHEAD.shape), np.nan) == pytest.approx(AHEAD.to_numpy(), nan_ok=True)
    assert mesh.get_clim() == (0, pytest.approx(AHEAD.max(axis=None)))
    assert [other.get_ylabel() for other in ax.figure.axes[1:]] == ["Expected orders in 90 days"]


def rgb(color):
    return tuple(int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
