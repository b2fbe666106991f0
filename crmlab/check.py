"""What the data say of a claim: a Check, and the decorators that make functions give one.

An *assumption* of a model passes where the data hold it to be true within the tolerance that its claim states, fails
where they hold it to be false, and is undecided between. A *comparison* against a baseline passes where the whole
interval of the difference is on the better side of 0, fails where it is on the worse, and is undecided where it holds
0. A *finding* is neither good nor bad: yes, no or undecided. What cannot apply is "not applicable", with the reason.

A check function concludes with `judged(outcome, **values)`. Its arguments that are numbers, texts or days, and the
titles of its models, are values too; a claim names no others, as it stands even where nothing could be judged.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol, TypeAlias, overload

from crmlab.contracts.errors import InputError
from crmlab.estimate import Estimate, plain
from crmlab.guard import guarded
from crmlab.model import FitError, Model, P, T, Unfitted, why_blank
from crmlab.sentences import sentence, templates

CheckKind = Literal["assumption", "comparison", "finding"]
Outcome = Literal["passed", "failed", "yes", "no", "undecided", "not applicable"]
OUTCOMES: dict[str, tuple[str, ...]] = {
    "assumption": ("passed", "failed", "undecided", "not applicable"),
    "comparison": ("passed", "failed", "undecided", "not applicable"),
    "finding": ("yes", "no", "undecided", "not applicable"),
}
MARKS = {"passed": "✓", "failed": "✗", "yes": "●", "no": "○", "undecided": "?", "not applicable": "–"}
UNJUDGED, NOT_JUDGED = "not_judged", "Not judged: {reason}."


@dataclass(frozen=True)
class Check:
    """A claim that the data were asked about.

    Parameters
    ----------
    id : str
        `<domain>.<function>` or `<domain>.<function>.<part>`; it never changes.
    kind : str
        assumption, comparison or finding.
    outcome : str
        passed, failed, undecided or not applicable; of findings yes, no, undecided or not applicable.
    values : mapping
        What the sentences are filled with: numbers, texts, Estimates.
    case : str
        Which sentence of the summary, where one outcome has several.
    words : str
        `<package>.<name>` of the templates; by default those of the id.
    withheld : str
        Why its numbers may not be shown; empty where they may.
    """

    id: str
    kind: CheckKind
    outcome: Outcome
    values: Mapping[str, Any] = field(default_factory=dict)
    case: str = ""
    words: str = ""
    withheld: str = ""

    def __post_init__(self) -> None:
        if self.kind not in OUTCOMES or self.outcome not in OUTCOMES[self.kind]:
            raise InputError(
                f"check {self.id}: kind = {self.kind!r}, outcome = {self.outcome!r}; give one of {OUTCOMES}"
            )

    @property
    def claim(self) -> str:
        """What was asked, as a sentence that is true where the check passes."""
        return self._said("claim")

    @property
    def summary(self) -> str:
        """What the data say of it, in a sentence."""
        return self.withheld or self._said("summary")

    @property
    def recommendation(self) -> str:
        """What to do next; empty where there is nothing to be done."""
        return "" if self.withheld else self._said("recommendation")

    def __str__(self) -> str:
        said = f"[{self.outcome}] {self.claim}: {self.summary}"
        return f"{said} {self.recommendation}" if self.recommendation else said

    def as_dict(self) -> dict[str, Any]:
        """The check with its sentences, as JSON holds it."""
        values = {k: v.as_dict() if isinstance(v, Estimate) else plain(v) for k, v in self.values.items()}
        return {
            "id": self.id,
            "kind": self.kind,
            "outcome": self.outcome,
            "claim": self.claim,
            "summary": self.summary,
            "recommendation": self.recommendation,
            "values": {} if self.withheld else values,
        }

    def _said(self, part: str) -> str:
        domain, name = (self.words or self.id).split(".")[:2]
        table = templates(f"crmlab.{domain}")[name]
        said = table.get(part, "")
        if part != "claim" and self.case == UNJUDGED:
            said = NOT_JUDGED if part == "summary" else ""
        for key in (self.case, self.outcome.replace(" ", "_")):  # a case may have a sentence for each outcome
            said = said.get(key, said) if isinstance(said, dict) else said
        return sentence("" if isinstance(said, dict) else said, self.values)


@dataclass(frozen=True)
class Judgement:
    """What a check function concludes, before it bears its id: see `judged`."""

    outcome: Outcome
    values: Mapping[str, Any]
    case: str = ""
    part: str = ""


def judged(outcome: Outcome, case: str = "", part: str = "", **values: Any) -> Judgement:
    """The conclusion of a check function: its outcome, and the values that fill its sentences."""
    return Judgement(outcome, values, case, part)


Parts: TypeAlias = Callable[..., Mapping[str, Mapping[str, Any]]]


def _undivided(**_: Any) -> Mapping[str, Mapping[str, Any]]:
    return {"": {}}


class CheckDecorator(Protocol):
    """Makes a function that gives a Judgement, or a list of them, give the Check, or Checks.

    Where an argument is blank, a function that gives a list gives a Check for each of `parts`, which takes the
    arguments by name and gives part -> the values that its claim names beside them.
    """

    @overload
    def __call__(self, ask: Callable[P, Judgement]) -> Callable[P, Check]: ...

    @overload
    def __call__(self, ask: Callable[P, list[Judgement]]) -> Callable[P, list[Check]]: ...

    @overload
    def __call__(self, *, parts: Parts) -> "CheckDecorator": ...


def _check(kind: CheckKind) -> CheckDecorator:
    def decorate(ask: Callable[..., Any] | None = None, *, parts: Parts = _undivided) -> Any:
        if ask is None:
            return functools.partial(decorate, parts=parts)
        ask = guarded(ask)
        signature, name = inspect.signature(ask), f"{ask.__module__.split('.')[1]}.{ask.__name__}"
        several = signature.return_annotation == list[Judgement]

        @functools.wraps(ask)
        def asked(*given: Any, **named: Any) -> Any:
            bound = signature.bind(*given, **named)
            bound.apply_defaults()
            scalars = _scalars(bound.arguments)
            found, reason = [], why_blank(*bound.arguments.values())
            try:
                if not reason:
                    found = ask(*given, **named) if several else [ask(*given, **named)]
            except FitError as problem:
                reason = problem.advised
            if reason:
                divided = parts(**bound.arguments).items()
                found = [judged("not applicable", UNJUDGED, part, reason=reason, **own) for part, own in divided]
            made = [_made(name, kind, each, scalars) for each in found]
            return made if several else made[0]

        asked.check_kind = kind  # type: ignore[attr-defined]
        return asked

    return decorate


def _made(name: str, kind: CheckKind, found: Judgement, scalars: dict[str, Any]) -> Check:
    part = f".{found.part}" if found.part else ""
    return Check(f"{name}{part}", kind, found.outcome, scalars | dict(found.values), found.case)


def _scalars(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that sentences may name even where nothing was judged: numbers, texts, days, titles of models."""
    titled = {name: value.title for name, value in arguments.items() if isinstance(value, (Model, Unfitted))}
    return {n: v for n, v in arguments.items() if isinstance(v, (str, int, float, date))} | titled


assumption, comparison, finding = _check("assumption"), _check("comparison"), _check("finding")


def all_of(kind: CheckKind) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorates a function that gives the checks of other functions, all of one kind, in a list."""

    def decorate(ask: Callable[P, T]) -> Callable[P, T]:
        ask = guarded(ask)
        ask.check_kind = kind  # type: ignore[attr-defined]
        return ask

    return decorate


def within(low: float, high: float, least: float, most: float) -> Outcome:
    """Outcome of an assumption that a quantity lies from `least` to `most`, from the interval of its estimate.

    Examples
    --------
    >>> within(0.05, 0.18, -0.2, 0.2), within(0.3, 0.5, -0.2, 0.2), within(0.1, 0.3, -0.2, 0.2)
    ('passed', 'failed', 'undecided')
    """
    if least <= low and high <= most:
        return "passed"
    return "failed" if high < least or low > most else "undecided"


def better(low: float, high: float) -> Outcome:
    """Outcome of a comparison, from the interval of how much better a model is than the baseline.

    Examples
    --------
    >>> better(0.1, 0.3), better(-0.3, -0.1), better(-0.1, 0.2)
    ('passed', 'failed', 'undecided')
    """
    return "passed" if low > 0 else "failed" if high < 0 else "undecided"


def beyond(low: float, high: float, null: float = 0.0) -> Outcome:
    """Outcome of a finding that a quantity is larger than `null`, from the interval of its estimate.

    Examples
    --------
    >>> beyond(0.1, 0.3), beyond(-0.3, -0.1), beyond(-0.1, 0.2)
    ('yes', 'no', 'undecided')
    """
    return "yes" if low > null else "no" if high < null else "undecided"
