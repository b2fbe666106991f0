"""What an accepted table is, and the door that checks it.

A contract names columns, the rules their values keep, and what the door may do about returns and
zero amounts. Past the door, code trusts its input: names, types and values are as stated here.
"""

from crmlab.contracts import companions, transactions
from crmlab.contracts.door import SHOWN
from crmlab.contracts.terms import (
    CONTRACTS,
    CUSTOMERS,
    FILE,
    PRODUCTS,
    RETENTION,
    ROW,
    SERIES,
    STORES,
    SUBSCRIPTIONS,
    TRANSACTIONS,
    Column,
    Contract,
    ContractName,
    InputError,
    Policy,
    Validated,
    infer_contract,
)
from crmlab.readings import MONEY

__all__ = [
    "CONTRACTS",
    "CUSTOMERS",
    "FILE",
    "MONEY",
    "PRODUCTS",
    "RETENTION",
    "ROW",
    "SERIES",
    "SHOWN",
    "STORES",
    "SUBSCRIPTIONS",
    "TRANSACTIONS",
    "Column",
    "Contract",
    "ContractName",
    "InputError",
    "Policy",
    "Validated",
    "infer_contract",
    "validate",
]


def validate(raw, where, policy=None, faults=()):
    """The checked table behind a raw one, with what the door of its contract counted.

    raw    : lazy table, its columns text or typed; FILE and ROW, where it has them, say where a row stands
    where  : the name of the source, as the user knows it
    policy : how to read it, its contract among that
    faults : breaches found in reading it; rows are then not to be told apart, and only columns are checked
    Raises InputError with every breach: what, where, how many rows, the first five, what to do.
    """
    policy = policy or Policy()
    module = transactions if policy.contract == "transactions" else companions
    return module.validate(raw, where, policy, faults)
