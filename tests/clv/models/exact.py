"""The formulas of the papers in mpmath, with digits to spare: slow, plain, and none of our code.

BG/NBD: Fader, Hardie & Lee (2005) eq. 6 to 10, (2008) for the probability of being alive; MBG/NBD is the same with one
more opportunity to leave, `at_once`, and while alive is a BG/NBD whose b is greater by one. Gamma-Gamma: Fader & Hardie
(2013) eq. 1a. `model` is (r, alpha, a, b) or (p, q, gamma).
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60  # below 50, mpmath's own hyp2f1 is wrong at large parameters


def log_likelihood(model, x, t_x, T, at_once=0):
    r, alpha, a, b = map(mp.mpf, model)
    stays = x + at_once
    common = mp.gamma(r + x) / mp.gamma(r) * alpha**r / mp.beta(a, b)
    here = mp.beta(a, b + stays) / (alpha + T) ** (r + x)
    gone = mp.beta(a + 1, b + stays - 1) / (alpha + t_x) ** (r + x) if stays > 0 else 0
    return mp.log(common * (here + gone))


def p_alive(model, x, t_x, T, at_once=0):
    r, alpha, a, b = map(mp.mpf, model)
    stays = x + at_once
    return 1 / (1 + a / (b + stays - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)) if stays > 0 else mp.mpf(1)


def chance_while_alive(model, x, T, days, n):
    """Of exactly n orders in the next days: none of them the last, or the n-th the last."""
    r, alpha, a, b = map(mp.mpf, model)
    k, scale, later = r + x, alpha + T, b + x
    stay, go = scale / (scale + days), days / (scale + days)
    rate_of = lambda n: mp.gamma(k + n) / mp.gamma(k) / mp.factorial(n) * stay**k * go**n  # noqa: E731
    still = mp.beta(a, later + n) / mp.beta(a, later) * rate_of(n)
    at_least = 1 - mp.fsum(rate_of(j) for j in range(n))
    return still + (mp.beta(a + 1, later + n - 1) / mp.beta(a, later) * at_least if n else 0)


def orders_while_alive(model, x, T, days):
    """The closed form of eq. 10 without its last factor; its limit where a is 1."""
    r, alpha, a, b = map(mp.mpf, model)
    if a == 1:
        a += mp.mpf(10) ** -25
    z = days / (alpha + T + days)
    return (a + b + x - 1) / (a - 1) * (1 - (1 - z) ** (r + x) * mp.hyp2f1(r + x, b + x, a + b + x - 1, z))


def discounted_while_alive(model, x, T, discount_annual, days=None):
    """The integral of the discounted rate of orders, in s = log(1 + u / (alpha + T)); infinite, to e^-60."""
    r, alpha, a, b = map(mp.mpf, model)
    delta = mp.log(1 + mp.mpf(discount_annual)) / 365
    scale, k = alpha + T, r + x + 1
    end = mp.log1p((days if days is not None else 60 / delta) / scale)

    def rate(s):
        v = mp.expm1(s)
        return mp.exp(s - delta * scale * v) * mp.hyp2f1(k, a, a + b + x, -v)

    panels = int(3 * end) + 2
    with mp.workdps(50):
        return (r + x) * mp.quad(rate, mp.linspace(0, end, panels + 1), method="gauss-legendre", maxdegree=4)


def spend_log_likelihood(model, x, m):
    p, q, gamma, m = map(mp.mpf, (*model, m))
    constant = mp.gamma(p * x + q) / (mp.gamma(p * x) * mp.gamma(q))
    return mp.log(constant * gamma**q * m ** (p * x - 1) * mp.mpf(x) ** (p * x) / (gamma + m * x) ** (p * x + q))


def derivatives(function, theta):
    """Gradient and Hessian of a function of theta, by mpmath's differences."""
    n = len(theta)
    at = [mp.mpf(v) for v in theta]

    def order(*which):
        return tuple(which.count(i) for i in range(n))

    gradient = [mp.diff(function, at, order(i)) for i in range(n)]
    upper = {(i, j): mp.diff(function, at, order(i, j)) for i in range(n) for j in range(i, n)}
    return gradient, [[upper[min(i, j), max(i, j)] for j in range(n)] for i in range(n)]


def assert_close(found, true, rel, least=1e-300):
    np.testing.assert_allclose(np.asarray(found, float), [float(v) for v in true], rtol=rel, atol=least)
