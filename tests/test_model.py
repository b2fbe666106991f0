import pickle
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from crmlab.check import Judgement, assumption, beyond, judged, within
from crmlab.estimate import Estimate
from crmlab.model import FitError, Model, Unfitted, needs_fit, or_unfitted, prediction, why_blank
from crmlab.style import drawn_frame, plot


@dataclass(frozen=True)
class Mean(Model):
    """The mean of each customer's orders."""

    title = "Mean"
    mean: float

    @classmethod
    @or_unfitted
    def fit(cls, customers):
        if customers.empty:
            raise FitError("there are no customers", "name other data")
        return cls(float(customers.orders.mean()))

    @prediction
    def expected_orders(self, customers) -> pd.Series:
        return pd.Series(self.mean, customers.index, name="expected_orders")

    @prediction
    def total(self, customers) -> Estimate:
        return Estimate(self.mean * len(customers))

    @property
    @prediction
    def parameters(self) -> pd.DataFrame:
        return pd.DataFrame({"value": [self.mean]}, pd.Index(["mean"], name="parameter"))

    def undeclared(self):
        return 1


CUSTOMERS = pd.DataFrame({"orders": [1, 3]}, index=["a", "b"])
NONE = Mean.fit(CUSTOMERS[:0])
REASON = "there are no customers; name other data"


def test_a_fit_gives_a_model_or_unfitted():
    assert Mean.fit(CUSTOMERS) == Mean(2.0)
    assert isinstance(NONE, Unfitted)
    assert not NONE
    assert (NONE.title, NONE.reason, NONE.recommendation) == ("Mean", "there are no customers", "name other data")


def test_unfitted_answers_the_predictions_its_class_declares_with_blanks():
    blank = NONE.expected_orders(CUSTOMERS)
    assert blank.isna().all()
    assert list(blank.index) == ["a", "b"]
    assert (blank.name, blank.attrs["reason"]) == ("expected_orders", REASON)
    assert NONE.total(CUSTOMERS) == Estimate(None, reason=REASON)
    assert NONE.parameters.empty
    assert NONE.parameters.attrs["reason"] == REASON


@pytest.mark.parametrize("name", ["undeclared", "mean", "no_such_thing", "_private"])
def test_any_other_attribute_of_unfitted_raises(name):
    with pytest.raises(AttributeError, match="was not fitted"):
        getattr(NONE, name)


def test_unfitted_survives_pickling():
    assert pickle.loads(pickle.dumps(NONE)) == NONE


def test_a_function_of_models_gives_a_blank_of_its_kind():
    @needs_fit
    def both(one, other) -> tuple[Estimate, pd.DataFrame]:
        return Estimate(1), pd.DataFrame({"a": [1]})

    estimate, frame = both(Mean(1.0), NONE)
    assert estimate.reason == frame.attrs["reason"] == REASON
    assert both(Mean(1.0), Mean(2.0))[0].value == 1


def test_a_prediction_of_another_type_is_refused_when_it_is_written():
    with pytest.raises(TypeError, match="Series, a DataFrame, an Estimate or a float"):

        @prediction
        def odd(self) -> list:
            return []


def test_a_plot_of_a_blank_is_empty_axes_with_the_reason():
    @plot
    def line(frame, ax=None):
        ax.plot(frame.value)
        return ax

    ax = line(NONE.parameters)
    assert [text.get_text() for text in ax.texts] == [REASON]
    assert not ax.axison


def test_a_plot_keeps_the_frame_it_drew():
    from crmlab.style import axes

    @plot
    def line(frame, ax=None):
        ax = axes(ax)
        ax.plot(frame.orders)
        return ax

    given = axes()
    assert line(CUSTOMERS, given) is given
    assert drawn_frame(given) is CUSTOMERS
    assert drawn_frame(axes()) is None


def test_why_blank_finds_what_is_blank():
    assert why_blank(1, Mean(1.0), CUSTOMERS, None) == ""
    assert why_blank(CUSTOMERS, Estimate(None, reason="none came")) == "none came"


def test_outcomes_follow_from_intervals():
    assert [within(*ends, -1, 1) for ends in ((-1, 1), (-2, -1.1), (1.01, 3), (0, 2), (-np.inf, np.inf))] == [
        "passed", "failed", "failed", "undecided", "undecided",
    ]  # fmt: skip
    assert [beyond(*ends) for ends in ((0.1, 1), (-1, -0.1), (-1, 1), (0, 1))] == [
        "yes",
        "no",
        "undecided",
        "undecided",
    ]


def test_a_check_of_what_was_not_fitted_is_not_applicable(monkeypatch):
    from crmlab import check

    words = {"orders_alike": {"claim": "Orders are alike", "summary": "They are {how}."}}
    monkeypatch.setattr(check, "templates", lambda package: words if package == "crmlab.toy" else {})

    def orders_alike(model):
        return judged("passed", how="alike")

    orders_alike.__module__ = "crmlab.toy.checks"
    asked = assumption(orders_alike)
    found, missing = asked(Mean(1.0)), asked(NONE)
    assert (found.id, found.kind, found.outcome) == ("toy.orders_alike", "assumption", "passed")
    assert str(found) == "[passed] Orders are alike: They are alike."
    assert (missing.outcome, missing.summary) == ("not applicable", f"Not judged: {REASON}.")


def test_a_blank_input_is_answered_in_the_parts_and_the_shape_of_any_other(monkeypatch):
    from crmlab import check

    words = {"orders_alike": {"claim": "By {by}, orders are alike", "summary": "They are."}}
    monkeypatch.setattr(check, "templates", lambda package: words)

    def orders_alike(model, by) -> list[Judgement]:
        return [judged("passed", part=part) for part in by]

    def parts(by, **_):
        return {part: {"by": part} for part in by}

    orders_alike.__module__ = "crmlab.toy.checks"
    for asked, ids in ((assumption(parts=parts)(orders_alike), ["a", "b"]), (assumption(orders_alike), [""])):
        missing = asked(NONE, ["a", "b"])
        assert [each.id.removeprefix("toy.orders_alike").lstrip(".") for each in missing] == ids
        assert {(each.outcome, each.summary) for each in missing} == {("not applicable", f"Not judged: {REASON}.")}
    assert assumption(parts=parts)(orders_alike)(NONE, ["a"])[0].claim == "By a, orders are alike"
