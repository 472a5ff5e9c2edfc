"""Every state × verb × role × hold: what is done, what is refused and why, and that a refusal changes nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product
from typing import Any, cast

import psycopg
import pytest
from django.db import connection

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset, Role
from marketplace.refusals import Code, Outcome
from marketplace.services import publish_policy
from orders import services
from orders.models import Line, Order
from orders.signals import Moved
from orders.states import FINAL, MOVES, PAID, HoldKind, LineKind, State, Verb
from payments.models import Charge
from payments.states import AskState
from refunds import redirecting
from sellers.desk import Actor
from sellers.models import Shop, Supplier
from settlements.models import Cycle
from settlements.services import collect
from tests.conftest import AT, CLOCK, JAR, OPERATOR, PLATE, actor_of
from tests.incidents.claims import disputed
from tests.orders.digital import BOOKING, TICKET, Article, Goods
from tests.orders.lives import brought_to
from tests.orders.moves_by_hand import STATES, TABLES_OF, Legal

LATER = AT + timedelta(days=60)
"""Late enough for every order to stand; each case picks its own moment where the deadline matters."""

OF_A_PART = {"ship", "fulfil"}
STOPPED_BY_HOLD = {"ready", "ship", "fulfil", "receive", "settle"}
TO_PREPARE = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)
STOPPED_BY_INCIDENT = {"receive", "settle"}
ACTORS = {role: Actor(role, f"Alguien ({role})") for role in Role}
"""One of each; the supplier is one who fulfils nothing of the order."""
ENDED = ("closed", "refused", "cancelled", "failed", "returned")
HOLDS = (None, HoldKind.ADDRESS, HoldKind.INCIDENT)


def open_cycle(order_id: int, at: datetime) -> Cycle:
    """A settlement settles through a cycle of the order's channel."""
    return Cycle.objects.get_or_create(channel_id=Order.objects.get(id=order_id).channel_id, closes_at=LATER)[
        0
    ]


def charged(outcome: Outcome[Moved]) -> Outcome[Moved]:
    """The charge that a move tells of, as payments write it: what a provider holds stays explained."""
    for move in outcome.moved:
        Charge.objects.update_or_create(
            order_id=move.order_id,
            defaults={"shop_id": move.shop_id, "provider": "sandbox", "amount_cents": move.charged_cents,
                      "currency": move.currency, "due_at": None},
        )  # fmt: skip
        Charge.objects.filter(order_id=move.order_id).update(state=AskState.SUCCEEDED)
    return outcome


type Doing = Callable[[int, Actor, datetime], Outcome[Moved]]

DOING: dict[Verb, Doing] = {
    Verb.CONFIRM_PAYMENT: lambda order, by, at: charged(services.confirm_payment([order], by=by, at=at)),
    Verb.LAPSE: lambda order, by, at: services.lapse([order], by=by, at=at),
    Verb.REPORT_EXCEPTION: lambda order, by, at: services.report_exception(
        [order], reason="Ausente", by=by, at=at
    ),
    Verb.RETRY: lambda order, by, at: services.retry([order], by=by, at=at),
    Verb.RETURN_TO_SENDER: lambda order, by, at: services.return_to_sender([order], by=by, at=at),
    Verb.REDIRECT: lambda order, by, at: redirecting.redirect(order, other_of(order), by=by, at=at),
    Verb.ACCEPT: lambda order, by, at: services.accept([order], by=by, at=at),
    Verb.REFUSE: lambda order, by, at: services.refuse([order], reason="Sin existencias", by=by, at=at),
    Verb.EXPIRE: lambda order, by, at: services.expire([order], by=by, at=at),
    Verb.CANCEL: lambda order, by, at: services.cancel([order], reason="Lo pide el cliente", by=by, at=at),
    Verb.DEBIT_SUCCEEDED: lambda order, by, at: charged(services.debit_succeeded([order], by=by, at=at)),
    Verb.DEBIT_FAILED: lambda order, by, at: services.debit_failed(
        [order], reason="sin fondos", by=by, at=at
    ),
    Verb.READY: lambda order, by, at: services.ready([order], by=by, at=at),
    Verb.SHIP: lambda order, by, at: services.ship(
        {order: services.Parcel(carrier_name="SEUR")}, by=by, at=at
    ),
    Verb.FULFIL: lambda order, by, at: services.fulfil({order: tickets_of(order)}, by=by, at=at),
    Verb.SHORTEN: lambda order, by, at: services.shorten({order: one_less(order)}, by=by, at=at),
    Verb.ASSIGN: lambda order, by, at: services.assign({order: turned(order)}, by=by, at=at),
    Verb.DELIVER: lambda order, by, at: services.deliver([order], by=by, at=at),
    Verb.RECEIVE: lambda order, by, at: services.receive([order], by=by, at=at),
    Verb.SETTLE: lambda order, by, at: collect(open_cycle(order, at), [order], by=by, at=at),
}


def one_less(order_id: int) -> dict[int, int]:
    """One unit of an order's goods is missing."""
    line = Line.objects.filter(order_id=order_id, kind=LineKind.GOODS).order_by("-quantity", "id")[0]
    return {line.id: line.quantity - 1}


def other_of(order_id: int) -> int:
    """Another order of the shop that waits for what is in this one's parcel; of one that has none, nobody's."""
    order = Order.objects.get(id=order_id)
    if order.state != State.EXCEPTION:
        return 0
    lines = order.lines.select_related("supplier").filter(shipped_quantity__gt=0)
    goods = tuple((one.sku, one.title, one.shipped_quantity, one.unit_price_cents, 0) for one in lines)
    served = [one.supplier for one in lines]
    return brought_to(State.AWAITING_SHIPMENT, order.channel, order.shop, articles=goods, served=served)[0]


def turned(order_id: int) -> dict[int, int | None]:
    """Each line is somebody else's now: the workshop's, or the shop's own again."""
    lines = Line.objects.filter(order_id=order_id)
    shop_id = lines[0].shop_id
    workshop = Supplier.objects.get_or_create(shop_id=shop_id, code="otro", defaults={"name": "Otro"})[0]
    return {line.id: None if line.supplier_id else workshop.id for line in lines}


def tickets_of(order_id: int) -> dict[int, str]:
    """The lines of an order that are to be confirmed, with nothing to say of them."""
    lines = Line.objects.filter(order_id=order_id).exclude(kind=LineKind.GOODS)
    return dict.fromkeys(lines.values_list("id", flat=True), "")


class Served(StrEnum):
    """Who fulfils an order: the seller all of it, one supplier all of it, or each of them a part (ROL-04)."""

    BY_SELLER = "by_seller"
    BY_SUPPLIER = "by_supplier"
    BY_BOTH = "by_both"


def bought(verb: Verb, preset: Preset, state: State) -> tuple[Article | Goods, ...]:
    """What is in an order: goods beside a ticket that waits to be confirmed, so that whatever is done to the one is
    seen to leave the other in order; goods alone where these are shipped or received."""
    if preset == Preset.CASH_ON_DELIVERY or state in (*FINAL, State.RECEIVED):
        return ()
    if verb == Verb.FULFIL and not (state in PAID and state != State.AWAITING_SHIPMENT):
        return (TICKET, BOOKING)
    return (JAR, PLATE) if verb in (Verb.RECEIVE, Verb.SHIP) else (JAR, TICKET)


type Case = tuple[Verb, Role, HoldKind | None]


def brought(
    cases: Sequence[Case],
    wants: Sequence[Code | str],
    preset: Preset,
    state: State,
    channel: Channel,
    shop: Shop,
    *,
    served: Sequence[Supplier | None] = (),
) -> list[int]:
    """An order in this state for each case. Those that are to be refused share theirs with others of its kind: a
    refusal changes nothing, which is looked at after each."""

    def kind(case: Case, want: Code | str) -> tuple[object, ...]:
        verb, _, hold = case
        own = () if isinstance(want, Code) else case
        return bought(verb, preset, state), hold, own

    kinds = [kind(case, want) for case, want in zip(cases, wants, strict=True)]
    found: dict[tuple[object, ...], int] = {}
    for articles in dict.fromkeys(one[0] for one in kinds):
        alike = list(dict.fromkeys(one for one in kinds if one[0] == articles))
        wishes: dict[str, Any] = {"articles": articles} if articles else {}
        ids = brought_to(state, channel, shop, len(alike), served=served, **wishes)
        found.update(zip(alike, ids, strict=True))
    return [found[one] for one in kinds]


def may(role: Role, roles: set[Role], verb: Verb, served: Served) -> bool:
    """Whether the table's F is this role's: that of whoever fulfils it all; line by line, of whoever has a part."""
    if role == Role.SUPPLIER:
        a_part = served == Served.BY_SUPPLIER or (served == Served.BY_BOTH and verb in OF_A_PART)
        return role in roles and a_part
    return role in roles or (role == Role.SELLER and Role.SUPPLIER in roles and served == Served.BY_SELLER)


def expected(
    legal: Legal,
    state: State,
    verb: Verb,
    role: Role,
    hold: HoldKind | None,
    served: Served = Served.BY_SELLER,
) -> Code | str:
    """The state that the move leads to, or why it is refused."""
    if (state, verb) not in legal:
        if state == State.DEBIT and verb in (Verb.SHIP, Verb.READY, Verb.FULFIL, Verb.SHORTEN):
            return Code.HELD if hold == HoldKind.ADDRESS else Code.NOT_DEBITED
        return Code.WRONG_STATE
    roles, after = legal[state, verb]
    if not may(role, roles, verb, served):
        return Code.NOT_ALLOWED
    if verb == Verb.ASSIGN and role == Role.SELLER and state in TO_PREPARE and served != Served.BY_SELLER:
        return Code.NOT_ALLOWED  # once they prepare it, it is not the shop's to take back (CAN-03)
    if hold == HoldKind.ADDRESS and verb in STOPPED_BY_HOLD:
        return Code.HELD
    if hold == HoldKind.INCIDENT and verb in STOPPED_BY_INCIDENT:
        return Code.OPEN_INCIDENT
    if (role, served) == (Role.SUPPLIER, Served.BY_BOTH):
        if verb == Verb.FULFIL:
            return Code.UNKNOWN_LINE  # one of the lines that are asked for is the other's
        return state  # their parcel leaves, the other's is still to go
    return after


def moment(order: Order, verb: Verb) -> datetime:
    """A moment at which no deadline stands in the way of the verb."""
    if verb == Verb.EXPIRE and order.accept_by:
        return max(order.accept_by + timedelta(seconds=1), order.moved_at)
    if verb == Verb.LAPSE and order.pay_by:
        return max(order.pay_by + timedelta(seconds=1), order.moved_at)
    if verb == Verb.RECEIVE and order.receive_at:
        return max(order.receive_at, order.moved_at)
    return order.moved_at


TABLES = ("orders_line", "orders_part", "orders_shipment", "orders_hold", "orders_event", "payments_charge",
          "payments_payback", "ledger_entry", "messaging_notice", "settlements_statementline")  # fmt: skip


def everything_of(order_id: int) -> object:
    """All rows of an order, as PostgreSQL writes them, for showing that a refusal wrote nothing."""
    children = ", ".join(
        f"(SELECT string_agg(c::text, '|' ORDER BY c.id) FROM {table} c WHERE c.order_id = o.id)"
        for table in TABLES
    )
    connection.ensure_connection()
    raw = cast("psycopg.Connection[Any]", connection.connection)
    with psycopg.Cursor(raw) as cursor:  # asked after each of thousands of cases: planned once in a test
        cursor.execute(
            f"SELECT o::text, {children} FROM orders_order o WHERE o.id = %s", [order_id], prepare=True
        )
        return cursor.fetchone()


@pytest.mark.django_db
@pytest.mark.rule("ORD-10", "CAN-01", "ORD-07", "SHP-10")
@pytest.mark.parametrize(("preset", "state"), STATES)
def test_every_verb_role_and_hold(preset: Preset, state: str, channel: Channel, shop: Shop) -> None:
    publish_policy(channel, PRESETS[preset], by="x", at=AT)
    cases: list[Case] = list(product(DOING, Role, HOLDS))
    wants = [
        expected(TABLES_OF[preset], State(state), verb, role, None if state in ENDED else hold)
        for verb, role, hold in cases
    ]
    ids = brought(cases, wants, preset, State(state), channel, shop)
    since = Order.objects.get(id=ids[0]).moved_at
    of = {kind: {one for one, (*_, hold) in zip(ids, cases, strict=True) if hold == kind} for kind in HOLDS}
    outcome = services.hold(sorted(of[HoldKind.ADDRESS]), HoldKind.ADDRESS, by=OPERATOR, at=since)
    assert len(outcome.refused if state in ENDED else outcome.moved) == len(of[HoldKind.ADDRESS])
    disputed(sorted(of[HoldKind.INCIDENT]), at=since)
    orders = Order.objects.in_bulk(set(ids))
    stood = {order_id: everything_of(order_id) for order_id in orders}
    for order_id, (verb, role, hold), want in zip(ids, cases, wants, strict=True):
        order = orders[order_id]
        assert bool(order.held_at or order.incident_at) == (hold is not None and state not in ENDED)
        outcome = DOING[verb](order_id, ACTORS[role], moment(order, verb))
        if isinstance(want, Code):
            assert [refusal.code for refusal in outcome.refused] == [want], (state, verb, role, hold)
            assert everything_of(order_id) == stood[order_id], (state, verb, role, hold)
        else:
            assert [move.after for move in outcome.moved[:1]] == [want], (state, verb, role, hold)
            assert Order.objects.get(id=order_id).state == want


@pytest.mark.django_db
@pytest.mark.rule("ROL-04", "CAN-03")
@pytest.mark.parametrize(
    ("served", "preset", "state"),
    [
        (served, preset, state)
        for served in (Served.BY_SUPPLIER, Served.BY_BOTH)
        for preset, state in STATES
        if (served, preset)
        != (Served.BY_BOTH, Preset.CASH_ON_DELIVERY)  # the courier is paid for one place's
    ],
)
def test_every_verb_by_who_fulfils_the_order(
    preset: Preset, state: str, served: Served, channel: Channel, shop: Shop, norte: Supplier
) -> None:
    publish_policy(channel, PRESETS[preset], by="x", at=AT)
    actors = {**ACTORS, Role.SUPPLIER: actor_of(norte)}
    whose = [norte, norte] if served == Served.BY_SUPPLIER else [norte, None]
    cases: list[Case] = list(product(DOING, (Role.SELLER, Role.SUPPLIER, Role.OPERATOR), (None,)))
    wants = [expected(TABLES_OF[preset], State(state), verb, role, None, served) for verb, role, _ in cases]
    ids = brought(cases, wants, preset, State(state), channel, shop, served=whose)
    orders = Order.objects.in_bulk(set(ids))
    stood = {order_id: everything_of(order_id) for order_id in orders}
    for order_id, (verb, role, _), want in zip(ids, cases, wants, strict=True):
        order = orders[order_id]
        outcome = DOING[verb](order_id, actors[role], moment(order, verb))
        if isinstance(want, Code):
            assert [refusal.code for refusal in outcome.refused] == [want], (verb, role)
            assert everything_of(order_id) == stood[order_id], (verb, role)
        else:
            assert [move.after for move in outcome.moved[:1]] == [want], (verb, role)


def test_the_table_of_the_code_is_the_table_of_the_trade() -> None:
    legal = {
        (state, verb, after)
        for one in TABLES_OF.values()
        for (state, verb), (_, after) in one.items()
        if state != after
    }
    assert {(step.source, step.verb, target) for step in MOVES for target in step.targets} == legal


@pytest.mark.django_db
@pytest.mark.parametrize(("preset", "state"), STATES)
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.rule("ORD-06")
def test_who_may_put_an_order_in_wait(
    preset: Preset, state: str, role: Role, channel: Channel, shop: Shop
) -> None:
    publish_policy(channel, PRESETS[preset], by="x", at=AT)
    (order_id,) = brought_to(State(state), channel, shop)
    before = everything_of(order_id)
    outcome = services.hold([order_id], HoldKind.STOCK, by=ACTORS[role], at=LATER)
    if state in ENDED:
        assert outcome.refused[0].code == Code.WRONG_STATE
    elif role in (Role.CUSTOMER, Role.SUPPLIER):
        assert outcome.refused[0].code == Code.NOT_ALLOWED
    else:
        assert Order.objects.get(id=order_id).held_at == LATER
        return
    assert everything_of(order_id) == before


@pytest.mark.django_db
def test_the_platforms_holds_are_not_the_sellers_to_lift(channel: Channel, shop: Shop) -> None:
    (order_id,) = brought_to(State.PENDING_ACCEPTANCE, channel, shop)
    services.hold([order_id], HoldKind.OPERATOR, by=CLOCK, at=AT)
    before = everything_of(order_id)
    for kind, code in ((HoldKind.OPERATOR, Code.NOT_ALLOWED), (HoldKind.STOCK, Code.NO_SUCH_HOLD)):
        outcome = services.release([order_id], kind, by=ACTORS[Role.SELLER], at=AT)
        assert [refusal.code for refusal in outcome.refused] == [code]
    assert everything_of(order_id) == before
