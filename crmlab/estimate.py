"""A number with what is known about it, and how numbers of each kind are written."""

import math
import numbers
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, Literal, get_args

import pandas as pd

from crmlab.contracts.errors import InputError, suggest

Kind = Literal["number", "count", "money", "share", "days", "ratio", "correlation", "probability", "p"]
KINDS = get_args(Kind)
OPEN = {"infinite": math.inf, "-infinite": -math.inf}  # ends of intervals, as JSON holds them
LARGEST = 10**300  # whole numbers beyond it are none that a float holds
WIDEST = 1e4  # times the smallest of several numbers, from which on each is written by itself
INTERVALS = {"ci": "confidence interval", "pi": "prediction interval"}


@dataclass(frozen=True, repr=False)
class Estimate:
    """A number with its intervals, or blank with the reason.

    Parameters
    ----------
    value : float or None
        The number; None where it could not be computed, and then `reason` says why.
    ci_low, ci_high : float, optional
        Confidence interval of the expected value; an end that the data leave open is infinite.
    pi_low, pi_high : float, optional
        Prediction interval of the value that will be observed.
    n : int, optional
        How many observations the number rests on.
    unit : str
        What is counted or paid: "orders", "USD".
    kind : str
        How the number is written: one of number, count, money, share, days, ratio, correlation, probability, p.
    reason : str
        Why the value is blank.
    level : float
        Confidence level of the intervals.
    conditional : bool
        Whether the intervals hold for these customers alone: they leave out who else might have come.
    deviations : callable, optional
        Gives by how much the value differs in each replicate of `crmlab.stats.poisson_bootstrap`, an array; a run keeps
        it, so that the value can be compared with that of a run which shares customers.

    Examples
    --------
    >>> print(Estimate(1653.2, pi_low=1440, pi_high=1842, unit="orders", kind="count"))
    1,653 orders (95 % prediction interval 1,440 to 1,842)
    >>> print(Estimate(None, reason="there are no repeat buyers"))
    blank: there are no repeat buyers
    """

    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    pi_low: float | None = None
    pi_high: float | None = None
    n: int | None = None
    unit: str = ""
    kind: Kind = "number"
    reason: str = ""
    level: float = 0.95
    conditional: bool = False
    deviations: Callable[[], Any] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ("value", "ci_low", "ci_high", "pi_low", "pi_high", "n"):
            value = plain(getattr(self, name))
            object.__setattr__(self, name, OPEN.get(value, value) if isinstance(value, str) else value)
        ends = (self.ci_low, self.ci_high, self.pi_low, self.pi_high)
        if self.value is None and not self.reason:
            raise InputError("Estimate: it has no value; give a reason")
        if self.value is None and any(end is not None for end in ends):
            raise InputError("Estimate: without a value it has no interval; leave the ends out")
        if (self.ci_low is None) != (self.ci_high is None) or (self.pi_low is None) != (self.pi_high is None):
            raise InputError("Estimate: an interval has two ends; give both, or neither")
        if wrong := [v for v in (self.value, *ends, self.n) if v is not None and not _is_number(v)]:
            raise InputError(f"Estimate: {wrong[0]!r} is no number; give numbers")
        if any(low is not None and high is not None and low > high for low, high in (ends[:2], ends[2:])):
            raise InputError(
                f"Estimate: the low end of an interval is above the high one, {ends}; give the lower first"
            )
        if self.kind not in KINDS:
            raise InputError(f"Estimate: kind = {self.kind!r}; {suggest(self.kind, KINDS, f'give one of {KINDS}')}")
        if not (_is_number(self.level) and 0 < self.level < 1):
            raise InputError(f"Estimate: level = {self.level!r}; choose a share between 0 and 1, as 0.95")

    def __bool__(self) -> bool:
        return self.value is not None

    def __repr__(self) -> str:
        return f"Estimate({self})"

    def __str__(self) -> str:
        if self.value is None:
            return f"blank: {self.reason}"
        said = " ".join(filter(None, (self.written(self.value), self.unit)))
        intervals = [
            f"{100 * self.level:.4g} % {name} {self.written(low)} to {self.written(high)}"
            for name, low, high in self.intervals()
        ]
        return f"{said} ({'; '.join(intervals)})" if intervals else said

    def intervals(self) -> list[tuple[str, float, float]]:
        """Name, low and high of each interval that is known."""
        found = ((name, getattr(self, f"{key}_low"), getattr(self, f"{key}_high")) for key, name in INTERVALS.items())
        return [(name, low, high) for name, low, high in found if low is not None]

    def written(self, value: Any) -> str:
        """A value of this kind as a reader sees it, without its unit, as the ends of its intervals are written."""
        ends = [end for _, low, high in self.intervals() for end in (low, high)]
        decimals = shared_decimals([self.value, *ends]) if self.kind == "number" and ends else None
        return written(value, self.kind) if decimals is None or value is None else f"{value:,.{decimals}f}"

    def as_dict(self) -> dict[str, Any]:
        """All fields, as JSON holds them."""
        found = {name: getattr(self, name) for name in FIELDS} | ({"conditional": True} if self.conditional else {})
        return found | {name: word for name, value in found.items() for word, end in OPEN.items() if value == end}


FIELDS = tuple(each.name for each in fields(Estimate) if each.name not in ("conditional", "deviations"))


def plain(value: Any) -> Any:
    """A number of numpy's or pandas' as Python's own; None for what is no finite number's absence (NaN, NA)."""
    value = value.item() if hasattr(value, "item") else value
    value = float(value) if isinstance(value, Decimal) else value
    return None if value is pd.NA or (isinstance(value, float) and math.isnan(value)) else value


def _is_number(value: Any) -> bool:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    return not isinstance(value, int) or abs(value) < LARGEST


def written(value: Any, kind: Kind = "number") -> str:
    """A number of a kind as a reader sees it.

    Examples
    --------
    >>> [written(0.00339, "share"), written(939.8, "count"), written(69046.2, "money"), written(0.00004, "p")]
    ['0.34 %', '940', '69,046', '< .001']
    """
    value = plain(value)
    if value is None or value is pd.NaT:
        return ""
    if not _is_number(value):
        return str(value)
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    return _WRITERS[kind](value)


def number(value: Any, figures: int = 4) -> str:
    """A number for a reader: four significant figures, never fewer than its whole part, thousands parted.

    Examples
    --------
    >>> [number(value) for value in (0.25, 7.0, 12345.6, 0.0002137)]
    ['0.2500', '7', '12,346', '0.00021']
    """
    value = plain(value)
    if value is None or value is pd.NaT:
        return ""
    if not _is_number(value):
        return str(value)
    if math.isinf(value):
        return str(value)
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e15):
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        return f"{value:.1e}"
    if abs(value) >= 1e15:
        return f"{value:.3e}"
    figures = 2 if abs(value) < 1e-3 else figures
    whole = math.floor(math.log10(abs(value))) + 1
    return f"{value:,.{max(figures - max(whole, 0) - min(whole, 0), 0)}f}"


def shared_decimals(values: Iterable[Any]) -> int | None:
    """How many decimals let the smallest number show three figures, and amounts two decimals.

    None where the numbers are whole, infinite, or so far from each other that each is better written by itself.

    Examples
    --------
    >>> shared_decimals([14.96, 147.2, 0.0]), shared_decimals([0.2426, 30.9]), shared_decimals([7.0, 2.0])
    (2, 3, None)
    """
    held = [value for value in map(plain, values) if value is not None]
    if not all(map(_is_number, held)):
        return None
    sizes = [abs(float(value)) for value in held if value != 0 and not math.isnan(value)]
    if not sizes or any(map(math.isinf, sizes)) or all(size == int(size) for size in sizes):
        return None
    low, high = min(sizes), max(sizes)
    if high >= WIDEST * low or high >= 1e15 or high < 1e-3:
        return None
    return max(2 - math.floor(math.log10(low)), 2 if high < 1000 else 0)


def _money(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"


def _share(value: float) -> str:
    percent = 100.0 * value
    if near := _beside(percent, 0) or _beside(percent, 100):  # a share stays on its side of 0 and of 1
        return near
    decimals = 0 if percent in (0, 100) else 2 if min(abs(percent), abs(100 - percent)) < 1 else 1
    return f"{percent:.{decimals}f} %"


def _beside(percent, end):
    """Words for what two decimals would write as `end`, and which is not; "" for anything else."""
    if percent == end or abs(percent - end) >= 0.005:
        return ""
    return f"< {end + 0.01:.4g} %" if percent > end == 0 else f"> {end - 0.01:.4g} %" if percent < end else f"> {end} %"


def _ratio(value: float) -> str:
    """Three figures; more where they would put it on the wrong side of 1."""
    if value == 1 or abs(value - 1) >= 0.005:
        return number(value, 3)
    return number(value, (value > 1) - math.floor(math.log10(abs(value - 1))))


def _correlation(value: float) -> str:
    if 0 < abs(value) < 0.0005:  # on its side of 0
        return "< 0.001" if value > 0 else "> -0.001"
    return f"{value:.3f}"


def _probability(value: float) -> str:
    if value in (0, 1):
        return f"{value:.0f}"
    return "< 0.001" if value < 0.001 else "> 0.999" if value > 0.999 else f"{value:.3f}"


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{min(value, 1):.3f}".lstrip("0") if value < 0.9995 else "1"


_WRITERS = {
    "number": number,
    "count": lambda value: f"{round(value):,}",
    "money": _money,
    "share": _share,
    "days": lambda value: f"{round(value):,}",
    "ratio": _ratio,
    "correlation": _correlation,
    "probability": _probability,
    "p": _p,
}
