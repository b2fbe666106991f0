"""When what is planned is due: changes of the clock, leap days, ends of months, and what is no schedule."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from crmlab.reports import slots

BERLIN = "Europe/Berlin"


def moments(cron, after, until, time_zone=BERLIN):
    zone = slots.zone(time_zone)
    ends = (datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) for text in (after, until))
    return [f"{slot.due.astimezone(zone):%Y-%m-%d %H:%M%z}" for slot in slots.due("clv", cron, time_zone, *ends)]


@pytest.mark.parametrize(
    ("every", "at", "cron"),
    [
        ("day", "", "0 0 * * *"),
        ("day", "03:15", "15 3 * * *"),
        ("week", "", "0 0 * * 1"),
        ("week", "sun 23:59", "59 23 * * 0"),
        ("month", "06:00", "0 6 1 * *"),
        ("month", "28 06:00", "0 6 28 * *"),
        ("month", "last 06:00", "0 6 L * *"),
        ("15 3 * * 1-5", "", "15 3 * * 1-5"),
    ],
)
def test_schedules_are_cron_text(every, at, cron):
    assert slots.cron_text(every, at) == cron


@pytest.mark.parametrize(
    ("every", "at", "words"),
    [
        ("day", "25:00", "at = '25:00': with every = 'day' write it as 15:30"),
        ("day", "mon 03:00", "write it as 15:30"),
        ("week", "1 03:00", "write it as mon 15:30"),
        ("month", "31 03:00", "write it as 1 15:30, to 28, or last 15:30"),
        ("hour", "", "write day, week, month, or the five fields of cron"),
        ("0 15 3 * * 1", "", "the five fields of cron"),
        ("61 * * * *", "", "Bad minute"),
        ("15 3 * * *", "03:15", "cron text has its own time"),
        ("", "", "the five fields of cron"),
    ],
)
def test_what_is_no_schedule_says_what_to_write(every, at, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        slots.cron_text(every, at)


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(ValueError, match="is no time zone"):
        slots.zone(name)


def test_a_time_that_the_clock_leaves_out_comes_once_at_the_first_moment_after():
    assert moments("30 2 * * *", "2026-03-28T12:00", "2026-03-30T12:00") == [
        "2026-03-29 03:00+0200",
        "2026-03-30 02:30+0200",
    ]


def test_an_hour_that_comes_twice_is_due_once():
    assert moments("30 2 * * *", "2026-10-24T12:00", "2026-10-26T12:00") == [
        "2026-10-25 02:30+0200",
        "2026-10-26 02:30+0100",
    ]
    # asked between the first 02:30 and the second
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    after = [*slots.due("clv", "30 2 * * *", BERLIN, between, between + timedelta(hours=6))]
    assert after == []


def test_a_leap_day_and_the_ends_of_months():
    assert moments("0 6 29 2 *", "2026-01-01T00:00", "2029-01-01T00:00") == ["2028-02-29 06:00+0100"]
    assert moments("0 6 L * *", "2026-01-15T00:00", "2026-05-01T00:00") == [
        "2026-01-31 06:00+0100", "2026-02-28 06:00+0100", "2026-03-31 06:00+0200", "2026-04-30 06:00+0200"
    ]  # fmt: skip


def test_a_slot_is_of_the_last_whole_day_where_its_clock_stands():
    after = datetime(2026, 11, 28, 12, tzinfo=UTC)
    (slot,) = slots.due("clv", "0 1 * * *", "Asia/Tokyo", after, after + timedelta(hours=12))
    assert slot.due == datetime(2026, 11, 28, 16, tzinfo=UTC)  # 1 o'clock of the 29th in Tokyo
    assert slot.day == date(2026, 11, 28)
    assert slot.id == "clv@20261128T1600Z"


def test_ends_are_open_below_and_closed_above():
    at = datetime(2026, 11, 28, 3, 15, tzinfo=UTC)
    assert next(slots.due("clv", "15 3 * * *", "UTC", at, at + timedelta(days=1))).due == at + timedelta(days=1)
    assert next(slots.due("clv", "15 3 * * *", "UTC", at - timedelta(seconds=1), at)).due == at
    assert slots.last_due("clv", "15 3 * * *", "UTC", at).due == at
    assert slots.last_due("clv", "15 3 * * *", "UTC", at - timedelta(seconds=1)).due == at - timedelta(days=1)
    assert slots.last_due("clv", "0 6 29 2 *", "UTC", datetime(2026, 5, 1, tzinfo=UTC)) is None
    assert slots.next_due("clv", "0 6 29 2 *", "UTC", datetime(2026, 5, 1, tzinfo=UTC)).due.year == 2028
