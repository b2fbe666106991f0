"""Surveys simulated in number: what a test and a row of `make bench PART=coverage` both count.

Each takes how many surveys to simulate, and gives shares of them.
"""

import tomllib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from crmlab import service_quality as sq
from crmlab.service_quality import Instrument, validate_survey
from crmlab.service_quality.models.asymmetry import penalty_reward_contrasts
from crmlab.service_quality.models.board import gaps_model
from crmlab.service_quality.models.careless import keep_rows
from crmlab.service_quality.models.complaints import resolution_ratios
from crmlab.service_quality.models.drivers import lmg, relative_importance
from crmlab.service_quality.models.gaps import gap_scores
from crmlab.service_quality.models.loyalty import loyal_share_by_level
from crmlab.service_quality.models.predictor import PolynomialRegression
from crmlab.service_quality.models.priorities import importance_performance_analysis
from crmlab.simulate.instrument import instrument_toml
from crmlab.simulate.survey import World, simulate_survey
from crmlab.stats.comparisons import holm

from .gap_worlds import answers, survey

# Gaps


def rounded_mean(mean, spread, high=7):
    """Mean of a normal opinion rounded and clipped to 1 … high."""
    edges = (np.arange(1.5, high) - mean) / spread
    return 1 + norm.sf(edges).sum()


def planted_gaps(surveys, n, means, seed):
    """Many small surveys in one, each a dimension of its own: item answers share its respondents' halo."""
    rng = np.random.default_rng(seed)
    items = len(means[0])
    halo = 0.6 * np.repeat(rng.normal(size=(n, surveys)), items, axis=1)
    expect, perceive = (
        np.clip(np.round(np.tile(m, surveys) + halo + 0.8 * rng.normal(size=halo.shape)), 1, 7) for m in means
    )
    return survey({f"{i}-": items for i in range(surveys)}, expect=expect, perceive=perceive)


def _held(table, true, surveys, ends=""):
    """Shares of surveys whose intervals hold the truth, an item or dimension each."""
    at = np.tile(true, surveys)
    inside = (table[f"{ends}ci_low"] <= at) & (at <= table[f"{ends}ci_high"])
    return inside.to_numpy().reshape(surveys, -1).mean(axis=0)


def gaps_held(surveys, replicates=500):
    """Of surveys of 60, the shares whose intervals hold the planted gap: by t, by bootstrap, and of the dimension."""
    expect_at, perceive_at = [5.5, 6.2, 4.8], [4.6, 5.9, 5.0]
    held = planted_gaps(surveys, 60, (expect_at, perceive_at), seed=11)
    true = np.array([rounded_mean(p, 1) - rounded_mean(e, 1) for e, p in zip(expect_at, perceive_at, strict=True)])
    table, whole = gap_scores(held, replicates=replicates), gap_scores(held, by="dimension", replicates=1)[:-1]
    return (
        _held(table, true, surveys),
        _held(table, true, surveys, "bootstrap_"),
        _held(whole, [true.mean()], surveys)[0],
    )


def simulated_gaps_held(surveys, size=90):
    """The shares of surveys of the simulator whose intervals hold its truth, of 22 items and of 5 dimensions.

    With regions, straight-liners, codes for missing and not applicable; the truth is that after rounding and clipping.
    The surveys' dimensions stand side by side in one.
    """
    world = World()
    raw, truth = simulate_survey(world, customers=surveys * size, seed=7)
    asked = validate_survey(raw, Instrument.model_validate(tomllib.loads(instrument_toml(world))))
    beside = [
        frame.to_numpy().reshape(surveys, size, 22).transpose(1, 0, 2).reshape(size, -1)
        for frame in (asked.expect, asked.perceive)
    ]
    sizes = {f"{i}-{d}": n for i in range(surveys) for d, n in world.dimensions.items()}
    held = survey(sizes, expect=beside[0], perceive=beside[1])
    scores = gap_scores(held, by="dimension", replicates=1)[:-1]
    items = _held(gap_scores(held, replicates=1), truth.items.gap, surveys)
    return items, _held(scores, truth.dimensions.gap, surveys)


def simultaneous_held(surveys, replicates=400):
    """The share of surveys of 60 in which the simultaneous intervals of three items hold all planted gaps."""
    expect_at, perceive_at = [5.5, 6.2, 4.8], [4.6, 5.9, 5.0]
    true = np.array([rounded_mean(p, 1) - rounded_mean(e, 1) for e, p in zip(expect_at, perceive_at, strict=True)])
    held = []
    for seed in range(surveys):
        table = gap_scores(planted_gaps(1, 60, (expect_at, perceive_at), seed), replicates=replicates)
        held.append(((table.simultaneous_ci_low <= true) & (true <= table.simultaneous_ci_high)).all())
    return np.mean(held)


@dataclass
class Errors:
    """Shares of surveys without a gap in which some item of eight seems to have one."""

    adjusted: float
    unadjusted: float


def null_gaps(surveys):
    """How often a family of eight items errs where there is no gap: by t, and by signed ranks."""
    table = gap_scores(planted_gaps(surveys, 60, ([5.2] * 8, [5.2] * 8), seed=2), replicates=1)
    for p in (table.p, table.signed_rank_p):
        wrong, alone = ((q < 0.05).groupby(table.dimension).any() for q in (holm(p, table.dimension), p))
        assert len(wrong) == surveys
        yield Errors(wrong.mean(), alone.mean())


WHO = np.array(["customer"] * 200 + ["manager"] * 15 + ["staff"] * 40)
BOARD = {"tangibles": 3, "reliability": 2}


def only(values, *audiences):
    return np.where(np.isin(WHO, audiences)[:, None], values, np.nan)


def board_world(seed=1, asked=None, **more):
    """Everybody tells expectations; customers and staff what they see; managers standards, staff promises."""
    rng = np.random.default_rng(seed)
    draw = lambda mean: answers(rng, len(WHO), 5, mean)  # noqa: E731
    batteries = {
        "expect": draw(5.8),
        "perceive": only(draw(5), "customer", "staff"),
        "standard": only(draw(5.2), "manager"),
        "promise": only(draw(6), "staff"),
    }
    people = {"audience": WHO}
    return survey(BOARD, **batteries | (asked or {}), people=people, **more)


def null_boards(boards, replicates=400):
    """The share of boards without a gap that show one of the seven: at once, and not."""
    wrong = []
    for seed in range(boards):
        rng = np.random.default_rng(seed)
        batteries = ("expect", "perceive", "standard", "promise")
        asked = {b: answers(rng, len(WHO), 5, 5.8) for b in batteries}
        table = gaps_model(board_world(seed, asked=asked), replicates=replicates)
        shown = (table.simultaneous_ci_low > 0) | (table.simultaneous_ci_high < 0)
        wrong.append([shown.any(), (table.p < 0.05).any()])
    return Errors(*np.mean(wrong, axis=0))


def two_waves(n=800, seed=1, rise=0.5, shift=0.0, loading=0.0):
    """A survey of two waves, in the second of which factors have risen; an item of "a" by `shift` more, or of another
    loading."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 2))
    later = 0.7 * factor + rise + np.sqrt(0.51) * rng.normal(size=(n, 2))
    unique = rng.normal(size=(n, 8))
    loads = np.full(8, 0.8)
    loads_later = loads - np.where(np.arange(8) == 1, loading, 0)
    answers = [np.repeat(factor, 4, axis=1) * loads, np.repeat(later, 4, axis=1) * loads_later]
    answers = [4 + each + 0.4 * unique + 0.4 * rng.normal(size=(n, 8)) for each in answers]
    answers[1][:, 0] += shift
    people = {"respondent": [f"r{i}" for i in range(n)] * 2, "wave": ["1"] * n + ["2"] * n}
    return survey({"a": 4, "b": 4}, perceive=np.vstack(answers), people=people)


def waves_rejected(surveys):
    """Where waves measure the same: shares of tests of a dimension that reject, and of surveys not comparable."""
    tables = [sq.wave_changes(two_waves(n=200, seed=seed), replicates=19) for seed in range(surveys)]
    p = np.concatenate([table[["loadings_p", "intercepts_p"]].iloc[0].to_numpy(dtype=float) for table in tables])
    return (p < 0.05).mean(), np.mean([table.comparable.iloc[0] == "no" for table in tables])


# Loyalty and complaints


def satisfied_and_loyal(p4, p5, each, seed):
    """Satisfaction and loyalty of `each` customers at 4 and at 5."""
    rng = np.random.default_rng(seed)
    satisfied = pd.Series(np.repeat([4.0, 5.0], each))
    return satisfied, pd.Series((rng.random(2 * each) < satisfied.map({4.0: p4, 5.0: p5})).astype(float))


def ratio_of_six(surveys):
    """The median of the top-box ratios found where six was planted, and the share of intervals that hold it."""
    rows = [loyal_share_by_level(*satisfied_and_loyal(0.1, 0.6, 400, seed)).iloc[-1] for seed in range(surveys)]
    held = np.mean([row.risk_ratio_ci_low <= 6 <= row.risk_ratio_ci_high for row in rows])
    return np.median([row.risk_ratio for row in rows]), held


def complainers(n, seed):
    """A world after a drinks company's survey: 9.5 people told against 4.5, and a third who stop against 3 %."""
    rng = np.random.default_rng(seed)
    resolved = rng.choice([0.0, 1.0, np.nan], n, p=[0.3, 0.3, 0.4])
    told = rng.poisson(np.where(resolved == 0, 9.5, 4.5)).astype(float)
    stopped = (rng.random(n) < np.where(resolved == 0, 0.33, 0.03)).astype(float)
    return pd.Series(resolved), pd.Series(told), pd.Series(stopped)


def complaints_held(surveys):
    """The shares of surveys of 400 whose intervals hold the planted ratios: of people told, of who stopped."""
    hits = []
    for seed in range(surveys):
        resolved, told, stopped = complainers(400, seed)
        found = resolution_ratios(resolved, {"told": told}, {"stopped": stopped}).set_index("effect")
        told, stopped = found.loc["told"], found.loc["stopped"]
        hits.append([told.ci_low <= 9.5 / 4.5 <= told.ci_high, stopped.ci_low <= 11 <= stopped.ci_high])
    return np.mean(hits, axis=0)


# Priorities

MEANS = {
    "a": (6.2, 4.0),
    "b": (6.1, 5.8),
    "c": (4.9, 4.1),
    "d": (5.0, 5.9),
    "e": (5.55, 4.95),
}  # importance, performance
PLANTED = ["concentrate here", "keep up", "low priority", "possible overkill"]


def rated(n, seed, spread=0.9):
    """Performance and importance of five attributes; the last lies on the crosshair."""
    rng = np.random.default_rng(seed)
    sides = []
    for side in (1, 0):
        means = np.array([pair[side] for pair in MEANS.values()])
        held = means + 0.4 * rng.normal(size=(n, 1)) + spread * rng.normal(size=(n, 5))
        sides.append(pd.DataFrame(np.clip(np.round(held), 1, 7), columns=list(MEANS)))
    return sides


def quadrants(surveys):
    """Of surveys of 60, the share of quadrants decided at 80 % stability, and of these the share that are wrong."""
    names, wrong, decided = list(MEANS)[:4], 0, 0
    for seed in range(surveys):
        found = importance_performance_analysis(*rated(60, seed, 1.6), replicates=200).set_index("item").loc[names]
        sure = (found.decision != "undecided").to_numpy()
        decided += sure.sum()
        wrong += (found.decision.to_numpy()[sure] != np.array(PLANTED)[sure]).sum()
    return decided / (4 * surveys), wrong / decided


def driven(n, seed, slopes=(0.6, 0.3, 0.1, 0.0), together=0.4):
    """Four drivers that go together, and an outcome."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)) * np.sqrt(1 - together) + rng.normal(size=(n, 1)) * np.sqrt(together)
    return pd.DataFrame(x, columns=list("wxyz")), pd.Series(x @ slopes + rng.normal(size=n))


def shares_held(surveys, replicates=300):
    """The shares of surveys whose intervals hold each driver's share of R², and its rank."""
    table = np.full((5, 5), 0.4)
    np.fill_diagonal(table, 1)
    slopes = np.array([0.6, 0.3, 0.1, 0.0])
    table[-1, :4] = table[:4, -1] = table[:4, :4] @ slopes
    table[-1, -1] = slopes @ table[:4, :4] @ slopes + 1
    truth = lmg(table[None])[0]
    hits, ranked = [], []
    for seed in range(surveys):
        found = relative_importance(*driven(400, seed), replicates=replicates).set_index("driver").loc[list("wxyz")]
        hits.append((found.r2_contribution_ci_low <= truth) & (found.r2_contribution_ci_high >= truth))
        ranked.append((found.rank_ci_low <= [1, 2, 3, 4]) & (found.rank_ci_high >= [1, 2, 3, 4]))
    return np.mean(hits, axis=0), np.mean(ranked, axis=0)


def asymmetric(n, seed):
    """Items that only hurt, only help, do both, and do nothing."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.integers(1, 8, (n, 4)).astype(float), columns=["hurts", "helps", "both", "nothing"])
    y = -1.0 * (x.hurts <= 3) + 1.0 * (x.helps >= 5) - 0.7 * (x.both <= 3) + 0.7 * (x.both >= 5)
    return x, y + pd.Series(rng.normal(size=n))


def penalties_held(surveys):
    """The shares of surveys whose intervals hold each item's penalty, reward and asymmetry: a column each."""
    truth = {"penalty": [-1, 0, -0.7, 0], "reward": [0, 1, 0.7, 0], "asymmetry": [-1, 1, 0, 0]}
    rows = [penalty_reward_contrasts(*asymmetric(300, seed), 3, 5) for seed in range(surveys)]
    return pd.DataFrame(
        {
            name: np.mean(
                [(row[f"{name}_ci_low"] <= value) & (row[f"{name}_ci_high"] >= value) for row in rows], axis=0
            )
            for name, value in truth.items()
        }
    )


# Which of gap, perception or both matters

N = 400
USES = {"gap": (-0.6, 0.6), "perception": (0.0, 0.6), "both": (-0.25, 0.7), "undecided": (0.0, 0.0)}  # slopes


def predictor_world(b_expect, b_perceive, seed, n=N):
    """Overall scores on a scale of 1 to 7, and a satisfaction of 1 to 5 that goes with them in whole steps."""
    rng = np.random.default_rng(seed)
    halo = rng.normal(size=n)
    expect = np.clip(5.6 + 0.5 * halo + 0.6 * rng.normal(size=n), 1, 7)
    perceive = np.clip(4.9 + 0.4 * halo + 0.8 * rng.normal(size=n), 1, 7)
    liked = 3 + b_expect * (expect - 5.6) + b_perceive * (perceive - 4.9) + 0.7 * rng.normal(size=n)
    return pd.Series(expect), pd.Series(perceive), pd.Series(np.clip(np.round(liked), 1, 5))


def use_found(use, surveys):
    """The share of surveys of a world in which its use is found."""
    fits = (PolynomialRegression.fit(*predictor_world(*USES[use], seed), middle=4) for seed in range(surveys))
    return np.mean([fit.recommended == use for fit in fits])


def apart(seed, n=N):
    """Two dimensions of which one drives satisfaction, as a gap; of expectations mostly the other varies."""
    rng = np.random.default_rng(seed)
    expect = pd.DataFrame([0.6, 1.2] * rng.normal(size=(n, 2)), columns=["a", "b"])
    perceive = pd.DataFrame(1.0 * rng.normal(size=(n, 2)), columns=["a", "b"])
    return expect, perceive, 0.6 * (perceive.a - expect.a) + pd.Series(0.7 * rng.normal(size=n))


def gap_of_one_dimension_found(surveys):
    """The shares of surveys in which a gap of one dimension of two is found: by dimensions, and by their means.

    Means over dimensions, of which only one drives, weigh expectation and perception unlike: these err.
    """
    held = [apart(seed) for seed in range(surveys)]
    split = [PolynomialRegression.fit(*each).recommended for each in held]
    means = [PolynomialRegression.fit(e.mean(axis=1), p.mean(axis=1), y).recommended for e, p, y in held]
    return split.count("gap") / surveys, means.count("gap") / surveys


def predictor_of_surveys_found(use, surveys, size=800):
    """The share of surveys of the simulator in which its predictor is found.

    The surveys are parts of a large one, whose customers know nothing of each other.
    """
    world = World(predictor=use)
    raw, _ = simulate_survey(world, customers=surveys * size, managers=40, staff=40, seed=2)
    whole = validate_survey(raw, Instrument.model_validate(tomllib.loads(instrument_toml(world)))).select("customer")
    part = np.arange(len(whole.people)) // size
    found = [sq.satisfaction_predictor(keep_rows(whole, part == i)).recommended for i in range(surveys)]
    return found.count(use) / surveys
