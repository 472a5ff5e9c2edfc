"""The days on which a shop is closed: published beforehand, withdrawn while they are to come, and the clocks of what
waits for its answer reckoned anew each time (MSG-09).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from marketplace import bulk
from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging.answer_clock import WAITS, Days, days_of, first_channel, reckoned, stand_by, terms_of
from messaging.models import Message, Thread
from messaging.signals import waits_changed
from sellers.desk import Actor, Right
from sellers.models import Shop, ShopHoliday

MOST_DAYS = 60
"""As many days to come may a shop have told that it is closed: a clock cannot be put off for ever."""

FARTHEST = timedelta(days=400)
"""As far ahead can days be told."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The days of a closing, both ends included, and what it is for."""

    first_day: date
    last_day: date
    note: str = ""


@transaction.atomic
def publish(shop: Shop, closing: Closing, *, by: Actor, at: datetime) -> ShopHoliday:
    """Tell on which days the shop will be closed, from tomorrow on: nobody who is late buys time with it.

    What waits for an answer is reckoned anew. Raises MoveRefused: `not_allowed`, `days_not_ahead`, `days_overlap`,
    `too_many_days`.
    """
    if not by.may(Right.TEAM):
        raise MoveRefused(Refusal(0, Code.NOT_ALLOWED))
    stand_by(shop.id, alone=True)
    today = timezone.localdate(at)
    if code := _flaw(shop, closing, today):
        raise MoveRefused(Refusal(0, code))
    made = ShopHoliday.objects.create(
        shop=shop,
        first_day=closing.first_day,
        last_day=closing.last_day,
        note=closing.note,
        published_at=at,
        published_by_id=by.user_id,
    )
    reckon(shop.id)
    return made


def _flaw(shop: Shop, closing: Closing, today: date) -> Code | None:
    if not today < closing.first_day <= closing.last_day <= today + FARTHEST:
        return Code.DAYS_NOT_AHEAD
    coming = ShopHoliday.objects.filter(shop=shop, last_day__gt=today)
    if coming.filter(first_day__lte=closing.last_day, last_day__gte=closing.first_day).exists():
        return Code.DAYS_OVERLAP
    told = sum((one.last_day - max(one.first_day - timedelta(days=1), today)).days for one in coming)
    length = (closing.last_day - closing.first_day).days + 1
    return Code.TOO_MANY_DAYS if told + length > MOST_DAYS else None


@transaction.atomic
def withdraw(holiday_id: int, *, by: Actor, at: datetime) -> None:
    """Take back days that are still to come; of a closing that has begun, those after today. Clocks are reckoned anew.

    Raises MoveRefused: `not_allowed`, `days_not_ahead` when none is to come.
    """
    if not by.may(Right.TEAM):
        raise MoveRefused(Refusal(holiday_id, Code.NOT_ALLOWED))
    shop_id = ShopHoliday.objects.values_list("shop_id", flat=True).get(id=holiday_id)
    stand_by(shop_id, alone=True)
    today = timezone.localdate(at)
    found = ShopHoliday.objects.filter(id=holiday_id, last_day__gt=today).first()
    if found is None:
        raise MoveRefused(Refusal(holiday_id, Code.DAYS_NOT_AHEAD))
    if found.first_day > today:
        found.delete()
    else:
        found.last_day = today
        found.save(update_fields=["last_day"])
    reckon(shop_id)


def reckon(shop_id: int) -> int:
    """Reckon the clocks of all that waits for a shop's answer by its days as they are now; answers how many changed.

    To be called by who stands by alone; the threads are locked in the order of their keys.
    """
    threads = {
        thread.id: thread
        for thread in Thread.objects.select_for_update(of=("self",), no_key=True)
        .filter(shop_id=shop_id, waiting__gt=0)
        .select_related("order__policy", "order__channel", "channel__policy")
        .order_by("id")
    }
    waiting = list(Message.objects.filter(WAITS, thread_id__in=list(threads)).order_by("id"))
    if not waiting:
        return 0
    days = days_of(shop_id, waiting[0].visible_at)
    first: dict[int, datetime] = {}
    changed: list[tuple[int, datetime]] = []
    fallback = first_channel()
    for message in waiting:
        ends_at = _ends_at(message, threads[message.thread_id], days, fallback)
        first[message.thread_id] = min(ends_at, first.get(message.thread_id, ends_at))
        if ends_at != message.answer_by:
            changed.append((message.id, ends_at))
    bulk.update(Message, ("id", "answer_by"), changed)
    moved = [(key, ends_at) for key, ends_at in first.items() if threads[key].answer_by != ends_at]
    bulk.update(Thread, ("id", "answer_by"), moved)
    if moved:
        waits_changed.send(sender=Thread, thread_ids=[key for key, _ends_at in moved])
    return len(changed)


def _ends_at(message: Message, thread: Thread, days: Days, fallback: Channel | None) -> datetime:
    """When the answer to a message is due by these days; where no policy says so, when it was."""
    assert message.answer_by is not None
    terms = terms_of(thread, fallback)
    return reckoned(message, *terms, days).deadline_at if terms else message.answer_by


def of_shop(shop: Shop, today: date) -> Days:
    """The closings of a shop that are not over, the next one first."""
    return list(
        ShopHoliday.objects.filter(shop=shop, last_day__gte=today)
        .select_related("published_by")
        .order_by("first_day", "id")
    )
