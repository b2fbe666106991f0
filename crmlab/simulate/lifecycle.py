"""Customers whose stage is known in every month, with the filter that knows how they were made.

Each customer is in a hidden state; states belong to stages, growth has three, each brisker than the last, and decline
two: buying less, and hardly at all. Orders come as a Poisson process at the rate of the state times the customer's own
pace, and cost a gamma amount of its mean. States change at the ends of calendar months.
"""

from dataclasses import dataclass
from datetime import date

import ibis
import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import logsumexp

from crmlab.contracts import MONEY

MONTH = 30.4375  # days, on average


@dataclass(frozen=True)
class StageProcess:
    """How customers live.

    states : (stage, orders a month, mean spend an order) of each hidden state; the first is where all begin
    moves  : probability of moving from each state (row) to each (column) at the end of a month
    paces  : by how much a customer's rate may differ from others', each equally probable
    shape  : of the gamma spend of an order; the larger, the more alike orders are
    """

    states: tuple = (
        ("establishment", 0.7, 20.0),
        ("growth", 1.2, 24.0),
        ("growth", 2.0, 30.0),
        ("growth", 3.2, 36.0),
        ("maturity", 4.0, 40.0),
        ("decline", 0.8, 18.0),
        ("decline", 0.04, 15.0),
    )
    transition: tuple = (
        (0.68, 0.20, 0.00, 0.00, 0.00, 0.02, 0.10),
        (0.00, 0.44, 0.50, 0.00, 0.00, 0.03, 0.03),
        (0.00, 0.00, 0.45, 0.50, 0.00, 0.03, 0.02),
        (0.00, 0.00, 0.00, 0.46, 0.50, 0.03, 0.01),
        (0.00, 0.00, 0.00, 0.00, 0.96, 0.03, 0.01),
        (0.00, 0.04, 0.02, 0.00, 0.04, 0.60, 0.30),
        (0.02, 0.02, 0.01, 0.00, 0.01, 0.00, 0.94),
    )
    rate_multipliers: tuple = (0.6, 1.4)
    shape: float = 3.0


@dataclass(frozen=True)
class SimulatedCustomers:
    """What a world brought forth.

    orders   : customer_id, time, amount: one row an order, to the cent
    truth    : customer_id, period (first day of the month), stage: one row a customer and month since the first order
    filtered : the same, by the likeliest stage given all that was seen up to the month's end
    end      : last day, that of a month
    """

    orders: pd.DataFrame
    truth: pd.DataFrame
    filtered: pd.DataFrame
    end: date

    @property
    def table(self):
        """The orders as a validated table: lazy rows of the TRANSACTIONS contract."""
        table = ibis.memtable(self.orders)
        return table.mutate(amount=table.amount.cast(MONEY), order_day=table.time.date())


def simulate_customers(
    world: StageProcess | None = None,
    customers: int = 1000,
    months: int = 24,
    acquired_over: int = 12,
    seed: int = 0,
    first: str = "2024-01",
) -> SimulatedCustomers:
    """Customers of a world, acquired evenly over the first months, as Lives."""
    world, rng = world or StageProcess(), np.random.default_rng(seed)
    calendar = pd.period_range(first, periods=months, freq="M")
    length = calendar.days_in_month.to_numpy()
    joined, rate_multiplier = rng.integers(0, acquired_over, customers), rng.choice(world.rate_multipliers, customers)
    joined_on = (rng.random(customers) * length[joined]).astype(int)
    state = _states(world, joined, months, rng)
    exposed = np.where(np.arange(months) == joined[:, None], length - 1 - joined_on[:, None], length)
    exposed = np.where(state >= 0, exposed, 0)
    rate, mean = (np.array([s[k] for s in world.states], float) for k in (1, 2))
    count = rng.poisson(exposed / MONTH * rate_multiplier[:, None] * rate[state])
    orders = _orders(world, count, exposed, joined, joined_on, state, mean, length, rng)
    stage = np.array([s[0] for s in world.states])
    found = _filter(world, count, _sums(orders, count.shape), exposed)
    names = np.char.zfill(np.arange(customers).astype(str), len(str(customers - 1)))
    days, (who, when) = calendar.start_time, np.nonzero(state >= 0)
    cells = {"customer_id": names[who], "period": days[when]}
    orders = pd.DataFrame(
        {
            "customer_id": names[orders.customer],
            "time": days[orders.month] + pd.to_timedelta(orders.day, unit="D"),
            "amount": orders.amount,
        }
    )
    return SimulatedCustomers(
        orders.sort_values(["customer_id", "time"], ignore_index=True),
        pd.DataFrame(cells | {"stage": stage[state[who, when]]}),
        pd.DataFrame(cells | {"stage": found[who, when]}),
        calendar[-1].end_time.date(),
    )


def _states(world, joined, months, rng):
    """The hidden state of each customer in each month, -1 before the first order: an array."""
    steps = np.cumsum(world.transition, axis=1)
    state = np.full((len(joined), months), -1)
    for month in range(months):
        before = state[:, month - 1] if month else state[:, 0]
        moved = (rng.random(len(joined))[:, None] > steps[before]).sum(axis=1)
        state[:, month] = np.where(joined == month, 0, np.where(joined < month, moved, -1))
    return state


def _orders(world, count, exposed, joined, joined_on, state, mean, length, rng):
    """One row an order, the first of each customer included: customer, month, day of it from 0, amount."""
    customer, month = (np.repeat(place.ravel(), count.ravel()) for place in np.indices(count.shape))
    since = length[month] - exposed[customer, month]
    day = since + (rng.random(customer.size) * exposed[customer, month]).astype(int)
    everybody = np.arange(len(joined))
    customer, month = np.append(everybody, customer), np.append(joined, month)
    day = np.append(joined_on, day)
    spent = rng.gamma(world.shape, mean[state[customer, month]] / world.shape)
    return pd.DataFrame({"customer": customer, "month": month, "day": day, "amount": np.maximum(spent.round(2), 0.01)})


def _sums(orders, shape):
    """Spend of each customer in each month, and how many orders it is of, the first one included."""
    cell = orders.customer * shape[1] + orders.month
    size = shape[0] * shape[1]
    return tuple(np.bincount(cell, weight, size).reshape(shape) for weight in (orders.amount, None))


def _filter(world, count, sums, exposed):
    """The likeliest stage of each customer in each month, given counts and spend up to its end: an array of names."""
    stages = list(dict.fromkeys(s[0] for s in world.states))
    rate, mean = (np.array([s[k] for s in world.states], float) for k in (1, 2))
    spend, orders = (part[..., None] for part in sums)
    with np.errstate(divide="ignore"):
        transition, first = np.log(np.array(world.transition)), np.log(np.eye(len(rate))[0])
    paid = np.where(orders > 0, stats.gamma.logpdf(spend, world.shape * orders, scale=mean / world.shape), 0.0)
    known = np.full((len(world.rate_multipliers), *count.shape, len(rate)), -np.inf)
    member = np.array([[s[0] == stage for s in world.states] for stage in stages])
    for place, rate_multiplier in enumerate(world.rate_multipliers):
        seen = paid + stats.poisson.logpmf(count[..., None], exposed[..., None] / MONTH * rate_multiplier * rate)
        log = np.broadcast_to(first, (len(count), len(rate)))
        begun = np.zeros(len(count), bool)
        for month in range(count.shape[1]):
            ahead = logsumexp(log[:, :, None] + transition, axis=1)
            log = np.where(begun[:, None], ahead, first)
            present = orders[:, month, 0] > 0
            begun |= present
            log = np.where(begun[:, None], log + seen[:, month], first)
            known[place, :, month] = log
    probability = np.exp(known - known.max(axis=(0, 3), keepdims=True)).sum(axis=0)
    return np.array(stages)[(probability @ member.T).argmax(axis=2)]
