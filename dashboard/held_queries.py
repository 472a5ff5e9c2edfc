"""Reads of what is not paid yet: a shop's open orders by what holds their money (SET-07)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection
from django.db.models import BigIntegerField, Case, CharField, Count, F, Q, Sum, Value, When

from dashboard.asked import Place
from dashboard.queries import KEEPS_MONEY, PAGE, Page, balances, for_the_shop
from dashboard.waits import TO_SHIP
from orders.queries import orders_of
from orders.states import HoldKind, State
from sellers.models import Membership

HELD_STATES = (State.DEBIT, *TO_SHIP, State.SHIPPED, State.EXCEPTION, State.DELIVERED, State.RECEIVED)


class Cause(StrEnum):
    """What holds the money of an order, the one that has to go first before the others."""

    INCIDENT = "incidencia"
    RETURN = "devolucion"
    HOLD = "espera"
    DEBIT = "debito"
    SHIP = "por-enviar"
    FAILED = "entrega-fallida"
    SENT = "enviado"
    READY = "listo"


_OF = {
    Cause.DEBIT: Q(state=State.DEBIT),
    Cause.SHIP: Q(state__in=TO_SHIP),
    Cause.FAILED: Q(state=State.EXCEPTION),
    Cause.SENT: Q(state__in=(State.SHIPPED, State.DELIVERED)),
    Cause.READY: Q(state=State.RECEIVED),
}
_FREE = Q(held_at=None, incident_at=None)
CONDITIONS: dict[Cause, Q] = {
    Cause.INCIDENT: Q(keeps_money=HoldKind.INCIDENT, state__in=HELD_STATES),
    Cause.RETURN: Q(keeps_money=HoldKind.RETURN, state__in=HELD_STATES),
    Cause.HOLD: Q(held_at__isnull=False, incident_at=None, state__in=HELD_STATES),
    **{cause: where & _FREE for cause, where in _OF.items()},
}


@dataclass(frozen=True, slots=True)
class Amount:
    """How many orders a cause holds in a currency, and what of them is for the shop, in cents."""

    cause: Cause
    currency: str
    orders: int
    cents: int


def by_cause(member: Membership) -> list[Amount]:
    """Each cause with its orders and their money, in the order in which causes are told, in one read."""
    whens = [When(where, then=Value(str(cause))) for cause, where in CONDITIONS.items()]
    rows = (
        orders_of(member)
        .filter(state__in=HELD_STATES)
        .annotate(keeps_money=KEEPS_MONEY)
        .annotate(cause=Case(*whens, output_field=CharField()))
        .values("cause", "currency")
        .annotate(n=Count("id"), cents=Sum(for_the_shop(), output_field=BigIntegerField()))
        .order_by()
    )
    found = [Amount(Cause(row["cause"]), row["currency"], row["n"], row["cents"]) for row in rows]
    causes = list(Cause)
    return sorted(found, key=lambda one: (causes.index(one.cause), one.currency))


def loose(member: Membership) -> dict[str, int]:
    """What the books owe a shop besides its received orders, in cents by currency: what was carried over, adjustments,
    refunds of settled orders, returned payouts."""
    owed = balances(member.shop)
    received = _received(member)
    return {
        currency: cents - received.get(currency, 0)
        for currency, cents in sorted(owed.items())
        if cents != received.get(currency, 0)
    }


def _received(member: Membership) -> dict[str, int]:
    rows = (
        orders_of(member)
        .filter(state=State.RECEIVED)
        .values("currency")
        .annotate(cents=Sum(for_the_shop(), output_field=BigIntegerField()))
    )
    return dict(rows.order_by().values_list("currency", "cents"))


def expected(
    member: Membership, closings: Mapping[int, Sequence[datetime]]
) -> dict[tuple[datetime, str], int]:
    """What each coming closing would take if nothing else happens, in cents by closing and currency.

    `closings` are those of each channel, in order. Counted are orders that nothing holds: received ones at the first
    closing, and those on their way at the first after the moment when they count as received.
    """
    found: dict[tuple[datetime, str], int] = {}
    for channel_id, moments in closings.items():
        if not moments:
            continue
        with connection.cursor() as cursor:
            cursor.execute(_EXPECTED, [list(moments), member.shop_id, channel_id, [str(s) for s in _COUNTED]])
            for place, currency, cents in cursor.fetchall():
                if place < len(moments):
                    key = moments[place], currency
                    found[key] = found.get(key, 0) + cents
    return dict(sorted(found.items()))


_COUNTED = (State.SHIPPED, State.DELIVERED, State.RECEIVED)
_EXPECTED = """
    SELECT place, currency, sum(cents)::bigint FROM (
        SELECT CASE WHEN state = 'received' THEN 0
                    ELSE width_bucket(receive_at - interval '1 microsecond', %s::timestamptz[]) END AS place,
               currency,
               total_cents - greatest(refunded_cents - greatest(charged_cents - total_cents, 0), 0)
                 - commission_cents + commission_back_cents - commission_vat_cents + commission_vat_back_cents AS cents
          FROM orders_order
         WHERE shop_id = %s AND channel_id = %s AND state = ANY(%s) AND held_at IS NULL AND incident_at IS NULL
           AND (state = 'received' OR receive_at IS NOT NULL)) AS open
     GROUP BY 1, 2
"""


def page(member: Membership, cause: Cause | None, after: Place | None, before: Place | None) -> Page:
    """One page of the orders whose money is held, by a cause or by any, the oldest first."""
    rows = orders_of(member).annotate(
        keeps_money=KEEPS_MONEY, place=F("placed_at"), for_the_shop=for_the_shop()
    )
    rows = rows.filter(CONDITIONS[cause] if cause else Q(state__in=HELD_STATES))
    backwards, place = before is not None, before or after
    if place is not None:
        beyond, at_most = ("lt", "lte") if backwards else ("gt", "gte")
        rows = rows.filter(
            Q(**{f"place__{at_most}": place.at}),
            Q(**{f"place__{beyond}": place.at}) | Q(**{f"id__{beyond}": place.id}),
        )
    found = list(rows.order_by(*(("-place", "-id") if backwards else ("place", "id")))[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)
    first, last = (Place(order.place, order.id) for order in (found[0], found[-1]))
    has_previous = more if backwards else after is not None
    return Page(found, first if has_previous else None, last if backwards or more else None)


def states_as_of(member: Membership, at: datetime) -> list[tuple[State, int]]:
    """How many orders of a shop were open in each state at a moment, from their histories."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT was.state, count(*) FROM orders_order o CROSS JOIN LATERAL (
                SELECT e.after AS state FROM orders_event e
                 WHERE e.order_id = o.id AND e.at <= %s ORDER BY e.id DESC LIMIT 1) AS was
             WHERE o.shop_id = %s AND o.placed_at <= %s AND (o.ended_at IS NULL OR o.ended_at > %s)
             GROUP BY 1
            """,
            [at, member.shop_id, at, at],
        )
        found = {State(state): n for state, n in cursor.fetchall()}
    return [(state, found[state]) for state in State if state in found]
