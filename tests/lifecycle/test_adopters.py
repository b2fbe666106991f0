"""Who buys by Bass's curve, how far sales lie from curves, and rates of retention: by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import integrate

from crmlab import lifecycle
from crmlab.contracts import InputError
from crmlab.lifecycle import Bass, Gompertz, plots
from crmlab.model import Unfitted, why_blank

from ..figures import draws
from .cohort_worlds import retention

pytestmark = pytest.mark.usefixtures("figures_are_closed")
VCR = pd.Series([840.0, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890])
CURVE = Bass(67_660, 0.00879, 0.6422)


def test_innovators_buy_a_share_p_of_those_left_at_every_moment():
    found = lifecycle.bass_adopters(CURVE, VCR, 3)
    by_hand = [
        integrate.quad(lambda t: CURVE.p * (CURVE.m - CURVE.cumulative(t).iloc[0]), k, k + 1)[0] for k in range(13)
    ]
    assert found.innovators.to_list() == pytest.approx(by_hand)
    assert (found.innovators + found.imitators).to_list() == pytest.approx(CURVE.sales(range(1, 14)).to_list())
    assert found.cumulative_innovators.to_list() == pytest.approx(np.cumsum(by_hand))
    assert found.cumulative_imitators.iloc[-1] == pytest.approx(found.imitators.sum())
    assert found.sales.to_list()[:10] == VCR.to_list()
    assert found.sales.isna().sum() == 3


def test_without_imitation_all_are_innovators():
    found = lifecycle.bass_adopters(Bass(100.0, 0.5, 1e-12), VCR)
    assert found.innovators.iloc[0] == pytest.approx(100 * (1 - np.exp(-0.5)))
    assert found.imitators.to_list() == pytest.approx([0] * 10, abs=1e-6)


def test_residuals_by_hand():
    fitted = lifecycle.fit_growth_curves(VCR, replicates=0)
    found = lifecycle.growth_residuals(fitted | {"logistic": Unfitted(Gompertz, "no peak")}, VCR)
    assert found.model.unique().tolist() == ["Bass", "Gompertz"]
    bass = found[found.model == "Bass"]
    assert bass.residual.iloc[5] == pytest.approx(10950 - fitted["Bass"].sales([6]).iloc[0])
    # the sum of squares over the seven degrees of freedom is the square of sigma
    assert (bass.standardised**2).sum() == pytest.approx(7)


def test_what_could_not_be_fitted_is_blank():
    none = Unfitted(Bass, "there is no growth")
    assert why_blank(lifecycle.bass_adopters(none, VCR)) == "there is no growth"
    assert why_blank(lifecycle.growth_residuals({"Bass": none}, VCR)) == "there is no growth"
    ax = plots.growth_residuals(lifecycle.growth_residuals({"Bass": none}, VCR))
    assert [text.get_text() for text in ax.texts] == ["there is no growth"]
    with pytest.raises(InputError, match="periods_ahead = -1"):
        lifecycle.bass_adopters(CURVE, VCR, -1)


def test_adopters_and_residuals_are_drawn():
    adopters, residuals = lifecycle.bass_adopters(CURVE, VCR, 2), lifecycle.growth_residuals({"Bass": CURVE}, VCR)
    ax = plots.bass_adopters(adopters)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["innovators", "imitators", "sold"]
    top = max(path.vertices[:, 1].max() for area in ax.collections for path in area.get_paths())
    assert top == pytest.approx((adopters.innovators + adopters.imitators).max())
    assert list(ax.get_lines()[0].get_ydata())[:10] == VCR.to_list()
    line = plots.growth_residuals(residuals).get_lines()[0]
    assert list(line.get_ydata()) == pytest.approx(residuals.residual.to_list())
    draws(plots.bass_adopters, adopters)
    draws(plots.growth_residuals, residuals)


LEFT = retention(one=[100, 60, 45, 45], two=[50, 40, 36, 9])
CURVES = lifecycle.survival_curve(lifecycle.durations(LEFT))


def test_hazards_by_hand():
    found = lifecycle.hazard_by_tenure(CURVES).set_index(["group", "period"])
    assert found.hazard.round(6).to_dict() == {
        ("one", 1): 0.4, ("one", 2): 0.25, ("one", 3): 0.0, ("two", 1): 0.2, ("two", 2): 0.1, ("two", 3): 0.75,
    }  # fmt: skip
    assert found.loc[("one", 2), ["at_risk", "lost"]].to_list() == [60, 15]
    # Wilson (1927) of 15 in 60: (p + z²/2n ± z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n)
    z, n, p = 1.959964, 60, 0.25
    reach = z * (p * (1 - p) / n + z**2 / 4 / n**2) ** 0.5
    ends = [(p + z**2 / 2 / n + side * reach) / (1 + z**2 / n) for side in (-1, 1)]
    assert found.loc[("one", 2), ["ci_low", "ci_high"]].to_list() == pytest.approx(ends, abs=1e-6)
    assert found.loc[("one", 2), "retention"] == 0.75
    assert found.loc[("one", 2), "retention_ci_low"] == pytest.approx(1 - ends[1], abs=1e-6)


def test_a_hazard_ends_where_the_curve_does():
    young = lifecycle.survival_curve(lifecycle.durations(retention(all=[12, 9, 5])))
    assert lifecycle.hazard_by_tenure(young).period.to_list() == [1]
    few = lifecycle.survival_curve(lifecycle.durations(retention(all=[9, 5])))
    assert "fewer than 10 were at risk" in why_blank(lifecycle.hazard_by_tenure(few))


def test_rates_stand_beside_those_of_each_model():
    projected = lifecycle.projected_survival(lifecycle.durations(LEFT), 5, replicates=0)
    found = lifecycle.retention_rates(lifecycle.hazard_by_tenure(CURVES), projected)
    rows = found[(found.group == "one") & (found.model == "sBG")].set_index("period")
    assert rows.retention.dropna().to_list() == pytest.approx([0.6, 0.75, 1.0])
    assert rows.retention[[4, 5]].isna().all()
    survival = projected[(projected.group == "one") & (projected.model == "sBG")].survival.to_list()
    assert rows.expected.to_list() == pytest.approx([b / a for a, b in pairwise(survival)])
    assert rows.at_risk.dropna().to_list() == [100, 60, 45]
    two = found[(found.group == "two") & (found.model == "sBG")]
    assert len(two) == 5


def test_rates_are_drawn_with_the_lines_of_the_models():
    projected = lifecycle.projected_survival(lifecycle.durations(LEFT), 5, calibration_periods=2, replicates=0)
    rates = lifecycle.retention_rates(lifecycle.hazard_by_tenure(CURVES), projected)
    one, two = plots.retention_rates(rates)
    assert [ax.get_xlabel() for ax in (one, two)] == ["Renewal (one)", "Renewal (two)"]
    assert [list(c.lines[0].get_xdata()) for c in one.containers] == [[1, 2], [3]]  # calibration, holdout
    assert one.texts[0].get_text().startswith("2 of the 3 periods needed")
    assert one.figure.get_size_inches()[0] == pytest.approx(7.2)  # one below the other, as wide as others
    ax = plots.hazard_by_tenure(lifecycle.hazard_by_tenure(CURVES))
    assert [line.get_label() for line in ax.get_lines()] == ["one", "two"]
    assert list(ax.get_lines()[0].get_ydata()) == pytest.approx([0.4, 0.25, 0])
