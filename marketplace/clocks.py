"""Every deadline of the product is computed here, and says in words why it falls where it falls.

A clock runs on wall time, on working days, or on office hours. Working time is counted on a table of each
local year: when work opens, when it closes, and how much has been worked by then. A deadline is one look into
that table and `elapsed` is the same look the other way round, so they agree to the microsecond, over years as
over hours, on days of 23 or of 25 hours.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays
from django.utils.formats import localize
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from marketplace.moments import (
    Left,
    day_words,
    last_day,
    length_words,
    moment_words,
    none_of,
    what_is_left,
    when,
)

__all__ = [
    "MOST_HOURS",
    "Calendar",
    "ClockKind",
    "Explanation",
    "Left",
    "SkipReason",
    "Skipped",
    "Span",
    "deadline",
    "elapsed",
    "explain",
    "moment_words",
    "postponed",
    "what_is_left",
]

MOST_HOURS = 10 * 366 * 24

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)


class ClockKind(StrEnum):
    """Which hours count: every hour, the 24 hours of working days, or the office hours of working days."""

    WALL = "wall"
    WORKING = "working"
    OFFICE = "office"


@dataclass(frozen=True, slots=True)
class Span:
    """How long a policy gives, and on which clock (ORD-02): `Span(48, ClockKind.WORKING)`.

    `hours` from 0 to `MOST_HOURS` (ten years); raises ValueError otherwise. Three days are 72 hours.
    """

    hours: float
    clock: ClockKind = ClockKind.WALL

    def __post_init__(self) -> None:
        if not 0 <= self.hours <= MOST_HOURS:
            raise ValueError(f"a span takes from 0 to {MOST_HOURS} hours, not {self.hours}")
        object.__setattr__(self, "clock", ClockKind(self.clock))

    @property
    def length(self) -> timedelta:
        """The span as time on its own clock."""
        return timedelta(hours=self.hours)


class SkipReason(StrEnum):
    """Why a day does not count on a working clock."""

    WEEKEND = "weekend"
    HOLIDAY = "holiday"


class Skipped(NamedTuple):
    """A local day that a working clock passes over."""

    day: date
    reason: SkipReason


@dataclass(frozen=True)
class Calendar:
    """The working days of a place: its time zone, public holidays, own closing days and office hours.

    `country` and `subdivision` as ISO 3166 writes them ("ES", "MD"); `weekdays` that are worked, Monday is 0.
    Raises ValueError for an unknown zone, country or region, no weekday, or closing before opening.
    """

    timezone: str
    country: str
    subdivision: str | None = None
    extra_holidays: tuple[date, ...] = ()
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    opens: time = time(9)
    closes: time = time(18)
    extra_names: tuple[tuple[date, str], ...] = ()

    def __post_init__(self) -> None:
        _zone(self.timezone)
        _tongues(self.country, self.subdivision)
        if not self.weekdays or not set(self.weekdays) <= set(range(7)):
            raise ValueError("a calendar needs at least one working weekday, from 0 to 6")
        if self.opens >= self.closes:
            raise ValueError("office hours open before they close")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that its days are counted in."""
        return _zone(self.timezone)

    def local_day(self, moment: datetime) -> date:
        """The day that it is there at an aware moment."""
        return _aware(moment).astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """When a local day starts, in UTC, also where the clocks skip or repeat midnight."""
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)

    def is_working(self, day: date) -> bool:
        """Whether the clocks of working time run on a day."""
        return self.why_not(day) is None

    def why_not(self, day: date) -> SkipReason | None:
        """Why a day is not worked; None when it is."""
        if day.weekday() not in self.weekdays:
            return SkipReason.WEEKEND
        public = _public_holidays(self.country, self.subdivision, day.year)
        return SkipReason.HOLIDAY if day in public or day in self.extra_holidays else None

    def holiday_name(self, day: date) -> str:
        """What a holiday is called in the active language, else in the country's own."""
        language = (get_language() or "es").partition("-")[0]
        names = _holiday_names(self.country, self.subdivision, day.year, language)
        return names.get(day) or dict(self.extra_names).get(day) or _("festivo local")


def deadline(start: datetime, span: Span, calendar: Calendar) -> datetime:
    """The first moment, in UTC, at which a clock started at `start` has run for the whole span.

    A start outside working time counts from the next working moment; an empty span ends where it starts.
    Raises ValueError for a moment without a time zone (ORD-02, ORD-04, SHP-02, SHP-07, MSG-09).
    """
    return postponed(start, span.length, span.clock, calendar)


def postponed(moment: datetime, length: timedelta, clock: ClockKind, calendar: Calendar) -> datetime:
    """A deadline moved on by time on its own clock: what a hold stopped, as `elapsed` measures it.

    Time adds up: a deadline postponed is the deadline of the span and the stop together.
    """
    moment = _aware(moment).astimezone(UTC)
    if clock == ClockKind.WALL or not length:
        return moment + length
    if length < timedelta():
        raise ValueError("a working clock does not run backwards")
    number = moment.astimezone(calendar.zone).year
    year = _year(calendar, clock, number)
    wanted = year.worked_by((moment - _EPOCH) // _TICK) + length // _TICK
    while wanted > year.total:
        wanted -= year.total
        number += 1
        year = _year(calendar, clock, number)
    return _EPOCH + year.moment_of(wanted) * _TICK


def elapsed(start: datetime, end: datetime, clock: ClockKind, calendar: Calendar) -> timedelta:
    """The time that a clock runs between two moments: how much is left, how late, how long a hold stopped it.

    The inverse of `deadline`; negative when `end` is before `start` (MSG-09).
    """
    start, end = _aware(start).astimezone(UTC), _aware(end).astimezone(UTC)
    if clock == ClockKind.WALL:
        return end - start
    if end < start:
        return -elapsed(end, start, clock, calendar)
    first, last = start.astimezone(calendar.zone).year, end.astimezone(calendar.zone).year
    ticks = sum(_year(calendar, clock, number).total for number in range(first, last))
    ticks -= _year(calendar, clock, first).worked_by((start - _EPOCH) // _TICK)
    ticks += _year(calendar, clock, last).worked_by((end - _EPOCH) // _TICK)
    return ticks * _TICK


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a deadline is that one: start, span, days skipped, time that holds stopped the clock (ORD-16)."""

    start: datetime
    span: Span
    calendar: Calendar
    deadline_at: datetime
    skipped: tuple[Skipped, ...]
    shifted_by: timedelta

    def sentence(self, consequence: str | None = None, now: datetime | None = None) -> str:
        """The explanation in the active language, after what will happen if that is given.

        `consequence` is a translated sentence, `{when}` in it the deadline: "Se cancelará {when}."
        With `now`, days that are near are named as people do: "hoy", "el jueves 19".
        """
        zone = self.calendar.zone
        year = self.start.astimezone(zone).year != last_day(self.deadline_at, zone).year
        said = []
        if consequence:
            ends = when(self.deadline_at, zone, now, year=year, ends=True)
            said.append(consequence.replace("{when}", ends))
        words = {
            "amount": _span_words(self.span, self.calendar),
            "start": when(self.start, zone, now, year=year, since=True),
            "skipped": none_of(_skipped_words(self)),
        }
        if self.skipped:
            said.append(_("%(amount)s desde %(start)s, sin contar %(skipped)s.") % words)
        else:
            said.append(_("%(amount)s desde %(start)s.") % words)
        if self.shifted_by:
            wall = self.span.clock == ClockKind.WALL
            stopped = length_words(self.shifted_by) if wall else _amount(self.shifted_by, self.span.clock)
            said.append(_("El plazo se paró %(stopped)s por la retención.") % {"stopped": stopped})
        return " ".join(said)


def explain(start: datetime, span: Span, calendar: Calendar, shifted: timedelta = timedelta()) -> Explanation:
    """The deadline with everything that made it (ORD-16).

    `shifted` is what holds stopped, on the span's own clock: `elapsed(held_at, released_at, …)`.
    """
    ends_at = postponed(deadline(start, span, calendar), shifted, span.clock, calendar)
    skipped = _skipped(start, ends_at, span.clock, calendar)
    return Explanation(start, span, calendar, ends_at, skipped, shifted)


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a moment needs its time zone")
    return moment


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValueError(f"no time zone is called {name!r}") from unknown


@lru_cache(maxsize=1024)
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


@lru_cache(maxsize=256)
def _tongues(country: str, subdivision: str | None) -> tuple[str, ...]:
    """The languages that the public holidays of a place have names in."""
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None).supported_languages
    except NotImplementedError as unknown:
        raise ValueError(f"no public holidays are known for {country!r}, {subdivision!r}") from unknown


@lru_cache(maxsize=1024)
def _holiday_names(country: str, subdivision: str | None, year: int, language: str) -> dict[date, str]:
    spoken = _tongues(country, subdivision)
    tongue = next((code for code in spoken if code.partition("_")[0] == language), None)
    named = holidays.country_holidays(country, subdiv=subdivision or None, years=year, language=tongue)
    return {day: name.replace("; ", ", ") for day, name in named.items()}


@dataclass(frozen=True, slots=True)
class _Year:
    """The working time of a local year: when each stretch opens, closes, and what is worked by its close."""

    opens: tuple[int, ...]
    closes: tuple[int, ...]
    worked: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.worked[-1] if self.worked else 0

    def worked_by(self, tick: int) -> int:
        """What has been worked since New Year at a moment of the year."""
        last = bisect_right(self.opens, tick) - 1
        return self.worked[last] - max(self.closes[last] - tick, 0) if last >= 0 else 0

    def moment_of(self, worked: int) -> int:
        """The first moment by which that much has been worked."""
        stretch = bisect_left(self.worked, worked)
        return self.closes[stretch] - (self.worked[stretch] - worked)


@lru_cache(maxsize=256)
def _year(calendar: Calendar, clock: ClockKind, number: int) -> _Year:
    opens, closes, worked, total = [], [], [], 0
    day = date(number, 1, 1)
    while day.year == number:
        if calendar.is_working(day):
            first, last = ((moment - _EPOCH) // _TICK for moment in _stretch(calendar, clock, day))
            total += max(last - first, 0)
            opens.append(first)
            closes.append(max(first, last))
            worked.append(total)
        day += _DAY
    return _Year(tuple(opens), tuple(closes), tuple(worked))


def _stretch(calendar: Calendar, clock: ClockKind, day: date) -> tuple[datetime, datetime]:
    """From when to when a working day is worked, in UTC; 23 or 25 hours long where the clocks change."""
    if clock == ClockKind.WORKING:
        return calendar.midnight(day), calendar.midnight(day + _DAY)
    opens = datetime.combine(day, calendar.opens, tzinfo=calendar.zone)
    closes = datetime.combine(day, calendar.closes, tzinfo=calendar.zone)
    return opens.astimezone(UTC), closes.astimezone(UTC)


def _skipped(start: datetime, end: datetime, clock: ClockKind, calendar: Calendar) -> tuple[Skipped, ...]:
    """The local days, from that of the start on, over which a clock stood still."""
    found: list[Skipped] = []
    day = calendar.local_day(start)
    while clock != ClockKind.WALL and start < end and calendar.midnight(day) < end:
        if reason := calendar.why_not(day):
            found.append(Skipped(day, reason))
        day += _DAY
    return tuple(found)


def _span_words(span: Span, calendar: Calendar) -> str:
    amount = _amount(span.length, span.clock)
    if span.clock != ClockKind.OFFICE:
        return amount
    words = {"amount": amount, "opens": f"{calendar.opens:%H:%M}", "closes": f"{calendar.closes:%H:%M}"}
    return _("%(amount)s (de %(opens)s a %(closes)s)") % words


def _amount(length: timedelta, clock: ClockKind) -> str:
    """A length in the hours of its clock; in days where it is whole days and more than four."""
    hours = round(length / timedelta(hours=1), 2)
    if clock == ClockKind.WALL and not hours.is_integer():
        return length_words(length)
    in_days = clock != ClockKind.OFFICE and hours > 96 and hours % 24 == 0
    number = hours / 24 if in_days else hours
    n = int(number) if number.is_integer() else 2
    if clock == ClockKind.OFFICE:
        words = ngettext("%(n)s hora de oficina", "%(n)s horas de oficina", n)
    elif clock == ClockKind.WORKING and in_days:
        words = ngettext("%(n)s día laborable", "%(n)s días laborables", n)
    elif clock == ClockKind.WORKING:
        words = ngettext("%(n)s hora laborable", "%(n)s horas laborables", n)
    elif in_days:
        words = ngettext("%(n)s día", "%(n)s días", n)
    else:
        words = ngettext("%(n)s hora", "%(n)s horas", n)
    return words % {"n": n if number.is_integer() else localize(number)}


def _skipped_words(why: Explanation) -> list[str]:
    """The days left out, by name while they are few: two of a weekend, four holidays; counted past that."""
    weekends = [day for day, reason in why.skipped if reason == SkipReason.WEEKEND]
    feasts = [day for day, reason in why.skipped if reason == SkipReason.HOLIDAY]
    counted = []
    if len(weekends) > 2:
        counted.append(_weekend_count(weekends, why.calendar))
        weekends = []
    if len(feasts) > 4:
        counted.append(ngettext("%(n)s festivo", "%(n)s festivos", len(feasts)) % {"n": len(feasts)})
        feasts = []
    named = []
    last = why.calendar.local_day(why.start)
    for day in sorted(weekends + feasts):
        words = day_words(day, month=day.month != last.month, year=day.year != last.year)
        named.append(f"{words} ({why.calendar.holiday_name(day)})" if day in feasts else words)
        last = day
    return counted + named


def _weekend_count(days: list[date], calendar: Calendar) -> str:
    """Many days of weekends: as weekends where they are Saturday and Sunday, else as days of rest."""
    if set(calendar.weekdays) == {0, 1, 2, 3, 4}:
        n = sum(day - _DAY not in days for day in days)
        return ngettext("%(n)s fin de semana", "%(n)s fines de semana", n) % {"n": n}
    return ngettext("%(n)s día de descanso", "%(n)s días de descanso", len(days)) % {"n": len(days)}
