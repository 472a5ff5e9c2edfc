"""Reads of the incidents list and of the incidents of an order; whatever the number of rows, the same few queries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import F, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject, TruncDate
from django.urls import reverse

from dashboard import queries
from dashboard.asked import Place, words_of
from dashboard.queries import COUNTED, PAGE, Tally
from incidents.models import NEVER, Incident, IncidentLine
from incidents.states import STANDING, State, Turn
from marketplace.models import Channel
from messaging.answer_clock import WAITS
from messaging.models import Message
from orders.models import Line, Order
from sellers.models import Membership, ShopHoliday

TURNS = {"tienda": Turn.SHOP, "cliente": Turn.CUSTOMER, "operador": Turn.OPERATOR}
TABS = ("", "cerradas")
"""In hand, which is what the list opens with, and closed (INC-02)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the incidents list."""

    tab: str = ""
    turn: str = ""
    reason: str = ""
    words: str = ""
    after: Place | None = None
    before: Place | None = None

    @property
    def filtered(self) -> bool:
        """Whether something besides the tab narrows the list."""
        return bool(self.turn or self.reason or self.words)

    def link(self, **changes: object) -> str:
        """The address of the same question with something changed; it starts at the first page again."""
        other = replace(self, **({"after": None, "before": None} | changes))  # type: ignore[arg-type]
        given = {
            "estado": other.tab,
            "toca": other.turn,
            "motivo": other.reason,
            "buscar": other.words,
            "despues": str(other.after) if other.after else "",
            "antes": str(other.before) if other.before else "",
        }
        return reverse("incidents", query={name: value for name, value in given.items() if value} or None)


def read(given: Mapping[str, str], reasons: Iterable[str]) -> Asked:
    """Understand the parameters of an address; what is not understood is left out."""

    def place(name: str) -> Place | None:
        try:
            return Place.read(given[name]) if given.get(name) else None
        except (ValueError, OverflowError):
            return None

    tab, turn, reason = (given.get(name, "") for name in ("estado", "toca", "motivo"))
    after = place("despues")
    return Asked(
        tab=tab if tab in TABS else "",
        turn=turn if turn in TURNS else "",
        reason=reason if reason in set(reasons) else "",
        words=words_of(given.get("buscar", "")),
        after=after,
        before=None if after else place("antes"),
    )


def _narrowed(member: Membership, asked: Asked) -> QuerySet[Incident]:
    rows = Incident.objects.filter(shop_id=member.shop_id)
    if asked.turn:
        rows = rows.filter(turn=TURNS[asked.turn])
    if asked.reason:
        rows = rows.filter(reason_code=asked.reason)
    if asked.words:
        order, slash, number = asked.words.rpartition("/")
        words = order if slash and number.isdigit() else asked.words
        rows = rows.filter(order_id__in=queries.found_orders(member, words))
    return rows


_OF_TAB = {"": Q(state__in=STANDING), "cerradas": Q(state=State.CLOSED)}


def counts(member: Membership, asked: Asked) -> dict[str, Tally]:
    """How many incidents each tab shows under the same search and filters, in one read."""
    rows = _narrowed(member, asked).order_by().values("id")
    each: list[str] = []
    parameters: list[Any] = []
    for where in _OF_TAB.values():
        sql, given = rows.filter(where)[: COUNTED + 1].query.sql_with_params()
        each.append(f"(SELECT count(*) FROM ({sql}) AS found)")
        parameters += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(each)}", parameters)
        counted = cursor.fetchall()[0]
    return {tab: Tally(min(n, COUNTED), n > COUNTED) for tab, n in zip(_OF_TAB, counted, strict=True)}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, and the places that the pages beside it start from."""

    incidents: list[Incident]
    previous: Place | None
    next: Place | None


def page(member: Membership, asked: Asked, channels: dict[int, Channel]) -> Page:
    """The incidents of an address by keyset: in hand, what is to be answered first comes first (INC-09); closed, the
    last that was closed."""
    closed = asked.tab == "cerradas"
    key = F("closed_at") if closed else Coalesce(F("answer_by"), Value(NEVER))
    rows = _narrowed(member, asked).filter(_OF_TAB[asked.tab]).annotate(place=key)
    backwards, place = asked.before is not None, asked.before or asked.after
    down = closed != backwards
    if place is not None:
        beyond, at_most = ("lt", "lte") if down else ("gt", "gte")
        rows = rows.filter(
            Q(**{f"place__{at_most}": place.at}),
            Q(**{f"place__{beyond}": place.at}) | Q(**{f"id__{beyond}": place.id}),
        )
    found = list(_whole(rows).order_by(*(("-place", "-id") if down else ("place", "id")))[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)
    furnish(found, channels)
    first, last = (Place(one.place, one.id) for one in (found[0], found[-1]))
    has_previous = more if backwards else asked.after is not None
    return Page(found, first if has_previous else None, last if backwards or more else None)


def _whole(rows: QuerySet[Incident]) -> QuerySet[Incident]:
    """Incidents with what a page says of them: their order, their conversation, since when its shop is asked, and when
    it is closed."""
    days = JSONObject(first="first_day", last="last_day", note="note")
    closed = ShopHoliday.objects.filter(shop_id=OuterRef("shop_id"), last_day__gte=OuterRef("opened_day"))
    waits = Message.objects.filter(WAITS, thread=OuterRef("thread_id")).order_by().values("thread")
    return rows.select_related("order", "thread").annotate(
        opened_day=TruncDate("opened_at"),
        waits_since=Subquery(waits.annotate(first=Min("visible_at")).values("first")),
        closings=ArraySubquery(closed.order_by("first_day", "id").values(days=days)),
    )


def closings_of(incident: Incident) -> list[ShopHoliday]:
    """The days on which the shop of an incident has been closed since it was opened, and will be."""
    return [
        ShopHoliday(
            first_day=date.fromisoformat(one["first"]),
            last_day=date.fromisoformat(one["last"]),
            note=one["note"],
        )
        for one in incident.closings
    ]


def furnish(incidents: list[Incident], channels: dict[int, Channel]) -> None:
    """Give each incident its lines, and its order the channel and the policy, read once for all of them."""
    queries.furnish([one.order for one in incidents], channels)
    rows = IncidentLine.objects.filter(incident__in=[one.id for one in incidents])
    by_incident: dict[int, list[Line]] = {}
    for row in rows.select_related("line").order_by("line_id"):
        by_incident.setdefault(row.incident_id, []).append(row.line)
    for one in incidents:
        one.claimed = by_incident.get(one.id, [])


def of_order(order: Order) -> list[Incident]:
    """The incidents of an order, those that stand first, then the newest."""
    rows = _whole(Incident.objects.filter(order=order))
    found = sorted(rows, key=lambda one: (one.state == State.CLOSED, -one.number))
    for one in found:
        one.order = order
    if found:
        furnish(found, {order.channel_id: order.channel})
    return found


@dataclass(frozen=True, slots=True)
class Figures:
    """How many incidents of a shop are in hand, of how many of them it is the shop's turn, and how many are late."""

    standing: int
    waiting: int
    late: int
