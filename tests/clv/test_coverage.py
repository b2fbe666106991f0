"""Whether nominal 95 % intervals hold what they should: a pinned, smaller version of `make bench PART=coverage`."""

import pandas as pd
import pytest

from ..bench import coverage

WORLDS = 24


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameters"), [("BG/NBD", 4), ("NBD", 2)])
def test_intervals_hold_what_they_should_in_most_worlds(name, parameters, monkeypatch):
    monkeypatch.setattr(coverage, "REPLICATES", 32)
    monkeypatch.setattr(coverage, "CUSTOMERS", 800)
    monkeypatch.setattr(coverage, "EACH", 10)
    found = pd.DataFrame(filter(None, (coverage.world(name, seed) for seed in range(WORLDS))))
    assert len(found) >= 0.9 * WORLDS  # the rest had no clear maximum, and were refused
    share = found.mean()
    assert {"prediction of orders observed", "prediction of spend observed", coverage.OF_EACH} <= set(share.index)
    assert (share >= 0.83).all(), share  # fewer than 20 of 24 would have a probability of one in 170
    assert 0.9 <= share.mean() <= 0.99  # .95 within three standard errors of 24 worlds whose intervals err together
    spend = share.filter(like="confidence of Gamma-Gamma's")
    assert spend.size == 3
    assert share.filter(like="confidence of").size == parameters + spend.size + (4 if name == "BG/NBD" else 3)
