"""Where growth curves lead, and how far that can be known: sales to come, the peak, and what is left to be sold."""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models.growth import GrowthCurve, LeastSquaresFit
from crmlab.lifecycle.models.growth_baselines import LastPeriod
from crmlab.lifecycle.models.growth_profile import growth_parameters, peak_after
from crmlab.model import Unfitted
from crmlab.stats.intervals import percentile_interval

COLUMNS = [
    "model", "period", "sales", "cumulative_sales", "expected", "expected_ci_low", "expected_ci_high",
    "expected_pi_low", "expected_pi_high", "expected_cumulative", "expected_cumulative_ci_low",
    "expected_cumulative_ci_high", "reason",
]  # fmt: skip
PEAK_COLUMNS = [
    "m", "m_ci_low", "m_ci_high", "peak", "peak_ci_low", "peak_ci_high", "peak_time", "sold_share", "sigma", "summary",
    "reason",
]  # fmt: skip


def growth_path(
    model: GrowthCurve | LastPeriod | Unfitted,
    sales: pd.Series,
    periods_ahead: int = 0,
    level: float = 0.95,
    seed: int = 1,
) -> pd.DataFrame:
    """What a model expects beside what was sold, and for `periods_ahead` to come.

    Before the peak the intervals of a curve are narrower than they should be, as they take it to be the right one.

    Parameters
    ----------
    model : curve, LastPeriod or Unfitted
        Growth curve, as from `fit_growth_curves`, or baseline, as `choose_growth` gives them; a baseline expects
        nothing of the periods sold. Unfitted leaves what was sold, and nothing to come.
    sales : Series
        Sales of each period in order, from launch; none missing, none negative.
    periods_ahead : int
        Periods to predict after the last one; 0 predicts none.
    level : float
        Confidence level of the intervals, 0 to 1.
    seed : int
        Seed of the errors about the curve.

    Returns
    -------
    DataFrame
        By time: model; period, counted from 1 for the first; sales and cumulative_sales, in the period and so far, NA
        to come; expected, in the period, with expected_ci_low and expected_ci_high, its confidence interval, and
        expected_pi_low and expected_pi_high, the prediction interval of what will be sold; expected_cumulative, so
        far, with expected_cumulative_ci_low and expected_cumulative_ci_high; reason, why there is no curve, or why
        nothing is predicted.

    Raises
    ------
    InputError
        Where `model` is neither, or `periods_ahead` no whole number from 0.
    """
    if not isinstance(model, (GrowthCurve, LastPeriod, Unfitted)):
        raise InputError(f"growth_path: the model is a growth curve, as of fit_growth_curves; this is {model!r}")
    if not isinstance(periods_ahead, (int, np.integer)) or periods_ahead < 0:
        raise InputError(f"periods_ahead = {periods_ahead!r}: choose a whole number, 0 or more")
    reason = _why_no_later(sales, periods_ahead) if model else str(model)
    periods_ahead = 0 if reason else periods_ahead
    periods = np.arange(1.0, len(sales) + periods_ahead + 1)
    times = sales.index.append(future_times(sales.index, len(periods) - len(sales)))
    frame = pd.DataFrame({"model": model.title, "period": periods.astype(int)}, times.rename("time"))
    frame["sales"] = sales.reindex(times).to_numpy()
    frame["cumulative_sales"] = frame.sales.cumsum()
    if isinstance(model, LastPeriod):
        expected = _continued(model, sales, periods_ahead, level)
    else:
        expected = _expected(model, periods, level, seed) if model else {}
    return frame.assign(**expected, reason=reason).reindex(columns=COLUMNS)


def growth_paths(
    fitted: dict[str, GrowthCurve | Unfitted],
    sales: pd.Series,
    periods_ahead: int = 0,
    level: float = 0.95,
    seed: int = 1,
) -> pd.DataFrame:
    """`growth_path` of each curve, one below the other.

    Parameters
    ----------
    fitted : dict
        Title -> growth curve or Unfitted, as from `fit_growth_curves`.
    sales : Series
        Sales of each period in order, from launch; none missing, none negative.
    periods_ahead : int
        Periods to predict after the last one; 0 predicts none.
    level : float
        Confidence level of the intervals, 0 to 1.
    seed : int
        Seed of the errors about the curve.

    Returns
    -------
    DataFrame
        By time, as `growth_path`.
    """
    return pd.concat(growth_path(model, sales, periods_ahead, level, seed) for model in fitted.values())


def growth_peaks(fitted: dict[str, GrowthCurve | Unfitted], sales: pd.Series, level: float = 0.95) -> pd.DataFrame:
    """The market potential and the peak by each growth curve.

    Parameters
    ----------
    fitted : dict
        Title -> growth curve or Unfitted, as from `fit_growth_curves`.
    sales : Series
        Sales of each period in order, from launch; none missing, none negative.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        By model: m, the market potential: all that will ever be sold, with m_ci_low and m_ci_high; peak, periods from
        launch to it, with peak_ci_low and peak_ci_high; peak_time, the period it falls in; sold_share, sold so far, of
        all that will be, 0 to 1; sigma, standard deviation of a period's sales about the curve; summary, where the
        peak lies, and whether more was sold than the curve holds possible, so that it is the wrong one; reason, why
        there is no such curve.
    """
    rows = {title: _peak(model, sales, level) if model else {"reason": str(model)} for title, model in fitted.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=PEAK_COLUMNS).rename_axis("model")
    frame[["summary", "reason"]] = frame[["summary", "reason"]].astype(object).fillna("")
    return frame.astype(dict.fromkeys(frame.columns.difference(["peak_time", "summary", "reason"]), float))


def _why_no_later(sales, periods_ahead):
    """Why the periods to come have no dates; empty where they have."""
    alone = periods_ahead and len(sales) == 1 and isinstance(sales.index, pd.DatetimeIndex)
    return "a single period does not say how far apart periods are; two are needed" if alone else ""


def future_times(index, periods_ahead):
    """The times of the next `periods_ahead`, in the step of those before, of which dates need one: an index."""
    if periods_ahead == 0:
        return index[:0]
    if not isinstance(index, pd.DatetimeIndex):
        return pd.RangeIndex(len(index) + 1, len(index) + periods_ahead + 1)
    months, days = np.diff(index.year * 12 + index.month), np.diff(index) // pd.Timedelta(days=1)
    by_month = len(months) and months.min() >= 1
    step = {"months": int(np.median(months))} if by_month else {"days": int(np.median(days))}
    times = [index[-1] + pd.DateOffset(**step) * k for k in range(1, periods_ahead + 1)]
    return pd.DatetimeIndex(times, dtype=index.dtype)


def _peak(model, sales, level):
    m, peak = growth_parameters(model, sales, level).loc["m"], peak_after(model, sales, level)
    earliest, latest = (model.peak if end is None else end for end in (peak.ci_low, peak.ci_high))
    past = "past" if latest < len(sales) else "to come" if earliest > len(sales) else "near the last period observed"
    past = "past or to come" if earliest <= len(sales) and latest == np.inf else past
    beyond = "; more was sold than it holds possible" if sales.sum() > m.ci_high else ""
    values = [*m, peak.value, peak.ci_low, peak.ci_high, peak_time(model, sales), sales.sum() / model.m]
    return dict(zip(PEAK_COLUMNS, [*values, model._sigma, f"peak {past}{beyond}", ""], strict=True))


def peak_time(model, sales):
    """The period that the peak of a curve falls in."""
    place = max(int(np.ceil(model.peak)), 1)
    return sales.index.append(future_times(sales.index, max(place - len(sales), 0)))[place - 1]


def _continued(model, sales, periods_ahead, level):
    """What a baseline expects, with its intervals: arrays by column, NaN for periods observed."""
    ahead = model.sales_ahead(periods_ahead, level)
    columns = {"expected": ahead.expected, "expected_pi_low": ahead.pi_low, "expected_pi_high": ahead.pi_high}
    columns["expected_cumulative"] = sales.sum() + ahead.expected.cumsum()
    return {name: np.concatenate([np.full(len(sales), np.nan), values]) for name, values in columns.items()}


def _expected(model, periods, level, seed):
    """What a curve expects in each period, with its intervals: arrays by column."""
    found = {"expected": model._increments(periods)[0], "expected_cumulative": model._cumulative(periods)}
    if not (each := list(model.draws)):
        return found
    rates = np.array([one._increments(periods)[0] for one in each])
    drawn = {"expected_ci": rates, "expected_cumulative_ci": np.array([one._cumulative(periods) for one in each])}
    if isinstance(model.uncertainty, LeastSquaresFit):
        rng = np.random.default_rng(seed)
        sigmas = _sigmas(model.uncertainty, rng)[:, None]
        drawn["expected_pi"] = np.maximum(rates + sigmas * rng.standard_normal(rates.shape), 0)
    for name, of_draws in drawn.items():
        found[f"{name}_low"], found[f"{name}_high"] = percentile_interval(of_draws, level)
    return found


def _sigmas(fit, rng):
    """A standard deviation for each drawn curve: that of its own residuals, as far off as their number leaves open."""
    periods = fit.df_resid + fit.draws.shape[1]
    squares = np.exp(-2 / periods * fit.log_likelihood)
    return np.sqrt(squares / rng.chisquare(periods, len(squares)))
