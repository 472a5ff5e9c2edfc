"""Moments and lengths of time in the words that people use, in both languages."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from marketplace.moments import length_words, moment_words, stamp, what_is_left

MADRID = ZoneInfo("Europe/Madrid")
SUNDAY = datetime(2026, 11, 22, 11, 55, tzinfo=MADRID)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=MADRID)


@pytest.mark.rule("ORD-16")
@pytest.mark.parametrize(
    ("moment", "kind", "spanish", "english"),
    [
        (SUNDAY, "soon", "queda menos de 1 min", "less than 1 min left"),
        (SUNDAY + timedelta(seconds=119), "soon", "queda 1 min", "1 min left"),
        (SUNDAY + timedelta(minutes=45), "soon", "quedan 45 min", "45 min left"),
        (SUNDAY + timedelta(minutes=61), "soon", "queda 1 h 1 min", "1 h 1 min left"),
        (at(2026, 11, 22, 14, 5), "soon", "quedan 2 h 10 min", "2 h 10 min left"),
        (at(2026, 11, 22, 13, 55), "soon", "quedan 2 h", "2 h left"),
        (at(2026, 11, 22, 17, 54), "soon", "quedan 5 h", "5 h left"),
        (at(2026, 11, 22, 18), "soon", "hoy 18:00", "today 18:00"),
        (at(2026, 11, 23, 10), "calm", "mañana 10:00", "tomorrow 10:00"),
        (at(2026, 11, 24, 10), "calm", "martes 24", "Tuesday 24"),
        (at(2026, 11, 28, 23, 59), "calm", "sábado 28", "Saturday 28"),
        (at(2026, 11, 29, 0, 1), "calm", "29 de noviembre", "29 November"),
        (at(2027, 1, 3, 14, 5), "calm", "3 de enero de 2027", "3 January 2027"),
        (SUNDAY - timedelta(microseconds=1), "late", "desde las 11:54", "since 11:54"),
        (at(2026, 11, 22, 1, 5), "late", "desde la 01:05", "since 01:05"),
        (at(2026, 11, 21, 18), "late", "desde ayer 18:00", "since yesterday 18:00"),
        (at(2026, 11, 16, 18), "late", "desde el lunes 16", "since Monday 16"),
        (at(2026, 11, 15, 18), "late", "desde el 15 de noviembre", "since 15 November"),
        (at(2025, 12, 31, 18), "late", "desde el 31 de diciembre de 2025", "since 31 December 2025"),
    ],
    ids=str,
)
def test_a_badge_says_what_is_left(moment: datetime, kind: str, spanish: str, english: str) -> None:
    with override("es"):
        assert what_is_left(moment.astimezone(UTC), SUNDAY.astimezone(UTC), MADRID) == (kind, spanish)
    with override("en"):
        assert what_is_left(moment, SUNDAY, MADRID) == (kind, english)


def test_hours_count_across_midnight_and_a_change_of_clocks() -> None:
    with override("es"):
        assert what_is_left(at(2026, 3, 29, 4), at(2026, 3, 28, 23), MADRID) == ("soon", "quedan 4 h")


@pytest.mark.rule("ORD-16")
@pytest.mark.parametrize(
    ("moment", "spanish", "english"),
    [
        (at(2026, 11, 22, 14, 5), "hoy a las 14:05", "today at 14:05"),
        (at(2026, 11, 23, 10), "mañana a las 10:00", "tomorrow at 10:00"),
        (at(2026, 11, 21, 1, 30), "ayer a la 01:30", "yesterday at 01:30"),
        (at(2026, 11, 26, 14, 5), "el jueves 26 a las 14:05", "on Thursday 26 at 14:05"),
        (at(2026, 11, 16, 14, 5), "el lunes 16 a las 14:05", "on Monday 16 at 14:05"),
        (
            at(2026, 12, 3, 14, 5),
            "el jueves 3 de diciembre a las 14:05",
            "on Thursday 3 December at 14:05",
        ),
        (at(2027, 1, 3, 14, 5), "el 3 de enero de 2027 a las 14:05", "on 3 January 2027 at 14:05"),
    ],
    ids=str,
)
def test_a_moment_is_said_as_people_do(moment: datetime, spanish: str, english: str) -> None:
    with override("es"):
        assert moment_words(moment.astimezone(UTC), SUNDAY, MADRID) == spanish
    with override("en"):
        assert moment_words(moment, SUNDAY, MADRID) == english


@pytest.mark.rule("ORD-16")
@pytest.mark.parametrize(
    ("ends", "badge", "spanish", "english"),
    [
        (at(2026, 11, 23), "hoy 24:00", "hoy a las 24:00", "today at midnight (end of the day)"),
        (at(2026, 11, 24), "mañana 24:00", "mañana a las 24:00", "tomorrow at midnight (end of the day)"),
        (
            at(2026, 11, 25),
            "martes 24",
            "el martes 24 a las 24:00",
            "on Tuesday 24 at midnight (end of the day)",
        ),
        (
            at(2026, 12, 1),
            "30 de noviembre",
            "el lunes 30 de noviembre a las 24:00",
            "on Monday 30 November at midnight (end of the day)",
        ),
        (
            at(2027, 1, 1),
            "31 de diciembre",
            "el jueves 31 de diciembre a las 24:00",
            "on Thursday 31 December at midnight (end of the day)",
        ),
        (at(2026, 11, 22), "desde ayer 24:00", "ayer a las 24:00", "yesterday at midnight (end of the day)"),
        (
            at(2026, 11, 17),
            "desde el lunes 16",
            "el lunes 16 a las 24:00",
            "on Monday 16 at midnight (end of the day)",
        ),
    ],
    ids=str,
)
def test_an_end_at_midnight_is_told_of_the_day_that_ends(
    ends: datetime, badge: str, spanish: str, english: str
) -> None:
    for second in (ends, ends + timedelta(seconds=59)):
        with override("es"):
            assert what_is_left(second.astimezone(UTC), SUNDAY, MADRID).text == badge
            assert moment_words(second.astimezone(UTC), SUNDAY, MADRID, ends=True) == spanish
        with override("en"):
            assert moment_words(second, SUNDAY, MADRID, ends=True) == english
    with override("es"):
        assert "00:01" in moment_words(ends + timedelta(minutes=1), SUNDAY, MADRID, ends=True)


def test_what_happens_or_begins_at_midnight_keeps_its_day() -> None:
    with override("es"):
        assert moment_words(at(2026, 11, 25), SUNDAY, MADRID) == "el miércoles 25 a las 00:00"
    with override("en"):
        assert moment_words(at(2026, 11, 25), SUNDAY, MADRID) == "on Wednesday 25 at 00:00"
    assert stamp(at(2026, 11, 25), MADRID) == "25/11/2026 00:00"
    assert stamp(at(2026, 11, 25), MADRID, ends=True) == "24/11/2026 24:00"
    assert stamp(at(2026, 11, 25, 14, 5), MADRID, ends=True) == "25/11/2026 14:05"


def test_a_day_ends_also_where_the_clocks_skip_or_repeat_midnight() -> None:
    cairo, havana = ZoneInfo("Africa/Cairo"), ZoneInfo("America/Havana")
    skipped = datetime(2026, 4, 23, 22, tzinfo=UTC)  # 00:00 is 01:00 there
    assert skipped.astimezone(cairo).hour == 1
    assert stamp(skipped, cairo, ends=True) == "23/04/2026 24:00"
    twice = datetime(2026, 11, 1, 5, tzinfo=UTC)  # 01:00 is 00:00 again: an hour into the day
    assert twice.astimezone(havana).hour == 0
    assert stamp(twice, havana, ends=True) == "01/11/2026 00:00"


@pytest.mark.parametrize(
    ("length", "spanish", "english"),
    [
        (timedelta(seconds=59), "menos de 1 minuto", "less than 1 minute"),
        (timedelta(minutes=1), "1 minuto", "1 minute"),
        (timedelta(hours=26), "1 día y 2 horas", "1 day and 2 hours"),
        (timedelta(days=2, hours=1, minutes=5), "2 días, 1 hora y 5 minutos", "2 days, 1 hour and 5 minutes"),
    ],
)
def test_a_length_of_time_is_told_to_the_minute(length: timedelta, spanish: str, english: str) -> None:
    with override("es"):
        assert length_words(length) == spanish
    with override("en"):
        assert length_words(length) == english
