"""Deadlines: exact on every clock, across holidays, years and changes of the clocks; explained in words."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from marketplace.clocks import (
    MOST_HOURS,
    Calendar,
    ClockKind,
    Skipped,
    SkipReason,
    Span,
    deadline,
    elapsed,
    explain,
    postponed,
)

MADRID = ZoneInfo("Europe/Madrid")
CALENDAR = Calendar("Europe/Madrid", "ES", "MD")
HOUR = timedelta(hours=1)
WALL, WORKING, OFFICE = ClockKind


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=MADRID)


THURSDAY = at(2026, 11, 19, 14, 5)

moments = st.floats(1.55e9, 1.95e9).map(lambda second: datetime.fromtimestamp(second, UTC))
places = st.sampled_from(
    [
        CALENDAR,
        Calendar("America/Santiago", "CL"),
        Calendar(
            "Atlantic/Canary", "ES", "CN", (date(2026, 11, 23),), (0, 1, 2, 3, 4, 5), time(8, 30), time(14)
        ),
    ]
)
spans = st.builds(
    Span,
    hours=st.one_of(st.integers(0, 24 * 400), st.floats(0, 200, allow_nan=False)),
    clock=st.sampled_from(ClockKind),
)


class TestDeadline:
    @pytest.mark.rule("ORD-02")
    @pytest.mark.parametrize(
        ("start", "local_end"),
        [
            (at(2026, 11, 19, 14, 5), at(2026, 11, 22, 14, 5)),
            (at(2026, 3, 27, 14, 5), at(2026, 3, 30, 15, 5)),
            (at(2026, 10, 23, 14, 5), at(2026, 10, 26, 13, 5)),
        ],
        ids=["plain", "spring", "autumn"],
    )
    def test_72_hours_are_72_hours_when_the_clocks_change(self, start: datetime, local_end: datetime) -> None:
        end = deadline(start, Span(72), CALENDAR)
        assert end == local_end
        assert end.astimezone(UTC) - start.astimezone(UTC) == 72 * HOUR

    @pytest.mark.rule("SHP-07")
    def test_21_days_are_21_times_24_hours(self) -> None:
        assert deadline(at(2026, 10, 10, 12), Span(21 * 24), CALENDAR) == at(2026, 10, 31, 11)

    @pytest.mark.rule("ORD-04")
    def test_working_hours_skip_the_weekend(self) -> None:
        assert deadline(at(2026, 11, 19, 14, 5), Span(48, WORKING), CALENDAR) == at(2026, 11, 23, 14, 5)

    @pytest.mark.rule("MSG-09")
    def test_working_hours_skip_public_holidays(self) -> None:
        assert deadline(at(2026, 12, 4, 17, 20), Span(24, WORKING), CALENDAR) == at(2026, 12, 9, 17, 20)

    def test_a_holiday_of_one_region_is_worked_in_another(self) -> None:
        start, span = at(2025, 5, 1, 10), Span(24, WORKING)
        assert deadline(start, span, CALENDAR) == at(2025, 5, 6)
        assert deadline(start, span, Calendar("Europe/Madrid", "ES", "CT")) == at(2025, 5, 3)

    def test_a_channel_adds_closing_days(self) -> None:
        closed = Calendar("Europe/Madrid", "ES", "MD", extra_holidays=(date(2026, 11, 23),))
        assert deadline(at(2026, 11, 20, 12), Span(24, WORKING), closed) == at(2026, 11, 24, 12)

    def test_a_start_on_a_sunday_counts_from_monday(self) -> None:
        assert deadline(at(2026, 11, 22, 11), Span(10, WORKING), CALENDAR) == at(2026, 11, 23, 10)
        assert deadline(at(2026, 11, 22, 11), Span(2, OFFICE), CALENDAR) == at(2026, 11, 23, 11)

    def test_a_span_that_fills_a_day_ends_at_its_close(self) -> None:
        assert deadline(at(2026, 11, 20, 9), Span(9, OFFICE), CALENDAR) == at(2026, 11, 20, 18)
        assert deadline(at(2026, 11, 20, 9), Span(15, WORKING), CALENDAR) == at(2026, 11, 21)

    def test_office_hours_stop_at_night(self) -> None:
        assert deadline(at(2026, 11, 19, 17, 30), Span(1, OFFICE), CALENDAR) == at(2026, 11, 20, 9, 30)
        assert deadline(at(2026, 11, 19, 20), Span(1, OFFICE), CALENDAR) == at(2026, 11, 20, 10)
        assert deadline(at(2026, 11, 19, 7), Span(1, OFFICE), CALENDAR) == at(2026, 11, 19, 10)

    @pytest.mark.parametrize(
        ("sunday", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 7), 24)]
    )
    def test_a_working_day_has_the_hours_that_it_has(self, sunday: date, hours: int) -> None:
        every_day = Calendar("Europe/Madrid", "ES", "MD", weekdays=(0, 1, 2, 3, 4, 5, 6))
        start, end = every_day.midnight(sunday), every_day.midnight(sunday + timedelta(days=1))
        assert elapsed(start, end, WORKING, every_day) == hours * HOUR
        assert deadline(start, Span(hours, WORKING), every_day) == end

    def test_an_empty_span_ends_where_it_starts(self) -> None:
        sunday = at(2026, 11, 22, 11)
        assert [deadline(sunday, Span(0, clock), CALENDAR) for clock in ClockKind] == [sunday] * 3

    def test_years_are_counted_to_the_day(self) -> None:
        first, one_day = date(2024, 1, 2), timedelta(days=1)
        end = deadline(CALENDAR.midnight(first), Span(24 * 2500, WORKING), CALENDAR)
        last = CALENDAR.local_day(end) - one_day
        days = [first + number * one_day for number in range((last - first).days + 1)]
        assert sum(CALENDAR.is_working(day) for day in days) == 2500
        assert CALENDAR.is_working(last)
        # The clocks change on Sundays, which nobody works: every working day has its 24 hours.
        assert end == CALENDAR.midnight(last + one_day)

    def test_the_answer_is_in_utc_whatever_the_zone_of_the_start(self) -> None:
        start = at(2026, 11, 19, 14, 5)
        for clock in ClockKind:
            answers = [deadline(s, Span(30, clock), CALENDAR) for s in (start, start.astimezone(UTC))]
            assert answers[0] == answers[1]
            assert {answer.tzinfo for answer in answers} == {UTC}

    @pytest.mark.parametrize("clock", ClockKind)
    def test_a_moment_without_zone_is_refused(self, clock: ClockKind) -> None:
        with pytest.raises(ValueError, match="time zone"):
            deadline(THURSDAY.replace(tzinfo=None), Span(1, clock), CALENDAR)
        with pytest.raises(ValueError, match="time zone"):
            elapsed(THURSDAY.replace(tzinfo=None), at(2026, 11, 20), clock, CALENDAR)


class TestElapsed:
    @given(start=moments, span=spans, place=places)
    def test_it_is_the_inverse_of_deadline(self, start: datetime, span: Span, place: Calendar) -> None:
        assert elapsed(start, deadline(start, span, place), span.clock, place) == span.length

    @given(start=moments, span=spans, place=places)
    def test_a_deadline_is_the_first_moment(self, start: datetime, span: Span, place: Calendar) -> None:
        end = deadline(start, span, place)
        if span.length:
            assert elapsed(start, end - timedelta(microseconds=1), span.clock, place) < span.length

    @given(starts=st.tuples(moments, moments), span=spans, place=places)
    def test_who_starts_later_ends_later(
        self, starts: tuple[datetime, datetime], span: Span, place: Calendar
    ) -> None:
        first, last = sorted(starts)
        assert deadline(first, span, place) <= deadline(last, span, place)

    @given(start=moments, hours=st.tuples(st.integers(0, 900), st.integers(0, 900)), place=places)
    def test_a_longer_span_ends_later(self, start: datetime, hours: tuple[int, int], place: Calendar) -> None:
        for clock in ClockKind:
            short, long = (deadline(start, Span(n, clock), place) for n in sorted(hours))
            assert start <= short <= long

    @given(start=moments, hours=st.tuples(st.integers(1, 900), st.integers(0, 900)), place=places)
    def test_time_adds_up(self, start: datetime, hours: tuple[int, int], place: Calendar) -> None:
        for clock in ClockKind:
            end = deadline(start, Span(hours[0], clock), place)
            later = postponed(end, timedelta(hours=hours[1]), clock, place)
            assert later == deadline(start, Span(sum(hours), clock), place)

    def test_it_counts_what_is_left_and_how_late(self) -> None:
        friday, monday = at(2026, 11, 20, 17), at(2026, 11, 23, 10)
        assert elapsed(friday, monday, OFFICE, CALENDAR) == 2 * HOUR
        assert elapsed(friday, monday, WORKING, CALENDAR) == 17 * HOUR
        assert elapsed(friday, monday, WALL, CALENDAR) == 65 * HOUR
        assert [elapsed(monday, friday, clock, CALENDAR) / HOUR for clock in ClockKind] == [-65, -17, -2]

    def test_wall_time_across_a_change_of_clocks_is_real_time(self) -> None:
        assert elapsed(at(2026, 3, 28, 12), at(2026, 3, 29, 12), WALL, CALENDAR) == 23 * HOUR

    def test_a_working_clock_does_not_run_backwards(self) -> None:
        with pytest.raises(ValueError, match="backwards"):
            postponed(at(2026, 11, 20), -HOUR, WORKING, CALENDAR)


class TestCalendar:
    def test_days_are_local(self) -> None:
        assert CALENDAR.local_day(datetime(2026, 11, 21, 23, 30, tzinfo=UTC)) == date(2026, 11, 22)
        assert CALENDAR.midnight(date(2026, 11, 22)) == datetime(2026, 11, 21, 23, tzinfo=UTC)
        assert CALENDAR.midnight(date(2026, 7, 22)) == datetime(2026, 7, 21, 22, tzinfo=UTC)

    def test_a_day_that_has_no_midnight_starts_when_the_clocks_change(self) -> None:
        santiago = Calendar("America/Santiago", "CL")
        assert santiago.midnight(date(2026, 9, 6)).astimezone(santiago.zone).hour == 1
        assert santiago.local_day(santiago.midnight(date(2026, 9, 6))) == date(2026, 9, 6)

    def test_it_knows_what_is_worked(self) -> None:
        days = [date(2025, 5, 2), date(2026, 5, 2), date(2026, 11, 20), date(2026, 11, 22)]
        assert [CALENDAR.why_not(day) for day in days] == [
            SkipReason.HOLIDAY,
            SkipReason.WEEKEND,
            None,
            SkipReason.WEEKEND,
        ]
        assert [CALENDAR.is_working(day) for day in days] == [False, False, True, False]

    def test_it_is_a_value(self) -> None:
        assert {CALENDAR: 1}[Calendar("Europe/Madrid", "ES", "MD")] == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"timezone": "Europe/Atlantis"},
            {"timezone": ""},
            {"country": "XX"},
            {"subdivision": "ZZ"},
            {"weekdays": ()},
            {"weekdays": (7,)},
            {"opens": time(18)},
        ],
        ids=str,
    )
    def test_nonsense_is_refused(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"time zone|public holidays|weekday|office hours"):
            Calendar(**{"timezone": "Europe/Madrid", "country": "ES", **wrong})  # type: ignore[arg-type]

    @pytest.mark.parametrize("hours", [-1, MOST_HOURS + 1, float("nan"), float("inf")])
    def test_a_span_has_a_size(self, hours: float) -> None:
        with pytest.raises(ValueError, match="hours"):
            Span(hours)

    def test_a_span_has_a_clock_that_exists(self) -> None:
        assert Span(1, "office").clock is OFFICE  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="sand"):
            Span(1, "sand")  # type: ignore[arg-type]


IN_WORDS = [
    (
        THURSDAY,
        Span(72),
        "72 horas desde el jueves 19 de noviembre a las 14:05.",
        "72 hours from Thursday 19 November at 14:05.",
    ),
    (
        THURSDAY,
        Span(24 * 21),
        "21 días desde el jueves 19 de noviembre a las 14:05.",
        "21 days from Thursday 19 November at 14:05.",
    ),
    (
        THURSDAY,
        Span(1.5),
        "1 hora y 30 minutos desde el jueves 19 de noviembre a las 14:05.",
        "1 hour and 30 minutes from Thursday 19 November at 14:05.",
    ),
    (
        at(2026, 11, 22, 1, 30),
        Span(1, WORKING),
        "1 hora laborable desde el domingo 22 de noviembre a la 01:30, sin contar el domingo 22.",
        "1 working hour from Sunday 22 November at 01:30, not counting Sunday 22.",
    ),
    (
        at(2025, 12, 4, 14, 5),
        Span(48, WORKING),
        "48 horas laborables desde el jueves 4 de diciembre a las 14:05, sin contar el sábado 6, "
        "el domingo 7 ni el lunes 8 (Inmaculada Concepción).",
        "48 working hours from Thursday 4 December at 14:05, not counting Saturday 6, Sunday 7 "
        "or Monday 8 (Immaculate Conception).",
    ),
    (
        THURSDAY,
        Span(16, OFFICE),
        "16 horas de oficina (de 09:00 a 18:00) desde el jueves 19 de noviembre a las 14:05, "
        "sin contar el sábado 21 ni el domingo 22.",
        "16 office hours (from 09:00 to 18:00) from Thursday 19 November at 14:05, "
        "not counting Saturday 21 or Sunday 22.",
    ),
    (
        at(2026, 11, 19, 14, 5),
        Span(24 * 14, WORKING),
        "14 días laborables desde el jueves 19 de noviembre a las 14:05, sin contar 3 fines de semana, "
        "el lunes 7 de diciembre (Lunes siguiente a Día de la Constitución Española) "
        "ni el martes 8 (Inmaculada Concepción).",
        "14 working days from Thursday 19 November at 14:05, not counting 3 weekends, "
        "Monday 7 December (Monday following Constitution Day) or Tuesday 8 (Immaculate Conception).",
    ),
    (
        at(2026, 12, 30, 14, 5),
        Span(48, WORKING),
        "48 horas laborables desde el 30 de diciembre de 2026 a las 14:05, "
        "sin contar el 1 de enero de 2027 (Año Nuevo), el sábado 2 ni el domingo 3.",
        "48 working hours from 30 December 2026 at 14:05, "
        "not counting 1 January 2027 (New Year's Day), Saturday 2 or Sunday 3.",
    ),
    (
        THURSDAY,
        Span(24 * 90, WORKING),
        "90 días laborables desde el 19 de noviembre de 2026 a las 14:05, "
        "sin contar 20 fines de semana ni 8 festivos.",
        "90 working days from 19 November 2026 at 14:05, not counting 20 weekends or 8 public holidays.",
    ),
]


@pytest.mark.rule("ORD-16")
class TestExplanation:
    @pytest.mark.parametrize(
        ("start", "span", "spanish", "english"), IN_WORDS, ids=lambda value: str(value)[:24]
    )
    def test_it_reads_well(self, start: datetime, span: Span, spanish: str, english: str) -> None:
        why = explain(start, span, CALENDAR)
        with override("es"):
            assert why.sentence() == spanish
        with override("en"):
            assert why.sentence() == english

    def test_it_carries_what_made_the_deadline(self) -> None:
        why = explain(THURSDAY, Span(48, WORKING), CALENDAR)
        assert why.deadline_at == deadline(THURSDAY, Span(48, WORKING), CALENDAR)
        assert why.skipped == (
            Skipped(date(2026, 11, 21), SkipReason.WEEKEND),
            Skipped(date(2026, 11, 22), SkipReason.WEEKEND),
        )
        assert (why.start, why.span, why.shifted_by) == (THURSDAY, Span(48, WORKING), timedelta())

    def test_days_after_the_work_is_done_are_not_skipped(self) -> None:
        assert explain(at(2026, 11, 20, 9), Span(9, OFFICE), CALENDAR).skipped == ()
        assert explain(at(2026, 11, 20), Span(24, WORKING), CALENDAR).skipped == ()
        assert explain(at(2026, 11, 22), Span(0, WORKING), CALENDAR).skipped == ()

    def test_it_says_what_will_happen_in_near_days(self) -> None:
        now = at(2026, 11, 22, 11, 55)
        with override("es"):
            said = explain(THURSDAY, Span(72), CALENDAR).sentence(
                "Se cancelará {when} si no lo aceptas.", now
            )
        assert said == (
            "Se cancelará hoy a las 14:05 si no lo aceptas. 72 horas desde el jueves 19 a las 14:05."
        )
        with override("en"):
            said = explain(THURSDAY, Span(96), CALENDAR).sentence("It will be cancelled {when}.")
        assert said == (
            "It will be cancelled on Monday 23 November at 14:05. "
            "96 hours from Thursday 19 November at 14:05."
        )

    def test_a_deadline_at_midnight_is_the_end_of_the_day_before(self) -> None:
        why = explain(at(2026, 11, 20), Span(72), CALENDAR)
        with override("es"):
            assert why.sentence("Se cancelará {when}.", at(2026, 11, 21, 9)) == (
                "Se cancelará mañana a las 24:00. 72 horas desde ayer a las 00:00."
            )
        with override("en"):
            assert why.sentence("It will be cancelled {when}.").startswith(
                "It will be cancelled on Sunday 22 November at midnight (end of the day). 72 hours from Friday 20"
            )
        new_year = explain(at(2026, 12, 30), Span(48), CALENDAR)
        with override("es"):
            assert "el jueves 31 de diciembre a las 24:00" in new_year.sentence("Acaba {when}.")

    def test_it_says_how_long_a_hold_stopped_the_clock(self) -> None:
        why = explain(THURSDAY, Span(72), CALENDAR, shifted=26 * HOUR)
        assert why.deadline_at == at(2026, 11, 23, 16, 5)
        with override("es"):
            assert why.sentence() == (
                "72 horas desde el jueves 19 de noviembre a las 14:05. "
                "El plazo se paró 1 día y 2 horas por la retención."
            )
        with override("en"):
            assert why.sentence() == (
                "72 hours from Thursday 19 November at 14:05. "
                "The clock stopped for 1 day and 2 hours because of the hold."
            )

    def test_a_hold_on_a_working_clock_stops_working_time(self) -> None:
        friday, monday, span = at(2026, 11, 20, 12), at(2026, 11, 23, 13), Span(48, WORKING)
        why = explain(THURSDAY, span, CALENDAR, shifted=elapsed(friday, monday, WORKING, CALENDAR))
        left = elapsed(friday, deadline(THURSDAY, span, CALENDAR), WORKING, CALENDAR)
        assert why.deadline_at == postponed(monday, left, WORKING, CALENDAR) == at(2026, 11, 24, 15, 5)
        with override("es"):
            assert why.sentence().endswith("El plazo se paró 25 horas laborables por la retención.")

    def test_closing_days_and_other_weeks_have_words(self) -> None:
        shop = Calendar("Europe/Madrid", "ES", "MD", (date(2026, 11, 23),), weekdays=(0, 1, 2, 3, 4, 5))
        with override("es"):
            assert explain(at(2026, 11, 21, 12), Span(24.5, WORKING), shop).sentence() == (
                "24,5 horas laborables desde el sábado 21 de noviembre a las 12:00, "
                "sin contar el domingo 22 ni el lunes 23 (festivo local)."
            )
            assert explain(at(2026, 9, 3, 12), Span(21 * 24, WORKING), shop).sentence() == (
                "21 días laborables desde el jueves 3 de septiembre a las 12:00, "
                "sin contar 4 días de descanso."
            )

    def test_a_language_without_holiday_names_takes_the_country_s(self) -> None:
        with override("de"):
            assert CALENDAR.holiday_name(date(2026, 12, 8)) == "Inmaculada Concepción"
