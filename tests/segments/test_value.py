"""There is one share of value: by hand, and the same in every table that has one."""

import pandas as pd
import pytest

from crmlab import segments
from crmlab.segments import plots
from crmlab.segments.models.actionable import SMALLEST_VALUE_SHARE
from crmlab.segments.models.value_matrix import TREATMENTS

from .logs import simulated

KINDS = pd.CategoricalDtype(["A", "B", "C"], ordered=True)


def test_shares_are_of_what_was_spent_and_returns_count_as_nothing():
    labels = pd.Series(["A", "A", "B", "B"], list("wxyz"), dtype=KINDS)
    spend = pd.Series([50.0, 10, 20, -30], list("wxyz"))
    assert segments.value_shares(labels, spend).to_dict() == {"A": 60 / 80, "B": 20 / 80, "C": 0}
    assert segments.value_shares(labels, -spend.abs()).tolist() == [0, 0, 0]


def test_every_table_has_the_same_share_of_a_class():
    frame = simulated(300)
    matrix = segments.ValueMatrix.fit(frame)
    labels, stage = matrix.assign(frame), pd.Series(["growth", "decline"] * 150, frame.index)
    by_hand = [frame.spend[labels == label].sum() / frame.spend.sum() for label in TREATMENTS]
    treated = pd.DataFrame(1, TREATMENTS, ["principle", "owner", "budget_share", "success"]).rename_axis("label")
    book = pd.concat({"value_matrix": treated}, names=["scheme"])
    quadrants = matrix.quadrants(frame)
    cells = segments.segment_portfolio(labels, frame.spend, stage, frame.expected_margin)
    for table in (
        quadrants.value_share,
        segments.segment_portfolio(labels, frame.spend).value_share,
        segments.segment_treatments(labels, frame.spend, book).value_share,
        cells.value_share.groupby("segment", sort=False).sum(),
    ):
        assert table[list(TREATMENTS)].tolist() == pytest.approx(by_hand)
    later = pd.DataFrame({"spend": frame.spend})
    criteria = segments.kotler_criteria({"m": labels}, frame, later, replicates=5).set_index("measure")
    assert criteria.value[SMALLEST_VALUE_SHARE] == pytest.approx(min(by_hand))
    drawn = [text.get_text() for text in plots.quadrants(quadrants).texts]
    drawn += [text.get_text() for text in plots.segment_portfolio(cells).texts]
    assert sum(f"{by_hand[1]:.1%} of value" in text for text in drawn) == 1
    assert sum(text.startswith(f"{cells.value_share.iloc[0]:.1%}\n") for text in drawn) == 1


def test_the_note_says_of_what_and_until_when():
    said = segments.value_note("1997-09-30")
    assert said == "A share of value is of all that customers spent up to 1997-09-30; what is 0 or less counts as 0."
