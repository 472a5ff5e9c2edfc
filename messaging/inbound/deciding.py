"""Who a mail is from, and whether they may still write: asked anew when it arrives, of the token alone (MSG-07)."""

from dataclasses import dataclass

from marketplace.policy import Role
from messaging.models import Audience, Correspondent, NotTaken
from messaging.recipients import OPERATOR, SHOP, To, customers_answer
from sellers import desk
from sellers.desk import Actor, Right
from sellers.models import Membership


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who may write: as whom, and for whom what they write is.

    An operator writes to nobody: `to` is empty, and their words go back to them (ADR 15).
    """

    correspondent: Correspondent
    actor: Actor
    to: To

    @property
    def is_seller(self) -> bool:
        return self.actor.role == Role.SELLER


def writer(correspondent: Correspondent) -> Writer | NotTaken:
    """Who writes by a reply address, as things stand now; why nobody may, otherwise."""
    if correspondent.revoked_at is not None:
        return NotTaken.REVOKED
    if not correspondent.shop.active:
        return NotTaken.NO_RIGHT
    actor = _ACTORS[Audience(correspondent.audience)](correspondent)
    if actor is None:
        return NotTaken.NO_RIGHT
    return Writer(correspondent, actor, _to(correspondent, actor))


def _customer(one: Correspondent) -> Actor | None:
    order = one.thread.order
    if order is None or order.customer_email.lower() != one.email:
        return None
    return Actor(Role.CUSTOMER, order.customer_name)


def _seller(one: Correspondent) -> Actor | None:
    """A member with the right to answer; whoever reads the shop's mailbox, where it is nobody's own."""
    if one.user_id is not None:
        membership = _membership(one)
        actor = desk.seller(membership) if membership is not None and membership.supplier_id is None else None
        return actor if actor is not None and actor.may(Right.ANSWER) else None
    if one.shop.contact_email.lower() != one.email:
        return None
    return Actor(Role.SELLER, one.shop.name, rights=frozenset({Right.ANSWER}))


def _supplier(one: Correspondent) -> Actor | None:
    """Who works for the supplier that the conversation is with; whoever reads its mailbox."""
    supplier = one.thread.supplier
    if supplier is None or not supplier.active:
        return None
    if one.user_id is not None:
        membership = _membership(one)
        if membership is None or membership.supplier_id != supplier.id:
            return None
        return desk.supplier(membership)
    if supplier.email.lower() != one.email:
        return None
    return Actor(Role.SUPPLIER, supplier.name, rights=frozenset(), supplier_id=supplier.id)


def _operator(one: Correspondent) -> Actor | None:
    user = one.user
    return desk.operator(user) if user is not None and user.is_active and user.is_staff else None


_ACTORS = {
    Audience.CUSTOMER: _customer,
    Audience.SELLER: _seller,
    Audience.SUPPLIER: _supplier,
    Audience.OPERATOR: _operator,
}


def _membership(one: Correspondent) -> Membership | None:
    return (
        Membership.objects.select_related("user")
        .filter(user=one.user, shop_id=one.shop_id, user__is_active=True)
        .first()
    )


def _to(one: Correspondent, actor: Actor) -> To:
    """A shop's reply is for the operator, a supplier's for the shop; a customer's as on their page."""
    if actor.role == Role.OPERATOR:
        return To()
    if actor.role == Role.SELLER:
        return OPERATOR
    if actor.role == Role.CUSTOMER:
        return customers_answer(one.thread_id)
    return SHOP
