"""The commands for surveys as a person uses them."""

import re

import pytest
from typer.testing import CliRunner

from crmlab.cli import app
from crmlab.contracts import InputError
from crmlab.service_quality import read_survey


def crmlab(*arguments):
    """What a command prints; raises what it refuses."""
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def refused(*arguments):
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert isinstance(done.exception, InputError), done.output
    return done.exception.breaches


def test_a_survey_is_simulated_and_given_an_instrument_that_reads_it(tmp_path):
    told = crmlab(
        "simulate", "survey", "--out", tmp_path, "--respondents", 60, "--managers", 4, "--staff", 0, "--seed", 2
    )
    assert told.endswith("survey.csv, survey.toml, truth.csv; 64 rows, simulated, not real\n")
    assert len(read_survey(tmp_path / "survey.csv", tmp_path / "survey.toml").people) == 64
    assert (tmp_path / "truth.csv").read_text().startswith("item,dimension,wave,expect,perceive,gap,")
    told = crmlab("new", "instrument", tmp_path / "survey.csv", "--out", tmp_path / "mine.toml")
    assert (
        "mine.toml: 22 items, 22 of them pairs of expectation and perception; scale 1 to 7; dimensions: tangibles (4), "
        in told
    )
    assert "; outcomes: satisfaction, loyalty, recommend, complaint, resolved, word_of_mouth\n" in told
    (lines,) = re.findall(r"(\d+) lines to decide: correct each if need be, and remove its `decide:`", told)
    assert (
        f"then: crmlab run service_quality -p survey={tmp_path}/survey.csv -p instrument={tmp_path}/mine.toml" in told
    )
    with pytest.raises(InputError) as caught:
        read_survey(tmp_path / "survey.csv", tmp_path / "mine.toml")
    assert len(caught.value.breaches) == int(lines)
    (tmp_path / "mine.toml").write_text((tmp_path / "mine.toml").read_text("utf-8").replace("decide:", ""), "utf-8")
    assert len(read_survey(tmp_path / "survey.csv", tmp_path / "mine.toml").instrument.items) == 22


def test_nothing_is_written_over(tmp_path):
    crmlab("simulate", "survey", "--out", tmp_path, "--respondents", 20)
    before = (tmp_path / "survey.toml").read_text()
    (told,) = refused("new", "instrument", tmp_path / "survey.csv")
    assert told.endswith("survey.toml: exists already; name another with --out, or remove it")
    assert len(refused("simulate", "survey", "--out", tmp_path)) == 3
    assert (tmp_path / "survey.toml").read_text() == before


def test_a_survey_that_is_not_there_is_told(tmp_path):
    (told,) = refused("new", "instrument", tmp_path / "none.csv")
    assert "there is no survey" in told
    assert not (tmp_path / "none.toml").exists()


def test_a_plan_says_how_many_to_ask():
    told = crmlab("plan", "survey", "--width", 0.05, "--share", 0.5, "--response", 0.25, "--population", 2000)
    assert "answers: 323\n" in told
    assert "invitations: 1,292, where 25 % answer\n" in told
    assert "± 0.04994 at 95 %, of 2,000 there are" in told
    told = crmlab("plan", "survey", "--width", 0.1, "--sd", 1.4)
    assert "answers: 756\n" in told


@pytest.mark.parametrize("given", [(), ("--sd", 1, "--share", 0.5)])
def test_a_plan_is_for_a_gap_or_for_a_share(given):
    (told,) = refused("plan", "survey", "--width", 0.1, *given)
    assert told.startswith("plan survey: give either --sd, for a gap, or --share")


def test_a_plan_that_cannot_be_reached_says_so_and_what_can(tmp_path):
    told = crmlab("plan", "survey", "--width", 0.05, "--share", 0.5, "--response", 0.25, "--population", 500)
    assert told.splitlines() == [
        "cannot be reached: ± 0.05 takes more answers than there can be, 125 where 25 % of all 500 answer",
        # 1.96 sqrt(.25 / 125 × 375 / 499)
        "invite all: a share (about 0.5000) is then known to ± 0.07599 at 95 %, of 500 there are",
    ]
    told = crmlab("plan", "survey", "--width", 0.1, "--sd", 1.4, "--population", 4, "--response", 0.3)
    assert told.endswith("2 or more must answer\n")


@pytest.mark.parametrize(("width", "sd"), [("1e-9", "1e6"), ("1e-300", "1e300")])
def test_a_width_beyond_all_reach_is_refused_with_the_least(width, sd):
    (told,) = refused("plan", "survey", "--width", width, "--sd", sd)
    assert "takes more than 10,000,000,000 answers; give a wider one" in told


def test_all_that_is_wrong_in_a_plan_is_told_at_once():
    given = ("--width", "nan", "--sd", -1, "--share", 2, "--level", 95, "--response", 0, "--population", 1)
    told = refused("plan", "survey", *given)
    assert [line.split(":")[1].split(" ")[1] for line in told] == [
        "give", "--width", "--sd", "--share", "--level", "--response", "--population"
    ]  # fmt: skip
    (told,) = refused("plan", "survey", "--width", 5, "--share", 0.5)
    assert told == "plan survey: --width 5: a share lies between 0 and 1, so give a half-width below 1"
