"""Surveys simulated from planted gaps, drivers and faults, with the truth they should give back.

The truth is that of the reported scale: an answer is a normal opinion rounded and clipped to the scale, so its
mean is a sum over the normal distribution function, exact and not that of the opinion.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

SERVQUAL = {"tangibles": 4, "reliability": 5, "responsiveness": 4, "assurance": 4, "empathy": 5}
EXPECT = {"tangibles": 5.2, "reliability": 6.3, "responsiveness": 6.0, "assurance": 5.9, "empathy": 5.4}
PERCEIVE = {"tangibles": 4.9, "reliability": 4.9, "responsiveness": 4.3, "assurance": 5.3, "empathy": 4.8}
DRIVERS = {"tangibles": 0.1, "reliability": 0.4, "responsiveness": 0.3, "assurance": 0.15, "empathy": 0.05}
IMPORTANCE = {"tangibles": 11, "reliability": 32, "responsiveness": 23, "assurance": 19, "empathy": 15}
REGIONS = {"north": (0.4, 0.0), "south": (0.35, 0.2), "west": (0.21, -0.3), "islands": (0.04, -0.6)}
EXPECT_EFFECT = {
    "gap": 1.0,
    "both": 1 / 3,
    "perception": 0.0,
}  # how far expectations lower satisfaction, per perception
MISSING, NOT_APPLICABLE = 99, 9
# of those whose complaint was not resolved, of those whose was, of those without one
BUYING = np.array([[0.33, 0.45, 0.19, 0.02, 0.01], [0.06, 0.16, 0.63, 0.12, 0.03], [0.02, 0.08, 0.82, 0.06, 0.02]])
BUYING_LABELS = np.array(["stopped", "less", "same", "more", "much more"])


@dataclass(frozen=True)
class World:
    """What is planted. Opinions are normal, on the scale before rounding and clipping.

    expect, perceive : mean opinion by dimension; items differ from it by up to `item_spread`, evenly spread
    halo, topic      : standard deviations of what moves all items of a battery, and those of a dimension
    noise            : and of what moves one item alone
    correlation      : correlation of a respondent's expectation and perception of the same thing, but for noise
    regions          : share of customers, and change of their mean perception, by region
    wave_change      : change of mean perception from one wave to the next
    adequate         : how far the least acceptable level lies below the expected one; None does not ask it
    predictor        : what satisfaction follows: "gap" (b_E = -b_P), "perception" (b_E = 0) or "both" (b_E = -b_P / 3)
    drivers          : weight of each dimension in satisfaction; `slope` is the change by one point of all of them
    loyalty_probability : probability to buy again at each level of satisfaction, from the lowest
    managers, staff  : how far their estimate of expectations lies above the customers' expectations
    extents          : mean rating by managers of how far standards are set, and by staff of how far they are met, and
                       how far promises are kept
    straightlining   : share of customers who give one answer to all perceptions, and one to all expectations
    missing, not_applicable : probabilities that an answer is left out or its perception "not applicable"
    points_astray    : share of customers whose importance points sum to 99 or 101
    """

    dimensions: dict = field(default_factory=lambda: dict(SERVQUAL))
    expect: dict = field(default_factory=lambda: dict(EXPECT))
    perceive: dict = field(default_factory=lambda: dict(PERCEIVE))
    drivers: dict = field(default_factory=lambda: dict(DRIVERS))
    importance: dict = field(default_factory=lambda: dict(IMPORTANCE))
    low: int = 1
    high: int = 7
    item_spread: float = 0.3
    halo: float = 0.6
    topic: float = 0.5
    noise: float = 0.9
    correlation: float = 0.3
    regions: dict = field(default_factory=lambda: dict(REGIONS))
    wave_change: float = 0.2
    adequate: float | None = 1.4
    predictor: str = "both"
    slope: float = 0.9
    satisfaction_noise: float = 0.6
    loyalty_probability: tuple = (0.02, 0.05, 0.1, 0.13, 0.78)
    managers: float = -0.5
    staff: float = -0.2
    extents: tuple = (4.6, 4.2, 3.9)
    straightlining: float = 0.03
    missing: float = 0.02
    not_applicable: float = 0.02
    points_off_total: float = 0.02

    @property
    def items(self):
        """Item -> dimension; items are numbered from 1 through all dimensions."""
        owners = [dimension for dimension, count in self.dimensions.items() for _ in range(count)]
        return {str(i): dimension for i, dimension in enumerate(owners, 1)}

    def opinion(self, means):
        """Mean opinion of each item, from those of the dimensions."""
        spread = [np.linspace(-1, 1, n) if n > 1 else [0.0] for n in self.dimensions.values()]
        return np.array([means[d] for d in self.items.values()]) + self.item_spread * np.concatenate(spread)

    @property
    def spread(self):
        """Standard deviation of an opinion of an item."""
        return math.sqrt(self.halo**2 + self.topic**2 + self.noise**2)


@dataclass(frozen=True)
class Truth:
    """What a survey of a world is to give back.

    items       : one row an item and wave: item, dimension, wave, and the true mean of expect, perceive, gap, adequate,
                  and of what managers and staff take expect to be
    dimensions  : the means of these over the items of a dimension, by dimension and wave
    overall     : mean of the dimensions' gaps, by wave
    straightlining : which rows answer without reading; rows as the table
    drivers     : weight of each dimension in satisfaction
    loyalty_probability : probability to buy again at each level of satisfaction; the top-box ratio is that of the last
                          two
    """

    items: pd.DataFrame
    dimensions: pd.DataFrame
    overall: pd.Series
    straightlining: pd.Series
    drivers: pd.Series
    loyalty_probability: pd.Series

    @property
    def top_box_risk_ratio(self):
        """How much likelier the most satisfied are to buy again than those a step below."""
        return float(self.loyalty_probability.iloc[-1] / self.loyalty_probability.iloc[-2])


def reported_mean(opinion: ArrayLike, spread: float, low: int, high: int) -> np.ndarray:
    """The mean of normal opinions rounded and clipped to the scale, exact."""
    steps = np.arange(low, high) + 0.5
    below = (steps[None, :] - np.atleast_1d(opinion)[:, None]) / spread
    return high - (0.5 * (1 + np.vectorize(math.erf)(below / math.sqrt(2)))).sum(axis=1)


def truth(world: World, waves: int, straightlining: pd.Series) -> Truth:
    """What surveys of a world give back on average, straight-liners included."""
    items = pd.concat([_true_means(world, wave) for wave in range(1, waves + 1)], ignore_index=True)
    means = items.drop(columns="item").groupby(["dimension", "wave"], sort=False).mean().reset_index()
    loyalty_probability = pd.Series(
        world.loyalty_probability, index=range(1, len(world.loyalty_probability) + 1), name="loyalty_probability"
    )
    drivers = pd.Series({d: world.drivers[d] for d in world.dimensions}, name="driver")
    return Truth(items, means, means.groupby("wave").gap.mean(), straightlining, drivers, loyalty_probability)


def _true_means(world, wave):
    """The rows of `Truth.items` of one wave."""
    expect, perceive = _opinions(world, wave)

    def seen(opinion, careless=world.straightlining):
        honest = reported_mean(opinion, world.spread, world.low, world.high)
        lazy = reported_mean(opinion.mean(), math.hypot(world.halo, world.topic), world.low, world.high)
        return (1 - careless) * honest + careless * lazy

    means = {"expect": seen(expect)}
    means["perceive"] = sum(share * seen(perceive + shift) for share, shift in world.regions.values())
    means["gap"] = means["perceive"] - means["expect"]
    if world.adequate is not None:
        means["adequate"] = seen(expect - world.adequate)
    means |= {"manager": seen(expect + world.managers, 0), "staff": seen(expect + world.staff, 0)}
    return pd.DataFrame({"item": world.items.keys(), "dimension": world.items.values(), "wave": wave} | means)


def _opinions(world, wave):
    """Mean opinions of the items in a wave: expected, perceived."""
    return world.opinion(world.expect), world.opinion(world.perceive) + world.wave_change * (wave - 1)


def simulate_survey(
    world: World | None = None, customers: int = 400, managers: int = 0, staff: int = 0, waves: int = 1, seed: int = 0
) -> tuple[pd.DataFrame, Truth]:
    """The raw table of a survey, one row a respondent and wave, and its Truth.

    Columns: id, audience, wave, region, weight; E1.. P1.. A1.. S1.. R1.. (expected, perceived, adequate, standard,
    promise) and W1.. (importance points) by number; satisfaction, repurchase, recommend, complained, resolved,
    word_of_mouth,
    buying. Of managers and staff, E is the estimate of what customers expect; S is the extent to which standards are
    set (managers) or met (staff); R that to which promises are kept (staff). They answer once, in the last wave.
    """
    world = world or World()
    rng = np.random.default_rng(seed)
    table, straightlining = _customers(world, customers, waves, rng)
    others = [_others(world, who, n, waves, rng) for who, n in (("manager", managers), ("staff", staff)) if n]
    told = pd.Series(np.concatenate([straightlining, np.zeros(managers + staff, bool)]), name="straightlining")
    return pd.concat([table, *others], ignore_index=True)[list(table)], truth(world, waves, told)


def _customers(world, customers, waves, rng):
    """The rows of customers, wave after wave, and which of them answer without reading."""
    region = rng.choice(len(world.regions), customers, p=[share for share, _ in world.regions.values()])
    shift = np.array([shift for _, shift in world.regions.values()])[region]
    weight, straightlining = rng.choice([0.8, 1.0, 1.25], customers), rng.random(customers) < world.straightlining
    traits = _traits(world, customers, rng)
    parts = []
    for wave in range(1, waves + 1):
        said = _batteries(world, wave, traits, shift, straightlining, rng)
        row: dict = {"id": [f"C{i:0{len(str(customers))}d}" for i in range(1, customers + 1)], "audience": "customer"}
        row |= {"wave": wave, "region": np.array([*world.regions])[region], "weight": weight}
        columns = [_columns(letter, _with_codes(world, letter, answers, rng)) for letter, answers in said.items()]
        columns += [_columns(letter, np.full(said["E"].shape, None)) for letter in "SR"]
        columns += [_columns("W", _points(world, customers, rng)), _outcomes(world, wave, said["E"], said["P"], rng)]
        parts.append(pd.concat([pd.DataFrame(row), *columns], axis=1))
    return pd.concat(parts, ignore_index=True), np.tile(straightlining, waves)


def _traits(world, people, rng):
    """What moves all of a respondent's opinions: an array each for expected and perceived, by item."""
    dimension = pd.factorize(np.array([*world.items.values()]))[0]
    perceived = [rng.normal(size=(people, 1)), rng.normal(size=(people, len(world.dimensions)))]
    apart = math.sqrt(1 - world.correlation**2)
    expected = [world.correlation * part + apart * rng.normal(size=part.shape) for part in perceived]
    return [world.halo * halo + world.topic * topic[:, dimension] for halo, topic in (expected, perceived)]


def _reported(world, opinion):
    return np.clip(np.floor(opinion + 0.5), world.low, world.high)


def _batteries(world, wave, traits, shift, straightlining, rng):
    """Letter -> answers of customers by item, before codes."""
    expect, perceive = _opinions(world, wave)
    levels = {"E": (expect, traits[0]), "P": (perceive + shift[:, None], traits[1])}
    if world.adequate is not None:
        levels["A"] = (expect - world.adequate, traits[0])
    said = {}
    for letter, (means, trait) in levels.items():
        honest = _reported(world, means + trait + world.noise * rng.normal(size=trait.shape))
        # of one dimension, as the trait of a lazy answer must spread as that of an item
        lazy = _reported(world, np.atleast_2d(means).mean(axis=1, keepdims=True) + trait[:, :1])
        said[letter] = np.where(straightlining[:, None], lazy, honest)
    return said


def _with_codes(world, letter, answers, rng):
    """Answers as whole numbers, some left blank or coded as missing, and of perceptions some as not applicable."""
    cells = answers.astype(int).astype(object)
    probability = rng.random(answers.shape)
    cells[probability < world.missing] = MISSING
    cells[probability < world.missing / 2] = None
    if letter == "P":
        cells[probability > 1 - world.not_applicable] = NOT_APPLICABLE
    return cells


def _columns(letter, cells):
    return pd.DataFrame(cells, columns=[f"{letter}{i}" for i in range(1, cells.shape[1] + 1)], dtype=object)


def _points(world, people, rng):
    """Importance points of each dimension, whole numbers that sum to 100 but for some by one."""
    shares = np.array([world.importance[d] for d in world.dimensions], float)
    drawn = rng.dirichlet(40 * shares / shares.sum(), people) * 100
    points = np.floor(drawn).astype(int)
    rest = np.argsort(np.argsort(points - drawn, axis=1), axis=1)  # the largest remainders are rounded up
    points += rest < (100 - points.sum(axis=1))[:, None]
    points[:, 0] += np.where(rng.random(people) < world.points_off_total, rng.choice([-1, 1], people), 0)
    return np.maximum(points, 0).astype(object)


def _outcomes(world, wave, expect, perceive, rng):
    """Answers to the questions beside the batteries, which follow from what was said in them."""
    people, items = len(expect), _true_means(world, wave)
    weights = np.array([world.drivers[d] / world.dimensions[d] for d in world.items.values()])
    follows = (perceive - items.perceive.to_numpy()) - EXPECT_EFFECT[world.predictor] * (
        expect - items.expect.to_numpy()
    )
    mood = 3.8 + world.slope * follows @ weights / sum(world.drivers.values())
    mood += world.satisfaction_noise * rng.normal(size=people)
    level = np.clip(np.floor(mood + 0.5), 1, len(world.loyalty_probability)).astype(int)
    complained = rng.random(people) < np.array([0.6, 0.4, 0.2, 0.08, 0.04])[level - 1]
    resolved = rng.random(people) < 0.55
    told = rng.poisson(np.array([9.5, 9.5, 6.5, 4.5, 4.5])[level - 1] * np.where(complained & resolved, 0.5, 1))
    probabilities = BUYING[np.where(complained, np.where(resolved, 1, 0), 2)]
    buying = (rng.random((people, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return pd.DataFrame(
        {
            "satisfaction": level,
            "repurchase": (rng.random(people) < np.array(world.loyalty_probability)[level - 1]).astype(int),
            "recommend": np.clip(np.floor(2.3 * (mood - 1) + 1 + rng.normal(size=people)), 0, 10).astype(int),
            "complained": np.where(complained, "yes", "no"),
            "resolved": np.where(complained, np.where(resolved, "yes", "no"), ""),
            "word_of_mouth": told,
            "buying": BUYING_LABELS[np.minimum(buying, len(BUYING_LABELS) - 1)],
        }
    )


def _others(world, who, people, waves, rng):
    """The rows of managers or staff: what they take customers to expect, and their ratings of extents."""
    set_, met, kept = world.extents
    opinion = world.opinion(world.expect) + (world.managers if who == "manager" else world.staff)
    trait = _traits(world, people, rng)[0]
    said = {"E": opinion + trait, "S": (set_ if who == "manager" else met) + trait}
    if who == "staff":
        said["R"] = kept + trait
    parts = [
        _columns(letter, _reported(world, o + world.noise * rng.normal(size=o.shape)).astype(int).astype(object))
        for letter, o in said.items()
    ]
    letter = who[0].upper()
    row = {"id": [f"{letter}{i:0{len(str(people))}d}" for i in range(1, people + 1)], "audience": who, "wave": waves}
    blank = {"P": len(world.items)} | ({"A": len(world.items)} if world.adequate is not None else {})
    blank |= ({"R": len(world.items)} if who == "manager" else {}) | {"W": len(world.dimensions)}
    parts += [_columns(letter, np.full((people, n), None)) for letter, n in blank.items()]
    rest = [
        "region",
        "weight",
        "satisfaction",
        "repurchase",
        "recommend",
        "complained",
        "resolved",
        "word_of_mouth",
        "buying",
    ]
    return pd.concat([pd.DataFrame(row), *parts, pd.DataFrame(None, range(people), rest, dtype=object)], axis=1)
