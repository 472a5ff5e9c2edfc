"""Reads of conversations: the door of a shop to its own, and what of an order is shown of them (MSG-01, ROL-04)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, OuterRef, Q, QuerySet, When
from django.db.models.functions import JSONObject
from django.http import Http404

from marketplace.policy import Role
from messaging import readers
from messaging.answer_clock import WAITS, Days
from messaging.models import Attachment, Message, Thread
from orders.models import Order
from sellers.desk import Actor
from sellers.models import Membership, ShopHoliday

MESSAGES_A_PAGE = 200


def threads_of(member: Membership) -> QuerySet[Thread]:
    """The conversations that a member sees: all of the shop's, or those with their supplier (ROL-04)."""
    rows = Thread.objects.filter(shop_id=member.shop_id)
    return rows if member.supplier_id is None else rows.filter(supplier_id=member.supplier_id)


def get_thread(member: Membership, thread_id: int) -> Thread:
    """A conversation of this member's shop; a stranger's is not found. Raises Http404."""
    rows = threads_of(member).select_related("order__policy", "order__channel", "supplier")
    thread = rows.filter(id=thread_id).first()
    if thread is None:
        raise Http404
    thread.shop = member.shop
    return thread


def get_message(
    member: Membership, order: Order, message_id: int, *, by: Actor, at: datetime
) -> Message | None:
    """A message of a conversation about an order that a member may read; None where it is gone, or never was."""
    rows = readers.of_member(by, member.shop_id, at=at).filter(thread__order=order)
    return rows.filter(id=message_id).first()


@dataclass(frozen=True, slots=True)
class Shown:
    """The conversations about an order with their messages, oldest first; `older` is the key of what comes before them,
    0 where nothing does. `days` are the shop's closings since the first that waits."""

    threads: list[tuple[Thread, list[Message]]]
    files: dict[int, list[Attachment]]
    days: Days = ()
    older: int = 0


def about(order: Order, member: Membership, *, before: int = 0, by: Actor, at: datetime) -> Shown:
    """What a member reads of the conversations about an order: the newest page of messages, or one before a key.

    The conversation that was written in last comes first. One query, whatever there is.
    """
    rows = (
        readers.of_member(by, member.shop_id, at=at)
        .filter(thread__order=order)
        .select_related("thread__supplier", "thread__assignee__user", "thread__request")
        .annotate(has=_files(), closings=Case(When(WAITS, then=_closings(order)), default=None))
        .defer("words")
    )
    if before:
        rows = rows.filter(id__lt=before)
    newest = list(rows.order_by("-id")[: MESSAGES_A_PAGE + 1])
    said: dict[int, list[Message]] = {}
    for message in newest[:MESSAGES_A_PAGE]:
        said.setdefault(message.thread_id, []).insert(0, message)
    stops = order.policy.rules.answer_stops_on_shop_holidays
    return Shown(
        [(_of(messages[0].thread, order, member), messages) for messages in said.values()],
        {
            one.id: [Attachment(message=one, **told) for told in found]
            for one in newest
            if (found := _has(one))
        },
        next((_read_closings(told) for one in newest if (told := _told(one))), []) if stops else [],
        newest[MESSAGES_A_PAGE - 1].id if len(newest) > MESSAGES_A_PAGE else 0,
    )


def with_customer(order: Order, member: Membership, *, most: int, by: Actor, at: datetime) -> list[Message]:
    """The last messages that a shop and the customer of an order wrote to each other, oldest first; one query."""
    between = Q(role=Role.CUSTOMER.value) | Q(role=Role.SELLER.value, to_customer=True)
    rows = readers.of_member(by, member.shop_id, at=at).filter(
        between, thread__order=order, thread__supplier=None
    )
    return list(rows.defer("words").order_by("-id")[:most])[::-1]


_FILE = ("id", "name", "kind", "size", "preview_width", "preview_height")


def _files() -> ArraySubquery:
    """The files of a message, read with it."""
    rows = Attachment.objects.filter(message=OuterRef("pk")).order_by("id")
    return ArraySubquery(rows.values(told=JSONObject(**{name: name for name in _FILE})))


def _has(message: Message) -> list[dict[str, Any]]:
    return list(getattr(message, "has", None) or ())


def _closings(order: Order) -> ArraySubquery:
    """The shop's closings since the order came, read with a message that waits."""
    since = order.placed_at.date() - timedelta(days=1)
    rows = ShopHoliday.objects.filter(shop=OuterRef("shop"), last_day__gte=since)
    told = JSONObject(first_day="first_day", last_day="last_day", note="note")
    return ArraySubquery(rows.order_by("first_day", "id").values(told=told))


def _told(message: Message) -> list[dict[str, str]]:
    return list(getattr(message, "closings", None) or ())


def _read_closings(told: list[dict[str, str]]) -> list[ShopHoliday]:
    return [
        ShopHoliday(
            first_day=date.fromisoformat(one["first_day"]),
            last_day=date.fromisoformat(one["last_day"]),
            note=one["note"],
        )
        for one in told
    ]


def _of(thread: Thread, order: Order, member: Membership) -> Thread:
    thread.order, thread.shop = order, member.shop
    return thread


def waits(message: Message) -> bool:
    """Whether a message waits for the shop's answer."""
    return message.answer_by is not None and message.answered_at is None and not message.needs_no_answer
