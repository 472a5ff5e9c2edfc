"""The deliveries in trouble as a list: what an address of it asks for, and its rows (EXC-02)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.asked import Place, words_of
from dashboard.kept_words import lasted_words
from dashboard.queries import PAGE, found_orders
from marketplace.clocks import Left
from orders.models import DeliveryException, Shipment
from orders.telling import failed
from sellers.models import Membership

OPEN, ENDED = "", "terminadas"
AGES: dict[str, tuple[timedelta | None, timedelta | None]] = {
    "": (None, None),
    "hoy": (None, timedelta(days=1)),
    "dias": (timedelta(days=1), timedelta(days=3)),
    "mas": (timedelta(days=3), None),
}
"""Ages by their word in an address: at least so old, and younger than that."""

AGE_WORDS = {
    "": gettext_lazy("cualquiera"),
    "hoy": gettext_lazy("menos de un día"),
    "dias": gettext_lazy("de uno a tres días"),
    "mas": gettext_lazy("más de tres días"),
}
_NAMES = {
    "estado": gettext_lazy("Estado"),
    "motivo": gettext_lazy("Motivo"),
    "edad": gettext_lazy("Antigüedad"),
    "despues": gettext_lazy("Página"),
    "antes": gettext_lazy("Página"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the list; `unclear` names what was not understood, in the active language."""

    tab: str = OPEN
    reason: str = ""
    age: str = ""
    words: str = ""
    after: Place | None = None
    before: Place | None = None
    unclear: tuple[str, ...] = ()

    @property
    def filtered(self) -> bool:
        """Whether something besides the tab narrows the list."""
        return bool(self.reason or self.age or self.words)

    def link(self, **changes: object) -> str:
        """The address of the same question with something changed; it starts at the first page again."""
        other = replace(self, **({"after": None, "before": None} | changes))  # type: ignore[arg-type]
        given = {
            "estado": other.tab,
            "motivo": other.reason,
            "edad": other.age,
            "buscar": other.words,
            "despues": str(other.after) if other.after else "",
            "antes": str(other.before) if other.before else "",
        }
        return reverse("exceptions", query={name: value for name, value in given.items() if value} or None)


def read(given: Mapping[str, str], reasons: Mapping[str, object]) -> Asked:
    """Understand the parameters of an address; `reasons` are those there are, by code. What is not understood is left
    out and named."""
    unclear: list[str] = []

    def name(parameter: str, value: str) -> None:
        shown = value.replace("\0", "\ufffd")
        shown = shown if len(shown) <= 40 else shown[:39] + "…"
        unclear.append(
            _("%(name)s: no se entiende “%(value)s”") % {"name": _NAMES[parameter], "value": shown}
        )

    def one_of(parameter: str, known: Mapping[str, object]) -> str:
        value = given.get(parameter, "")
        if value and value not in known:
            name(parameter, value)
        return value if value in known else ""

    def place(parameter: str) -> Place | None:
        value = given.get(parameter, "")
        try:
            return Place.read(value) if value else None
        except (ValueError, OverflowError):
            name(parameter, value)
            return None

    after = place("despues")
    return Asked(
        tab=one_of("estado", {ENDED: ""}),
        reason=one_of("motivo", reasons),
        age=one_of("edad", AGES),
        words=words_of(given.get("buscar", "")),
        after=after,
        before=None if after else place("antes"),
        unclear=tuple(unclear),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery in trouble: its order, what the carrier said, for how long, how it ended if it has."""

    exception: DeliveryException
    why: str
    age: Left
    tries: int
    page: str
    retry: str
    redirect: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, and the places that the pages beside it start from."""

    rows: list[Row]
    previous: Place | None
    next: Place | None


def page(member: Membership, asked: Asked, now: datetime) -> Page:
    """The rows of an address, by keyset: the open ones oldest first, the ended ones latest first."""
    ended, backwards = asked.tab == ENDED, asked.before is not None
    key = "ended_at" if ended else "reported_at"
    rows = _rows(member).filter(_narrowed(member, asked, now), ended_at__isnull=not ended)
    down = ended != backwards
    place = asked.before or asked.after
    if place is not None:
        beyond, at_most = ("lt", "lte") if down else ("gt", "gte")
        rows = rows.filter(
            Q(**{f"{key}__{at_most}": place.at}),
            Q(**{f"{key}__{beyond}": place.at}) | Q(**{f"id__{beyond}": place.id}),
        )
    found = list(rows.order_by(*((f"-{key}", "-id") if down else (key, "id")))[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)
    first, last = (Place(getattr(one, key), one.id) for one in (found[0], found[-1]))
    before = more if backwards else asked.after is not None
    after = backwards or more
    return Page([_row(one, now) for one in found], first if before else None, last if after else None)


def _rows(member: Membership) -> QuerySet[DeliveryException]:
    alike = DeliveryException.objects.filter(order=OuterRef("order")).order_by().values("order")
    return (
        DeliveryException.objects.filter(shop_id=member.shop_id)
        .select_related("order", "shipment")
        .annotate(tries=Subquery(alike.annotate(n=Count("id")).values("n")))
    )


def _narrowed(member: Membership, asked: Asked, now: datetime) -> Q:
    where = Q(reason_code=asked.reason) if asked.reason else Q()
    least, most = AGES[asked.age]
    if least is not None:
        where &= Q(reported_at__lte=now - least)
    if most is not None:
        where &= Q(reported_at__gt=now - most)
    if asked.words:
        where &= Q(order_id__in=found_orders(member, asked.words))
    return where


_PRESSES, _LATE = timedelta(days=1), timedelta(days=3)


def _row(one: DeliveryException, now: datetime) -> Row:
    old = (one.ended_at or now) - one.reported_at
    kind = "calm" if one.ended_at or old < _PRESSES else "soon" if old < _LATE else "late"
    address = reverse("order", args=[one.order.reference])
    return Row(
        one,
        failed(one),
        Left(kind, lasted_words(old)),
        one.tries,  # type: ignore[attr-defined]
        address,
        f"{address}?acto=reintentar",
        reverse("order_redirect", args=[one.order.reference]),
    )


def parcel_words(parcel: Shipment | None) -> str:
    """Who has a parcel, and its number."""
    return " · ".join(filter(None, (parcel.carrier_name, parcel.tracking))) if parcel else ""
