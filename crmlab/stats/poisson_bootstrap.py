"""The Poisson bootstrap, whose weights are the same in every run: they follow from a customer's id and a key alone.

Replicates of two runs that share customers are then paired, so that a difference is judged by its own error, and not by
those of both runs.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

REPLICATES = 200
LEAST = 2 * REPLICATES  # customers; of fewer, sums over many draws could be solved for what each of them adds
GOLDEN, FIRST, SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
CUMULATIVE = np.cumsum([np.exp(-1.0) / factorial for factorial in np.cumprod([1.0, *range(1, 20)])])  # Poisson, mean 1


def weights(ids: Iterable[Any], key: bytes, replicates: int = REPLICATES) -> np.ndarray:
    """How often each customer is drawn: Poisson of mean 1, by a hash of the id and of the number of the draw.

    Parameters
    ----------
    ids : iterable
        Ids of customers.
    key : bytes
        Without which nobody can tell how often somebody was drawn.
    replicates : int
        How many draws.

    Returns
    -------
    numpy.ndarray of int16
        Customers x replicates.

    Notes
    -----
    Numbers by Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators (SplitMix64), each customer
    with a stream of its own; the Poisson bootstrap is that of Chamandy et al. (2012).

    Examples
    --------
    >>> drawn = weights(["a", "b"], b"key")
    >>> bool((drawn == weights(["b", "a"], b"key")[::-1]).all())
    True
    """
    hashes = (hashlib.blake2b(str(one).encode(errors="surrogatepass"), digest_size=8, key=key[:64]) for one in ids)
    seeds = np.fromiter((int.from_bytes(each.digest(), "little") for each in hashes), np.uint64)
    found = np.empty((len(seeds), replicates), np.int16)
    with np.errstate(over="ignore"):
        for place in range(replicates):
            mixed = seeds + GOLDEN * np.uint64(place + 1)
            mixed = (mixed ^ (mixed >> np.uint64(30))) * FIRST
            mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND
            uniform = ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53
            found[:, place] = np.searchsorted(CUMULATIVE, uniform, side="right")
    return found
