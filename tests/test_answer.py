"""The answer of a report: what it says of facts that are there or blank, and of checks of each outcome."""

import importlib
import string
from pathlib import Path

import pytest

from crmlab.answer import composed
from crmlab.check import Check
from crmlab.contracts import InputError
from crmlab.estimate import Estimate
from crmlab.report import Report
from crmlab.sentences import templates

from .public import DOMAINS
from .test_check_ids import LISTED

ANSWERS = [(domain, name) for domain in DOMAINS for name in templates(f"crmlab.{domain}").get("answers", {})]
ORDERS = Estimate(1941.7, 1848.4, 2042.6, 1773, 2123, unit="orders", kind="count")
EQUITY = Estimate(68080.8, 64644.9, 71326.2, unit="USD in 365 days", kind="money")
FACTS = {"customers": Estimate(2357, kind="count"), "forecast_orders": ORDERS, "customer_equity": EQUITY}


def held(facts, checks=(), answer="clv.value"):
    return composed(answer, facts, list(checks))


class Made:
    """A check as its sentences are of no matter."""

    def __init__(self, id, outcome, summary, kind="assumption", recommendation=""):
        self.id, self.outcome, self.summary, self.kind = id, outcome, summary, kind
        self.recommendation = recommendation


TOTAL, BEATS = "clv.total_within_prediction_interval", "clv.beats_baselines.rmse"


def test_what_was_found_says_values_with_one_interval_that_of_what_will_be_observed():
    assert held(FACTS) == [
        "Today's 2,357 customers are expected to place 1,942 orders (95 % prediction interval 1,773 to 2,123), worth "
        "68,081 USD in 365 days (95 % confidence interval 64,645 to 71,326)."
    ]


def test_what_is_blank_is_said_with_its_reason():
    blank = {"customer_equity": Estimate(None, reason="the data hold no amounts")}
    (said,) = held(FACTS | blank)
    assert said.endswith("; their worth is blank: the data hold no amounts.")
    (said,) = held(FACTS | blank | {"forecast_orders": Estimate(None, reason="no model could be fitted")})
    assert said == "How many orders today's 2,357 customers will place is blank: no model could be fitted."


def test_a_report_whose_facts_are_others_opens_with_the_first_of_them():
    assert held({"days": Estimate(30.0, kind="days")}) == ["Days: 30."]
    assert held({}) == []


@pytest.mark.parametrize(
    ("outcome", "opening"),
    [
        ("passed", "Later data agree: "),
        ("failed", "Later data do not agree: "),
        ("undecided", "Later data leave it undecided: "),
        ("not applicable", "No later data judge it. "),
    ],
)
def test_later_data_say_how_the_forecast_did(outcome, opening):
    assert held(FACTS, [Made(TOTAL, outcome, "1,882 came.")])[1:] == [f"{opening}1,882 came."]


def test_a_check_on_later_data_that_could_be_judged_goes_before_one_that_could_not():
    by_model = Made("lifecycle.model_spend_within_interval.all", "not applicable", "a")
    made = [by_model, Made("lifecycle.spend_within_interval.all", "failed", "b")]
    assert held(FACTS, made, "lifecycle.stages")[1] == "Later data do not agree: b"


def test_what_to_do_stands_behind_a_check_that_failed_and_the_one_that_matters_most():
    made = [
        Made(TOTAL, "failed", "1,882 came.", recommendation="State it beside every forecast."),
        Made("clv.orders_at_random", "undecided", "Clumps.", recommendation="Compare BG/BB."),
    ]
    assert held(FACTS, made)[1:] == [
        "Later data do not agree: 1,882 came. State it beside every forecast.",
        "The other check is undecided: Clumps. Compare BG/BB.",
    ]
    passed = Made(TOTAL, "passed", "1,882 came.", recommendation="None.")
    assert held(FACTS, [passed])[1:] == ["Later data agree: 1,882 came."]


def outcomes(*found, later=True):
    """What is said of checks of these outcomes, each with its place as its summary, beside one of later data."""
    first = [Made(TOTAL, "passed", "it held")] if later else []
    checks = [Made(f"clv.other.{place}", each, str(place)) for place, each in enumerate(found)]
    return held(FACTS, first + checks)[-1]


def test_of_the_other_checks_the_worst_is_said_and_how_many_there_are():
    assert outcomes("passed") == "The other check passed."
    assert outcomes("passed", "not applicable", "passed") == "All 2 other checks passed."
    assert outcomes("undecided") == "The other check is undecided: 0"
    assert outcomes("failed") == "The other check failed: 0"
    assert outcomes("passed", "failed") == "Of 2 other checks 1 failed; the one that matters most: 1"
    assert outcomes("undecided", "failed", "failed") == (
        "Of 3 other checks 2 failed and 1 stayed undecided; the one that matters most failed: 1"
    )
    assert outcomes("passed", "undecided", later=False) == (
        "Of 2 checks none failed and 1 stayed undecided; the one that matters most: 1"
    )


def test_the_check_that_matters_most_is_the_first_listed_not_the_first_made():
    made = [Made("clv.orders_at_random", "failed", "clumps"), Made(BEATS, "failed", "baseline")]
    assert held(FACTS, made)[-1].endswith(": baseline")
    assert held(FACTS, [*made, Made("clv.model_can_be_fitted", "undecided", "other")])[-1].endswith(": baseline")


def test_findings_are_neither_counted_nor_bad():
    assert held(FACTS, [Made("clv.parameters_moved", "no", "moved", "finding")]) == held(FACTS)


def test_the_highest_and_lowest_of_a_group_are_named():
    gini = {
        "gini_abc": Estimate(0.4),
        "gini_past spend": Estimate(0.63),
        "gini_none": Estimate(None, reason="no spend"),
    }
    (said,) = held(gini | FACTS, answer="segments.schemes")
    assert "best by past spend, 0.6300, and worst by abc, 0.4000" in said
    (said,) = held({"gini": Estimate(None, reason="too few")} | FACTS, answer="segments.schemes")
    assert said.endswith("is blank: too few.")


@pytest.mark.parametrize("answer", ["nowhere.value", "clv.price", "clv"])
def test_an_answer_that_there_is_not_is_refused_before_anything_is_computed(answer):
    with pytest.raises(InputError, match="answer = "):
        Report("A shop", answer=answer)


@pytest.mark.parametrize(("domain", "name"), ANSWERS)
def test_an_answer_names_checks_that_there_are(domain, name):
    table = templates(f"crmlab.{domain}")["answers"][name]
    for id_ in [*table.get("later", ()), *table.get("decisive", ())]:
        assert ".".join(id_.split(".")[:2]) in LISTED


@pytest.mark.parametrize(("domain", "name"), ANSWERS)
def test_each_sentence_of_an_answer_is_said_of_the_facts_that_it_needs(domain, name):
    for each in templates(f"crmlab.{domain}")["answers"][name]["found"]:
        facts = {}
        for _, field, _, _ in string.Formatter().parse(each):
            fact, _, wanted = (field or "").partition(".")
            if fact:
                blank = wanted == "reason"
                facts[fact.replace("*", "a")] = Estimate(None if blank else 2, reason="why" * blank)
        (said,) = composed(f"{domain}.{name}", facts, [])
        start = each.partition("{")[0]
        assert said.startswith(start)
        assert said.endswith(".")
        assert "{" not in said


def test_shipped_reports_open_with_sentences_of_their_own():
    found = {domain: importlib.import_module(f"crmlab.{domain}") for domain in DOMAINS}
    sources = [path.read_text("utf-8") for path in sorted(Path(__file__).parents[1].glob("notebooks/*.ipynb"))]
    for domain, name in ANSWERS:
        assert domain in found
        assert any(f'answer=\\"{domain}.{name}\\"' in source for source in sources), name
    assert len(ANSWERS) == len(sources)


def test_the_answer_travels_with_the_report(capsys):
    report = Report("A shop", answer="clv.value")
    for name, fact in FACTS.items():
        report.fact(name, fact)
    report.check(
        Check(
            "clv.spend_independent_of_frequency", "assumption", "not applicable", {"why": "no", "limit": 0.2}, "alike"
        )
    )
    assert report.as_dict()["answer"] == held(FACTS)
    assert report.answer[0] in repr(report._repr_mimebundle_())
