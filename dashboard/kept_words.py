"""The words of moments, kept: the fifty orders of a list, and the next list's, say most of the same ones.

Each function says exactly what its namesake in `marketplace.moments` says. What the words hang on is the key that
they are kept by: the moment, the day that it is, the language; never the second.
"""

from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache

from django.utils.translation import get_language

from marketplace import moments
from marketplace.moments import Left

_NEAR = timedelta(hours=6)
_MOST = 8192
_DAY_STARTS, _DAY_ENDS = time.min, time.max.replace(fold=1)


def moment_words(moment: datetime, now: datetime, zone: tzinfo, *, ends: bool = False) -> str:
    """When something happens, or `ends`, to follow a verb."""
    return _moment_words(moment, _today(now, zone, _DAY_STARTS), zone, ends, get_language())


@lru_cache(maxsize=_MOST)
def _moment_words(moment: datetime, today: datetime, zone: tzinfo, ends: bool, _language: str | None) -> str:
    return moments.moment_words(moment, today, zone, ends=ends)


def what_is_left(deadline_at: datetime, now: datetime, zone: tzinfo) -> Left:
    """A deadline in the words of a badge; one that is near counts its minutes, anew each time."""
    left = deadline_at.astimezone(UTC) - now.astimezone(UTC)
    if timedelta() <= left <= _NEAR:
        return moments.what_is_left(deadline_at, now, zone)
    # Of the far ones only the day tells: any moment of it will do that has not crossed the deadline.
    today = _today(now, zone, _DAY_ENDS if left < timedelta() else _DAY_STARTS)
    return _what_is_left(deadline_at, today, zone, get_language())


@lru_cache(maxsize=_MOST)
def _what_is_left(deadline_at: datetime, today: datetime, zone: tzinfo, _language: str | None) -> Left:
    return moments.what_is_left(deadline_at, today, zone)


def length_words(length: timedelta) -> str:
    """A length of time in days, hours and minutes."""
    return _length_words(length, get_language())


def lasted_words(length: timedelta) -> str:
    """How long something has lasted, to the hour, of days to the day: nobody asks for the minutes of a week."""
    step = timedelta(days=1) if length >= timedelta(days=2) else timedelta(hours=1)
    return length_words(length - length % step if length >= timedelta(hours=3) else length)


@lru_cache(maxsize=_MOST)
def _length_words(length: timedelta, _language: str | None) -> str:
    return moments.length_words(length)


def _today(now: datetime, zone: tzinfo, at: time) -> datetime:
    return datetime.combine(now.astimezone(zone).date(), at, tzinfo=zone)
