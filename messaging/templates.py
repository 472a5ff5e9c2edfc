"""Usual messages filled with an order's facts: what a variable stands for, what an order says of it, what is missing.

A variable is written `{{customer_name}}`. The set is closed: what a template asks for by another name is refused when
it is saved, and what a text still asks for when it is sent is refused by name, so that nobody is ever written a blank
(MSG-12). A fact is put in once and as it is: what stands in it is not filled again.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.lettering import visible
from marketplace.moments import day_words, when
from messaging.models import Audience, Template
from orders.models import Order, Shipment
from orders.states import Decision, HoldKind
from sellers.models import Shop

_ASKED = re.compile(r"\{\{([^{}\n]{0,60})\}\}")
_BRACES = re.compile(r"\{\{|\}\}")
LONGEST_VALUE = 300
"""Characters of what is typed for a variable."""

FIELD = "var_"
"""What the name of a variable's own box begins with."""


class Variable(models.TextChoices):
    """What a template can ask for; the label is what people read beside it."""

    CUSTOMER_NAME = "customer_name", gettext_lazy("Nombre del cliente")
    ORDER_NUMBER = "order_number", gettext_lazy("Número de pedido")
    SHOP_NAME = "shop_name", gettext_lazy("Nombre de la tienda")
    ITEMS = "items", gettext_lazy("Artículos del pedido")
    CARRIER = "carrier", gettext_lazy("Transportista")
    TRACKING = "tracking", gettext_lazy("Número de seguimiento")
    TRACKING_URL = "tracking_url", gettext_lazy("Enlace de seguimiento")
    SHIP_BY = "ship_by", gettext_lazy("Fecha límite de envío")
    DELIVER_BY = "deliver_by", gettext_lazy("Fecha límite de entrega")
    PRESALE_DATE = "presale_date", gettext_lazy("Fecha de la preventa")
    ACCOUNT_MANAGER = "account_manager", gettext_lazy("Gestor de cuenta")
    NEW_DATE = "new_date", gettext_lazy("Nueva fecha")
    MISSING_ITEMS = "missing_items", gettext_lazy("Lo que falta")
    INTERNATIONAL_TRACKING = "international_tracking", gettext_lazy("Número de seguimiento internacional")
    CONTACT_WHEN = "contact_when", gettext_lazy("Cuándo fue el contacto")
    CONTACT_HOW = "contact_how", gettext_lazy("Por qué medio")
    CONTACT_WHO = "contact_who", gettext_lazy("Quién lo empezó")
    CONTACT_WHAT = "contact_what", gettext_lazy("Qué se dijo")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with the facts in it, and the variables of it that still stand for nothing, in their order."""

    text: str
    missing: tuple[Variable, ...] = ()
    subject: str = ""

    @property
    def names(self) -> str:
        """What is missing, in words."""
        return names(self.missing)


class Facts:
    """What an order says of each variable, in the active language; "" where it says nothing."""

    def __init__(self, order: Order) -> None:
        self.order = order

    @cached_property
    def zone(self) -> ZoneInfo:
        return self.order.channel.calendar.zone

    @cached_property
    def parcel(self) -> Shipment | None:
        """The last parcel that left; nothing is read where none has."""
        return self.order.shipments.order_by("-number").first() if self.order.parcels else None

    def of(self, variable: Variable) -> str:
        read = _READ.get(variable)
        return read(self) if read else ""

    def items(self) -> str:
        """What was bought and not refused."""
        rows = self.order.lines.exclude(decision=Decision.REFUSED).order_by("id")
        told = (f"{number_format(one.quantity, force_grouping=True)} × {one.title}" for one in rows)
        return ", ".join(told)

    def deadline(self, name: str) -> str:
        """A deadline of the order: "el jueves 26 de noviembre a las 14:05"."""
        moment = getattr(self.order, name)
        return when(moment, self.zone, None, since=True, ends=True) if moment else ""

    def presale(self) -> str:
        """The day on which the pre-sale that the order waits for ends."""
        held = self.order.holds.filter(kind=HoldKind.PRESALE, released_at=None, until__isnull=False)
        until = held.values_list("until", flat=True).first()
        return day_words(until.astimezone(self.zone).date()) if until else ""

    def parcels(self, name: str) -> str:
        return str(getattr(self.parcel, name)) if self.parcel else ""


_READ: dict[Variable, Callable[[Facts], str]] = {
    Variable.CUSTOMER_NAME: lambda facts: facts.order.customer_name,
    Variable.ORDER_NUMBER: lambda facts: facts.order.reference,
    Variable.SHOP_NAME: lambda facts: facts.order.shop.name,
    Variable.ITEMS: Facts.items,
    Variable.CARRIER: lambda facts: facts.parcels("carrier_name"),
    Variable.TRACKING: lambda facts: facts.parcels("tracking"),
    Variable.TRACKING_URL: lambda facts: facts.parcels("tracking_url"),
    Variable.SHIP_BY: lambda facts: facts.deadline("ship_by"),
    Variable.DELIVER_BY: lambda facts: facts.deadline("deliver_by"),
    Variable.PRESALE_DATE: Facts.presale,
    Variable.ACCOUNT_MANAGER: lambda facts: str(facts.order.shop.account_manager or ""),
}
"""How an order answers; what is not here only a person can say."""


def names(variables: Iterable[Variable]) -> str:
    """Variables in words, as a list: "Fecha de la preventa, Transportista"."""
    return ", ".join(str(one.label) for one in variables)


def asked(text: str) -> tuple[Variable, ...]:
    """The variables that a text asks for, each once, in their order."""
    found = (one[1].strip() for one in _ASKED.finditer(text))
    return tuple(Variable(name) for name in dict.fromkeys(found) if name in Variable)


def unknown(text: str) -> list[str]:
    """What stands in a text as a variable and is none: other names, and braces without their others."""
    others = [one[0] for one in _ASKED.finditer(text) if one[1].strip() not in Variable]
    return list(dict.fromkeys([*others, *_BRACES.findall(_ASKED.sub("", text))]))


def unfilled(text: str) -> str:
    """What a text that is about to be sent still asks for, in words; "" when nothing."""
    found = [one[1].strip() for one in _ASKED.finditer(text)]
    told = [str(Variable(name).label) if name in Variable else f"{{{{{name}}}}}" for name in found]
    return ", ".join(dict.fromkeys(told))


def completed(text: str, given: Mapping[str, str]) -> str:
    """A text with what was typed for its variables put in; what was not typed stays asked for.

    `given` are values by the name of the variable, or of its box (`var_…`).
    """

    def put(one: re.Match[str]) -> str:
        name = one[1].strip()
        value = visible(str(given.get(FIELD + name) or given.get(name) or ""))[:LONGEST_VALUE]
        return value if name in Variable and value else one[0]

    return _ASKED.sub(put, text)


def filled(template: Template, order: Order | None, given: Mapping[str, str] | None = None) -> Filled:
    """A template with an order's facts in it, in the language of the template, and what was typed for the others.

    What has no value for this order stays as it is written and is named in `missing` (MSG-12).
    """
    wanted = asked(f"{template.subject}\n{template.body}")
    values = {str(name): value for name, value in (given or {}).items()}
    if order is not None:
        with translation.override(template.language):
            facts = Facts(order)
            read = {variable.value: facts.of(variable) for variable in wanted}
        values |= {name: value for name, value in read.items() if value}
    text, subject = completed(template.body, values), completed(template.subject, values)
    return Filled(text, asked(f"{subject}\n{text}"), " ".join(subject.split()))


def offered(shop: Shop, order: Order | None, *, audience: Audience | None = None) -> list[Template]:
    """The templates that a shop can choose from for an order: its own, the operators' of its channel and of all.

    Those in the language of whoever will read come first.
    """
    own = Q(shop=shop) | Q(shop=None, channel=None)
    if order is not None:
        own |= Q(shop=None, channel_id=order.channel_id)
    rows = Template.objects.filter(own, active=True)
    if audience is not None:
        rows = rows.filter(audience=audience)
    language = order.customer_language if order is not None else shop.language
    return sorted(rows, key=lambda one: (_language_of(one, language, shop) != one.language, one.name.lower()))


def _language_of(template: Template, customers: str, shop: Shop) -> str:
    """The language in which whoever a template is for reads."""
    return customers if template.audience == Audience.CUSTOMER else shop.language


def chosen(key: str, among: Sequence[Template]) -> Template | None:
    """The template that an address names, if it is among those offered."""
    return next((one for one in among if str(one.pk) == key), None)


def option_words(template: Template) -> str:
    """A template as it stands in a list to choose from: its name, its language, and that it is for the operator."""
    language = {"es": "español", "en": "English"}.get(template.language, template.language)
    words = _("%(name)s (%(language)s)") % {"name": template.name, "language": language}
    return (
        _("%(name)s · para el operador") % {"name": words}
        if template.audience == Audience.OPERATOR
        else words
    )
