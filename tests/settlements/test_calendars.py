"""The days on which a channel closes: of the month, of the week, or each so many (SET-01)."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from marketplace.models import Channel, Policy
from marketplace.policy import PRESETS, Contradiction, Preset, Settings, SettlementBy
from marketplace.services import publish_policy
from settlements import queries
from tests.conftest import AT

RULES = PRESETS[Preset.ACCEPT_FIRST]


def ruled(channel: Channel, **changes: Any) -> Channel:
    rules = Settings.model_validate({**RULES.model_dump(), **changes})
    publish_policy(channel, rules, by="x", at=AT)
    return Channel.objects.select_related("policy").get(id=channel.id)


def days(channel: Channel, first: datetime, count: int) -> list[date]:
    """The closings that follow one another from a moment on, as days there."""
    found: list[datetime] = []
    for _ in range(count):
        after = found[-1] + timedelta(microseconds=1) if found else first
        found.append(min(moment for moment in queries.closings(channel, after) if moment >= after))
    assert all(queries.last_closing(channel, moment) == moment for moment in found)
    assert all(queries.last_closing(channel, at + timedelta(hours=20)) == at for at in found)
    return [channel.calendar.local_day(moment) for moment in found]


@pytest.mark.django_db
@pytest.mark.rule("SET-01")
def test_days_of_the_week(channel: Channel) -> None:
    weekly = ruled(channel, settlement_by=SettlementBy.WEEKDAYS, settlement_weekdays=(2, 5))
    told = days(weekly, AT + timedelta(days=1), 9)
    assert told[:3] == [date(2026, 3, 6), date(2026, 3, 10), date(2026, 3, 13)]
    assert {day.isoweekday() for day in told} == {2, 5}


@pytest.mark.django_db
@pytest.mark.rule("SET-01")
def test_the_clocks_change_and_a_closing_is_still_midnight_there(channel: Channel) -> None:
    weekly = ruled(channel, settlement_by=SettlementBy.WEEKDAYS, settlement_weekdays=(1,))
    march = datetime(2026, 3, 22, tzinfo=UTC)
    moments = [moment for moment in queries.closings(weekly, march + timedelta(days=7)) if moment > march]
    assert moments == [datetime(2026, 3, 22, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)]


@pytest.mark.django_db
@pytest.mark.rule("SET-01")
def test_each_so_many_days_from_a_day_on(channel: Channel) -> None:
    changes = {"settlement_by": "every_days", "settlement_every_days": 10, "settlement_from": "2026-02-20"}
    tenth = ruled(channel, **changes)
    assert days(tenth, AT, 4) == [date(2026, 3, day) for day in (12, 22)] + [
        date(2026, 4, day) for day in (1, 11)
    ]
    assert days(tenth, AT - timedelta(days=200), 2) == [date(2026, 2, 20), date(2026, 3, 2)]
    assert queries.last_closing(tenth, datetime(2026, 2, 19, 22, tzinfo=UTC)) is None


@pytest.mark.django_db
@pytest.mark.rule("SET-01")
@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("settlement_weekdays", {"settlement_weekdays": (5, 2)}),
        ("settlement_weekdays", {"settlement_weekdays": ()}),
        ("settlement_weekdays", {"settlement_weekdays": (0,)}),
        ("settlement_every_days", {"settlement_every_days": 0}),
        ("settlement_from", {"settlement_from": "1999-12-31"}),
    ],
)
def test_a_calendar_that_is_none_is_refused(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"día|days|greater|liquidación") as refused:
        Settings.model_validate({**RULES.model_dump(), **changes})
    errors: list[Any] = refused.value.errors()  # type: ignore[attr-defined]
    contradiction = errors[0].get("ctx", {}).get("error")
    told = contradiction.flaws[0][0] if isinstance(contradiction, Contradiction) else errors[0]["loc"][0]
    assert told == field


@pytest.mark.django_db
@pytest.mark.rule("SET-01", "ORD-10")
def test_a_version_from_before_calendars_is_read_as_it_was(channel: Channel) -> None:
    old = json.loads(RULES.model_dump_json())
    new = ("settlement_by", "settlement_weekdays", "settlement_every_days", "settlement_from")
    for name in (*new, "payout_needs_details", "adjustment_alone_cents"):
        del old[name]
    kept = Policy.objects.create(channel=channel, number=9, settings=json.dumps(old), published_at=AT)
    rules = Policy.objects.get(id=kept.id).rules
    assert (rules.settlement_by, rules.settlement_days) == (SettlementBy.MONTH_DAYS, (1, 16))
    assert rules.payout_needs_details is False
