"""What is said against bad input."""

import pytest

from crmlab.contracts import InputError


def refused(call, *args, **options):
    """The breaches that a call raises."""
    with pytest.raises(InputError) as caught:
        call(*args, **options)
    return caught.value.breaches
