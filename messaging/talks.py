"""Conversations beside those with a customer: of a shop with its operator about no order, and with a supplier on one.

Both have pages of their own, and each its one door: a stranger's are not found (MSG-14, ROL-04).
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from marketplace.policy import Role
from messaging import attachments, conversing
from messaging.models import Attachment, Message, Thread
from messaging.recipients import SHOP, SUPPLIER, readable_by
from orders.models import Order
from sellers.desk import Actor
from sellers.models import Membership, Supplier

A_PAGE = 30
MESSAGES_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class Page[Row]:
    """Rows of a list, and the key of what comes before them; 0 where nothing does."""

    rows: list[Row]
    older: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A message with its files, and whether it can still be taken back by the one who reads."""

    message: Message
    files: tuple[Attachment, ...] = ()
    mine: bool = False
    fresh: bool = False


def with_operator(member: Membership) -> QuerySet[Thread]:
    """The conversations of a member's shop about no order; of nobody who works for a supplier (MSG-14)."""
    rows = Thread.objects.filter(shop_id=member.shop_id, order=None)
    return rows.none() if member.supplier_id is not None else rows


def operator_threads(member: Membership, *, before: int = 0) -> Page[Thread]:
    """A page of them, the last written in first; those before another of them."""
    rows = with_operator(member)
    if before and (last := rows.filter(id=before).values("written_at", "id").first()):
        rows = rows.filter(
            Q(written_at__lt=last["written_at"]) | Q(written_at=last["written_at"], id__lt=before)
        )
    found = list(rows.order_by("-written_at", "-id")[: A_PAGE + 1])
    return Page(found[:A_PAGE], found[A_PAGE - 1].id if len(found) > A_PAGE else 0)


def get_operator_thread(member: Membership, thread_id: int) -> Thread:
    """A conversation of one's own shop about no order. Raises Http404."""
    thread = with_operator(member).select_related("shop", "channel").filter(id=thread_id).first()
    if thread is None:
        raise Http404
    return thread


def get_supplier(order: Order, member: Membership, supplier_id: int) -> Supplier:
    """The supplier with whom one may talk on an order: one that fulfils a part of it, or did and was written to.

    Whoever works for a supplier finds their own alone. Raises Http404.
    """
    if member.supplier_id is not None and member.supplier_id != supplier_id:
        raise Http404
    found = Supplier.objects.filter(shop_id=order.shop_id, id=supplier_id).first()
    if found is None:
        raise Http404
    serves = order.parts.filter(supplier=found).exists()
    if not serves and not Thread.objects.filter(order=order, supplier=found).exists():
        raise Http404
    return found


def thread_with(order: Order, supplier: Supplier) -> Thread | None:
    """The conversation of the shop with a supplier on an order, if it has begun: there is one of each."""
    return Thread.objects.filter(order=order, supplier=supplier).order_by("id").first()


def _one_at_a_time(order: Order) -> None:
    """Have the others who write on an order wait until this transaction ends."""
    Order.objects.select_for_update(no_key=True).only("id").get(id=order.id)


@transaction.atomic
def write_to_supplier(
    order: Order, supplier: Supplier, words: conversing.Words, *, by: Actor, at: datetime
) -> Message:
    """Write on an order to the supplier of a part of it, or as that supplier to the shop; the first message begins
    their conversation, of which there is one (ROL-04).

    Raises MoveRefused as `conversing.write` does.
    """
    _one_at_a_time(order)
    thread = thread_with(order, supplier)
    to = SHOP if by.role == Role.SUPPLIER else SUPPLIER
    if thread is None:
        return conversing.start(order.shop, words, to=to, order=order, supplier=supplier, by=by, at=at)
    return conversing.write(thread.id, words, to=to, by=by, at=at)


def messages_of(thread: Thread | None, *, before: int = 0, by: Actor, at: datetime) -> Page[Said]:
    """The messages of a conversation that somebody may read, the newest page of them, oldest first."""
    if thread is None:
        return Page([])
    seen = Q(visible_at__lte=at) | Q(user_id=by.user_id, user__isnull=False)
    rows = thread.messages.filter(seen, readable_by(by.role))
    if before:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: MESSAGES_A_PAGE + 1])
    shown = list(reversed(found[:MESSAGES_A_PAGE]))
    files = attachments.of(shown)
    said = [
        Said(
            one,
            tuple(files.get(one.id, ())),
            mine=one.role == by.role,
            fresh=one.visible_at > at and one.user_id == by.user_id,
        )
        for one in shown
    ]
    return Page(said, found[MESSAGES_A_PAGE - 1].id if len(found) > MESSAGES_A_PAGE else 0)
