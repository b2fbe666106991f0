"""A log that has grown: the days that are new against what the older run predicted of them."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, clv
from crmlab.reports import comparison, growth, parameters, runner, store
from crmlab.reports.growth import NewDays, new_days
from crmlab.reports.manifest import Source

from .conftest import write_notebook
from .test_store import manifest

VALUE = """
orders = catalog.orders(data)
period = orders.period()
customers = clv.summarise(orders, period.until)
fitted, spend = clv.fit(customers, "mbg_nbd"), clv.fit_spend(customers)
report = Report("Value")
report.fact("orders", clv.forecast_orders(fitted, customers, 90))
report.keep(clv.forecast_by_day(fitted, spend, customers, period.until, 90), "forecast_by_day", "ahead")
report
"""
END = pd.Timestamp("1998-03-31")


@pytest.fixture(scope="module")
def log():
    from lifetimes.datasets import load_dataset, load_transaction_data  # noqa: F401, the first opens what it finds

    found = load_dataset("CDNOW_sample.txt", header=None, sep=r"\s+")
    found.columns = ["_", "customer_id", "time", "number", "amount"]
    return found.assign(time=pd.to_datetime(found.time, format="%Y%m%d"))[["customer_id", "time", "amount"]]


def run_on(project, log):
    log.to_csv(project / "data" / "sales.csv", index=False)
    write_notebook(
        project / "notebooks" / "01_small.ipynb", "from crmlab import clv", VALUE, parameters='data: Dataset = "sales"'
    )
    (project / "notebooks" / "suite.toml").write_text('[[run]]\nreport = "small"\n')
    (job,) = parameters.prepare(project, [("small", {})])
    folder = runner.run(job, project, project / "reports")
    assert store.read(folder).state == "success", store.read(folder).error
    return folder


def test_new_days_are_judged_by_the_forecast_of_the_older_run(project, log):
    """By hand: order days after 31 March, by 28 June, of customers who first ordered before."""
    before = run_on(project, log[log.time <= END])
    new = pd.DataFrame({"customer_id": "new", "time": pd.to_datetime(["1998-05-01", "1998-06-01"]), "amount": 99.0})
    after = run_on(project, pd.concat([log, new]))  # a customer whom the older run did not know
    found = comparison.compare(before, after)
    orders, spend = found.new_days
    days = log[log.time > END].groupby(["customer_id", "time"]).amount.sum().reset_index()
    days = days[days.time <= "1998-06-29"]
    first = log.groupby("customer_id").time.min()
    days = days[days.customer_id.map(first) <= END]
    assert (str(orders.since), str(orders.until)) == ("1998-04-01", "1998-06-29")
    assert orders.actual == len(days)
    assert spend.actual == pytest.approx(days.amount.sum(), abs=0.01)
    assert orders.expected == pytest.approx(store.read(before).facts["orders"]["value"], rel=1e-6)
    assert (orders.outcome, spend.outcome) == ("differs", "differs")  # CDNOW's customers ordered more in 1998
    assert "orders of the new days not as predicted" in found.summary
    assert str(orders).startswith("orders of customers known then, 1998-04-01 to 1998-06-29 (90 days): ")


def test_a_change_in_the_new_days_is_flagged(project, log):
    before = run_on(project, log[log.time <= END])
    new = log.time > END
    extra = log[new].assign(time=log.time[new] - pd.Timedelta(days=1), amount=1.5 * log.amount[new])
    grown = pd.concat([log[~new], log[new].assign(amount=1.5 * log.amount[new]), extra[extra.time > END]])
    found = comparison.compare(before, run_on(project, grown))
    assert {each.measure: each.outcome for each in found.new_days} == {"orders": "differs", "spend": "differs"}


def test_customers_who_go_on_as_they_did_are_as_predicted(project):
    """Simulated: 800 customers of MBG/NBD and Gamma-Gamma, of whom the later run knows 60 days more."""
    rng, first = np.random.default_rng(2), pd.Timestamp("2023-01-01")
    new = pd.DataFrame({"frequency": [0], "recency": [0], "age": [0], "customers": [800]})
    later = clv.MBGNBD(0.6, 45.0, 0.9, 1.8).simulate_orders(new, 400, rng)
    owner, day = np.r_[range(800), later.customer], np.r_[np.zeros(800), np.ceil(later.day)]
    amount = rng.gamma(6.0, 1 / rng.gamma(4.0, 1 / 15.0, 800)[owner]).round(2)
    log = pd.DataFrame({"customer_id": owner, "time": first + pd.to_timedelta(day, "D"), "amount": amount})
    before = run_on(project, log[day <= 340])
    found = comparison.compare(before, run_on(project, log))
    assert [each.outcome for each in found.new_days] == ["as predicted", "as predicted"]
    assert "orders of the new days as predicted" in found.summary


def source(last, **about):
    known = {"parameter": "data", "name": "sales", "nature": "simulated", "sha256": "a" * 64, "rows": 5}
    return Source(**known | {"last": last} | about)


def kept(tmp_path, text="day,orders,orders_pi_low,orders_pi_high\n2024-01-02,1,0,3\n"):
    (tmp_path / "tables").mkdir()
    (tmp_path / growth.TABLE).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("then", "now", "parameters_now", "why"),
    [
        ({}, {"last": "2024-01-01"}, {}, ""),
        ({}, {"name": "others"}, {}, ""),
        ({}, {"entry": {"time": "ordered"}}, {}, "the data are read otherwise than then"),
        ({}, {"entry": {"path": "sales.csv", "where": "amount > 1"}}, {}, "the data are read otherwise than then"),
        ({}, {"sha256": None}, {}, "the data sales are not those of the later run any more"),
        ({}, {}, {"data": "nowhere"}, "the days that are new are not judged: "),
    ],
)
def test_what_cannot_be_judged_says_why(project, tmp_path_factory, then, now, parameters_now, why):
    one = manifest("x").model_copy(update={"data": [source("2024-01-01", **then)], "parameters": {"data": "sales"}})
    other = manifest("y").model_copy(
        update={"data": [source(**{"last": "2024-03-20"} | now)], "parameters": {"data": "sales"} | parameters_now}
    )
    found, reason = new_days(kept(tmp_path_factory.mktemp("run")), one, other)
    assert found == []
    assert reason.startswith(why)
    assert bool(reason) == bool(why)


def test_a_run_without_a_forecast_has_no_new_days(tmp_path):
    one, other = (manifest("x").model_copy(update={"data": [source(last)]}) for last in ("2024-01-01", "2024-02-01"))
    assert new_days(tmp_path, one, other) == ([], "")


def test_p_is_by_the_end_of_the_interval_on_that_side():
    """By hand: 14 where 10 (4 to 12) was predicted lies two reaches above: 2 x 1.96 standard errors."""
    row = pd.Series({"orders": 10.0, "orders_pi_low": 4.0, "orders_pi_high": 12.0})
    above, below = (growth._judged("orders", END.date(), END.date(), actual, row).p for actual in (14.0, 4.0))
    assert above == pytest.approx(8.857e-5, rel=1e-3)
    assert below == pytest.approx(0.05, rel=1e-9)
    assert isinstance(growth._judged("orders", END.date(), END.date(), 10.0, row), NewDays)


@pytest.mark.slow
def test_of_three_hundred_logs_that_grow_as_they_did_one_in_twenty_at_most_is_flagged():
    """400 customers of MBG/NBD and Gamma-Gamma, forecast after 300 days for the 60 that follow."""
    truth, spend = clv.MBGNBD(0.6, 45.0, 0.9, 1.8), clv.GammaGamma(6.0, 4.0, 15.0)
    rng, flagged, judged = np.random.default_rng(5), 0, 0
    new = pd.DataFrame({"frequency": [0], "recency": [0], "age": [0], "customers": [400]})
    for _ in range(300):
        orders = truth.simulate_orders(new, 360, rng)
        mean = rng.gamma(spend.p, 1 / rng.gamma(spend.q, 1 / spend.gamma, 400)[orders.customer])
        days = orders.assign(day=np.ceil(orders.day), spend=mean).groupby(["customer", "day"]).spend.sum().reset_index()
        then, later = days[days.day <= 300], days[days.day > 300]
        by = then.groupby("customer")
        frame = pd.DataFrame({"frequency": by.size(), "recency": by.day.max(), "monetary_value": by.spend.mean()})
        frame = frame.reindex(range(400), fill_value=0).assign(age=300, customers=1)
        order_model, spend_model = clv.MBGNBD.fit(frame, replicates=128), clv.GammaGamma.fit(frame, replicates=128)
        if not (order_model and spend_model):
            continue
        row = clv.forecast_by_day(order_model, spend_model, frame, "2024-01-01", 60).iloc[-1]
        actual = {"orders": float(len(later)), "spend": later.spend.sum()}
        found = [growth._judged(name, END.date(), END.date(), value, row).p for name, value in actual.items()]
        flagged, judged = flagged + (min(found) < 0.025), judged + 1
    assert judged > 280
    assert flagged / judged <= 0.05 + 2 * (0.05 * 0.95 / judged) ** 0.5


FORMS = [
    "orders,orders_pi_low,orders_pi_high\n1,0,3\n",
    "day,orders,orders_pi_low,orders_pi_high\n",
    "day,orders,orders_pi_low,orders_pi_high\n2024-01-02,1,0,3\n2024-01-02,1,0,3\n",
    "day,orders\n2024-01-02,1\n",
    "day,orders,orders_pi_low,orders_pi_high\nsoon,1,0,3\n",
    "day,orders,orders_pi_low,orders_pi_high\n2024-01-02,many,0,3\n",
    "",
    "\x00",
]


@pytest.mark.parametrize("text", FORMS)
def test_a_table_of_that_name_in_another_form_is_not_judged(project, tmp_path_factory, text):
    given = {"parameters": {"data": "sales"}}
    digest = catalog.fingerprint("sales")
    entry = catalog.find("sales")[1].model_dump(mode="json", exclude_defaults=True)
    one = manifest("x").model_copy(update={"data": [source("2024-01-01", entry=entry)]} | given)
    other = manifest("y").model_copy(update={"data": [source("2024-03-20", entry=entry, sha256=digest)]} | given)
    found, reason = new_days(kept(tmp_path_factory.mktemp("run"), text), one, other)
    assert (found, reason.partition(",")[0]) == ([], "the forecast by day of the earlier run has another form")


def test_a_run_narrowed_by_a_condition_is_judged_by_those_rows_alone(project, tmp_path_factory):
    """By hand: after 1 February customers known before placed three orders, one of them of customer 00007."""
    given, condition = {"parameters": {"data": "sales", "only": "customer_id = '00007'"}}, "customer_id = '00007'"
    digest = catalog.fingerprint("sales")
    entry = catalog.find("sales")[1].model_dump(mode="json", exclude_defaults=True)
    text = "day,orders,orders_pi_low,orders_pi_high\n2024-02-02,1,0,3\n2024-03-01,1,0,3\n2024-03-20,1,0,3\n"
    for held, count in ((entry, 2), (entry | {"where": condition}, 1)):
        one = manifest("x").model_copy(update={"data": [source("2024-02-01", entry=held)]} | given)
        other = manifest("y").model_copy(update={"data": [source("2024-03-20", entry=held, sha256=digest)]} | given)
        found, reason = new_days(kept(tmp_path_factory.mktemp("run"), text), one, other)
        assert ([each.actual for each in found], reason) == ([count], "")
    path = project / "data" / "catalog.toml"
    path.write_text(path.read_text() + 'where = "amount > 1"\n')
    assert new_days(kept(tmp_path_factory.mktemp("run"), text), one, other) == (
        [], "the days that are new are not judged: the catalog reads sales otherwise now"
    )  # fmt: skip


def test_what_lies_on_an_end_of_its_interval_is_as_predicted(project, tmp_path_factory):
    """Two orders came, where 1 was predicted, from 0 to 2: of few orders p alone would flag that."""
    given, digest = {"parameters": {"data": "sales"}}, catalog.fingerprint("sales")
    entry = catalog.find("sales")[1].model_dump(mode="json", exclude_defaults=True)
    one = manifest("x").model_copy(update={"data": [source("2024-02-01", entry=entry)]} | given)
    other = manifest("y").model_copy(update={"data": [source("2024-03-20", entry=entry, sha256=digest)]} | given)
    for high, outcome in ((2, "as predicted"), (1.5, "differs")):
        text = f"day,orders,orders_pi_low,orders_pi_high\n2024-02-02,1,0,{high}\n2024-03-20,1,0,{high}\n"
        ((found,), _) = new_days(kept(tmp_path_factory.mktemp("run"), text), one, other)
        assert (found.actual, found.outcome) == (2, outcome)
