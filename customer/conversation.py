"""What the customer of an order reads of its conversations: what they wrote and what is for them (MSG-04, MSG-05)."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import BooleanField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from marketplace.policy import Role
from messaging.models import Message, Thread
from messaging.recipients import readable_by
from messaging.thread_words import title_of
from orders.models import Order

MOST = 100
"""Messages of one page; older ones are a page further on."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as its reader sees it: who wrote it, in the customer's words, and whether it was they."""

    message: Message
    who: str
    own: bool


@dataclass(slots=True)
class Talk:
    """One conversation; `about` is empty where nothing was said of it that is the customer's to read."""

    thread: Thread
    about: str
    said: list[Said] = field(default_factory=list)


def readable(order: Order, now: datetime) -> QuerySet[Message]:
    """What the customer of an order may read now; what can still be taken back, only if it is theirs."""
    own = Q(role=Role.CUSTOMER.value)
    return Message.objects.filter(
        readable_by(Role.CUSTOMER), own | Q(visible_at__lte=now), thread__order=order, thread__supplier=None
    )


def conversation(
    order: Order, now: datetime, *, before: int | None = None, most: int = MOST
) -> tuple[list[Talk], int | None]:
    """The conversations of an order, the one with the latest message last, and the key that older ones start below.

    What was written first in a conversation says for whom its subject is.
    """
    first = Message.objects.filter(thread=OuterRef("thread")).order_by("id")
    opened = Coalesce(Subquery(first.values("to_customer")[:1], output_field=BooleanField()), False)
    by_them = Subquery(first.values("role")[:1])
    rows = readable(order, now).select_related("thread__request").annotate(opened=opened, opened_by=by_them)
    if before is not None:
        rows = rows.filter(id__lt=before)
    newest = list(rows.order_by("-id")[: most + 1])
    older = newest[most - 1].id if len(newest) > most else None
    talks: dict[int, Talk] = {}
    for message in reversed(newest[:most]):
        talk = talks.get(message.thread_id)
        if talk is None:
            talk = talks[message.thread_id] = Talk(message.thread, _about(message))
        talk.said.append(Said(message, _who(message, order), message.role == Role.CUSTOMER))
    return sorted(talks.values(), key=lambda talk: talk.said[-1].message.id), older


def may_write_in(order: Order, thread_id: int, now: datetime) -> bool:
    """Whether a conversation is one of those that the customer reads; any other is not there."""
    return readable(order, now).filter(thread_id=thread_id).exists()


def _about(message: Message) -> str:
    """The subject of a conversation that was begun with the customer, or by them for a reason of the list."""
    thread = message.thread
    if message.opened_by != Role.CUSTOMER and not message.opened:  # type: ignore[attr-defined]
        return ""
    return title_of(thread) if thread.request or thread.subject or thread.reason_code else ""


def _who(message: Message, order: Order) -> str:
    """Names of people who work for the shop are the shop's own affair."""
    if message.role == Role.CUSTOMER:
        return _("Tú")
    if message.role in (Role.SELLER, Role.SUPPLIER):
        return order.shop.name
    return order.channel.name
