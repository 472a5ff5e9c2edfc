"""What of an order is a supplier's part, as lines are refused, split, given away and need nobody (ROL-04)."""

from dataclasses import replace

import pytest
from django.db.models import ProtectedError
from django.http import Http404

from marketplace import invariants
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import Code
from marketplace.services import publish_policy
from orders import services
from orders.models import Basket, Line, Order, Part
from orders.queries import get_order
from orders.states import State
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import AT, JAR, OPERATOR, PLATE, SELLER, Placing, actor_of, again, basket
from tests.orders.acting import HOUR, Untouched, debited
from tests.orders.digital import PATTERN, TICKET, placed

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-04")]


def parts(order: Order) -> list[tuple[str, int, str]]:
    rows = Part.objects.filter(order=order).order_by("supplier__name")
    return list(rows.values_list("supplier__name", "units", "items_text"))


def served(order: Order) -> tuple[int | None, bool]:
    now = again(order)
    return now.supplier_id, now.shared


def lines(order: Order) -> list[Line]:
    return list(order.lines.order_by("id"))


def sees(user: User, order: Order) -> bool:
    try:
        get_order(Membership.objects.select_related("shop").get(user=user), order.reference)
    except Http404:
        return False
    return True


def agree() -> bool:
    return not [one for one in invariants.check_all(at=None) if one.failures]


def test_a_line_that_is_refused_is_in_nobodys_part(
    place: Placing, norte: Supplier, sur: Supplier, nuria: User, sergio: User
) -> None:
    order = place(JAR, PLATE, served=[norte, sur])
    jar, plate = lines(order)
    answer = services.Answer({plate.id: "Roto"}, {jar.id: 1})
    services.one(services.accept({order.id: answer}, by=SELLER, at=AT))
    assert parts(order) == [("Talleres Norte", 1, "Jarrón azul")]
    assert (sees(nuria, order), sees(sergio, order)) == (True, False)
    assert agree()


def test_an_order_that_is_refused_is_nobodys(place: Placing, norte: Supplier, nuria: User) -> None:
    one, other = place(served=[norte]), place(served=[norte])
    services.one(services.refuse([one.id], reason="Roto", by=SELLER, at=AT))
    each = {line.id: "Roto" for line in lines(other)}
    services.one(services.refuse([other.id], reason=each, by=SELLER, at=AT))
    assert (parts(one), parts(other), sees(nuria, one)) == ([], [], False)
    assert agree()


@pytest.mark.rule("ORD-06")
def test_what_is_missing_leaves_the_part(
    place: Placing, norte: Supplier, sur: Supplier, nuria: User, sergio: User
) -> None:
    order = debited(place(JAR, PLATE, served=[norte, sur]))
    jar, _plate = lines(order)
    services.one(services.shorten({order.id: {jar.id: 1}}, by=SELLER, at=AT + HOUR))
    assert parts(order) == [("Hornos del Sur", 1, "Plato hondo"), ("Talleres Norte", 1, "Jarrón azul")]
    services.one(services.shorten({order.id: {jar.id: 0}}, by=SELLER, at=AT + HOUR))
    assert parts(order) == [("Hornos del Sur", 1, "Plato hondo")]
    assert (served(order), sees(nuria, order), sees(sergio, order)) == ((sur.id, False), False, True)
    assert agree()


def test_what_was_refused_goes_to_nobody_with_what_is_given_away(
    place: Placing, norte: Supplier, sur: Supplier, nuria: User
) -> None:
    order = debited(place(JAR, PLATE, served=[norte, norte]))
    jar, plate = lines(order)
    services.one(services.shorten({order.id: {jar.id: 1}}, by=SELLER, at=AT + HOUR))
    given = {jar.id: sur.id, plate.id: sur.id}
    services.one(services.assign({order.id: given}, by=OPERATOR, at=AT + HOUR))
    assert parts(order) == [("Hornos del Sur", 2, "Jarrón azul · Plato hondo")]
    assert not sees(nuria, order)
    assert agree()


@pytest.mark.rule("ORD-13")
def test_what_is_confirmed_by_itself_is_nobodys_to_fulfil(
    channel: Channel, shop: Shop, norte: Supplier, sur: Supplier
) -> None:
    order = debited(placed(channel, shop, JAR, PATTERN, served=[norte, sur]))
    assert served(order) == (norte.id, False)
    assert parts(order) == [("Talleres Norte", 2, "Jarrón azul ×2")]
    assert agree()
    services.one(services.ready([order.id], by=actor_of(norte), at=AT + HOUR))
    alone = debited(placed(channel, shop, PATTERN, served=[norte]))
    assert (served(alone), parts(alone)) == ((None, False), [])
    assert agree()


@pytest.mark.rule("ORD-13")
def test_a_supplier_confirms_their_own_lines_alone(
    channel: Channel, shop: Shop, norte: Supplier, sur: Supplier
) -> None:
    order = debited(placed(channel, shop, JAR, TICKET, TICKET, served=[None, norte, sur]))
    _jar, mine, other = lines(order)
    assert served(order) == (None, True)
    with Untouched(order):
        for wanted in ({other.id: ""}, {mine.id: "", other.id: ""}):
            answer = services.fulfil({order.id: wanted}, by=actor_of(norte), at=AT + HOUR)
            assert [refusal.code for refusal in answer.refused] == [Code.UNKNOWN_LINE]
    services.one(services.fulfil({order.id: {mine.id: "A1"}}, by=actor_of(norte), at=AT + HOUR))
    assert [line.confirmed_at is not None for line in lines(order)] == [False, True, False]
    services.one(services.fulfil({order.id: {other.id: "A2"}}, by=OPERATOR, at=AT + HOUR))


@pytest.mark.rule("PAY-06")
def test_what_is_paid_at_the_door_is_of_one_who_fulfils_it(
    channel: Channel, shop: Shop, place: Placing, norte: Supplier, sur: Supplier
) -> None:
    """One courier is paid the whole at the door: no two who fulfil may each send a part."""
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    channel.refresh_from_db()
    wishes = ([norte, sur], [norte], [None, sur])
    outcome = services.place(channel, [basket(shop, served=one) for one in wishes])
    assert [(one.id, one.code) for one in outcome.refused] == [(n, Code.CASH_FOR_SEVERAL) for n in range(3)]
    assert (Order.objects.count(), Basket.objects.count()) == (0, 0)
    order = place(served=[norte, norte])
    jar, plate = lines(order)
    services.one(services.accept([order.id], by=SELLER, at=AT))
    with Untouched(order):
        for given in ({jar.id: sur.id}, {plate.id: None}):
            answer = services.assign({order.id: given}, by=OPERATOR, at=AT + HOUR)
            assert [refusal.code for refusal in answer.refused] == [Code.CASH_FOR_SEVERAL]
    services.one(services.assign({order.id: {jar.id: sur.id, plate.id: sur.id}}, by=OPERATOR, at=AT + HOUR))
    assert (served(order), again(order).state) == ((sur.id, False), State.AWAITING_SHIPMENT)


@pytest.mark.rule("PAY-06")
def test_only_what_is_paid_at_the_door_of_one_shop_is_of_one(
    channel: Channel, shop: Shop, other_shop: Shop, norte: Supplier
) -> None:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    channel.refresh_from_db()
    cash = replace(basket(shop, served=[norte]), cash_on_delivery=True)
    theirs = basket(other_shop, PLATE)
    of_two = replace(cash, commercial_id="P-2", lines=tuple(
        replace(line, external_id=f"{n}") for n, line in
        enumerate([replace(one, supplier_id=norte.id) for one in cash.lines] + list(theirs.lines), 1)
    ))  # fmt: skip
    outcome = services.place(channel, [cash, basket(shop, served=[norte]), of_two])
    assert [(one.id, one.code) for one in outcome.refused] == [(0, Code.CASH_FOR_SEVERAL)]
    assert len(outcome.moved) == 3


def test_a_shop_with_suppliers_is_not_deleted_with_them(shop: Shop, norte: Supplier) -> None:
    with pytest.raises(ProtectedError):
        shop.delete()
    assert Supplier.objects.filter(id=norte.id).exists()
