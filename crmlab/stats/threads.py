"""One BLAS thread, so that sums are taken in one order and results are the same to the last digit."""

import functools

import scipy.linalg  # noqa: F401  brings a BLAS of its own, which must be there when they are looked for
from threadpoolctl import ThreadpoolController


def one_thread():
    """A context in which BLAS runs on one thread."""
    return _found().limit(limits=1, user_api="blas")


@functools.cache
def _found():
    """The BLAS libraries of this process; to look for them takes longer than most fits."""
    return ThreadpoolController()
