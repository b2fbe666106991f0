"""The formulas of Pareto/NBD in mpmath, with digits to spare: slow, plain, and none of our code.

Fader & Hardie (2005), "A Note on Deriving the Pareto/NBD Model and Related Expressions"; for discounted orders Fader,
Hardie & Lee (2005), "RFM and CLV". `model` is (r, alpha, s, beta).
"""

import mpmath as mp

mp.mp.dps = 60


def _leaving(model, x, t):
    """The integral of s (alpha + u)^-(r + x) (beta + u)^-(s + 1) from t on: A0 of the note, times s / (r + s + x).

    By Euler's transformation of its 2F1, whose own series mpmath sums a thousand times slower where x is large.
    """
    r, alpha, s, beta = map(mp.mpf, model)
    large, small, power = (alpha, beta, s + 1) if alpha >= beta else (beta, alpha, r + x)
    m, z = r + s + x, (large - small) / (large + t)
    gauss = (1 - z) ** (1 - power) * mp.hyp2f1(1, m + 1 - power, m + 1, z)
    return s / m * gauss / (large + t) ** m


def log_likelihood(model, x, t_x, T):
    r, alpha, s, beta = map(mp.mpf, model)
    here = (alpha + T) ** -(r + x) * (beta + T) ** -s
    gone = _leaving(model, x, t_x) - _leaving(model, x, T)
    return mp.log(mp.rf(r, x) * alpha**r * beta**s * (here + gone))


def odds_gone(model, x, t_x, T):
    r, alpha, s, beta = map(mp.mpf, model)
    return (_leaving(model, x, t_x) - _leaving(model, x, T)) * (alpha + T) ** (r + x) * (beta + T) ** s


def p_alive(model, x, t_x, T):
    return 1 / (1 + odds_gone(model, x, t_x, T))


def orders_while_alive(model, x, T, days):
    """Of a living customer; the limit where s is 1."""
    r, alpha, s, beta = map(mp.mpf, model)
    if s == 1:
        s += mp.mpf(10) ** -25
    return (r + x) * (beta + T) / (alpha + T) / (s - 1) * (1 - ((beta + T) / (beta + T + days)) ** (s - 1))


def discounted_while_alive(model, x, T, delta, days=None):
    """Of a living customer, by Tricomi's U; within `days`, as those of an infinite horizon less those after."""
    r, alpha, s, beta = map(mp.mpf, model)

    def after(u):
        return mp.exp(-delta * u) * ((beta + T) / (beta + T + u)) ** s * orders_for_ever(beta + T + u)

    def orders_for_ever(scale):
        return (r + x) / (alpha + T) * scale * mp.hyperu(1, 2 - s, delta * scale)

    return after(0) - (after(days) if days is not None else 0)


def chance_while_alive(model, x, T, days, count):
    """Of `count` orders within `days`, of a living customer: by quadrature over the leaving time."""
    r, alpha, s, beta = map(mp.mpf, model)
    r, alpha, beta = r + x, alpha + T, beta + T

    def orders(u):
        return mp.rf(r, count) / mp.factorial(count) * (alpha / (alpha + u)) ** r * (u / (alpha + u)) ** count

    def density(z):
        u = mp.exp(z)
        return orders(u) * s * beta**s * (beta + u) ** (-s - 1) * u

    end = mp.log(days)
    begin = min(mp.log(alpha / r), mp.log(beta / (s + 1)), end) - 45 / mp.mpf(count + 1)  # before it, e^-45 of it
    with mp.workdps(20):
        leaves = mp.quad(density, mp.linspace(begin, end, int(end - begin) + 2), method="gauss-legendre")
    return orders(mp.mpf(days)) * (beta / (beta + days)) ** s + leaves
