"""Reads of the home page and the orders list. A counter and its list share a condition (ORD-03)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import connection
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
    When,
)
from django.db.models.expressions import CombinedExpression, RawSQL
from django.db.models.functions import Greatest
from django.utils import timezone

from dashboard.asked import FAR, TABS, Asked, Place
from dashboard.stretches import Stretch, stretches_of
from dashboard.waits import (
    IN_INCIDENT,
    TO_ACT_ON,
    TO_CONFIRM,
    TO_SHIP,
    left_to_confirm,
    left_to_ship,
    to_confirm,
    waits_for,
)
from ledger.models import Balance
from marketplace import queries as ground
from marketplace.models import Channel
from marketplace.moments import LAST_MINUTE
from orders.models import OWES_INVOICE, Hold, Line, Order, Part, Shipment, Words
from orders.queries import folded, orders_of
from orders.states import OF_MONEY, State
from sellers.models import Membership, Shop

PAGE = 50
COUNTED = 10_000
ON_ITS_WAY = (State.SHIPPED, State.EXCEPTION, State.DELIVERED)
OPEN = (State.PENDING_ACCEPTANCE, State.DEBIT, *TO_SHIP, *ON_ITS_WAY, State.RECEIVED)
HELD = Q(state__in=OPEN, held_at__isnull=False)
ANY_STATE = ("", "incidencias", "factura")
"""The filters that closed orders meet too."""


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
    ends = day_starts(timezone.localdate(now) + timedelta(days=days)) + LAST_MINUTE
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
        "por-confirmar": TO_CONFIRM,
        "incidencias": IN_INCIDENT,
        "factura": OWES_INVOICE,
    }[name]


def waiting(member: Membership) -> int:
    """How many orders wait for a member to act: to accept, and to ship that nothing holds."""
    return orders_of(member).filter(waits_for(member), state__in=TO_ACT_ON).count()


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
    confirm: int = 0
    failed: int = 0
    shipped: int = 0
    late_to_arrive: int = 0
    waiting: int = 0
    received: int = 0
    money: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        """Whether no order is open."""
        return not (
            self.accept
            or self.debit
            or self.ship
            or self.held
            or self.shipped
            or self.failed
            or self.received
            or self.money
        )


def for_the_shop() -> CombinedExpression:
    """What of an order is for its shop, in cents: without the commission and its VAT, and without what refunds after
    shipping gave back; what went back earlier was of units that are in the total no more."""
    refunded = Greatest(F("refunded_cents") - Greatest(F("charged_cents") - F("total_cents"), 0), 0)
    kept = F("commission_cents") - F("commission_back_cents")
    return F("total_cents") - refunded - kept - (F("commission_vat_cents") - F("commission_vat_back_cents"))


def figures(member: Membership, now: datetime) -> Figures:
    """Count and sum a shop's open orders in one query; then lay what the books owe beside it. A supplier's are
    counted, and nothing is summed: the money is the shop's (ROL-04)."""
    net = for_the_shop()
    stopped = Q(held_at__isnull=False) | Q(incident_at__isnull=False)
    rows = (
        orders_of(member)
        .filter(state__in=OPEN)
        .values("currency", "state")
        .annotate(
            n=Count("id"),
            today=Count("id", filter=due_within(now, 1)),
            late=Count("id", filter=late_to_ship(now) | late_to_arrive(now)),
            held=Count("id", filter=HELD),
            confirm=Count("id", filter=to_confirm(member)),
            waits=Count("id", filter=waits_for(member)),
            net=Sum(net, output_field=BigIntegerField()),
            stopped=Sum(net, filter=stopped, output_field=BigIntegerField(), default=0),
        )
        .order_by("currency")
    )
    found = Figures()
    for row in rows:
        _count(found, row)
    if member.supplier_id is not None:
        found.money.clear()
        return found
    for currency, cents in balances(member.shop).items():
        sums = found.money.setdefault(currency, {})
        sums["ready"] = cents - sums.pop("stopped_received", 0)
    return found


def _count(found: Figures, row: Mapping[str, Any]) -> None:
    state, n, late = row["state"], row["n"], row["late"]
    found.held += row["held"]
    found.confirm += row["confirm"]
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
    elif state == State.EXCEPTION:
        found.failed += n
    elif state == State.SHIPPED:
        found.shipped += n
        found.late_to_arrive += late


def balances(shop: Shop) -> dict[str, int]:
    """What the books owe a shop, in cents by currency."""
    owed: dict[str, int] = {}
    for currency, cents in Balance.objects.filter(shop=shop).values_list("currency", "payable_cents"):
        owed[currency] = owed.get(currency, 0) + cents
    return owed


def comes_next(member: Membership, count: int) -> list[Order]:
    """The orders whose deadline for the member comes first: to accept, and to ship that nothing holds."""
    rows = _rows(member).filter(waits_for(member), state__in=TO_ACT_ON)
    return list(rows.annotate(acts_by=_acts_by()).order_by("acts_by", "id")[:count])


def _acts_by() -> Case:
    accept = When(state=State.PENDING_ACCEPTANCE, then=F("accept_by"))
    return Case(accept, default=F("ship_by"), output_field=DateTimeField())


_KEEPING = Hold.objects.filter(kind__in=OF_MONEY, order=OuterRef("id"), released_at=None).order_by("kind")
KEEPS_MONEY = Case(When(incident_at__isnull=False, then=Subquery(_KEEPING.values("kind")[:1])))
"""What keeps the money of an order, an incident before a return; looked for where something does."""


def _rows(member: Membership) -> QuerySet[Order]:
    """Orders as lists show them: with the number of lines, and why they wait; to a supplier with what is theirs."""
    lines = Line.objects.filter(order=OuterRef("id")).order_by().values("order").annotate(n=Count("id"))
    hold = Hold.objects.filter(~Q(kind__in=OF_MONEY), order=OuterRef("id"), released_at=None).order_by("id")
    rows = orders_of(member).annotate(
        lines_n=Subquery(lines.values("n")),
        hold_kind=Subquery(hold.values("kind")[:1]),
        keeps_money=KEEPS_MONEY,
    )
    if member.supplier_id is None:
        return rows
    return rows.annotate(
        # Not as Exists: PostgreSQL would look through all the lines of the supplier for the few rows of a page.
        to_hand_over=Subquery(left_to_ship(member.supplier_id).order_by().values("id")[:1]),
        own_to_confirm=Subquery(left_to_confirm(member.supplier_id).order_by().values("id")[:1]),
        own_units=F("parts__units"),
        own_items=F("parts__items_text"),
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
    return Channel.objects.select_related("policy").order_by("name").in_bulk()


def narrowed(member: Membership, asked: Asked, now: datetime) -> Q:
    """Everything that an address asks for but its tab."""
    where = to_confirm(member) if asked.due == "por-confirmar" else due(asked.due, now)
    if asked.supplier:
        where &= Q(parts__supplier__code=asked.supplier)
    if asked.channel:
        where &= Q(channel__code=asked.channel)
    if asked.since:
        where &= Q(placed_at__gte=day_starts(asked.since))
    if asked.until:
        where &= Q(placed_at__lt=day_starts(asked.until + timedelta(days=1)))
    if asked.words:
        where &= Q(id__in=found_orders(member, asked.words))
    return where


def found_orders(member: Membership, words: str) -> QuerySet[Any, int]:
    """Orders that carry every word, whole or in part, or a parcel with this tracking number.

    Two index scans under one roof: an OR over both tables would read the whole shop. A supplier finds an order by
    the words and the parcels of their own lines alone (ROL-04).
    """
    texts: QuerySet[Words] | QuerySet[Part] = Words.objects.filter(shop_id=member.shop_id)
    parcels = Shipment.objects.filter(shop_id=member.shop_id)
    if member.supplier_id is not None:
        texts = Part.objects.filter(supplier_id=member.supplier_id)
        parcels = parcels.filter(contents__line__supplier_id=member.supplier_id)
    for word in folded(words).split():
        texts = texts.filter(text__contains=word)
    numbers = {words, words.upper(), words.replace(" ", "")}
    parcels = parcels.filter(tracking__in=sorted(numbers))
    return (
        texts.order_by()
        .values_list("order_id", flat=True)
        .union(parcels.order_by().values_list("order_id", flat=True))
    )


class Tally(NamedTuple):
    """How many orders; `more` says that there are more than were counted."""

    n: int
    more: bool


def count_by_tab(member: Membership, asked: Asked, now: datetime) -> dict[str, Tally]:
    """How many orders each tab shows under the same search and filters; "" is all of them.

    A state is counted up to `COUNTED` and no further, so that a million closed orders cost what ten thousand do.
    """
    rows = orders_of(member).filter(narrowed(member, asked, now))
    if asked.words or member.supplier_id is not None:  # read by what was found, and by the supplier's parts
        found = rows.values("state").annotate(n=Count("id")).order_by("state")
        by_state = dict(found.values_list("state", "n"))
    else:
        # A filter by deadline is met by open orders only: the closed need not be looked at one by one.
        by_state = _count_states(rows, State.values if asked.due in ANY_STATE else OPEN)
    tabs = {tab: [by_state.get(state, 0) for state in states] for tab, states in TABS.items()}
    return {tab: _tally(counts) for tab, counts in {"": list(by_state.values()), **tabs}.items()}


def _count_states(rows: QuerySet[Order], states: Iterable[str]) -> dict[str, int]:
    """Count the rows in each state, up to one more than `COUNTED`, in one read."""
    one = rows.filter(state=RawSQL("kind.state", ())).order_by().values("id")[: COUNTED + 1]
    sql, parameters = one.query.sql_with_params()
    each = (
        f"SELECT kind.state, (SELECT count(*) FROM ({sql}) AS found) FROM unnest(%s::text[]) AS kind (state)"
    )
    with connection.cursor() as cursor:
        cursor.execute(each, [*parameters, [str(state) for state in states]])
        return dict(cursor.fetchall())


def _tally(counts: Iterable[int]) -> Tally:
    n = sum(counts)
    return Tally(min(n, COUNTED), n > COUNTED)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, and the places that the pages beside it start from."""

    orders: list[Order]
    previous: Place | None
    next: Place | None


def page(member: Membership, asked: Asked, now: datetime) -> Page:
    """The rows of an address, by keyset: rows that come in meanwhile neither hide nor repeat any."""
    rows = _rows(member).filter(narrowed(member, asked, now))
    if asked.tab:
        rows = rows.filter(state__in=TABS[asked.tab])
    backwards, place = asked.before is not None, asked.before or asked.after
    stretches = stretches_of(asked, "placed_at" if member.supplier_id is None else "parts__placed_at")
    if place is not None and backwards != (place.at == FAR):
        stretches = stretches[:1] if backwards else stretches[-1:]
    found: list[Order] = []
    for stretch in reversed(stretches) if backwards else stretches:
        wanted = PAGE + 1 - len(found)
        found += _read(rows, stretch, place, wanted, backwards=backwards)
        place = None
        if len(found) > PAGE:
            break
    return _page_of(found, asked)


def _read(
    rows: QuerySet[Order], stretch: Stretch, place: Place | None, count: int, *, backwards: bool
) -> list[Order]:
    rows = rows.filter(stretch.rows).annotate(place=stretch.key)
    down = stretch.falls != backwards
    if place is not None:
        beyond, at_most = ("lt", "lte") if down else ("gt", "gte")
        rows = rows.filter(
            Q(**{f"place__{at_most}": place.at}),
            Q(**{f"place__{beyond}": place.at}) | Q(**{f"id__{beyond}": place.id}),
        )
    return list(rows.order_by(*(("-place", "-id") if down else ("place", "id")))[:count])


def _page_of(found: list[Order], asked: Asked) -> Page:
    """What was read, one more than a page where there is more, as a page."""
    backwards = asked.before is not None
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)
    first, last = (Place(order.place, order.id) for order in (found[0], found[-1]))
    has_previous = more if backwards else asked.after is not None
    has_next = backwards or more
    return Page(found, first if has_previous else None, last if has_next else None)
