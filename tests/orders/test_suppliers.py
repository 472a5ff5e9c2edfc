"""Who fulfils a line, what that gives them the right to, and to whom it is said (ROL-04, CAN-03)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from marketplace.refusals import Code, Outcome
from orders import services
from orders.models import Line, Order, Part
from orders.services import Parcel
from orders.signals import Moved
from orders.states import HoldKind, State, Verb
from sellers.desk import Actor
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import (
    AT,
    CUSTOMER,
    JAR,
    OPERATOR,
    PLATE,
    SELLER,
    Placing,
    actor_of,
    again,
)
from tests.orders.acting import HOUR, Untouched, debited

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-04")]

THIRD = ("TAZA", "Taza", 3, 700, 0)
PARCEL = Parcel(carrier_name="SEUR", tracking="1")


@pytest.fixture
def whole(place: Placing, norte: Supplier) -> Order:
    """An order that one supplier fulfils, ready to be shipped."""
    return debited(place(served=[norte, norte]))


@pytest.fixture
def shared(place: Placing, norte: Supplier, sur: Supplier) -> Order:
    """An order of two suppliers and the seller, ready to be shipped."""
    return debited(place(JAR, PLATE, THIRD, served=[norte, sur, None]))


def lines(order: Order) -> list[Line]:
    return list(order.lines.order_by("id"))


def code(outcome: Outcome[Moved]) -> Code:
    (refusal,) = outcome.refused
    return Code(refusal.code)


def parts(order: Order) -> list[tuple[str, int, str]]:
    return list(
        Part.objects.filter(order=order)
        .order_by("supplier__name")
        .values_list("supplier__name", "units", "items_text")
    )


def test_an_order_says_who_fulfils_it(
    place: Placing, whole: Order, shared: Order, norte: Supplier, sur: Supplier
) -> None:
    plain = place()
    assert (plain.supplier_id, plain.shared, parts(plain)) == (None, False, [])
    assert (whole.supplier_id, whole.shared) == (norte.id, False)
    assert parts(whole) == [("Talleres Norte", 3, "Jarrón azul ×2 · Plato hondo")]
    assert (shared.supplier_id, shared.shared) == (None, True)
    assert parts(shared) == [("Hornos del Sur", 1, "Plato hondo"), ("Talleres Norte", 2, "Jarrón azul ×2")]
    words = dict(Part.objects.filter(order=shared).values_list("supplier_id", "text"))
    assert "plato" not in words[norte.id]
    assert "jarron" not in words[sur.id]
    assert "ana@" not in words[norte.id]


def test_what_the_seller_refuses_is_nobodys_to_fulfil(place: Placing, norte: Supplier) -> None:
    order = place(served=[norte])
    jar, plate = lines(order)
    services.one(services.accept({order.id: services.Answer({plate.id: "Roto"})}, by=SELLER, at=AT))
    assert (again(order).supplier_id, again(order).shared) == (norte.id, False)
    other = place(served=[norte])
    jar, plate = lines(other)
    services.one(services.accept({other.id: services.Answer({jar.id: "Roto"})}, by=SELLER, at=AT))
    assert (again(other).supplier_id, again(other).shared) == (None, False)


def test_the_database_refuses_a_supplier_of_another_shop(
    place: Placing, norte: Supplier, other_shop: Shop, charlie: User, whole: Order
) -> None:
    foreign = place(shop=other_shop)
    statements = (
        f"UPDATE orders_line SET supplier_id = {norte.id} WHERE order_id = {foreign.id}",
        f"UPDATE orders_order SET supplier_id = {norte.id} WHERE id = {foreign.id}",
        f"UPDATE orders_order SET shared = true WHERE id = {whole.id}",
        f"UPDATE orders_part SET shop_id = {other_shop.id}",
        "UPDATE sellers_membership SET role = 'supplier'",
    )
    assert Membership.objects.get(user=charlie).role == Membership.Role.OWNER
    for statement in statements:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.rule("CAN-03")
def test_while_it_is_prepared_cancelling_is_whoevers_fulfils_it_all(
    place: Placing, whole: Order, norte: Supplier, sur: Supplier
) -> None:
    with Untouched(whole):
        refused = services.cancel([whole.id], reason="Roto", by=SELLER, at=AT + HOUR)
        assert code(refused) == Code.NOT_ALLOWED
        assert refused.refused[0].text == "No tienes permiso para hacerlo. Lo sirve Talleres Norte."
        for actor in (actor_of(sur), Actor(actor_of(norte).role, "Nadie"), CUSTOMER):
            answer = services.cancel([whole.id], reason="Roto", by=actor, at=AT + HOUR)
            assert code(answer) == Code.NOT_ALLOWED
            assert "Norte" not in answer.refused[0].text
    services.one(services.cancel([whole.id], reason="Roto", by=actor_of(norte), at=AT + HOUR))
    assert again(whole).state == State.CANCELLED
    mine = debited(place())
    services.one(services.cancel([mine.id], reason="Roto", by=SELLER, at=AT + HOUR))


@pytest.mark.rule("CAN-03")
@pytest.mark.parametrize("verb", [Verb.CANCEL, Verb.READY])
def test_where_several_fulfil_an_order_its_whole_is_the_operators(
    verb: Verb, shared: Order, norte: Supplier, sur: Supplier
) -> None:
    def act(by: Actor) -> Outcome[Moved]:
        if verb == Verb.READY:
            return services.ready([shared.id], by=by, at=AT + HOUR)
        return services.cancel([shared.id], reason="Roto", by=by, at=AT + HOUR)

    with Untouched(shared):
        for actor in (SELLER, actor_of(norte), actor_of(sur)):
            answer = act(actor)
            assert code(answer) == Code.NOT_ALLOWED
            said = answer.refused[0].text
            assert said.endswith("Lo sirven varios: solo puede hacerlo el operador.")
    assert not act(OPERATOR).refused


def test_a_supplier_has_no_right_that_the_policy_does_not_give_to_suppliers(
    place: Placing, norte: Supplier
) -> None:
    order = place(served=[norte, norte])
    by = actor_of(norte)
    with Untouched(order):
        for answer in (
            services.accept([order.id], by=by, at=AT),
            services.refuse([order.id], reason="Roto", by=by, at=AT),
            services.cancel([order.id], reason="Roto", by=by, at=AT),
            services.hold([order.id], HoldKind.STOCK, by=by, at=AT),
            services.assign({order.id: {lines(order)[0].id: None}}, by=by, at=AT),
        ):
            assert code(answer) == Code.NOT_ALLOWED


@pytest.mark.rule("SHP-03")
def test_each_hands_over_their_own_and_it_is_shipped_when_all_has_left(
    shared: Order, norte: Supplier, sur: Supplier
) -> None:
    jar, plate, _cup = lines(shared)
    later = AT + HOUR
    first = services.one(services.ship({shared.id: PARCEL}, by=actor_of(norte), at=later))
    assert (first.verb, [line.shipped_quantity for line in lines(shared)]) == (Verb.HAND_OVER, [2, 0, 0])
    with Untouched(shared):
        again_norte = services.ship({shared.id: PARCEL}, by=actor_of(norte), at=later)
        assert code(again_norte) == Code.NOTHING_CHOSEN
        foreign = Parcel(carrier_name="SEUR", quantities={plate.id: 1})
        assert code(services.ship({shared.id: foreign}, by=actor_of(norte), at=later)) == Code.UNKNOWN_LINE
        both = Parcel(carrier_name="SEUR", quantities={jar.id: 1, plate.id: 1})
        assert code(services.ship({shared.id: both}, by=actor_of(sur), at=later)) == Code.UNKNOWN_LINE
    services.one(services.ship({shared.id: PARCEL}, by=actor_of(sur), at=later))
    assert again(shared).state == State.AWAITING_SHIPMENT
    last = services.one(services.ship({shared.id: PARCEL}, by=SELLER, at=later))
    assert (last.verb, last.after, again(shared).parcels) == (Verb.SHIP, State.SHIPPED, 3)


def test_a_supplier_without_a_line_ships_nothing(
    place: Placing, whole: Order, norte: Supplier, sur: Supplier
) -> None:
    mixed, plain = debited(place(served=[norte])), debited(place())
    for order, refusal in (
        (whole, Code.NOT_ALLOWED),
        (plain, Code.NOT_ALLOWED),
        (mixed, Code.UNKNOWN_LINE),
    ):
        with Untouched(order):
            assert code(services.ship({order.id: PARCEL}, by=actor_of(sur), at=AT + HOUR)) == refusal


def test_who_fulfils_a_line_can_be_changed_and_the_history_tells_it(
    place: Placing, norte: Supplier, sur: Supplier
) -> None:
    order = place()
    jar, plate = lines(order)
    services.one(services.assign({order.id: {jar.id: norte.id}}, by=SELLER, at=AT))
    assert (again(order).supplier_id, again(order).shared) == (None, True)
    services.one(services.assign({order.id: {plate.id: norte.id}}, by=OPERATOR, at=AT))
    assert (again(order).supplier_id, again(order).shared) == (norte.id, False)
    given = {jar.id: sur.id, plate.id: norte.id}
    moved = services.one(services.assign({order.id: given}, by=SELLER, at=AT))
    assert parts(order) == [("Hornos del Sur", 2, "Jarrón azul ×2"), ("Talleres Norte", 1, "Plato hondo")]
    assert moved.data == {
        "assigned": [
            {
                "line": "1",
                "title": "Jarrón azul",
                "units": 2,
                "was": {"id": norte.id, "name": "Talleres Norte"},
                "is": {"id": sur.id, "name": "Hornos del Sur"},
            }
        ],
        "suppliers": sorted([norte.id, sur.id]),
    }
    event = order.events.get(id=order.events.latest("id").id)
    assert (event.verb, event.before, event.after) == ("assign", order.state, order.state)
    services.one(services.assign({order.id: dict.fromkeys((jar.id, plate.id))}, by=SELLER, at=AT))
    assert (again(order).supplier_id, again(order).shared, parts(order)) == (None, False, [])


def test_what_cannot_be_assigned(
    place: Placing, shared: Order, norte: Supplier, sur: Supplier, other_shop: Shop
) -> None:
    jar, plate, cup = lines(shared)
    foreign = Supplier.objects.create(shop=other_shop, code="ajeno", name="Ajeno")
    Supplier.objects.filter(id=sur.id).update(active=False)
    services.one(services.ship({shared.id: PARCEL}, by=actor_of(norte), at=AT + HOUR))
    stranger = lines(place())[0]
    reader = Actor(SELLER.role, "Lectora", rights=frozenset())
    for given, by, refusal in (
        ({jar.id: None}, SELLER, Code.PARCEL_ON_ITS_WAY),
        ({cup.id: foreign.id}, SELLER, Code.UNKNOWN_SUPPLIER),
        ({cup.id: sur.id}, OPERATOR, Code.UNKNOWN_SUPPLIER),
        ({cup.id: 10**9}, SELLER, Code.UNKNOWN_SUPPLIER),
        ({stranger.id: norte.id}, SELLER, Code.UNKNOWN_LINE),
        ({plate.id: sur.id, cup.id: None}, SELLER, Code.DUPLICATE),
        ({cup.id: norte.id}, reader, Code.NOT_ALLOWED),
        ({cup.id: norte.id}, CUSTOMER, Code.NOT_ALLOWED),
    ):
        with Untouched(shared):
            assert code(services.assign({shared.id: given}, by=by, at=AT + 2 * HOUR)) == refusal
    services.one(services.ship({shared.id: PARCEL}, by=SELLER, at=AT + 2 * HOUR))
    with Untouched(shared):
        left = services.assign({shared.id: {cup.id: norte.id}}, by=OPERATOR, at=AT + 3 * HOUR)
        assert code(left) == Code.WRONG_STATE
        early = services.assign({shared.id: {cup.id: norte.id}}, by=OPERATOR, at=AT - timedelta(days=1))
        assert code(early) == Code.OUT_OF_ORDER


@pytest.mark.rule("CAN-03")
def test_the_shop_does_not_take_back_what_a_supplier_prepares(place: Placing, norte: Supplier) -> None:
    """Whoever could take the line could cancel in their stead."""
    order = debited(place(served=[norte, norte]))
    given = dict.fromkeys(line.id for line in lines(order))
    with Untouched(order):
        outcome = services.assign({order.id: given}, by=SELLER, at=AT + HOUR)
        assert [refusal.code for refusal in outcome.refused] == [Code.NOT_ALLOWED]
        assert "Talleres Norte" in outcome.refused[0].detail or norte.name in outcome.refused[0].detail
    assert services.assign({order.id: given}, by=OPERATOR, at=AT + HOUR).moved
    assert services.cancel([order.id], reason="Roto", by=SELLER, at=AT + HOUR).moved
