"""Nodes and weights for the integrals that the models share."""

from functools import cache

import numpy as np
from scipy.special import expit

LOST = 40  # e^-40 of a whole is lost in its last digit
MOST_NODES = 4000  # beyond what any log needs; it keeps the strangest parameters affordable


def beta_nodes(a, b, shape, v):
    """Nodes and weights of an expectation over p ~ Beta(a, b) of functions of (1 + p v)^-shape.

    b, shape, v : columns, one row a distribution
    The trapezoidal rule in logit(p), whose error falls with exp(-10 / step). Beyond the nodes at either end the density
    is geometric and such a function hardly changes, or there is no mass: the end weights hold all that is beyond.
    """
    mode, width, bend = np.log(a) - np.log(b), np.sqrt(1 / a + 1 / b), np.log1p(shape * v)
    left = (LOST + bend) / a + np.sqrt(2 * (LOST + bend)) * width
    right = LOST / b + np.sqrt(2 * LOST) * width
    low = np.maximum(mode - left, np.minimum(mode, -LOST - bend))
    high = np.minimum(mode + right, np.maximum(mode, LOST))
    step = np.minimum(0.28, 0.5 * np.sqrt(1 / a + 1 / (b + shape)))
    count = int(min(np.ceil((high - low) / step).max(), MOST_NODES))
    step = (high - low) / count
    off = low - mode + step * np.arange(count + 1)
    towards = np.where(off > 0, a, b)
    weight = np.exp(towards * np.abs(off) - (a + b) * np.log1p(towards / (a + b) * np.expm1(np.abs(off))))
    weight[:, :1] /= -np.expm1(-a * step)
    weight[:, -1:] /= -np.expm1(-b * step)
    return expit(mode + off), weight / weight.sum(axis=1, keepdims=True)


@cache
def legendre(count):
    """Nodes and weights of Gauss and Legendre's quadrature from 0 to 1."""
    node, weight = np.polynomial.legendre.leggauss(count)
    return (node + 1) / 2, weight / 2
