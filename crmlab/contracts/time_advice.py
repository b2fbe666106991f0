"""Which time_format reads a column of times: tried over all of its cells, and said with what it makes of one."""

import re
from datetime import datetime, timedelta
from itertools import combinations

import ibis

from crmlab.contracts import time_readings
from crmlab.contracts.contract import ROW
from crmlab.contracts.numbers import PLAIN
from crmlab.contracts.time_readings import INSTANTS, SERIALS, YEARS, quarter_pattern

NUMERALS = """
%d/%m/%Y %m/%d/%Y %Y/%m/%d %d.%m.%Y %m.%d.%Y %Y.%m.%d %d-%m-%Y %m-%d-%Y %Y-%m-%d %Y%m%d %d-%b-%Y %d-%B-%Y %d/%b/%Y
%Y-%b-%d %Y年%m月%d日 %d/%m/%y %m/%d/%y %y/%m/%d %d.%m.%y %m.%d.%y %y.%m.%d %d-%m-%y %m-%d-%y %y-%m-%d %d-%b-%y
"""
DATES = NUMERALS.split()
DATES += ["%d %b %Y", "%d %B %Y", "%d. %b %Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y"]
DATES += ["%d %b %y", "%b %d, %y", "%A, %d %B %Y", "%A, %B %d, %Y", "%a, %d %b %Y", "%a %d %b %Y"]
CLOCKS = ["", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p", " %I:%M:%S%p", " %I:%M%p"]
CLOCKS += ["T%H:%M:%S", "T%H:%M", " %H:%M:%S %z", " %H:%M %z"]
CLOCKS += [", %H:%M", ", %H:%M:%S", ", %I:%M %p", ", %I:%M:%S %p"]
WHOLE = ["%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%Y%m%d%H%M"]
COARSE = {  # what names no day
    "years": ["%Y"],
    "quarters": ["%Y-Q%q", "%YQ%q", "%Y Q%q", "%Y/Q%q", "Q%q %Y", "Q%q/%Y", "Q%q-%Y", "Q%q.%Y", "Q%q%Y", "%qQ%Y",
                 "%qQ %Y", "%q/%Y", "Q%q/%y", "Q%q %y", "Q%q-%y", "%qQ%y", "%qQ %y"],
    "months": ["%Y-%m", "%m/%Y", "%m.%Y", "%m-%Y", "%Y/%m", "%Y.%m", "%Y%m", "%b %Y", "%B %Y", "%b-%Y", "%B-%Y", 
               "%b. %Y", "%b, %Y", "%B, %Y", "%Y %b", "%Y %B", "%Y-%b", "%b-%y", "%b %y", "%YM%m", "%Y年%m月"],
}  # fmt: skip
UNIT = {form: unit for unit, forms in COARSE.items() for form in forms}
FORMS = [date + clock for date in DATES for clock in CLOCKS] + WHOLE + [*UNIT] + ["excel", "unix", "unix-ms"]
SPANS = {  # of numbers that look like times -> format, the least, the most
    "excel": (18_264, 73_415),
    "%Y%m%d": (19_000_101, 21_001_231),
    "%Y%m": (190_001, 210_012),
    "unix": (10**8, 4_133_980_799),
    "unix-ms": (10**11, 4_133_980_799_999),
}
EARLIEST = {"excel": 1950, "unix": 1973, "unix-ms": 1973}  # years from which numbers look like times
SAMPLE, SHOWN, TRIED = 100, 5, 10


def reading(text, form, policy, periods=False):
    """The times of a column of text in a format; None reads ISO text, and periods where these are meant."""
    if form is not None:
        return time_readings.in_format(text, form, policy.time_zone, policy.decimal)
    times = time_readings.iso(text, policy.time_zone)
    if not periods:
        return times
    return text.re_search(time_readings.TIME_PATTERN).ifelse(times, ibis.coalesce(times, time_readings.period(text)))


def advice(name, policy, periods):
    """What to do about cells of text that are no times, as a function of the typed table."""

    def remedy(t):
        here, cell = policy.time_format, t[f"raw_{name}"]
        if t.get_backend().name != "duckdb":  # the others have no function that tries a format
            return _otherwise(here)
        filled = t.filter(cell.re_search(r"\S"))
        unread = filled.filter(filled[name].isnull()).select(cell=f"raw_{name}").distinct().limit(SAMPLE)
        sample = [line["cell"].strip() for line in unread.to_pyarrow().to_pylist()]
        fitting = [form for form in FORMS if any(_may_fit(cell, form, policy.decimal) for cell in sample)]
        forms = dict.fromkeys([here, None, *fitting])
        filled = filled.select(*[column for column in (ROW,) if column in t.columns], cell=f"raw_{name}")
        counts = _counts(filled, forms, policy, periods)
        best = max(counts.values())
        if best == counts[here]:
            return _otherwise(here)
        return _said(filled, [form for form in forms if counts[form] == best], best, policy, periods)

    return remedy


def of_numbers(source, periods):
    """What a column of numbers looks like, with what to state; empty where it looks like no times."""
    if not source.type().is_numeric() or source.type().is_boolean():
        return ""
    low, high = source.as_table().aggregate(low=source.min(), high=source.max()).to_pyarrow().to_pylist()[0].values()
    for form, (least, most) in SPANS.items():
        if low is not None and least <= low and high <= most and (time := _time_of(float(low), form)):
            return f"; it {_meant(form, periods)}{_looks_like(form, f'{float(low):.15g}', time, None)}"
    return ""


def are_times(cells: list[str]) -> bool:
    """Whether most cells of text read as times: as ISO text or by one pattern; of digits only as 20241231."""
    cells = list(dict.fromkeys(cell.strip() for cell in cells))[:TRIED]
    read = sum(bool(re.search(f"{time_readings.TIME_PATTERN}|{time_readings.INSTANT_PATTERN}", cell)) for cell in cells)
    dated = [cell for cell in cells if _is_dated(cell)]
    forms = (form for form in FORMS if form not in SERIALS)
    if 2 * len(dated) > len(cells) >= 2 * read:  # else not worth the time that all patterns take
        read = next((n for form in forms if 2 * (n := sum(_may_fit(c, form, ".") for c in dated)) > len(cells)), 0)
    return 2 * read > len(cells)


def _is_dated(cell):
    """Whether a cell bears three digits and a sign between, or the digits of a day."""
    if re.search(PLAIN["."], cell):
        least, most = SPANS["%Y%m%d"]
        return cell.isdecimal() and least <= int(cell) <= most
    return len(re.findall("[0-9]", cell)) > 2 and re.search(r"[0-9][^0-9]+[0-9]|[^\W\d]{3}", cell) is not None


def _may_fit(cell, form, decimal):
    """Whether a cell may be a time in a format, before it is tried on the column."""
    if form in SERIALS:
        return re.search(PLAIN[decimal], cell) is not None
    if "%q" in form:
        return re.search(quarter_pattern(form), cell) is not None
    try:
        return datetime.strptime(cell, form) is not None
    except ValueError:
        return False


def _time_of(n, form):
    """The time that a number in a format stands for; None where there is no such day."""
    if form == "excel":
        return datetime(1899, 12, 30) + timedelta(days=n)
    if form in SERIALS:
        return datetime(1970, 1, 1) + timedelta(**{"seconds" if form == "unix" else "milliseconds": n})
    try:
        return datetime.strptime(f"{n:.0f}", form)
    except ValueError:
        return None


def _counts(cells, forms, policy, periods):
    """How many cells of a table of a cell a row each format reads: format -> n."""
    read = {form: reading(cells.cell, form, policy, periods) for form in forms}
    seen = {
        f"n_{i}": time.year().between(EARLIEST.get(form, YEARS[0]), YEARS[1]).sum().fill_null(0)
        for i, (form, time) in enumerate(read.items())
    }
    found = cells.aggregate(**seen).to_pyarrow().to_pylist()[0]
    return {form: found[f"n_{i}"] for i, form in enumerate(read)}


def _said(filled, forms, best, policy, periods):
    """What to state, of formats that read equally many cells, with what each makes of a cell where they differ."""
    read = {form: reading(filled.cell, form, policy, periods) for form in forms}
    pairs = list(combinations(range(len(forms)), 2))
    times = list(read.values())
    differ = {f"differ_{i}_{j}": filled.cell.min(where=~times[i].identical_to(times[j])) for i, j in pairs}
    found = filled.aggregate(n=filled.count(), any=filled.cell.min(where=times[0].notnull()), **differ)
    seen = found.to_pyarrow().to_pylist()[0]
    kept = [0]
    for j in range(1, len(forms)):
        if all(seen[f"differ_{i}_{j}"] is not None for i in kept):
            kept.append(j)
    cell = seen["any"] if len(kept) == 1 else seen[f"differ_0_{kept[1]}"]
    one = filled.filter(filled.cell == cell).limit(1)
    made = one.select(**{f"of_{i}": reading(one.cell, forms[i], policy, periods) for i in kept})
    of_cell = made.to_pyarrow().to_pylist()[0]
    stated = _alternatives([(forms[i], of_cell[f"of_{i}"]) for i in kept], cell.strip(), policy)
    return _meant(forms[0], periods) + stated + _left(filled.filter(times[0].isnull()), seen["n"], best)


def _meant(form, periods):
    """What a format without days means where days are needed; empty of others."""
    if form not in UNIT or periods:
        return ""
    unit = UNIT[form]
    return f"names {unit}, and days are what the models count; if first days of {unit} are meant, "


def _alternatives(made, cell, policy):
    """Formats with the time that each makes of a cell, in words."""
    form, time = made[0]
    if form in SERIALS:
        return _looks_like(form, cell, time, policy)
    if form is None:
        return "leave time_format out, which reads ISO text"
    if len(made) == 1:
        return f"state time_format = {form!r} in data/catalog.toml, which makes {cell!r} {_shown(time)}"
    others = ", or ".join(f"{other!r}, which makes it {_shown(time)}" for other, time in made[1:])
    return f"state in data/catalog.toml time_format = {form!r}, which makes {cell!r} {_shown(time)}, or {others}"


def _looks_like(form, cell, time, policy):
    """What a number looks like and what to state, in words."""
    zoned = form in INSTANTS and not (policy and policy.time_zone)
    zone = " and the time_zone whose days count, such as 'Europe/Berlin'," if zoned else ""
    like, utc = f"looks like {SERIALS.get(form, 'a date in digits')}", " UTC" if form in INSTANTS else ""
    return f"{like}: {cell} is {_shown(time)}{utc}; state time_format = {form!r}{zone} in data/catalog.toml"


def _left(unread, n, best):
    """How many cells the advised format leaves, and the first of them."""
    if n == best:
        return ""
    first = unread.order_by(*[column for column in (ROW,) if column in unread.columns]).limit(SHOWN)
    cells = "; ".join(repr(line["cell"]) for line in first.to_pyarrow().to_pylist())
    return f"; it reads {best:,} of {n:,} cells and leaves {n - best:,} (first: {cells})"


def _shown(time):
    """A time, without a clock where it is midnight."""
    if time is None:
        return "nothing"
    return f"{time:%Y-%m-%d}" if time.time() == datetime.min.time() else f"{time:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def _otherwise(form):
    if form is None:
        return "write times as 2024-12-31 or 2024-12-31 18:30:00, or state time_format in data/catalog.toml"
    return f"correct them, or time_format = {form!r} in data/catalog.toml"
