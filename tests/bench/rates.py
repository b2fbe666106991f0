"""How often checks, tests and intervals err, or hold what was planted, over many simulated worlds.

A row is a function of how many worlds to simulate; ROWS says how many, and the suite asks the same functions for few.
What is asked of a share over all worlds is its nominal value, and some standard errors of as many worlds.
"""

import numpy as np
from scipy import stats

from tests.clv import rates as clv
from tests.lifecycle import rates as lifecycle
from tests.segments import rates as segments
from tests.service_quality import rates as survey

from .clock import QUICK, Measured

FEW = 2


def measure():
    for row, worlds in ROWS.items():
        yield from row(FEW if QUICK else worlds)


def _error(worlds, share=0.95):
    """Standard error of a share over worlds."""
    return float(np.sqrt(share * (1 - share) / worlds))


def _near(what, share, worlds, errors, how, nominal=0.95):
    """A share that is to lie within so many standard errors of its nominal value."""
    reach = errors * _error(worlds, nominal)
    return Measured(what, float(share), min(nominal + reach, 1), how, nominal - reach)


def _least(what, share, least, how):
    return Measured(what, float(share), 1, how, least)


def planted_gaps(surveys):
    how = f"{surveys} surveys of 60"
    by_t, booted, whole = survey.gaps_held(surveys)
    for kind, share in (("lowest", by_t.min()), ("highest", by_t.max())):
        yield _near(f"gaps by t, {kind} of 3 items", share, surveys, 3.5, how)
    yield _near("gap of a dimension by t", whole, surveys, 3.5, how)
    yield _least("gaps by bootstrap, lowest of 3 items", booted.min(), 0.95 - 0.02 - 3.5 * _error(surveys), how)


def simultaneous_gaps(surveys):
    share, how = survey.simultaneous_held(surveys), f"{surveys} surveys of 60"
    yield _near("gaps of 3 items at once", share, surveys, 3.5, how)


def simulated_gaps(surveys):
    how = f"{surveys} surveys of 90"
    items, dimensions = survey.simulated_gaps_held(surveys)
    every = [*items, *dimensions]
    for kind, share in (("lowest", min(every)), ("highest", max(every))):
        yield _near(f"gaps of simulated surveys, {kind} of 22 items and 5 dimensions", share, surveys, 3.5, how)
    yield Measured("gaps of simulated surveys, mean of 22 items", float(items.mean()), 0.96, how, 0.94)


def null_gaps(surveys):
    for test, found in zip(("t", "signed ranks"), survey.null_gaps(surveys), strict=True):
        most, how = 0.05 + 2.6 * _error(surveys), f"{surveys} surveys of 60 without a gap, 8 items a family"
        yield Measured(f"families that err by {test}, by Holm", float(found.adjusted), most, how, 0.01)
        yield _least(f"families that err by {test}, unadjusted", found.unadjusted, 0.2, how)


def null_boards(boards):
    found, how = survey.null_boards(boards), f"{boards} boards of seven gaps, none of which there is"
    yield Measured("boards that err, at once", float(found.adjusted), 0.05 + 2.6 * _error(boards), how)


def comparable_waves(surveys):
    rejected, unlike = survey.waves_rejected(surveys)
    how = f"{surveys} surveys of 200 in two waves that measure the same"
    yield Measured(
        "tests of equal loadings and intercepts that reject", float(rejected), 0.05 + 3 * _error(2 * surveys), how
    )
    yield Measured("dimensions said not to be comparable", float(unlike), 0.05, how)


def top_box_ratio(surveys):
    median, held = survey.ratio_of_six(surveys)
    how = f"{surveys} surveys of 800"
    yield Measured("top-box ratio, median where 6 was planted", float(median), 6.3, how, 5.7)
    yield _least("top-box ratio", held, 0.9, how)


def complaints(surveys):
    for name, share in zip(("people told", "stopped"), survey.complaints_held(surveys), strict=True):
        yield Measured(f"ratio by complaints resolved: {name}", float(share), 0.983, f"{surveys} surveys of 400", 0.917)


def quadrants(surveys):
    decided, wrong = survey.quadrants(surveys)
    how = f"{surveys} surveys of 60"
    yield _least("quadrants decided", decided, 0.625, how)
    yield Measured("quadrants decided that are wrong", float(wrong), 0.05, how)


def shares_of_r2(surveys):
    shares, ranks = survey.shares_held(surveys)
    how = f"{surveys} surveys of 400"
    # shares near 0 lean upwards, as R² does: percentile intervals cover a little less there
    yield _least("shares of R², lowest of 4 drivers", shares.min(), 0.88, how)
    yield _least("shares of R², lower of the 2 strongest", shares[:2].min(), 0.91, how)
    yield _least("ranks of drivers, lowest of 4", ranks.min(), 0.95, how)


def penalties(surveys):
    for name, shares in survey.penalties_held(surveys).items():
        how = f"{surveys} surveys of 300, 4 items"
        yield Measured(f"{name} of an item", float(shares.mean()), 0.975, how, 0.925)


def predictor(surveys):
    # of surveys of the first two worlds .95 are right, but for power; 3 standard errors of 400 are .033
    for use, least in {"gap": 0.917, "perception": 0.917, "both": 0.887, "undecided": 0.85}.items():
        yield _least(f"predictor found: {use}", survey.use_found(use, surveys), least, f"{surveys} surveys of 400")


def gap_of_one_dimension(surveys):
    split, means = survey.gap_of_one_dimension_found(surveys)
    how = f"{surveys} surveys of 400, one dimension of two drives"
    yield _least("predictor found by dimensions: gap", split, 0.95 - 0.047, how)
    yield Measured("predictor found by means over dimensions: gap", float(means), 0.8, how)


def predictor_of_surveys(surveys):
    for use in ("gap", "perception", "both"):
        share = survey.predictor_of_surveys_found(use, surveys)
        yield _least(f"predictor of simulated surveys found: {use}", share, 0.84, f"{surveys} surveys of 800")


def pareto_parameters(worlds):
    how = f"{worlds} worlds of 1,000, 4 parameters each"
    yield _least("parameters of Pareto/NBD", clv.pareto_held(worlds), 27 / 32, how)


def value_finite(models):
    passed, finite = clv.value_finite_where_mean_spend_is(models)
    how = f"{models} models of spend, q from 1.17 to 1.28"
    yield _least("mean spend passes as finite where the interval of value is", (passed == finite).mean(), 1, how)
    yield Measured("mean spend that passes as finite", float(passed.mean()), 0.99, how, 0.01)


def clusters(worlds):
    claims, of = segments.clusters_claimed(worlds), 4 * worlds
    most = float(stats.binom.ppf(0.975, of, 0.05)) / of  # 5 %, and Monte Carlo error
    yield Measured("worlds of one kind that show clusters", claims / of, most, f"{of} worlds of 200, of four kinds")


def no_difference(backtests):
    for count in ((5, 5), (12, 2)):
        held = segments.no_difference_held(backtests, count)
        how = f"{backtests} backtests of 300"
        # .95 would give 95 of 100, and fewer than 89 once in a hundred
        yield _least(f"no difference of schemes of {count[0]} and {count[1]} segments", held.min(), 0.89, how)


def projections(worlds):
    yield _least("survival projected to period 12", lifecycle.projections_held(worlds), 0.88, f"{worlds} worlds of 800")


def growth(series):
    for periods, when in ((10, "after"), (6, "before")):
        # 95 % of four in each series, which share its errors: give or take four standard errors of as many series
        how, share = f"{series} series of {periods} sales", lifecycle.growth_held(series, periods)
        yield Measured(f"Bass curve and its peak, {when} the peak", float(share), 1, how, 0.95 - 4 * _error(series))


def continued_sales(series):
    for name, share in zip(("period", "change"), lifecycle.continued_sales_held(series), strict=True):
        how = f"{series} series of 12 sales, 4 later ones"
        yield _near(f"prediction by the last {name} again", share, series, 3.5, how)


def later_sales(series):
    how = f"{series} series of 12 sales, 4 later ones"
    yield _least("prediction of later sales", lifecycle.later_sales_held(series), 0.85, how)


def small_fits(frames):
    """An exception would end the bench."""
    for model in clv.MODELS:
        fits = clv.fits_of_small_frames(model, frames)
        said = sum(bool(fit) or bool(fit.reason) for fit in fits) / frames
        yield _least(f"fits of small frames that give {model.title} or a reason", said, 1, f"{frames} frames")


def delayed_entry(worlds):
    found, how = lifecycle.delayed_entry(worlds), f"{worlds} worlds of 20,000 contracts, mean"
    for (since, model), row in found.iterrows():
        first, kept = (0.682, 4.915) if since != "None" else (0.85, 7.9)
        near = (0.012, 0.14) if since != "None" else (0.06, 0.9)
        what = f"by {model}, observed from {since}"
        yield Measured(f"first year survived, {what}", float(row["first"]), first + near[0], how, first - near[0])
        yield Measured(f"years kept of 12, {what}", float(row.kept), kept + near[1], how, kept - near[1])


def change(worlds):
    for world in lifecycle.WORLDS:
        for customers, periods in ((1000, 6), (5000, 12)):
            share = float(lifecycle.change_claimed(world, worlds, customers, periods))
            what, how = f"change of customers claimed, {world}", f"{worlds} worlds of {customers:,}, {periods} periods"
            if world.startswith("BdW"):
                yield _least(what, share, 0.5, how)
            else:
                yield Measured(what, share, 0.05 + 2.6 * _error(worlds), how)


def spend_by_stage(worlds):
    how = f"{worlds} worlds of 400, three stages and all"
    yield _least("spend of the next three periods", lifecycle.spend_held(worlds), 0.93, how)


ROWS = {
    small_fits: 2000,
    planted_gaps: 600,
    simultaneous_gaps: 600,
    simulated_gaps: 500,
    null_gaps: 600,
    null_boards: 150,
    comparable_waves: 200,
    top_box_ratio: 200,
    complaints: 400,
    quadrants: 200,
    shares_of_r2: 300,
    penalties: 300,
    predictor: 400,
    gap_of_one_dimension: 200,
    predictor_of_surveys: 40,
    pareto_parameters: 8,
    value_finite: 45,
    clusters: 50,
    no_difference: 100,
    projections: 60,
    growth: 40,
    continued_sales: 400,
    delayed_entry: 10,
    change: 200,
    later_sales: 12,
    spend_by_stage: 200,
}
