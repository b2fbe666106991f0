"""How the numbers of a column are written beside their digits: counted by what stands around them, and put in words."""

import re
from collections import Counter

from crmlab.contracts.currencies import SIGN

MINUS = "[-\u2212]"
PERCENT = "[%\uff05]"


def counted(outlines):
    """How the numbers of a column are written, in how many cells: {"currency": {sign: n}, "minus": n, "percent": n}.

    outlines : outline -> in how many cells
    """
    signs = Counter()
    for around, n in outlines.items():
        signs.update(dict.fromkeys(re.findall(SIGN, around), n))
    minus = sum(n for around, n in outlines.items() if re.search(rf"\(|\u2212|{MINUS}\D*$", around))
    percent = sum(n for around, n in outlines.items() if re.search(PERCENT, around))
    found = {"currency": dict(signs.most_common()), "minus": minus, "percent": percent}
    return {what: n for what, n in found.items() if n}


def describe(found):
    """The same in words."""
    said = [f"{sign} in {n:,}" for sign, n in found.get("currency", {}).items()]
    if "minus" in found:
        said.append(f"negative by brackets, a minus behind or a typographic one in {found['minus']:,}")
    if "percent" in found:
        said.append(f"per cent, taken as hundredths, in {found['percent']:,}")
    return ", ".join(said)
