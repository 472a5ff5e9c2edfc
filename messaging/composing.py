"""To whom somebody at the desk can write in a conversation, and what comes of each choice in words (MSG-06)."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from marketplace.policy import Role
from messaging.models import Message, Thread
from messaging.recipients import CUSTOMER, CUSTOMER_AND_OPERATOR, OPERATOR, SHOP, SUPPLIER, To
from orders.models import Order
from sellers.models import Membership, Shop, Supplier

CODES: dict[str, To] = {
    "cliente": CUSTOMER,
    "operador": OPERATOR,
    "ambos": CUSTOMER_AND_OPERATOR,
    "proveedor": SUPPLIER,
    "tienda": SHOP,
}
"""What each recipient is called in a form."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A recipient: what it is called, who will see what is written to it, and who will be mailed."""

    code: str
    label: str
    sees: str
    mailed: str

    @property
    def to(self) -> To:
        return CODES[self.code]


def choices(
    member: Membership, *, order: Order | None = None, supplier: Supplier | None = None
) -> list[Choice]:
    """The recipients that a member may write to in a conversation about an order, with a supplier, or neither."""
    shop = member.shop
    if member.supplier_id is not None:
        return [_to_shop(shop)]
    if supplier is not None:
        return [_to_supplier(supplier)]
    if order is None:
        return [_to_operator(shop, None)]
    both = [_to_both(shop, order)] if order.policy.rules.write_to_both else []
    return [_to_customer(order), _to_operator(shop, order), *both]


def _to_customer(order: Order) -> Choice:
    told = {"customer": order.customer_name}
    mailed = _("Recibe un correo %(customer)s; el operador no.") % told
    if not order.customer_email:
        mailed = _("El pedido no trae su correo: no se le puede avisar, y al operador tampoco se le avisa.")
    return Choice("cliente", _("Cliente"), _("Lo ven %(customer)s, el operador y tu tienda.") % told, mailed)


def _to_operator(shop: Shop, order: Order | None) -> Choice:
    sees = (
        _("Lo ven el operador y tu tienda; el cliente no.") if order else _("Lo ven el operador y tu tienda.")
    )
    return Choice("operador", _("Operador"), sees, _("Recibe un correo %(who)s.") % {"who": _managing(shop)})


def _to_both(shop: Shop, order: Order) -> Choice:
    told = {"customer": order.customer_name, "who": _managing(shop)}
    mailed = _("Reciben un correo %(customer)s y %(who)s.") % told
    if not order.customer_email:
        mailed = _("El pedido no trae el correo del cliente: solo recibe uno %(who)s.") % told
    seen = _("Lo ven %(customer)s, el operador y tu tienda.") % told
    anyway = _("El operador ve siempre lo que escribes al cliente: así además se le avisa.")
    return Choice("ambos", _("Cliente y operador"), f"{seen} {anyway}", mailed)


def _to_supplier(supplier: Supplier) -> Choice:
    told = {"who": supplier.name}
    mailed = (
        _("Recibe un correo %(who)s.") % told if supplier.email else _("No tiene correo: no se le avisa.")
    )
    label = pgettext("of a shop", "Proveedor")
    return Choice(
        "proveedor", label, _("Lo ven %(who)s, el operador y tu tienda; el cliente no.") % told, mailed
    )


def _to_shop(shop: Shop) -> Choice:
    told = {"who": shop.name}
    mailed = _("Recibe un correo %(who)s.") % told
    return Choice("tienda", _("La tienda"), _("Lo ven %(who)s y el operador; el cliente no.") % told, mailed)


def _managing(shop: Shop) -> str:
    """Who among the operators is mailed: the shop's account manager where it has one, else all of them."""
    manager = shop.account_manager
    return str(manager) if manager and manager.is_staff and manager.is_active else _("el operador")


def likely(among: Sequence[Choice], messages: Sequence[Message]) -> str:
    """The recipient that an answer is most likely for: who asked last, else whom the shop wrote to last; an answer that
    went astray says nothing of whom it was for."""
    codes = [choice.code for choice in among]
    for message in reversed(messages):
        if message.role in (Role.CUSTOMER, Role.OPERATOR) and not (
            message.role == Role.OPERATOR and not message.to_shop
        ):
            asked = "cliente" if message.role == Role.CUSTOMER else "operador"
            return asked if asked in codes else codes[0]
        for code in codes:
            astray = message.misdirected or message.role != Role.SELLER
            if not astray and CODES[code] == To(message.to_customer, message.to_operator):
                return code
    return codes[0]


def thread_choices(member: Membership, thread: Thread) -> list[Choice]:
    """The recipients that a member may write to in a conversation that has begun."""
    return choices(member, order=thread.order, supplier=thread.supplier)
