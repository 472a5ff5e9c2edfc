"""How moments, days and lengths of time are said to people, in the active language.

Days and hours are those of the zone given; minutes are always rounded down, so that nobody is promised time
that there is not. A deadline, or any other end, that falls at midnight is told as 24:00 of the day that it ends:
"the 25th at 00:00" would be read as a day later. What begins or happens then stays at 00:00.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from django.utils.dateformat import format as in_words
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

LAST_MINUTE = timedelta(minutes=1)
"""So far into a day an end is still told of the day before, because minutes are rounded down."""

_MINUTE = timedelta(minutes=1)
_TICK = timedelta(microseconds=1)
_DAYS_END = "24:00"
_PRESSING = timedelta(hours=6)
_WEEK = 7


class _Wall(NamedTuple):
    """A moment as a calendar and a clock on the wall show it."""

    day: date
    time: str


def _wall(moment: datetime, zone: tzinfo, *, ends: bool) -> _Wall:
    local = moment.astimezone(zone)
    if ends and local.hour < 2:  # nowhere do the clocks skip more than the first hour of a day
        minute = moment.astimezone(UTC).replace(second=0, microsecond=0)
        eve = (minute - _TICK).astimezone(zone).date()
        if eve != local.date():
            return _Wall(eve, _DAYS_END)
    return _Wall(local.date(), f"{local:%H:%M}")


def last_day(moment: datetime, zone: tzinfo) -> date:
    """The local day on which something ends: at midnight, the day that is over."""
    return _wall(moment, zone, ends=True).day


class Left(NamedTuple):
    """The words of a deadline's badge; `kind` is "late", "soon" (today, or within six hours) or "calm"."""

    kind: str
    text: str


def what_is_left(deadline_at: datetime, now: datetime, zone: tzinfo) -> Left:
    """A deadline in the words of a badge: "quedan 5 h", "mañana 18:00", "martes 24", "desde ayer 18:00".

    Moments are aware. It is late only once it has passed; minutes are told under three hours (ORD-16).
    """
    wall, today = _wall(deadline_at, zone, ends=True), now.astimezone(zone).date()
    # Two moments of one zone subtract as its clocks on the wall do, which is wrong where those change.
    left = deadline_at.astimezone(UTC) - now.astimezone(UTC)
    if left < timedelta():
        return Left("late", _since(wall, today))
    if left <= _PRESSING:
        return Left("soon", _countdown(left))
    days = (wall.day - today).days
    if days == 0:
        return Left("soon", _("hoy %(time)s") % {"time": wall.time})
    if days == 1:
        return Left("calm", _("mañana %(time)s") % {"time": wall.time})
    if days < _WEEK:
        return Left("calm", in_words(wall.day, "l j"))
    return Left("calm", _date(wall.day, year=wall.day.year != today.year))


def moment_words(moment: datetime, now: datetime, zone: tzinfo, *, ends: bool = False) -> str:
    """When something happens, or `ends`, to follow a verb: "hoy a las 14:05", "el jueves 26 a las 14:05"."""
    return when(moment, zone, now, ends=ends)


def when(
    moment: datetime,
    zone: tzinfo,
    now: datetime | None,
    *,
    year: bool = False,
    since: bool = False,
    ends: bool = False,
) -> str:
    """A moment as `moment_words` says it; without `now` by its full date, and with the year if `year`.

    `since` gives the form that follows "desde", which English tells apart ("on Friday", "from Friday").
    `ends` marks a deadline or another end: midnight is then told as 24:00 of the day before.
    """
    wall, near = _wall(moment, zone, ends=ends), False
    words = {"at": _at(wall.time)}
    if now is not None:
        today = now.astimezone(zone).date()
        days = (wall.day - today).days
        if days == 0:
            return _("hoy %(at)s") % words
        if days == 1:
            return _("mañana %(at)s") % words
        if days == -1:
            return _("ayer %(at)s") % words
        near, year = abs(days) < _WEEK, wall.day.year != today.year
    words["day"] = day_words(wall.day, month=not near, year=year and not near)
    if since:
        return pgettext("since", "%(day)s %(at)s") % words
    return pgettext("when", "%(day)s %(at)s") % words


def stamp(moment: datetime, zone: tzinfo, *, ends: bool = False) -> str:
    """A moment in figures, for tables: "24/11/2026 14:05"; of an end at midnight, "24/11/2026 24:00"."""
    wall = _wall(moment, zone, ends=ends)
    return f"{wall.day:%d/%m/%Y} {wall.time}"


def day_words(day: date, *, month: bool = True, year: bool = False) -> str:
    """A day with its article: "el jueves 26", "el jueves 26 de noviembre", "el 3 de enero de 2027"."""
    if year:
        return _("el %(date)s") % {"date": _date(day, year=True)}
    date_or_number = _date(day) if month else str(day.day)
    return _("el %(weekday)s %(date)s") % {"weekday": in_words(day, "l"), "date": date_or_number}


def length_words(length: timedelta) -> str:
    """A length of time in days, hours and minutes: "1 día y 2 horas", "45 minutos"."""
    minutes = length // _MINUTE
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [
        text
        for number, text in (
            (days, ngettext("%(n)s día", "%(n)s días", days) % {"n": days}),
            (hours, ngettext("%(n)s hora", "%(n)s horas", hours) % {"n": hours}),
            (minutes, ngettext("%(n)s minuto", "%(n)s minutos", minutes) % {"n": minutes}),
        )
        if number
    ]
    if len(parts) < 2:
        return parts[0] if parts else _("menos de 1 minuto")
    return _("%(most)s y %(last)s") % {"most": ", ".join(parts[:-1]), "last": parts[-1]}


def none_of(things: Sequence[str]) -> str:
    """Things left out, as a list: "el sábado 21, el domingo 22 ni el lunes 23"; nothing for no things."""
    if len(things) < 2:
        return "".join(things)
    return _("%(most)s ni %(last)s") % {"most": ", ".join(things[:-1]), "last": things[-1]}


def _since(wall: _Wall, today: date) -> str:
    """How long a deadline has been missed, by its moment."""
    days, words = (today - wall.day).days, {"time": wall.time}
    if days == 0 and wall.time.startswith("01"):
        return _("desde la %(time)s") % words
    if days == 0:
        return _("desde las %(time)s") % words
    if days == 1:
        return _("desde ayer %(time)s") % words
    if days < _WEEK:
        return _("desde %(day)s") % {"day": day_words(wall.day, month=False)}
    date_words = _("el %(date)s") % {"date": _date(wall.day, year=wall.day.year != today.year)}
    return _("desde %(day)s") % {"day": date_words}


def _countdown(left: timedelta) -> str:
    hours, minutes = divmod(left // _MINUTE, 60)
    if not hours and not minutes:
        return _("queda menos de 1 min")
    if not hours:
        return ngettext("queda %(minutes)s min", "quedan %(minutes)s min", minutes) % {"minutes": minutes}
    if not minutes or hours > 2:
        return ngettext("queda %(hours)s h", "quedan %(hours)s h", hours) % {"hours": hours}
    words = {"hours": hours, "minutes": minutes}
    return ngettext("queda %(hours)s h %(minutes)s min", "quedan %(hours)s h %(minutes)s min", hours) % words


def _at(time: str) -> str:
    """The hour after its preposition: Spanish says one o'clock in the singular."""
    if time == _DAYS_END:
        return _("a las 24:00")
    return (_("a la %(time)s") if time.startswith("01") else _("a las %(time)s")) % {"time": time}


def _date(day: date, *, year: bool = False) -> str:
    words = {"day": day.day, "month": in_words(day, "E"), "year": day.year}
    return (_("%(day)s de %(month)s de %(year)s") if year else _("%(day)s de %(month)s")) % words
