"""Surveys that nobody planned: told in words, never a traceback and never another number."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab import service_quality as sq
from crmlab.contracts import InputError

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def example():
    return sq.read_survey(DATA / "example_survey.csv", sq.load_instrument(DATA / "example_survey.toml"))


def test_a_wave_that_there_is_not_is_refused(example):
    with pytest.raises(InputError, match="wave '9': there are 1, 2; choose one of them"):
        example.select("customer", "9")


def test_an_item_that_all_answer_alike_is_left_out_of_the_factors(example):
    customers = example.select("customer", 2)
    customers.perceive["Q1"] = 4.0
    found = sq.factor_structure(customers)
    assert found.without_variance == ("Q1",)
    assert "Q1" not in found.loadings.index
    assert np.isfinite(found.loadings.to_numpy()).all()


def test_factors_of_two_respondents_are_blank_with_their_reason(example):
    customers = example.select("customer", 2)
    few = sq.Survey(**{k: v[:2] if isinstance(v, pd.DataFrame) else v for k, v in vars(customers).items()})
    found = sq.factor_structure(few)
    assert not found
    assert "there are no factors" in found.reason
    assert found.loadings.attrs["reason"] == found.reason


@pytest.mark.parametrize("name", ["overall", "All items"])
def test_a_dimension_may_not_take_the_name_of_the_whole(tmp_path, name):
    path = tmp_path / "own.toml"
    items = '[items]\nQ1 = { perceive = "P1" }\n'
    path.write_text(f'name = "own"\n[scale]\nlow = 1\nhigh = 5\n[dimensions]\n"{name}" = ["Q1"]\n{items}')
    with pytest.raises(InputError, match="this name is taken for the whole; choose another"):
        sq.load_instrument(path)
