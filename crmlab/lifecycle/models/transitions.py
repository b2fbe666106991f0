"""How customers move from stage to stage, and whether the present stage alone decides it."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.lifecycle.tables.stages import STAGES
from crmlab.result import Verdict, number

PRIOR = 0.5  # Jeffreys', for each move that the rules allow
IMPOSSIBLE = (("growth", "establishment"), ("maturity", "establishment"))  # orders so far never become fewer
ALPHA = 0.05  # of the test of the Markov property


def transition_counts(stage_transitions):
    """Customers by stage a period earlier (rows) and stage (columns), all periods together: a frame."""
    known = stage_transitions[stage_transitions.previous != ""]
    table = known.pivot_table("customers", "previous", "stage", "sum", fill_value=0)
    return table.reindex(index=list(STAGES), columns=list(STAGES), fill_value=0).astype("int64")


def transition_posterior(stage_transitions):
    """What is known of the moves out of each stage: Dirichlet parameters by stage, 0 where the rules allow no move."""
    seen = transition_counts(stage_transitions)
    return {
        stage: np.array([0.0 if (stage, to) in IMPOSSIBLE else PRIOR + seen.loc[stage, to] for to in STAGES])
        for stage in STAGES
    }


def transition_probabilities(stage_transitions):
    """The chance of moving from each stage to each in a period: a frame, one row a pair of stages.

    stage_transitions : of `tables.stages`
    returns
        previous, stage
        customers  who moved so, count; one customer counts once a period
        n          customers in `previous`, count
        probability   posterior mean under Jeffreys' prior
        ci_low, ci_high   its 95 % interval; it takes moves as independent, and is too narrow where customers differ
        reason     why there is none
    """
    seen, rows = transition_counts(stage_transitions), []
    for previous, known in transition_posterior(stage_transitions).items():
        total = known.sum()
        for stage, alpha in zip(STAGES, known, strict=True):
            row = {"previous": previous, "stage": stage}
            row |= {"customers": seen.loc[previous, stage], "n": seen.loc[previous].sum()}
            ci_low, ci_high = stats.beta.ppf((0.025, 0.975), alpha, total - alpha) if alpha else (np.nan, np.nan)
            found = {"probability": alpha / total, "ci_low": ci_low, "ci_high": ci_high, "reason": ""}
            if not alpha:
                found |= {"reason": "impossible: orders so far never become fewer"}
            if not row["n"]:
                found = dict.fromkeys(("probability", "ci_low", "ci_high"), np.nan)
                found |= {"reason": f"cannot be estimated: nobody was in {previous} and seen a period later"}
            rows.append(row | found)
    return pd.DataFrame(rows)


def markov_order_test(stage_transitions):
    """Whether the stage two periods ago matters beside the last one: likelihood-ratio tests, a frame by `previous`.

    n        moves with two periods before them, count
    g2, df   twice the gain in log-likelihood of a second-order chain over a first-order one, and its degrees of
             freedom, of the cells that were seen [Anderson & Goodman 1957]
    p        by chi-squared, rough where there are `sparse_cells`
    sparse_cells   cells in which fewer than five are expected, count
    dissimilarity  share of moves that would have to change for the present stage alone to decide them, 0 to 1
    reason   why there is no test
    The last row, "all", sums them.
    """
    known = stage_transitions[(stage_transitions.previous != "") & (stage_transitions.before_previous != "")]
    rows = [_order_test(stage, known[known.previous == stage]) for stage in STAGES]
    found = pd.DataFrame(rows).set_index("previous")
    whole = found[["n", "g2", "df", "sparse_cells"]].sum()
    dissimilarity = (found.dissimilarity * found.n).sum() / max(whole.n, 1)
    found.loc["all"] = {**whole, "dissimilarity": dissimilarity, "reason": "" if whole.df else _untested(whole.n)}
    tested = found.df > 0
    found["p"] = stats.chi2.sf(found.g2, found.df.where(tested))
    found.loc[~tested, ["g2", "dissimilarity"]] = np.nan
    found = found.astype({"n": "int64", "df": "int64", "sparse_cells": "int64"})
    return found[["n", "g2", "df", "p", "sparse_cells", "dissimilarity", "reason"]]


def _order_test(stage, known):
    """One row of `markov_order_test`."""
    table = known.pivot_table("customers", "before_previous", "stage", "sum", fill_value=0)
    seen = table.to_numpy(float)
    total = seen.sum()
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / max(total, 1)
    df = max(seen.shape[0] - 1, 0) * max(seen.shape[1] - 1, 0)
    g2 = 2 * (seen[seen > 0] * np.log(seen[seen > 0] / expected[seen > 0])).sum()
    dissimilarity = np.abs(seen - expected).sum() / 2 / max(total, 1)
    row = {"previous": stage, "n": total, "g2": g2 if df else 0.0, "df": df, "sparse_cells": (expected < 5).sum()}
    return row | {"dissimilarity": dissimilarity, "reason": "" if df else _untested(total)}


def _untested(total):
    return f"cannot be estimated: {total:,.0f} moves, which do not differ in what came before or after"


def first_order_markov(markov_order_test):
    """Whether the present stage alone decides the next one: a Verdict on `markov_order_test`, at ALPHA."""
    whole, claim = markov_order_test.loc["all"], "The present stage alone decides the next one"
    instead = (
        "values over a few periods, and `markov_order_test` to see which stages remember; the values for ever are rough"
    )
    if not whole.df:
        return Verdict(claim, False, whole.reason, instead)
    p = "< 0.0001" if whole.p < 1e-4 else f"= {number(whole.p, 2)}"
    summary = f"G² {number(whole.g2)} on {whole.df:,} degrees of freedom, p {p}"
    most = markov_order_test.dissimilarity.drop("all").idxmax()
    summary += f"; {whole.dissimilarity:.1%} of {whole.n:,} moves would have to change, of those out of {most} "
    return Verdict(claim, bool(whole.p > ALPHA), summary + f"{markov_order_test.dissimilarity[most]:.1%}", instead)


def spend_by_stage(stage_transitions):
    """What customers spend in a period that ends in each stage: a frame by stage.

    customers  count, once a period
    mean       in the currency of the data, returns deducted
    standard_error   of the mean
    """
    sums = (
        stage_transitions.groupby("stage")[["customers", "spend", "spend_squares"]]
        .sum()
        .reindex(list(STAGES), fill_value=0)
    )
    count = sums.customers.where(sums.customers > 0)
    mean = sums.spend / count
    spread = (sums.spend_squares / count - mean**2).clip(lower=0)
    return pd.DataFrame({"customers": sums.customers, "mean": mean, "standard_error": np.sqrt(spread / count)})
