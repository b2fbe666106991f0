"""A path from a log of orders, taken by the process that is measured: a line of JSON for each stage."""

import json
import re
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from crmlab import catalog, clv, engines

from .scale import END

HORIZON, RATE = 365, 0.1


def main(path_taken, path, *more):
    PATHS[path_taken](path, *more)


def stage(name, work, **about):
    """Do some work, and say what it took."""
    begun, used = time.perf_counter(), time.process_time()
    found = work()
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    said = {"stage": name, "seconds": seconds, "processor": processor, "peak": peak()}
    print(json.dumps(said | {key: read(found) for key, read in about.items()}), flush=True)
    return found


def peak():
    """The most memory resident so far, GB; what getrusage gives would be that of the process that began this one."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) * 1024 / 1e9


def totals(path):
    orders = stage("validation", lambda: catalog.orders(path), rows=lambda found: found.findings.counts["rows"])
    with ExitStack() as steps:
        customers = stage("summary", lambda: steps.enter_context(engines.held(clv.summarise(orders, END))))
        scored = score_table(customers)
        stage("totals", lambda: sums(scored))


def score_table(customers):
    """The lazy table of scores, by models that are fitted here."""
    frame = stage("histories", lambda: clv.collapse(customers), kinds=len)
    model = stage("BG/NBD", lambda: clv.fit(frame, "bg_nbd"), fitted=repr)
    stage("Pareto/NBD", lambda: clv.fit(frame, "pareto_nbd"), fitted=repr)
    spend = stage("Gamma-Gamma", lambda: clv.fit_spend(customers), fitted=repr, note=lambda s: clv.spend_note(s, s))
    return clv.score(customers, model, spend, HORIZON, RATE)


def sums(scored):
    """Orders and value expected of all customers."""
    return scored.aggregate(orders=scored.expected_orders.sum(), value=scored.value.sum()).execute()


def score(path, to):
    with engines.held(clv.summarise(catalog.orders(path), END)) as customers:
        scored = score_table(customers)
        stage("score", lambda: clv.write_scores(scored, to), files=len)


def parquet(path):
    stage("validation", lambda: catalog.orders(path), rows=lambda found: found.findings.counts["rows"])


def frame(path):
    import pandas as pd

    held = pd.read_parquet(path)
    stage("validation", lambda: catalog.orders(held), rows=lambda found: found.findings.counts["rows"])


PATHS = {"totals": totals, "score": score, "parquet": parquet, "frame": frame}

if __name__ == "__main__":
    main(*sys.argv[1:])
