"""Deliveries that carriers could not make: why, for how long, and how they go again (EXC-01 … EXC-03)."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from marketplace.addresses import postal_code_fits, telephone_fits
from marketplace.models import Channel
from marketplace.reasons import Why
from marketplace.refusals import Code, Outcome
from messaging.models import Notice
from orders import services
from orders.models import DeliveryException, Ending, Event, Order, Words
from orders.services import Correction
from orders.signals import Moved
from orders.states import State
from orders.telling import failed
from sellers.models import Shop, User
from tests.conftest import AT, CLOCK, OPERATOR, SELLER, again, row
from tests.dashboard.pages import browser, get, shipped
from tests.dashboard.pages import placed as place_at
from tests.orders.lives import HOUR, brought_to
from tests.orders.test_matrix import everything_of

pytestmark = pytest.mark.django_db
LATER = AT + 5 * HOUR


def undelivered(channel: Channel, shop: Shop) -> Order:
    return Order.objects.get(id=brought_to(State.EXCEPTION, channel, shop)[0])


def codes(outcome: object) -> list[str]:
    return [refusal.code for refusal in outcome.refused]  # type: ignore[attr-defined]


@pytest.mark.rule("EXC-01", "EXC-02")
def test_the_carriers_word_is_kept_as_a_code_and_told_in_both_languages(channel: Channel, shop: Shop) -> None:
    order = Order.objects.get(id=brought_to(State.SHIPPED, channel, shop)[0])
    at = AT + 3 * HOUR
    services.one(services.report_exception([order.id], reason=Why("absent"), by=OPERATOR, at=at))
    found = DeliveryException.objects.select_related("shipment").get()
    assert (found.order_id, found.reported_at, found.reported_by) == (order.id, at, "Olga Operadora")
    assert (found.reason_code, found.note, found.ended_at, found.how) == ("absent", "", None, "")
    assert found.shipment is not None
    assert (found.shipment.order_id, found.shipment.number) == (order.id, 1)
    said = {}
    for language in ("es", "en"):
        with translation.override(language):
            said[language] = failed(found)
    assert said == {"es": "No había nadie", "en": "Nobody was there"}


@pytest.mark.rule("EXC-01", "EXC-02")
def test_what_is_not_a_report_changes_nothing(channel: Channel, shop: Shop) -> None:
    order = Order.objects.get(id=brought_to(State.SHIPPED, channel, shop)[0])
    before = everything_of(order.id)
    for reason, parcel, code in (
        ("", None, Code.REASON_NEEDED),
        ("x" * 301, None, Code.TOO_LONG),
        ("Ausente", 2, Code.MALFORMED),
        ("Ausente", 0, Code.MALFORMED),
    ):
        told = services.report_exception([order.id], reason=reason, parcel=parcel, by=OPERATOR, at=LATER)
        assert codes(told) == [code]
    assert everything_of(order.id) == before
    assert not DeliveryException.objects.exists()


@pytest.mark.rule("EXC-01", "CAN-04")
def test_in_transit_nothing_is_called_back_or_sent_elsewhere(channel: Channel, shop: Shop) -> None:
    order = Order.objects.get(id=brought_to(State.SHIPPED, channel, shop)[0])
    before = everything_of(order.id)
    fix = {order.id: Correction(city="Huesca")}
    for by in (SELLER, OPERATOR):
        assert codes(services.cancel([order.id], reason="No", by=by, at=LATER)) == [Code.WRONG_STATE]
        assert codes(services.retry([order.id], corrections=fix, by=by, at=LATER)) == [Code.WRONG_STATE]
        assert codes(services.return_to_sender([order.id], by=by, at=LATER)) == [Code.WRONG_STATE]
    assert codes(services.ask(order.id, "cancel", reason="No", by=SELLER, at=LATER)) == [Code.WRONG_STATE]
    assert everything_of(order.id) == before


@pytest.mark.rule("EXC-03")
def test_every_way_out_ends_it_once(channel: Channel, shop: Shop) -> None:
    ways: dict[Ending, Callable[[int], Outcome[Moved]]] = {
        Ending.RETRIED: lambda pk: services.retry([pk], by=SELLER, at=LATER),
        Ending.RETURNED: lambda pk: services.return_to_sender([pk], by=SELLER, at=LATER),
        Ending.DELIVERED: lambda pk: services.deliver([pk], by=CLOCK, at=LATER),
    }
    for how, out in ways.items():
        order = undelivered(channel, shop)
        services.one(out(order.id))
        found = DeliveryException.objects.get(order=order)
        assert (found.how, found.ended_at) == (how, LATER)
        assert found.ended_by in {"Alicia Alba", "platform"}


@pytest.mark.rule("EXC-03")
def test_it_goes_again_with_the_address_put_right_and_the_history_says_what_it_was(
    channel: Channel, shop: Shop
) -> None:
    order = undelivered(channel, shop)
    fix = Correction(street="Calle Mayor 41", postal_code="22001", city="Huesca", customer_phone="600 111 222",
                     courier_note="Llamar antes")  # fmt: skip
    services.one(services.retry([order.id], corrections={order.id: fix}, by=SELLER, at=LATER))
    now = again(order)
    assert (now.state, now.street, now.postal_code, now.city) == (
        State.SHIPPED, "Calle Mayor 41", "22001", "Huesca"
    )  # fmt: skip
    assert (now.customer_phone, now.courier_note, now.region) == ("600 111 222", "Llamar antes", order.region)
    assert Event.objects.filter(order=order).latest("id").data["corrected"] == {
        "street": ["Calle Mayor 14", "Calle Mayor 41"],
        "postal_code": ["50001", "22001"],
        "city": ["Zaragoza", "Huesca"],
        "customer_phone": ["", "600 111 222"],
        "courier_note": ["", "Llamar antes"],
    }
    assert Words.objects.get(order=order).text.endswith(" huesca")
    notice = Notice.objects.filter(event="retry").get()
    assert notice.payload["corrected"]["city"] == ["Zaragoza", "Huesca"]


@pytest.mark.rule("EXC-03")
def test_a_correction_that_cannot_be_right_changes_nothing(channel: Channel, shop: Shop) -> None:
    order = undelivered(channel, shop)
    before = everything_of(order.id)
    for flawed, name in (
        (Correction(postal_code="99001"), "postal_code"),
        (Correction(postal_code=""), "postal_code"),
        (Correction(customer_phone="12"), "customer_phone"),
        (Correction(street=""), "street"),
        (Correction(city=" Huesca"), "city"),
        (Correction(courier_note="x" * 201), "courier_note"),
    ):
        told = services.retry([order.id], corrections={order.id: flawed}, by=SELLER, at=LATER)
        assert [(one.code, one.detail) for one in told.refused] == [(Code.BAD_ADDRESS, name)]
    assert everything_of(order.id) == before


@pytest.mark.rule("EXC-03")
@pytest.mark.parametrize(
    ("country", "code", "fits"),
    [
        ("ES", "28004", True), ("ES", "53001", False), ("ES", "2800", False), ("ES", "00123", False),
        ("PT", "1000-001", True), ("PT", "0000-001", False), ("GB", "SW1A 1AA", True), ("GB", "12345", False),
        ("NL", "1012 ab", True), ("CO", "110111", True), ("ZZ", "AB-12", True), ("ZZ", "", False),
        ("ES", "２８００４", False),
    ],
)  # fmt: skip
def test_a_postal_code_is_one_of_its_country(country: str, code: str, fits: bool) -> None:
    assert postal_code_fits(country, code) is fits


@pytest.mark.rule("EXC-03")
@pytest.mark.parametrize(
    ("country", "number", "fits"),
    [
        ("ES", "600 111 222", True), ("ES", "+34 600-111-222", True), ("ES", "0034600111222", True),
        ("ES", "500111222", False), ("ES", "+34 500111222", False), ("ES", "+44 20 7946 0000", True),
        ("FR", "+33 6 12 34 56 78", True), ("FR", "06 12 34 56 78", True), ("CO", "3001234567", True),
        ("ES", "llámame", False), ("CO", "12", False),
    ],
)  # fmt: skip
def test_a_telephone_can_be_called_from_its_country(country: str, number: str, fits: bool) -> None:
    assert telephone_fits(country, number) is fits


def _failed_now(channel: Channel, shop: Shop, number: str, ago: timedelta, reason: str = "absent") -> Order:
    now = timezone.now()
    order = shipped(place_at(channel, shop, number, now - ago - timedelta(days=1)))
    services.one(services.report_exception([order.id], reason=Why(reason), by=OPERATOR, at=now - ago))
    return order


LISTED = re.compile(r'<a href="/pedidos/[^"]+/"><b>([^<]+)</b> ·')


@pytest.mark.rule("EXC-02")
def test_the_screen_lists_what_is_in_trouble_oldest_first_and_narrows_it(
    channel: Channel, shop: Shop, other_shop: Shop, alice: User
) -> None:
    day = timedelta(days=1)
    for number, ago, reason in (
        ("A", 5 * day, "absent"),
        ("B", 2 * day, "wrong-address"),
        ("C", HOUR, "absent"),
    ):
        _failed_now(channel, shop, number, ago, reason)
    _failed_now(channel, other_shop, "ajeno", day)
    desk = browser(alice)

    def listed(query: str = "") -> list[str]:
        return [one.split("-")[0] for one in LISTED.findall(get(desk, f"/novedades/{query}"))]

    assert listed() == ["A", "B", "C"]
    assert listed("?motivo=absent") == ["A", "C"]
    assert [listed(f"?edad={age}") for age in ("hoy", "dias", "mas")] == [["C"], ["B"], ["A"]]
    assert listed("?buscar=B") == ["B"]
    assert listed("?motivo=absent&edad=dias") == []
    page = get(desk, "/novedades/?motivo=nada&edad=x&despues=z")
    assert page.count("no se entiende") == 3
    order = Order.objects.get(reference__startswith="A", shop=shop)
    services.one(services.return_to_sender([order.id], by=SELLER, at=timezone.now()))
    assert listed() == ["B", "C"]
    assert listed("?estado=terminadas") == ["A"]
    assert "Novedades" in get(desk, "/")


@pytest.mark.rule("EXC-02")
def test_the_screen_reads_the_same_for_one_row_and_for_fifty(
    channel: Channel, shop: Shop, alice: User, django_assert_max_num_queries: object
) -> None:
    desk = browser(alice)
    _failed_now(channel, shop, "P", HOUR)
    get(desk, "/novedades/")
    counted = []
    for n in range(2):
        with django_assert_max_num_queries(10) as queries:  # type: ignore[operator]
            get(desk, "/novedades/")
        counted.append(len(queries))
        if not n:
            ids = brought_to(State.SHIPPED, channel, shop, 60)
            services.report_exception(ids, reason=Why("absent"), by=OPERATOR, at=AT + 3 * HOUR)
    assert counted[0] == counted[1]
    page = get(desk, "/novedades/")
    assert len(LISTED.findall(page)) == 50
    following = re.search(r'href="(/novedades/\?despues=[^"]+)"', page)
    assert following
    rest = LISTED.findall(get(desk, following[1].replace("&amp;", "&")))
    assert len(rest) == 11
    assert not set(rest) & set(LISTED.findall(page))


@pytest.mark.rule("EXC-03")
def test_a_form_that_is_wrong_comes_back_as_it_was_sent(channel: Channel, shop: Shop, alice: User) -> None:
    order = _failed_now(channel, shop, "P", HOUR)
    desk, address = browser(alice), f"/pedidos/{order.reference}/otra-vez/"
    assert "Indicaciones para el transportista" in get(desk, f"/pedidos/{order.reference}/?acto=reintentar")
    before = row(order)
    answer = desk.post(address, {"postal_code": "99999", "street": "Calle Nueva 1"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="99999"' in page
    assert "No es un código postal de ese país." in page
    assert row(order) == before
    assert desk.post(address, {"postal_code": "50002", "courier_note": "Portal B"}).status_code == 303
    assert (again(order).state, again(order).postal_code) == (State.SHIPPED, "50002")
    page = get(desk, f"/pedidos/{order.reference}/?tab=historial")
    assert "Código postal: 50001 → 50002" in page
    assert "Portal B" in get(desk, f"/pedidos/{order.reference}/")


@pytest.mark.rule("EXC-02")
def test_the_operators_room_lists_them(channel: Channel, shop: Shop, olga: User) -> None:
    order = undelivered(channel, shop)
    desk = Client()
    desk.force_login(olga)
    page = desk.get("/admin/orders/deliveryexception/?open=yes").content.decode()
    assert order.reference in page
    assert "Ausente" in page
    one = DeliveryException.objects.get()
    assert desk.get(f"/admin/orders/deliveryexception/{one.pk}/change/").status_code == 200
    assert "Novedades de entrega" in desk.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
