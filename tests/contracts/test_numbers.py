"""Numbers as people write them: currencies, minus signs, per cent and marks; what is said, and that it holds."""

import re
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab import catalog
from crmlab.contracts import InputError, Policy, validate

from ..conftest import QUICK, log, table
from .conftest import refused, rows, validated


def amounts(cells, **policy):
    """What amounts are read as, in their order, and how they are written."""
    names = [str(i) for i in range(len(cells))]
    raw = log([*cells, "9e12"], ["a"] * len(cells) + ["b"], product_id=[*names, "-1"])
    found = validate(raw, "log", Policy(returns="net", **policy))
    read = {int(line["product_id"]): line["amount"] for line in found.table.to_pyarrow().to_pylist()}
    return [read[i] for i in range(len(cells))], found.counts


WRITTEN = {  # text -> the policy, the amount, and what is counted of it
    "$1,234.50": ({"thousands": ","}, "1234.5", {"currency": {"$": 1}}),
    "1.234,50 €": ({"decimal": ",", "thousands": "."}, "1234.5", {"currency": {"€": 1}}),
    "1\u202f234,50\u00a0€": ({"decimal": ",", "thousands": " "}, "1234.5", {"currency": {"€": 1}}),
    "USD 12": ({}, "12", {"currency": {"USD": 1}}),
    "12.50 EUR": ({}, "12.5", {"currency": {"EUR": 1}}),
    "¥1200": ({}, "1200", {"currency": {"¥": 1}}),
    "£.50": ({}, "0.5", {"currency": {"£": 1}}),
    "₩ 9000": ({}, "9000", {"currency": {"₩": 1}}),
    "88元": ({}, "88", {"currency": {"元": 1}}),
    "Fr.12": ({}, "12", {"currency": {"Fr.": 1}}),
    "$10.00 USD": ({}, "10", {"currency": {"$": 1, "USD": 1}}),
    "(12.50)": ({}, "-12.5", {"minus": 1}),
    "12.50-": ({}, "-12.5", {"minus": 1}),
    "\u221212.50": ({}, "-12.5", {"minus": 1}),
    "($1,234.50)": ({"thousands": ","}, "-1234.5", {"currency": {"$": 1}, "minus": 1}),
    "€ (3)": ({}, "-3", {"currency": {"€": 1}, "minus": 1}),
    "3,25- kr": ({"decimal": ","}, "-3.25", {"currency": {"kr": 1}, "minus": 1}),
    "3.25 EUR-": ({}, "-3.25", {"currency": {"EUR": 1}, "minus": 1}),
    "-$5": ({}, "-5", {"currency": {"$": 1}}),
    "$-5": ({}, "-5", {"currency": {"$": 1}}),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_amounts_are_read_with_their_signs_and_these_are_counted(text):
    policy, amount, counted = WRITTEN[text]
    found, counts = amounts([text], **policy)
    assert found == [Decimal(amount)]
    assert counts["written"] == {"amount": counted}
    assert counts["rounded_amounts"] == 0


def test_a_rounded_amount_is_counted_whatever_stands_around_it():
    found, counts = amounts(["$1.00005", "(2.00004)", "$ 3.0000", "4.00001-"])
    assert found == [Decimal("1.0001"), Decimal("-2"), Decimal(3), Decimal("-4")]
    assert counts["rounded_amounts"] == 3


NO_AMOUNT = [
    "12.-",
    "12,-",
    "$",
    "()",
    "((5))",
    "-(5)",
    "(-5)",
    "--5",
    "5--",
    "$5$5",
    "USDT 5",
    "5 kroner",
    "EUR/5",
    "1e5 $",
]


@pytest.mark.parametrize("text", NO_AMOUNT)
def test_what_only_looks_like_an_amount_is_refused(text):
    (breach,) = refused("transactions", log([text, "1"]))
    assert breach.startswith(
        f"file: 'amount' is not a number in 1 of 2 rows (first: row 1 {text!r}); write numbers as "
    )


def test_what_is_counted_is_said_in_the_findings():
    frame = pd.DataFrame({"customer_id": ["a", "b", "c"], "time": "2024-01-05", "amount": ["$12", "USD 5", "(2)"]})
    said = catalog.orders(frame, returns="net").summary.found
    assert said["amount as written"] == (
        "$ in 1, USD in 1, negative by brackets, a minus behind or a typographic one in 1"
    )
    assert (
        "amount as written"
        not in catalog.orders(frame.assign(amount=["12", "-5.5", "+7"]), returns="net").summary.index
    )


def test_returns_apply_to_amounts_in_brackets():
    (breach,) = refused("transactions", log(["(5)", "6"]))
    assert breach.startswith("file: 'amount' is negative in 1 of 2 rows (first: row 1 '(5)'); if they are returns, ")


def test_two_currencies_in_a_column_are_refused_with_rows_of_each():
    assert refused("transactions", log(["12 €", "$3", "4", "USD 5"])) == (
        "file: 'amount' bears '$', where others bear 'USD', '€', in 1 of 4 rows (first: row 2 '$3'); convert them to "
        "one currency, or give each currency a file of its own",
        "file: 'amount' bears 'USD', where others bear '$', '€', in 1 of 4 rows (first: row 4 'USD 5'); convert them "
        "to one currency, or give each currency a file of its own",
        "file: 'amount' bears '€', where others bear '$', 'USD', in 1 of 4 rows (first: row 1 '12 €'); convert them to "
        "one currency, or give each currency a file of its own",
    )


def test_a_sign_fits_each_of_the_currencies_that_it_may_mean():
    for sign, currency in (("$", "USD"), ("$", "CAD"), ("¥", "JPY"), ("¥", "CNY"), ("元", "CNY"), ("€", "")):
        assert amounts([f"{sign}5"], currency=currency)[0] == [5]
    for sign, currency in (("€", "USD"), ("$", "EUR"), ("¥", "KRW"), ("US$", "CAD")):
        (breach,) = refused("transactions", log([f"{sign}5", "1"]), currency=currency)
        assert (
            f"bears {sign!r}, which is not {currency}, the currency that is stated, in 1 of 2 rows (first: row 1 "
            in breach
        )
        assert breach.endswith("; correct them, or currency in data/catalog.toml")


def test_percentages_are_hundredths_of_a_number_and_no_amount_or_count():
    raw = table(time=["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], sales=["12.5 %", "(0.7%)", "3", "57%"])
    assert "'sales' is negative in 1 of 4 rows (first: row 2 '(0.7%)')" in refused("series", raw)[0]
    raw = table(time=["2024-01-01", "2024-01-02", "2024-01-03"], sales=["12.5 %", "14.3%", "3"])
    assert [line[1] for line in rows("series", raw)] == [0.125, 0.143, 3]
    assert validated("series", raw).counts["written"] == {"sales": {"percent": 2}}
    (breach,) = refused("transactions", log(["5 %", "1"]))
    assert breach.startswith(
        "file: 'amount' is a percentage, not an amount, in 1 of 2 rows (first: row 1 '5 %'); leave "
    )
    told = refused("retention", table(period=["0", "1"], customers=["100", "50%"]))
    assert told[0].startswith(
        "file: 'customers' is a percentage, not a whole number, in 1 of 2 rows (first: row 2 '50%')"
    )


def test_attributes_in_per_cent_are_numbers_and_said():
    raw = table(store_id=["1", "2", "3"], share=["12,5 %", "", "57%"], note=["5 %", "x", ""], part=["5 %", "0,2", "1"])
    found = validated("stores", raw, decimal=",")
    assert found.counts["attributes"] == {"share": "number", "note": "text", "part": "number"}
    assert found.counts["written"] == {"share": {"percent": 2}, "part": {"percent": 1}}
    assert found.table.order_by("store_id").share.to_pyarrow().to_pylist() == [0.125, None, 0.57]


def followed(cells, policy):
    """Policies that the advice of each refusal leads to, the last one accepted or advised nothing more."""
    seen = [policy]
    while True:
        try:
            validate(log(cells), "log", Policy(returns="net", **seen[-1]))
            return seen, ""
        except InputError as wrong:
            advice = "; ".join(breach.split("); ", 1)[1] for breach in wrong.breaches).split(", or ")[0]
        stated = dict(re.findall(r"(decimal|thousands) = (?:'|\")(.)(?:'|\")", advice))
        if not stated and "without thousands" not in advice:
            return seen, advice
        following = {**seen[-1], **stated}
        if "without thousands" in advice:
            del following["thousands"]
        assert following not in seen, "the advice runs in a circle"
        seen.append(following)


COLUMNS = [  # cells, and whether following what is said ends in a file that is read
    (["12,50", "1.234,50"], True),
    (["1,234.50", "$7"], True),
    (["$1,234.50", "7"], True),
    (["(1.234,50)", "7000,5"], True),
    (["1'234.50", "7"], True),
    (["1 234,50 €", "7"], True),
    (["1,234", "7"], True),
    (["1.234.567", "7"], True),
    (["1,234,567.5", "7"], True),
    (["12,5", "1.5"], False),
    (["1,234.5", "1.234,5"], False),
    (["abc", "1,234.5"], False),
    (["abc", "7"], False),
]


@pytest.mark.parametrize(("cells", "ends_well"), COLUMNS)
@pytest.mark.parametrize("policy", [{}, {"decimal": ",", "thousands": "."}])
def test_advice_that_is_followed_ends_in_a_file_that_is_read_or_in_cells_that_are_no_numbers(cells, ends_well, policy):
    last = followed(cells, policy)[1]
    assert (not last) == ends_well
    assert ends_well or "write numbers as 1234" in last


def test_a_semicolon_file_with_decimal_commas_is_advised_both_marks_and_keeps_its_ids(shop):
    content = "\ufeffcustomer_id;time;amount\r\n00123;2024-01-05;12,50\r\n00123;2024-02-05;1.234,50\r\n"
    path = shop.write("orders.csv", content)
    with pytest.raises(InputError, match=r"; state decimal = ',' and thousands = '\.' in data/catalog.toml$"):
        catalog.orders(path)
    read = catalog.orders(path, decimal=",", thousands=".").table.order_by("time").to_pyarrow().to_pylist()
    assert [(line["customer_id"], line["amount"]) for line in read] == [
        ("00123", Decimal("12.5")),
        ("00123", Decimal("1234.5")),
    ]


MARKS = st.sampled_from([(".", None), (".", ","), (".", " "), (".", "'"), (",", None), (",", "."), (",", " ")])
CURRENCIES = st.sampled_from(["", "$", "USD", "€", "¥", "₩", "Fr.", "kr", "zł"])
STYLES = ["{c}{n}", "{n}{c}", "{c} {n}", "{n} {c}", "\u00a0{n}\u202f{c} ", "+{n}"]
NEGATIVES = ["-{c}{n}", "\u2212{n} {c}", "({c}{n})", "({n} {c})", "{c}({n})", "{n}{c}-", "{n}-", "{c}-{n}"]
VALUES = st.decimals(0, 10**9, places=4)


def marked(value, decimal, thousands):
    return f"{value:,f}".replace(",", "T").replace(".", decimal).replace("T", thousands or "")


@QUICK
@given(st.lists(st.tuples(VALUES, st.sampled_from(STYLES + NEGATIVES)), min_size=20, max_size=40), MARKS, CURRENCIES)
def test_a_number_in_any_style_reads_back_exactly_under_its_marks(cells, marks, currency):
    texts = [style.format(c=currency, n=marked(value, *marks)) for value, style in cells]
    expected = [-value if style in NEGATIVES else value for value, style in cells]
    found, counts = amounts(texts, decimal=marks[0], thousands=marks[1])
    assert found == expected
    assert counts["rounded_amounts"] == 0


@QUICK
@given(st.lists(st.tuples(VALUES, MARKS), min_size=6, max_size=12), MARKS)
def test_numbers_of_two_styles_are_refused_or_read_exactly(cells, marks):
    names = [str(i) for i in range(len(cells))]
    texts = [marked(value, *own) for value, own in cells]
    meant = [value for value, _ in cells]
    try:
        found = validate(log(texts, product_id=names), "log", Policy(decimal=marks[0], thousands=marks[1]))
    except InputError:
        return
    read = {int(line["product_id"]): line["amount"] for line in found.table.to_pyarrow().to_pylist()}
    assert [read[i] for i in range(len(cells))] == meant
