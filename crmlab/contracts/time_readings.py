"""The time that each cell of a column means: as ISO text, by a stated format, or as a period's first day."""

import re

import ibis

from crmlab.contracts.numbers import PLAIN

TIME_PATTERN = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?$"
INSTANT_PATTERN = TIME_PATTERN.replace(")?$", r"(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?))$")
YEARS = 1900, 2100  # that a time may lie in
DAY_MS = 86_400_000
EXCEL_1970, EXCEL_1904 = 25_569, 1_462  # Excel's serial days of 1970-01-01 and of 1904-01-01
LEAP = 60  # Excel's serial day of 1900-02-29, which never was
LATEST_MS = 10**15  # beyond which no time is meant
SERIALS = {"excel": "Excel's serial day", "excel-1904": "Excel's serial day from 1904", "unix": "Unix seconds",
           "unix-ms": "Unix milliseconds"}  # fmt: skip
INSTANTS = "unix", "unix-ms"
IN_QUARTERS = {"%Y": "([0-9]{4})", "%y": "([0-9]{2})", "%q": "([1-4])", "%%": "%"}


def is_instant_format(form):
    """Whether times in a format say where on Earth a clock showed them."""
    return form in INSTANTS or bool(form not in SERIALS and re.search("%[zZ]", form))


def in_format(source, form, zone, decimal="."):
    """The time of each cell in a stated format: a strptime pattern, one with %q for quarters, or a name of SERIALS."""
    if form in SERIALS:
        time = _from_serial(source, form, decimal)
        return on_clock(time.cast("timestamp('UTC')"), zone) if form in INSTANTS else time
    text = source.cast("string")
    if "%q" in form.replace("%%", ""):
        return _of_quarter(text, form)
    if is_instant_format(form):
        return on_clock(_try_strptime_offset(text, form), zone)
    return _try_strptime(text, form)


def iso(source, zone):
    """ISO text as the clock of the shop showed it. Most cells need no tidying, which takes ten times as long."""
    tidy, null = _tidy(source), ibis.null("string")
    plain = tidy.re_search(TIME_PATTERN).ifelse(tidy, null).try_cast("timestamp")
    instant = tidy.re_search(INSTANT_PATTERN).ifelse(tidy, null).try_cast("timestamp('UTC')")
    other = ibis.coalesce(plain, on_clock(instant, zone))
    return source.re_search(TIME_PATTERN).ifelse(source.try_cast("timestamp"), other)


def is_instant(text):
    """Whether ISO text carries an offset from UTC."""
    return text.re_search(TIME_PATTERN).ifelse(False, _tidy(text).re_search(INSTANT_PATTERN))


def period(text):
    """The first day of a year, quarter, month or ISO week: 2001, 2001-Q4, 2001-11, 2001M11, 2001-W05."""
    cell = text.strip().upper()
    year = cell.re_extract("^([0-9]{4})", 1)
    month = _part(cell, "-M?|M", "[0-9]{1,2}")
    quarter = (_part(cell, "-?Q", "[1-4]").try_cast("int64") * 3 - 2).cast("string")
    alone = cell.re_search("^[0-9]{4}$").ifelse("1", ibis.null("string"))
    first = (year + "-" + ibis.coalesce(quarter, month, alone) + "-01").try_cast("timestamp")
    monday = _try_strptime(year + "-" + _part(cell, "-?W", "[0-9]{2}") + "-1", "%G-%V-%u")
    thursday = monday + ibis.interval(days=3)  # which lies in the year that the week is of
    return ibis.coalesce(first, (thursday.year() == year.try_cast("int64")).ifelse(monday, ibis.null("timestamp")))


def year(source):
    """The first day of each year of a column of whole numbers."""
    known = source.between(*YEARS).ifelse(source, ibis.null(source.type()))
    return ibis.date(known, 1, 1).cast("timestamp")


def on_clock(instant, zone):
    """What the clock of a zone showed, or of UTC where there is none."""
    if not zone:
        return instant.cast("timestamp")
    return _from_utc(instant, zone) if instant.get_backend().name == "pyspark" else _to_clock(zone, instant)


def _part(cell, mark, number):
    """What stands behind a mark after the year; null where nothing does."""
    return cell.re_extract(f"^[0-9]{{4}}(?:{mark})({number})$", 1).nullif("")


def _tidy(text):
    """ISO text without blanks around it or before its offset, and with Z for UTC."""
    return text.strip().upper().re_replace(r"\s*(UTC|Z)$", "Z").re_replace(r"\s+([+-])", r"\1")


def _from_serial(source, form, decimal):
    """The time that a number of days, seconds or milliseconds stands for."""
    kind = source.type()
    if kind.is_string():
        plain = source.re_search(PLAIN[decimal]).ifelse(source.replace(decimal, "."), ibis.null("string"))
        n = plain.try_cast("float64")
    elif kind.is_numeric() and not kind.is_boolean():
        n = source.cast("float64")
    else:
        raise TypeError(f"which is not a number as time_format = {form!r} has it; leave time_format out")
    if form == "excel":
        day = (n < LEAP).ifelse(n + 1, n)
        ms = ((n < LEAP) | (n >= LEAP + 1)).ifelse((day - EXCEL_1970) * DAY_MS, ibis.null("float64"))
    elif form == "excel-1904":
        ms = (n + EXCEL_1904 - EXCEL_1970) * DAY_MS
    else:
        ms = n * 1000 if form == "unix" else n
    possible = (ms > -LATEST_MS) & (ms < LATEST_MS)  # which NaN is not
    whole = possible.ifelse(ms, ibis.null("float64")).round().cast("int64")
    return ibis.timestamp("1970-01-01") + whole.as_interval("ms")


def quarter_pattern(form):
    """The pattern of text that a format with %q reads, with its groups in their order."""
    parts = re.findall("%[Yyq%]|[^%]", form)
    return f"(?i)^{''.join(IN_QUARTERS.get(part) or re.escape(part) for part in parts)}$"


def _of_quarter(text, form):
    """The first day of a quarter, by a format of %q with %Y or %y."""
    cell, found = text.strip(), quarter_pattern(form)
    groups = [part for part in re.findall("%[Yyq%]", form) if part != "%%"]
    of = {group: cell.re_extract(found, i).nullif("") for i, group in enumerate(groups, 1)}
    in_full = "%Y" if "%Y" in of else "%y"
    month = (of["%q"].try_cast("int64") * 3 - 2).cast("string")
    return _try_strptime(of[in_full] + " " + month, f"{in_full} %m")


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime(text: str, pattern: str) -> ibis.dtype("timestamp"):  # type: ignore[valid-type]
    """DuckDB's: null where the text does not fit."""


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime_offset(text: str, pattern: str) -> ibis.dtype("timestamp('UTC')"):  # type: ignore[valid-type]
    """DuckDB's, for a pattern with %z or %Z: an instant."""


@ibis.udf.scalar.builtin(name="from_utc_timestamp")
def _from_utc(instant: ibis.dtype("timestamp('UTC')"), zone: str) -> ibis.dtype("timestamp"):  # type: ignore[valid-type]
    """Spark's: what the clock of `zone` showed."""


@ibis.udf.scalar.builtin(name="timezone")
def _to_clock(zone: str, instant: ibis.dtype("timestamp('UTC')")) -> ibis.dtype("timestamp"):  # type: ignore[valid-type]
    """DuckDB's: what the clock of `zone` showed."""
