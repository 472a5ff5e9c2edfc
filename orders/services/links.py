"""Making void the links by which customers open the pages of their orders (ROL-03)."""

from collections.abc import Iterable
from datetime import datetime

from marketplace.policy import Role
from marketplace.refusals import Code, Outcome
from orders.models import Order
from orders.services.move import Change, _move
from orders.signals import Moved
from orders.states import Verb
from sellers.desk import Actor, Right


def may_revoke_links(order: Order, verb: str = Verb.LINKS_REVOKED, *, by: Actor, at: datetime) -> Code | None:
    """Say why this actor cannot make the links of an order void; None when they can: the operator, and whoever runs
    the shop."""
    del verb
    if at < order.moved_at:
        return Code.OUT_OF_ORDER
    runs_it = by.role == Role.SELLER and by.may(Right.TEAM)
    return None if runs_it or by.role == Role.OPERATOR else Code.NOT_ALLOWED


def revoke_links(order_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Make every link that the customers of these orders have had void; the next mail carries one that opens."""

    def change(order: Order) -> Change:
        order.link_version += 1
        return Change()

    return _move(
        order_ids, Verb.LINKS_REVOKED, change, fields=("link_version",), judged=may_revoke_links, by=by, at=at
    )
