"""The parts of the orders list that one index carries each: what is due first, then what has no deadline (ORD-03)."""

from typing import NamedTuple

from django.db.models import DateTimeField, F, Q, Value
from django.db.models.expressions import Combinable

from dashboard.asked import FAR, Asked
from dashboard.waits import TO_SHIP
from orders.states import State


class Stretch(NamedTuple):
    """A part of a list that one index carries: which rows, what they are sorted by, whether it falls."""

    rows: Q
    key: Combinable
    falls: bool = False


def stretches_of(asked: Asked, placed_at: str) -> list[Stretch]:
    """The parts of a list in their order. By deadline, what has none to keep comes last, oldest first; `placed_at` is
    where the index that carries the list keeps it."""
    if asked.sort == "envio":
        return _by_deadline(Q(state__in=TO_SHIP), "ship_by", asked.tab == "por-enviar")
    if asked.sort == "aceptacion":
        return _by_deadline(Q(state=State.PENDING_ACCEPTANCE), "accept_by", asked.tab == "por-aceptar")
    return [Stretch(Q(), F(placed_at), falls=True)]


def _by_deadline(keeps: Q, column: str, everywhere: bool) -> list[Stretch]:
    if everywhere:
        return [Stretch(Q(), F(column))]
    return [Stretch(keeps, F(column)), Stretch(~keeps, Value(FAR, output_field=DateTimeField()))]
