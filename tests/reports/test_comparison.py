"""One run against another: what differs, by how much, and whether that is more than the error of both."""

import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from scipy import stats

from crmlab.contracts import InputError
from crmlab.estimate import Estimate
from crmlab.reports import comparison, review, site, store
from crmlab.reports.manifest import Code, Environment, Source

from .test_store import manifest


def run(reports, facts, tables=(), checks=(), digest="a" * 64, **about):
    """A published run with these facts."""
    data = Source(parameter="data", name="sales", nature="simulated", sha256=digest, rows=5, customers=3)
    staged = store.Staged(reports)
    for name, text in tables:
        path = staged.folder / "tables" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (staged.folder / "figures").mkdir()
    for kind in ("svg", "csv"):
        (staged.folder / "figures" / f"orders.{kind}").write_text(f"<svg>{digest}</svg>")
    held = {name: fact.as_dict() for name, fact in facts.items()}
    known = {"id": "x.y", "kind": "finding", "claim": "It rises", "summary": "", "recommendation": "", "values": {}}
    found = [known | {"outcome": outcome} for outcome in checks]
    made = manifest(store.new_run()).model_copy(update={"facts": held, "data": [data], "checks": found} | about)
    return staged.publish(made)


COUNT = {"customers": Estimate(100, kind="count"), "spend": Estimate(10.0, 8, 13, unit="USD", kind="money")}


def test_of_the_same_data_any_difference_is_real_and_rounding_is_none(tmp_path):
    before = run(tmp_path, COUNT | {"rate": Estimate(0.5, kind="share"), "blank": Estimate(None, reason="too few")})
    after = run(tmp_path, {
        "customers": Estimate(100, kind="count"), "spend": Estimate(10.0 * (1 + 1e-9), 8, 13, unit="USD", kind="money"),
        "rate": Estimate(0.50001, kind="share"), "blank": Estimate(3.0), "new": Estimate(1.0),
    })  # fmt: skip
    found = comparison.compare(before, after)
    assert found.same_data
    assert {fact.name: fact.outcome for fact in found.facts} == {
        "customers": "the same", "spend": "the same", "rate": "differs", "blank": "differs",
    }  # fmt: skip
    assert found.facts[3].reason == "it was blank: too few"
    assert found.summary.startswith(
        "2 of 4 facts differ, 0 checks changed outcome, 0 tables differ: the data are the same"
    )


def test_of_other_data_the_errors_of_both_add(tmp_path):
    """By hand: 10 (8 to 13) and 20 (17 to 24) differ by 10, from 10 - sqrt(9 + 9) to 10 + sqrt(16 + 4)."""
    before = run(tmp_path, COUNT)
    after = run(
        tmp_path,
        {"customers": Estimate(90, kind="count"), "spend": Estimate(20.0, 17, 24, unit="USD", kind="money")},
        digest="b" * 64,
    )
    count, spend = comparison.compare(before, after).facts
    assert (count.outcome, count.reason) == ("not judged", "it has no interval to judge by")
    assert (spend.low, spend.high) == pytest.approx((10 - 18**0.5, 10 + 20**0.5), rel=1e-12)
    assert spend.p == pytest.approx(2 * stats.norm.sf(10 * 1.959963984540054 / 18**0.5), rel=1e-9)
    assert spend.outcome == "differs"
    assert spend.in_words() == "+10.00 (+100.0 %), 95 % confidence interval 5.76 to 14.47"


def test_a_fall_is_judged_by_the_ends_that_face_each_other(tmp_path):
    """By hand: 20 (17 to 24) and 10 (8 to 13): -10, from -10 - sqrt(4 + 16) to -10 + sqrt(9 + 9)."""
    before = run(tmp_path, {"spend": Estimate(20.0, 17, 24)})
    (spend,) = comparison.compare(before, run(tmp_path, {"spend": Estimate(10.0, 8, 13)}, digest="b" * 64)).facts
    assert (spend.low, spend.high) == pytest.approx((-10 - 20**0.5, -10 + 18**0.5), rel=1e-12)


def test_p_is_adjusted_by_holm_over_the_facts_of_a_report(tmp_path):
    """By hand: two facts of p .03 each are .06 together, and so no difference."""
    half = 1.959963984540054  # of a standard error of 1
    apart = stats.norm.isf(0.015) * 2**0.5
    before = run(tmp_path, {n: Estimate(0.0, -half, half) for n in "ab"})
    after = run(tmp_path, {n: Estimate(apart, apart - half, apart + half) for n in "ab"}, digest="b" * 64)
    found = comparison.compare(before, after)
    assert [fact.p for fact in found.facts] == pytest.approx([0.06, 0.06], rel=1e-9)
    assert found.flagged == []
    assert found.summary.startswith("0 of 2 facts differ")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (Estimate(None, reason="x"), Estimate(1.0, 0, 2), "it was blank"),
        (Estimate(1.0, 0, 2), Estimate(None, reason="x"), "it is blank"),
        (Estimate(None, reason="x"), Estimate(None, reason="x"), "it is blank in both"),
        (Estimate(1.0, 0, 2), Estimate(1.0, 0, 2, level=0.9), "its intervals have other levels"),
    ],
)
def test_what_cannot_be_judged_says_why(tmp_path, before, after, reason):
    first, second = run(tmp_path, {"a": before}), run(tmp_path, {"a": after}, digest="b" * 64)
    (fact,) = comparison.compare(first, second).facts
    assert (fact.outcome, fact.reason) == ("not judged", reason)


def test_tables_on_engines_are_never_the_same_data(tmp_path):
    folders = [run(tmp_path, COUNT, digest=None) for _ in range(2)]
    assert not comparison.compare(*folders).same_data


def drawn(rng, rates, people):
    """Facts of customers drawn anew: mean spend, a share and a rate, with the intervals that reports give."""
    facts = {}
    for name, rate in rates.items():
        spend, bought = rng.gamma(0.5, 2 * rate, people), rng.random(people) < 0.3
        half = 1.96 * spend.std(ddof=1) / people**0.5
        facts[f"spend_{name}"] = Estimate(spend.mean(), spend.mean() - half, spend.mean() + half)
        low, high = stats.binomtest(int(bought.sum()), people).proportion_ci(method="wilson")
        facts[f"share_{name}"] = Estimate(bought.mean(), low, high, kind="share")
        orders = rng.poisson(2, people).sum()
        ends = stats.chi2.ppf([0.025, 0.975], [2 * orders, 2 * orders + 2]) / 2 / people
        facts[f"orders_{name}"] = Estimate(orders / people, *ends)
    return facts


@pytest.mark.parametrize("shared", [0, 200])
def test_of_three_hundred_pairs_that_do_not_differ_one_in_twenty_at_most_is_flagged(shared):
    """Customers drawn anew for each run, or half of them shared; nine facts a run."""
    rng, flagged, pairs = np.random.default_rng(11), 0, 300
    for _ in range(pairs):
        seed = int(rng.integers(2**32))
        first, second = {}, {}
        for held, own in ((first, 1), (second, 2)):
            common = drawn(np.random.default_rng(seed), {"a": 1, "b": 3, "c": 9}, 200) if shared else None
            alone = drawn(np.random.default_rng([seed, own]), {"a": 1, "b": 3, "c": 9}, 400 - shared)
            for name, fact in alone.items():
                if common is None:
                    held[name] = fact
                    continue
                width = (fact.ci_high - fact.ci_low) / 2 / 2**0.5
                mean = (fact.value + common[name].value) / 2
                held[name] = Estimate(mean, mean - width, mean + width)
        one, other = (
            manifest("x").model_copy(update={"facts": {n: f.as_dict() for n, f in each.items()}})
            for each in (first, second)
        )
        flagged += any(fact.outcome == "differs" for fact in comparison.differences(one, other, False))
    assert flagged / pairs <= 0.05 + 2 * (0.05 * 0.95 / pairs) ** 0.5


def test_amounts_raised_by_eight_percent_are_flagged_with_the_interval_that_holds_eight(tmp_path):
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(50):
        facts = []
        for rate in (1.0, 1.08):
            spend = rng.gamma(2, 5 * rate, 20_000)
            half = 1.96 * spend.std(ddof=1) / len(spend) ** 0.5
            facts.append({"spend": Estimate(spend.mean(), spend.mean() - half, spend.mean() + half)})
        one, other = (manifest("x").model_copy(update={"facts": {n: f.as_dict() for n, f in e.items()}}) for e in facts)
        (fact,) = comparison.differences(one, other, False)
        found += fact.outcome == "differs" and fact.low < 0.8 < fact.high
    assert found >= 45


def test_what_the_runs_were_made_from_is_named_cause_by_cause(tmp_path):
    one = run(tmp_path, COUNT, parameters={"days": 30, "gone": 1}, files={"survey": "a"}, notebook_sha256="1" * 64)
    other = run(
        tmp_path, COUNT, digest="b" * 64, parameters={"days": 60, "new": 2}, files={"survey": "b"},
        notebook_sha256="2" * 64,
        code=Code(commit="c" * 40, dirty=True, sha256="1" * 64, modules={"ours.py": "1"}),
        environment=Environment(python="3.12", platform="x", lock_sha256=None, packages={"scipy": "2"}),
    )  # fmt: skip
    assert [*comparison.causes(store.read(one), store.read(other))] == [
        "parameter days: 30, then 60",
        "parameter gone: 1, then absent",
        "parameter new: absent, then 2",
        "data sales: 5 rows, then 5",
        "file survey: its content differs",
        "notebook: notebooks/01_small.ipynb differs",
        "code: crmlab/ differs (commit unknown, then cccccccccccc with changes)",
        "code: ours.py, beside the notebook, differs",
        "packages: 1 differ (scipy absent, then 2)",
        "python: 3.11, then 3.12",
    ]
    assert [*comparison.causes(store.read(one), store.read(one))] == []


def test_a_rerun_of_which_nothing_changed_shows_no_difference(tmp_path):
    folders = [run(tmp_path, COUNT, [("days", "day,n\n1,2\n")], ["yes"]) for _ in range(2)]
    found = comparison.compare(*folders)
    assert (found.causes, found.flagged, found.checks, found.tables) == ([], [], [], [])
    assert found.summary == "Nothing differs: all facts, checks and tables are the same."


def test_shares_differ_by_percentage_points(tmp_path):
    one = run(tmp_path, {"share": Estimate(0.3, 0.2, 0.4, kind="share")})
    other = run(tmp_path, {"share": Estimate(0.5, 0.4, 0.6, kind="share")}, digest="b" * 64)
    (share,) = comparison.compare(one, other).facts
    assert share.in_words() == "+20.0 percentage points, 95 % confidence interval 5.9 to 34.1"


TABLES = [
    ("day,n\n1,2.0\n2,3\n", "day,n\n1,2.00000001\n2,3\n", None),
    ("day,n\n1,2\n2,3\n", "day,n\n2,3\n1,2\n", None),  # in another order
    ("day,n\n1,2\n2,3\n", "day,n\n2,4\n3,5\n", "1 row added, 1 row gone, 1 row changed, in n"),
    ("day,store,n\n1,a,2\n1,b,3\n", "day,store,n\n1,a,2\n1,b,9\n1,c,0\n", "1 row added, 1 row changed, in n"),
    ("n\n1\n1\n", "n\n1\n1\n1\n", "1 row added"),
    ("day,n\n1,2\n", "day,n,m\n1,2,0\n", "column m is new"),
    ("day,n\n1,\n", "day,n\n1,0\n", "1 row changed, in n"),
    ("", "day\n1\n", "cannot be compared (EmptyDataError)"),
]


@pytest.mark.parametrize(("then", "now", "said"), TABLES)
def test_tables_are_compared_by_key(tmp_path, then, now, said):
    one, other = (run(tmp_path, {}, [("days", text)]) for text in (then, now))
    assert comparison.compare(one, other).tables == ([("tables/days.csv", said)] if said else [])


def test_tables_that_are_new_or_gone_are_named(tmp_path):
    one, other = run(tmp_path, {}, [("old", "a\n1\n")]), run(tmp_path, {}, [("new", "a\n1\n")])
    assert comparison.compare(one, other).tables == [("tables/new.csv", "is new"), ("tables/old.csv", "is gone")]


def test_checks_that_changed_outcome_are_named(tmp_path):
    found = comparison.compare(run(tmp_path, {}, checks=["yes"]), run(tmp_path, {}, checks=["undecided"]))
    assert found.checks == [("It rises", "yes", "undecided")]
    assert comparison.compare(run(tmp_path, {}, checks=["yes"]), run(tmp_path, {})).checks == [
        ("It rises", "yes", "absent")
    ]


def test_the_index_says_what_differs_since_the_approved_run(tmp_path):
    before = run(tmp_path, COUNT, checks=["yes"])
    review.decide(tmp_path, before, "approved", "Ann")
    assert "Since the approved run" not in site.build(tmp_path).read_text()
    run(tmp_path, COUNT | {"customers": Estimate(94, kind="count")}, checks=["no"], parameters={"days": 60})
    page = " ".join(BeautifulSoup(site.build(tmp_path).read_text(), "html.parser").get_text().split())
    assert (
        "Since the approved run: 1 fact differs (customers -6 (-6.0 %)); 1 check changed outcome (It rises: yes, then "
        "no); 1 input differs (parameter days: absent, then 60). crmlab compare small shows all."
    ) in page


def test_limits_say_what_lies_beyond_them(tmp_path):
    one, other = run(tmp_path, COUNT), run(tmp_path, COUNT | {"customers": Estimate(94, kind="count")})
    found = comparison.compare(one, other)
    assert comparison.limits(["customers:5%", "customers:6", "customers:6%", "spend:0"], found) == (
        ["customers: -6 (-6.0 %), more than 5%"],
        [],
    )
    assert comparison.limits(["customers", "customer:5%", "customers:-1", "customers:x%"], found)[1] == [
        "--fail-on 'customers': write it as fact:5% or fact:100",
        "--fail-on 'customer:5%': both runs have no fact 'customer'; did you mean 'customers'?",
        "--fail-on 'customers:-1': write it as fact:5% or fact:100",
        "--fail-on 'customers:x%': write it as fact:5% or fact:100",
    ]


def test_the_page_shows_figures_of_other_data_side_by_side_and_escapes_what_it_shows(tmp_path):
    hostile = "<script>x</script>"
    one = run(tmp_path, COUNT, parameters={"where": hostile})
    found = comparison.compare(one, run(tmp_path, COUNT, digest="b" * 64))
    page = site.write_comparison(tmp_path, found, approved=False).read_text()
    assert page.count('<img src="data:image/svg+xml;base64,') == 2
    assert hostile not in page
    links = re.findall(r'href="\.\./(small/[^"]+)"', page)
    assert [tmp_path / link for link in links] == [f / "report.html" for f in (one, store.folders(tmp_path)[0])]


def test_a_fact_over_runs_is_a_row_a_run_oldest_first(tmp_path):
    run(tmp_path, COUNT)
    run(tmp_path, {"customers": Estimate(90, kind="count")})
    names, rows = comparison.series(tmp_path, "small", "customers")
    assert names[:5] == ["run", "started", "data", "parameters given", "value"]
    assert [row[4] for row in rows] == [100, 90]
    with pytest.raises(InputError, match="no run has a fact 'customer'; did you mean 'customers'"):
        comparison.series(tmp_path, "small", "customer")
    with pytest.raises(InputError, match="there are no runs of it with facts"):
        comparison.series(tmp_path, "other", "customer")


def test_other_units_are_not_compared_and_other_intervals_of_the_same_data_are_said(tmp_path):
    one = run(tmp_path, {"a": Estimate(10.0, unit="USD"), "b": Estimate(10.0, 9, 11), "c": Estimate(1.0)})
    other = run(tmp_path, {"a": Estimate(10.0, unit="EUR"), "b": Estimate(10.0, 2, 40), "d": Estimate(1.0)})
    found = comparison.compare(one, other)
    assert [(fact.outcome, fact.reason) for fact in found.facts] == [
        ("not judged", "its unit differs"),
        ("differs", "its interval differs"),
    ]
    assert found.one_sided == ["d is new", "c is gone"]
    assert not found.summary.startswith("Nothing differs")


def test_an_interval_is_called_what_it_is(tmp_path):
    one = run(tmp_path, {"a": Estimate(10.0, pi_low=8, pi_high=13, level=0.9)})
    (fact,) = comparison.compare(
        one, run(tmp_path, {"a": Estimate(20.0, pi_low=17, pi_high=24, level=0.9)}, digest="b" * 64)
    ).facts
    assert fact.in_words().endswith(", 90 % prediction interval 5.757 to 14.47")
    blank = run(tmp_path, {"a": Estimate(None, reason="x")})
    assert comparison.limits(["a:5%"], comparison.compare(one, blank))[0] == ["a: it is blank in one run, or in both"]
