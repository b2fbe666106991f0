"""How far growth curves missed what came, and where the products of a shop stand."""

import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models.growth import Bass
from crmlab.lifecycle.models.growth_backtest import COLUMNS, LAST, rolling
from crmlab.lifecycle.models.growth_paths import peaks
from crmlab.lifecycle.models.product_stages import stages, strip
from crmlab.lifecycle.models.shapes import shape
from crmlab.likelihood import FitError, attempt
from crmlab.result import Verdict, number

CLAIM = "A growth curve foretells sales better than the best simple rule"
ERRORS = ("naive", "origins", "of", "bias", "mae", "against", "against_mae", "ratio", "nearer_from")


def put_to_test(sales):
    """How growth curves fared: the table of `growth_backtest.rolling`, `growth_errors`, and `growth_is_foretold`.

    Where there are too few periods for it, the frames are empty and the Verdict says why.
    """
    try:
        table = rolling(sales)
    except FitError as reason:
        nothing = pd.DataFrame(columns=ERRORS, index=pd.Index([], name="rule"))
        return pd.DataFrame(columns=COLUMNS), nothing, Verdict(CLAIM, False, str(reason), LAST)
    errors = growth_errors(table)
    return table, errors, growth_is_foretold(errors)


def growth_errors(table):
    """How far each rule of `growth_backtest.rolling` was from what came: a frame by rule, the nearest first.

    naive        whether it is one of the simple rules
    origins, of  from how many origins it foretold, and how many there are
    bias         expected less actual, of all that was sold; 0.1 is a tenth too much
    mae          mean absolute error of a period's sales
    against      the simple rule that was nearest over all; chosen on the same later sales, which speaks for it
    against_mae  its error on the periods that this rule foretold, and no others
    ratio        mae / against_mae: below 1, the rule is nearer
    nearer_from  from how many origins it was nearer
    """
    cells = table.assign(error=table.expected - table.actual)
    cells["miss"] = cells.error.abs()
    best = cells[cells.naive].groupby("rule", sort=False).miss.mean().idxmin()
    place = ["origin", "ahead"]
    rival = cells[cells.rule == best].set_index(place).miss.rename("rival")
    cells = cells.dropna(subset="expected").join(rival, on=place)
    by = cells.groupby("rule", sort=False)
    found = by.agg(naive=("naive", "first"), origins=("origin", "nunique"), mae=("miss", "mean"))
    found = found.assign(
        of=table.origin.nunique(),
        bias=by.error.sum() / by.actual.sum().where(lambda sold: sold > 0),
        against=best,
        against_mae=by.rival.mean(),
        nearer_from=_nearer(cells),
    )
    found["ratio"] = found.mae / found.against_mae.where(found.against_mae > 0)
    return found[list(ERRORS)].sort_values("ratio")


def errors_ahead(table):
    """Mean absolute error by how many periods ahead, a column a rule; only of places that all rules foretold: a frame.

    Empty where there is no such place.
    """
    wide = table.pivot(index=["origin", "ahead"], columns="rule", values="expected")
    actual = table.groupby(["origin", "ahead"]).actual.first()
    miss = wide.dropna(axis="columns", how="all").dropna().sub(actual, axis=0).abs()
    return miss.dropna().groupby("ahead").mean()[[rule for rule in table.rule.unique() if rule in miss]]


def growth_is_foretold(errors):
    """Whether a growth curve foretold sales better than the best simple rule: a Verdict, from `growth_errors`.

    It passes where a curve that could be fitted from at least half the origins was nearer on the whole, and from more
    than half of its origins.
    """
    raced = errors[~errors.naive & (errors.origins * 2 >= errors.of)]
    if raced.empty:
        most = int(errors[~errors.naive].origins.max()) if (~errors.naive).any() else 0
        told = f"no curve could be fitted from half of {errors.of.iloc[0]} origins (at most {most})"
        return Verdict(CLAIM, False, told, str(errors.against.iloc[0]))
    best = raced.iloc[0]
    passed = bool(best.ratio < 1 and best.nearer_from * 2 > best.origins)
    told = (
        f"{best.name} misses a period by {number(best.mae)} on average, {best.against} by {number(best.against_mae)}; "
        f"it was nearer from {best.nearer_from} of {best.origins} origins"
    )
    return Verdict(CLAIM, passed, told, str(best.against))


def overview(frame, per_year=1, most=20, seed=0):
    """Where each category stands: a frame by category, those that sold most first, `most` of them at most.

    frame : category, time, sales, of `products.sales` or `products.series`
    periods, sales  how many, and their sum
    growth          rate in the last year; NA where there is none
    stage           of the last period, and since which period, as `since`
    shape           of sales so far, or "cannot be estimated"
    peak_time       the period of Bass's peak, where that curve could be fitted
    told            what could not be said, and why
    """
    largest = frame.groupby("category").sales.sum().sort_values(ascending=False, kind="stable").index[:most]
    rows = {name: _standing(frame[frame.category == name].set_index("time").sales, per_year, seed) for name in largest}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("category")


def _standing(sales, per_year, seed):
    row = {"periods": len(sales), "sales": sales.sum(), "growth": pd.NA, "stage": pd.NA, "since": pd.NaT}
    row |= {"shape": pd.NA, "peak_time": pd.NaT, "told": ""}
    try:
        path = stages(sales, per_year)
        row |= {"growth": path.growth.iloc[-1], "stage": path.stage.iloc[-1], "since": strip(path)["first"].iloc[-1]}
        row["shape"] = (found := shape(sales, per_year)).name
        row["told"] = f"{found.name}: {found.told}"
        if bass := attempt(Bass.fit, sales):
            row["peak_time"] = peaks({Bass.title: bass}, {}, sales, seed).peak_time[Bass.title]
    except InputError as reason:
        row["told"] = str(reason)
    return row


def _nearer(cells):
    """From how many origins each rule's mean error was below its rival's."""
    means = cells.groupby(["rule", "origin"])[["miss", "rival"]].mean()
    return (means.miss < means.rival).groupby("rule").sum()
