"""What is asked for of an order is put to whoever may do it in a conversation, and answered there (ROL-05)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from marketplace import bulk
from marketplace.policy import Role
from marketplace.reasons import said
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Audience, Notice, Thread
from messaging.recipients import OPERATOR, SHOP, SUPPLIER, To
from messaging.services import COLUMNS, notice_row
from orders.models import Asking, Order
from orders.signals import Asked
from orders.telling import asked_words, kind_of
from sellers.desk import PLATFORM, Actor, Right
from sellers.models import Supplier
from sellers.queries import contacts

INSIDE = "asked_inside"
_OPERATORS = Actor(Role.OPERATOR, PLATFORM.label)
"""Whoever of the operators: what nobody waits for any more is not theirs to answer."""

SHOP_AND_OPERATOR = To(shop=True, operator=True)


def put(asked: Asked, *, by: Actor, at: datetime) -> None:
    """Write what is asked for to whom it is asked of: a conversation of the order, or where that is another of the
    shop's own people, a notice to the shop."""
    order = Order.objects.select_related("shop", "policy", "channel", "supplier").get(id=asked.order_id)
    if by.role == Role.SELLER and asked.asked_of == Role.SELLER:
        _tell_inside(order, asked, by=by, at=at)
        return
    to, supplier = _put_to(order, asked, by)
    body = [_("Pido: %(act)s.") % {"act": asked_words(asked.verb, asked.facts)}]
    if asked.reason:
        body.append(_("Motivo: %(reason)s.") % {"reason": said(kind_of(asked.verb), asked.reason)})
    conversing.start(
        order.shop,
        Words("\n".join(body)),
        to=to,
        order=order,
        supplier=supplier,
        subject=asked_words(asked.verb, asked.facts)[:120],
        request_id=asked.request_id,
        take_back=False,
        by=_writer(by),
        at=at,
    )


def _writer(by: Actor) -> Actor:
    """Whoever works orders but answers nobody speaks through the platform; everybody else for themselves."""
    return by if by.role != Role.SELLER or by.may(Right.ANSWER) else PLATFORM


def _put_to(order: Order, asked: Asked, by: Actor) -> tuple[To, Supplier | None]:
    if by.role == Role.CUSTOMER:
        return (SHOP if asked.asked_of == Role.SELLER else SHOP_AND_OPERATOR), None
    if by.role == Role.SUPPLIER:
        return SHOP, Supplier.objects.get(id=by.supplier_id or 0)
    if asked.asked_of == Role.SUPPLIER and by.may(Right.ANSWER):
        return SUPPLIER, order.supplier
    return OPERATOR, None


def answer(asked: Asked, *, by: Actor, at: datetime) -> None:
    """Write what became of a request into its conversation; one that was asked inside a shop has none."""
    thread = Thread.objects.select_related("shop").filter(request_id=asked.request_id).first()
    if thread is None:
        return
    with _spoken(thread, by):
        body = _ANSWERS[Asking(asked.state)](asked_words(asked.verb, asked.facts))
    if asked.answer:
        body = f"{body}\n{asked.answer}"
    writer, to = _answers_to(thread, asked, by)
    conversing.write(thread.id, Words(body), to=to, take_back=False, by=writer, at=at)
    if asked.state in (Asking.WITHDRAWN, Asking.OVERTAKEN):
        conversing.seen(thread.id, by=_OPERATORS, at=at)


_ANSWERS = {
    Asking.APPROVED: lambda act: _("Aprobado: %(act)s.") % {"act": act},
    Asking.DECLINED: lambda act: _("Denegado: %(act)s.") % {"act": act},
    Asking.WITHDRAWN: lambda act: _("Ya no lo pido: %(act)s.") % {"act": act},
    Asking.OVERTAKEN: lambda act: _("Ya no procede, porque el pedido ha cambiado: %(act)s.") % {"act": act},
}


def _answers_to(thread: Thread, asked: Asked, by: Actor) -> tuple[Actor, To]:
    """Who writes an answer, and to whom: whoever asked, and the shop of what a customer asked for."""
    asker = Role(asked.asked_role)
    if asked.state == Asking.WITHDRAWN:
        to = SUPPLIER if thread.supplier_id and by.role == Role.SELLER else OPERATOR
        return (_writer(by), to) if by.role == Role.SELLER else (by, SHOP)
    if asker == Role.CUSTOMER:
        if by.role == Role.SELLER:
            return _writer(by), To(customer=True)
        writer = by if by.role == Role.OPERATOR else PLATFORM
        return writer, To(customer=True, shop=True)
    if by.role == Role.SELLER:  # a supplier asked, and the shop was given the right meanwhile
        return _writer(by), SUPPLIER if thread.supplier_id else OPERATOR
    own = by.role == Role.OPERATOR or (by.role == Role.SUPPLIER and thread.supplier_id == by.supplier_id)
    return (by if own else PLATFORM), SHOP


@contextmanager
def _spoken(thread: Thread, by: Actor) -> Iterator[None]:
    """People write in their own language; the platform in the shop's."""
    if by.role == Role.PLATFORM:
        with translation.override(thread.shop.language):
            yield
    else:
        yield


def _tell_inside(order: Order, asked: Asked, *, by: Actor, at: datetime) -> None:
    shop = contacts([order.shop_id])[order.shop_id]
    payload: dict[str, Any] = {
        "reference": order.reference,
        "channel_id": order.channel_id,
        "shop": shop.name,
        "customer": order.customer_name,
        "by": by.label,
        "act": {"verb": asked.verb, "facts": asked.facts},
        "reason": asked.reason,
        "at": at.isoformat(),
    }
    if shop.contact_email:
        to = (shop.contact_email, shop.language)
        row = notice_row(
            INSIDE, Audience.SELLER, to, json.dumps(payload), shop_id=order.shop_id, order_id=order.id, at=at
        )
        bulk.insert(Notice, COLUMNS, [row])
