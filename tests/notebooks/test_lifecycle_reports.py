"""The reports on customers, contracts and products as the command line runs them, and what they refuse."""

import numpy as np
import pandas as pd
import pytest

from crmlab.lifecycle import SBG
from crmlab.reports import store

from ..shell import crmlab

FEW = {  # draws, the fewest that are taken
    "lifecycle": {"replicates": 40, "fit_replicates": 40, "threshold_replicates": 40},
    "retention": {"replicates": 40, "backtest_replicates": 100},
    "product_life_cycle": {"replicates": 40, "backtest_replicates": 100},
}


def run(project, report, *options):
    """The report as the command line runs it, with few draws."""
    draws = (word for name, value in FEW[report].items() for word in ("-p", f"{name}={value}"))
    done = crmlab("run", report, *draws, *options, cwd=project, CRMLAB_ROOT=str(project))
    return done, next(iter(store.folders(project / "reports", report)), None)


def whole(project, report, *options):
    done, folder = run(project, report, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def table(folder, name):
    """A table of a run, or the data of a figure."""
    kept = folder / "tables" / f"{name}.csv"
    return pd.read_csv(kept if kept.exists() else folder / "figures" / f"{name}.csv")


def test_customers_without_contracts(project):
    folder = whole(project, "lifecycle")
    facts = store.read(folder).facts
    triangle = table(folder, "share_of_each_cohort_that_ordered_in_each_later_period")
    shares, accuracy = table(folder, "share_of_customers_in_each_stage"), table(folder, "simulated_stage_accuracy")
    assert facts["customers"]["value"] == 2357
    assert triangle[triangle.state == "not yet"][["active", "share"]].isna().all().all()
    np.testing.assert_allclose(shares.groupby("period").share.sum(), 1)
    f1 = accuracy.set_index("labels_by").macro_f1
    assert f1["filter"] - 0.15 < f1["rules"]
    assert f1["rules"] > f1["majority"]
    assert not [name for name in facts if "f1" in name]  # of simulated customers, no fact of these data
    assert set(pd.read_csv(folder / "tables" / "private" / "stages.csv", nrows=9)) > {"customer_id", "stage"}
    assert facts["in_decline"]["unit"] == "of customers"
    assert not (folder / "tables" / "satisfaction_by_stage.csv").exists()


def customers_of(project, name, rows):
    pd.DataFrame(rows).to_csv(project / name, index=False)


def test_customers_who_all_leave_alike_are_active_by_the_next_simpler_model(project):
    # a time to leave that is exponential at one rate for all is what Pareto/NBD tends to and never reaches
    rng, days = np.random.default_rng(1), pd.date_range("2024-01-01", periods=540)
    each = [(f"{i:03d}", rng.integers(150), rng.exponential(250), rng.gamma(0.9, 1 / 40)) for i in range(300)]
    rows = [
        {"customer_id": name, "time": days[int(day)], "amount": 10}
        for name, first, stays, rate in each
        for day in first + np.append(0, np.cumsum(rng.exponential(1 / rate, 200)))
        if day < min(540, first + stays)
    ]
    customers_of(project, "alike.csv", rows)
    customers_of(
        project, "answers.csv", [{"customer_id": name, "satisfaction": 3 + i % 3} for i, (name, *_) in enumerate(each)]
    )
    asked = ("-p", "data=alike.csv", "-p", "satisfaction=answers.csv", "-p", "model=pareto_nbd")
    folder = whole(project, "lifecycle", *asked)
    run = store.read(folder)
    (fitted,) = (check for check in run.checks if check["id"] == "clv.model_can_be_fitted")
    assert fitted["outcome"] == "failed"
    assert fitted["summary"].startswith("Pareto/NBD has no maximum on these 300 customers")
    used = fitted["summary"].rpartition(". ")[2].removesuffix(" was fitted in its place.")
    assert used in ("MBG/NBD", "BG/NBD")
    assert run.facts["active_customers"]["unit"] == f"customers, by {used}"
    assert table(folder, "share_of_customers_in_each_stage").share.notna().all()
    assert table(folder, "satisfaction_by_stage").customers.sum() == 300


def few_of_sixty():
    days = pd.date_range("2024-01-01", periods=200)
    rows = [{"customer_id": f"{i:02d}", "time": days[i], "amount": 10} for i in range(60)]
    return rows + [{"customer_id": f"{i:02d}", "time": days[i + 40 + 2 * i], "amount": 10} for i in range(0, 50, 5)]


def all_once():
    days = pd.date_range("2024-01-01", periods=240)
    return [{"customer_id": f"{i:02d}", "time": days[6 * i], "amount": 10 + i} for i in range(40)]


def one_alone():
    days = ("2024-01-05", "2024-03-05", "2024-03-20", "2024-06-05", "2024-09-09")
    return [{"customer_id": "a", "time": day, "amount": 10} for day in days]


@pytest.mark.parametrize(
    ("log", "customers", "back", "ordered"),
    [(few_of_sixty, 60, 6, None), (all_once, 40, 0, "MBG/NBD needs repeat orders"), (one_alone, 1, 3, "no maximum")],
)
def test_customers_of_whom_too_few_came_back_have_no_stages_with_the_reason(project, log, customers, back, ordered):
    customers_of(project, "few.csv", log())
    folder = whole(project, "lifecycle", "-p", "data=few.csv")
    facts = store.read(folder).facts
    assert facts["customers"]["value"] == customers
    assert facts["in_decline"]["value"] is None
    assert f"{back} came back, at least 30 are needed" in facts["in_decline"]["reason"]
    assert not (folder / "tables" / "private" / "stages.csv").exists()
    # what can be shown is: the validation, and the cohorts with what is not known yet
    assert (folder / "tables" / "data.csv").exists()
    triangle = table(folder, "share_of_each_cohort_that_ordered_in_each_later_period")
    assert triangle.groupby("cohort")["size"].first().sum() == customers
    assert triangle[triangle.state == "not yet"][["active", "share"]].isna().all().all()
    if ordered:
        assert ordered in facts["active_customers"]["reason"]


def test_products_of_small_logs_have_the_sales_and_say_what_more_is_needed(project):
    customers_of(project, "once.csv", all_once())
    made = store.read(whole(project, "product_life_cycle", "-p", "data=once.csv"))
    assert made.facts["periods"]["value"] == 7  # whole months up to the last order, of 2024-08-22
    assert made.facts["stage"]["reason"] == (
        "growth from a year before is known of 0 of 7 periods, and 2 are needed: a year and 2 periods more"
    )
    assert {check["outcome"] for check in made.checks} <= {"undecided", "failed", "not applicable"}


def test_contracts_as_published(project):
    folder = whole(project, "retention")
    payments = table(folder, "payments_to_come_by_renewals_survived").set_index(["group", "model"])
    assert store.read(folder).data[0].customers == 2000
    projected = table(folder, "share_retained_projected_from_the_first_periods_and_observed")
    projected = projected.set_index(["group", "model", "period"])
    # Fader & Hardie (2007): sBG from seven years, years 8 to 12
    for group, printed in {
        "Regular": (22.0, 20.4, 19.1, 18.0, 17.0),
        "High-End": (46.0, 43.6, 41.4, 39.5, 37.8),
    }.items():
        expected = [100 * projected.survival[group, "sBG", year] for year in range(8, 13)]
        np.testing.assert_allclose(expected, printed, atol=0.06)
    assert (payments.ci_low < payments.payments).all()
    assert "data-kinds" in (folder / "report.html").read_text("utf-8")


def test_subscriptions_that_nobody_prepared(project):
    rng, days = np.random.default_rng(1), 365
    start = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, days, 900), unit="D")
    left = rng.geometric(rng.beta(1, 4, 900).clip(0.01))
    end = start + pd.to_timedelta(np.floor(left * 30.4) - 10, unit="D")  # within the month before the renewal missed
    frame = pd.DataFrame({"customer_id": np.arange(900), "start": start, "end": end.where(end < "2024-06-30")})
    frame.assign(group=np.where(np.arange(900) % 2, "a", "b")).to_csv(project / "mine.csv", index=False)
    folder = whole(project, "retention", "-p", "data=mine.csv", "-p", "every=month")
    fitted = table(folder, "parameters").set_index(["group", "model", "parameter"])
    for group in "ab":
        ci_low, ci_high = fitted.loc[(group, "sBG", "alpha"), ["ci_low", "ci_high"]]
        assert ci_low < SBG(1, 4).alpha < ci_high


def test_a_product_and_the_sales_of_a_log(project):
    folder = whole(project, "product_life_cycle")
    facts = store.read(folder).facts
    assert next(iter(facts)) == "stage"
    assert (facts["stage"]["value"], facts["stage"]["unit"]) == (4, "periods of decline, since 1986-01-01")
    assert facts["bass_m"]["value"] == pytest.approx(67_660, abs=1)
    assert facts["bass_q"]["ci_low"] == pytest.approx(0.5442, abs=1e-4)
    projected = table(folder, "sales_to_come_by_what_missed_least_before")
    assert projected.model.unique().tolist() == ["last period again"]  # every curve missed more in the backtest
    assert projected.expected.dropna().tolist() == [5890] * 5
    assert store.read(folder).data[0].customers is None
    assert "of None" not in (folder / "report.html").read_text("utf-8")
    folder = whole(project, "product_life_cycle", "-p", "data=cdnow_sample")
    assert table(folder, "life_cycle_stages").shape[0] == 18


def test_what_little_data_leave_open_is_blank_with_the_reason(project):
    (project / "few.csv").write_text("time,sales\n2020-01-01,5\n2021-01-01,7\n2022-01-01,8\n")
    made = store.read(whole(project, "product_life_cycle", "-p", "data=few.csv"))
    assert made.facts["bass"]["value"] is None
    assert made.facts["bass"]["reason"] == "3 of the 4 periods needed were observed"
    assert any("3 of the 5 periods that a backtest needs were observed" in note for note in made.notes)
    (project / "young.csv").write_text("group,period,customers\nall,0,50\nall,1,40\n")
    made = store.read(whole(project, "retention", "-p", "data=young.csv"))
    assert made.facts["payments_to_come"]["reason"].startswith("1 of the 3 periods needed")
    assert {check["outcome"] for check in made.checks} == {"not applicable"}


@pytest.mark.parametrize(
    ("report", "data", "words"),
    [
        ("retention", "cdnow_sample", "Customers without a contract leave unobserved"),
        ("lifecycle", "fader_hardie_2007", "holds RETENTION"),
        ("lifecycle", "short.csv", "such a period (31 days) is longer than the log"),
        ("retention", "backward.csv", "'end' comes before the start in 1 of 2 rows"),
        ("product_life_cycle", "negative.csv", "'sales' is negative in 1 of 3 rows"),
        ("lifecycle", "day.csv", "all data are of one day, 2024-01-05, and a split needs two days at least"),
        (
            "product_life_cycle",
            "day.csv",
            "over by 2024-01-05, and one whole calendar month is needed; choose observed_until = 2024-01-31 or later",
        ),
    ],
)
def test_what_a_report_cannot_use_is_refused_in_words(project, report, data, words):
    (project / "short.csv").write_text("customer_id,time,amount\na,2024-01-01,1\nb,2024-01-20,1\n")
    (project / "backward.csv").write_text("customer_id,start,end\na,2024-02-01,2024-01-01\nb,2024-03-01,\n")
    (project / "negative.csv").write_text("time,sales\n2020-01-01,5\n2021-01-01,-7\n2022-01-01,8\n")
    (project / "day.csv").write_text("customer_id,time,amount\na,2024-01-05,1\nb,2024-01-05,2\n")
    before = len(store.folders(project / "reports", report))
    done, _folder = run(project, report, "-p", f"data={data}")
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
    assert len(store.folders(project / "reports", report)) == before
