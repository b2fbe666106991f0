"""Docstrings of public names, in the sections of numpydoc: a sentence, every parameter, what is returned."""

import pytest
from numpydoc.validate import validate

from .public import PUBLIC

SECTIONS = ("GL06", "GL07", "GL08")  # there is one, its sections known and in their order
SUMMARY = ("SS01", "SS02", "SS03", "SS04")  # a sentence, with a capital and a full stop
PARAMETERS = ("PR01", "PR02", "PR03", "PR07")  # all, none else, in their order, each described
RETURNS = ("RT01", "RT03", "YD01")
CODES = {*SECTIONS, *SUMMARY, *PARAMETERS, *RETURNS}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_documented_in_sections(name):
    function = PUBLIC[name]
    found = validate(f"{function.__module__}.{function.__qualname__}")["errors"]
    assert not [f"{code}: {text}" for code, text in found if code in CODES]
