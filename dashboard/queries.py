"""Reads of the home page and the orders list. A counter and its list share a condition (ORD-03)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DateTimeField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.utils import timezone

from dashboard.asked import FAR, TABS, Asked, Place
from ledger.models import Balance
from marketplace import queries as ground
from marketplace.models import Channel
from orders.models import Hold, Line, Order, Shipment, Words
from orders.queries import folded
from orders.states import State
from sellers.models import Shop

PAGE = 50
TO_SHIP = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)
ON_ITS_WAY = (State.SHIPPED, State.DELIVERED)
OPEN = (State.PENDING_ACCEPTANCE, State.DEBIT, *TO_SHIP, *ON_ITS_WAY, State.RECEIVED)
WAITS = Q(state=State.PENDING_ACCEPTANCE) | Q(state__in=TO_SHIP, held_at=None)
HELD = Q(state__in=OPEN, held_at__isnull=False)


def day_starts(day: date) -> datetime:
    """When a day starts on the site's clocks."""
    return datetime.combine(day, time(), tzinfo=timezone.get_current_timezone())


def late_to_ship(now: datetime) -> Q:
    """Orders that should have left by now; one that is held has its deadline stopped (SHP-09)."""
    return Q(state__in=TO_SHIP, ship_by__lt=now, held_at=None)


def late_to_arrive(now: datetime) -> Q:
    """Orders on their way that should have arrived by now (SHP-09)."""
    return Q(state=State.SHIPPED, deliver_by__lt=now, held_at=None)


def due_within(now: datetime, days: int) -> Q:
    """Orders whose seller has to act before the end of today, or of so many days counted from today."""
    ends = day_starts(timezone.localdate(now) + timedelta(days=days))
    accept = Q(state=State.PENDING_ACCEPTANCE, accept_by__gte=now, accept_by__lt=ends)
    return accept | Q(state__in=TO_SHIP, ship_by__gte=now, ship_by__lt=ends, held_at=None)


def due(name: str, now: datetime) -> Q:
    """The condition of a deadline filter by its name in the address."""
    return {
        "": Q(),
        "hoy": due_within(now, 1),
        "semana": due_within(now, 7),
        "retraso": late_to_ship(now),
        "entrega-tarde": late_to_arrive(now),
        "espera": HELD,
    }[name]


def waiting(shop: Shop) -> int:
    """How many orders wait for the shop to act: to accept, and to ship that nothing holds."""
    return Order.objects.filter(WAITS, shop=shop, state__in=(State.PENDING_ACCEPTANCE, *TO_SHIP)).count()


@dataclass(slots=True)
class Figures:
    """The counters of the home page; the sums are what is left for the shop, in cents by currency."""

    accept: int = 0
    accept_today: int = 0
    debit: int = 0
    ship: int = 0
    ship_today: int = 0
    late: int = 0
    held: int = 0
    shipped: int = 0
    late_to_arrive: int = 0
    waiting: int = 0
    received: int = 0
    money: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        """Whether no order is open."""
        return not (
            self.accept or self.debit or self.ship or self.held or self.shipped or self.received or self.money
        )


def figures(shop: Shop, now: datetime) -> Figures:
    """Count and sum a shop's open orders in one query; then lay what the books owe beside it."""
    net = F("total_cents") - F("commission_cents") - F("commission_vat_cents")
    stopped = Q(held_at__isnull=False) | Q(incident_at__isnull=False)
    rows = (
        Order.objects.filter(shop=shop, state__in=OPEN)
        .values("currency", "state")
        .annotate(
            n=Count("id"),
            today=Count("id", filter=due_within(now, 1)),
            late=Count("id", filter=late_to_ship(now) | late_to_arrive(now)),
            held=Count("id", filter=HELD),
            waits=Count("id", filter=WAITS),
            net=Sum(net, output_field=BigIntegerField()),
            stopped=Sum(net, filter=stopped, output_field=BigIntegerField(), default=0),
        )
        .order_by("currency")
    )
    found = Figures()
    for row in rows:
        _count(found, row)
    for currency, cents in balances(shop).items():
        sums = found.money.setdefault(currency, {})
        sums["ready"] = cents - sums.pop("stopped_received", 0)
    return found


def _count(found: Figures, row: Mapping[str, Any]) -> None:
    state, n, late = row["state"], row["n"], row["late"]
    found.held += row["held"]
    found.waiting += row["waits"]
    if state == State.PENDING_ACCEPTANCE:
        found.accept += n
        found.accept_today += row["today"]
        return
    sums = found.money.setdefault(row["currency"], {})
    stopped = row["stopped"]
    sums["held"] = sums.get("held", 0) + stopped
    if state == State.RECEIVED:
        found.received += n
        sums["stopped_received"] = stopped
        return
    name = "debit" if state == State.DEBIT else "ship" if state in TO_SHIP else "sent"
    sums[name] = sums.get(name, 0) + row["net"] - stopped
    if state == State.DEBIT:
        found.debit += n
    elif state in TO_SHIP:
        found.ship += n
        found.ship_today += row["today"]
        found.late += late
    elif state == State.SHIPPED:
        found.shipped += n
        found.late_to_arrive += late


def balances(shop: Shop) -> dict[str, int]:
    """What the books owe a shop, in cents by currency."""
    owed: dict[str, int] = {}
    for currency, cents in Balance.objects.filter(shop=shop).values_list("currency", "payable_cents"):
        owed[currency] = owed.get(currency, 0) + cents
    return owed


def comes_next(shop: Shop, count: int) -> list[Order]:
    """The orders whose deadline for the shop comes first: to accept, and to ship that nothing holds."""
    rows = _rows(shop).filter(WAITS, state__in=(State.PENDING_ACCEPTANCE, *TO_SHIP))
    return list(rows.annotate(acts_by=_acts_by()).order_by("acts_by", "id")[:count])


def _acts_by() -> Case:
    accept = When(state=State.PENDING_ACCEPTANCE, then=F("accept_by"))
    return Case(accept, default=F("ship_by"), output_field=DateTimeField())


def _rows(shop: Shop) -> QuerySet[Order]:
    """Orders of a shop as lists show them: with the number of lines, and why they wait."""
    lines = Line.objects.filter(order=OuterRef("id")).order_by().values("order").annotate(n=Count("id"))
    hold = Hold.objects.filter(order=OuterRef("id"), released_at=None).order_by("id")
    return Order.objects.filter(shop=shop).annotate(
        lines_n=Subquery(lines.values("n")), hold_kind=Subquery(hold.values("kind")[:1])
    )


def furnish(orders: Iterable[Order], channels: dict[int, Channel]) -> None:
    """Give each order its channel and its policy, read once for all of them."""
    rows = list(orders)
    policies = ground.policies(order.policy_id for order in rows)
    for order in rows:
        order.channel = channels[order.channel_id]
        order.policy = policies[order.policy_id]


def channels() -> dict[int, Channel]:
    """Every channel by key, with its policy; operators open few."""
    return Channel.objects.select_related("policy").in_bulk()


def narrowed(shop: Shop, asked: Asked, now: datetime) -> Q:
    """Everything that an address asks for but its tab."""
    where = due(asked.due, now)
    if asked.since:
        where &= Q(placed_at__gte=day_starts(asked.since))
    if asked.until:
        where &= Q(placed_at__lt=day_starts(asked.until + timedelta(days=1)))
    if asked.words:
        where &= Q(id__in=_found(shop, asked.words))
    return where


def _found(shop: Shop, words: str) -> QuerySet[Words, int]:
    """Orders that carry every word, whole or in part, or a parcel with this tracking number.

    Two index scans under one roof: an OR over both tables would read the whole shop.
    """
    texts = Words.objects.filter(shop=shop)
    for word in folded(words).split():
        texts = texts.filter(text__contains=word)
    numbers = {words, words.upper(), words.replace(" ", "")}
    parcels = Shipment.objects.filter(shop=shop, tracking__in=sorted(numbers))
    return (
        texts.order_by()
        .values_list("order_id", flat=True)
        .union(parcels.order_by().values_list("order_id", flat=True))
    )


def count_by_tab(shop: Shop, asked: Asked, now: datetime) -> dict[str, int]:
    """How many orders each tab shows under the same search and filters; "" is all of them."""
    rows = Order.objects.filter(narrowed(shop, asked, now), shop=shop).values("state").annotate(n=Count("id"))
    by_state = {row["state"]: row["n"] for row in rows.order_by("state")}
    tabs = {tab: sum(by_state.get(state, 0) for state in states) for tab, states in TABS.items()}
    return {"": sum(by_state.values()), **tabs}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, and the places that the pages beside it start from."""

    orders: list[Order]
    previous: Place | None
    next: Place | None


def page(shop: Shop, asked: Asked, now: datetime) -> Page:
    """The rows of an address, by keyset: rows that come in meanwhile neither hide nor repeat any."""
    key, falling = _key(asked)
    rows = _rows(shop).filter(narrowed(shop, asked, now)).annotate(place=key)
    if asked.tab:
        rows = rows.filter(state__in=TABS[asked.tab])
    backwards = asked.before is not None
    place = asked.before or asked.after
    down = falling != backwards
    if place is not None:
        beyond, at_most = ("lt", "lte") if down else ("gt", "gte")
        rows = rows.filter(
            Q(**{f"place__{at_most}": place.at}),
            Q(**{f"place__{beyond}": place.at}) | Q(**{f"id__{beyond}": place.id}),
        )
    found = list(rows.order_by(*(("-place", "-id") if down else ("place", "id")))[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)
    first, last = (Place(order.place, order.id) for order in (found[0], found[-1]))
    has_previous = more if backwards else asked.after is not None
    has_next = backwards or more
    return Page(found, first if has_previous else None, last if has_next else None)


def _key(asked: Asked) -> tuple[Combinable, bool]:
    """What the list is sorted by, and whether it falls. By deadline, what has none to keep comes last.

    On its own tab a deadline is the bare column, so that its index carries the sort.
    """
    if asked.sort == "envio":
        if asked.tab == "por-enviar":
            return F("ship_by"), False
        return _while(Q(state__in=TO_SHIP), "ship_by"), False
    if asked.sort == "aceptacion":
        if asked.tab == "por-aceptar":
            return F("accept_by"), False
        return _while(Q(state=State.PENDING_ACCEPTANCE), "accept_by"), False
    return F("placed_at"), True


def _while(condition: Q, column: str) -> Case:
    return Case(When(condition, then=F(column)), default=Value(FAR), output_field=DateTimeField())
