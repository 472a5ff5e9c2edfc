"""Saying who fulfils the lines of an order: a supplier of the shop, or the seller (ROL-04)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from marketplace import bulk
from marketplace.policy import Role
from marketplace.refusals import Code, Outcome
from orders.models import Line, Order
from orders.services.move import Change, Refuse, _move
from orders.services.parts import SERVED, parts_of, rewrite, served_by, standing
from orders.services.shipping import lines_of
from orders.signals import Moved
from orders.states import ASSIGNABLE, Decision, State, Verb
from sellers.desk import Actor, Right
from sellers.models import Supplier

type Wanted = Mapping[int, int | None]
"""Suppliers by the line that they are to fulfil; None gives it to the seller."""


def _judge(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    del verb
    if at < order.moved_at:
        return Code.OUT_OF_ORDER
    if order.state not in ASSIGNABLE:
        return Code.WRONG_STATE
    if by.role not in (Role.SELLER, Role.OPERATOR) or not by.may(Right.WORK_ORDERS):
        return Code.NOT_ALLOWED
    return None


def assign(wanted: Mapping[int, Wanted], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Say for each order which supplier fulfils which of its lines; lines that are not named stay as they are.

    Once a supplier prepares a line it is only the operator who takes it from them (CAN-03): `not_allowed` to the shop.
    Refused as `unknown_line` for a line that is not the order's or was refused, `unknown_supplier` for one that is
    not of the shop or not active, `parcel_on_its_way` once a unit of the line was handed over, `duplicate` when it
    all stands so already, `cash_for_several` when more than one would fulfil what the courier is paid for.
    """
    lines: dict[int, list[Line]] = {}
    suppliers: dict[int, Supplier] = {}
    changed: list[tuple[int, int | None]] = []
    orders: list[int] = []
    parts: list[tuple[object, ...]] = []

    def change(order: Order) -> Change:
        if not lines:
            _read(wanted, lines, suppliers)
        given = wanted[order.id]
        mine = {line.id: line for line in lines[order.id]}
        meant = [mine[line_id] for line_id in given if line_id in mine]
        if len(meant) < len(given) or any(line.decision == Decision.REFUSED for line in meant):
            raise Refuse(Code.UNKNOWN_LINE)
        meant = [line for line in meant if line.supplier_id != given[line.id]]
        if not meant:
            raise Refuse(Code.DUPLICATE)
        for line in meant:
            _check(order, line, given[line.id], suppliers, by)
        left = standing(mine.values())
        if order.cash_on_delivery and len({given.get(line.id, line.supplier_id) for line in left}) > 1:
            raise Refuse(Code.CASH_FOR_SEVERAL)
        data = _told(meant, given, suppliers)
        for line in meant:
            line.supplier_id = given[line.id]
            changed.append((line.id, line.supplier_id))
        order.supplier_id, order.shared = served_by(left)
        orders.append(order.id)
        parts.extend(parts_of(order, left))
        return Change(data)

    def write() -> None:
        bulk.update(Line, ("id", "supplier_id"), changed)
        rewrite(orders, parts)

    return _move(wanted, Verb.ASSIGN, change, fields=SERVED, also=write, judged=_judge, by=by, at=at)


def _read(wanted: Mapping[int, Wanted], lines: dict[int, list[Line]], suppliers: dict[int, Supplier]) -> None:
    """The lines under the lock of their orders, and everybody who fulfils them or is to."""
    lines.update(lines_of(wanted))
    ids = {line.supplier_id for rows in lines.values() for line in rows if line.supplier_id}
    ids.update(one for given in wanted.values() for one in given.values() if one)
    suppliers.update(Supplier.objects.in_bulk(ids))


def is_theirs(order: Order, line: Line) -> bool:
    """Whether a line is a supplier's to prepare: from then on it is not the shop's to take back (CAN-03)."""
    return line.supplier_id is not None and order.state in (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)


def _check(
    order: Order, line: Line, supplier_id: int | None, suppliers: Mapping[int, Supplier], by: Actor
) -> None:
    if line.shipped_quantity:
        raise Refuse(Code.PARCEL_ON_ITS_WAY)
    if by.role == Role.SELLER and is_theirs(order, line):
        assert line.supplier_id is not None
        words = {"supplier": suppliers[line.supplier_id].name}
        raise Refuse(Code.NOT_ALLOWED, _("Ya lo prepara %(supplier)s: solo el operador se lo quita.") % words)
    if supplier_id is not None:
        chosen = suppliers.get(supplier_id)
        if chosen is None or chosen.shop_id != order.shop_id or not chosen.active:
            raise Refuse(Code.UNKNOWN_SUPPLIER)


def _told(lines: list[Line], given: Wanted, suppliers: Mapping[int, Supplier]) -> dict[str, Any]:
    """What the history keeps: each line with whose it was and whose it is, and all the suppliers it concerns."""

    def named(supplier_id: int | None) -> dict[str, Any] | None:
        return {"id": supplier_id, "name": suppliers[supplier_id].name} if supplier_id else None

    return {
        "assigned": [
            {
                "line": line.external_id,
                "title": line.title,
                "units": line.quantity,
                "was": named(line.supplier_id),
                "is": named(given[line.id]),
                **({} if line.travels else {"kind": line.kind}),
            }
            for line in lines
        ],
        "suppliers": sorted(
            {one for line in lines for one in (line.supplier_id, given[line.id]) if one is not None}
        ),
    }
