"""What the models take for granted, asked of the data: a Verdict each."""

import numpy as np
from scipy import stats

from crmlab import likelihood
from crmlab.clv.models.bgbb import BGBB
from crmlab.clv.models.bgnbd import MBGNBD
from crmlab.clv.models.nbd import NBD
from crmlab.clv.models.totals import REPLICATES
from crmlab.likelihood import FitError
from crmlab.result import Verdict, number
from crmlab.stats import intervals

MIN_CUSTOMERS = 30  # customers, below which nothing is said
CHECK_CALIBRATION = "the check against later orders, rather than the model's own intervals"


def dropout_as_modelled(model, customers, level=0.95):
    """Whether customers leave or stay as the model has it: its likelihood beside that of one which has it otherwise.

    The model that has them leave is believed where twice its gain in log-likelihood over NBD, in which nobody does, is
    beyond the chi-squared quantile of its two further parameters. BG/BB, whose likelihood is of another kind, is judged
    by MBG/NBD.
    """
    staying = isinstance(model, NBD)
    claim = f"Customers {'stay' if staying else 'leave'}, as the model has it"
    stay = model if staying else likelihood.attempt(NBD.fit, customers)
    leave = likelihood.attempt(MBGNBD.fit, customers) if staying or isinstance(model, BGBB) else model
    if not (stay and leave):
        told = "a model of leaving" if stay else "NBD"
        return Verdict(claim, bool(staying or leave), f"{told} finds no maximum: {(stay and leave).reason}")
    gain = 2 * (leave.log_likelihood(customers) - stay.log_likelihood(customers))
    needed, by = stats.chi2.ppf(level, 2), "" if leave is model else ", by MBG/NBD,"
    return Verdict(
        claim,
        bool((gain > needed) != staying),
        f"twice the gain in log-likelihood of leaving{by} over staying is {number(gain)}; {number(needed)} would be "
        "chance",
        "MBG/NBD (mbg_nbd)" if staying else "NBD (nbd), and no chance of being active",
    )


def one_time_buyers_can_drop_out(model, customers):
    """Whether the model takes who ordered once for gone no less readily than others; BG/NBD never does."""
    claim, once = "One-time buyers may be gone, as others may", customers.frequency == 0
    share = customers.customers[once].sum() / customers.customers.sum()
    told = f"{share:.1%} of customers ordered once"
    if not once.any():
        return Verdict(claim, True, "nobody ordered once")
    if isinstance(model, NBD):
        return Verdict(claim, True, f"{told}; in this model nobody leaves")
    probability = model.p_alive(customers[once])
    least, most = number(probability.min()), number(probability.max())
    active = f"are all {most}" if least == most else f"run from {least} to {most}"
    return Verdict(
        claim,
        bool(probability.min() < 1),
        f"{told}; their chances of being active {active}",
        "MBG/NBD (mbg_nbd) or Pareto/NBD (pareto_nbd)",
    )


def orders_at_random(interpurchase_times, limit=1.5):
    """Whether orders come at random rather than regularly or in clumps. [Wheat & Morrison 1990]

    interpurchase_times : frame of `first_interpurchase_times`
    At random, the share z of the first of two gaps in both is uniform, and k = (1 / (4 mean (z - 1/2)^2) - 1) / 2 is 1;
    it is larger where orders are regular and smaller where they clump. Passes unless its interval lies beyond `limit`
    or below its inverse.
    """
    claim = "Orders come at random, neither regularly nor in clumps"
    if len(interpurchase_times) < MIN_CUSTOMERS:
        return Verdict(
            claim,
            False,
            f"cannot be judged on {len(interpurchase_times)} customers with three order days",
            CHECK_CALIBRATION,
        )
    apart = (
        interpurchase_times.first_interpurchase_time
        / (interpurchase_times.first_interpurchase_time + interpurchase_times.second_interpurchase_time)
        - 0.5
    ) ** 2
    mean, reach = apart.mean(), stats.norm.ppf(0.975) * apart.std() / np.sqrt(len(apart))
    low, k, high = (np.inf if v <= 0 else (1 / (4 * v) - 1) / 2 for v in (mean + reach, mean, mean - reach))
    if np.isinf(k):
        told = "the second gap is as long as the first, always: perfectly regular"
    else:
        told = (
            f"regularity k = {number(k)} (95 % {number(low)} {'and more' if np.isinf(high) else f'to {number(high)}'}"
        )
        told += "; 1 is at random)"
    return Verdict(
        claim,
        bool(low <= limit and high >= 1 / limit),
        f"{told}, {len(interpurchase_times):,} customers",
        CHECK_CALIBRATION,
    )


def observed_from_first_order(customers, initial_days=30, limit=2.0):
    """Whether the log shows customers from their first order on, rather than beginning amid their lives.

    customers : collapsed summary; ages tell when each was first seen
    A log that begins in mid-life meets its old customers at once: first orders then come more than `limit` times as
    often in its first `initial_days` as on the later days of acquisition. A log no longer than twice `initial_days`
    cannot tell.
    """
    claim = "The log begins with its customers"
    first_seen = customers.age.max() - customers.age
    span, length = int(first_seen.max()) + 1, int(customers.age.max()) + 1
    total = int(customers.customers.sum())
    if length <= 2 * initial_days:
        told = f"cannot be judged: customers are seen for {length} day{'s' * (length > 1)}"
        return Verdict(claim, False, f"{told}, and more than {2 * initial_days} are needed", "a longer log")
    early = int(customers.customers[first_seen < initial_days].sum())
    within = "on one day" if span == 1 else f"within {span} days"
    if span <= initial_days:
        return Verdict(claim, True, f"all {total:,} customers are first seen {within}: one cohort")
    times = early / initial_days / max((total - early) / (span - initial_days), 1e-9)
    return Verdict(
        claim,
        bool(times <= limit),
        f"{early:,} of {total:,} customers are first seen in the first {initial_days} of {span:,} days: "
        f"{number(times)} times the later rate a day",
        "acquired_from, to leave out who was a customer before the log began",
    )


def cohorts_homogeneous(model, customers, horizon_days, seed, limit=0.25):
    """Whether early and late customers behave alike: the model fitted to either half, and what each fit expects.

    Passes where the ratio of repeat orders of a newcomer in `horizon_days`, late to early, lies all within 1 ± `limit`.
    """
    claim = f"Early and late customers behave alike (within ±{limit:.0%})"
    instead = "a fit to the later customers alone (acquired_from)"
    late = customers.age <= _weighted_median(customers.age, customers.customers)
    if late.all():
        return Verdict(claim, False, "cannot be judged: half of the customers or more came on the first day", instead)
    try:
        fits = [type(model).fit(customers[half]) for half in (~late, late)]
    except FitError as problem:
        return Verdict(claim, False, f"cannot be judged: {problem}", instead)
    early, later = (float(fit.expected_orders_new(horizon_days)) for fit in fits)
    drawn = zip(*(likelihood.draws(fit, REPLICATES, seed + n) for n, fit in enumerate(fits)), strict=True)
    ratios = [float(b.expected_orders_new(horizon_days) / a.expected_orders_new(horizon_days)) for a, b in drawn]
    low, high = intervals.percentile_interval(ratios)
    passed = bool(1 - limit <= low and high <= 1 + limit)
    undecided = not passed and low <= 1 + limit and high >= 1 - limit
    return Verdict(
        claim,
        passed,
        f"a new customer of the later half is expected to order {number(later / early)} times as often over "
        f"{horizon_days:,} days (95 % {number(low)} to {number(high)}){', undecided' if undecided else ''}",
        instead,
    )


def mean_spend_finite(spend_model, seed):
    """Whether customers have a mean spend that is finite: Gamma-Gamma's q beyond 1, with its interval.

    spend_model : a fitted GammaGamma; Unfitted does not pass
    seed  : that of `customer_equity`, whose confidence interval, by draws of its own, is finite where this passes
    """
    claim, instead = "Mean spend is finite (Gamma-Gamma's q is above 1)", "orders alone, or the median of spend"
    if not spend_model:
        return Verdict(claim, False, f"cannot be judged: {spend_model.reason}", instead)
    row = likelihood.parameters(spend_model).loc["q"]
    told = f"q = {number(row.value)} (95 % {number(row.ci_low)} to {number(row.ci_high)})"
    lowest, _ = intervals.percentile_interval(
        [model.q for model in likelihood.draws(spend_model, REPLICATES, seed + 1)]
    )
    if row.ci_low > 1 >= lowest:
        told += ", too near 1 for a finite interval of value"
    return Verdict(claim, bool(min(row.ci_low, lowest) > 1), told, instead)


def _weighted_median(values, weights):
    order = np.argsort(values.to_numpy(), kind="stable")
    so_far = weights.to_numpy()[order].cumsum()
    return values.to_numpy()[order][np.searchsorted(so_far, so_far[-1] / 2)]
