"""What projections beside the observed say in short, and the facts of a report on retention."""

import pandas as pd
import pytest

from crmlab import lifecycle
from crmlab.estimate import Estimate
from crmlab.lifecycle import checks

from .cohort_worlds import retention


def projections(*rows):
    """A table of backtests from (group, origin, model, is_baseline, period, expected, actual, reason)."""
    names = ["group", "origin", "model", "is_baseline", "period", "expected", "actual", "reason"]
    table = pd.DataFrame(rows, columns=names).astype({"origin": "Int64", "period": "Int64"})
    table = table.astype({"expected": "Float64", "actual": "Float64"})
    return table.assign(error=table.expected - table.actual, horizon=table.period - table.origin)


def test_misses_are_of_the_last_period_in_which_anybody_was_left():
    table = projections(
        ("a", 4, "sBG", False, 5, 0.3, 0.2, ""), ("a", 4, "sBG", False, 6, 0.2, 0.0, ""),
        ("b", 4, "sBG", False, 5, 0.1, 0.0, ""),
    )  # fmt: skip
    found = lifecycle.final_period_errors(table)
    assert found.loc[("a", "sBG"), 4] == pytest.approx(50)
    assert found.loc[("b", "sBG")].isna().all()


def test_what_could_not_be_projected_has_its_reasons_in_few_words():
    rows = [("a", origin, "sBG", False, 9, None, 1.0, f"none was lost in {origin} periods") for origin in range(4, 9)]
    rows += [("b", 4, "sBG", False, 9, None, 1.0, "too few"), ("c", None, "sBG", False, None, None, None, "too young")]
    table = lifecycle.compare_projections(projections(*rows))
    assert table.reason["sBG"] == "none was lost in 8 periods; too few; and 1 more"
    check = checks.retention_beats_baselines(table)[0]
    assert (check.outcome, check.recommendation) == ("not applicable", "")
    assert check.summary == "sBG was not judged: none was lost in 8 periods; too few; and 1 more."


def test_facts_name_their_unit_and_a_group_where_there_are_several():
    held = {"periods": 12, "mean": [2.0, 3.0], "ci_low": [1.0, 2.0], "ci_high": [3.0, 4.0], "reason": ""}
    kept = pd.DataFrame(held, index=pd.Index(["a", "b"], name="group"))
    assert lifecycle.periods_kept(kept) == {
        "a": Estimate(2.0, 1.0, 3.0, unit="of the first 12 periods"),
        "b": Estimate(3.0, 2.0, 4.0, unit="of the first 12 periods"),
    }
    assert list(lifecycle.periods_kept(kept[:1].rename(index={"a": "all"}))) == [""]


def test_payments_to_come_are_of_new_customers_and_blank_where_no_model_could_be_fitted():
    contracts = lifecycle.durations(retention(all=(1000, 869, 743, 653, 593, 551)))
    never = pd.DataFrame({"group": ["never"], "renewals": [5], "churned": [False], "customers": [50]})
    table = lifecycle.residual_lifetimes(pd.concat([contracts, never]), 0.1, "year")
    found = lifecycle.payments_to_come(table)
    row = table[(table.group == "all") & (table.model == "sBG") & (table.renewals == 0)].iloc[0]
    assert found[""] == Estimate(row.payments, row.ci_low, row.ci_high, unit="payments")
    assert found["never"].reason.startswith("none of 50 customers was lost")


@pytest.mark.parametrize(("kept", "outcome"), [((100, 50, 25), "yes"), ((100, 83, 61), "undecided")])
def test_groups_differ_where_the_log_rank_test_finds_it(kept, outcome):
    check = checks.groups_differ(lifecycle.log_rank_test(lifecycle.durations(retention(a=(100, 80, 60), b=kept))))
    assert (check.id, check.kind, check.outcome) == ("lifecycle.groups_differ", "finding", outcome)
    assert check.recommendation == ("Report retention by group." if outcome == "yes" else "")
    assert check.claim == "Groups lose customers at different rates (log-rank test, confidence level 95 %)"
    start = "The survival curves of 2 groups differ" if outcome == "yes" else "No difference between the survival"
    assert check.summary.startswith(start)


def test_one_group_has_none_to_differ_from():
    check = checks.groups_differ(lifecycle.log_rank_test(lifecycle.durations(retention(a=(100, 80, 60)))))
    assert (check.outcome, check.summary) == ("not applicable", "Not judged: one group only.")
