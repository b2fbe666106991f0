"""Whether the stages are what they say, and what goes with them."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.contracts import InputError
from crmlab.lifecycle.models.cycle import OverdueThresholds
from crmlab.lifecycle.models.transitions import transition_posterior
from crmlab.lifecycle.tables import cycle
from crmlab.lifecycle.tables.stages import STAGES, customer_stages
from crmlab.result import Verdict, number
from crmlab.stats.differences import Sample, one_sample

FEW = 5  # answers in each stage, and stages with so many two, for a comparison


def stage_accuracy(simulated):
    """How well the rules find known stages, beside a filter that knows how they were made: a frame by who labels.

    simulated : of `stats.simulate_lifecycle.simulate_customers`
    returns, for "rules", "filter" and "majority", which gives all the commonest stage
        macro_f1       mean of the F1 of the stages, 0 to 1
        establishment, growth, maturity, decline   F1 of each
        decline_detected   share of the spells of decline in which it was seen before they ended, 0 to 1
        decline_delay      months from the beginning of these spells to when it was seen, on average
    """
    waits = (
        cycle.interpurchase_times(simulated.table, simulated.end),
        cycle.relative_interpurchase_times(simulated.table, simulated.end),
    )
    ruled = customer_stages(simulated.table, simulated.end, "month", OverdueThresholds.fit(*waits)).select(
        "customer_id", "period", "stage"
    )
    ruled = ruled.execute().astype({"period": simulated.truth.period.dtype})
    keys = ["customer_id", "period"]
    known = simulated.truth.merge(ruled, on=keys, suffixes=("", "_rules"), validate="1:1")
    known = known.merge(simulated.filtered, on=keys, suffixes=("", "_filter"), validate="1:1").sort_values(keys)
    labels = {"rules": known.stage_rules, "filter": known.stage_filter}
    labels["majority"] = pd.Series(known.stage.mode()[0], known.index)
    rows = {who: _scores(known.stage, predicted) | _delays(known, predicted) for who, predicted in labels.items()}
    return pd.DataFrame(rows).T.rename_axis("labels by")


def _scores(truth, predicted):
    both = truth.where(truth == predicted).value_counts()
    size = truth.value_counts().add(predicted.value_counts(), fill_value=0)
    f1 = (2 * both / size).reindex(list(STAGES)).fillna(0.0)
    return {"macro_f1": f1.mean(), **f1}


def _delays(known, predicted):
    """How soon each spell of decline is seen: a dict."""
    bad, customer = known.stage == "decline", known.customer_id
    begun = bad & ~(bad.shift(fill_value=False) & (customer == customer.shift()))
    spell = begun.cumsum()[bad]
    since = spell.groupby(spell).cumcount()
    first = since[predicted[bad] == "decline"].groupby(spell).min()
    return {"decline_detected": len(first) / max(spell.nunique(), 1), "decline_delay": first.mean()}


def stage_forecast(stage_transitions, split):
    """Customers in each stage after `split`, as foretold a period ahead by how they moved until then: a frame.

    stage_transitions : of `tables.stages`
    split   : last day whose moves are known; newcomers of a later period are left out of it
    returns, by period and stage
        expected     by the probabilities of moving up to `split`, count
        persistence  as if everybody stayed where they were, the baseline
        actual       count
    Raises InputError where no period lies on one side of `split`.
    """
    known, split = stage_transitions[stage_transitions.previous != ""], pd.Timestamp(split)
    early, late = known[known.period <= split], known[known.period > split]
    if early.empty or late.empty:
        side = "up to" if early.empty else "after"
        raise InputError(f"split = {split.date()}: no moves were seen in periods {side} it; choose another day")
    probabilities = np.vstack([alpha / alpha.sum() for alpha in transition_posterior(early).values()])
    spread = {
        side: late.pivot_table("customers", "period", side, "sum", fill_value=0)
        .reindex(columns=list(STAGES), fill_value=0)
        .rename_axis(columns="stage")
        for side in ("previous", "stage")
    }
    was = spread["previous"]
    columns = {"expected": pd.DataFrame(was.to_numpy() @ probabilities, was.index, was.columns), "persistence": was}
    return pd.DataFrame({name: part.stack() for name, part in (columns | {"actual": spread["stage"]}).items()})


def stage_forecast_beats_baselines(stage_forecast):
    """Whether moves so far foretell the next period's stages better than to take nobody to move: a Verdict."""
    wrong = stage_forecast[["expected", "persistence"]].sub(stage_forecast.actual, axis=0).abs().sum() / 2
    share = wrong / stage_forecast.actual.sum()
    return Verdict(
        "Moves between stages so far foretell the stages of a period later better than that nobody moves",
        bool(wrong.expected < wrong.persistence),
        f"{share.expected:.1%} of customers foretold in a wrong stage, on balance; "
        f"{share.persistence:.1%} if nobody moved",
        "the stages as they are, as chances of moving change over time; values of a chain are rough then",
    )


def satisfaction_by_stage(stage, satisfaction):
    """How satisfied customers of each stage are: a frame by stage.

    stage        : Series by customer_id, of `latest_stages`
    satisfaction : Series by customer_id, from a survey; those without a stage are left out
    returns      : customers, count; mean, ci_low, ci_high (95 %, t); reason why there is no interval
    """
    rows = []
    for name, values in _answers(stage, satisfaction).items():
        sample = Sample.of(values)
        reason = f"fewer than {FEW} answers" if sample.n < FEW else sample.blank()
        ends = {} if reason else one_sample(sample)
        row = {"stage": name, "customers": sample.n, "mean": sample.mean}
        row |= {f"ci_{side}": ends.get(f"ci_{side}", np.nan) for side in ("low", "high")}
        rows.append(row | {"reason": f"cannot be estimated: {reason}" if reason else ""})
    return pd.DataFrame(rows).set_index("stage")


def satisfaction_differs(stage, satisfaction):
    """Whether satisfaction differs between stages: a Verdict; see `satisfaction_by_stage`. [Kruskal & Wallis]"""
    answers = _answers(stage, satisfaction)
    groups = {name: values for name, values in answers.items() if len(values) >= FEW}
    claim = "Satisfaction differs between the stages of the relation"
    instead = "other reasons to tell who moves on: satisfaction does not"
    together = np.concatenate([*groups.values(), []])
    if len(groups) < 2 or len(np.unique(together)) < 2:
        sizes = ", ".join(f"{name} {len(values)}" for name, values in answers.items())
        why = "all answers are the same" if len(groups) > 1 else f"two stages with {FEW} answers are needed"
        return Verdict(claim, False, f"cannot be estimated: {why} ({sizes})", "a survey of more customers")
    h, p = stats.kruskal(*groups.values())
    effect = max((h - len(groups) + 1) / (len(together) - len(groups)), 0.0)
    p_text = "< 0.0001" if p < 1e-4 else f"= {number(p, 2)}"
    evidence = f"H {number(h)} on {len(groups) - 1} degrees of freedom, p {p_text}, η² {number(effect, 2)}"
    return Verdict(claim, bool(p < 0.05), f"{evidence}, {len(together):,} customers", instead)


def _answers(stage, satisfaction):
    """The answers of customers of each stage: arrays by stage."""
    both = pd.DataFrame({"stage": stage}).join(satisfaction.rename("answer"), how="inner").dropna()
    return {name: both.answer[both.stage == name].to_numpy(float) for name in STAGES}
