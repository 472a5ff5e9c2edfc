"""What an address of the orders list asks for: tab, search, filters, order and place; a link keeps all of it.

Nonsense is never an error: the part that is not understood is left out and named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Self

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from orders.queries import folded
from orders.states import State

TABS: dict[str, tuple[str, ...]] = {
    "por-pagar": (State.PENDING_PAYMENT,),
    "por-aceptar": (State.PENDING_ACCEPTANCE,),
    "debito": (State.DEBIT,),
    "por-enviar": (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP),
    "enviados": (State.SHIPPED,),
    "entrega-fallida": (State.EXCEPTION,),
    "entregados": (State.DELIVERED,),
    "recibidos": (State.RECEIVED,),
    "cerrados": (State.CLOSED,),
    "no-completados": (State.CANCELLED, State.REFUSED, State.FAILED, State.RETURNED),
}
SELDOM = ("por-pagar", "entrega-fallida")
"""Tabs that are shown only while there is something in them: many marketplaces never have any."""

TAB_WORDS = {
    "": gettext_lazy("Todos"),
    "por-pagar": gettext_lazy("Sin pagar"),
    "por-aceptar": gettext_lazy("Por aceptar"),
    "debito": gettext_lazy("Débito"),
    "por-enviar": gettext_lazy("Por enviar"),
    "enviados": gettext_lazy("Enviados"),
    "entrega-fallida": gettext_lazy("Entrega fallida"),
    "entregados": gettext_lazy("Entregados"),
    "recibidos": gettext_lazy("Recibidos"),
    "cerrados": gettext_lazy("Cerrados"),
    "no-completados": gettext_lazy("No completados"),
}
DUE_WORDS = {
    "": gettext_lazy("cualquiera"),
    "hoy": gettext_lazy("vence hoy"),
    "semana": gettext_lazy("vence en 7 días"),
    "retraso": gettext_lazy("envío con retraso"),
    "entrega-tarde": gettext_lazy("entrega con retraso"),
    "espera": gettext_lazy("en espera"),
    "por-confirmar": gettext_lazy("por confirmar al cliente"),
    "incidencias": gettext_lazy("con incidencias"),
    "factura": gettext_lazy("deben factura"),
}
OF_SUPPLIERS = {code: words for code, words in DUE_WORDS.items() if code != "factura"}
"""The filters of whoever works for a supplier: what a shop owes its customers is the shop's affair (DOC-02, ROL-04)."""
SORT_WORDS = {
    "nuevos": gettext_lazy("los más nuevos"),
    "envio": gettext_lazy("lo que antes hay que enviar"),
    "aceptacion": gettext_lazy("lo que antes hay que aceptar"),
}
_NAMES = {
    "estado": gettext_lazy("Estado"),
    "canal": gettext_lazy("Canal"),
    "proveedor": pgettext_lazy("of a shop", "Proveedor"),
    "desde": gettext_lazy("Recibido desde"),
    "hasta": gettext_lazy("Recibido hasta"),
    "plazo": gettext_lazy("Plazo"),
    "orden": gettext_lazy("Orden"),
    "despues": gettext_lazy("Página"),
    "antes": gettext_lazy("Página"),
}
_MOST_LETTERS = 100
_LAST_KEY = 2**63 - 1
_YEARS = range(2000, 2101)


FAR = datetime(9999, 1, 1, tzinfo=UTC)
"""Where a row without the deadline that a list is sorted by stands: after all that have one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two rows of a list: the key of the row beside it ("2026-11-20T10:00:00Z~12")."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z~{self.id}"

    @classmethod
    def read(cls, text: str) -> Self:
        """ValueError for anything but what `str()` writes."""
        moment, _tilde, key = text[:80].partition("~")
        at, number = datetime.fromisoformat(moment), int(key)
        if at.tzinfo != UTC or not (at.year in _YEARS or at == FAR) or not 0 < number <= _LAST_KEY:
            raise ValueError(text)
        return cls(at, number)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the orders list; `unclear` names what was not understood, in the active language."""

    tab: str = ""
    channel: str = ""
    supplier: str = ""
    words: str = ""
    since: date | None = None
    until: date | None = None
    due: str = ""
    sort: str = "nuevos"
    after: Place | None = None
    before: Place | None = None
    unclear: tuple[str, ...] = ()

    @property
    def filtered(self) -> bool:
        """Whether something besides the tab narrows the list."""
        return bool(self.channel or self.supplier or self.words or self.since or self.until or self.due)

    def parameters(self) -> dict[str, str]:
        """The question as parameters of an address; what is at its usual value is left out."""
        given = {
            "estado": self.tab,
            "canal": self.channel,
            "proveedor": self.supplier,
            "buscar": self.words,
            "desde": self.since.isoformat() if self.since else "",
            "hasta": self.until.isoformat() if self.until else "",
            "plazo": self.due,
            "orden": "" if self.sort == "nuevos" else self.sort,
            "despues": str(self.after) if self.after else "",
            "antes": str(self.before) if self.before else "",
        }
        return {name: value for name, value in given.items() if value}

    def link(self, **changes: object) -> str:
        """The address of the same question with something changed; it starts at the first page again."""
        other = replace(self, **({"after": None, "before": None} | changes))  # type: ignore[arg-type]
        return reverse("orders", query=other.parameters() or None)


def read(
    given: Mapping[str, str],
    channels: Mapping[str, object],
    suppliers: Mapping[str, object] = MappingProxyType({}),
    dues: Mapping[str, object] = MappingProxyType(DUE_WORDS),
) -> Asked:
    """Understand the parameters of an address; `channels`, `suppliers` and `dues` are those there are, by code."""
    unclear: list[str] = []

    def name(parameter: str, value: str) -> None:
        shown = value.replace("\0", "\ufffd")
        shown = shown if len(shown) <= 40 else shown[:39] + "…"
        unclear.append(
            _("%(name)s: no se entiende “%(value)s”") % {"name": _NAMES[parameter], "value": shown}
        )

    def one_of(parameter: str, known: Mapping[str, object], usual: str = "") -> str:
        value = given.get(parameter, "")
        if value and value not in known:
            name(parameter, value)
        return value if value in known else usual

    def day(parameter: str) -> date | None:
        value = given.get(parameter, "").strip()
        try:
            found = _day(value) if value else None
        except (ValueError, OverflowError):
            name(parameter, value)
            return None
        return found

    def place(parameter: str) -> Place | None:
        value = given.get(parameter, "")
        try:
            return Place.read(value) if value else None
        except (ValueError, OverflowError):
            name(parameter, value)
            return None

    since, until = day("desde"), day("hasta")
    if since and until and since > until:
        words = {"since": f"{since:%d/%m/%Y}", "until": f"{until:%d/%m/%Y}"}
        unclear.append(
            _("Recibido desde %(since)s hasta %(until)s: acaba antes de empezar; no se aplica") % words
        )
        since = until = None
    after = place("despues")
    return Asked(
        tab=one_of("estado", TABS),
        channel=one_of("canal", channels),
        supplier=one_of("proveedor", suppliers),
        words=words_of(given.get("buscar", "")),
        since=since,
        until=until,
        due=one_of("plazo", dues),
        sort=one_of("orden", SORT_WORDS, "nuevos"),
        after=after,
        before=None if after else place("antes"),
        unclear=tuple(unclear),
    )


def words_of(given: str) -> str:
    """What is looked for; nothing when no letter of it is left without its accents."""
    words = " ".join(given.replace("\0", "").split())[:_MOST_LETTERS]
    return words if folded(words).strip() else ""


def _day(text: str) -> date:
    """A day as browsers send it (2026-11-20) or as people type it (20/11/2026).

    ValueError or OverflowError otherwise.
    """
    if "/" in text:
        day, month, year = text.split("/")
        found = date(int(year), int(month), int(day))
    else:
        found = date.fromisoformat(text)
    if found.year not in _YEARS:
        raise ValueError(text)
    return found
