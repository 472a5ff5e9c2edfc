"""Notes on an order: adding one, and who reads which (MSG-11)."""

from datetime import datetime, timedelta

from django.db import transaction

from marketplace.lettering import visible
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging.models import OrderNote
from messaging.templates import unfilled
from orders.models import Order
from sellers.desk import Actor, Right

LONGEST_NOTE = 2000
"""Characters of a note."""

MOST_NOTES = 100
"""Notes of one order."""

SAME = timedelta(minutes=1)
"""The same note of the same person within this is a second click: nothing that stays for good is written twice."""


@transaction.atomic
def add_note(order_id: int, body: str, *, public: bool, by: Actor, at: datetime) -> OrderNote:
    """Add a note to an order, for the shop and the operator, or for the customer too; it stays (MSG-11).

    Raises MoveRefused: `not_allowed`, `empty_message`, `too_long`, `unfilled` what the customer would read with a
    variable that stands for nothing (MSG-12), `too_many_notes`, `duplicate`.
    """
    if not may_note(by):
        raise _refuse(order_id, Code.NOT_ALLOWED)
    text = visible(body)
    if not text:
        raise _refuse(order_id, Code.EMPTY_MESSAGE)
    if len(text) > LONGEST_NOTE:
        raise _refuse(order_id, Code.TOO_LONG)
    if public and (missing := unfilled(text)):
        raise MoveRefused(Refusal(order_id, Code.UNFILLED, missing))
    order = _locked(order_id)
    rows = OrderNote.objects.filter(order=order)
    if rows.count() >= MOST_NOTES:
        raise _refuse(order_id, Code.TOO_MANY_NOTES)
    twice = rows.filter(role=by.role.value, author=by.label, body=text, public=public)
    if twice.filter(written_at__gt=at - SAME).exists():
        raise _refuse(order_id, Code.DUPLICATE)
    return _note(order, text, public, by, at)


def _note(order: Order, text: str, public: bool, by: Actor, at: datetime) -> OrderNote:
    return OrderNote.objects.create(
        shop_id=order.shop_id,
        order=order,
        role=by.role.value,
        author=by.label,
        user_id=by.user_id,
        public=public,
        body=text,
        written_at=at,
    )


def _locked(order_id: int) -> Order:
    """The order; the others who write a note on it wait."""
    return Order.objects.select_for_update(no_key=True).only("id", "shop_id").get(id=order_id)


def _refuse(order_id: int, code: Code) -> MoveRefused:
    return MoveRefused(Refusal(order_id, code))


def may_note(by: Actor) -> bool:
    """Whether somebody may write notes on the orders that they see: those of the shop who answer, and operators."""
    if by.role == Role.SELLER:
        return by.may(Right.ANSWER)
    return by.role in (Role.OPERATOR, Role.PLATFORM)


def notes_of(order: Order, role: Role) -> list[OrderNote]:
    """The notes on an order that somebody in this part may read, oldest first: a customer the public ones, a supplier
    none."""
    if role == Role.SUPPLIER:
        return []
    rows = OrderNote.objects.filter(order=order)
    return list(rows.filter(public=True) if role == Role.CUSTOMER else rows)
