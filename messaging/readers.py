"""Which messages somebody may read, whatever they are asked for by: the wall of files and searches (MSG-03 … MSG-06).

Before a message is to be seen only its author sees it.
"""

from datetime import datetime

from django.db.models import BigIntegerField, Q, QuerySet, Value
from django.db.models.functions import Cast

from marketplace.policy import Role
from messaging.models import Message
from messaging.recipients import readable_by
from orders.models import Order
from sellers.desk import Actor


def of_member(by: Actor, shop_id: int, *, at: datetime) -> QuerySet[Message]:
    """What a member of a shop may read: of the shop's own staff all of it, of a supplier what is with them (ROL-04)."""
    # As wide as its column: the index of a shop's words knows no comparison with a shorter integer.
    own = Cast(Value(shop_id), BigIntegerField())
    found = _seen(by, at).filter(readable_by(by.role), shop_id=own)
    if by.role == Role.SUPPLIER:
        return found.filter(thread__supplier_id=by.supplier_id or 0)
    return found


def of_operator(by: Actor, *, at: datetime) -> QuerySet[Message]:
    """What an operator may read: what is said in every shop."""
    return _seen(by, at).filter(readable_by(Role.OPERATOR))


def of_customer(by: Actor, order: Order, *, at: datetime) -> QuerySet[Message]:
    """What the customer of an order may read: what they wrote about it, and what is for them (ROL-03)."""
    return _seen(by, at).filter(
        readable_by(Role.CUSTOMER), shop_id=order.shop_id, thread__order=order, thread__supplier=None
    )


def _seen(by: Actor, at: datetime) -> QuerySet[Message]:
    return Message.objects.filter(Q(visible_at__lte=at) | Q(role=by.role.value, user_id=by.user_id))
