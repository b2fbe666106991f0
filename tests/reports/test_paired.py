"""Two runs that share customers: what differs is judged by what the difference errs, not by what each run does."""

import stat
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import exported
from crmlab.estimate import Estimate
from crmlab.report import Report
from crmlab.reports import comparison, parameters, runner, store
from crmlab.reports.differences import deviations_of, differences
from crmlab.reports.manifest import Masking, Source
from crmlab.stats import poisson_bootstrap

from .conftest import write_notebook
from .test_store import manifest

OURS = Masking(private=False, sha256="f" * 64)
PAIRS = 300
MOST = 0.05 + 2 * (0.05 * 0.95 / PAIRS) ** 0.5  # of pairs that may be flagged: a twentieth, and Monte Carlo's error


def judged(first, second, moves, masking=(OURS, OURS)):
    runs = [
        manifest("x").model_copy(update={"facts": {n: f.as_dict() for n, f in facts.items()}, "masking": mask})
        for facts, mask in zip((first, second), masking, strict=True)
    ]
    return differences(*runs, False, moves)


def test_a_difference_errs_as_far_as_it_moves(tmp_path):
    """By hand: 10 and 11, whose moves differ by -.5, 0, .5: 1 / .5 is a t of 2 with 2 degrees of freedom."""
    before, after = pd.DataFrame({"a": [3.0, 0, -3]}), pd.DataFrame({"a": [2.5, 0, -2.5]})
    (fact,) = judged({"a": Estimate(10.0, 4, 16)}, {"a": Estimate(11.0, 5, 17)}, (before, after))
    reach = 0.5 * 4.302652729911275
    assert (fact.low, fact.high) == pytest.approx((1 - reach, 1 + reach), rel=1e-9)
    assert fact.p == pytest.approx(0.18350341907227408, rel=1e-9)
    assert fact.paired


@pytest.mark.parametrize(
    "masking", [(OURS, Masking(private=True, sha256="0" * 64)), (None, None), (OURS, None)]
)  # fmt: skip
def test_customers_drawn_by_other_keys_are_not_paired(masking):
    moves = pd.DataFrame({"a": [3.0, 0, -3]})
    (fact,) = judged({"a": Estimate(10.0, 4, 16)}, {"a": Estimate(11.0, 5, 17)}, (moves, moves), masking)
    assert not fact.paired
    assert fact.outcome == "within error"


@pytest.mark.parametrize(
    ("moves", "outcome"),
    [
        ((pd.DataFrame(), pd.DataFrame()), False),
        ((pd.DataFrame({"b": [1.0, 2, 3]}), pd.DataFrame({"a": [1.0, 2, 3]})), False),
        ((pd.DataFrame({"a": [1.0, 2, 3]}), pd.DataFrame({"a": [1.0, 2]})), False),
        ((pd.DataFrame({"a": [1.0, 2, 3]}), pd.DataFrame({"a": [1.0, 2, 4]})), True),
    ],
)
def test_facts_of_which_moves_are_not_known_are_judged_by_the_errors_of_both(moves, outcome):
    (fact,) = judged({"a": Estimate(10.0, 4, 16)}, {"a": Estimate(11.0, 5, 17)}, moves)
    assert fact.paired is outcome


def test_what_is_alike_is_no_difference_however_little_it_moves():
    still = pd.DataFrame({"a": [0.0, 0, 0]})
    (fact,) = judged({"a": Estimate(10.0)}, {"a": Estimate(10.0 * (1 + 1e-12))}, (still, still))
    assert (fact.outcome, fact.p) == ("within error", 1.0)
    (fact,) = judged({"a": Estimate(10.0)}, {"a": Estimate(10.1)}, (still, still))
    assert (fact.outcome, fact.p) == ("differs", 0.0)


def facts_of(values):
    """Mean, share of buyers, total, and ratio of two means of customers' values, with how far each moves.

    values : a frame by customer: spend, gap
    """
    change, n = poisson_bootstrap.weights(values.index, b"key") - 1.0, len(values)
    spend, gap = values.spend.to_numpy(), values.gap.to_numpy()
    parts = {
        "mean": (gap.mean(), (gap - gap.mean()) / n),
        "share": ((spend > 5).mean(), ((spend > 5) - (spend > 5).mean()) / n),
        "total": (spend.sum(), spend),
        "ratio": (spend.mean() / gap.mean(), (spend - gap * spend.mean() / gap.mean()) / gap.mean() / n),
    }
    facts = {name: Estimate(float(value)) for name, (value, _) in parts.items()}
    return facts, pd.DataFrame({name: influence @ change for name, (_, influence) in parts.items()})


def people(rng, ids):
    return pd.DataFrame({"spend": rng.gamma(0.5, 20, len(ids)), "gap": rng.normal(3, 1, len(ids))}, index=ids)


@pytest.mark.parametrize("shared", [0, 200, 380])
def test_of_three_hundred_pairs_that_do_not_differ_one_in_twenty_at_most_is_flagged(shared):
    """400 customers a run, none, half or nearly all of whom are in both, with what they had done before."""
    rng, flagged = np.random.default_rng(17), 0
    for pair in range(PAIRS):
        both = people(rng, [f"{pair}-both-{n}" for n in range(shared)])
        runs = [pd.concat([both, people(rng, [f"{pair}-{own}-{n}" for n in range(400 - shared)])]) for own in "ab"]
        (first, before), (second, after) = map(facts_of, runs)
        flagged += any(fact.outcome == "differs" for fact in judged(first, second, (before, after)))
    assert flagged / PAIRS <= MOST


def test_of_customers_asked_again_one_pair_in_twenty_at_most_is_flagged():
    """The same 300 customers with another answer: half of what differs between them stays."""
    rng, flagged = np.random.default_rng(18), 0
    for pair in range(PAIRS):
        ids = [f"{pair}-{n}" for n in range(300)]
        own = people(rng, ids)
        runs = [own.assign(gap=own.gap + rng.normal(0, 1, 300), spend=own.spend * rng.gamma(2, 0.5, 300)) for _ in "ab"]
        (first, before), (second, after) = map(facts_of, runs)
        flagged += any(fact.outcome == "differs" for fact in judged(first, second, (before, after)))
    assert flagged / PAIRS <= MOST


def test_amounts_of_the_same_customers_raised_by_eight_percent_are_flagged_and_by_the_errors_of_both_are_not():
    rng, found, by_errors = np.random.default_rng(3), 0, 0
    for trial in range(50):
        then = people(rng, [f"{trial}-{n}" for n in range(400)])
        now = then.assign(spend=1.08 * then.spend)
        (first, before), (second, after) = facts_of(then), facts_of(now)
        total = next(fact for fact in judged(first, second, (before, after)) if fact.name == "total")
        found += total.outcome == "differs" and total.low < 0.08 * then.spend.sum() < total.high
        half = stats.norm.ppf(0.975) * before.total.std()
        alone = [
            {"total": Estimate(f.value, f.value - half, f.value + half)} for f in (first["total"], second["total"])
        ]
        (fact,) = judged(*alone, None)
        by_errors += fact.outcome == "differs"
    assert found == 50
    assert by_errors == 0


ORDERS = "from crmlab import clv\nimport pandas as pd"
VALUE = """
orders = catalog.orders(data)
customers = clv.summarise(orders, "1998-06-30")
fitted, spend = clv.fit(customers, "mbg_nbd"), clv.fit_spend(customers)
report = Report("Value")
report.fact("customers", customers.count().execute(), kind="count")
report.fact("equity", clv.customer_equity(fitted, spend, customers, 365, 0.1, unit="USD"))
report.fact("orders", clv.forecast_orders(fitted, customers, 365))
report
"""


def test_runs_keep_how_far_their_facts_move_and_are_compared_by_it(project):
    """Real customers whose amounts rise by 8 %: by the errors of both runs that would be within error."""
    from lifetimes.datasets import load_transaction_data

    log = load_transaction_data().rename(columns={"id": "customer_id", "date": "time"})
    log["amount"] = 10 + np.arange(len(log)) % 7 + log.customer_id % 5
    folders = []
    for times in (1, 1.08):
        log.assign(amount=times * log.amount).to_csv(project / "data" / "sales.csv", index=False)
        report = VALUE.replace("1998-06-30", str(log.time.max())[:10])
        write_notebook(project / "notebooks" / "01_small.ipynb", ORDERS, report, parameters='data: Dataset = "sales"')
        (project / "notebooks" / "suite.toml").write_text('[[run]]\nreport = "small"\n')
        (job,) = parameters.prepare(project, [("small", {})])
        folders.append(runner.run(job, project, project / "reports"))
    run = store.read(folders[0])
    assert run.state == "success", run.error
    assert list(deviations_of(folders[0])) == ["equity", "orders"]
    assert len(deviations_of(folders[0])) == poisson_bootstrap.REPLICATES
    assert exported.REPLICATES in run.artefacts
    assert stat.S_IMODE((folders[0] / exported.REPLICATES).stat().st_mode) == 0o600
    found = comparison.compare(*folders)
    facts = {fact.name: fact for fact in found.facts}
    assert facts["equity"].outcome == "differs"
    assert facts["equity"].low < 0.08 * facts["equity"].before.value < facts["equity"].high
    assert facts["orders"].outcome == "within error"
    assert facts["orders"].p == 1
    assert "bootstrap replicates are paired by customer" in found.summary


@pytest.mark.parametrize(
    "text", ["", "a\n1\n", "a,b\n1,x\n2,y\n3,z\n", '"a"\nnan\n1\n2\n', '"a"\n1\ninf\n2\n', "a\n1\n2\n3", "\x00"]
)
def test_moves_that_were_torn_or_are_no_numbers_pair_nothing(tmp_path, text):
    (tmp_path / exported.REPLICATES).parent.mkdir(parents=True)
    (tmp_path / exported.REPLICATES).write_text(text)
    moves = deviations_of(tmp_path)
    (fact,) = judged({"a": Estimate(10.0, 4, 16)}, {"a": Estimate(11.0, 5, 17)}, (moves, moves.copy()))
    assert fact.paired == (list(moves) == ["a"] and len(moves) == 3)
    assert fact.outcome in ("within error", "differs")
    assert np.isfinite(fact.low)


def test_a_fact_whose_moves_cannot_be_computed_is_kept_without_them(tmp_path, monkeypatch):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    report = Report("Moves")
    report.fact("raises", Estimate(1.0, n=400, deviations=lambda: 1 / 0))
    report.fact("short", Estimate(1.0, n=400, deviations=lambda: [1.0, 2.0]))
    report.fact("blank", Estimate(1.0, n=400, deviations=lambda: None))
    report.fact("few", Estimate(1.0, n=399, deviations=lambda: np.arange(200.0)))  # whose answers could be solved for
    report.fact('odd, "name"\rof\n', Estimate(1.0, n=400, deviations=lambda: np.arange(200.0)))
    assert list(deviations_of(tmp_path)) == ['odd, "name"\rof\n']
    assert len(report.facts) == 5


def test_facts_drawn_by_other_keys_err_by_themselves(tmp_path):
    """By hand: moves of standard deviation 3 and 4 are 5 together."""
    moves = [pd.DataFrame({"a": np.array([-1.0, 0, 1]) * sd}) for sd in (3, 4)]
    mine = (OURS, Masking(private=True, sha256="0" * 64))
    (fact,) = judged({"a": Estimate(10.0)}, {"a": Estimate(11.0)}, tuple(moves), mine)
    assert not fact.paired
    assert fact.high - 1 == pytest.approx(5 * 4.302652729911275, rel=1e-9)


def test_intervals_of_these_customers_alone_say_nothing_of_others():
    given = Estimate(10.0, 9, 11, conditional=True)
    (fact,) = judged({"a": given}, {"a": replace(given, value=10.5)}, None)
    assert (fact.outcome, fact.reason) == (
        "not judged", "its interval is of those customers alone, and says nothing of others"
    )  # fmt: skip
    assert Estimate(**given.as_dict()).conditional


def test_equal_ids_of_another_shop_are_not_paired():
    moves = pd.DataFrame({"a": [3.0, 0, -3]})
    held = [Source(parameter="data", name=name, nature="real", sha256="a", rows=1) for name in ("north", "south")]
    runs = [
        manifest("x").model_copy(update={"facts": {"a": Estimate(v).as_dict()}, "masking": OURS, "data": [source]})
        for v, source in zip((10.0, 11.0), held, strict=True)
    ]
    assert not differences(*runs, False, (moves, moves))[0].paired
