"""The clock of what waits for a shop's answer: from when, until when, and why then (MSG-09).

It runs on the calendar of the channel; where the policy says so, it stands still on the days on which the shop has told
beforehand that it is closed.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from marketplace import bulk, clocks
from marketplace.clocks import Calendar, SkipReason
from marketplace.models import Channel
from marketplace.moments import day_words
from marketplace.policy import Role, Settings, Window
from messaging.models import Message, Thread
from messaging.recipients import To
from sellers.desk import Actor
from sellers.models import ShopHoliday

WAITS = Q(answer_by__isnull=False, answered_at__isnull=True, needs_no_answer=False)
"""Messages that wait for the shop's answer."""

MOST_NAMED = 4
"""As many holidays does an explanation name by itself; past that it counts them."""

type Days = Sequence[ShopHoliday]


def starts(to: To, *, by: Actor) -> bool:
    """Whether a message starts the clock: it is the customer's or the operator's, and for the shop."""
    return to.shop and by.role in (Role.CUSTOMER, Role.OPERATOR)


def stand_by(shop_id: int, *, alone: bool = False) -> None:
    """Wait until nobody changes the days of a shop, and let nobody change them until the transaction ends.

    Whoever writes what waits stands by before they lock the thread; who changes the days does so `alone`, before
    they lock any. So no message is reckoned by days that have just been changed.
    """
    kind = "" if alone else "_shared"
    lock = f"pg_advisory_xact_lock{kind}(hashtext('messaging.answer_clock'), %s)"
    bulk.fetch(f"SELECT 1 FROM (SELECT {lock}) AS mine", [shop_id])


def terms_of(thread: Thread, fallback: Channel | None = None) -> tuple[Settings, Calendar] | None:
    """The policy and the calendar that a thread is under: its order's, else those of a channel that is open.

    `fallback` is that channel where it has been read.
    """
    if thread.order is not None:
        return thread.order.policy.rules, thread.order.channel.calendar
    channel = thread.channel or fallback or first_channel()
    if channel is None or channel.policy is None:
        return None
    return channel.policy.rules, channel.calendar


def first_channel() -> Channel | None:
    """The channel whose clocks hold for what is about no order."""
    return Channel.objects.filter(policy__isnull=False).select_related("policy").order_by("id").first()


def days_of(shop_id: int, since: datetime) -> list[ShopHoliday]:
    """The days on which a shop is closed, from a moment on; a day more, for wherever it is yesterday."""
    rows = ShopHoliday.objects.filter(shop_id=shop_id, last_day__gte=since.date() - timedelta(days=1))
    return list(rows.order_by("first_day", "id"))


def calendar_with(calendar: Calendar, days: Days) -> Calendar:
    """The calendar of a channel with the days on which a shop is closed."""
    if not days:
        return calendar
    closed = {day: one.note or _("cierre de la tienda") for one in days for day in _each(one)}
    return replace(
        calendar,
        extra_holidays=tuple(sorted({*calendar.extra_holidays, *closed})),
        extra_names=(*sorted(closed.items()), *calendar.extra_names),
    )


def _each(days: ShopHoliday) -> list[date]:
    length = (days.last_day - days.first_day).days + 1
    return [days.first_day + timedelta(days=n) for n in range(length)]


def answer_by(thread: Thread, to: To, *, by: Actor, at: datetime) -> datetime | None:
    """When the shop has to have answered what can be seen from a moment on; None where it need not."""
    terms = terms_of(thread) if starts(to, by=by) else None
    if terms is None:
        return None
    rules, calendar = terms
    if rules.answer_stops_on_shop_holidays:
        calendar = calendar_with(calendar, days_of(thread.shop_id, at))
    return clocks.deadline(at, window(thread, rules).span, calendar)


def window(thread: Thread, rules: Settings) -> Window:
    """How long the shop has to answer in a thread; in that of an incident, the time of incidents (MSG-09, INC-09)."""
    return rules.incident_answer_within if thread.of_incident else rules.answer_within


def reckoned(message: Message, rules: Settings, calendar: Calendar, days: Days) -> clocks.Explanation:
    """The clock of a message that waits, with all that made it."""
    if rules.answer_stops_on_shop_holidays:
        calendar = calendar_with(calendar, days)
    return clocks.explain(message.visible_at, window(message.thread, rules).span, calendar)


def why(message: Message, rules: Settings, calendar: Calendar, days: Days, now: datetime) -> str:
    """The explanation of a message's clock; closings of the shop that it is too long to name, it names all the same."""
    told = reckoned(message, rules, calendar, days)
    feasts = {one.day for one in told.skipped if one.reason == SkipReason.HOLIDAY}
    said = [told.sentence(now=now)]
    if len(feasts) > MOST_NAMED:
        said += [_closed(one) for one in days if feasts & set(_each(one))]
    return " ".join(said)


def _closed(days: ShopHoliday) -> str:
    words = {"first": day_words(days.first_day), "last": day_words(days.last_day), "note": days.note}
    if days.first_day == days.last_day:
        said = _("Tu tienda está cerrada %(first)s.") % words
    else:
        said = _("Tu tienda está cerrada desde %(first)s hasta %(last)s.") % words
    return f"{said[:-1]} ({days.note})." if days.note else said
