"""How moments, days and lengths of time are said to people, in the active language.

Days and hours are those of the zone given; minutes are always rounded down, so that nobody is promised time
that there is not.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from django.utils.dateformat import format as in_words
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

_MINUTE = timedelta(minutes=1)
_PRESSING = timedelta(hours=6)
_WEEK = 7


class Left(NamedTuple):
    """The words of a deadline's badge; `kind` is "late", "soon" (today, or within six hours) or "calm"."""

    kind: str
    text: str


def what_is_left(deadline_at: datetime, now: datetime, zone: tzinfo) -> Left:
    """A deadline in the words of a badge: "quedan 5 h", "mañana 18:00", "martes 24", "desde ayer 18:00".

    Moments are aware. It is late only once it has passed; minutes are told under three hours (ORD-16).
    """
    local, today = deadline_at.astimezone(zone), now.astimezone(zone).date()
    # Two moments of one zone subtract as its clocks on the wall do, which is wrong where those change.
    left = deadline_at.astimezone(UTC) - now.astimezone(UTC)
    if left < timedelta():
        return Left("late", _since(local, today))
    if left <= _PRESSING:
        return Left("soon", _countdown(left))
    days = (local.date() - today).days
    if days == 0:
        return Left("soon", _("hoy %(time)s") % {"time": _clock(local)})
    if days == 1:
        return Left("calm", _("mañana %(time)s") % {"time": _clock(local)})
    if days < _WEEK:
        return Left("calm", in_words(local, "l j"))
    return Left("calm", _date(local.date(), year=local.year != today.year))


def moment_words(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """When something happens, to follow a verb: "hoy a las 14:05", "el jueves 26 a las 14:05"."""
    return when(moment, zone, now)


def when(
    moment: datetime, zone: tzinfo, now: datetime | None, *, year: bool = False, since: bool = False
) -> str:
    """A moment as `moment_words` says it; without `now` by its full date, and with the year if `year`.

    `since` gives the form that follows "desde", which English tells apart ("on Friday", "from Friday").
    """
    local, near = moment.astimezone(zone), False
    words = {"at": _at(local)}
    if now is not None:
        today = now.astimezone(zone).date()
        days = (local.date() - today).days
        if days == 0:
            return _("hoy %(at)s") % words
        if days == 1:
            return _("mañana %(at)s") % words
        if days == -1:
            return _("ayer %(at)s") % words
        near, year = abs(days) < _WEEK, local.year != today.year
    words["day"] = day_words(local.date(), month=not near, year=year and not near)
    if since:
        return pgettext("since", "%(day)s %(at)s") % words
    return pgettext("when", "%(day)s %(at)s") % words


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


def _since(local: datetime, today: date) -> str:
    """How long a deadline has been missed, by its moment."""
    days = (today - local.date()).days
    if days == 0 and local.hour == 1:
        return _("desde la %(time)s") % {"time": _clock(local)}
    if days == 0:
        return _("desde las %(time)s") % {"time": _clock(local)}
    if days == 1:
        return _("desde ayer %(time)s") % {"time": _clock(local)}
    if days < _WEEK:
        return _("desde %(day)s") % {"day": day_words(local.date(), month=False)}
    date_words = _("el %(date)s") % {"date": _date(local.date(), year=local.year != today.year)}
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


def _clock(local: datetime) -> str:
    return f"{local:%H:%M}"


def _at(local: datetime) -> str:
    """The hour after its preposition: Spanish says one o'clock in the singular."""
    return (_("a la %(time)s") if local.hour == 1 else _("a las %(time)s")) % {"time": _clock(local)}


def _date(day: date, *, year: bool = False) -> str:
    words = {"day": day.day, "month": in_words(day, "E"), "year": day.year}
    return (_("%(day)s de %(month)s de %(year)s") if year else _("%(day)s de %(month)s")) % words
