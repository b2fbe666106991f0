"""One model of orders for a log: the one that best predicts days before the split, which the holdout does not judge."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.clv.models.names import MODELS, TITLES, Choice, order_model
from crmlab.clv.tables import SUFFICIENT_STATISTICS, Orders, as_of_early, histories
from crmlab.dataset import Period
from crmlab.model import Unfitted

AUTO = "auto"
PREFERRED = ("mbg_nbd", "pareto_nbd", "bg_nbd", "nbd")  # compared; in this order where the data do not decide
SIMPLER_LAST = ("bg_bb", "pareto_nbd", "mbg_nbd", "bg_nbd", "nbd")
ORIGINS = (3, 4, 5)  # sixths of the calibration at which models are fitted, to predict the days up to the next
LEAST_DAYS = 6  # of a calibration with so many origins


def choose(orders: Orders, period: Period, model: str = AUTO, level: float = 0.95) -> Choice:
    """Choose the model of orders by what it predicts of days before the split.

    At a half, two thirds and five sixths of the calibration the models are fitted to what was known, and score the log
    of the probability of what these customers did up to the next of these days. The best score wins; where the interval
    of the difference from it holds 0, the first of MBG/NBD, Pareto/NBD, BG/NBD, NBD that is as good. The holdout is not
    looked at, unless no model in which customers leave can be fitted earlier.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    period : Period
        Of `orders.period`.
    model : str
        "auto", or the name of a model to be taken whatever its score: nbd, bg_nbd, mbg_nbd, pareto_nbd, bg_bb.
    level : float
        Confidence level of the interval of a difference in score, paired by customer.

    Returns
    -------
    Choice
        The model, why it was taken, and the scores.

    Raises
    ------
    InputError
        Where there is no such model.

    References
    ----------
    Dawid (1984), Present Position and Potential Developments: the Prequential Approach.

    Examples
    --------
    >>> from crmlab import catalog, clv
    >>> orders = catalog.orders("cdnow_sample")
    >>> clv.choose(orders, orders.period()).name
    'mbg_nbd'
    """
    asked = None if model == AUTO else order_model(model, (AUTO,))
    scores, on_holdout = _scores(orders, period, level)
    if asked:
        simpler = SIMPLER_LAST[SIMPLER_LAST.index(model) + 1 :]
        return Choice(model, simpler, f"{asked.title} was asked for.", scores=scores)
    able = [name for name in PREFERRED if TITLES[name] in scores.index[scores.score.notna()]]
    as_good = [name for name in able if not scores.ci_high[TITLES[name]] < 0]
    name = next(iter(as_good), PREFERRED[0])
    otherwise = tuple(other for other in (*able, "nbd") if other != name)
    return Choice(name, tuple(dict.fromkeys(otherwise)), _why(name, scores, on_holdout), on_holdout, True, scores)


def _why(name, scores, on_holdout):
    why = _by_score(name, scores, on_holdout)
    if name != "nbd":
        return why
    unable = int(scores.score.isna().sum())
    days = "the fewer days by which models are chosen"
    left = f"; {unable} of the other models could not be fitted to {days}" if unable else ""
    return f"{why} By this model nobody leaves{left}."


def _by_score(name, scores, on_holdout):
    title, scored = TITLES[name], scores.score.dropna()
    if scored.empty:
        return f"{title} is tried first, as no model could be fitted to the days before the split."
    best = scored.idxmax()
    days = "the holdout" if on_holdout else "days before the split"
    earlier = " No model in which customers leave could be fitted to earlier days." if on_holdout else ""
    if best == title:
        return f"{title} gave the highest probability to what customers did on {days}.{earlier}"
    return f"{title} predicts {days} about as well as {best}, and is preferred where the data do not decide.{earlier}"


def _scores(orders, period, level):
    """The scores of `choose`, and whether they are of the holdout."""
    first = max(period.acquired_from or period.first, period.first)
    span = (period.split - first).days
    days = [first + timedelta(span * sixths // 6) for sixths in ORIGINS] if span >= LEAST_DAYS else []
    table = _of(orders, [*days, period.split], period.acquired_from, level)
    if _leaving(table):
        return table, False
    on_holdout = _of(orders, [period.split, period.until], period.acquired_from, level)
    if table.score.notna().any() and not _leaving(on_holdout):
        return table, False
    return on_holdout, True


def _leaving(table):
    """Whether a model in which customers leave could be scored."""
    return bool(table.score.drop(TITLES["nbd"], errors="ignore").notna().any())


def _of(orders, days, acquired_from, level):
    """Scores on the days from each of `days` to the next."""
    steps = [_gains(histories(orders, *pair, acquired_from)) for pair in itertools.pairwise(days)]
    return _table([step for step in steps if step[1]], level)


def _gains(both):
    """Weights of customers known early; by model, the log-probability of what each did until late, or Unfitted."""
    known, then = both[both.frequency_early.notna()], as_of_early(both)
    gains: dict[str, Any] = {}
    for name in PREFERRED:
        fitted = MODELS[name].fit(then, replicates=0)
        if isinstance(fitted, Unfitted):
            gains[name] = fitted
            continue
        by_late, by_early = (
            fitted.log_density(*(frame[column] for column in SUFFICIENT_STATISTICS)) for frame in (known, then)
        )
        gains[name] = by_late - by_early
    weights = known.customers.to_numpy()
    return weights, gains if any(not isinstance(gain, Unfitted) for gain in gains.values()) else {}


def _table(steps: Sequence[tuple], level: float) -> pd.DataFrame:
    """Scores by model, summed over steps, each with the interval of its difference from the best."""
    why = {
        name: [str(gains[name]) for _weights, gains in steps if isinstance(gains[name], Unfitted)] for name in PREFERRED
    }
    able = [name for name in PREFERRED if steps and not why[name]]
    score = {name: sum(float(weights @ gains[name]) for weights, gains in steps) for name in able}
    best = max(able, key=lambda name: score[name], default="")
    rows = {}
    for name in PREFERRED:
        row = {"score": score.get(name), "difference": None, "ci_low": None, "ci_high": None}
        if name in able:
            behind = [(weights, gains[name] - gains[best]) for weights, gains in steps]
            difference, error = score[name] - score[best], np.sqrt(sum(_variance(*each) for each in behind))
            reach = stats.norm.ppf((1 + level) / 2) * error
            ends = {"ci_low": difference - reach, "ci_high": difference + reach}
            row = {"score": score[name], "difference": difference, **ends}
        reason = "" if name in able else next(iter(why[name]), "no model could be fitted to these days")
        rows[TITLES[name]] = row | {"reason": reason}
    table = pd.DataFrame(rows).T.rename_axis("model")
    return table.astype(dict.fromkeys(("score", "difference", "ci_low", "ci_high"), float))


def _variance(weights, values):
    """Of a sum over customers, who are drawn independently."""
    total = weights.sum()
    return float(weights @ (values - weights @ values / total) ** 2) * total / max(total - 1, 1)
