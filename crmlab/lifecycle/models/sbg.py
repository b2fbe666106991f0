"""Contracts renewed or not, by customers who differ: shifted beta-geometric, and beta-discrete-Weibull.

A new customer's own probability not to renew is Beta(alpha, beta). In the first model it stays as it is, in the second
it moves with tenure: period t counts t^c − (t − 1)^c times. Both are for contractual settings, in which churn is
observed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.special import betaln, polygamma, psi

from crmlab.contracts import InputError
from crmlab.lifecycle.models.survival import at_risk_and_lost
from crmlab.likelihood import REPLICATES, LikelihoodModel, maximise, values
from crmlab.model import FitError, or_unfitted, prediction
from crmlab.stats.rising import HUGE, log_pochhammer

MIN_PERIODS = 3  # periods to fit to
REST = 1e-15  # what is left out of an infinite sum, as a share of it
TERMS = 10**6  # of such a sum, at most
DAYS = {"week": 7, "month": 365 / 12, "quarter": 365 / 4, "year": 365}


class RetentionModel(LikelihoodModel):
    """What every model of renewals predicts; periods and renewals are counts, one or several."""

    _starts: Callable
    _likelihood: Callable
    _log_survival: Callable

    @classmethod
    @or_unfitted
    def fit(cls, durations: pd.DataFrame, replicates: int = REPLICATES, seed: int = 1) -> Self:
        """The model fitted to `durations` by maximum likelihood, all groups in them together.

        Parameters
        ----------
        durations : DataFrame
            renewals (survived), churned, customers, as from `durations`.
        replicates : int
            Draws of the parameters for the intervals; 0 leaves these blank.
        seed : int
            Seed of the draws.

        Returns
        -------
        model or Unfitted
            Unfitted where too few periods were observed, none or all customers were lost, or the likelihood has no
            clear maximum.
        """
        at_risk, lost = at_risk_and_lost(durations)
        customers = int(durations.customers.sum())
        if reason := _unfit(at_risk, lost, customers):
            raise FitError(reason, "use the Kaplan–Meier curve")
        likelihood, starts = cls._likelihood(at_risk, lost), cls._starts(lost.sum() / at_risk.sum())
        try:
            return maximise(cls, likelihood, starts, customers, replicates, seed)
        except FitError:
            seen = f"on these {customers:,} customers, {lost.sum():,} of them lost over {len(lost)} periods"
            flat = f"the likelihood of {cls.title} has no clear maximum"
            cases = "as where customers are alike, or leave at once or never"
            raise FitError(f"{seen}, {flat}, {cases}", "use the Kaplan–Meier curve") from None

    @prediction
    def log_likelihood(self, durations: pd.DataFrame) -> float:
        """Log of the probability of what all customers did, without a multinomial constant.

        Parameters
        ----------
        durations : DataFrame
            renewals (survived), churned, customers, as from `durations`.

        Returns
        -------
        float
            Log-likelihood.
        """
        return self._likelihood(*at_risk_and_lost(durations))(values(self))[0]

    @prediction
    def survival(self, periods: Any) -> pd.Series:
        """Probability to survive so many renewals.

        Parameters
        ----------
        periods : int or array of int
            Renewals, 0 or more.

        Returns
        -------
        Series
            Survival, 0 to 1, by period.
        """
        t = _counts(periods, "periods", 0)
        return _by(t, np.exp(self._log_survival(t)), "period", "survival")

    @prediction
    def retention(self, periods: Any) -> pd.Series:
        """Probability that a customer who is left renews for the t-th time.

        Parameters
        ----------
        periods : int or array of int
            Renewals t, 1 or more.

        Returns
        -------
        Series
            Retention, 0 to 1, by period.
        """
        t = _counts(periods, "periods", 1)
        return _by(t, np.exp(self._log_survival(t) - self._log_survival(t - 1)), "period", "retention")

    @prediction
    def residual_lifetime(self, renewals: Any, discount: float) -> pd.Series:
        """Discounted expected residual lifetime (DERL): payments still to come after so many renewals.

        Parameters
        ----------
        renewals : int or array of int
            Renewals survived; the next is about to come, and its payment, if it comes, is not discounted.
        discount : float
            Rate a period at which later money counts for less, above 0, as by `discount_per_period`.

        Returns
        -------
        Series
            Σ over k of S(renewals + 1 + k) / S(renewals) / (1 + discount)^k, count of payments, by renewals.

        Raises
        ------
        InputError
            Where `discount` is not above 0, or so near to it that the sum cannot be taken.

        References
        ----------
        Fader & Hardie (2010), Customer-base valuation in a contractual setting, (5).
        """
        if not 0 < discount < np.inf:
            raise InputError(f"discount = {discount!r}: choose a rate a period above 0, as the sum may be infinite")
        terms = int(np.ceil(-np.log(REST * -np.expm1(-np.log1p(discount))) / np.log1p(discount)))
        if terms > TERMS:
            raise InputError(f"discount = {discount!r} a period is too near 0 to sum; choose a higher rate")
        survived = _counts(renewals, "renewals", 0).astype(int)
        t = np.arange(survived.max(initial=0) + terms + 1)
        log_survival = self._log_survival(t)
        paid = np.exp(log_survival - t * np.log1p(discount))  # at each renewal, seen from the start
        ahead = np.append(paid[::-1].cumsum()[::-1], 0.0)[survived + 1]
        found = ahead * np.exp((survived + 1) * np.log1p(discount) - log_survival[survived])
        return _by(survived, found, "renewals", "residual_lifetime")


@dataclass(frozen=True, repr=False)
class SBG(RetentionModel):
    """Shifted beta-geometric: each customer's own probability to renew stays as it is.

    Parameters
    ----------
    alpha, beta : float
        The probability not to renew is Beta(alpha, beta) across customers.

    References
    ----------
    Fader & Hardie (2007), How to project customer retention.

    Examples
    --------
    >>> SBG(0.668, 3.806).survival([1, 7, 12]).round(3).tolist()
    [0.851, 0.489, 0.378]
    """

    title: ClassVar[str] = "sBG"
    alpha: float
    beta: float

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


@dataclass(frozen=True, repr=False)
class BDW(RetentionModel):
    """Beta-discrete-Weibull: each customer's own probability to renew moves with tenure.

    Parameters
    ----------
    alpha, beta : float
        The probability not to renew at first is Beta(alpha, beta) across customers.
    c : float
        How it moves: above 1 a customer's probability to renew falls, below 1 it rises; with 1 it is SBG.

    References
    ----------
    Fader, Hardie, Liu, Davin & Steenburgh (2018), "How to project customer retention" revisited.
    """

    title: ClassVar[str] = "BdW"
    alpha: float
    beta: float
    c: float

    @staticmethod
    def _starts(churn):
        return [(1, 1 / churn - 1 + 0.05, 1), (0.5, 0.5 / churn, 1.5), (2, 2 / churn, 0.7)]

    @staticmethod
    def _likelihood(at_risk, lost):
        """parameters -> log-likelihood, gradient and Hessian: a loss at t is S(t − 1) − S(t). [(3)]

        Survivors of t leave the sum of those last seen there, less those first observed then: what at_risk loses.
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
            total = float(last_seen @ value + lost @ log_lost)
            return total, slope @ last_seen + rises @ lost, curve @ last_seen + bends @ lost

        return derivatives

    def _log_survival(self, periods):
        with np.errstate(over="ignore"):  # nobody survives a renewal that counts for more than a float holds
            moved = np.minimum(np.asarray(periods, dtype=float) ** self.c, np.finfo(float).max)
        return _log_kept(self.alpha, self.beta, moved)


def discount_per_period(discount_annual: float, every: str) -> float:
    """The rate a period that makes a yearly rate of `discount_annual`.

    Parameters
    ----------
    discount_annual : float
        Yearly discount rate, 0 or more: .1 is 10 %.
    every : str
        Length of a period: "week", "month", "quarter" or "year".

    Returns
    -------
    float
        Discount rate a period.

    Raises
    ------
    InputError
        Where `discount_annual` is below 0, or `every` is none of these.
    """
    if every not in DAYS or not 0 <= discount_annual < np.inf:
        choose = f"choose a yearly rate of 0 or more, as .1 for 10 %, and one of {', '.join(map(repr, DAYS))}"
        raise InputError(f"discount_annual = {discount_annual!r}, every = {every!r}: {choose}")
    return float(np.expm1(np.log1p(discount_annual) * DAYS[every] / 365))


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


def _unfit(at_risk, lost, customers):
    """Why no model can be fitted; "" where one may be."""
    seen = int((at_risk > 0).sum())
    if seen < MIN_PERIODS:
        return f"{seen} of the {MIN_PERIODS} periods needed were observed"
    if not lost.sum():
        return f"none of {customers:,} customers was lost in {seen} periods"
    if lost[0] == lost.sum() == customers:
        return f"all {customers:,} customers were lost at the first renewal"
    return ""


def _by(at, found, index, name):
    """Numbers as a Series by period, or by renewals."""
    at = pd.Index(np.atleast_1d(at).astype(int), name=index)
    return pd.Series(np.atleast_1d(found), at, name=name)


def _counts(given, name, least):
    try:
        found = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        found = np.array(np.nan)
    if found.ndim > 1 or not (np.isfinite(found) & (found >= least) & (found % 1 == 0)).all():
        raise InputError(f"{name} = {given!r}: choose whole numbers, {least} or more")
    return found
