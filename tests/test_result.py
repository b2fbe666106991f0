"""What a notebook concludes and shows: numbers as one reads them, values escaped, customers masked."""

import json

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab.result import Estimate, Result, Verdict, mask, number, show

HOSTILE = '<script>alert("x")</script> & "quoted"'


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.24259452, "0.2426"),
        (30.895214, "30.90"),
        (-14363.5304, "-14,364"),
        (1234.5678, "1,235"),
        (0.0012345678, "0.001235"),
        (1.23456789e-7, "1.235e-07"),
        (0.0, "0.000"),
        (2357, "2,357"),
        (np.int64(69659), "69,659"),
        (np.float64(1 / 3), "0.3333"),
        (True, "True"),
        (None, ""),
        (float("nan"), ""),
        ("00123", "00123"),
    ],
)
def test_a_number_is_told_in_four_significant_figures_and_never_cuts_its_whole_part(value, told):
    assert number(value) == told


def test_an_estimate_names_its_interval():
    assert str(Estimate(1 / 3, 0.1, 0.5, "orders", "predictive")) == "0.3333 orders (predictive 0.1000 to 0.5000)"
    assert str(Estimate(7)) == "7"


def test_a_failed_verdict_says_what_to_use_instead():
    assert str(Verdict("It fits", False, "it does not", "the rule")) == "[FAILED] It fits: it does not; use the rule"
    assert str(Verdict("It fits", True, "it does", "the rule")) == "[passed] It fits: it does"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Estimate(1.0, float("nan"), 2.0), "12", None])
def test_a_fact_that_is_no_finite_number_is_refused_by_name(value):
    with pytest.raises(ValueError, match="'odd' of 'T' are not"):
        Result("T", {"fine": 1, "odd": value})


def test_facts_travel_in_order_and_at_full_precision():
    result = Result("T", {"z": 1 / 3, "a": np.int64(2), "m": Estimate(np.float64(0.1), 0.0, 1.0)})
    data, metadata = result._repr_mimebundle_()
    told = json.loads(json.dumps(metadata["crmlab"], sort_keys=True))
    assert [fact["name"] for fact in told["facts"]] == ["z", "a", "m"]
    assert [fact["value"] for fact in told["facts"]] == [1 / 3, 2, 0.1]
    assert "0.3333" in data["text/plain"]


def test_hostile_text_is_shown_as_text():
    frame = pd.DataFrame({HOSTILE: [HOSTILE]})
    result = Result(HOSTILE, {HOSTILE: 1}, {HOSTILE: frame}, (Verdict(HOSTILE, False, HOSTILE, HOSTILE),), (HOSTILE,))
    for page in (show(frame)._repr_html_(), result._repr_mimebundle_()[0]["text/html"]):
        assert "<script>" not in page
        assert "&lt;script&gt;" in page


def test_customers_are_masked_wherever_they_stand(monkeypatch):
    column = pd.DataFrame({"customer_id": ["00123", "00007"], "orders": [1, 2]})
    for frame in (column, column.set_index("customer_id")):
        for text in (repr(show(frame)), show(frame)._repr_html_()):
            assert "00123" not in text
            assert mask("00123") in text
    before = mask("00123")
    monkeypatch.setenv("CRMLAB_MASK_KEY", "another")
    assert mask("00123") != before
    assert mask("00123") != mask("00007")


def test_a_shown_frame_is_rounded_and_left_alone():
    frame = pd.DataFrame({"mean_spend": [35.17037], "when": [pd.Timestamp("2024-01-31")]}, index=["first"])
    kept = frame.copy()
    assert repr(show(frame)).split() == ["mean", "spend", "when", "first", "35.17", "2024-01-31"]
    pd.testing.assert_frame_equal(frame, kept)


def test_an_index_that_only_counts_is_not_shown():
    assert repr(show(pd.DataFrame({"a": [5.5]}))).split() == ["a", "5.500"]


def test_tables_are_written_with_every_digit_and_only_in_a_run(tmp_path, monkeypatch):
    frame = pd.DataFrame({"customer_id": ["00123"], "share": [1 / 3]})
    tables = {"frame": frame, "private/engine": ibis.memtable(frame), "named": frame.set_index("customer_id")}
    result = Result("T", {}, tables)
    monkeypatch.delenv("CRMLAB_STAGING", raising=False)
    monkeypatch.chdir(tmp_path)
    result._repr_mimebundle_()
    assert not list(tmp_path.rglob("*.csv"))
    monkeypatch.setenv("CRMLAB_STAGING", str(tmp_path))
    result._repr_mimebundle_()
    for stem in tables:
        text = (tmp_path / "tables" / f"{stem}.csv").read_text()
        assert text.split() == ["customer_id,share", "00123,0.3333333333333333"]


@pytest.mark.parametrize("lazy", [False, True])
def test_a_shown_result_masks_the_customers_of_its_tables(lazy):
    frame = pd.DataFrame({"customer_id": ["00123"], "value": [1.0]})
    result = Result("T", {"customers": 1}, {"private/value": ibis.memtable(frame) if lazy else frame})
    shown, metadata = result._repr_mimebundle_()
    assert mask("00123") in shown["text/html"]
    assert "00123" not in json.dumps([shown, metadata])
