"""Gamma-Gamma where spend depends on how often customers order: its scale differs between classes of frequency."""

from dataclasses import dataclass, replace
from typing import Any, Self

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import optimize

from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.inputs import customer_weights
from crmlab.clv.models.mean_spend import ENDLESS, MeanSpend, or_mean
from crmlab.likelihood import REPLICATES, Uncertainty, with_uncertainty
from crmlab.model import FitError, Unfitted, or_unfitted

STARTS = (1, 2, 4, 8)  # repeat orders with which each class begins
ROUNDS = 3  # of scales of classes and of what they have in common
FARTHEST = 5.0  # log of a factor, at most


@dataclass(frozen=True, repr=False)
class SpendByFrequency(GammaGamma):
    """Gamma-Gamma within classes of frequency: as GammaGamma, with gamma times the factor of the customer's class.

    Each factor is drawn towards 1, the whole, as far as the class leaves it open; that of customers without a repeat
    order follows the trend of the others over the log of 1 + frequency.

    Parameters
    ----------
    p, q, gamma : float
        As of GammaGamma.
    none, once, few, several, many : float
        Factors of customers with 0, 1, 2 to 3, 4 to 7 and 8 or more repeat orders.

    References
    ----------
    Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value; Efron & Morris (1975), Data Analysis Using Stein's
    Estimator and its Generalizations.
    """

    title = "Gamma-Gamma by frequency"
    none: float
    once: float
    few: float
    several: float
    many: float

    @classmethod
    @or_unfitted
    def fit(cls, customers: pd.DataFrame, replicates: int = REPLICATES, seed: int = 1) -> Self:
        """Fit to the mean spends of eligible customers: the scale of each class, then what classes have in common.

        Parameters
        ----------
        customers : DataFrame
            frequency and monetary_value, one row a customer or one for each of `customers` alike.
        replicates : int
            Draws of the parameters kept for intervals; 0 keeps none, and gives no interval.
        seed : int
            Start of the generator of draws.

        Returns
        -------
        SpendByFrequency or Unfitted
            Unfitted where neither Gamma-Gamma nor MeanSpend can be fitted within classes, or repeat buyers are of one.

        Raises
        ------
        InputError
            Where customers are impossible.
        """
        x, m, weights = cls._statistics(customers)
        classes = np.searchsorted(STARTS, x, side="right")
        held = np.unique(classes)
        if len(held) < 2:
            raise FitError(f"{cls.title} needs repeat buyers of two classes of frequency; there are {len(held)}", "")
        logs = np.zeros(len(STARTS) + 1)
        for further in reversed(range(ROUNDS)):
            scaled = pd.DataFrame({"frequency": x, "monetary_value": m / np.exp(logs[classes]), "customers": weights})
            kept = 0 if further else replicates
            common = or_mean(GammaGamma.fit(scaled, kept, seed), scaled, kept, seed)
            if isinstance(common, Unfitted):
                raise FitError(common.reason, common.recommendation)
            found = [_factor(common, x[c == classes], m[c == classes], weights[c == classes]) for c in held]
            of_class, errors = np.transpose(found)
            logs, errors = _towards_the_whole(held, of_class, errors, np.log1p([0, *STARTS]))
        model = cls(common.p, common.q, common.gamma, *map(float, np.exp(logs)))
        drawn = common.uncertainty.draws if common.uncertainty else np.empty((0, 3))
        rng = np.random.default_rng(seed)
        factors = logs + errors * rng.standard_normal((len(drawn), len(logs)))
        covariance = np.zeros((8, 8))
        covariance[:3, :3], covariance[3:, 3:] = common.covariance, np.diag(errors**2)
        return with_uncertainty(model, Uncertainty(covariance, np.hstack([drawn, factors])))

    def of_newcomers(self, model: Any, horizon_days: float) -> "SpendByFrequency":
        """The model for customers who order first today: their orders to come are of the classes that these will make.

        The factor of customers without a repeat order is the mean over orders of the next `horizon_days`, each of the
        class of so many orders.

        Parameters
        ----------
        model : OrderModel
            Fitted model of orders, for the probabilities of so many orders.
        horizon_days : float
            How far ahead, days.

        Returns
        -------
        SpendByFrequency
            This model with that factor, in its draws too; itself where no order is expected.
        """
        if not (expected := float(model.expected_orders_new(horizon_days))) > 0:
            return self
        counts = range(1, STARTS[-1])
        orders = [n * model.probability_of_orders_new(horizon_days, n) for n in counts]
        within = np.bincount(np.searchsorted(STARTS, counts, side="right"), orders, len(STARTS) + 1)
        share = np.append(within[1:-1], max(expected - within.sum(), 0)) / expected
        mixed = replace(self, none=float(share @ [self.once, self.few, self.several, self.many]))
        if self.uncertainty is None:
            return mixed
        draws = self.uncertainty.draws.copy()
        draws[:, 3] = np.log(np.exp(draws[:, 4:]) @ share)
        return with_uncertainty(mixed, replace(self.uncertainty, draws=draws))

    def _influence(self, customers: pd.DataFrame, change: np.ndarray) -> np.ndarray:
        """As of GammaGamma: what classes have in common by all customers, each factor by those of its class.

        0 for customers without a repeat order, whose factor follows the trend.
        """
        uncertainty: Any = self.uncertainty  # it was fitted
        (x, m), kept = self._columns(customers)
        common = MeanSpend if self.q >= ENDLESS else GammaGamma
        plain = with_uncertainty(
            common(self.p, self.q, self.gamma),
            replace(uncertainty, covariance=uncertainty.covariance[:3, :3]),
        )
        scaled = m * self.gamma / self._scale(x)
        rows = pd.DataFrame({"frequency": x, "monetary_value": scaled, "customers": customer_weights(customers)[kept]})
        classes, change = np.searchsorted(STARTS, x, side="right"), change[kept]
        moves = [plain._influence(rows, change), np.zeros((1, change.shape[1]))]
        for number, variance in enumerate(np.diag(uncertainty.covariance)[4:], 1):
            among = classes == number
            if among.any():
                of_class = [x[among], scaled[among]]
                slopes = self._slopes(GammaGamma._likelihood, of_class, change[among], (self.p, self.q, self.gamma))
                moves.append(variance * slopes[2:])
            else:
                moves.append(np.zeros((1, change.shape[1])))
        return np.vstack(moves)

    def _scale(self, frequency: Any) -> Any:
        factors = self.none, self.once, self.few, self.several, self.many
        if isinstance(frequency, ir.Value):
            steps = [(frequency < start, factor) for start, factor in zip(STARTS, factors, strict=False)]
            return self.gamma * ibis.cases(*steps, else_=self.many)
        return self.gamma * np.array(factors)[np.searchsorted(STARTS, frequency, side="right")]


def _factor(common, x, m, weights):
    """The log of the factor of gamma at the maximum of the likelihood of a class, and its standard error."""
    likelihood = GammaGamma._likelihood(x, m, weights)

    def loss(log):
        value, gradient, hessian = likelihood((common.p, common.q, common.gamma * np.exp(log)))
        gamma = common.gamma * np.exp(log)
        return -value, -gradient[2] * gamma, -(hessian[2, 2] * gamma**2 + gradient[2] * gamma)

    log = optimize.minimize_scalar(lambda v: loss(v)[0], bounds=(-FARTHEST, FARTHEST), method="bounded").x
    curvature = loss(log)[2]
    return log, 1 / np.sqrt(curvature) if curvature > 0 else FARTHEST


def _towards_the_whole(held, logs, errors, positions):
    """Logs of the factors of all classes, drawn towards their mean or, without customers, by the trend; and errors."""
    precision = errors**-2.0
    mean = logs @ precision / precision.sum()
    # DerSimonian & Laird (1986): what the factors differ by, beyond what their errors make them
    q, spare = precision @ (logs - mean) ** 2, precision.sum() - (precision @ precision) / precision.sum()
    between = max(0.0, (q - (len(logs) - 1)) / spare)
    share = between / (between + errors**2)
    drawn, error = mean + share * (logs - mean), np.sqrt(share) * errors
    line = np.polynomial.polynomial.Polynomial.fit(positions[held], drawn, 1, w=1 / np.sqrt(errors**2 + between))
    filled, uncertain = line(positions), np.full(len(positions), np.sqrt(between))
    filled[held], uncertain[held] = drawn, error
    return filled, uncertain
