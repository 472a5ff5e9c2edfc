"""A conversation and its messages in words: what it is about, who wrote, to whom, and who will see and be mailed."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from marketplace import queries
from marketplace.models import ReasonKind
from marketplace.policy import ROLE_LABELS, Role
from marketplace.reasons import Why, said
from messaging.models import Message, Thread
from messaging.recipients import CUSTOMER, SHOP, To, of
from orders.telling import asked_words
from sellers.desk import who


def title_of(thread: Thread) -> str:
    """What a conversation is about: the act that it asks for, its subject, its reason, or with whom it is."""
    if thread.request is not None:
        return asked_words(thread.request.verb, thread.request.facts)
    if thread.subject:
        return thread.subject
    if thread.reason_code:
        labels = queries.reason_labels()
        incident = (ReasonKind.CONTACT, thread.reason_code) not in labels
        return said(ReasonKind.INCIDENT if incident else ReasonKind.CONTACT, Why(thread.reason_code))
    if thread.supplier_id is not None:
        return _("Con el proveedor")
    return _("Conversación")


def readers_words(to: To) -> str:
    """Whom a message is for, after "para": "el cliente y el operador"."""
    each = (
        (to.customer, _("el cliente")),
        (to.operator, _("el operador")),
        (to.shop, _("la tienda")),
        (to.supplier, pgettext("of a shop", "el proveedor")),
    )
    chosen = [str(words) for on, words in each if on]
    if len(chosen) < 2:
        return "".join(chosen)
    return _("%(most)s y %(last)s") % {"most": ", ".join(chosen[:-1]), "last": chosen[-1]}


def to_words(message: Message) -> str:
    """Whom a message that was written is for."""
    return readers_words(of(message))


def writer_words(message: Message) -> str:
    """Who wrote a message, and as what: "Ana Soler, el cliente"; the platform by its name alone."""
    if message.role == Role.PLATFORM:
        return str(ROLE_LABELS[Role.PLATFORM])
    part = (
        pgettext("of a shop", "el proveedor")
        if message.role == Role.SUPPLIER
        else ROLE_LABELS[Role(message.role)]
    )
    return _("%(person)s, %(part)s") % {"person": who(message.author), "part": part}


def operators_consequences(thread: Thread, to: To) -> str:
    """Who will see and who will be mailed what an operator writes in a conversation (MSG-06)."""
    shop, order = thread.shop, thread.order
    mails = []
    if to.customer and order is not None:
        mails.append(order.customer_email)
    if to.shop:
        mails.append(shop.contact_email)
    mailed = ", ".join(filter(None, mails))
    sees = {
        SHOP: _("Lo ven la tienda y los operadores; el cliente no."),
        CUSTOMER: _("Lo ven el cliente, la tienda y los operadores."),
    }.get(
        to, _("Lo ven el cliente, la tienda y los operadores; a la tienda le corre el plazo para contestar.")
    )
    told = _("Correo a %(addresses)s.") % {"addresses": mailed} if mailed else _("No sale ningún correo.")
    return f"{sees} {told}"
