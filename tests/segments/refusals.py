"""What is said against bad input."""

import pytest

from crmlab.contracts import InputError
from crmlab.model import Unfitted


def refused(call, *args, **options):
    """The breaches that a call raises."""
    with pytest.raises(InputError) as caught:
        call(*args, **options)
    return caught.value.breaches


def unfitted(fit, *args, **options):
    """Why a fit gives no model, and what to do."""
    found = fit(*args, **options)
    assert isinstance(found, Unfitted)
    return str(found)


def blank(call, *args, **options):
    """Why a function gives a blank."""
    found = call(*args, **options)
    assert found.empty
    return found.attrs["reason"]
