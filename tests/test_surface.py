"""What public functions say of arguments that they cannot take."""

import inspect
import pickle
import types
import typing
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, clv
from crmlab.clv import checks, plots
from crmlab.contracts import InputError
from crmlab.estimate import Estimate
from crmlab.guard import guarded
from crmlab.model import Unfitted, blank_of

from .public import PUBLIC

UNIONS = (typing.Union, types.UnionType)
FUNCTIONS = {name: function for name, function in PUBLIC.items() if "." not in function.__qualname__}
ONE = pd.DataFrame({"frequency": [1.0], "recency": [3.0], "age": [9.0]})


class Stranger:
    """A type that no function takes."""

    def __repr__(self):
        return "Stranger()"


def takes_anything(hint):
    return hint is typing.Any or (typing.Any in typing.get_args(hint) and typing.get_origin(hint) in UNIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_of_a_wrong_type_is_named_with_what_to_give(name):
    function = FUNCTIONS[name]
    hints, parameters = typing.get_type_hints(inspect.unwrap(function)), inspect.signature(function).parameters
    plain = [n for n, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    wrong = [n for n in plain if not takes_anything(hints[n])]
    with pytest.raises(InputError) as found:
        function(**dict.fromkeys(plain, Stranger()))
    assert [b.split(" is of type ")[0] for b in found.value.breaches] == [f"{name}: {n}" for n in wrong]
    assert all(" is of type Stranger (Stranger()); give " in breach for breach in found.value.breaches)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clv.gini_coefficient("x"), "clv.gini_coefficient: value is of type str ('x'); give a Series"),
        (lambda: clv.fit(3, 7), "clv.fit: customers is of type int (3); give a Table or a DataFrame"),
        (lambda: clv.fit(3, 7), "clv.fit: model is of type int (7); give text"),
        (lambda: clv.summarise(ONE, 3), "clv.summarise: end is of type int (3); give a day or text"),
        (lambda: plots.backtest([1, 2]), "clv.plots.backtest: frame is of type list ([1, 2]); give a DataFrame"),
        (
            lambda: checks.cohorts_homogeneous(3, ONE, 7),
            "clv.checks.cohorts_homogeneous: fitted is of type int (3)",
        ),
        (lambda: plots.backtest(ONE), "clv.plots.backtest: no column 'measure': frame has frequency, recency, age"),
    ],
)
def test_what_is_given_and_what_is_wanted_is_said(call, message):
    with pytest.raises(InputError) as found:
        call()
    assert any(breach.startswith(message) for breach in found.value.breaches), found.value.breaches


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (3, float),
        (np.int64(3), int),
        (np.float64(3), float | None),
        (["a"], Sequence[str]),
        (pd.Series([1.0, 2.0]), pd.Series),
        (pd.Index(["a"]), Sequence[str]),
        (np.array([1.0]), Sequence[float]),
        ("1997-09-30", date | str),
        (pd.Timestamp("1997-09-30"), date | str),
        (Unfitted(clv.BGNBD, "too few"), pd.DataFrame),
        (Estimate(None, reason="too few"), float),
        (blank_of(pd.Series, "too few"), pd.DataFrame),
    ],
)
def test_what_stands_for_a_type_is_taken(value, hint):
    @guarded
    def given(argument):
        return argument

    inspect.unwrap(given).__annotations__["argument"] = hint
    assert given(value) is value or given(value) == value


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("abc", Sequence[str]),
        ("3", int),
        (2.5, int),
        ([1], Sequence[str]),
        (True, int),
        (pd.NaT, date),
        (np.array(2.5), int),
    ],
)
def test_what_only_looks_like_a_type_is_refused(value, hint):
    @guarded
    def given(argument):
        return argument

    inspect.unwrap(given).__annotations__["argument"] = hint
    with pytest.raises(InputError):
        given(value)


def test_a_public_function_can_be_pickled():
    assert pickle.loads(pickle.dumps(clv.fit)) is clv.fit


def test_what_goes_wrong_inside_is_not_called_the_users():
    @guarded
    def broken(customers: pd.DataFrame) -> None:
        return {"a": 1}[customers.columns[0]]

    with pytest.raises(KeyError):
        broken(ONE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"level": 95}, "level = 95: choose a share between 0 and 1"),
        ({"level": 0}, "level = 0: "),
        ({"replicates": -1}, "replicates = -1: choose a whole number, 0 or more"),
        ({"seed": -1}, "seed = -1: "),
        ({"level": float("nan"), "seed": -2}, "level = nan: "),
    ],
)
def test_what_means_one_thing_everywhere_has_its_bounds(wrong, message):
    @guarded
    def bounded(level: float = 0.95, replicates: int = 10, seed: int = 1) -> float:
        return level

    with pytest.raises(InputError) as found:
        bounded(**wrong)
    assert len(found.value.breaches) == len(wrong)
    assert message in found.value.breaches[0]


def test_what_cannot_be_made_of_something_blank_is_blank():
    @guarded
    def mean(customers: pd.DataFrame) -> Estimate:
        return Estimate(customers.frequency.mean())

    @guarded
    def model_of(customers: pd.DataFrame) -> dict:
        return {"mean": customers.frequency.mean()}

    assert mean(blank_of(pd.DataFrame, "nobody came back")).reason == "nobody came back"
    assert mean(Unfitted(clv.BGNBD, "nobody came back")).reason == "nobody came back"
    with pytest.raises(InputError, match="nobody came back; give what is not blank"):
        model_of(blank_of(pd.DataFrame, "nobody came back"))


@pytest.mark.parametrize("data", [5, None, b"x", True, ["cdnow"]])
@pytest.mark.parametrize("read", [catalog.orders, catalog.series, catalog.check])
def test_data_are_named_by_text_or_a_path_or_are_a_table(read, data):
    with pytest.raises(InputError, match="data is of type"):
        read(data)
    with pytest.raises(InputError, match="the table: no column 'time'"):
        read(ONE)
