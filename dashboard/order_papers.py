"""The papers of an order on its page: the invoice that its customer is owed, and who was given what (DOC-02)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from dashboard import order_queries as queries
from dashboard.order_acts import order_url
from dashboard.order_messages import UNDO_S
from messaging import invoices, readers
from messaging.forms import InvoiceForm
from orders import services
from orders.models import Order
from orders.states import Verb
from sellers.access import DeskRequest
from sellers.desk import Right, who_has
from sellers.models import Membership


@dataclass(frozen=True, slots=True)
class Wish:
    """The invoice that an order is to have: whether it is owed now, who asked for it and when, and whom it is made out
    to; `asked_at` is empty where nobody had to ask."""

    owed: bool
    title: str
    says: str
    asked_at: datetime | None
    made_out_to: str
    href: str


def invoice_wish(order: Order, member: Membership) -> Wish | None:
    """The invoice of an order; none where nobody wants one, and none of it is a supplier's (ROL-04)."""
    if not order.wants_invoice or member.supplier_id is not None:
        return None
    always = order.policy.rules.invoice_always
    title = _("El cliente ha pedido factura")
    asked_at = order.invoice_asked_at or (None if always else order.placed_at)
    if order.invoice_asked_at:
        says = _("La pidió %(customer)s en su página") % {"customer": order.customer_name}
    elif always:
        title = _("El pedido lleva factura")
        says = _("En este canal se entrega siempre, aunque el cliente no la pida.")
    else:
        says = _("La pidió %(customer)s al comprar") % {"customer": order.customer_name}
    href = order_url(order, tab="documentos") + "#factura"
    return Wish(order.owes_invoice, title, says, asked_at, order.invoice_to, href)


@dataclass(frozen=True, slots=True)
class HandedOut:
    """Something that somebody was given."""

    what: str
    at: datetime
    by: str


def documents_part(request: DeskRequest, order: Order, told: dict[str, Any]) -> dict[str, Any]:
    """What the tab of documents shows; of the invoice a supplier sees nothing (ROL-04)."""
    handed = [
        HandedOut(one.get_document_display(), one.at, one.by)
        for one in queries.downloads(order, told["supplier"])
    ]
    if told["invoice"] is None:
        return {"downloads": handed}
    by, now, attempt = request.actor, told["now"], told["attempt"]
    papers = invoices.invoices_among(readers.of_member(by, order.shop_id, at=now), order)
    handed += [HandedOut(one.attachment.name, one.at, one.by) for one in invoices.downloads_of(papers)]
    handed.sort(key=lambda one: one.at, reverse=True)
    form = None
    if services.judge_invoice(order, by=by, at=max(now, order.moved_at)) is None:
        sent = attempt.form if attempt and attempt.act == Verb.INVOICE_GIVEN else None
        form = sent or InvoiceForm(rules=order.policy.rules)
    latest = papers[0].message if papers else None
    undo = latest is not None and latest.user_id == by.user_id and now < latest.visible_at
    return {
        "downloads": handed[: invoices.MOST_SHOWN],
        "papers": papers,
        "invoice_form": form,
        "may_answer": by.may(Right.ANSWER),
        "who_may": who_has(Right.ANSWER),
        "invoice_waits": services.is_billable(order),
        "undo": latest if undo else None,
        "undo_s": UNDO_S,
    }
