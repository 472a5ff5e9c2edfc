"""Whom a message is told to, and how: a notice for each whom it is for (MSG-03 … MSG-05, NOT-01)."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from marketplace import bulk
from marketplace.policy import Role
from messaging.models import Audience, Message, Notice, Thread
from messaging.recipients import To
from messaging.services import COLUMNS, Recipient, notice_row, operators_of
from sellers.queries import contacts, supplier_contacts

EVENT = "message"


def tell_of_message(
    thread: Thread, message: Message, to: To, *, files: Sequence[str] = (), at: datetime
) -> int:
    """Write the notices of a message, due when others can see it; answers how many."""
    told = payload_of_message(thread, message, files)
    rows = [
        (
            *notice_row(
                EVENT,
                audience,
                recipient,
                json.dumps(told | _kept_from(audience, thread)),
                shop_id=thread.shop_id,
                order_id=thread.order_id,
                at=at,
            ),
            message.id,
        )
        for audience in to.audiences
        for recipient in _recipients(thread, audience)
    ]
    return bulk.insert(Notice, (*COLUMNS, "of_message_id"), rows)


def _kept_from(audience: Audience, thread: Thread) -> dict[str, Any]:
    """What a customer is not told of a conversation that began without them: its subject was for others."""
    if audience != Audience.CUSTOMER or not thread.subject:
        return {}
    first = thread.messages.order_by("id").values_list("role", "to_customer").first()
    return {} if first is None or first[0] == Role.CUSTOMER or first[1] else {"subject": ""}


def _recipients(thread: Thread, audience: Audience) -> Iterator[Recipient]:
    """Who of an audience is written to: the shop's account manager where it has one, else every operator."""
    if audience == Audience.CUSTOMER and thread.order is not None:
        found = [(thread.order.customer_email, thread.order.customer_language)]
    elif audience == Audience.SELLER:
        shop = contacts([thread.shop_id])[thread.shop_id]
        found = [(shop.contact_email, shop.language)]
    elif audience == Audience.SUPPLIER:
        found = [
            (to.contact_email, to.language) for to in supplier_contacts([thread.supplier_id or 0]).values()
        ]
    else:
        found = operators_of(thread.shop_id)
    yield from (recipient for recipient in found if recipient[0])


def payload_of_message(thread: Thread, message: Message, files: Sequence[str] = ()) -> dict[str, Any]:
    """What a notice of a message carries: the text in its paragraphs, who wrote it, and its files by name."""
    order = thread.order
    return {
        "thread": thread.id,
        "message": message.id,
        "reference": order.reference if order else "",
        "channel_id": order.channel_id if order else thread.channel_id,
        "customer": order.customer_name if order else "",
        "shop": thread.shop.name,
        "supplier": thread.supplier.name if thread.supplier else "",
        "supplier_id": thread.supplier_id,
        "subject": thread.subject,
        "role": message.role,
        "author": message.author,
        "from_customer": message.role == Role.CUSTOMER,
        "misdirected": message.misdirected,
        "text": [line for line in message.body.splitlines() if line.strip()],
        "files": list(files),
        "invoice": message.is_invoice,
        "answer_by": message.answer_by.isoformat() if message.answer_by else None,
        "at": message.visible_at.isoformat(),
    }
