"""Whether nominal 95 % intervals hold what they should: a pinned, smaller version of `make bench PART=coverage`."""

import pandas as pd
import pytest

from ..bench import coverage


# one world of each has intervals that miss, so that intervals too wide are seen as well as those too narrow
@pytest.mark.parametrize(("name", "parameters", "seeds"), [("BG/NBD", 4, (0, 1)), ("NBD", 2, (1, 5, 6))])
def test_intervals_hold_most_of_what_they_should(name, parameters, seeds, monkeypatch):
    monkeypatch.setattr(coverage, "REPLICATES", 32)
    monkeypatch.setattr(coverage, "CUSTOMERS", 400)
    monkeypatch.setattr(coverage, "EACH", 5)
    share = pd.DataFrame([coverage.world(name, seed) for seed in seeds]).mean()
    assert {"prediction of orders observed", "prediction of spend observed", coverage.OF_EACH} <= set(share.index)
    assert (share >= 0.5).all(), share
    assert 0.88 <= share.mean() <= 0.99, share
    spend = share.filter(like="confidence of Gamma-Gamma's")
    assert spend.size == 3
    assert share.filter(like="confidence of").size == parameters + spend.size + (4 if name == "BG/NBD" else 3)
