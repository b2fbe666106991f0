"""Reports on a log of visits, which holds no amounts: all end in success, and what is blank of money says why."""

import pandas as pd
import pytest

from crmlab.orders import NO_AMOUNTS
from crmlab.reports import store
from crmlab.simulate.orders import simulate_orders

from ..shell import crmlab

REASON = "; ".join(NO_AMOUNTS)
DRAWS = {  # the fewest that are taken
    "clv": {"replicates": 100, "fit_replicates": 40, "origins": 1},
    "lifecycle": {"replicates": 40, "fit_replicates": 40, "threshold_replicates": 40},
    "segments": {
        "replicates": 100,
        "criteria_replicates": 100,
        "null_replicates": 19,
        "stability_replicates": 2,
        "jitter_replicates": 1,
    },
    "product_life_cycle": {"replicates": 40, "backtest_replicates": 100},
}
MONEY = {  # facts that are blank for this reason
    "clv": {
        "customer_equity",
        "repeat_buyers_who_spent_nothing_at_split",
        "gamma_gamma_at_split",
        "gamma_gamma_at_split_log_likelihood",
    },
    "lifecycle": {"value_ahead"},
    "segments": {"clusters_by_silhouette", "gini_recency", "gini_abc", "gini_rfm", "gini_rfm nested", "gini_rfm_tiers"}
    | {f"gini_{name}" for name in ("value_matrix", "eight_classes", "index_system", "k-means", "mixture")}
    | {"gini_hierarchical"},
    "product_life_cycle": set(),
}


@pytest.fixture(scope="module")
def visits(project):
    log = simulate_orders(r=0.6, alpha=20, a=0.8, b=3, customers=300, days=500, seed=3)
    log["time"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(log.pop("day"), unit="D")
    log.to_csv(project / "visits.csv", index=False)
    return log


@pytest.mark.parametrize("report", DRAWS)
def test_a_log_of_visits_ends_in_success_and_money_is_blank_with_the_reason(project, visits, report):
    draws = (word for name, value in DRAWS[report].items() for word in ("-p", f"{name}={value}"))
    done = crmlab("run", report, "-p", "data=visits.csv", *draws, cwd=project, CRMLAB_ROOT=str(project))
    assert done.returncode == 0, done.stdout + done.stderr
    run = store.read(next(iter(store.folders(project / "reports", report))))
    assert {name for name, fact in run.facts.items() if fact["reason"] == REASON} == MONEY[report]
    if report == "product_life_cycle":
        whole_months = visits[visits.time < "2025-05-01"]  # the log ends in the middle of May
        assert run.facts["sold"]["value"] == len(whole_months.drop_duplicates())
    else:
        assert run.facts["customers"]["value"] == 300
