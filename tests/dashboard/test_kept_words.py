"""Words that are kept say what fresh ones would, at every distance, in both languages, where clocks change too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from dashboard import kept_words
from marketplace import moments

NOWS = [
    datetime(2026, 11, 22, 17, 5, 59, tzinfo=UTC),
    datetime(2026, 10, 24, 22, 30, tzinfo=UTC),
    datetime(2026, 12, 31, 22, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 4, 5, 2, 30, tzinfo=UTC),
    datetime(2026, 4, 5, 3, 30, tzinfo=UTC),
]
AWAY = [
    timedelta(minutes=n)
    for n in (0, 1, 59, 60, 179, 359, 360, 361, 700, 1439, 1440, 3000, 8639, 10081, 600_000)
]


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/Santiago", "Pacific/Auckland"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_kept_words_are_the_fresh_ones(zone: str, language: str) -> None:
    there = ZoneInfo(zone)
    with override(language):
        for now in NOWS + NOWS:
            for away in (*AWAY, *(-one for one in AWAY), timedelta(microseconds=-1)):
                moment = now + away
                left = moments.what_is_left(moment, now, there)
                assert kept_words.what_is_left(moment, now, there) == left
                for ends in (False, True):
                    said = moments.moment_words(moment, now, there, ends=ends)
                    assert kept_words.moment_words(moment, now, there, ends=ends) == said
                assert kept_words.length_words(abs(away)) == moments.length_words(abs(away))
