"""The playbook: what is read, and what is said against it."""

from dataclasses import dataclass

import pandas as pd

from crmlab import catalog
from crmlab.segments.models.abc import ABC
from crmlab.segments.models.actionable import Thresholds
from crmlab.segments.models.brand_loyalty import BrandLoyalty
from crmlab.segments.models.eight_classes import EightClasses
from crmlab.segments.models.rfm import RFM, RFMTiers, Scores
from crmlab.segments.models.value_matrix import ValueMatrix
from crmlab.segments.tables import playbook

from .refusals import refused

ROW = 'principle = "p"\nowner = "o"\nsuccess = "s"\nbudget_share = '


@dataclass(frozen=True)
class Two:
    name: str = "two"
    labels: tuple = ("high", "low")


def test_a_playbook_is_a_frame_by_scheme_and_label(write):
    read = playbook.load_playbook(write(f"[two.high]\n{ROW}0.7\n[two.low]\n{ROW}0.3\n"), [Two()])
    assert read.index.tolist() == [("two", "high"), ("two", "low")]
    assert list(read) == ["principle", "owner", "budget_share", "success"]
    assert read.loc[("two", "high")].to_dict() == {"principle": "p", "owner": "o", "budget_share": 0.7, "success": "s"}


def test_the_packaged_playbook_has_every_class_of_every_scheme_of_rules():
    rfm = RFM(Scores((40, 30, 20, 10), (1, 2, 3, 4), (1, 2, 3, 4)))
    schemes = [ABC((2, 1), (0.8, 0.95)), rfm, RFMTiers(None, (1, 1, 1), (1, 2, 3, 4)), ValueMatrix, EightClasses]
    read = playbook.load_playbook(catalog.root() / "data" / "playbook.toml", [*schemes, BrandLoyalty])
    assert len(read) == 4 + 10 + 5 + 4 + 8 + 9 + 8


def test_a_lacking_class_is_named(write):
    path = write(f"[two.high]\n{ROW}1\n")
    assert refused(playbook.load_playbook, path, [Two()]) == ("mine.toml: [two] lacks 'low'; add a table for each",)


def test_a_lacking_scheme_is_named_with_its_classes(write):
    assert refused(playbook.load_playbook, write(""), [Two()]) == (
        "mine.toml: there are no treatments for two; add a table for each of 'high', 'low'",
    )


def test_a_strange_class_is_named(write):
    path = write(f"[two.high]\n{ROW}0.5\n[two.low]\n{ROW}0.5\n[two.hihg]\n{ROW}0\n")
    assert refused(playbook.load_playbook, path, [Two()]) == (
        "mine.toml: [two] has no class 'hihg'; did you mean 'high'?",
    )


def test_everything_wrong_is_named_at_once(write):
    path = write(f'[a.x]\nowner = ""\nbudget_share = 2\ncolour = "red"\n[b.y]\n{ROW}0.5\n[c]\n')
    told = refused(playbook.load_playbook, path)
    assert told == (
        "mine.toml: [a.'x'] lacks 'principle'; add it",
        "mine.toml: [a.'x'] owner = ''; write a text of length 1 or more",
        "mine.toml: [a.'x'] budget_share = 2; write 1 or less",
        "mine.toml: [a.'x'] lacks 'success'; add it",
        "mine.toml: [a.'x'] has no field 'colour'; drop it",
        "mine.toml: [b] budget_share sums to 0.5; let its classes share 1",
        "mine.toml: c holds no classes; write a table for each, as [c.LABEL]",
    )


def test_a_class_that_is_no_table_is_named(write):
    assert "is no table of principle" in refused(playbook.load_playbook, write('[a]\nx = "all"\n'))[0]


def test_no_file_and_no_toml_are_told(write, tmp_path):
    assert "there is no playbook" in refused(playbook.load_playbook, tmp_path / "none.toml")[0]
    assert "cannot be read as TOML" in refused(playbook.load_playbook, write("[a"))[0]


def test_cuts_and_what_is_asked_may_stand_beside_treatments(write):
    path = write(
        f"[cuts]\nabc = [0.5, 0.9]\ncurrent = 20\n[thresholds]\ndepth = 6\n[two.high]\n{ROW}0.7\n[two.low]\n{ROW}0.3\n"
    )
    assert playbook.load_playbook(path, [Two()]).index.tolist() == [("two", "high"), ("two", "low")]
    found = playbook.load_policy(path)
    assert found.cuts.abc == (0.5, 0.9)
    assert found.cuts.matrix == {"current_cut": 20, "potential_cut": None}
    assert found.cuts.classes == {"current_cut": 20, "potential_cut": None, "strength_cut": None}
    thresholds = Thresholds.from_dict(found.thresholds)
    assert (thresholds.depth, thresholds.accuracy) == (6, Thresholds().accuracy)


def test_without_them_they_are_the_usual_ones(write):
    found = playbook.load_policy(write(""))
    assert found.cuts.abc == ABC.fit(pd.DataFrame({"spend": range(9)})).cuts == (0.8, 0.95)
    assert set(found.cuts.classes.values()) == {None}
    assert Thresholds.from_dict(found.thresholds) == Thresholds()


def test_cuts_that_cannot_be_are_named_at_once(write):
    path = write('[cuts]\nabc = ["most", 0.9]\ncurrent = nan\nsize = 3\n[thresholds]\naccuracy = "high"\n')
    assert refused(playbook.load_policy, path) == (
        "mine.toml: cuts.abc.0 = 'most'; write a number",
        "mine.toml: cuts.current = nan; write a finite number",
        "mine.toml: has no field 'cuts.size'; drop it",
        "mine.toml: thresholds.accuracy = 'high'; write a number",
    )


def test_demands_that_are_none_are_named():
    assert refused(Thresholds.from_dict, {"beauty": 1.0})[0].startswith(
        "thresholds: there is no beauty; there are accuracy, "
    )
    assert refused(Thresholds.from_dict, {"accuracy": 3.0}) == ("thresholds: accuracy = 3.0: give a share, 0 to 1",)
