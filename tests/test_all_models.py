"""What every model of every domain is: numbers that can be pickled, and predictions that Unfitted leaves blank."""

import dataclasses
import importlib
import inspect
import pickle

import pandas as pd
import pytest

from crmlab.estimate import Estimate
from crmlab.likelihood import LikelihoodModel
from crmlab.model import Model, Unfitted, why_blank

from .public import DOMAINS

REASON, ADVICE = "there are too few customers", "wait for more"


def models():
    """Every public model class, by its full name; a base that others share is none."""
    for domain in DOMAINS:
        module = importlib.import_module(f"crmlab.{domain}")
        for name in sorted(module.__all__):
            thing = getattr(module, name)
            base = inspect.isclass(thing) and bool(thing.__subclasses__()) and not dataclasses.is_dataclass(thing)
            if inspect.isclass(thing) and issubclass(thing, Model) and not base:
                yield f"{domain}.{name}", thing


MODELS = dict(models())
LIKELIHOOD = {name: model for name, model in MODELS.items() if issubclass(model, LikelihoodModel)}


def declared(model):
    """The predictions that a model declares, each with whether it is a property."""
    for name in dir(model):
        found = inspect.getattr_static(model, name)
        if isinstance(found, property) and hasattr(found.fget, "blank"):
            yield name, True
        elif hasattr(found, "blank"):
            yield name, False


def blanks(value):
    """The parts of a blank answer."""
    return value if isinstance(value, tuple) else (value,)


def test_every_domain_has_models():
    assert {name.split(".")[0] for name in MODELS} == set(DOMAINS)


@pytest.mark.parametrize("name", MODELS)
def test_unfitted_answers_what_the_class_declares_and_nothing_else(name):
    model = MODELS[name]
    unfitted, rows = Unfitted(model, REASON, ADVICE), pd.DataFrame({"frequency": [1, 2]}, index=["a", "b"])
    for prediction, is_property in declared(model):
        answer = getattr(unfitted, prediction) if is_property else getattr(unfitted, prediction)(rows)
        for part in blanks(answer):
            if isinstance(part, (Estimate, pd.DataFrame, pd.Series)):
                assert why_blank(part) == f"{REASON}; {ADVICE}"
            else:
                assert part != part, "a float that is blank is NaN"
    for attribute in ("no_such_prediction", *(f.name for f in dataclasses.fields(model))):
        with pytest.raises(AttributeError, match="was not fitted"):
            getattr(unfitted, attribute)
    assert pickle.loads(pickle.dumps(unfitted)) == unfitted


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_a_frozen_dataclass_with_a_title(name):
    model = MODELS[name]
    assert dataclasses.is_dataclass(model)
    assert model.__dataclass_params__.frozen
    assert model.title


@pytest.mark.parametrize("name", LIKELIHOOD)
def test_a_model_written_by_hand_has_no_interval_and_one_of_impossible_numbers_is_refused(name):
    model = LIKELIHOOD[name]
    names = [field.name for field in dataclasses.fields(model)]
    by_hand = model(*[1.5] * len(names))
    assert by_hand.covariance is None
    assert list(by_hand.draws) == []
    assert by_hand.parameters.ci_low.isna().all()
    assert pickle.loads(pickle.dumps(by_hand)) == by_hand
    for wrong in (-1, 0, float("nan"), float("inf"), "1", None):
        with pytest.raises(ValueError, match=f"{model.__name__}: {names[0]} = "):
            dataclasses.replace(by_hand, **{names[0]: wrong})


@pytest.mark.parametrize("name", LIKELIHOOD)
def test_another_parameter_takes_the_covariance_away(name):
    model = LIKELIHOOD[name]
    names = [field.name for field in dataclasses.fields(model)]
    given = model(*[1.5] * len(names)).with_covariance([[0.01 * (i == j) for j in names] for i in names], replicates=8)
    assert len(list(given.draws)) == 8
    assert "±" in repr(given)
    changed = dataclasses.replace(given, **{names[0]: 2.0})
    assert (changed.covariance, list(changed.draws)) == (None, [])
    again = pickle.loads(pickle.dumps(given))
    assert [vars(draw) for draw in again.draws] == [vars(draw) for draw in given.draws]
