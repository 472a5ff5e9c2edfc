"""Answers to notices that went where nobody meant them to: a shop's, which the operator gets, and an operator's, which
goes back (MSG-07, ADR 15). Whoever wrote is told how to answer, and a shop can send its text on with one click.
"""

import json
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy

from marketplace import bulk
from marketplace.files import Turned
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging import attachments, conversing
from messaging.conversing import Words
from messaging.message_notices import payload_of_message
from messaging.models import Audience, Correspondent, Message, Notice, Thread
from messaging.recipients import CUSTOMER, SUPPLIER, To
from messaging.services import COLUMNS, notice_row
from sellers.desk import Actor, Right

EVENT = "astray"


def tell_how(correspondent: Correspondent, message: Message, *, at: datetime) -> None:
    """Tell whoever answered a notice of the shop that the operator got it, and how to answer properly."""
    thread = correspondent.thread
    payload = payload_of_message(thread, message) | {
        "files": list(message.attachments.order_by("id").values_list("name", flat=True)),
        "can_send_on": recipient_of(thread) is not None,
    }
    _tell(correspondent, payload, of_message=message, at=at)


def return_to(correspondent: Correspondent, text: str, *, at: datetime) -> None:
    """Give an operator back what they answered to a notice: nobody else gets it."""
    thread = correspondent.thread
    payload = {
        "reference": thread.order.reference if thread.order else "",
        "channel_id": thread.order.channel_id if thread.order else thread.channel_id,
        "shop": correspondent.shop.name,
        "text": [line for line in text.splitlines() if line.strip()],
        "files": [],
        "at": at.isoformat(),
    }
    _tell(correspondent, payload, of_message=None, at=at)


def _tell(
    correspondent: Correspondent, payload: dict[str, Any], *, of_message: Message | None, at: datetime
) -> None:
    """Write the notice, without the conversation: an answer to it arrives nowhere, and two machines that answer each
    other stop here."""
    user, shop = correspondent.user, correspondent.shop
    payload.pop("thread", None)
    row = notice_row(
        EVENT,
        Audience(correspondent.audience),
        (correspondent.email, user.language if user is not None else shop.language),
        json.dumps(payload),
        shop_id=shop.id,
        order_id=correspondent.thread.order_id,
        at=at,
    )
    bulk.insert(Notice, (*COLUMNS, "of_message_id"), [(*row, of_message.pk if of_message else None)])


def recipient_of(thread: Thread) -> To | None:
    """For whom a shop's answer was, as far as the platform can tell: the supplier or the customer that the
    conversation is with; None where it is with the operator alone, who has it: it is no word for a customer."""
    if thread.supplier_id is not None:
        return SUPPLIER
    return CUSTOMER if thread.with_customer else None


@transaction.atomic
def send_on(message_id: int, *, by: Actor, at: datetime) -> Message:
    """Send the text of a shop's answer that went astray to whom it was meant for, as if written on the page, once.

    What is sent can be taken back as any message, and then sent on again. Raises Message.DoesNotExist; MoveRefused:
    `not_allowed`, `sent_already`, `no_such_recipient`, `files_not_kept`.
    """
    thread_id = Message.objects.values_list("thread_id", flat=True).get(id=message_id)
    _lock(thread_id)
    message = Message.objects.select_related("thread__shop").get(id=message_id, misdirected=True)
    to = recipient_of(message.thread)
    if not by.may(Right.ANSWER):
        raise MoveRefused(Refusal(message_id, Code.NOT_ALLOWED))
    if to is None:
        raise MoveRefused(Refusal(message_id, Code.NO_SUCH_RECIPIENT))
    if message.sent_on_as_id is not None:
        raise MoveRefused(Refusal(message_id, Code.SENT_ALREADY))
    with attachments.copies_of(message) as files:
        words = Words(_without_notes(message), files=files)
        sent = conversing.write(thread_id, words, to=to, by=by, at=at)
    Message.objects.filter(id=message_id).update(sent_on_as=sent)
    return sent


def note_of(turned: Turned) -> str:
    """The line under a text that came by mail, for a file of it that was turned away (MSG-13)."""
    return _NOT_KEPT % {"file": turned.name, "why": turned.why}


_NOT_KEPT = gettext_lazy("No se adjuntó «%(file)s»: %(why)s")


def _without_notes(message: Message) -> str:
    """What a person wrote, without the lines about files: those are told to whoever reads it here."""
    with translation.override(message.thread.shop.language):
        note = str(_NOT_KEPT).partition("%")[0]
    return "\n".join(line for line in message.body.splitlines() if not line.startswith(note))


def _lock(thread_id: int) -> None:
    """Hold the thread: of two clicks at once the second sees what the first has sent."""
    Thread.objects.select_for_update(no_key=True).get(id=thread_id)
