"""What tests of contracts share: a table of one contract validated, or what is said against it."""

import pytest

from crmlab.contracts import InputError, Policy, validate


def validated(contract, raw, **policy):
    return validate(raw, "file", Policy(contract=contract, **policy))


def rows(contract, raw, **policy):
    """The accepted rows, in the order of their columns."""
    return sorted(tuple(r.values()) for r in validated(contract, raw, **policy).table.to_pyarrow().to_pylist())


def refused(contract, raw, faults=(), **policy):
    with pytest.raises(InputError) as caught:
        validate(raw, "file", Policy(contract=contract, **policy), faults)
    assert all("; " in breach for breach in caught.value.breaches), "what to do is missing"
    assert not any(word in str(caught.value) for word in ("crmlab_", "raw_", "ibis"))
    return caught.value.breaches
