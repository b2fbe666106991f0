"""How far facts of a survey move in respondents drawn anew."""

import numpy as np
import pytest
from scipy import stats

from crmlab import masks
from crmlab import service_quality as sq
from crmlab.stats import poisson_bootstrap


@pytest.fixture(scope="module")
def customers():
    asked = sq.read_survey("data/example_survey.csv", "data/example_survey.toml")
    return asked.as_of(None).select("customer")


@pytest.fixture(scope="module")
def facts(customers):
    gaps = sq.gap_estimates(sq.gap_scores(customers, "dimension", 200), sq.weighted_gap_scores(customers))
    nps = sq.net_promoter_estimate(sq.net_promoter_score(customers))
    return gaps | {"nps": nps, "ratio": sq.top_box_risk_ratio(sq.loyalty_by_satisfaction(customers))}


def test_each_fact_moves_as_far_as_it_errs(facts):
    assert len(facts) == 9
    for name, fact in facts.items():
        half = (fact.ci_high - fact.ci_low) / 2 / stats.norm.ppf(0.975)
        errs = fact.value * np.log(fact.ci_high / fact.ci_low) / 2 / stats.norm.ppf(0.975) if name == "ratio" else half
        assert fact.deviations().std() == pytest.approx(errs, rel=0.2), name


def test_nps_moves_as_if_respondents_stood_so_many_times_among_the_answers(customers, facts):
    change = poisson_bootstrap.weights(customers.people.respondent, masks.key())
    recommend = customers.outcomes["recommend"].to_numpy(float)
    w, there = customers.people.weight.to_numpy(float), ~np.isnan(recommend)
    points = 100.0 * (recommend >= 9) - 100.0 * (recommend < 7)
    again = [
        np.average(points[there], weights=w[there] * drawn[there]) - facts["nps"].value
        for drawn in change.T.astype(float)
    ]
    assert np.corrcoef(facts["nps"].deviations(), again)[0, 1] > 0.99
    assert facts["nps"].deviations().std() == pytest.approx(np.std(again), rel=0.1)
