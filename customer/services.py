"""What a customer does from the page of their order, with an eye on clicks that come twice and on floods (ROL-03)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from customer.conversation import may_write_in
from incidents.models import Incident
from incidents.services import open_incident
from marketplace.files import Checked
from marketplace.policy import Role
from marketplace.reasons import Why
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Message
from messaging.recipients import SHOP, customers_answer
from orders import services
from orders.models import DocumentKind, Order
from orders.states import Verb
from sellers.desk import Actor

AGAIN = timedelta(minutes=10)
"""The same words sent again within this time are the same click."""

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOST_MESSAGES = 20
MOST_PAPERS = 30
"""How many messages an hour a customer may write about an order, and how many papers may be drawn up for them."""


@transaction.atomic
def say(
    order: Order,
    words: Words,
    *,
    thread_id: int | None = None,
    reason_code: str = "",
    by: Actor,
    at: datetime,
) -> Message:
    """Write to the shop: in a conversation that the customer reads, or in a new one for a reason (MSG-01, MSG-07).

    The words of their last message, sent again to the same place within minutes, are that message. Raises MoveRefused:
    `not_allowed` for a conversation that is not theirs, `too_often`, and what `conversing` refuses.
    """
    services.lock_orders([order.id])
    last = _written_by_them(order, at - AGAIN).order_by("-id").first()
    if last is not None and _says(last, words) and _stands_at(last, thread_id, reason_code):
        return last
    if too_many_messages(order, at=at):
        raise MoveRefused(Refusal(order.id, Code.TOO_OFTEN))
    if thread_id is None:
        return conversing.start(
            order.shop, words, to=SHOP, order=order, reason_code=reason_code, take_back=False, by=by, at=at
        )
    if not may_write_in(order, thread_id, at):
        raise MoveRefused(Refusal(order.id, Code.NOT_ALLOWED))
    to = customers_answer(thread_id)
    return conversing.write(thread_id, words, to=to, take_back=False, by=by, at=at)


def _written_by_them(order: Order, since: datetime) -> QuerySet[Message]:
    return Message.objects.filter(thread__order=order, role=Role.CUSTOMER.value, written_at__gt=since)


def _says(message: Message, words: Words) -> bool:
    """Whether these words, and these files, are those of a message that was written."""
    kept = sorted(message.attachments.values_list("sha256", flat=True))
    return message.body == words.body.strip() and kept == sorted(file.sha256 for file in words.files)


def _stands_at(message: Message, thread_id: int | None, reason_code: str) -> bool:
    """Whether a message is in this conversation, or has begun the one that would begin, and nobody has answered it: a
    "yes" to another question is another message."""
    others = message.thread.messages.exclude(id=message.id)
    if others.filter(id__gt=message.id, to_customer=True).exists():
        return False
    if thread_id is not None:
        return message.thread_id == thread_id
    begun = not others.filter(id__lt=message.id).exists()
    return begun and message.thread.reason_code == reason_code


def too_many_messages(order: Order, *, at: datetime) -> bool:
    """Whether the customer has written as often in the last hour as they may."""
    return _written_by_them(order, at - HOUR).count() >= MOST_MESSAGES


MOST_CLAIMS = 10
"""So many incidents a day a customer may open on an order."""


@transaction.atomic
def claim(
    order: Order,
    line_ids: Collection[int],
    *,
    reason: str,
    text: str,
    files: Sequence[Checked] = (),
    by: Actor,
    at: datetime,
) -> Incident:
    """Open an incident on lines (INC-01). The one that the same click has opened is answered again.

    Raises MoveRefused: `too_often`, and what `open_incident` refuses.
    """
    services.lock_orders([order.id])
    theirs = Incident.objects.filter(order=order, opened_role=Role.CUSTOMER.value)
    last = theirs.filter(opened_at__gt=at - AGAIN).order_by("-id").first()
    if last is not None and last.standing and _is_about(last, reason, line_ids):
        return last
    if too_many_claims(order, at=at):
        raise MoveRefused(Refusal(order.id, Code.TOO_OFTEN))
    return open_incident(order.id, line_ids, reason=Why(reason), text=text, files=files, by=by, at=at)


def too_many_claims(order: Order, *, at: datetime) -> bool:
    """Whether the customer has opened as many incidents in the last day as they may."""
    theirs = Incident.objects.filter(order=order, opened_role=Role.CUSTOMER.value)
    return theirs.filter(opened_at__gt=at - DAY).count() >= MOST_CLAIMS


def _is_about(incident: Incident, reason: str, line_ids: Collection[int]) -> bool:
    lines = set(incident.lines.values_list("line_id", flat=True))
    return incident.reason_code == reason and lines == set(line_ids)


MOST_WISHES = 10
"""So many times a day a customer may say whom their invoice is made out to."""


@transaction.atomic
def ask_invoice(order: Order, made_out_to: str, *, by: Actor, at: datetime) -> None:
    """Ask for the invoice of an order, or say anew whom it is made out to; said twice it was said (DOC-02).

    Raises MoveRefused: `too_often`, and what `orders.services.ask_invoice` refuses but `duplicate`.
    """
    services.lock_orders([order.id])
    said = order.events.filter(verb=Verb.INVOICE_ASKED, at__gt=at - DAY)
    if said.count() >= MOST_WISHES:
        raise MoveRefused(Refusal(order.id, Code.TOO_OFTEN))
    outcome = services.ask_invoice(order.id, made_out_to, by=by, at=at)
    if any(refusal.code != Code.DUPLICATE for refusal in outcome.refused):
        services.one(outcome)


def may_have_paper(order: Order, *, at: datetime) -> Code | None:
    """Say why no paper is drawn up for the customer now: they were handed very many within the hour (DOC-04)."""
    handed = order.downloads.filter(
        role=Role.CUSTOMER.value, document=DocumentKind.DELIVERY_NOTE, at__gt=at - HOUR
    )
    return Code.TOO_OFTEN if handed.count() >= MOST_PAPERS else None
