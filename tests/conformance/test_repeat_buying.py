"""BG/NBD and Gamma-Gamma on CDNOW: what papers print, and what other programs find.

Unless a test says otherwise, the source is Fader, Hardie & Lee (2005), the tolerance half a unit of the last digit
given, and time there is in weeks. The second route is pandas, scipy and lifetimes, at one row a customer.
"""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import catalog, clv, holdout

SPLIT, UNTIL, HOLDOUT = "1997-09-30", "1998-06-30", 273
SHIPPED = Path(importlib.util.find_spec("lifetimes").origin).parent / "datasets"
PUBLISHED = clv.BGNBD(0.243, 4.414 * 7, 0.793, 2.426)
MAXIMUM = clv.BGNBD(0.2425945, 4.4136019 * 7, 0.7929199, 2.4258881)


@pytest.fixture(scope="module")
def sample():
    """The calibration and holdout of the 1/10 sample, and both models fitted to the first."""
    log = catalog.orders("cdnow_sample")
    seen = clv.summarise(log, SPLIT)
    customers = clv.collapse(clv.with_holdout(seen, log, SPLIT, UNTIL), "orders")
    spenders = clv.collapse(seen.filter(seen.frequency > 0), "monetary_value")
    orders, spend = clv.BGNBD.fit(customers), clv.GammaGamma.fit(spenders)
    expected, baseline = orders.expected_orders(customers, HOLDOUT), clv.past_rate(customers, HOLDOUT)
    return SimpleNamespace(
        log=log,
        customers=customers,
        spenders=spenders,
        orders=orders,
        spend=spend,
        expected=expected,
        baseline=baseline,
    )


@pytest.fixture(scope="module")
def each():
    """The same by lifetimes: one row a customer, summarised from the text file, with both models fitted."""
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    from lifetimes.utils import calibration_and_holdout_data

    raw = pd.read_csv(SHIPPED / "CDNOW_sample.txt", sep=r"\s+", header=None, dtype=str)
    raw = pd.DataFrame(
        {"customer_id": raw[0], "day": pd.to_datetime(raw[2], format="%Y%m%d"), "amount": raw[4].astype(float)}
    )
    table = calibration_and_holdout_data(raw, "customer_id", "day", SPLIT, UNTIL, monetary_value_col="amount")
    x, t_x, T, m = (table[f"{name}_cal"] for name in ("frequency", "recency", "T", "monetary_value"))
    orders, spend = BetaGeoFitter().fit(x, t_x, T), GammaGammaFitter().fit(x[x > 0], m[x > 0])
    expected = orders.conditional_expected_number_of_purchases_up_to_time(HOLDOUT, x, t_x, T)
    return SimpleNamespace(
        x=x, t_x=t_x, T=T, m=m, later=table.frequency_holdout, orders=orders, spend=spend, expected=expected
    )


def in_weeks(frame):
    return frame.assign(recency=frame.recency / 7, age=frame.age / 7)


def test_the_sample_has_the_published_customers_and_orders(sample):
    c = sample.customers
    assert c.customers.sum() == 2357
    assert (c.frequency * c.customers).sum() == 2457
    assert (c.orders * c.customers).sum() == 1882


def test_the_summary_is_that_of_lifetimes_for_every_customer(sample, each):
    ours = clv.summarise(sample.log, SPLIT).order_by("customer_id").execute().set_index("customer_id")
    theirs = pd.DataFrame({"frequency": each.x, "recency": each.t_x, "age": each.T, "monetary_value": each.m})
    pd.testing.assert_frame_equal(ours[theirs.columns], theirs, check_dtype=False, rtol=1e-12)


def test_bgnbd_finds_the_published_parameters_in_days(sample):
    # REFERENCE row BG/NBD [R]; alpha x 7, to the digits of the issue
    found = [sample.orders.r, sample.orders.alpha, sample.orders.a, sample.orders.b]
    assert found == pytest.approx([0.2425945, 4.4136019 * 7, 0.7929199, 2.4258881], rel=1e-5)


def test_bgnbd_finds_the_published_standard_errors(sample):
    # REFERENCE row BG/NBD [R]: r, alpha in weeks, a, b
    found = sample.orders.parameters.standard_error / [1, 7, 1, 1]
    assert list(found) == pytest.approx([0.01256, 0.37822, 0.18573, 0.7054], abs=5e-5)


def test_bgnbd_agrees_with_lifetimes(sample, each):
    # lifetimes stops where its optimiser does: 1e-5 of a parameter
    theirs = each.orders.summary
    ours = sample.orders.parameters
    assert list(ours.value) == pytest.approx(list(theirs["coef"]), rel=1e-5)
    assert list(ours.standard_error) == pytest.approx(list(theirs["se(coef)"]), rel=1e-4)
    total = -each.orders._negative_log_likelihood_ * len(each.x) + each.x.sum() * np.log(each.orders._scale)
    assert sample.orders.log_likelihood(sample.customers) == pytest.approx(total, abs=1e-6)


def test_the_log_likelihood_is_native_and_shifts_with_the_unit_of_time(sample):
    # REFERENCE [R]: -9582.429 in weeks; days less by 2457 ln 7
    in_days = sample.orders.log_likelihood(sample.customers)
    weekly = clv.BGNBD(sample.orders.r, sample.orders.alpha / 7, sample.orders.a, sample.orders.b)
    assert in_days == pytest.approx(-14363.53, abs=0.01)
    assert weekly.log_likelihood(in_weeks(sample.customers)) == pytest.approx(-9582.429, abs=5e-4)
    assert in_days == pytest.approx(-9582.429 - 2457 * np.log(7), abs=5e-4)


def test_the_shipped_summary_is_rounded_and_costs_four_thousandths(sample):
    # REFERENCE: |difference of log-likelihoods| about .004
    rounded = pd.read_csv(SHIPPED / "cdnow_customers_summary.csv").rename(columns={"T": "age"})
    difference = clv.BGNBD.fit(rounded).log_likelihood(rounded) - -9582.429
    assert abs(difference) == pytest.approx(0.004, abs=0.001)


def test_gamma_gamma_finds_the_published_numbers(sample):
    # REFERENCE row Gamma-Gamma [R]; Fader & Hardie (2013)
    assert sample.spenders.customers.sum() == 946
    spend = sample.spend
    assert [spend.p, spend.q, spend.gamma] == pytest.approx([6.25, 3.74, 15.44], abs=0.005)
    assert spend.log_likelihood(sample.spenders) == pytest.approx(-4055.92, abs=0.005)
    newcomer = pd.DataFrame({"frequency": [0], "monetary_value": [0.0]})
    assert spend.expected_spend(newcomer)[0] == pytest.approx(35.171, abs=1e-3)


def test_gamma_gamma_agrees_with_lifetimes(sample, each):
    # the same optimiser's tolerance as above
    theirs, ours = each.spend.summary, sample.spend.parameters
    assert list(ours.value) == pytest.approx(list(theirs["coef"]), rel=1e-5)
    assert list(ours.standard_error) == pytest.approx(list(theirs["se(coef)"]), rel=1e-4)


def test_gamma_gamma_expects_the_published_spend_of_the_first_ten_customers(sample):
    # Fader & Hardie (2013) [P], in the order of the shipped summary; its mean spends are rounded, those of the log not
    ids = ["00004", "00021", None, None, None, "00111", "00112", None, "00114", None]
    summary = clv.summarise(sample.log, SPLIT).execute().set_index("customer_id")
    first = summary[["frequency", "monetary_value"]].reindex(ids).fillna(0)
    shipped = pd.read_csv(SHIPPED / "cdnow_customers_summary_with_transactions.csv").head(10)
    np.testing.assert_allclose(first, shipped[["x", "zbar"]], atol=0.0051)
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert list(sample.spend.expected_spend(first)) == pytest.approx(published, abs=0.005)


def test_customer_1516_is_expected_as_other_programs_do():
    # REFERENCE [R], to 5e-5 of each: the printing program's parameters are not given beyond 7 digits, nor t_x beyond 5
    customer = pd.DataFrame({"frequency": [26], "recency": [216], "age": [217]})
    assert MAXIMUM.expected_orders(customer, 52 * 7)[0] == pytest.approx(25.75659, rel=5e-5)
    assert MAXIMUM.p_alive(customer)[0] == pytest.approx(0.9688523, rel=5e-5)
    assert float(MAXIMUM.expected_orders_new(52 * 7)) == pytest.approx(1.444004, rel=5e-5)


def test_customer_1516_is_expected_as_the_closed_form_says():
    # eq. 10 in mpmath, to 1e-12
    r, alpha, a, b, x, t_x, T, t = (
        mpmath.mpf(v) for v in (0.2425945, 4.4136019 * 7, 0.7929199, 2.4258881, 26, 216, 217, 364)
    )
    tail = ((alpha + T) / (alpha + T + t)) ** (r + x) * mpmath.hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + T + t))
    alive = 1 / (1 + a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x))
    customer = pd.DataFrame({"frequency": [26], "recency": [216], "age": [217]})
    assert MAXIMUM.expected_orders(customer, 364)[0] == pytest.approx(
        float((a + b + x - 1) / (a - 1) * (1 - tail) * alive), rel=1e-12
    )


def test_the_chance_of_no_repeat_order_in_39_weeks_is_the_published_one():
    # [P] P(X(39) = 0)
    nobody = pd.DataFrame({"frequency": [0], "recency": [0], "age": [39 * 7]})
    assert np.exp(PUBLISHED.log_likelihood(nobody)) == pytest.approx(0.5737864, abs=5e-8)


def test_the_first_customer_is_expected_to_place_the_published_orders():
    # [P] CET(39 | 2, 30.43, 38.86)
    first = pd.DataFrame({"frequency": [2], "recency": [30.43 * 7], "age": [38.86 * 7]})
    assert PUBLISHED.expected_orders(first, 39 * 7)[0] == pytest.approx(1.226, abs=5e-4)


def test_a_new_customer_is_expected_to_place_the_published_orders():
    # [P] E[X(t)]; printed with the parameters at the maximum
    weeks = np.array([0.1429, 1, 3, 31.8571, 32])
    published = [0.0078, 0.0532, 0.1506, 1.0405, 1.0437]
    assert list(MAXIMUM.expected_orders_new(weeks * 7)) == pytest.approx(published, abs=5e-5)


def test_the_published_orders_of_78_weeks_are_a_series_cut_after_150_terms():
    # [P] 1.8576; eq. 9 summed to its end gives 1.8580
    r, alpha, a, b, t = 0.2425945, 4.4136019, 0.7929199, 2.4258881, 78
    n = np.arange(150)
    terms = np.cumprod((r + n) * (b + n) / ((a + b - 1 + n) * (n + 1)) * t / (alpha + t))

    def orders(series):
        return (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * series)

    assert orders(1 + terms.sum()) == pytest.approx(1.8576, abs=5e-5)
    whole = orders(float(mpmath.hyp2f1(r, b, a + b - 1, t / (alpha + t))))
    assert float(MAXIMUM.expected_orders_new(78 * 7)) == pytest.approx(whole, rel=1e-12)


def test_calibration_finds_the_published_orders_by_frequency(sample):
    # [P]; expected ones to a unit of the last digit, as they were printed from rounded parameters
    by = sample.customers.frequency.clip(upper=7)
    table = clv.calibration(sample.expected, sample.customers.orders, by, sample.customers.customers)
    assert list(table.customers) == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert list(table.actual) == pytest.approx([0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359], abs=5e-4)
    assert list(table.expected) == pytest.approx([0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=1e-3)


def test_calibration_is_the_mean_over_customers(sample, each):
    by = sample.customers.frequency.clip(upper=7)
    table = clv.calibration(sample.expected, sample.customers.orders, by, sample.customers.customers)
    direct = pd.DataFrame({"expected": each.expected, "actual": each.later}).groupby(each.x.clip(upper=7)).mean()
    assert list(table.actual) == pytest.approx(list(direct.actual), rel=1e-12)
    assert list(table.expected) == pytest.approx(list(direct.expected), rel=1e-4)  # lifetimes' parameters


@pytest.mark.parametrize(
    ("rule", "published"),
    [  # REFERENCE [C]: bias, MAE, RMSE, r, Spearman; confirmed below by a second route
        ("model", [-0.122, 0.7855, 1.6080, 0.6256, 0.4493]),
        ("baseline", [0.557, 1.0237, 2.2119, 0.5839, 0.4898]),
    ],
)
def test_holdout_errors_are_those_of_a_second_implementation(sample, each, rule, published):
    predicted = sample.expected if rule == "model" else sample.baseline
    measures = holdout.bias, holdout.mae, holdout.rmse, holdout.correlation, holdout.spearman
    found = [measure(predicted, sample.customers.orders, sample.customers.customers) for measure in measures]
    assert found == pytest.approx(published, abs=1e-3)
    assert found[1:] == pytest.approx(published[1:], abs=5e-5)
    expected = each.expected if rule == "model" else each.x * HOLDOUT / each.T
    difference = expected - each.later
    direct = [
        expected.sum() / each.later.sum() - 1,
        difference.abs().mean(),
        np.sqrt((difference**2).mean()),
        stats.pearsonr(expected, each.later).statistic,
        stats.spearmanr(expected, each.later).statistic,
    ]
    assert found == pytest.approx(direct, rel=2e-5)


def test_the_past_rate_ranks_all_customers_better_than_the_model(sample):
    # REFERENCE [-.065, -.016]; ends of an interval by 1,000 resamples lie within 3 standard errors, .0034
    rules = {"model": sample.expected, "baseline": sample.baseline}
    table = holdout.compare(rules, sample.customers.orders, sample.customers.customers, baselines=("baseline",))
    found = table[table.measure == "spearman"].set_index("model").loc["model"]
    assert found.difference == pytest.approx(0.4493 - 0.4898, abs=1e-4)
    assert (found.difference_ci_low, found.difference_ci_high) == pytest.approx((-0.065, -0.016), abs=0.0034)


def test_the_model_ranks_repeat_buyers_better_than_the_past_rate(sample):
    # REFERENCE: .46 to .41
    back = sample.customers.frequency > 0
    weights, later = sample.customers.customers[back], sample.customers.orders[back]
    assert holdout.spearman(sample.expected[back], later, weights) == pytest.approx(0.46, abs=0.005)
    assert holdout.spearman(sample.baseline[back], later, weights) == pytest.approx(0.41, abs=0.005)


def test_spend_and_frequency_correlate_as_published(sample, each):
    # REFERENCE .114 [.051, .176]; scipy's interval is Fisher's z too
    s = sample.spenders
    r = holdout.correlation(s.frequency, s.monetary_value, s.customers)
    interval = holdout.correlation_interval(r, 946)
    assert (r, *interval) == pytest.approx((0.114, 0.051, 0.176), abs=6e-4)
    second = stats.pearsonr(each.x[each.x > 0], each.m[each.x > 0])
    assert (r, *interval) == pytest.approx((second.statistic, *second.confidence_interval()), rel=1e-9)


def test_the_full_log_has_the_published_rows():
    # REFERENCE, Data
    counts = catalog.check("cdnow").findings.counts
    assert (counts["rows"], counts["customers"], counts["zero_amounts"]) == (69659, 23570, 80)
    assert counts["rows"] - counts["order_days"] == 2068


def test_dropping_free_orders_loses_eight_customers(tmp_path, monkeypatch):
    # REFERENCE: 2,349 customers instead of 2,357
    listed = (catalog.root() / "data" / "catalog.toml").read_text("utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.toml").write_text(listed.replace("[cdnow_sample]", '[cdnow_sample]\nzero = "drop"'))
    monkeypatch.setenv("CRMLAB_ROOT", str(tmp_path))
    assert catalog.check("cdnow_sample").findings.counts["customers"] == 2349
