import base64
import json
from io import BytesIO

import ibis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.display import display  # noqa: F401  what Report shows by
from PIL import Image

from crmlab import figures
from crmlab import report as module
from crmlab.check import Check
from crmlab.clv import BGNBD
from crmlab.contracts import InputError
from crmlab.estimate import Estimate
from crmlab.masks import mask
from crmlab.model import Unfitted
from crmlab.report import Report
from crmlab.style import DPI, axes, panels, plot

FRAME = pd.DataFrame({"orders": [1.23456, 2.0]}, pd.Index(["a", "b"], name="group"))


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a mimebundle with its metadata, call by call."""
    held = []
    monkeypatch.setattr(module, "display", lambda each: held.append(each._repr_mimebundle_()))
    return held


@pytest.fixture(autouse=True)
def _figures_are_closed():
    yield
    plt.close("all")


@plot
def line(frame, ax=None):
    ax = axes(ax)
    ax.plot(frame.orders)
    return ax


def drawn():
    return line(FRAME)


@pytest.fixture
def words(monkeypatch):
    from crmlab import check

    said = {"alike": {"claim": "Early and late customers are alike", "summary": "The ratio is {ratio:ratio}."}}
    monkeypatch.setattr(check, "templates", lambda package: said)


def left(shown):
    return [metadata["crmlab"] for _, metadata in shown]


def test_each_call_leaves_what_it_was_given(shown, words):
    report = Report("A shop")
    report.show(FRAME, name="groups")
    report.fact("customers", 2357, kind="count")
    report.check(Check("toy.alike", "assumption", "passed", {"ratio": 1.25}))
    report.note("Spend is before tax.")
    tables, facts, checks, notes = left(shown)
    assert tables == {"tables": ["groups"]}
    assert (facts["facts"][0]["name"], facts["facts"][0]["value"], facts["facts"][0]["kind"]) == (
        "customers", 2357, "count",
    )  # fmt: skip
    assert checks["checks"][0]["summary"] == "The ratio is 1.25."
    assert notes == {"notes": ["Spend is before tax."]}
    assert json.loads(json.dumps(report.as_dict())) == report.as_dict()


def test_several_facts_of_one_name_bear_their_keys(shown):
    report = Report("A shop")
    report.fact("periods_kept", {"a": Estimate(3.0), "b": 4}, unit="periods")
    report.fact("orders", {"": 5})
    assert list(report.facts) == ["periods_kept_a", "periods_kept_b", "orders"]
    assert report.facts["periods_kept_b"] == Estimate(4, unit="periods")
    assert [fact["name"] for each in left(shown) for fact in each["facts"]] == list(report.facts)


def test_of_a_long_frame_the_first_rows_are_shown_and_all_are_kept(shown, monkeypatch, tmp_path):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    Report("A shop").show(FRAME, name="groups", rows=1)
    assert "b" not in shown[0][0]["text/plain"].split()
    assert len(pd.read_csv(tmp_path / "tables" / "groups.csv")) == 2


def test_a_figure_of_panels_keeps_their_frame_once(shown, monkeypatch, tmp_path):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))

    @plot
    def sides(frame, ax=None):
        parts = panels(2)
        for part in parts:
            part.plot(frame.orders)
        return parts

    report = Report("A shop")
    report.figure(sides(FRAME), "Orders twice")
    assert shown[0][1]["files"] == ["figures/orders_twice.svg", "figures/orders_twice.csv"]
    assert left(shown) == [{"figures": ["Orders twice"]}]


def test_a_cell_that_is_run_again_replaces_what_it_gave(shown, words):
    report = Report("A shop")
    for ratio in (1.0, 2.0):
        report.fact("customers", ratio)
        report.check(Check("toy.alike", "assumption", "passed", {"ratio": ratio}))
        report.show(FRAME, name="groups")
        report.note("One note.")
    held = report.as_dict()
    assert [held["facts"][0]["value"], len(held["facts"]), len(held["checks"])] == [2.0, 1, 1]
    assert held["checks"][0]["values"] == {"ratio": 2.0}
    assert (held["tables"], held["notes"]) == (["groups"], ["One note."])


def test_a_figure_leaves_its_frame_and_is_closed(shown, monkeypatch, tmp_path):
    import matplotlib.pyplot as plt

    @plot
    def line(frame, ax=None):
        ax = axes(ax)
        ax.plot(frame.orders)
        return ax

    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    before = plt.get_fignums()
    report = Report("A shop")
    report.figure(line(FRAME), "Orders per group")
    (data, metadata) = shown[0]
    assert set(data) == {"text/plain", "image/png"}
    assert metadata["title"] == "Orders per group"
    assert metadata["crmlab"] == {"figures": ["Orders per group"]}
    assert plt.get_fignums() == before
    assert pd.read_csv(tmp_path / "figures" / "orders_per_group.csv").equals(FRAME.reset_index())
    assert not (tmp_path / "tables").exists()


def test_data_of_figures_have_customers_masked(shown, monkeypatch, tmp_path):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    Report("A shop").figure(line(FRAME.assign(customer_id=["0012", "x"])), "Orders")
    assert pd.read_csv(tmp_path / "figures" / "orders.csv").customer_id.tolist() == [mask("0012"), mask("x")]


def test_a_drawing_is_the_same_each_time_and_holds_dense_marks_as_an_image(shown, monkeypatch, tmp_path):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    written = []
    for size in (30, 30, figures.DENSE + 1):
        Report("A shop").figure(line(pd.DataFrame({"orders": np.arange(size) % 7.0})), "Orders")
        written.append((tmp_path / "figures" / "orders.svg").read_text())
    assert written[0] == written[1]
    assert ["<image" in drawing for drawing in written] == [False, False, True]
    assert "<dc:date>" not in written[0]


def test_a_figure_that_cannot_be_drawn_leaves_words_and_the_rest_goes_on(shown):
    ax = drawn()
    ax.set_title("$\\frac{$")
    report = Report("A shop")
    report.figure(ax, "Orders")
    report.note("One note.")
    text = shown[0][0]["text/plain"]
    assert text.startswith("Figure “Orders” could not be drawn: ValueError: ")
    assert report.as_dict()["figures"] == []
    assert left(shown)[0] == {"figures": []}
    assert not plt.get_fignums()


def test_an_image_is_the_same_each_time_and_says_nothing_of_what_drew_it(shown):
    import matplotlib.pyplot as plt

    for _ in range(2):
        figure, ax = plt.subplots(dpi=100, figsize=(4, 3))
        ax.plot([1, 2])
        Report("A shop").figure(ax, "A line")
        assert not plt.fignum_exists(figure.number)
    first, second = (data["image/png"] for data, _ in shown)
    image = Image.open(BytesIO(base64.b64decode(first)))
    assert first == second
    assert set(image.info) == {"dpi"}
    assert image.info["dpi"] == pytest.approx((DPI, DPI), abs=0.01)
    assert image.width > 3.5 * DPI


def test_a_figure_that_cannot_be_shown_is_closed_too(shown, monkeypatch):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    monkeypatch.setattr(module, "display", lambda each: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Report("A shop").figure(ax, "A line")
    assert not plt.fignum_exists(figure.number)


def test_tables_are_written_in_a_run_and_nowhere_else(shown, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Report("A shop").show(FRAME, name="groups")
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    Report("A shop").show(ibis.memtable(FRAME.reset_index()), name="private/groups")
    assert pd.read_csv(tmp_path / "tables" / "private" / "groups.csv").orders.tolist() == [1.23456, 2.0]


def test_a_blank_table_and_a_blank_fact_show_their_reason(shown):
    blank = pd.DataFrame()
    blank.attrs["reason"] = "nobody came back"
    report = Report("A shop")
    report.show(blank, name="parameters")
    report.fact("orders_ahead", Estimate(None, reason="nobody came back"))
    assert [data["text/plain"] for data, _ in shown] == [
        "blank: nobody came back", "orders ahead: blank: nobody came back",
    ]  # fmt: skip


def test_a_blank_table_is_not_kept(shown, monkeypatch, tmp_path):
    blank = pd.DataFrame()
    blank.attrs["reason"] = "nobody came back"
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    report = Report("A shop")
    report.show(blank, name="parameters")
    assert left(shown) == [{"tables": []}]
    assert report.as_dict()["tables"] == []
    assert not list(tmp_path.iterdir())


def test_an_infinite_fact_is_blank_with_the_reason(shown):
    report = Report("A shop")
    report.fact("value", Estimate(float("inf"), unit="USD", kind="money"))
    assert report.facts["value"].reason == "it has no finite value"


def test_an_interval_may_be_open(shown):
    report = Report("A product")
    report.fact("m", Estimate(78_000.0, 42_000.0, float("inf")))
    assert str(report.facts["m"]) == "78,000 (95 % confidence interval 42,000 to infinite)"
    (fact,) = json.loads(json.dumps(left(shown)[0]["facts"], allow_nan=False))
    assert Estimate(**{name: value for name, value in fact.items() if name != "name"}) == report.facts["m"]


def test_text_is_escaped(shown):
    report = Report("<b>")
    report.note("<script>")
    assert "<script>" not in shown[0][0]["text/html"]
    assert "<b>&lt;b&gt;" not in report._html()
    assert "&lt;b&gt;" in report._html()


def test_facts_travel_in_order_and_at_full_precision(shown):
    report = Report("T")
    for name, value in {"z": 1 / 3, "a": np.int64(2), "m": Estimate(np.float64(0.1), 0.0, 1.0)}.items():
        report.fact(name, value)
    left_at_the_end = json.loads(json.dumps(report._repr_mimebundle_()[1]["crmlab"], sort_keys=True))
    assert [fact["name"] for fact in left_at_the_end["facts"]] == ["z", "a", "m"]
    assert [fact["value"] for fact in left_at_the_end["facts"]] == [1 / 3, 2, 0.1]


@pytest.mark.parametrize("column", ["customer_id", "referrer_customer_id"])
@pytest.mark.parametrize("indexed", [False, True])
def test_a_table_that_names_customers_is_kept_where_no_page_links_it(shown, monkeypatch, tmp_path, column, indexed):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    frame = pd.DataFrame({column: ["00123"], "share": [1 / 3]})
    report = Report("T")
    report.show(frame.set_index(column) if indexed else frame, "value")
    assert list(report.tables) == ["private/value"]
    assert (tmp_path / "tables" / "private" / "value.csv").is_file()
    assert "00123" not in json.dumps(shown)


@pytest.mark.parametrize(("rows", "given", "left"), [(60, None, 60), (61, None, 5), (61, 8, 8), (61, 100, 61)])
def test_of_a_long_table_the_first_rows_are_shown_and_how_many_there_are(shown, rows, given, left):
    Report("T").show(pd.DataFrame({"share": [0.5] * rows}), "shares", rows=given)
    html = shown[0][0]["text/html"]
    assert html.count("<tr") == left + 1
    assert (f"shares (first {left:,} of {rows:,} rows)" in html) == (left < rows)


def test_the_facts_of_the_headline_stand_first(shown):
    report = Report("T", headline=["equity", "active", "never_given"])
    for name in ("orders", "active", "equity"):
        report.fact(name, 1)
    assert [fact["name"] for fact in report.as_dict()["facts"]] == ["equity", "active", "orders"]
    told = report._repr_mimebundle_()[0]["text/plain"].splitlines()
    assert told == ["T", "", "Equity: 1; active: 1; orders: 1.", "", "equity: 1", "active: 1", "orders: 1"]


@pytest.mark.parametrize("lazy", [False, True])
def test_customers_of_tables_are_masked_where_they_are_shown_and_whole_where_they_are_kept(
    shown, monkeypatch, tmp_path, lazy
):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    frame = pd.DataFrame({"customer_id": ["00123"], "share": [1 / 3]})
    Report("T").show(ibis.memtable(frame) if lazy else frame, "private/value")
    assert mask("00123") in shown[0][0]["text/html"]
    assert "00123" not in json.dumps(shown)
    text = (tmp_path / "tables" / "private" / "value.csv").read_text()
    assert text.split() == ["customer_id,share", "00123,0.3333333333333333"]


def test_each_row_of_a_frame_of_estimates_is_a_fact(shown):
    frame = pd.DataFrame({"value": [1.0, 2.0], "standard_error": 0.1, "ci_low": [0.5, None], "ci_high": [1.5, None]})
    frame.index = ["r", "alpha"]
    blank = pd.DataFrame()
    blank.attrs["reason"] = "nobody came back"
    report = Report("A shop")
    report.fact("bg_nbd", frame)
    report.fact("gamma_gamma", blank)
    assert report.facts["bg_nbd_r"] == Estimate(1.0, 0.5, 1.5)
    assert report.facts["bg_nbd_alpha"] == Estimate(2.0)
    assert report.facts["gamma_gamma"].reason == "nobody came back"
    assert shown[0][0]["text/plain"].splitlines() == [
        "bg nbd r: 1.000 (95 % confidence interval 0.500 to 1.500)", "bg nbd alpha: 2",
    ]  # fmt: skip
    assert [fact["name"] for fact in left(shown)[0]["facts"]] == ["bg_nbd_r", "bg_nbd_alpha"]


def test_of_a_wide_frame_some_columns_are_shown_and_all_are_kept(shown):
    report = Report("A shop")
    wide = FRAME.assign(p=[0.0004, 0.5], empty="", other=7, reason=["", "too few"])
    wide.attrs["kinds"] = {"p": "p"}
    report.show(wide, name="groups", columns=["orders", "p", "empty"])
    text = shown[0][0]["text/plain"]
    assert "< .001" in text
    assert "too few" in text
    assert "other" not in text
    assert "empty" not in text
    assert list(report.tables["groups"]) == ["orders", "p", "empty", "other", "reason"]


def test_of_a_frame_with_a_reason_of_its_own_that_is_shown(shown):
    blank = FRAME.assign(reason="not asked")
    blank.attrs["reason"] = "not asked"
    Report("A shop").show(blank, name="groups", columns=["orders"])
    assert shown[0][0]["text/plain"] == "blank: not asked"
    assert left(shown) == [{"tables": ["groups"]}]


def test_several_notes_are_kept_each(shown):
    report = Report("A shop")
    report.note(["One.", "", "Two."])
    assert list(report.notes) == ["One.", "Two."]


@pytest.mark.parametrize("name", ["../../escaped", "/absolute", "private/../q", "a\0b", "x" * 300, "private/", "."])
def test_a_table_is_kept_in_the_run_or_not_at_all(shown, monkeypatch, tmp_path, name):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path / "stage"))
    with pytest.raises(InputError, match="is no name for a file"):
        Report("T").show(FRAME, name)
    assert not list(tmp_path.rglob("*.csv"))


def test_two_things_are_not_kept_as_one_file(shown):
    report = Report("T")
    report.show(FRAME, "a_b")
    report.show(FRAME, "a_b")  # a cell run again
    named = FRAME.assign(customer_id="x")
    report.show(named, "private/c")
    with pytest.raises(InputError, match=r"table 'c' and table 'private/c' would both be kept as private/c\.csv"):
        report.show(named, "c")
    report.figure(drawn(), "A b")
    with pytest.raises(InputError, match=r"'A-b' and 'A b' would both be kept as a_b; name one otherwise"):
        report.figure(drawn(), "A-b")
    assert list(report.tables) == ["a_b", "private/c"]


def test_what_a_call_brought_before_goes_where_it_is_called_again(shown, monkeypatch, tmp_path):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    report = Report("T")
    report.fact("gini", {"a": 0.1, "b": 0.2})
    report.fact("gini", {"a": 0.3})
    assert {name: fact.value for name, fact in report.facts.items()} == {"gini_a": 0.3}
    report.figure([drawn(), drawn()], "Curves")
    report.figure(drawn(), "Curves")
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["curves.csv", "curves.svg"]


def test_what_is_blank_or_no_number_is_a_blank_fact_or_none(shown):
    report = Report("T")
    report.fact("unfitted", Unfitted(BGNBD, "nobody came back"))
    report.fact("nan", np.nan)
    assert [fact.reason for fact in report.facts.values()] == ["nobody came back", "it could not be computed"]
    for value, about in (("text", {}), ([1], {}), (1.0, {"kind": "nokind"}), (1.0, {"ci_low": 2.0})):
        with pytest.raises(InputError):
            report.fact("wrong", value, **about)
    with pytest.raises(InputError, match="more than one row 'a'"):
        report.fact("twice", pd.DataFrame({"value": [1.0, 2.0]}, index=["a", "a"]))
    assert "wrong" not in report.facts


@pytest.mark.parametrize("ax", [[], None, "x", [None]])
def test_a_figure_needs_axes(shown, ax):
    with pytest.raises(InputError):
        Report("T").figure(ax, "A line")


def test_panels_of_a_grid_are_one_figure(shown):
    report = Report("T")
    report.figure(plt.subplots(2, 2)[1], "Four panels")
    assert list(report.figures) == ["Four panels"]


@pytest.mark.parametrize("wrong", [None, 5, "x", [1]])
@pytest.mark.parametrize("method", ["show", "check", "note"])
def test_what_is_of_a_wrong_type_is_said(shown, method, wrong):
    if (method, wrong) == ("note", "x"):
        return
    with pytest.raises(InputError, match=rf"report\.Report\.{method}: "):
        getattr(Report("T"), method)(wrong)


def test_a_kept_table_is_written_and_shown_as_a_line(shown, monkeypatch, tmp_path):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    report = Report("Orders")
    report.keep(FRAME, "backtest", "errors of each model at each origin")
    report.keep(pd.DataFrame({"customer_id": ["a"]}), "scores", "a row a customer")
    blank = pd.DataFrame()
    blank.attrs["reason"] = "there are no repeat orders"
    report.keep(blank, "errors", "errors by group")
    assert [data["text/plain"] for data, _ in shown] == [
        "backtest: errors of each model at each origin (2 rows)",
        "scores: a row a customer (1 row)",
        "errors: blank: there are no repeat orders",
    ]
    assert left(shown) == [{"tables": ["backtest"]}, {"tables": ["private/scores"]}, {"tables": []}]
    assert sorted(path.name for path in (tmp_path / "tables").rglob("*.csv")) == ["backtest.csv", "scores.csv"]
    assert list(report.tables) == ["backtest", "private/scores"]


def test_data_that_say_themselves_what_they_are_are_kept_with_their_nature(shown):
    class Survey:
        name, nature, about = "survey.csv", "simulated", "Customers of a shop: survey.csv."
        summary = pd.DataFrame({"found": {"rows": "7"}})

    report = Report("A survey")
    report.data(Survey())
    described = {"name": "survey.csv", "nature": "simulated", "about": "Customers of a shop: survey.csv."}
    assert left(shown) == [{"tables": ["data"]}, {"sources": [described]}]
    assert report.as_dict()["sources"] == [described]
    with pytest.raises(InputError, match="data is of type int"):
        report.data(3)


def test_a_column_of_reasons_is_shown_where_a_row_has_one(shown):
    report = Report("A shop")
    for reasons in (["", None], ["", "there are no orders"]):
        report.show(pd.DataFrame({"orders": [1, 2], "reason": reasons}))
    assert ["reason" in data["text/plain"] for data, _ in shown] == [False, True]


def test_names_of_files_are_short_enough_in_every_script(shown, monkeypatch, tmp_path):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    report = Report("A shop")
    report.figure(drawn(), "客" * 110)
    assert report.as_dict()["figures"] == ["客" * 110]
    assert len(list((tmp_path / "figures").iterdir())) == 2
    with pytest.raises(InputError, match="no name for a file"):
        report.show(FRAME, "客" * 90)


def test_customers_are_counted_whatever_their_kind(shown):
    report = Report("A shop")
    report.fact("lost", 939.8, unit="customers, by NBD")
    assert str(report.facts["lost"]) == "940 customers, by NBD"


def test_a_figure_that_is_refused_is_closed(shown):
    before = plt.get_fignums()
    with pytest.raises(InputError, match="no letter to name a file by"):
        Report("A shop").figure(drawn(), "!!!")
    assert plt.get_fignums() == before


def test_a_fact_for_each_customer_is_refused_as_its_name_would_be_the_id():
    by_customer = pd.DataFrame({"value": [1.0]}, pd.Index(["K-00123-77"], name="customer_id"))
    with pytest.raises(InputError, match="'spend' has a row a customer"):
        Report("Facts").fact("spend", by_customer)


@pytest.mark.parametrize(
    ("value", "about", "blank"),
    [
        ({"": 111, "a": 3, "b": 8, "c": 100}, {"kind": "count", "unit": "customers"}, ["customers_a", "customers_b"]),
        ({"": 111, "a": 3, "b": 8, "c": 100}, {"kind": "count"}, ["customers_a", "customers_b"]),
        (3, {"kind": "count", "unit": "respondents"}, ["customers"]),
        (3, {"kind": "count", "unit": "orders"}, []),
        (Estimate(0.02, n=100, kind="share"), {}, ["customers"]),
        (Estimate(0.98, n=100, kind="share"), {}, ["customers"]),
        (Estimate(0.05, n=100, kind="share"), {}, []),
        (Estimate(1.0, n=100, kind="share"), {}, []),
    ],
)
def test_facts_of_few_customers_are_withheld_with_their_complements(tmp_path, monkeypatch, value, about, blank):
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    (tmp_path / ".inputs").mkdir()
    (tmp_path / ".inputs" / "tables.json").write_text('{"smallest_group": 5}')
    report = Report("Groups")
    report.fact("customers", value, **about)
    assert [name for name, fact in report.facts.items() if fact.value is None] == blank
