"""The acts of the order page: each on its happy path, refused, misunderstood, and by those who may not."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import override

from marketplace.models import Carrier, Channel, Policy
from marketplace.refusals import Code
from marketplace.services import publish_policy
from orders import services
from orders.states import HoldKind, State
from sellers.models import User
from tests.conftest import JAR, OPERATOR, PLATE, SELLER, again
from tests.orders.acting import Recent, Untouched, debited, post, said, went_well

pytestmark = pytest.mark.django_db


@pytest.mark.rule("ORD-05")
def test_accepts_one_line_and_refuses_the_other(recent: Recent, alice: User) -> None:
    order = recent(JAR, PLATE)
    jar, plate = order.lines.all()
    answers = {f"answer_{jar.id}": "accept", f"answer_{plate.id}": "refuse"}
    answer = post(alice, order, "aceptar", **answers, **{f"reason_{plate.id}": "out-of-stock"})
    went_well(answer, order)
    order = again(order)
    assert order.state == State.DEBIT
    assert (order.goods_cents, order.shipping_cents, order.total_cents) == (6600, 400, 7000)
    assert (order.commission_cents, order.commission_vat_cents) == (840, 176)
    assert list(order.lines.values_list("decision", "refuse_code", "refuse_reason")) == [
        ("accepted", "", ""),
        ("refused", "out-of-stock", ""),
    ]
    event = order.events.get(verb="accept")
    assert (event.by, event.user_id, event.before, event.after) == (
        "Alicia Alba",
        alice.id,
        "pending_acceptance",
        "debit",
    )
    client = Client()
    client.force_login(alice)
    assert "59,84 €" in said(client.get(answer["Location"]))


@pytest.mark.rule("ORD-04")
def test_accepts_whole_at_one_click(recent: Recent, alice: User) -> None:
    order = recent()
    went_well(post(alice, order, "aceptar", all="1"), order)
    order = again(order)
    assert (order.state, order.total_cents) == (State.DEBIT, 8400)
    assert order.ship_by is not None


@pytest.mark.rule("ORD-05")
def test_refusing_every_line_refuses_the_order(recent: Recent, alice: User) -> None:
    order = recent(JAR, PLATE)
    jar, plate = order.lines.all()
    fields = {f"answer_{line.id}": "refuse" for line in (jar, plate)}
    fields |= {f"reason_{jar.id}": "out-of-stock", f"reason_{plate.id}": "other", f"note_{plate.id}": "Roto"}
    went_well(post(alice, order, "aceptar", **fields), order)
    assert again(order).state == State.REFUSED
    assert list(order.lines.values_list("refuse_code", "refuse_reason")) == [
        ("out-of-stock", ""),
        ("other", "Roto"),
    ]
    reasons = order.events.get(verb="refuse").data["reason"]
    assert reasons == [{"code": "out-of-stock"}, {"code": "other", "note": "Roto"}]


@pytest.mark.rule("ORD-05")
def test_refusing_a_line_asks_why_and_keeps_the_form(recent: Recent, alice: User) -> None:
    order = recent(JAR, PLATE)
    jar, plate = order.lines.all()
    with Untouched(order):
        answer = post(
            alice,
            order,
            "aceptar",
            **{f"answer_{jar.id}": "accept", f"answer_{plate.id}": "refuse", f"note_{jar.id}": "mi nota"},
        )
    assert answer.status_code == 422
    page = said(answer)
    assert "Di por qué la rechazas." in page
    assert "No se ha cambiado nada." in page
    assert f'name="answer_{plate.id}" value="refuse" checked' in page
    assert 'value="mi nota"' in page


def test_an_answer_that_is_none_is_not_understood(recent: Recent, alice: User) -> None:
    order = recent()
    line = order.lines.first()
    assert line is not None
    with Untouched(order):
        assert post(alice, order, "aceptar", **{f"answer_{line.id}": "quizás"}).status_code == 422


@pytest.mark.rule("ORD-10")
def test_a_second_click_is_refused_and_shows_where_the_order_is(recent: Recent, alice: User) -> None:
    order = recent()
    went_well(post(alice, order, "aceptar", all="1"), order)
    with Untouched(order):
        answer = post(alice, order, "aceptar", all="1")
    assert answer.status_code == 409
    page = said(answer)
    assert "El pedido no está en un estado que lo permita." in page
    assert "El pedido está ahora así: Débito en curso." in page


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize(
    "language",
    ["es", "en"],
)
def test_past_the_deadline_it_is_refused_in_the_pages_language(
    language: str, recent: Recent, alice: User
) -> None:
    order = recent(ago=timedelta(hours=73))
    alice.language = language
    alice.save()
    with Untouched(order):
        answer = post(alice, order, "aceptar", all="1")
    assert answer.status_code == 409
    page = said(answer)
    assert f'<html lang="{language}">' in page
    with override(language):
        assert f"<b>{escape(Code.DEADLINE_PASSED.label)}</b>" in page


def test_refuses_an_order_for_a_reason(recent: Recent, alice: User) -> None:
    order = recent()
    with Untouched(order):
        answer = post(alice, order, "rechazar", reason="other")
        assert answer.status_code == 422
        assert "Elige un motivo o escríbelo." in said(answer)
        assert post(alice, order, "rechazar", reason="no-existe", note="x").status_code == 422
        assert post(alice, order, "rechazar", reason="other", note="x" * 161).status_code == 422
    went_well(post(alice, order, "rechazar", reason="wrong-price"), order)
    assert again(order).state == State.REFUSED
    assert set(order.lines.values_list("refuse_code", "refuse_reason")) == {("wrong-price", "")}


@pytest.mark.rule("SHP-01")
def test_ships_with_a_carrier_of_the_list(recent: Recent, alice: User, carrier: Carrier) -> None:
    order = debited(recent(JAR, PLATE))
    units = {f"units_{line.id}": line.quantity for line in order.lines.all()}
    went_well(post(alice, order, "enviar", carrier="nuestro", tracking="77012345678", **units), order)
    order = again(order)
    assert order.state == State.SHIPPED
    parcel = order.shipments.get()
    assert (parcel.carrier, parcel.carrier_name, parcel.tracking) == (carrier, "Nuestro", "77012345678")
    assert parcel.tracking_url == "https://n.example/77012345678"


@pytest.mark.rule("SHP-03")
def test_ships_two_parcels(recent: Recent, alice: User, carrier: Carrier) -> None:
    order = debited(recent(JAR, PLATE))
    jar, plate = order.lines.all()
    fields = {"carrier": "nuestro", "tracking": "77012345678"}
    went_well(post(alice, order, "enviar", **fields, **{f"units_{jar.id}": 1, f"units_{plate.id}": 0}), order)
    assert again(order).state == State.AWAITING_SHIPMENT
    fields["tracking"] = "77012345679"
    with Untouched(order):
        answer = post(alice, order, "enviar", **fields, **{f"units_{jar.id}": 2, f"units_{plate.id}": 1})
    assert answer.status_code == 409
    assert "Son más unidades de las que quedan por enviar." in said(answer)
    went_well(post(alice, order, "enviar", **fields, **{f"units_{jar.id}": 1, f"units_{plate.id}": 1}), order)
    order = again(order)
    assert (order.state, order.parcels) == (State.SHIPPED, 2)
    packed = [sorted(one.contents.values_list("line_id", "quantity")) for one in order.shipments.all()]
    assert packed == [[(jar.id, 1)], [(jar.id, 1), (plate.id, 1)]]


@pytest.mark.rule("SHP-05")
def test_an_odd_tracking_number_is_warned_about_and_may_be_meant(
    recent: Recent, alice: User, carrier: Carrier
) -> None:
    order = debited(recent(JAR))
    line = order.lines.get()
    fields = {"carrier": "nuestro", "tracking": "ABC-1", f"units_{line.id}": 2}
    with Untouched(order):
        answer = post(alice, order, "enviar", **fields)
        assert answer.status_code == 422
        page = said(answer)
        assert "El número no tiene la forma de los de este transportista." in page
        assert 'name="confirm" value="ABC-1"' in page
        assert 'value="nuestro" selected' in page
        assert post(alice, order, "enviar", **fields, confirm="ABC-2").status_code == 422
    went_well(post(alice, order, "enviar", **fields, confirm="ABC-1"), order)
    assert again(order).state == State.SHIPPED
    assert order.shipments.get().tracking == "ABC-1"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "Elige el transportista."),
        ({"carrier": "no-existe", "tracking": "1"}, "Elige un transportista de la lista."),
        ({"carrier": "nuestro"}, "Escribe el número de seguimiento."),
        ({"carrier": "other"}, "Escribe el nombre del transportista."),
        ({"carrier": "other", "carrier_name": "Paco", "tracking_url": "javascript:alert(1)"}, "URL"),
        ({"carrier": "other", "carrier_name": "Paco", "tracking": "x" * 81}, "80"),
    ],
)
def test_a_parcel_that_is_not_understood(
    fields: dict[str, str], reason: str, recent: Recent, alice: User, carrier: Carrier
) -> None:
    order = debited(recent(JAR))
    with Untouched(order):
        answer = post(alice, order, "enviar", **fields, **{f"units_{order.lines.get().id}": 1})
    assert answer.status_code == 422
    assert reason in said(answer)


def test_an_empty_parcel_and_nonsense_units_are_refused(
    recent: Recent, alice: User, carrier: Carrier
) -> None:
    order = debited(recent(JAR))
    line, fields = order.lines.get(), {"carrier": "nuestro", "tracking": "77012345678"}
    with Untouched(order):
        assert post(alice, order, "enviar", **fields).status_code == 409
        for units in ("-1", "muchas", "1.5"):
            assert post(alice, order, "enviar", **fields, **{f"units_{line.id}": units}).status_code == 422


@pytest.mark.rule("SHP-04")
def test_a_carrier_by_name_only_where_the_policy_lets(channel: Channel, recent: Recent, alice: User) -> None:
    order = debited(recent(JAR))
    fields = {"carrier": "other", "carrier_name": "Moto de Paco", "tracking_url": "paco.example/1"}
    went_well(post(alice, order, "enviar", **fields, **{f"units_{order.lines.get().id}": 2}), order)
    parcel = order.shipments.get()
    assert (parcel.carrier_name, parcel.tracking_url) == ("Moto de Paco", "https://paco.example/1")
    strict = Policy.objects.get(channel=channel).rules.model_copy(update={"free_text_carrier": False})
    publish_policy(channel, strict, by="pruebas", at=timezone.now())
    order = debited(recent(JAR))
    with Untouched(order):
        answer = post(alice, order, "enviar", **fields, **{f"units_{order.lines.get().id}": 2})
    assert answer.status_code == 422
    assert "Otro transportista" not in said(answer)


def test_not_shipped_before_it_is_paid(recent: Recent, alice: User, carrier: Carrier) -> None:
    order = recent(JAR)
    services.one(services.accept([order.id], by=SELLER, at=timezone.now()))
    units = {f"units_{order.lines.get().id}": 2}
    with Untouched(order):
        answer = post(alice, order, "enviar", carrier="nuestro", tracking="77012345678", **units)
    assert answer.status_code == 409
    assert "Todavía no se ha cobrado al cliente." in said(answer)


def test_ready_for_pickup(recent: Recent, alice: User) -> None:
    order = debited(recent())
    went_well(post(alice, order, "listo"), order)
    assert again(order).state == State.AWAITING_PICKUP
    with Untouched(order):
        assert post(alice, order, "listo").status_code == 409


@pytest.mark.rule("CAN-02")
def test_the_seller_cancels_before_preparation(recent: Recent, alice: User) -> None:
    order = recent()
    with Untouched(order):
        answer = post(alice, order, "cancelar")
    assert answer.status_code == 422
    assert f'action="/pedidos/{order.reference}/cancelar/"' in said(answer)
    went_well(post(alice, order, "cancelar", reason="customer-asks"), order)
    assert again(order).state == State.CANCELLED
    assert order.events.get(verb="cancel").data["reason"] == {"code": "customer-asks"}


@pytest.mark.rule("CAN-01")
def test_while_it_is_debited_only_the_operator_cancels(recent: Recent, alice: User) -> None:
    order = recent()
    services.one(services.accept([order.id], by=SELLER, at=timezone.now()))
    with Untouched(order):
        assert post(alice, order, "cancelar").status_code == 409
        answer = post(alice, order, "cancelar", reason="customer-asks")
    assert answer.status_code == 409
    page = said(answer)
    assert "No tienes permiso para hacerlo." in page
    assert "Lo decide: el operador." in page


@pytest.mark.rule("ORD-06")
def test_holds_and_lets_go(recent: Recent, alice: User) -> None:
    order = debited(recent())
    went_well(post(alice, order, "en-espera", kind="stock", note="Llega el jueves"), order)
    hold = order.holds.get()
    assert (hold.kind, hold.note, hold.until, hold.placed_by) == (
        "stock",
        "Llega el jueves",
        None,
        "Alicia Alba",
    )
    with Untouched(order):
        answer = post(alice, order, "en-espera", kind="stock")
        assert answer.status_code == 409
        assert "Ya estaba registrado." in said(answer)
        assert post(alice, order, "seguir", kind="address").status_code == 409
        assert post(alice, order, "seguir", kind="nada").status_code == 422
    went_well(post(alice, order, "seguir", kind="stock"), order)
    assert again(order).held_at is None
    assert again(order).state == State.AWAITING_SHIPMENT


@pytest.mark.rule("ORD-06")
def test_a_presale_says_until_which_day(recent: Recent, alice: User) -> None:
    order = recent()
    calendar = order.channel.calendar
    today = calendar.local_day(timezone.now())
    with Untouched(order):
        for until in ("", "ayer", today.isoformat(), (today - timedelta(days=1)).isoformat()):
            answer = post(alice, order, "en-espera", kind="presale", until=until)
            assert answer.status_code == 422
            assert 'value="presale" selected' in said(answer)
        assert post(alice, order, "en-espera", kind="operator").status_code == 422
    day = today + timedelta(days=10)
    went_well(post(alice, order, "en-espera", kind="presale", until=day.isoformat()), order)
    assert order.holds.get().until == calendar.midnight(day)


@pytest.mark.rule("ORD-06")
def test_an_operators_hold_is_not_the_sellers_to_lift(recent: Recent, alice: User) -> None:
    order = debited(recent())
    services.one(services.hold([order.id], HoldKind.OPERATOR, by=OPERATOR, at=timezone.now()))
    with Untouched(order):
        answer = post(alice, order, "seguir", kind="operator")
    assert answer.status_code == 409
    assert "No tienes permiso para hacerlo." in said(answer)
