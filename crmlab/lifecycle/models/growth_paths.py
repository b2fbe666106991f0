"""Where growth curves lead, and how far that can be known: sales to come, the peak, and what is left to be sold."""

import numpy as np
import pandas as pd

from crmlab.likelihood import draws, parameter_names
from crmlab.result import Estimate

REPLICATES = 512  # curves drawn about the nearest, for the ends of intervals
LEVEL = 0.95
COLUMNS = [
    "period",
    "sales",
    "cumulative_sales",
    "expected",
    "expected_ci_low",
    "expected_ci_high",
    "expected_pi_low",
    "expected_pi_high",
]
COLUMNS += ["expected_cumulative", "expected_cumulative_ci_low", "expected_cumulative_ci_high"]


def growth_path(model, sales, periods_ahead=0, seed=0):
    """What a fitted curve expects beside what was sold, and for `periods_ahead` to come: a frame by time.

    model : of `fit_growth_curves`; None, where none could be fitted, leaves what was sold, and nothing to come
    period                     counted from 1 for the first
    sales, cumulative_sales    in the period, and so far; NA to come
    expected                   in the period, with expected_ci_low, expected_ci_high, its confidence interval, and
                               expected_pi_low, expected_pi_high, the prediction interval of what will be sold
    expected_cumulative        so far, with expected_cumulative_ci_low, expected_cumulative_ci_high
    Intervals are 95 %, from curves drawn in proportion to how likely the sales make them. Before the peak they are
    narrower than they should be, as they take the curve to be the right one.
    """
    periods = np.arange(1.0, len(sales) + (periods_ahead if model else 0) + 1)
    if model is None:
        frame = pd.DataFrame(
            {"period": periods.astype(int), "sales": sales, "cumulative_sales": sales.cumsum()}, sales.index
        )
        return frame.rename_axis("time").reindex(columns=COLUMNS)
    times = sales.index.append(future_times(sales.index, periods_ahead))
    each = list(draws(model, REPLICATES, seed))
    rates, sums = (np.array([getattr(drawn, of)(periods) for drawn in each]) for of in ("sales", "cumulative"))
    rng = np.random.default_rng(seed)
    noise = _sigmas(model, each, rng)[:, None] * rng.standard_normal(rates.shape)
    frame = pd.DataFrame({"period": periods.astype(int)}, index=times.rename("time"))
    frame["sales"] = sales.reindex(times).to_numpy()
    frame["cumulative_sales"] = frame.sales.cumsum()
    frame["expected"], (frame["expected_ci_low"], frame["expected_ci_high"]) = model.sales(periods), _ends(rates)
    frame["expected_pi_low"], frame["expected_pi_high"] = _ends(np.maximum(rates + noise, 0))
    frame["expected_cumulative"], (frame["expected_cumulative_ci_low"], frame["expected_cumulative_ci_high"]) = (
        model.cumulative(periods),
        _ends(sums),
    )
    return frame


def growth_peaks(fitted, unfitted, sales, seed=0):
    """What each growth curve says of all that will be sold, and of the peak: a frame by model.

    fitted, unfitted : of `fit_growth_curves`
    m, m_ci_low, m_ci_high     all that will ever be sold
    peak, peak_ci_low, peak_ci_high  periods from launch to the peak
    peak_time                  the period it falls in
    sold_share                 sold so far, of all that will be, 0 to 1
    sigma                      standard deviation of a period's sales about the curve
    summary                    where the peak lies, and whether more was sold than the curve holds possible, so that it
                               is the wrong one; or why there is no such curve, and the rest is NA
    """
    rows = [_peak(model, sales, seed) for model in fitted.values()]
    rows += [{"model": title, "summary": reason} for title, reason in unfitted.items()]
    numbers = ["m", "m_ci_low", "m_ci_high", "peak", "peak_ci_low", "peak_ci_high", "sold_share", "sigma"]
    frame = pd.DataFrame(rows, columns=["model", *numbers[:6], "peak_time", *numbers[6:], "summary"]).set_index("model")
    return frame.astype(dict.fromkeys(numbers, float))


def growth_facts(model, seed=0):
    """All that will ever be sold, and when the peak falls, as Estimates: facts for a Result."""
    m, peak = _drawn(model, seed)
    return {
        "market_potential": Estimate(model.m, *m),
        "peak_after": Estimate(model.peak, *peak, unit="periods"),
    }


def future_times(index, periods_ahead):
    """The times of the next `periods_ahead`, in the step of those seen: an index."""
    if not isinstance(index, pd.DatetimeIndex):
        return pd.RangeIndex(len(index) + 1, len(index) + periods_ahead + 1) if periods_ahead else index[:0]
    months = np.diff(index.year * 12 + index.month)
    if len(months) and months.min() >= 1:
        steps = [pd.DateOffset(months=int(np.median(months)) * k) for k in range(1, periods_ahead + 1)]
    else:
        steps = [pd.Timedelta(days=int(np.median(np.diff(index).astype("timedelta64[D]").astype(int))) * k)
                 for k in range(1, periods_ahead + 1)]  # fmt: skip
    return pd.DatetimeIndex([index[-1] + step for step in steps], dtype=index.dtype)


def _peak(model, sales, seed):
    (m_ci_low, m_ci_high), (low, high) = _drawn(model, seed)
    place = max(int(np.ceil(model.peak)), 1)
    when = sales.index.append(future_times(sales.index, max(place - len(sales), 0)))[place - 1]
    past = "past" if high < len(sales) else "to come" if low > len(sales) else "near the last period seen"
    summary = f"peak {past}; more was sold than it holds possible" if sales.sum() > m_ci_high else f"peak {past}"
    return {
        "model": model.title, "m": model.m, "m_ci_low": m_ci_low, "m_ci_high": m_ci_high, "peak": model.peak,
        "peak_ci_low": low, "peak_ci_high": high, "peak_time": when, "sold_share": sales.sum() / model.m,
        "sigma": model.uncertainty.sigma,
        "summary": summary,
    }  # fmt: skip


def _drawn(model, seed):
    """Intervals of m and of the peak."""
    each = list(draws(model, REPLICATES, seed))
    return [tuple(map(float, _ends(np.array([getattr(drawn, of) for drawn in each])))) for of in ("m", "peak")]


def _ends(values):
    return np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)


def _sigmas(model, each, rng):
    """A standard deviation for each drawn curve: that of its own residuals, as far off as their number leaves open."""
    periods = model.uncertainty.df_resid + len(parameter_names(model))
    logs = np.log([[getattr(drawn, name) for name in parameter_names(model)] for drawn in each])
    squares = np.exp([-2 / periods * model.uncertainty.log_likelihood(at) for at in logs])
    return np.sqrt(squares / rng.chisquare(periods, len(each)))
