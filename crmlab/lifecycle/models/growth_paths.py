"""Where growth curves lead, and how far that can be known: sales to come, the peak, and what is left to be sold."""

import numpy as np
import pandas as pd

from crmlab.likelihood import draws, names
from crmlab.result import Estimate

DRAWN = 512  # curves drawn about the nearest, for the ends of intervals
LEVEL = 0.95
COLUMNS = ["period", "sales", "sold", "expected", "low", "high", "likely_low", "likely_high"]
COLUMNS += ["expected_sold", "sold_low", "sold_high"]


def path(curve, sales, ahead=0, seed=0):
    """What a fitted curve expects beside what was sold, and for `ahead` periods to come: a frame by time.

    curve : of `growth.curves`; None, where none could be fitted, leaves what was sold, and nothing to come
    period                            counted from 1 for the first
    sales, sold                       in the period, and so far; NA to come
    expected, low, high               in the period, with the confidence interval
    likely_low, likely_high           the predictive interval of what will be sold in it
    expected_sold, sold_low, sold_high  so far, with the confidence interval
    Intervals are 95 %, from curves drawn in proportion to how likely the sales make them. Before the peak they are
    narrower than they should be, as they take the curve to be the right one.
    """
    periods = np.arange(1.0, len(sales) + (ahead if curve else 0) + 1)
    if curve is None:
        frame = pd.DataFrame({"period": periods.astype(int), "sales": sales, "sold": sales.cumsum()}, sales.index)
        return frame.rename_axis("time").reindex(columns=COLUMNS)
    times = sales.index.append(later(sales.index, ahead))
    each = list(draws(curve, DRAWN, seed))
    rates, sums = (np.array([getattr(drawn, of)(periods) for drawn in each]) for of in ("sales", "cumulative"))
    rng = np.random.default_rng(seed)
    noise = _sigmas(curve, each, rng)[:, None] * rng.standard_normal(rates.shape)
    frame = pd.DataFrame({"period": periods.astype(int)}, index=times.rename("time"))
    frame["sales"] = sales.reindex(times).to_numpy()
    frame["sold"] = frame.sales.cumsum()
    frame["expected"], (frame["low"], frame["high"]) = curve.sales(periods), _ends(rates)
    frame["likely_low"], frame["likely_high"] = _ends(np.maximum(rates + noise, 0))
    frame["expected_sold"], (frame["sold_low"], frame["sold_high"]) = curve.cumulative(periods), _ends(sums)
    return frame


def peaks(fitted, refused, sales, seed=0):
    """What each growth curve says of all that will be sold, and of the peak: a frame by curve.

    fitted, refused : of `growth.curves`
    m, m_low, m_high           all that will ever be sold
    peak, peak_low, peak_high  periods from launch to the peak
    peak_time                  the period it falls in
    sold_share                 sold so far, of all that will be, 0 to 1
    sigma                      standard deviation of a period's sales about the curve
    told                       where the peak lies, and whether more was sold than the curve holds possible, so that it
                               is the wrong one; or why there is no such curve, and the rest is NA
    """
    rows = [_peak(curve, sales, seed) for curve in fitted.values()]
    rows += [{"curve": title, "told": reason} for title, reason in refused.items()]
    numbers = ["m", "m_low", "m_high", "peak", "peak_low", "peak_high", "sold_share", "sigma"]
    frame = pd.DataFrame(rows, columns=["curve", *numbers[:6], "peak_time", *numbers[6:], "told"]).set_index("curve")
    return frame.astype(dict.fromkeys(numbers, float))


def facts(curve, seed=0):
    """All that will ever be sold, and when the peak falls, as Estimates: facts for a Result."""
    m, peak = _drawn(curve, seed)
    return {
        "market_potential": Estimate(curve.m, *m),
        "peak_after": Estimate(curve.peak, *peak, unit="periods"),
    }


def later(index, ahead):
    """The times of the next `ahead` periods, in the step of those seen: an index."""
    if not isinstance(index, pd.DatetimeIndex):
        return pd.RangeIndex(len(index) + 1, len(index) + ahead + 1) if ahead else index[:0]
    months = np.diff(index.year * 12 + index.month)
    if len(months) and months.min() >= 1:
        steps = [pd.DateOffset(months=int(np.median(months)) * k) for k in range(1, ahead + 1)]
    else:
        steps = [pd.Timedelta(days=int(np.median(np.diff(index).astype("timedelta64[D]").astype(int))) * k)
                 for k in range(1, ahead + 1)]  # fmt: skip
    return pd.DatetimeIndex([index[-1] + step for step in steps], dtype=index.dtype)


def _peak(curve, sales, seed):
    (m_low, m_high), (low, high) = _drawn(curve, seed)
    place = max(int(np.ceil(curve.peak)), 1)
    when = sales.index.append(later(sales.index, max(place - len(sales), 0)))[place - 1]
    past = "past" if high < len(sales) else "to come" if low > len(sales) else "near the last period seen"
    told = f"peak {past}; more was sold than it holds possible" if sales.sum() > m_high else f"peak {past}"
    return {
        "curve": curve.title, "m": curve.m, "m_low": m_low, "m_high": m_high, "peak": curve.peak, "peak_low": low,
        "peak_high": high, "peak_time": when, "sold_share": sales.sum() / curve.m, "sigma": curve.around.sigma,
        "told": told,
    }  # fmt: skip


def _drawn(curve, seed):
    """Intervals of m and of the peak."""
    each = list(draws(curve, DRAWN, seed))
    return [tuple(map(float, _ends(np.array([getattr(drawn, of) for drawn in each])))) for of in ("m", "peak")]


def _ends(values):
    return np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)


def _sigmas(curve, each, rng):
    """A standard deviation for each drawn curve: that of its own residuals, as far off as their number leaves open."""
    periods = curve.around.free + len(names(curve))
    logs = np.log([[getattr(drawn, name) for name in names(curve)] for drawn in each])
    squares = np.exp([-2 / periods * curve.around.log_likelihood(at) for at in logs])
    return np.sqrt(squares / rng.chisquare(periods, len(each)))
