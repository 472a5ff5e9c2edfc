"""A line of which some units are refused becomes two: what there is, and what there is not (ORD-05, ORD-06)."""

from collections.abc import Sequence
from copy import copy
from typing import Any

from marketplace import bulk, money
from marketplace.reasons import Why
from orders.models import Line
from orders.states import Decision

NO_STOCK = Why("out-of-stock")
"""The reason of the operators' list for what is not there; every site is set up with it."""

_COLUMNS = tuple(field.attname for field in Line._meta.concrete_fields if field.attname != "id")
_CHANGED = ("id", "quantity", "goods_cents", "shipping_cents", "decision", "refuse_code", "refuse_reason")


class Splits:
    """Lines about to be split or refused, written together once all are known."""

    def __init__(self) -> None:
        self._changed: list[Line] = []
        self._refused: list[Line] = []

    def refuse(self, line: Line, units: int, reason: Why, *, among: Sequence[Line]) -> Line:
        """Take units off a line; answers the refused line, which is the line itself when nothing is left of it.

        Its shipping goes along by units, to the cent. `among` are the lines of the order: the new one needs a number
        that none of them has.
        """
        if line not in self._changed:
            self._changed.append(line)
        if units == line.quantity:
            _refuse(line, reason)
            return line
        rest = missing_part(line, units)
        rest.external_id = self._free_number(line, among)
        line.quantity -= units
        line.goods_cents -= rest.goods_cents
        line.shipping_cents -= rest.shipping_cents
        _refuse(rest, reason)
        self._refused.append(rest)
        return rest

    def accept(self, line: Line) -> None:
        """Take a line as it stands."""
        line.decision = Decision.ACCEPTED
        self._changed.append(line)

    def _free_number(self, line: Line, among: Sequence[Line]) -> str:
        taken = {one.external_id for one in (*among, *self._refused) if one.order_id == line.order_id}
        return next(
            number
            for n in range(2, len(taken) + 3)
            if (number := f"{line.external_id[:72]}/{n}") not in taken
        )

    def write(self) -> None:
        """Write what was split and what was refused."""
        bulk.update(
            Line, _CHANGED, [tuple(getattr(line, name) for name in _CHANGED) for line in self._changed]
        )
        bulk.insert(
            Line, _COLUMNS, [tuple(getattr(line, name) for name in _COLUMNS) for line in self._refused]
        )


def missing_part(line: Line, units: int) -> Line:
    """What of a line so many of its units are: a line that is not written, with its shipping by units, to the cent."""
    part = copy(line)
    part.pk = None
    part.quantity, part.shipped_quantity = units, 0
    part.goods_cents = line.unit_price_cents * units
    _kept, part.shipping_cents = money.apportion(line.shipping_cents, [line.quantity - units, units])
    return part


def refused_words(line: Line, units: int, reason: Why) -> dict[str, Any]:
    """What the history and the mails tell of a refusal, and whose it was to fulfil, where that is a supplier's."""
    told = {"line": line.external_id, "title": line.title, "units": units, "reason": reason.kept}
    return told if line.supplier_id is None else {**told, "supplier": line.supplier_id}


def _refuse(line: Line, reason: Why) -> None:
    line.decision = Decision.REFUSED
    line.refuse_code, line.refuse_reason = reason.code, reason.note
