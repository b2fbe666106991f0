"""Contracts renewed or not, by customers who differ: shifted beta-geometric, and beta-discrete-Weibull.

A new customer's own chance not to renew is Beta(alpha, beta). In the first model it stays as it is, in the second it
moves with tenure: period t counts t^c − (t − 1)^c times. Both are for contractual settings, in which a goodbye is seen.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import stats
from scipy.special import betaln, polygamma, psi

from crmlab import likelihood
from crmlab.contracts import InputError
from crmlab.lifecycle.models.survival import at_risk_and_lost
from crmlab.likelihood import FitError, Uncertainty, maximise, parameter_names
from crmlab.result import Verdict, number
from crmlab.stats.rising import HUGE, log_pochhammer

LEAST = 3  # periods to fit to
REST = 1e-15  # what is left out of a sum without end, as a share of it
TERMS = 10**6  # of such a sum, at most
DAYS = {"week": 7, "month": 365 / 12, "quarter": 365 / 4, "year": 365}


class RetentionModel:
    """What every model of renewals can be asked; periods and renewals are counts, alone or in arrays."""

    @classmethod
    def fit(cls, durations):
        """The parameters most likely to have made `durations`, all groups in them together.

        durations : frame with renewals (survived), churned, customers
        Raises FitError, "cannot be estimated: …", where there are none.
        """
        at_risk, lost = at_risk_and_lost(durations)
        customers = int(durations.customers.sum())
        if reason := _unfit(at_risk, lost):
            raise FitError(f"{cls.title} cannot be estimated: {reason}")
        try:
            return maximise(cls, cls._likelihood(at_risk, lost), cls._starts(lost.sum() / at_risk.sum()), customers)
        except FitError:
            raise FitError(
                f"{cls.title} cannot be estimated: on these {customers:,} customers, {lost.sum():,} of them lost over "
                f"{len(lost)} periods, its likelihood has no clear maximum, as where customers are alike, or leave at "
                "once or never; use the Kaplan–Meier curve, or wait for more periods"
            ) from None

    def log_likelihood(self, durations):
        """Log of the chance of what all customers did, without a multinomial constant."""
        return self._likelihood(*at_risk_and_lost(durations))([getattr(self, name) for name in parameter_names(self)])[
            0
        ]

    def survival(self, periods):
        """Chance to survive so many renewals, 0 to 1: shaped as `periods`."""
        return np.exp(self._log_survival(_counts(periods, "periods", 0)))

    def retention(self, periods):
        """Chance that who is there renews for the t-th time, 0 to 1, t from 1: shaped as `periods`."""
        t = _counts(periods, "periods", 1)
        return np.exp(self._log_survival(t) - self._log_survival(t - 1))

    def residual_lifetime(self, renewals, discount):
        """Payments still to come of a customer after so many renewals, just before the next: shaped as `renewals`.

        The next payment, if it comes, is not discounted. discount : rate a period, above 0, as by `discount_per_period`
        The sum over k of S(renewals + 1 + k) / S(renewals) / (1 + discount)^k. [DERL; Fader & Hardie 2010, (5)]
        """
        if not 0 < discount < np.inf:
            raise InputError(f"discount = {discount!r}: choose a rate a period above 0, as the sum may have no end")
        terms = int(np.ceil(-np.log(REST * -np.expm1(-np.log1p(discount))) / np.log1p(discount)))
        if terms > TERMS:
            raise InputError(f"discount = {discount!r} a period is too near 0 to sum; choose a higher rate")
        survived = _counts(renewals, "renewals", 0).astype(int)
        t = np.arange(survived.max(initial=0) + terms + 1)
        log_survival = self._log_survival(t)
        paid = np.exp(log_survival - t * np.log1p(discount))  # at each renewal, seen from the start
        ahead = np.append(paid[::-1].cumsum()[::-1], 0.0)[survived + 1]
        return ahead * np.exp((survived + 1) * np.log1p(discount) - log_survival[survived])


@dataclass(frozen=True)
class SBG(RetentionModel):
    """Renewals at a chance that is each customer's own, and stays. [Fader & Hardie 2007]

    `covariance` is that of the logs of the parameters, and `uncertainty` what the data say of others, if fitted.
    """

    title = "sBG"
    alpha: float  # chance not to renew ~ Beta(alpha, beta)
    beta: float
    covariance: np.ndarray | None = field(default=None, repr=False, compare=False)
    uncertainty: Uncertainty | None = field(default=None, repr=False, compare=False)

    @staticmethod
    def _starts(churn):
        return [(1, 1 / churn - 1 + 0.05), (0.5, 0.5 / churn)]

    @staticmethod
    def _likelihood(at_risk, lost):
        """parameters -> log-likelihood, gradient and Hessian: a loss at t is alpha / (alpha + beta + t − 1). [(5)]"""
        gone, kept, past = lost.sum(), at_risk - lost, np.arange(len(lost))

        def derivatives(theta):
            alpha, beta = theta
            stay, either = beta + past, alpha + beta + past
            value = gone * np.log(alpha) + kept @ np.log(stay) - at_risk @ np.log(either)
            both = -(at_risk @ (1 / either))
            curved = at_risk @ either**-2.0
            gradient = np.array([gone / alpha + both, kept @ (1 / stay) + both])
            hessian = [[curved - gone / alpha**2, curved], [curved, curved - kept @ stay**-2.0]]
            return float(value), gradient, np.array(hessian)

        return derivatives

    def _log_survival(self, periods):
        return _log_kept(self.alpha, self.beta, periods)


@dataclass(frozen=True)
class BDW(RetentionModel):
    """Renewals at a chance that is each customer's own, and moves with tenure as c has it. [Fader & Hardie 2018]

    With c above 1 a customer grows less likely to renew, below 1 more so; with 1 it is SBG.
    `covariance` is that of the logs of the parameters, and `uncertainty` what the data say of others, if fitted.
    """

    title = "BdW"
    alpha: float  # chance not to renew at first ~ Beta(alpha, beta)
    beta: float
    c: float  # how it moves
    covariance: np.ndarray | None = field(default=None, repr=False, compare=False)
    uncertainty: Uncertainty | None = field(default=None, repr=False, compare=False)

    @staticmethod
    def _starts(churn):
        return [(1, 1 / churn - 1 + 0.05, 1), (0.5, 0.5 / churn, 1.5), (2, 2 / churn, 0.7)]

    @staticmethod
    def _likelihood(at_risk, lost):
        """parameters -> log-likelihood, gradient and Hessian: a loss at t is S(t − 1) − S(t). [(3)]

        Survivors of t leave the sum of those last seen there: the gain of at_risk over the next period's.
        """
        periods = np.arange(len(lost) + 1)
        last_seen = np.append(0, at_risk - lost - np.append(at_risk[1:], 0))

        def derivatives(theta):
            value, slope, curve = _of_survival(theta, periods)
            fall = np.maximum(value[:-1] - value[1:], 1e-300)
            odds = 1 / np.expm1(fall)  # S(t) over what is lost at t
            log_lost = value[:-1] + np.log(-np.expm1(-fall))
            rises = (1 + odds) * slope[:, :-1] - odds * slope[:, 1:]
            bends = (1 + odds) * (curve + slope[:, None] * slope)[..., :-1]
            bends -= odds * (curve + slope[:, None] * slope)[..., 1:] + rises[:, None] * rises
            return (
                float(last_seen @ value + lost @ log_lost),
                slope @ last_seen + rises @ lost,
                curve @ last_seen + bends @ lost,
            )

        return derivatives

    def _log_survival(self, periods):
        with np.errstate(over="ignore"):  # nobody survives a renewal that counts for more than a float holds
            moved = np.minimum(np.asarray(periods, dtype=float) ** self.c, np.finfo(float).max)
        return _log_kept(self.alpha, self.beta, moved)


def discount_per_period(discount_annual, every):
    """The rate a period ("week", "month", "quarter", "year") that makes a yearly rate of `discount_annual`."""
    if every not in DAYS or not 0 <= discount_annual < np.inf:
        raise InputError(
            f"discount_annual = {discount_annual!r}, every = {every!r}: choose a yearly rate of 0 or more, as .1 for "
            f"10 %, and one of {', '.join(map(repr, DAYS))}"
        )
    return float(np.expm1(np.log1p(discount_annual) * DAYS[every] / 365))


def no_duration_dependence(durations, level=0.95):
    """Whether each customer's own chance to renew stays as it is (c = 1), by the likelihood ratio: a Verdict a group.

    Twice the gain of BdW over sBG is chi-squared on 1 degree of freedom where it does.
    """
    return tuple(_duration_dependence_test(group, rows, level) for group, rows in durations.groupby("group"))


def _duration_dependence_test(group, durations, level):
    claim = f"{group}: each customer's own chance to renew stays the same (c = 1)"
    try:
        still, moving = SBG.fit(durations), BDW.fit(durations)
    except FitError as problem:
        return Verdict(claim, False, f"cannot be judged: {problem}", "the Kaplan–Meier curve, and no projection")
    gain = max(2 * (moving.log_likelihood(durations) - still.log_likelihood(durations)), 0.0)
    row = likelihood.parameters(moving).loc["c"]
    direction = "more likely to leave" if moving.c > 1 else "less likely to leave"
    return Verdict(
        claim,
        bool(gain <= stats.chi2.ppf(level, 1)),
        f"c = {number(row.value)} (95 % {number(row.ci_low)} to {number(row.ci_high)}; above 1 a customer grows more "
        f"likely to leave), twice the gain in log-likelihood of letting it move is {number(gain)}, chance "
        f"{number(float(stats.chi2.sf(gain, 1)))}",
        f"BdW, in which customers grow {direction} with tenure",
    )


def _log_kept(alpha, beta, moved):
    """log B(alpha, beta + moved) / B(alpha, beta), of moved renewals that count for as many: shaped as they are."""
    kept = betaln(alpha, beta + moved) - betaln(alpha, beta)
    if alpha + beta <= HUGE:
        return kept
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(moved < beta, log_pochhammer(beta, moved) - log_pochhammer(alpha + beta, moved), kept)


def _of_survival(theta, periods):
    """log S(t) with its gradient (3 x t) and Hessian (3 x 3 x t) by alpha, beta, c."""
    alpha, beta, c = theta
    log_t = np.log(np.maximum(periods, 1))
    moved = np.where(periods > 0, np.exp(c * log_t), 0.0)
    rise, bend = moved * log_t, moved * log_t**2  # of t^c by c
    stay, either = psi(beta + moved), psi(alpha + beta + moved)
    stay_2, either_2 = polygamma(1, beta + moved), polygamma(1, alpha + beta + moved)
    value = _log_kept(alpha, beta, moved)
    by_alpha = psi(alpha + beta) - either
    by_beta = stay - either - psi(beta) + psi(alpha + beta)
    slope = np.stack([by_alpha, by_beta, (stay - either) * rise])
    curve = np.empty((3, 3, len(periods)))
    curve[0, 0] = curve[0, 1] = polygamma(1, alpha + beta) - either_2
    curve[1, 1] = stay_2 - either_2 - polygamma(1, beta) + polygamma(1, alpha + beta)
    curve[0, 2], curve[1, 2] = -either_2 * rise, (stay_2 - either_2) * rise
    curve[2, 2] = (stay_2 - either_2) * rise**2 + (stay - either) * bend
    curve[1, 0], curve[2, 0], curve[2, 1] = curve[0, 1], curve[0, 2], curve[1, 2]
    return value, slope, curve


def _unfit(at_risk, lost):
    """Why no model can be fitted; "" where one may be."""
    if len(lost) < LEAST:
        return f"{len(lost)} of the {LEAST} periods needed were seen; wait for more, or choose a shorter period"
    if not lost.sum():
        return f"none of {at_risk[0]:,} customers was lost in {len(lost)} periods"
    if lost[0] == at_risk[0]:
        return f"all {at_risk[0]:,} customers were lost at the first renewal"
    return ""


def _counts(given, name, least):
    found = np.asarray(given, dtype=float)
    if not (np.isfinite(found) & (found >= least) & (found % 1 == 0)).all():
        raise InputError(f"{name} = {given!r}: choose whole numbers, {least} or more")
    return found
