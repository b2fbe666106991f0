"""A path from a log of orders, taken by the process that is measured: a line of JSON for each stage."""

import json
import resource
import sys
import time

from crmlab import catalog, clv

from .scale import END

HORIZON, RATE = 365, 0.1


def main(path_taken, path, *more):
    PATHS[path_taken](path, *more)


def stage(name, work, **about):
    """Do some work, and say what it took."""
    begun, used = time.perf_counter(), time.process_time()
    found = work()
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    said = {"stage": name, "seconds": seconds, "processor": processor, "peak": peak}
    print(json.dumps(said | {key: read(found) for key, read in about.items()}), flush=True)
    return found


def totals(path):
    orders = stage("validation", lambda: catalog.orders(path), rows=lambda found: found.findings.counts["rows"])
    customers = clv.summarise(orders, END)
    frame = stage("summary", lambda: clv.collapse(customers), kinds=len)
    model = stage("BG/NBD", lambda: clv.fit(frame, "bg_nbd"))
    stage("Pareto/NBD", lambda: clv.fit(frame, "pareto_nbd"), fitted=str)
    spend = stage("Gamma-Gamma", lambda: clv.fit_spend(customers), fitted=repr)
    stage("orders ahead", lambda: clv.forecast_orders(model, frame, HORIZON), value=lambda found: found.value)
    asked = (HORIZON, RATE)
    stage("value", lambda: clv.customer_equity(model, spend, customers, *asked), value=lambda found: found.value)


def parquet(path):
    stage("validation", lambda: catalog.orders(path), rows=lambda found: found.findings.counts["rows"])


def frame(path):
    import pandas as pd

    held = pd.read_parquet(path)
    stage("validation", lambda: catalog.orders(held), rows=lambda found: found.findings.counts["rows"])


PATHS = {"totals": totals, "parquet": parquet, "frame": frame}

if __name__ == "__main__":
    main(*sys.argv[1:])
