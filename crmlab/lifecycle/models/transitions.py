"""How customers move from stage to stage, and whether the present stage alone decides it."""

import numpy as np
import pandas as pd
from scipy import optimize, stats

from crmlab.lifecycle.tables.order_states import state_name
from crmlab.lifecycle.tables.stages import STAGES, customers_by
from crmlab.model import needs_fit
from crmlab.orders import need_amounts

PRIOR = 0.5  # Jeffreys', for each move that the rules allow
IMPOSSIBLE = (("growth", "establishment"), ("maturity", "establishment"))  # the number of orders so far never falls


@needs_fit
def transition_counts(stage_transitions: pd.DataFrame) -> pd.DataFrame:
    """Customers by stage a period earlier (rows) and stage (columns), all periods together.

    Parameters
    ----------
    stage_transitions : DataFrame
        Counts of moves between stages, as from `stage_transitions`.

    Returns
    -------
    DataFrame
        Counts; one customer counts once a period.
    """
    known = stage_transitions[stage_transitions.previous != ""]
    return customers_by(known, "previous").reindex(list(STAGES), fill_value=0).astype("int64")


def transition_posterior(stage_transitions):
    """Posterior of the moves out of each stage (rows): Dirichlet parameters, 0 where the rules allow no move."""
    alpha = transition_counts(stage_transitions) + PRIOR
    for move in IMPOSSIBLE:
        alpha.loc[move] = 0.0
    return alpha


@needs_fit
def transition_probabilities(stage_transitions: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """The probability of moving from each stage to each in a period.

    Parameters
    ----------
    stage_transitions : DataFrame
        Counts of moves between stages, as from `stage_transitions`.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        A row for each pair of stages:

        - previous, stage
        - customers: who moved so, count; one customer counts once a period
        - n: customers in `previous`, count
        - probability: posterior mean under Jeffreys' prior
        - ci_low, ci_high: its interval; it takes moves as independent, and is too narrow where customers differ
        - reason: why a cell is blank, or 0

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> orders, thresholds = catalog.orders("cdnow_sample"), lifecycle.OverdueThresholds((205, 173, 117), 4.9)
    >>> transitions = lifecycle.stage_transitions(orders, "1998-06-30", "month", thresholds)
    >>> moves = lifecycle.transition_probabilities(transitions).set_index(["previous", "stage"])
    >>> round(float(moves.probability["maturity", "decline"]), 3)
    0.052
    """
    found = transition_counts(stage_transitions).stack().rename("customers").reset_index()
    alpha = transition_posterior(stage_transitions).stack().to_numpy()
    total = pd.Series(alpha).groupby(found.previous).transform("sum")
    found["n"] = found.groupby("previous").customers.transform("sum")
    found["probability"] = alpha / total
    for name, tail in (("ci_low", (1 - level) / 2), ("ci_high", (1 + level) / 2)):
        found[name] = stats.beta.ppf(tail, alpha, total - alpha)  # NaN where alpha is 0
    unseen = found.n == 0
    found.loc[unseen, ["probability", "ci_low", "ci_high"]] = np.nan
    found["reason"] = np.where(alpha == 0, "impossible: the number of orders so far never falls", "")
    blank = "nobody was in " + found.previous + " a period before the end"
    return found.assign(reason=found.reason.mask(unseen, blank))


@needs_fit
def markov_order_test(transitions: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Whether the state two periods ago matters beside the last one: likelihood-ratio tests.

    Parameters
    ----------
    transitions : DataFrame
        Counts of moves between stages or states of buying, as from `stage_transitions` or `state_transitions`.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        By `previous`, the last row "all" for their sum:

        - n: moves with two periods before them, count
        - g2, df: twice the gain in log-likelihood of a second-order chain over a first-order one, and its degrees of
          freedom, of the cells that occur
        - p: by chi-squared, rough where there are `sparse_cells`
        - sparse_cells: cells in which fewer than five are expected, count
        - dissimilarity: share of moves that would have to change for the present state alone to decide them, 0 to 1
        - effect_size, effect_size_ci_low, effect_size_ci_high: Cohen's w, the root of the noncentrality of g2 per move,
          with its interval
        - reason: why there is no test

    References
    ----------
    Anderson & Goodman (1957), Statistical inference about Markov chains. Cohen (1988), Statistical Power Analysis,
    chapter 7: w of .1, .3 and .5 is a small, medium and large effect. Steiger & Fouladi (1997), Noncentrality interval
    estimation.
    """
    known = transitions[~transitions.before_previous.isin(["", -1])]
    state, states = "stage", dict(zip(STAGES, STAGES, strict=True))
    if "state" in transitions:
        state, states = "state", {code: state_name(code) for code in sorted(transitions.state.unique())}
    tests = [_order_test(name, known[known.previous == was], state) for was, name in states.items()]
    found = pd.DataFrame(tests).set_index("previous")
    whole = found[["n", "g2", "df", "sparse_cells"]].sum()
    found.loc["all"] = {**whole, "dissimilarity": (found.dissimilarity * found.n).sum() / max(whole.n, 1)}
    tested = found.df > 0
    untested = "{:,.0f} moves, which do not differ in what came before or after"
    found["reason"] = found.n.map(untested.format).mask(tested, "")
    found["p"] = stats.chi2.sf(found.g2, found.df.where(tested))
    found.loc[~tested, ["g2", "dissimilarity"]] = np.nan
    found = found.astype({"n": "int64", "df": "int64", "sparse_cells": "int64"})
    sizes = ["effect_size", "effect_size_ci_low", "effect_size_ci_high"]
    found[sizes] = [_effect_size(row.g2, row.df, row.n, level) for row in found.itertuples()]
    return found[["n", "g2", "df", "p", "sparse_cells", "dissimilarity", *sizes, "reason"]]


def _effect_size(g2, df, n, level):
    """Cohen's w with its interval, from the noncentralities under which g2 lies at either tail."""
    if not df:
        return np.nan, np.nan, np.nan
    ends = (_noncentrality(g2, df, share) for share in ((1 + level) / 2, (1 - level) / 2))
    return tuple(np.sqrt(part / n) for part in (max(g2 - df, 0.0), *ends))


def _noncentrality(g2, df, share):
    """The noncentrality under which so large a share of chi-squared lies below `g2`; 0 where none does."""
    if stats.chi2.cdf(g2, df) <= share:
        return 0.0
    most = 2 * g2 + 20 * np.sqrt(g2) + 100
    return optimize.brentq(lambda noncentrality: stats.ncx2.cdf(g2, df, noncentrality) - share, 1e-9, most)


def _order_test(name, known, state):
    """One row of `markov_order_test`."""
    table = known.pivot_table("customers", "before_previous", state, "sum", fill_value=0)
    total = table.to_numpy().sum()
    if not total:
        return {"previous": name, "n": 0, "g2": 0.0, "df": 0, "sparse_cells": 0, "dissimilarity": 0.0}
    g2, _, df, expected = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    row = {"previous": name, "n": total, "g2": g2, "df": df, "sparse_cells": (expected < 5).sum()}
    return row | {"dissimilarity": np.abs(table.to_numpy() - expected).sum() / 2 / total}


@needs_fit
def spend_by_stage(stage_transitions: pd.DataFrame) -> pd.DataFrame:
    """What customers spend in a period that ends in each stage.

    Parameters
    ----------
    stage_transitions : DataFrame
        Counts of moves between stages, as from `stage_transitions`.

    Returns
    -------
    DataFrame
        By stage:

        - customers: count, once a period
        - mean: in the currency of the data, returns deducted
        - standard_error: of the mean
    """
    need_amounts(stage_transitions.spend)
    by = stage_transitions.groupby("stage")[["customers", "spend", "spend_squares"]]
    sums = by.sum().reindex(list(STAGES), fill_value=0)
    count = sums.customers.where(sums.customers > 0)
    mean = sums.spend / count
    spread = (sums.spend_squares / count - mean**2).clip(lower=0)
    return pd.DataFrame({"customers": sums.customers, "mean": mean, "standard_error": np.sqrt(spread / count)})
