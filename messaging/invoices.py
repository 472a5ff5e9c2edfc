"""The customer's own invoice: handed in as a message to them, listed with its files, owed until then (DOC-02)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.files import KINDS, Checked
from marketplace.policy import FileType, Settings
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging import attachments, conversing
from messaging.conversing import Words
from messaging.models import Attachment, AttachmentDownload, Message
from messaging.recipients import CUSTOMER
from orders import services
from orders.models import Order
from sellers.desk import Actor

MOST_SHOWN = 20
"""So many invoices of an order, and downloads of them, are listed."""


def is_paper(kind: FileType) -> bool:
    """Whether an invoice can be a file of this kind: a PDF, or a picture of it."""
    return kind == FileType.PDF or KINDS[kind].is_picture


def rules_of_papers(rules: Settings) -> Settings:
    """What files an invoice may be under a policy: a PDF always, and the pictures that messages may carry."""
    pictures = (kind for kind in rules.attachment_types if KINDS[kind].is_picture)
    papers = {
        "attachment_types": (FileType.PDF, *pictures),
        "attachments_most": max(rules.attachments_most, 1),
    }
    return rules.model_copy(update=papers)


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice that was handed in: the message that carries it, and its files."""

    message: Message
    files: Sequence[Attachment]


def invoices_among(messages: QuerySet[Message], order: Order) -> list[Paper]:
    """The invoices of an order among the messages that somebody may read, the latest first; nothing is read where none
    was handed in."""
    if order.invoiced_at is None:
        return []
    found = list(messages.filter(thread__order=order, is_invoice=True).order_by("-id")[:MOST_SHOWN])
    files = attachments.of(found) if found else {}
    return [Paper(one, files.get(one.id, ())) for one in found]


def downloads_of(papers: Sequence[Paper]) -> list[AttachmentDownload]:
    """Who was handed a file of these invoices, the latest first (DOC-04)."""
    ids = [file.id for paper in papers for file in paper.files]
    rows = AttachmentDownload.objects.filter(attachment__in=ids, preview=False) if ids else None
    return list(rows.select_related("attachment").order_by("-id")[:MOST_SHOWN]) if rows is not None else []


@transaction.atomic
def hand_in(
    order_id: int, words: Words, write: Callable[[Words], Message], *, by: Actor, at: datetime
) -> Message:
    """Hand in the invoice of an order with the message that `write` writes to its customer, or another in its place.

    The same words and files sent again by anybody of the shop are the invoice that was handed in. Raises MoveRefused:
    `not_allowed`, `invoice_not_asked`, `not_debited`, `wrong_state`, `no_invoice_file`, and what `conversing` refuses.
    """
    services.lock_orders([order_id])
    last = _handed_in(order_id).order_by("-id").first()
    if last is not None and last.role == by.role and _says(last, words):
        return last
    if not words.files or not all(is_paper(file.kind) for file in words.files):
        raise MoveRefused(Refusal(order_id, Code.NO_INVOICE_FILE))
    written: list[Message] = []
    names = [file.name for file in words.files]
    invoice = replace(words, invoice=True)
    services.one(
        services.hand_in_invoice(order_id, names, also=lambda: written.append(write(invoice)), by=by, at=at)
    )
    return written[0]


def hand_in_files(order: Order, files: Sequence[Checked], *, by: Actor, at: datetime) -> Message:
    """Hand in the invoice of an order as files alone: some words of ours carry them, in the conversation of the one
    before it, or in one of its own (DOC-02). Raises MoveRefused, as `hand_in`."""
    with translation.override(order.customer_language):
        subject = _("Tu factura")
        body = _("Aquí tienes la factura de tu pedido %(reference)s.") % {"reference": order.reference}

    def write(words: Words) -> Message:
        last = _handed_in(order.id).order_by("-id").first()
        if last is not None:
            return conversing.write(last.thread_id, words, to=CUSTOMER, by=by, at=at)
        return conversing.start(order.shop, words, to=CUSTOMER, order=order, subject=subject, by=by, at=at)

    return hand_in(order.id, Words(body, files=files), write, by=by, at=at)


def _handed_in(order_id: int) -> QuerySet[Message]:
    return Message.objects.filter(thread__order=order_id, is_invoice=True)


def _says(message: Message, words: Words) -> bool:
    """Whether these words, and these files, are those of a message that was written."""
    kept = sorted(message.attachments.values_list("sha256", flat=True))
    return message.body == words.body.strip() and kept == sorted(file.sha256 for file in words.files)
