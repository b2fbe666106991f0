"""Waves of a survey: their order, and which of them is nearest to another."""

import re

YEARS = range(1900, 2100)


def ordered_waves(waves):
    """The distinct waves of a Series or list, in order, and what they are ordered by, in words.

    Numbers by size; texts that differ in their numbers alone, as W9 and W10, by these, years before what is within
    them; all others in the order of first appearance, as nothing orders "spring" and "autumn".
    """
    distinct = list(dict.fromkeys(waves))
    if not any(isinstance(wave, str) for wave in distinct):
        return sorted(distinct), "their numbers"
    alike = {re.sub("[0-9]+", "#", wave.casefold()) for wave in distinct}
    parts = {wave: [int(part) for part in re.findall("[0-9]+", wave)] for wave in distinct}
    years_last = [len(held) > 2 and held[-1] in YEARS for held in parts.values()]  # days or months first: not known
    if len(alike) > 1 or any(years_last) or len({tuple(held) for held in parts.values()}) < len(distinct):
        return distinct, "first appearance"
    return sorted(distinct, key=lambda wave: sorted(parts[wave], key=lambda part: part not in YEARS)), "their numbers"


def nearest_wave(wave, theirs, order):
    """The latest of some waves up to `wave`, or else the first after it; with a note where it is another wave.

    theirs : the waves in which they were asked, in order; none gives "" for both
    """
    until = [held for held in theirs if order.index(held) <= order.index(wave)]
    chosen = until[-1] if until else next(iter(theirs), "")
    if chosen in ("", wave):
        return chosen, ""
    which = "latest before" if until else "first after"
    return chosen, f"{chosen}, the {which} {wave} in which they answered, as in {wave} they did not"
