"""`make bench`: what the project claims to cost, measured here and now, as a table and in bench.json.

QUICK=1 takes smaller sizes and ends within a minute. `mutants` and `scale` run only where they are named: the one takes
an hour and packages that the lock leaves out, the other 5 GB of disk and a quarter of an hour.
"""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import clv, coverage, lifecycle, mutants, runs, scale, segments, survey
from .clock import QUICK

PARTS = {"clv": clv, "lifecycle": lifecycle, "segments": segments, "survey": survey, "coverage": coverage, "runs": runs}
NAMED = {"mutants": mutants, "scale": scale}
WIDE = 160  # columns, so that no row is folded


def main(wanted):
    table = Table("work", "measured", "asked", "met", "how", box=None)
    found = []
    for name in wanted or PARTS:
        for measured in (PARTS | NAMED)[name].measure():
            print(f"{measured.what}: {measured.value:.3g}", file=sys.stderr, flush=True)
            said = {"what": measured.what, "value": measured.value, "asked": measured.asked, "how": measured.how}
            found.append(said | {"part": name, "met": measured.met})
            table.add_row(measured.what, f"{measured.value:.3g}", measured.asked, told(measured.met), measured.how)
    Console(width=WIDE, soft_wrap=True).print(table)
    Path("bench.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def told(met):
    """What is asked is asked of the full sizes."""
    return "quick" if QUICK else "yes" if met else "NO"


main(sys.argv[1:])
