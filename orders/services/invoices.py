"""The customer's own invoice: asked for, owed once they are charged, until the shop has handed it in (DOC-02)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from marketplace.policy import Role
from marketplace.refusals import Code, Outcome
from orders.models import Order
from orders.services.move import Change, Refuse, _move
from orders.signals import Moved
from orders.states import FINAL, State, Verb
from sellers.desk import Actor, Right

_UNSOLD = FINAL - {State.CLOSED}
"""Ended without a sale: there is nothing to bill."""


def is_billable(order: Order) -> bool:
    """Whether something of an order is sold, or may yet be: what has ended uncharged, or was all given back, needs no
    invoice (DOC-02)."""
    gone = 0 < order.charged_cents <= order.refunded_cents
    return not gone and order.state not in _UNSOLD


def judge_invoice_wish(
    order: Order, verb: str = Verb.INVOICE_ASKED, *, by: Actor, at: datetime
) -> Code | None:
    """Say why somebody cannot ask for the invoice of an order, or say whom it is made out to; None for its customer, as
    long as something is sold and it was not handed in (DOC-02)."""
    del verb, at
    if by.role != Role.CUSTOMER:
        return Code.NOT_ALLOWED
    if order.invoiced_at is not None:
        return Code.INVOICE_GIVEN
    return None if is_billable(order) else Code.WRONG_STATE


def ask_invoice(order_id: int, made_out_to: str, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """The customer asks for an invoice and says whom it is made out to; it is owed once they are charged (DOC-02).

    Said anew with other words it replaces them; with the same ones it is refused as `duplicate`. A wish is never too
    old: it is noted after whatever happened meanwhile. What they wrote is on the order, and not in its history.
    """

    def change(order: Order) -> Change:
        asked = order.invoice_asked_at is not None
        if asked and order.invoice_to == made_out_to:
            raise Refuse(Code.DUPLICATE)
        order.wants_invoice, order.invoice_to = True, made_out_to
        order.invoice_asked_at = max(at, order.moved_at)
        told = {"invoice_to": made_out_to.splitlines(), "owed": order.owes_invoice}
        return Change({"anew": True} if asked else {}, news=told)

    return _move(
        [order_id],
        Verb.INVOICE_ASKED,
        change,
        fields=("wants_invoice", "invoice_to", "invoice_asked_at"),
        judged=judge_invoice_wish,
        news=True,
        by=by,
        at=at,
    )


def judge_invoice(order: Order, verb: str = Verb.INVOICE_GIVEN, *, by: Actor, at: datetime) -> Code | None:
    """Say why somebody cannot hand in the invoice of an order; None for whoever of its shop may write to its customer,
    where it is owed or another takes its place (DOC-02, ROL-05)."""
    del verb
    if by.role != Role.SELLER or not by.may(Right.ANSWER):
        return Code.NOT_ALLOWED
    if at < order.moved_at:
        return Code.OUT_OF_ORDER
    if not order.wants_invoice:
        return Code.INVOICE_NOT_ASKED
    if order.invoiced_at is not None or order.owes_invoice:
        return None
    return Code.NOT_DEBITED if is_billable(order) else Code.WRONG_STATE


def hand_in_invoice(
    order_id: int, files: Sequence[str], *, also: Callable[[], object], by: Actor, at: datetime
) -> Outcome[Moved]:
    """Count the invoice of an order as handed in; `also` writes the message that carries it, under the order's lock
    (DOC-02)."""

    def change(order: Order) -> Change:
        another = {"another": True} if order.invoiced_at else {}
        order.invoiced_at = at
        return Change({"files": list(files), **another})

    return _move(
        [order_id],
        Verb.INVOICE_GIVEN,
        change,
        fields=("invoiced_at",),
        also=also,
        judged=judge_invoice,
        by=by,
        at=at,
    )


def take_back_invoice(order_id: int, before: datetime | None, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Count an invoice that nobody has seen as not handed in; `before` is when the one before it was (DOC-02,
    MSG-06)."""

    def change(order: Order) -> Change:
        order.invoiced_at = before
        return Change()

    return _move(
        [order_id],
        Verb.INVOICE_TAKEN_BACK,
        change,
        fields=("invoiced_at",),
        judged=_anybody,
        news=True,
        by=by,
        at=at,
    )


def _anybody(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    """Whose message it is, and whether it is still unseen, its conversation knows."""
    del order, verb, by, at
    return None
