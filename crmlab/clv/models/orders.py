"""What every model of repeat buying predicts, whatever it assumes of customers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from crmlab.clv.models.inputs import customer_weights, daily_rate, distinct, distinct_histories, validated_horizon
from crmlab.contracts import InputError
from crmlab.likelihood import REPLICATES, LikelihoodModel, LogPrior, bootstrap, fit, values
from crmlab.model import FitError, or_unfitted, prediction
from crmlab.stats.threads import one_thread

RATE_SD, SHAPE_SD = 2.0, 1.5  # of logs, of a weak prior: a rate within some 50 times, a shape within some 20 times
SHAPE, TOTAL = (
    np.log(0.5),
    np.log(2.0),
)  # centres of the log of a shape, and of the sum of the two of a beta distribution

# what a model without departures is called in words, and how to ask for it
NOBODY_LEAVES = "that of a model in which nobody leaves", 'choose model = "nbd"'


class CustomerModel(LikelihoodModel):
    """A model of customers, fitted to a frame with a row for each, or for each of `customers` alike."""

    SEED_STEP: ClassVar[int] = 0  # added to `seed`, so that models fitted by the same have draws of their own
    NEEDS: ClassVar[tuple[str, ...]] = ()  # columns beyond frequency, recency and age
    _statistics: ClassVar[Callable[..., tuple]]  # customers -> columns of what the likelihood rests on, and weights
    _starts: ClassVar[Callable[..., Sequence]]  # the same -> where to begin
    _prior: ClassVar[Callable[..., LogPrior]]  # the same -> a weak prior, centred by them
    _likelihood: ClassVar[Callable[..., Any]]  # the same -> what `likelihood.maximise` takes as derivatives
    _refuse_too_few: ClassVar[Callable[..., None]]  # the same: FitError where there is nothing to be fitted

    @classmethod
    def _fit(
        cls, customers: pd.DataFrame, starts: Sequence, replicates: int, seed: int, prior_sd: float | None = None
    ) -> Self:
        *columns, weights = cls._statistics(customers)
        cls._refuse_too_few(*columns, weights)
        starts, seed = starts or cls._starts(*columns, weights), seed + cls.SEED_STEP
        prior = None if prior_sd is None else cls._prior(*columns, weights).wider(prior_sd)
        return fit(cls, cls._likelihood, columns, weights, starts, prior, replicates=replicates, seed=seed)

    def bootstrap(self, customers: pd.DataFrame, replicates: int, seed: int = 1) -> Iterator[Self]:
        """Refit to customers drawn anew, by reweighting rows, from near this fit.

        Parameters
        ----------
        customers : DataFrame
            What the model was fitted to.
        replicates : int
            How many times customers are drawn.
        seed : int
            Start of the generator of draws.

        Yields
        ------
        model
            Of this class; draws without a clear maximum are left out, so that fewer than `replicates` may come.

        Raises
        ------
        InputError
            Where there is nothing to be fitted.
        """
        *columns, weights = self._statistics(customers)
        try:
            self._refuse_too_few(*columns, weights)
        except FitError as problem:
            raise InputError(f"customers: {problem.reason}; {problem.recommendation}") from problem
        *kinds, which = distinct(*columns)
        return bootstrap(self, self._likelihood, kinds, np.bincount(which, weights).astype(int), replicates, seed)

    def influence(self, customers: pd.DataFrame, change: np.ndarray) -> np.ndarray:
        """By how much the logs of the parameters of a fitted model change, to first order, as customers are reweighted.

        Parameters
        ----------
        customers : DataFrame
            What the model was fitted to.
        change : array
            How many more customers each row stands for, in each replicate: rows x replicates.

        Returns
        -------
        array
            Parameters x replicates; 0 of a model that was not fitted.

        References
        ----------
        Hampel (1974), The Influence Curve and its Role in Robust Estimation, of a maximum of likelihood.
        """
        if self.covariance is None:
            return np.zeros((len(values(self)), change.shape[1]))
        return self._influence(customers, change)

    def _influence(self, customers, change):
        columns, kept = self._columns(customers)
        return self.covariance @ self._slopes(self._likelihood, columns, change[kept], values(self))

    @staticmethod
    def _slopes(likelihood, columns, change, theta):
        """The gradient by the logs of the parameters of what each replicate adds to a log-likelihood."""
        with one_thread(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            slopes = [likelihood(*columns, each)(np.array(theta))[1] for each in change.T]
        return np.array(slopes).T * np.array(theta)[:, None]

    @staticmethod
    def _columns(customers):
        """What the likelihood rests on, row by row, and which rows it rests on."""
        kept = np.ones(len(customers), bool)
        return [customers[name].to_numpy(float) for name in ("frequency", "recency", "age")], kept

    @prediction
    def log_likelihood(self, customers: pd.DataFrame) -> float:
        """Log-likelihood of what all customers did, time in days.

        Parameters
        ----------
        customers : DataFrame
            One row a customer, or one for each of `customers` alike.

        Returns
        -------
        float
            Log of the probability, or of the density, of what was observed.
        """
        return self._likelihood(*self._statistics(customers))(values(self))[0]


def sufficient_statistics(customers):
    """frequency, recency, age and number of customers of each distinct kind: four arrays."""
    *kinds, which = distinct_histories(customers)
    return *kinds, np.bincount(which, customer_weights(customers), len(kinds[0])).astype(int)


class OrderModel(CustomerModel):
    """Repeat orders of customers who may leave unobserved.

    Every method takes a frame with frequency, recency and age in days, one row a customer or one row
    for each of `customers` alike. All rest on one fact: what an active customer will do is what a new one
    does, under parameters updated by what was observed.
    """

    _statistics = staticmethod(sufficient_statistics)
    _validated_horizon: ClassVar[Callable[..., Any]] = staticmethod(validated_horizon)
    _starts_at: ClassVar[Callable[..., Sequence]]  # orders a day of all customers -> where to begin
    _log_odds_inactive: ClassVar[Callable[..., np.ndarray]]  # of frequency, recency, age
    _log_active: ClassVar[Callable[..., np.ndarray]]  # frequency, age -> log density of the orders, and of not leaving
    _posterior: ClassVar[Callable[..., tuple]]  # frequency, age -> parameters of customers who are active
    _discounted: ClassVar[Callable[..., np.ndarray]]  # expected orders of a posterior, a daily rate and a horizon
    _order_probability: ClassVar[Callable[..., np.ndarray]]  # of a posterior, a horizon and a count
    _simulate: ClassVar[Callable[..., tuple]]  # posterior, horizon, generator -> row and day of each order

    @classmethod
    @or_unfitted
    def fit(
        cls,
        customers: pd.DataFrame,
        starts: Sequence[tuple] = (),
        replicates: int = REPLICATES,
        seed: int = 1,
        prior_sd: float | None = None,
    ) -> Self:
        """Fit to customers by maximum likelihood, or with a weak prior.

        Parameters
        ----------
        customers : DataFrame
            The frame of `collapse`, or one row a customer.
        starts : sequence of tuples
            Parameters to begin at; without them, a few of the model's own.
        replicates : int
            Draws of the parameters kept for intervals; 0 keeps none, and gives no interval.
        seed : int
            Start of the generator of draws.
        prior_sd : float, optional
            Standard deviation of a weak prior, as a multiple of its own; None fits by the data alone.

        Returns
        -------
        model
            The fitted model; Unfitted, with its reason, where the likelihood has no clear maximum.

        Raises
        ------
        InputError
            Where customers are impossible.
        """
        return cls._fit(customers, starts, replicates, seed, prior_sd)

    @classmethod
    def _starts(cls, x, t_x, T, weights):
        return cls._starts_at((x @ weights) / (T @ weights))

    @classmethod
    def _refuse_too_few(cls, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, weights: np.ndarray) -> None:
        if not weights.sum():
            advice = "try a later split or an earlier acquired_from"
            raise FitError(f"{cls.title} needs customers, and there are none", advice)
        if not x @ weights:
            count = f"{weights.sum():,} customers" if weights.sum() > 1 else "the one customer"
            raise FitError(f"{cls.title} needs repeat orders; {count} had none", "try a longer calibration")

    def log_density(self, frequency: np.ndarray, recency: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Log of the density of the order times of each customer, time in days, whether or not the customer has left.

        Parameters
        ----------
        frequency, recency, age : array
            As in the frame of `collapse`.

        Returns
        -------
        array
            A number each; weighted by customers they sum to `log_likelihood`.
        """
        x, t_x, T = (np.asarray(column, dtype=float) for column in (frequency, recency, age))
        return self._log_active(x, T) + np.logaddexp(0, self._log_odds_inactive(x, t_x, T))

    @prediction
    def p_alive(self, customers: pd.DataFrame) -> pd.Series:
        """Probability that each customer is still active.

        Parameters
        ----------
        customers : DataFrame
            frequency, recency and age, days.

        Returns
        -------
        Series
            0 to 1.
        """
        return self._expected("p_alive", customers, lambda posterior: 1.0)

    @prediction
    def expected_orders(self, customers: pd.DataFrame, horizon_days: float) -> pd.Series:
        """Expected orders of each customer in the next `horizon_days`.

        Parameters
        ----------
        customers : DataFrame
            frequency, recency and age, days.
        horizon_days : float
            How far ahead, days.

        Returns
        -------
        Series
            Count.
        """
        return self._expected_ahead("expected_orders", customers, 0.0, self._validated_horizon(horizon_days))

    @prediction
    def probability_of_orders(self, customers: pd.DataFrame, horizon_days: float, count: int) -> pd.Series:
        """Probability that each customer places exactly `count` orders in the next `horizon_days`.

        Parameters
        ----------
        customers : DataFrame
            frequency, recency and age, days.
        horizon_days : float
            How far ahead, days.
        count : int
            Number of orders.

        Returns
        -------
        Series
            0 to 1.
        """
        asked = self._validated_horizon(horizon_days), _whole(count)
        probability = self._expected(
            "probability_of_orders", customers, lambda posterior: self._order_probability(posterior, *asked)
        )
        return probability if count else probability + (1 - self.p_alive(customers))

    def expected_orders_new(self, horizon_days: Any) -> np.ndarray:
        """Expected repeat orders of a customer in the `horizon_days` after the first order.

        Parameters
        ----------
        horizon_days : float or array
            How far ahead, days.

        Returns
        -------
        array
            Count, shaped as `horizon_days`.
        """
        horizon_days = np.asarray(self._validated_horizon(horizon_days), dtype=float)
        alive, posterior = self._new_customer(horizon_days.size)
        return (alive * self._discounted(posterior, 0.0, horizon_days.ravel())).reshape(horizon_days.shape)

    @prediction
    def probability_of_orders_new(self, horizon_days: float, count: int) -> float:
        """Probability that a customer places exactly `count` repeat orders in the `horizon_days` after the first.

        Parameters
        ----------
        horizon_days : float
            How far ahead, days.
        count : int
            Number of orders.

        Returns
        -------
        float
            0 to 1.
        """
        alive, posterior = self._new_customer(1)
        probability = self._order_probability(posterior, self._validated_horizon(horizon_days), _whole(count))
        return float(alive * probability[0] + (0 if count else 1 - alive))

    def order_shares_new(self, horizon_days: Any, counts: int) -> np.ndarray:
        """Probability that a customer places 0, 1, 2 … repeat orders in the `horizon_days` after the first.

        Parameters
        ----------
        horizon_days : float or array
            How far ahead, days.
        counts : int
            How many numbers of orders, from 0.

        Returns
        -------
        array
            0 to 1: a row a number of orders, a column a horizon.
        """
        horizon_days = np.asarray(self._validated_horizon(horizon_days), dtype=float).ravel()
        alive, posterior = self._new_customer(horizon_days.size)
        shares = [alive * self._order_probability(posterior, horizon_days, count) for count in range(counts)]
        return np.array(shares) + np.outer(np.arange(counts) == 0, 1 - np.broadcast_to(alive, horizon_days.shape))

    @prediction
    def discounted_orders(
        self, customers: pd.DataFrame, discount_annual: float, horizon_days: float | None = None
    ) -> pd.Series:
        """Expected orders of each customer from now on, each worth less by `discount_annual` a year until it comes.

        Parameters
        ----------
        customers : DataFrame
            frequency, recency and age, days.
        discount_annual : float
            Yearly rate at which later orders count for less, .1 for 10 %.
        horizon_days : float, optional
            How far ahead, days (DECT); None is an infinite horizon (DERT).

        Returns
        -------
        Series
            Count, discounted.

        Raises
        ------
        InputError
            Where the sum is infinite: undiscounted, infinite horizon, of customers who leave too rarely.
        """
        horizon_days = None if horizon_days is None else self._validated_horizon(horizon_days)
        return self._expected_ahead("discounted_orders", customers, daily_rate(discount_annual), horizon_days)

    @prediction
    def simulate_orders(self, customers: pd.DataFrame, horizon_days: float, rng: np.random.Generator) -> pd.DataFrame:
        """Draw the orders of the next `horizon_days`.

        Parameters
        ----------
        customers : DataFrame
            frequency, recency and age, days; and where a row is several, customers, count.
        horizon_days : float
            How far ahead, days.
        rng : Generator
            Of numpy; it is advanced.

        Returns
        -------
        DataFrame
            One row an order: row, position in `customers` of the row that the customer belongs to; customer, position
            among all customers, those of each row side by side; day, how far ahead, days.
        """
        horizon_days = self._validated_horizon(horizon_days)
        x, t_x, T, which = distinct_histories(customers)
        row = np.repeat(np.arange(len(customers)), customer_weights(customers))
        active = np.flatnonzero(rng.random(row.size) < self._alive(x, t_x, T)[which][row])
        kind = which[row[active]]
        owner, day = self._simulate(self._posterior(x[kind], T[kind]), horizon_days, rng)
        return pd.DataFrame({"row": row[active[owner]], "customer": active[owner], "day": day})

    def _expected_ahead(self, name, customers, rate, horizon):
        if horizon is None and self.uncertainty is not None and self.uncertainty.prior:
            rests = f"{self.title} rests on a {self.uncertainty.prior} prior, which would decide an infinite horizon"
            raise InputError(f"{rests}; choose a number of horizon_days")
        return self._expected(name, customers, lambda posterior: self._discounted(posterior, rate, horizon))

    def _expected(self, name, customers, of_posterior):
        """What is expected of each customer, from what is of active ones, computed once where x and T agree."""
        x, t_x, T, which = distinct_histories(customers)
        if not len(customers):
            return pd.Series(0.0, customers.index, name=name)
        counts, ages, pair = distinct(x, T)
        active = np.broadcast_to(of_posterior(self._posterior(counts, ages)), counts.shape)
        return pd.Series((self._alive(x, t_x, T) * active[pair])[which], customers.index, name=name)

    def _alive(self, x, t_x, T):
        return expit(-self._log_odds_inactive(x, t_x, T))

    def _new_customer(self, count):
        nothing = np.zeros(count)
        return self._alive(*np.zeros((3, 1)))[0], self._posterior(nothing, nothing)


def _whole(count):
    if count < 0 or count % 1:
        raise InputError(f"count = {count!r}: choose a whole number of orders, 0 or more")
    return int(count)
