"""Whom a message is for, who sees it and who is told of it: the one table of conversations (MSG-03 … MSG-05).

A shop writes to the operator, the customer, both, or one of its suppliers; everybody else writes to the shop, and the
operator to whom they choose. The shop and the operator see whatever is said in a thread of theirs; the customer and a
supplier see what they wrote and what is for them. Told is whom a message is for, and nobody else.
"""

from dataclasses import dataclass

from django.db.models import Q

from marketplace.policy import Role
from messaging.models import Audience, Message


@dataclass(frozen=True, slots=True)
class To:
    """Whom a message is for."""

    customer: bool = False
    operator: bool = False
    shop: bool = False
    supplier: bool = False

    def __bool__(self) -> bool:
        return self.customer or self.operator or self.shop or self.supplier

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """Whom the message is for, and so who is told of it."""
        each = (
            (self.customer, Audience.CUSTOMER),
            (self.operator, Audience.OPERATOR),
            (self.shop, Audience.SELLER),
            (self.supplier, Audience.SUPPLIER),
        )
        return tuple(audience for chosen, audience in each if chosen)


OPERATOR = To(operator=True)
CUSTOMER = To(customer=True)
CUSTOMER_AND_OPERATOR = To(customer=True, operator=True)
SHOP = To(shop=True)
SUPPLIER = To(supplier=True)

MAY_WRITE_TO: dict[Role, frozenset[To]] = {
    Role.SELLER: frozenset({OPERATOR, CUSTOMER, CUSTOMER_AND_OPERATOR, SUPPLIER}),
    Role.CUSTOMER: frozenset({SHOP, To(shop=True, operator=True)}),
    Role.SUPPLIER: frozenset({SHOP}),
    Role.OPERATOR: frozenset({SHOP, CUSTOMER, To(customer=True, shop=True)}),
    Role.PLATFORM: frozenset({SHOP, CUSTOMER, OPERATOR, To(customer=True, shop=True)}),
}
"""To whom each may write; a policy may take «customer and operator» away (MSG-05)."""

_SEES_ALL = (Role.SELLER, Role.OPERATOR, Role.PLATFORM)
_FOR = {
    Role.CUSTOMER: "to_customer",
    Role.SUPPLIER: "to_supplier",
    Role.SELLER: "to_shop",
    Role.OPERATOR: "to_operator",
}


def of(message: Message) -> To:
    """Whom a message that was written is for."""
    return To(message.to_customer, message.to_operator, message.to_shop, message.to_supplier)


def customers_answer(thread_id: int) -> To:
    """For whom it is what a customer writes in a conversation: for the shop, and for the operator as well where it was
    the operator who wrote to them last (MSG-04, MSG-07)."""
    last = Message.objects.filter(thread=thread_id, to_customer=True).order_by("-id").first()
    return To(shop=True, operator=last is not None and last.role == Role.OPERATOR)


def readable_by(role: Role) -> Q:
    """Which messages of a thread somebody may read who plays this part in it; before `visible_at` only its author."""
    return Q() if role in _SEES_ALL else Q(role=role.value) | Q(**{_FOR[role]: True})


def is_for(role: Role) -> Q:
    """Which messages are written to somebody who plays this part."""
    return Q(**{_FOR[role]: True})
