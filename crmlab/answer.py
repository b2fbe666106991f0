"""The answer of a report: what was found and how sure, how it did on later data, and the check that matters most.

`<domain>/sentences.toml` holds a table for each report under `answers`: `found` lists sentences about facts by name, of
which the first is taken whose facts are there; `later` and `decisive` list ids of checks, those that matter most first.
A field of `found` names a fact that has a value, `{fact.reason}` one that is blank, and `{group_*.highest}` or
`{group_*.lowest}` that of a group. The sentences about checks stand in crmlab/sentences.toml.
"""

import string
from collections.abc import Mapping, Sequence
from typing import Any, cast

from crmlab.check import Check
from crmlab.contracts.errors import InputError, suggest
from crmlab.display import words
from crmlab.estimate import Estimate, Kind, written
from crmlab.sentences import sentence, templates

FIRST = 3  # facts that open the answer of a report without sentences of its own
BAD = ("failed", "undecided")  # outcomes, the worst first


def composed(answer: str, facts: Mapping[str, Estimate], checks: Sequence[Check]) -> list[str]:
    """The answer of a report: what was found, what later data say, and the check that matters most, with what to do.

    Parameters
    ----------
    answer : str
        `<domain>.<name>` of its templates; empty takes the first facts and the order of the checks.
    facts : mapping of str to Estimate
        By name, those of the headline first.
    checks : sequence of Check
        As they were made.

    Returns
    -------
    list of str
        Sentences; none where there are neither facts nor checks.

    Raises
    ------
    InputError
        Where there are no such templates.
    """
    table = _table(answer) if answer else {}
    judged = [check for check in checks if check.kind != "finding"]
    later = sorted(_named(table.get("later", ()), judged), key=lambda check: check.outcome == "not applicable")[:1]
    others = [check for check in judged if check not in later and check.outcome != "not applicable"]
    found, matters = _found(table.get("found", ()), facts), _that_matters(table, others, bool(later))
    return [each for each in (found, *map(_of_later_data, later), matters) if each]


def _table(answer):
    domain, _, name = answer.partition(".")
    try:
        known = templates(f"crmlab.{domain}").get("answers", {})
    except (ModuleNotFoundError, FileNotFoundError):
        raise InputError(f"answer = {answer!r}: no domain {domain!r}; write <domain>.<name>") from None
    if name not in known:
        raise InputError(f"answer = {answer!r}: not in crmlab/{domain}/sentences.toml; {suggest(name, known)}")
    return known[name]


def _named(ids, checks):
    """The checks that the ids name, whole or by their first parts, in the order of the ids."""
    by_id = [[check for check in checks if f"{check.id}.".startswith(f"{each}.")] for each in ids]
    return [check for held in by_id for check in held]


def _found(alternatives, facts):
    """The first sentence whose facts are there; where none is, the first facts."""
    for each in alternatives:
        try:
            return _Facts().vformat(each, (), facts)
        except LookupError:
            continue
    said = "; ".join(f"{words(name)}: {_short(fact)}" for name, fact in list(facts.items())[:FIRST])
    return f"{said[0].upper()}{said[1:]}." if said else ""


def _of_later_data(check):
    said = templates("crmlab")["answer"]["later"]
    summary = _with_advice(check) if check.outcome == "failed" else check.summary
    return sentence(said[check.outcome.replace(" ", "_")], {"summary": summary})


def _with_advice(check):
    """What a check says, and what to do."""
    return " ".join(filter(None, (check.summary, check.recommendation)))


def _that_matters(table, checks, others):
    """How many checks failed or are undecided, what the one of them that matters most says, and what to do."""
    if not checks:
        return ""
    said, counts = templates("crmlab")["answer"], {bad: sum(c.outcome == bad for c in checks) for bad in BAD}
    worst = next((bad for bad in BAD if counts[bad]), "")
    values = counts | {"n": len(checks), "other": "other " if others else ""}
    if not worst:
        return sentence(said["all_passed"]["one" if len(checks) == 1 else "several"], values)
    ordered = [*_named(table.get("decisive", ()), checks), *checks]
    summary = _with_advice(next(check for check in ordered if check.outcome == worst))
    among = f"one_{worst}" if len(checks) == 1 else worst if counts["undecided"] else "failed_alone"
    return sentence(said["matters"][among], values | {"summary": summary})


def _short(fact):
    """An Estimate with one interval: that of the value that will be observed, where it is known."""
    if not fact:
        return str(fact)
    known = [(name, low, high) for name, low, high in reversed(fact.intervals())][:1]
    ends = [f" ({100 * fact.level:.4g} % {n} {fact.written(low)} to {fact.written(high)})" for n, low, high in known]
    return " ".join(filter(None, (fact.written(fact.value), fact.unit))) + "".join(ends)


class _Facts(string.Formatter):
    """Fills sentences with facts; LookupError where one is not as the sentence needs it."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        name, _, wanted = field_name.partition(".")
        if name.endswith("*"):
            return self._extreme(name[:-1], wanted, kwargs), name
        fact = kwargs[name]
        if bool(fact) == (wanted == "reason"):
            raise LookupError(name)
        return (fact.reason if wanted else fact), name

    @staticmethod
    def _extreme(prefix, wanted, facts):
        group = {name.removeprefix(prefix): fact for name, fact in facts.items() if name.startswith(prefix) and fact}
        if not group:
            raise LookupError(prefix)
        name = {"highest": max, "lowest": min}[wanted](group, key=lambda each: group[each].value)
        return f"{words(name)}, {_short(group[name])}"

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Estimate):
            return written(value.value, cast(Kind, format_spec)) if format_spec else _short(value)
        return str(value)
