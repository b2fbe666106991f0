"""How customers move from stage to stage, and whether the present stage alone decides it."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.lifecycle.tables.stages import STAGES
from crmlab.result import Verdict, number

PRIOR = 0.5  # Jeffreys', for each move that the rules allow
IMPOSSIBLE = (("growth", "establishment"), ("maturity", "establishment"))  # orders so far never become fewer
LEVEL = 0.05  # of the test of the Markov property


def counts(moves):
    """Customers by stage a period earlier (rows) and stage (columns), all periods together: a frame."""
    known = moves[moves.previous != ""]
    table = known.pivot_table("customers", "previous", "stage", "sum", fill_value=0)
    return table.reindex(index=list(STAGES), columns=list(STAGES), fill_value=0).astype("int64")


def posterior(moves):
    """What is known of the moves out of each stage: Dirichlet parameters by stage, 0 where the rules allow no move."""
    seen = counts(moves)
    return {
        stage: np.array([0.0 if (stage, to) in IMPOSSIBLE else PRIOR + seen.loc[stage, to] for to in STAGES])
        for stage in STAGES
    }


def transitions(moves):
    """The chance of moving from each stage to each in a period: a frame, one row a pair of stages.

    moves     : of `tables.stages`
    returns
        previous, stage
        customers  who moved so, count; one customer counts once a period
        of         customers in `previous`, count
        chance     0 to 1: posterior mean under Jeffreys' prior
        low, high  its 95 % interval; it takes moves as independent, and is too narrow where customers differ
        reason     why there is none
    """
    seen, rows = counts(moves), []
    for previous, known in posterior(moves).items():
        total = known.sum()
        for stage, alpha in zip(STAGES, known, strict=True):
            row = {"previous": previous, "stage": stage}
            row |= {"customers": seen.loc[previous, stage], "of": seen.loc[previous].sum()}
            low, high = stats.beta.ppf((0.025, 0.975), alpha, total - alpha) if alpha else (np.nan, np.nan)
            found = {"chance": alpha / total, "low": low, "high": high, "reason": ""}
            if not alpha:
                found |= {"reason": "impossible: orders so far never become fewer"}
            if not row["of"]:
                found = dict.fromkeys(("chance", "low", "high"), np.nan)
                found |= {"reason": f"cannot be estimated: nobody was in {previous} and seen a period later"}
            rows.append(row | found)
    return pd.DataFrame(rows)


def memory(moves):
    """Whether the stage two periods ago matters beside the last one: likelihood-ratio tests, a frame by `previous`.

    moves    moves with two periods before them, count
    g2, df   twice the gain in log-likelihood of a second-order chain over a first-order one, and its degrees of
             freedom, of the cells that were seen [Anderson & Goodman 1957]
    p        by chi-squared, rough where cells are `thin`
    thin     cells in which fewer than five are expected, count
    apart    share of moves that would have to change for the present stage alone to decide them, 0 to 1
    reason   why there is no test
    The last row, "all", sums them.
    """
    known = moves[(moves.previous != "") & (moves.before != "")]
    rows = [_memory(stage, known[known.previous == stage]) for stage in STAGES]
    found = pd.DataFrame(rows).set_index("previous")
    whole = found[["moves", "g2", "df", "thin"]].sum()
    apart = (found.apart * found.moves).sum() / max(whole.moves, 1)
    found.loc["all"] = {**whole, "apart": apart, "reason": "" if whole.df else _untested(whole.moves)}
    tested = found.df > 0
    found["p"] = stats.chi2.sf(found.g2, found.df.where(tested))
    found.loc[~tested, ["g2", "apart"]] = np.nan
    found = found.astype({"moves": "int64", "df": "int64", "thin": "int64"})
    return found[["moves", "g2", "df", "p", "thin", "apart", "reason"]]


def _memory(stage, known):
    """One row of `memory`."""
    table = known.pivot_table("customers", "before", "stage", "sum", fill_value=0)
    seen = table.to_numpy(float)
    total = seen.sum()
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / max(total, 1)
    df = max(seen.shape[0] - 1, 0) * max(seen.shape[1] - 1, 0)
    g2 = 2 * (seen[seen > 0] * np.log(seen[seen > 0] / expected[seen > 0])).sum()
    apart = np.abs(seen - expected).sum() / 2 / max(total, 1)
    row = {"previous": stage, "moves": total, "g2": g2 if df else 0.0, "df": df, "thin": (expected < 5).sum()}
    return row | {"apart": apart, "reason": "" if df else _untested(total)}


def _untested(total):
    return f"cannot be estimated: {total:,.0f} moves, which do not differ in what came before or after"


def is_markov(memory):
    """Whether the present stage alone decides the next one: a Verdict on `memory`, by its test at LEVEL."""
    whole, claim = memory.loc["all"], "The present stage alone decides the next one"
    instead = "values over a few periods, and `memory` to see which stages remember; the values for ever are rough"
    if not whole.df:
        return Verdict(claim, False, whole.reason, instead)
    p = "< 0.0001" if whole.p < 1e-4 else f"= {number(whole.p, 2)}"
    told = f"G² {number(whole.g2)} on {whole.df:,} degrees of freedom, p {p}"
    most = memory.apart.drop("all").idxmax()
    told += f"; {whole.apart:.1%} of {whole.moves:,} moves would have to change, of those out of {most} "
    return Verdict(claim, bool(whole.p > LEVEL), told + f"{memory.apart[most]:.1%}", instead)


def spending(moves):
    """What customers spend in a period that ends in each stage: a frame by stage.

    customers  count, once a period
    mean       in the currency of the data, returns deducted
    error      standard error of the mean
    """
    sums = moves.groupby("stage")[["customers", "spend", "squares"]].sum().reindex(list(STAGES), fill_value=0)
    count = sums.customers.where(sums.customers > 0)
    mean = sums.spend / count
    spread = (sums.squares / count - mean**2).clip(lower=0)
    return pd.DataFrame({"customers": sums.customers, "mean": mean, "error": np.sqrt(spread / count)})
