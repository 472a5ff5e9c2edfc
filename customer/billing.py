"""The invoice of an order as its customer is told of it: owed, to come, or theirs to download (DOC-02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from customer.conversation import readable
from messaging import invoices
from messaging.invoices import Paper
from orders import services
from orders.models import Order
from sellers.desk import Actor


@dataclass(frozen=True, slots=True)
class Bill:
    """How the invoice of an order stands, in words; `may_say` whether it can still be said whom it is made out to."""

    title: str
    says: str
    made_out_to: str
    papers: Sequence[Paper]
    may_say: bool


def bill_of(order: Order, *, by: Actor, at: datetime) -> Bill | None:
    """The invoice of an order for its customer; none where nobody wants one, or nothing is left to bill."""
    if not order.wants_invoice:
        return None
    papers = invoices.invoices_among(readable(order, at), order)
    may_say = services.judge_invoice_wish(order, by=by, at=at) is None
    if papers:
        words = _("Tu factura"), _("Si algo no está bien, escribe a la tienda.")
    elif order.owes_invoice or order.invoiced_at is not None:  # for a few seconds it can still be taken back
        words = _("La tienda te debe la factura"), _("Te la manda con un mensaje, y te avisamos por correo.")
    elif may_say:
        words = _("Tendrás factura"), _("La tienda te la debe en cuanto se cobre el pedido.")
    else:
        return None
    return Bill(*words, order.invoice_to, papers, may_say)


def usual_words(order: Order) -> str:
    """Whom an invoice is made out to, as far as the order tells: what was said, else who bought and where they live."""
    town = " ".join(filter(None, (order.postal_code, order.city)))
    known = (order.customer_name, order.street, town)
    return order.invoice_to or "\n".join(filter(None, known))
