"""The scorecard: what is read, and what is said against it."""

import re

import pytest

from crmlab import catalog
from crmlab.segments.models import weights
from crmlab.segments.tables import scorecard

from .refusals import refused

TWO = '[indicators.a]\ndirection = "higher"\n[indicators.b]\ncolumn = "bee"\ndirection = "lower"\n'


def test_a_scorecard_is_indicators_with_columns_and_directions(write):
    card = scorecard.load_scorecard(write('weighting = "equal"\n' + TWO))
    assert (card.names, card.columns, card.lower) == (("a", "b"), ("a", "bee"), ("b",))
    assert card.indicators["a"].normalisation == "minmax"
    assert card.given_weights == {}


def test_comparisons_may_be_fractions(write):
    card = scorecard.load_scorecard(write('weighting = "ahp"\n' + TWO + '[comparisons]\na = [1, 3]\nb = ["1/3", 1]\n'))
    assert card.matrix.to_numpy().tolist() == [[1, 3], [1 / 3, 1]]
    assert weights.ahp_weights(card.matrix).values == pytest.approx((0.75, 0.25))


def test_the_packaged_scorecard_is_read_and_its_judgements_agree():
    card = scorecard.load_scorecard(catalog.root() / "data" / "scorecard.toml")
    assert sum(card.given_weights.values()) == pytest.approx(1)
    assert weights.ahp_weights(card.matrix).consistency_ratio < 0.1


def test_wrong_fields_are_named_at_once(write):
    text = 'weighting = "votes"\ncolour = 1\n[indicators.a]\ndirection = "up"\nweight = -1\n'
    text += '[indicators.b]\nnormalisation = "z"\n'
    assert refused(scorecard.load_scorecard, write(text)) == (
        "mine.toml: weighting = 'votes'; write 'equal', 'given', 'ahp', 'entropy sum' or 'entropy minmax'",
        "mine.toml: indicators.a.direction = 'up'; write 'higher' or 'lower'",
        "mine.toml: indicators.a.weight = -1; write 0 or more",
        "mine.toml: lacks 'indicators.b.direction'; add it",
        "mine.toml: indicators.b.normalisation = 'z'; write 'minmax', 'winsorised' or 'rank'",
        "mine.toml: has no field 'colour'; drop it",
    )


def test_a_field_nearly_right_is_named_with_the_right_one(write):
    told = refused(scorecard.load_scorecard, write('weighing = "equal"\n' + TWO.replace("column", "colum")))
    assert told == (
        "mine.toml: lacks 'weighting'; add it",
        "mine.toml: has no field 'indicators.b.colum'; did you mean 'column'?",
        "mine.toml: has no field 'weighing'; did you mean 'weighting'?",
    )


def test_no_indicators_are_told(write):
    for none in ("[indicators]", "indicators = 3", "[indicators]\nspend = 3"):
        (told,) = refused(scorecard.load_scorecard, write(f'weighting = "equal"\n{none}\n'))
        assert re.search(r"indicators.* = .*; write a table for each, as \[indicators\.spend\]", told)
    assert "lacks 'indicators'" in refused(scorecard.load_scorecard, write('weighting = "equal"\n'))[0]


def test_weights_are_for_all_and_share_one(write):
    given = 'weighting = "given"\n' + TWO
    assert refused(scorecard.load_scorecard, write(given)) == (
        "mine.toml: no weight for 'a', 'b'; give each indicator one, or none",
    )
    some = given.replace('column = "bee"', "weight = 0.5")
    assert refused(scorecard.load_scorecard, write(some)) == (
        "mine.toml: no weight for 'a'; give each indicator one, or none",
    )
    both = some.replace('"higher"', '"higher"\nweight = 0.4')
    assert refused(scorecard.load_scorecard, write(both)) == (
        "mine.toml: weights sum to 0.9; let the indicators share 1",
    )


def test_a_column_counts_once(write):
    text = 'weighting = "equal"\n' + TWO.replace('"bee"', '"a"')
    assert "'a', 'b' are of one column, 'a'" in refused(scorecard.load_scorecard, write(text))[0]


def test_comparisons_are_of_the_indicators_and_each_a_number(write):
    ahp_weights = 'weighting = "ahp"\n' + TWO
    assert "there are no [comparisons]" in refused(scorecard.load_scorecard, write(ahp_weights))[0]
    bad = ahp_weights + '[comparisons]\na = [1, "1/0"]\nc = [1, 2, "much"]\n'
    assert refused(scorecard.load_scorecard, write(bad)) == (
        "mine.toml: [comparisons] has unknown indicators 'c'; take those of [indicators]",
        "mine.toml: [comparisons] lacks 'b'; write a row for each indicator",
        "mine.toml: [comparisons] a holds '1/0'; write numbers, or fractions such as '1/3'",
        "mine.toml: [comparisons] c has 3 numbers for 2 indicators; write one for each",
        "mine.toml: [comparisons] c holds 'much'; write numbers, or fractions such as '1/3'",
    )
    assert (
        "write a list of numbers"
        in refused(scorecard.load_scorecard, write(ahp_weights + "[comparisons]\na = 3\nb = [1, 2]\n"))[0]
    )


def test_no_file_and_no_toml_are_told(write, tmp_path):
    assert "there is no scorecard" in refused(scorecard.load_scorecard, tmp_path / "none.toml")[0]
    assert "cannot be read as TOML" in refused(scorecard.load_scorecard, write("[a"))[0]
