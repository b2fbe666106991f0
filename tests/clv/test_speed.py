"""How long the slice takes on the whole of CDNOW, 69,659 rows."""

from statistics import median
from time import perf_counter

from crmlab import catalog, clv


def test_cdnow_is_summarised_and_fitted_in_two_seconds():
    log = catalog.orders("cdnow")
    seconds = []
    for _ in range(3):
        begun = perf_counter()
        clv.BGNBD.fit(clv.collapse(clv.summarise(log, "1997-09-30")))
        seconds.append(perf_counter() - begun)
    assert median(seconds) < 2
