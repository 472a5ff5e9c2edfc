"""Reads of the returns list; whatever the number of rows, the same few queries (REF-09)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from dashboard import queries
from dashboard.asked import Place, words_of
from dashboard.queries import COUNTED, PAGE, Tally
from incidents.models import NEVER
from marketplace.models import Channel
from refunds.models import ReturnLine, ReturnRequest
from refunds.return_queries import returns_of
from refunds.states import AT_THE_SHOP, OPEN, ReturnState
from sellers.models import Membership

TABS: dict[str, Q] = {
    "": Q(state__in=OPEN),
    "tienda": Q(state__in=AT_THE_SHOP),
    "cliente": Q(state=ReturnState.INSTRUCTED),
    "camino": Q(state=ReturnState.SENT),
    "terminadas": ~Q(state__in=OPEN),
}
"""In hand, which is what the list opens with; of these by whose turn it is; and those that have ended."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the returns list."""

    tab: str = ""
    late: str = ""
    words: str = ""
    after: Place | None = None
    before: Place | None = None

    @property
    def filtered(self) -> bool:
        """Whether something besides the tab narrows the list."""
        return bool(self.late or self.words)

    def link(self, **changes: object) -> str:
        """The address of the same question with something changed; it starts at the first page again."""
        other = replace(self, **({"after": None, "before": None} | changes))  # type: ignore[arg-type]
        given = {
            "estado": other.tab,
            "plazo": other.late,
            "buscar": other.words,
            "despues": str(other.after) if other.after else "",
            "antes": str(other.before) if other.before else "",
        }
        return reverse("returns", query={name: value for name, value in given.items() if value} or None)


def read(given: Mapping[str, str]) -> Asked:
    """Understand the parameters of an address; what is not understood is left out."""

    def place(name: str) -> Place | None:
        try:
            return Place.read(given[name]) if given.get(name) else None
        except (ValueError, OverflowError):
            return None

    tab, after = given.get("estado", ""), place("despues")
    return Asked(
        tab=tab if tab in TABS else "",
        late="retraso" if given.get("plazo") == "retraso" else "",
        words=words_of(given.get("buscar", "")),
        after=after,
        before=None if after else place("antes"),
    )


def _narrowed(member: Membership, asked: Asked) -> QuerySet[ReturnRequest]:
    rows = returns_of(member)
    if asked.late:
        rows = rows.filter(LATE)
    if asked.words:
        rows = rows.filter(order_id__in=queries.found_orders(member, asked.words))
    return rows


LATE = Q(late_at__isnull=False) | Q(presumed=True, state__in=OPEN)
"""What the shop let pass: a deadline from which nothing follows, or one that counted as its word."""


def counts(member: Membership, asked: Asked) -> dict[str, Tally]:
    """How many returns each tab shows under the same search and filters, in one read."""
    rows = _narrowed(member, asked).order_by().values("id")
    each: list[str] = []
    parameters: list[Any] = []
    for where in TABS.values():
        sql, given = rows.filter(where)[: COUNTED + 1].query.sql_with_params()
        each.append(f"(SELECT count(*) FROM ({sql}) AS found)")
        parameters += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(each)}", parameters)
        counted = cursor.fetchall()[0]
    return {tab: Tally(min(n, COUNTED), n > COUNTED) for tab, n in zip(TABS, counted, strict=True)}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, and the places that the pages beside it start from."""

    returns: list[ReturnRequest]
    previous: Place | None
    next: Place | None


def page(member: Membership, asked: Asked, channels: dict[int, Channel]) -> Page:
    """The returns of an address by keyset: in hand, what is due first comes first; ended, the last that did."""
    ended = asked.tab == "terminadas"
    key = F("since") if ended else Coalesce(F("due_by"), Value(NEVER))
    rows = _narrowed(member, asked).filter(TABS[asked.tab]).annotate(place=key)
    backwards, place = asked.before is not None, asked.before or asked.after
    down = ended != backwards
    if place is not None:
        beyond, at_most = ("lt", "lte") if down else ("gt", "gte")
        rows = rows.filter(
            Q(**{f"place__{at_most}": place.at}),
            Q(**{f"place__{beyond}": place.at}) | Q(**{f"id__{beyond}": place.id}),
        )
    rows = rows.select_related("order", "refund")
    found = list(rows.order_by(*(("-place", "-id") if down else ("place", "id")))[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)
    furnish(found, channels, member)
    first, last = (Place(one.place, one.id) for one in (found[0], found[-1]))
    has_previous = more if backwards else asked.after is not None
    return Page(found, first if has_previous else None, last if backwards or more else None)


def furnish(returns: list[ReturnRequest], channels: dict[int, Channel], member: Membership) -> None:
    """Give each return its lines that the member sees, and its order the channel and the policy."""
    queries.furnish([one.order for one in returns], channels)
    rows = ReturnLine.objects.filter(request__in=[one.id for one in returns]).select_related("line")
    if member.supplier_id is not None:
        rows = rows.filter(line__supplier_id=member.supplier_id)
    by_return: dict[int, list[ReturnLine]] = {}
    for row in rows.order_by("line_id"):
        by_return.setdefault(row.request_id, []).append(row)
    for one in returns:
        one.given = by_return.get(one.id, [])


def of_order(member: Membership, order: Any) -> list[ReturnRequest]:
    """The returns of an order that a member sees, those in hand first, then the newest."""
    rows = returns_of(member).filter(order=order).select_related("refund", "new_carrier", "instructions")
    found = sorted(rows, key=lambda one: (not one.open, -one.number))
    for one in found:
        one.order = order
    if found:
        furnish(found, {order.channel_id: order.channel}, member)
    return found


@dataclass(frozen=True, slots=True)
class Figures:
    """How many returns of a shop are in hand, of how many of them it is the shop's turn, and how many are late."""

    open: int
    waiting: int
    late: int
