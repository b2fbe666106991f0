"""How the customers of each class are treated: the playbook, checked.

A playbook is TOML, a table for each class of each scheme, as [abc.A] or [brand_loyalty."heavy, switcher"]:

    principle      how to treat them, a sentence
    owner          who answers for it
    budget_share   share of the scheme's budget, 0 to 1; those of a scheme sum to 1
    success        the measure by which one sees that it works

It may also hold where classes end and the thresholds that schemes must meet, in the tables [cuts] and [thresholds].
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from crmlab.contracts import InputError, suggest
from crmlab.contracts.settings import faults, read_settings, read_toml

ALIKE = 1e-6


class Treatment(BaseModel, frozen=True, extra="forbid"):
    """How one class is treated."""

    principle: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    budget_share: float = Field(ge=0, le=1)
    success: str = Field(min_length=1)


class Cuts(BaseModel, frozen=True, extra="forbid"):
    """Where classes end, as far as that is not learned from customers.

    Parameters
    ----------
    abc : tuple of float
        Shares of all value that classes reach together, 0 to 1, rising.
    current, potential : float, optional
        High is above these, in the currency of the data; None takes the median of customers.
    strength : float, optional
        A strong store is above it, 1 an average store; None takes the median of customers.
    """

    abc: tuple[FiniteFloat, ...] = (0.8, 0.95)  # cumulative shares of value
    current: FiniteFloat | None = None  # margin of the window that is high above it; None takes the median
    potential: FiniteFloat | None = None
    strength: FiniteFloat | None = None  # of a store, where eight classes are made

    @property
    def matrix(self) -> dict[str, float | None]:
        """What `ValueMatrix.fit` takes of them."""
        return {"current_cut": self.current, "potential_cut": self.potential}

    @property
    def classes(self) -> dict[str, float | None]:
        """What `EightClasses.fit` takes of them."""
        return self.matrix | {"strength_cut": self.strength}


class Policy(BaseModel, frozen=True):
    """What a playbook holds besides treatments.

    Parameters
    ----------
    cuts : Cuts
        Where classes end.
    thresholds : dict
        Name -> threshold that schemes must meet, of `Thresholds`.
    """

    given_by: ClassVar[str] = "segments.load_policy"
    cuts: Cuts = Cuts()
    thresholds: dict[str, FiniteFloat] = {}


def load_policy(path: str | Path) -> Policy:
    """The policy of a playbook: where classes end, and the thresholds of schemes.

    Parameters
    ----------
    path : str or Path
        A TOML file.

    Returns
    -------
    Policy
        Of its tables [cuts] and [thresholds]; the defaults where it has none.

    Raises
    ------
    InputError
        Where the file cannot be read, or has other fields than it may have.
    """
    return read_settings(Policy, _given(Path(path)), Path(path).name)


def load_playbook(path: str | Path, schemes: Iterable[Any] = ()) -> pd.DataFrame:
    """The treatment of each class, checked.

    Parameters
    ----------
    path : str or Path
        A TOML file.
    schemes : iterable of Scheme
        Schemes that must have a treatment for each of their `labels`, by their `name`.

    Returns
    -------
    DataFrame
        By scheme and label, in the order of the file. principle, owner, success, text; budget_share, 0 to 1.

    Raises
    ------
    InputError
        Where TOML or fields are wrong, shares do not sum to 1, or classes are missing; with everything at once.
    """
    path = Path(path)
    given = {scheme: classes for scheme, classes in _given(path).items() if scheme not in Policy.model_fields}
    rows: dict[tuple[str, str], Treatment] = {}
    breaches: list[str] = []
    for scheme, classes in given.items():
        read, wrong = _classes(scheme, classes)
        rows |= read
        breaches += wrong
    for scheme in schemes:
        breaches += _lacking(scheme, given.get(scheme.name, {}))
    if breaches:
        raise InputError(*(f"{path.name}: {breach}" for breach in breaches))
    index = pd.MultiIndex.from_tuples(rows, names=["scheme", "label"])
    return pd.DataFrame([row.model_dump() for row in rows.values()], index, list(Treatment.model_fields))


def _given(path):
    return read_toml(path, f"there is no playbook {path}; give the path of one, such as data/playbook.toml")


def _classes(scheme, classes):
    """The treatments of a scheme by (scheme, label), and what is wrong with them."""
    if not isinstance(classes, dict) or not classes:
        return {}, [f"{scheme} holds no classes; write a table for each, as [{scheme}.LABEL]"]
    read, wrong = {}, []
    for label, fields in classes.items():
        try:
            read[scheme, label] = Treatment.model_validate(fields)
        except ValidationError as problem:
            wrong += faults(problem, Treatment, fields, f"[{scheme}.{label!r}]")
    total = sum(row.budget_share for row in read.values())
    if not wrong and abs(total - 1) > ALIKE:
        wrong.append(f"[{scheme}] budget_share sums to {total:g}; let its classes share 1")
    return read, wrong


def _lacking(scheme, classes):
    lacking = ", ".join(repr(label) for label in scheme.labels if label not in classes)
    if not classes:
        yield f"there are no treatments for {scheme.name}; add a table for each of {lacking}"
    elif lacking:
        yield f"[{scheme.name}] lacks {lacking}; add a table for each"
    for label in (label for label in classes if label not in scheme.labels):
        yield f"[{scheme.name}] has no class {label!r}; {suggest(label, scheme.labels)}"
