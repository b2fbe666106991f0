from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from crmlab import likelihood
from crmlab.clv import BGNBD


@dataclass(frozen=True)
class Gamma:
    """A gamma sample, whose maximum is known from scipy."""

    title = "gamma"
    shape: float
    rate: float
    covariance: np.ndarray | None = field(default=None, repr=False, compare=False)
    uncertainty: likelihood.Uncertainty | None = field(default=None, repr=False, compare=False)


def derivatives(sample, times=1):
    """Of Gamma's log-likelihood, each number of the sample taken so many times."""
    from scipy.special import gammaln, polygamma, psi

    times = np.broadcast_to(times, sample.shape)
    n, total, logs = times.sum(), times @ sample, times @ np.log(sample)

    def at(theta):
        k, b = theta
        value = n * (k * np.log(b) - gammaln(k)) + (k - 1) * logs - b * total
        gradient = np.array([n * (np.log(b) - psi(k)) + logs, n * k / b - total])
        return value, gradient, np.array([[-n * polygamma(1, k), n / b], [n / b, -n * k / b**2]])

    return at


@pytest.fixture(scope="module")
def sample():
    return np.random.default_rng(1).gamma(3, 1 / 2, 4000)


@pytest.fixture(scope="module")
def fitted(sample):
    return likelihood.maximise(Gamma, derivatives(sample), [(1, 1)], sample.size)


def test_the_maximum_is_the_one_scipy_finds(fitted, sample):
    from scipy import stats

    shape, _, scale = stats.gamma.fit(sample, floc=0)
    assert (fitted.shape, fitted.rate) == pytest.approx((shape, 1 / scale), rel=1e-6)


def test_standard_errors_are_those_of_the_inverse_hessian(fitted, sample):
    *_, hessian = derivatives(sample)((fitted.shape, fitted.rate))
    expected = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    assert likelihood.standard_errors(fitted).to_numpy() == pytest.approx(expected, rel=1e-6)


def test_intervals_hold_the_truth_and_stay_above_zero(fitted):
    table = likelihood.parameters(fitted)
    assert (table.ci_low < [3, 2]).all()
    assert (table.ci_high > [3, 2]).all()
    assert (table.ci_low > 0).all()


def test_intervals_end_1_96_standard_errors_away_where_the_likelihood_is_normal(fitted):
    table, errors = likelihood.parameters(fitted), np.sqrt(np.diag(fitted.covariance))  # 4,000 rows: next to normal
    assert list(np.log(table.ci_high / table.value) / errors) == pytest.approx([1.96, 1.96], rel=0.06)
    assert list(np.log(table.value / table.ci_low) / errors) == pytest.approx([1.96, 1.96], rel=0.06)


def test_intervals_of_draws_are_right_on_average_however_many_points_each_is_drawn_from(monkeypatch):
    from scipy import stats

    uncertainty, held = likelihood.Uncertainty(lambda logs: -(logs @ logs) / 2, np.eye(2)), {}
    for proposed in (2, 8):
        monkeypatch.setattr(likelihood, "PROPOSALS_PER_DRAW", proposed)
        ends = [
            np.quantile(uncertainty.draws((0.0, 0.0), 256, s), [0.025, 0.975], axis=0, method="weibull")
            for s in range(30)
        ]
        held[proposed] = np.mean(np.diff(stats.norm.cdf(ends), axis=1))
    assert list(held.values()) == pytest.approx([0.95, 0.95], abs=0.008)  # .002 is the error of the mean


def test_draws_scatter_as_the_covariance_says_and_are_the_same_every_time(fitted):
    logs = np.log([[m.shape, m.rate] for m in likelihood.draws(fitted, 4096, seed=1)])
    assert np.cov(logs.T) == pytest.approx(fitted.covariance, rel=0.1)
    assert list(likelihood.draws(fitted, 3, seed=1)) == list(likelihood.draws(fitted, 3, seed=1))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("count", [1, 3, 1000])
def test_as_many_draws_are_taken_as_are_asked_for_without_a_warning(fitted, count):
    normal = replace(fitted, covariance=2 * fitted.covariance)
    for model in (fitted, normal):
        logs = np.log([[m.shape, m.rate] for m in likelihood.draws(model, count, seed=1)])
        assert logs.shape == (count, 2)
        if count == 1000:
            assert np.cov(logs.T) == pytest.approx(model.covariance, rel=0.15)


def test_draws_follow_the_likelihood_where_it_is_no_normal_one():
    few = np.random.default_rng(2).gamma(0.4, 1 / 2, 8)
    at = derivatives(few)
    fitted = likelihood.maximise(Gamma, at, [(1, 1)], few.size)
    grid = np.stack(np.meshgrid(*(np.linspace(-4, 5, 200) + np.log(v) for v in (fitted.shape, fitted.rate))), -1)
    each = np.array([at(np.exp(point))[0] for point in grid.reshape(-1, 2)])
    weight = np.exp(each - each.max())
    logs = np.log([[m.shape, m.rate] for m in likelihood.draws(fitted, 2048, seed=1)])
    for place in (0, 1):
        values = grid[..., place].ravel()
        order = np.argsort(values)
        shares = weight[order].cumsum() / weight.sum()
        true = [values[order][np.searchsorted(shares, q)] for q in (0.025, 0.5, 0.975)]
        assert np.quantile(logs[:, place], [0.025, 0.5, 0.975]) == pytest.approx(true, abs=0.08)
    reach = 1.96 * np.sqrt(np.diag(fitted.covariance))
    assert np.quantile(logs[:, 1], 0.975) - np.quantile(logs[:, 1], 0.025) != pytest.approx(2 * reach[1], rel=0.02)


def test_draws_are_normal_where_another_covariance_is_given(fitted):
    wide = replace(fitted, covariance=np.eye(2))
    logs = np.log([[m.shape, m.rate] for m in likelihood.draws(wide, 2048, seed=1)])
    assert np.cov(logs.T) == pytest.approx(np.eye(2), abs=0.05)
    table = likelihood.parameters(wide)
    assert list(np.log(table.ci_high / table.value)) == pytest.approx([1.96, 1.96], abs=0.001)


def test_a_start_found_on_some_rows_that_leads_nowhere_is_not_the_last_word():
    rows = np.random.default_rng(1).gamma(3, 1 / 2, 2 * likelihood.SUBSAMPLE_ROWS + 1)
    on_all = []

    def likelihood_of(rows, customers):
        if customers.size <= likelihood.SUBSAMPLE_ROWS + 1:
            return derivatives(rows)
        on_all.append(rows)
        misled = len(on_all) == 1
        return lambda theta: (np.nan, np.zeros(2), np.eye(2)) if misled else derivatives(rows)(theta)

    found = likelihood.fit(Gamma, likelihood_of, [rows], np.ones(rows.size, int), [(1, 1), (2, 2)])
    direct = likelihood.maximise(Gamma, derivatives(rows), [(1, 1)], rows.size)
    assert len(on_all) == 2
    assert (found.shape, found.rate) == pytest.approx((direct.shape, direct.rate), rel=1e-9)


def test_estimates_are_facts_named_after_their_parameters(fitted):
    facts = likelihood.estimates(fitted, "gamma")
    assert list(facts) == ["gamma_shape", "gamma_rate"]
    assert facts["gamma_rate"].low < facts["gamma_rate"].value < facts["gamma_rate"].high


def test_a_ridge_is_no_maximum(sample):
    def ridge(theta):  # only the product is known
        value, gradient, hessian = derivatives(sample)((3.0, theta[0] * theta[1]))
        by = np.array([theta[1], theta[0]])
        return value, gradient[1] * by, hessian[1, 1] * np.outer(by, by) + gradient[1] * np.array([[0, 1], [1, 0]])

    with pytest.raises(likelihood.FitError, match=r"has no maximum on these 4,000 .* (grows|shrinks) .* try"):
        likelihood.maximise(Gamma, ridge, [(1, 1)], sample.size)


def test_a_likelihood_that_rises_for_ever_has_no_maximum():
    def rising(theta):  # towards a limit, as the shape grows beside the rate: minus 1 / shape
        k, b = theta
        gradient = np.array([1 / k**2 + 2 * (b / k - 1) * b / k**2, -2 * (b / k - 1) / k])
        kk = -2 / k**3 - 2 * b**2 / k**4 - 4 * (b / k - 1) * b / k**3
        mixed = 2 * b / k**3 + 2 * (b / k - 1) / k**2
        return -1 / k - (b / k - 1) ** 2, gradient, np.array([[kk, mixed], [mixed, -2 / k**2]])

    with pytest.raises(likelihood.FitError, match="does not fall as shape and rate grow without end"):
        likelihood.maximise(Gamma, rising, [(1, 1)], 10)


def test_a_flat_maximum_is_told_from_none(sample):
    few = sample[:40]

    def flat(theta):  # the rate hardly matters: a standard error of 20 of its log
        value, gradient, hessian = derivatives(few)((theta[0], 1.5))
        log, bend = np.log(theta[1]), 1 / 400
        gradient = np.array([gradient[0], -bend * log / theta[1]])
        hessian = np.array([[hessian[0, 0], 0], [0, bend * (log - 1) / theta[1] ** 2]])
        return value - bend * log**2 / 2, gradient, hessian

    with pytest.raises(likelihood.FitError) as refused:
        likelihood.maximise(Gamma, flat, [(1, 2)], few.size)
    told = str(refused.value)
    assert told.startswith(
        "gamma has too flat a maximum on these 40 customers: standard error of log rate 20; the search"
    )
    assert "has no" not in told


def test_a_model_that_cannot_be_fitted_is_stated_and_false(sample):
    def refuse(sample):
        raise likelihood.FitError(f"not by {len(sample)}")

    assert likelihood.attempt(len, sample) == 4000
    found = likelihood.attempt(refuse, sample)
    assert not found
    assert found.reason == "not by 4000"
    assert likelihood.estimates(found, "gamma") == {}


def test_a_failed_fit_is_told_in_a_notebook_without_a_traceback():
    assert likelihood.FitError("no maximum")._render_traceback_() == ["FitError: no maximum"]


def test_a_model_written_by_hand_has_no_interval_until_it_is_fitted():
    by_hand = BGNBD(0.243, 30.9, 0.793, 2.43)
    for ask in (likelihood.parameters, likelihood.standard_errors, lambda m: next(likelihood.draws(m, 4, 1))):
        with pytest.raises(ValueError, match=r"BGNBD\(r=0.243, .*\) was not fitted.*BGNBD.fit\(customers\)"):
            ask(by_hand)


def test_a_bootstrap_scatters_as_the_standard_errors_say(sample, fitted):
    some = list(likelihood.bootstrap(fitted, derivatives, [sample], np.ones(sample.size, int), 100, seed=1))
    again = next(likelihood.bootstrap(fitted, derivatives, [sample], np.ones(sample.size, int), 1, seed=1))
    spread = np.std([[m.shape, m.rate] for m in some], axis=0)
    assert spread == pytest.approx(likelihood.standard_errors(fitted).to_numpy(), rel=0.25)
    assert again == some[0]


def test_a_model_from_a_paper_has_names_and_no_covariance():
    model = BGNBD(0.243, 30.9, 0.793, 2.43)
    assert likelihood.parameter_names(model) == ["r", "alpha", "a", "b"]
    assert model.covariance is None


def test_a_search_that_stopped_short_of_the_maximum_is_refused(sample):
    def misled(theta):  # by a gradient that is not the likelihood's
        value, gradient, hessian = derivatives(sample)(theta)
        return value, gradient + sample.size, hessian

    with pytest.raises(likelihood.FitError, match="steepest slope"):
        likelihood.maximise(Gamma, misled, [(1, 1)], sample.size)
