"""The portfolio: where value lies and what is done about it, on customers whose place is plain to see."""

import numpy as np
import pandas as pd
import pytest

from crmlab.model import blank_of
from crmlab.segments.models import portfolio as p

from .refusals import blank, refused

KINDS = pd.CategoricalDtype(["high", "low", "none"], ordered=True)
IDS = [f"c{i}" for i in range(5)]
LABELS = pd.Series(["low", "high", "high", "low", "low"], IDS, name="s").astype(KINDS)
VALUE = pd.Series([10.0, 50, 30, 10, 0], IDS)
STAGE = pd.Series(["growth", "decline", "growth", "growth", "decline"], IDS)
CLV = pd.Series([1.0, 2, 3, 4, 0], IDS)


def book(**shares):
    index = pd.MultiIndex.from_product([["s"], shares], names=["scheme", "label"])
    fields = {"principle": [f"treat {label}" for label in shares], "owner": "o", "budget_share": [*shares.values()]}
    return pd.DataFrame(fields | {"success": "it works"}, index)


BOOK = book(high=0.7, low=0.3, none=0.0)


def test_the_best_customers_bring_their_share():
    table = p.value_concentration(VALUE, (0.2, 0.4, 1))
    assert table.customers.tolist() == [1, 2, 5]
    assert table.value_share.tolist() == pytest.approx([0.5, 0.8, 1])
    assert p.value_concentration(VALUE - 10, (0.2, 1)).value_share.tolist() == pytest.approx([40 / 60, 1])


def test_segments_show_customers_and_value_the_empty_ones_too():
    table = p.segment_portfolio(LABELS, VALUE)
    assert table.index.tolist() == ["high", "low", "none"]
    assert table.customers.tolist() == [2, 3, 0]
    assert table.value_share.tolist() == pytest.approx([0.8, 0.2, 0])
    assert "clv" not in table


def test_stages_and_expected_value_part_segments_where_they_are_given():
    table = p.segment_portfolio(LABELS, VALUE, STAGE, CLV)
    assert table.index.names == ["segment", "stage"]
    assert len(table) == 6
    assert table.loc[("low", "growth"), ["customers", "value", "clv", "clv_mean"]].tolist() == [2, 20, 5, 2.5]
    assert table.value_share.sum() == pytest.approx(1)
    assert table.loc["none"].sum().sum() == 0
    ordered = STAGE.astype(pd.CategoricalDtype(["growth", "decline"], ordered=True))
    assert p.segment_portfolio(LABELS, VALUE, ordered).index.get_level_values("stage").tolist()[:2] == [
        "growth",
        "decline",
    ]


def test_each_segment_has_its_treatment_and_budget():
    table = p.segment_treatments(LABELS, VALUE, BOOK)
    assert table.principle.tolist() == ["treat high", "treat low", "treat none"]
    # 70 % of the budget for 40 % of the customers
    assert table.budget_per_customer.tolist() == pytest.approx([0.7 / 0.4, 0.3 / 0.6, 0])


def test_the_playbook_has_a_row_a_customer():
    table = p.customer_treatments(LABELS[::-1], VALUE, BOOK, stage=STAGE, clv=CLV)
    assert table.index.name == "customer_id"
    assert table.index.tolist() == IDS
    assert list(table) == ["segment", "treatment", "owner", "success", "budget", "value", "stage", "clv"]
    assert table.loc["c1", ["segment", "treatment", "value", "stage", "clv"]].tolist() == [
        "high", "treat high", 50, "decline", 2,
    ]  # fmt: skip
    assert table.budget.sum() == pytest.approx(len(table))


def test_a_playbook_that_lacks_a_class_is_refused_by_name():
    told = ("playbook: [s] lacks 'low', 'none'; add a table for each",)
    assert refused(p.segment_treatments, LABELS, VALUE, book(high=1.0)) == told
    assert refused(p.customer_treatments, LABELS, VALUE, book(high=1.0)) == told
    assert "[t] lacks 'high', 'low', 'none'" in refused(p.segment_treatments, LABELS.rename("t"), VALUE, BOOK)[0]


def test_the_four_steps_are_measured_as_far_as_they_can_be():
    reach = pd.Series([True, True, None, False, True], IDS, dtype="boolean")
    table = p.idic(LABELS, VALUE, BOOK, reach, needs=pd.Series(["a", "b"], IDS[:2]))
    assert table.value.tolist() == pytest.approx([1, 0.5, 0.4, 0.6, 1])
    same = BOOK.assign(principle=["x", "x", "y"])
    assert p.idic(LABELS, VALUE, same).loc["customise"].value.tolist() == [0]
    bare = p.idic(LABELS, VALUE)
    assert bare.reason[bare.value.isna()].str.startswith("there is no ").all()
    assert bare.reason[bare.value.notna()].eq("").all()
    assert bare.value.isna().sum() == 3


def test_bad_input_is_named_at_once():
    gone, some = VALUE.copy(), LABELS.copy()
    gone.iloc[1], some.iloc[0] = np.nan, np.nan
    assert refused(p.segment_portfolio, some, gone, STAGE.iloc[1:], CLV.iloc[:0]) == (
        "labels: none for 1 of 5 customers; assign them",
        "value: empty for 1 of 5 customers; fill it",
        "clv: no row for 5 customers (first: 'c0'); add them",
    )
    assert "p_alive: no row for 4 customers" in refused(p.customer_treatments, LABELS, VALUE, BOOK, p_alive=CLV[:1])[0]
    assert "some twice" in refused(p.segment_portfolio, pd.concat([LABELS, LABELS]), VALUE)[0]
    assert refused(p.value_concentration, VALUE * 0, (0.5, 0.2)) == (
        "shares = (0.5, 0.2): give shares of customers that rise, above 0 and up to 1",
    )
    assert blank(p.value_concentration, VALUE * 0) == "value is 0 or less for all 5 customers, so that it has no shares"
    fifth = p.idic(LABELS, VALUE * 0).reset_index(drop=True).loc[1]
    assert (np.isnan(fifth.value), fifth.reason[:20]) == (True, "value is 0 or less f")
    assert "empty or infinite for 1 of 5" in refused(p.value_concentration, gone)[0]


def test_customers_without_a_stage_are_new():
    table = p.segment_portfolio(LABELS, VALUE, STAGE.iloc[1:])
    assert table.index.get_level_values("stage").unique().tolist() == ["growth", "decline", "new"]
    assert table.customers["low", "new"] == 1
    assert p.customer_treatments(LABELS, VALUE, BOOK, stage=STAGE.iloc[1:]).stage["c0"] == "new"


def test_blanks_are_left_out_and_blank_labels_give_blanks():
    none = blank_of(pd.Series, "no stages")
    assert p.segment_portfolio(LABELS, VALUE, none, none).index.names == ["segment"]
    assert "stage" not in p.customer_treatments(LABELS, VALUE, BOOK, stage=none, clv=None)
    needs = p.idic(LABELS, VALUE, needs=blank_of(pd.Series, "no products were named"))
    assert "no products were named" in set(needs.reason)
    labels = blank_of(pd.Series, "no classes")
    for made in (
        p.segment_portfolio(labels, VALUE),
        p.segment_treatments(labels, VALUE, BOOK),
        p.customer_treatments(labels, VALUE, BOOK),
        p.idic(labels, VALUE),
    ):
        assert made.attrs["reason"] == "no classes"
