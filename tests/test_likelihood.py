import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import optimize, special

from crmlab import likelihood
from crmlab.contracts import InputError
from crmlab.model import FitError, Unfitted, or_unfitted
from crmlab.stats.intervals import percentile_interval


@dataclass(frozen=True, repr=False)
class Gamma(likelihood.LikelihoodModel):
    """A gamma sample, whose maximum is known from scipy."""

    title = "gamma"
    shape: float
    rate: float

    @classmethod
    @or_unfitted
    def fit(cls, sample):
        if sample.size < 2:
            raise FitError(f"not by {sample.size}", "name more data")
        return likelihood.maximise(cls, derivatives(sample), [(1, 1)], sample.size)


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
    return Gamma.fit(sample)


def logs_of_draws(model):
    return np.log([[m.shape, m.rate] for m in model.draws])


def test_the_maximum_is_the_one_scipy_finds(fitted, sample):
    from scipy import stats

    shape, _, scale = stats.gamma.fit(sample, floc=0)
    assert (fitted.shape, fitted.rate) == pytest.approx((shape, 1 / scale), rel=1e-6)


def test_standard_errors_are_those_of_the_inverse_hessian(fitted, sample):
    *_, hessian = derivatives(sample)((fitted.shape, fitted.rate))
    expected = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    assert fitted.parameters.standard_error.to_numpy() == pytest.approx(expected, rel=1e-6)


def test_intervals_hold_the_truth_and_stay_above_zero(fitted):
    table = fitted.parameters
    assert (table.ci_low < [3, 2]).all()
    assert (table.ci_high > [3, 2]).all()
    assert (table.ci_low > 0).all()


def test_intervals_end_1_96_standard_errors_away_where_the_likelihood_is_normal(sample):
    # 4,000 rows: next to normal; and draws enough that their own error is small
    fitted = likelihood.maximise(Gamma, derivatives(sample), [(1, 1)], sample.size, replicates=4095)
    table, errors = fitted.parameters, np.sqrt(np.diag(fitted.covariance))
    assert list(np.log(table.ci_high / table.value) / errors) == pytest.approx([1.96, 1.96], rel=0.06)
    assert list(np.log(table.value / table.ci_low) / errors) == pytest.approx([1.96, 1.96], rel=0.06)


def test_intervals_of_draws_are_right_on_average_however_many_points_each_is_drawn_from(monkeypatch):
    from scipy import stats

    def drawn(seed):
        return likelihood.uncertainty(lambda logs: -(logs @ logs) / 2, np.zeros(2), np.eye(2), 255, seed).draws

    held = {}
    for proposed in (2, 8):
        monkeypatch.setattr(likelihood, "PROPOSALS_PER_DRAW", proposed)
        ends = [percentile_interval(drawn(seed), level=15 / 16) for seed in range(30)]  # k = 8 of 256, without rounding
        held[proposed] = np.mean(np.diff(stats.norm.cdf(ends), axis=1))
    assert list(held.values()) == pytest.approx([15 / 16, 15 / 16], abs=0.008)  # .002 is the error of the mean


def test_draws_scatter_as_the_covariance_says_and_are_the_same_every_time(fitted, sample):
    many = likelihood.maximise(Gamma, derivatives(sample), [(1, 1)], sample.size, replicates=4096)
    assert np.cov(logs_of_draws(many).T) == pytest.approx(fitted.covariance, rel=0.1)
    of_seed = [
        list(likelihood.maximise(Gamma, derivatives(sample), [(1, 1)], sample.size, replicates=3, seed=seed).draws)
        for seed in (1, 1, 2)
    ]
    assert of_seed[0] == of_seed[1] != of_seed[2]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("count", [1, 3, 1000])
def test_as_many_draws_are_taken_as_are_asked_for_without_a_warning(fitted, sample, count):
    asked = likelihood.maximise(Gamma, derivatives(sample), [(1, 1)], sample.size, replicates=count)
    for model in (asked, fitted.with_covariance(2 * fitted.covariance, count)):
        logs = logs_of_draws(model)
        assert logs.shape == (count, 2)
        if count == 1000:
            assert np.cov(logs.T) == pytest.approx(model.covariance, rel=0.15)


def test_draws_follow_the_likelihood_where_it_is_no_normal_one():
    few = np.random.default_rng(2).gamma(0.4, 1 / 2, 8)
    at = derivatives(few)
    fitted = likelihood.maximise(Gamma, at, [(1, 1)], few.size, replicates=2048)
    grid = np.stack(np.meshgrid(*(np.linspace(-4, 5, 200) + np.log(v) for v in (fitted.shape, fitted.rate))), -1)
    each = np.array([at(np.exp(point))[0] for point in grid.reshape(-1, 2)])
    weight = np.exp(each - each.max())
    logs = logs_of_draws(fitted)
    for place in (0, 1):
        values = grid[..., place].ravel()
        order = np.argsort(values)
        shares = weight[order].cumsum() / weight.sum()
        true = [values[order][np.searchsorted(shares, q)] for q in (0.025, 0.5, 0.975)]
        assert np.quantile(logs[:, place], [0.025, 0.5, 0.975]) == pytest.approx(true, abs=0.08)
    reach = 1.96 * np.sqrt(np.diag(fitted.covariance))
    assert np.quantile(logs[:, 1], 0.975) - np.quantile(logs[:, 1], 0.025) != pytest.approx(2 * reach[1], rel=0.02)


def test_draws_are_normal_where_another_covariance_is_given(fitted):
    wide = fitted.with_covariance(np.eye(2), replicates=2048)
    assert np.cov(logs_of_draws(wide).T) == pytest.approx(np.eye(2), abs=0.05)
    table = wide.parameters
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


def test_parameters_are_a_frame_by_name_with_their_intervals(fitted):
    table = fitted.parameters
    assert list(table.index) == likelihood.parameter_names(fitted) == ["shape", "rate"]
    assert list(table.columns) == ["value", "standard_error", "ci_low", "ci_high"]
    assert (table.value == [fitted.shape, fitted.rate]).all()
    assert ((table.ci_low < table.value) & (table.value < table.ci_high)).all()


def test_a_ridge_is_no_maximum(sample):
    def ridge(theta):  # only the product is known
        value, gradient, hessian = derivatives(sample)((3.0, theta[0] * theta[1]))
        by = np.array([theta[1], theta[0]])
        return value, gradient[1] * by, hessian[1, 1] * np.outer(by, by) + gradient[1] * np.array([[0, 1], [1, 0]])

    with pytest.raises(FitError, match=r"has no maximum on these 4,000 .* (grows|shrinks) ") as refused:
        likelihood.maximise(Gamma, ridge, [(1, 1)], sample.size)
    assert refused.value.recommendation.startswith("try ")


def test_a_likelihood_that_rises_without_end_has_no_maximum():
    def rising(theta):  # towards a limit, as the shape grows beside the rate: minus 1 / shape
        k, b = theta
        gradient = np.array([1 / k**2 + 2 * (b / k - 1) * b / k**2, -2 * (b / k - 1) / k])
        kk = -2 / k**3 - 2 * b**2 / k**4 - 4 * (b / k - 1) * b / k**3
        mixed = 2 * b / k**3 + 2 * (b / k - 1) / k**2
        return -1 / k - (b / k - 1) ** 2, gradient, np.array([[kk, mixed], [mixed, -2 / k**2]])

    with pytest.raises(FitError, match="does not fall as shape and rate grow without end"):
        likelihood.maximise(Gamma, rising, [(1, 1)], 10)


def test_a_flat_maximum_is_told_from_none(sample):
    few = sample[:40]

    def flat(theta):  # the rate hardly matters: a standard error of 20 of its log
        value, gradient, hessian = derivatives(few)((theta[0], 1.5))
        log, bend = np.log(theta[1]), 1 / 400
        gradient = np.array([gradient[0], -bend * log / theta[1]])
        hessian = np.array([[hessian[0, 0], 0], [0, bend * (log - 1) / theta[1] ** 2]])
        return value - bend * log**2 / 2, gradient, hessian

    with pytest.raises(FitError) as refused:
        likelihood.maximise(Gamma, flat, [(1, 2)], few.size)
    reason = refused.value.reason
    assert reason.startswith(
        "gamma has too flat a maximum on these 40 customers: standard error of log rate 20; the search"
    )
    assert "has no" not in reason
    shape = optimize.brentq(lambda k: np.log(1.5) - special.psi(k) + np.log(few).mean(), 0.1, 100)
    assert f"; the search stopped at shape {shape:.4g}, rate 1; the data may hold" in reason


def test_a_model_that_cannot_be_fitted_is_stated_and_false(sample):
    assert Gamma.fit(sample)
    found = Gamma.fit(sample[:1])
    assert not found
    assert (found.title, found.reason, found.recommendation) == ("gamma", "not by 1", "name more data")
    assert found.parameters.empty
    assert found.parameters.attrs["reason"] == "not by 1; name more data"


def test_a_failed_fit_is_shown_in_a_notebook_by_its_reason():
    assert repr(Unfitted(Gamma, "no maximum")) == "Unfitted(Gamma: no maximum)"


@pytest.mark.parametrize("by_hand", [Gamma(3.0, 2.0), replace(Gamma.fit(np.arange(1.0, 40)), rate=2.0)])
def test_a_model_written_by_hand_has_no_interval(by_hand):
    assert by_hand.covariance is None
    assert list(by_hand.draws) == []
    assert by_hand.parameters.value.to_list() == [by_hand.shape, by_hand.rate]
    assert by_hand.parameters[["standard_error", "ci_low", "ci_high"]].isna().all(axis=None)
    assert repr(by_hand) == f"Gamma(shape={by_hand.shape:.4g}, rate=2)"


def test_a_fitted_model_shows_its_standard_errors_and_survives_pickling(fitted):
    errors = fitted.parameters.standard_error
    shape, rate = (f"{value:.4g} ± {error:.2g}" for value, error in zip(fitted.parameters.value, errors, strict=True))
    assert repr(fitted) == f"Gamma(shape={shape}, rate={rate})"
    again = pickle.loads(pickle.dumps(fitted))
    assert again == fitted
    assert list(again.draws) == list(fitted.draws)


@pytest.mark.parametrize("values", [(-1, 2), (0, 2), (1, np.inf), (1, np.nan), (1, "2")])
def test_a_parameter_that_is_impossible_is_refused(values):
    with pytest.raises(InputError, match=r"Gamma: (shape|rate) = .*; choose a finite number above 0"):
        Gamma(*values)


def test_a_bootstrap_scatters_as_the_standard_errors_say(sample, fitted):
    some = list(likelihood.bootstrap(fitted, derivatives, [sample], np.ones(sample.size, int), 100, seed=1))
    again = next(likelihood.bootstrap(fitted, derivatives, [sample], np.ones(sample.size, int), 1, seed=1))
    spread = np.std([[m.shape, m.rate] for m in some], axis=0)
    assert spread == pytest.approx(fitted.parameters.standard_error.to_numpy(), rel=0.25)
    assert again == some[0]


def test_a_search_that_stopped_short_of_the_maximum_is_refused(sample):
    def misled(theta):  # by a gradient that is not the likelihood's
        value, gradient, hessian = derivatives(sample)(theta)
        return value, gradient + sample.size, hessian

    with pytest.raises(FitError, match="steepest slope"):
        likelihood.maximise(Gamma, misled, [(1, 1)], sample.size)
