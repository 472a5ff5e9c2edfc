"""What operators do in the rooms goes through the services, and a refusal changes nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.models import Entry
from marketplace import timers
from marketplace.celery import BY_NAME
from messaging.models import Notice
from orders import services
from orders.admin_forms import BY_HAND, FORMS
from orders.models import Event, Hold, Order, Shipment
from orders.states import OF_MONEY, HoldKind, State, Verb
from payments.models import Charge
from payments.states import AskState
from settlements.models import Payout
from settlements.states import PayoutState
from tests.conftest import OPERATOR, SELLER, Placing, again, row

pytestmark = pytest.mark.django_db


def change(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def do(desk: Client, order: Order, verb: Verb, **sent: Any) -> Any:
    return desk.post(reverse(f"admin:orders_order_{verb}", args=[order.pk]), {"apply": "1", **sent})


def shown(desk: Client, order: Order) -> set[str]:
    """The acts that the page of an order offers."""
    text = desk.get(change(order)).content.decode()
    return {
        verb.value
        for verb in FORMS
        if f'href="{reverse(f"admin:orders_order_{verb}", args=[order.pk])}"' in text
    }


def charged(fresh: Placing) -> Order:
    order = fresh(at=timezone.now() - timedelta(hours=2))
    at = timezone.now() - timedelta(hours=1)
    services.accept([order.id], by=SELLER, at=at)
    timers.run(BY_NAME["charge"], at=at)
    return again(order)


def test_only_what_can_be_done_is_offered(desk: Client, fresh: Placing, place: Placing) -> None:
    order = fresh()
    assert shown(desk, order) == {"accept", "refuse", "cancel", "hold", "links_revoked"}
    do(desk, order, Verb.HOLD, kind="operator", note="mirar")
    assert shown(desk, order) == {"accept", "refuse", "cancel", "hold", "release", "links_revoked"}
    late = place()
    assert shown(desk, late) == {"cancel", "hold", "links_revoked"}
    paid = charged(fresh)
    assert shown(desk, paid) == {"cancel", "ready", "ship", "shorten", "hold", "links_revoked"}
    do(desk, paid, Verb.CANCEL, reason="customer-asks")
    assert shown(desk, paid) == {"links_revoked"}


def test_nothing_is_done_on_a_link_alone(desk: Client, fresh: Placing) -> None:
    order = fresh()
    before = row(order)
    for verb in FORMS:
        assert desk.get(reverse(f"admin:orders_order_{verb}", args=[order.pk])).status_code == 200
    assert row(order) == before


@pytest.mark.rule("ORD-06")
def test_an_operator_says_what_there_is(desk: Client, fresh: Placing) -> None:
    order = charged(fresh)
    jar, plate = order.lines.all()
    units = {f"line_{jar.id}": "2", f"line_{plate.id}": "1"}
    before = row(order)
    do(desk, order, Verb.SHORTEN, **units)
    assert row(order) == before
    do(desk, order, Verb.SHORTEN, **units | {f"line_{jar.id}": "1"})
    assert (again(order).total_cents, again(order).refunded_cents) == (4900, 3500)


def test_an_operator_accepts_line_by_line(desk: Client, fresh: Placing) -> None:
    order = fresh()
    jar, plate = order.lines.all()
    answer = do(desk, order, Verb.ACCEPT, **{f"line_{jar.id}": "", f"line_{plate.id}": "out-of-stock"})
    assert answer.headers["Location"] == change(order)
    moved = again(order)
    assert (moved.state, moved.total_cents) == (State.DEBIT, 7000)
    told = Event.objects.filter(order=order).last()
    assert told is not None
    assert (told.verb, told.role, told.by) == (Verb.ACCEPT, "operator", "Olga Operadora")
    assert [line["reason"] for line in told.data["refused"]] == [{"code": "out-of-stock"}]


def test_refuse_asks_for_a_reason(desk: Client, fresh: Placing) -> None:
    order = fresh()
    before = row(order)
    assert do(desk, order, Verb.REFUSE).context["form"].errors.keys() == {"reason"}
    assert do(desk, order, Verb.REFUSE, reason="other").context["form"].errors.keys() == {"note"}
    assert row(order) == before
    do(desk, order, Verb.REFUSE, reason="wrong-price")
    assert again(order).state == State.REFUSED


@pytest.mark.rule("SHP-06")
def test_an_operator_ships_and_confirms_delivery(desk: Client, fresh: Placing) -> None:
    order = charged(fresh)
    do(desk, order, Verb.READY)
    assert again(order).state == State.AWAITING_PICKUP
    jar, plate = order.lines.all()
    sent = {"carrier_name": "Portes Norte", "tracking": "N-7", f"line_{jar.id}": "1", f"line_{plate.id}": "1"}
    do(desk, order, Verb.SHIP, **sent)
    assert again(order).state == State.AWAITING_PICKUP
    do(desk, order, Verb.SHIP, carrier_name="Portes Norte", tracking="N-8", **{f"line_{jar.id}": "1"})
    assert again(order).state == State.SHIPPED
    assert list(Shipment.objects.filter(order=order).values_list("tracking", flat=True)) == ["N-7", "N-8"]
    do(desk, order, Verb.DELIVER)
    assert again(order).state == State.DELIVERED
    assert not Shipment.objects.filter(order=order, delivered_at=None).exists()


@pytest.mark.rule("ORD-10")
def test_a_refusal_is_told_with_its_reason_and_changes_nothing(
    desk: Client, fresh: Placing, settled: Order
) -> None:
    order = fresh()
    cases = [
        (order, Verb.SHIP, {"carrier_name": "X"}, "El pedido no está en un estado que lo permita."),
        (order, Verb.DELIVER, {}, "El pedido no está en un estado que lo permita."),
        (
            settled,
            Verb.CANCEL,
            {"reason": "customer-asks"},
            "El pedido no está en un estado que lo permita.",
        ),
        (settled, Verb.HOLD, {"kind": "stock"}, "El pedido no está en un estado que lo permita."),
    ]
    for one, verb, sent, reason in cases:
        before, events = row(one), Event.objects.count()
        answer = do(desk, one, verb, **sent)
        assert answer.status_code == 409
        assert reason in answer.content.decode()
        assert (row(one), Event.objects.count()) == (before, events)


def test_holds_of_every_kind_are_put_and_lifted_but_that_of_an_incident(desk: Client, fresh: Placing) -> None:
    order = fresh()
    until = timezone.localtime() + timedelta(days=30)
    assert do(desk, order, Verb.HOLD, kind="presale").context["form"].errors.keys() == {"until"}
    kinds = [kind for kind, _words in BY_HAND]
    assert set(HoldKind.values) - set(kinds) == OF_MONEY
    for kind in HoldKind.values:
        do(desk, order, Verb.HOLD, kind=kind, until=f"{until:%Y-%m-%dT%H:%M}")
    assert Hold.objects.filter(order=order, released_at=None).count() == len(kinds)
    assert do(desk, order, Verb.HOLD, kind="stock").status_code == 409
    for kind in kinds:
        do(desk, order, Verb.RELEASE, kind=kind, note="resuelto")
    assert not Hold.objects.filter(order=order, released_at=None).exists()
    assert (again(order).held_at, again(order).incident_at) == (None, None)
    assert do(desk, order, Verb.RELEASE, kind="stock").context["form"].errors.keys() == {"kind"}


def bulk(desk: Client, name: str, orders: list[Order], **sent: Any) -> str:
    page = reverse("admin:orders_order_changelist")
    chosen = {"action": name, "select_across": "0", "_selected_action": [order.pk for order in orders]}
    asked = desk.post(page, {**chosen, "index": "0"})
    assert asked.status_code == 200
    seen = asked.context["seen"]
    return desk.post(
        reverse("admin:orders_order_many"), {"seen": seen, "apply": "1", **sent}
    ).content.decode()


@pytest.mark.rule("SHP-06")
def test_many_at_once_and_each_refusal_is_told(desk: Client, fresh: Placing) -> None:
    shipped, waiting = charged(fresh), fresh()
    parcel = services.Parcel(carrier_name="Portes Norte")
    services.ship({shipped.id: parcel}, by=SELLER, at=timezone.now())
    before = row(waiting)
    text = bulk(desk, "deliver_many", [shipped, waiting])
    assert "Hecho en 1 pedido." in text
    assert "está en «Pendiente de aceptación»" in text
    assert waiting.reference in text
    assert (again(shipped).state, row(waiting)) == (State.DELIVERED, before)


def test_many_are_cancelled_with_a_reason(desk: Client, fresh: Placing) -> None:
    orders = [fresh(), fresh()]
    text = bulk(desk, "cancel_many", orders, reason="suspected-fraud")
    assert "Hecho en 2 pedidos." in text
    assert {again(order).state for order in orders} == {State.CANCELLED}
    reasons = [event.data["reason"] for event in Event.objects.filter(verb=Verb.CANCEL)]
    assert reasons == [{"code": "suspected-fraud"}] * 2


def test_a_kind_of_hold_is_lifted_from_many(desk: Client, fresh: Placing) -> None:
    orders = [fresh(), fresh()]
    services.hold([order.id for order in orders], HoldKind.STOCK, by=OPERATOR, at=timezone.now())
    bulk(desk, "release_many", orders, kind="stock")
    assert {again(order).held_at for order in orders} == {None}


@pytest.mark.rule("PAY-03")
def test_stuck_debits_are_listed_and_asked_about_now(desk: Client, fresh: Placing) -> None:
    at = timezone.now() - timedelta(hours=5)
    stuck, quick = fresh(at=at, card="down"), fresh(at=at)
    services.accept([stuck.id, quick.id], by=SELLER, at=at)
    timers.run(BY_NAME["charge"], at=at)
    page = reverse("admin:payments_charge_changelist")
    assert list(desk.get(page, {"stuck": "yes"}).context["cl"].result_list) == []
    timers.run(BY_NAME["debits"], at=at + timedelta(hours=2))
    charge = Charge.objects.get(order=stuck)
    answer = desk.get(page, {"stuck": "yes"})
    assert list(answer.context["cl"].result_list) == [charge]
    assert stuck.reference in answer.content.decode()
    Charge.objects.filter(id=charge.id).update(due_at=timezone.now() + timedelta(hours=4))
    done = Charge.objects.get(order=quick)
    chosen = {"action": "hurry", "_selected_action": [charge.pk, done.pk], "index": "0"}
    text = desk.post(page, chosen, follow=True).content.decode()
    assert "Se pregunta ahora. Cobros: 1." in text
    assert f"{quick.reference}: El pedido no está en un estado que lo permita." in text
    charge = Charge.objects.get(id=charge.id)
    assert charge.due_at is not None
    assert charge.due_at <= timezone.now()
    assert Charge.objects.get(id=done.id).due_at is None


def test_a_charge_whose_order_waits_is_not_hurried(desk: Client, fresh: Placing) -> None:
    order = fresh()
    services.hold([order.id], HoldKind.STOCK, by=OPERATOR, at=timezone.now())
    services.accept([order.id], by=SELLER, at=timezone.now())
    charge = Charge.objects.get(order=order)
    chosen = {"action": "hurry", "_selected_action": [charge.pk], "index": "0"}
    text = desk.post(reverse("admin:payments_charge_changelist"), chosen, follow=True).content.decode()
    assert f"{order.reference}: El pedido está en espera." in text
    charge = Charge.objects.get(id=charge.id)
    assert (charge.due_at, charge.state) == (None, AskState.WAITING)


@pytest.mark.rule("PAY-07")
def test_mismatches_show_both_figures_and_are_lifted_with_a_note(desk: Client, fresh: Placing) -> None:
    order, good = fresh(paid_cents=8300), fresh()
    services.hold([good.id], HoldKind.STOCK, by=OPERATOR, at=timezone.now())
    page = reverse("admin:orders_hold_changelist")
    answer = desk.get(page, {"kind__exact": "payment_mismatch", "standing": "yes"})
    hold = Hold.objects.get(order=order)
    assert list(answer.context["cl"].result_list) == [hold]
    text = answer.content.decode()
    assert "83,00\N{NO-BREAK SPACE}€" in text
    assert "84,00\N{NO-BREAK SPACE}€" in text
    chosen = {"action": "lift", "_selected_action": [hold.pk]}
    assert desk.post(page, {**chosen, "index": "0"}).status_code == 200
    without = desk.post(page, {**chosen, "apply": "1", "note": ""})
    assert without.context["form"].errors.keys() == {"note"}
    assert again(order).held_at is not None
    desk.post(page, {**chosen, "apply": "1", "note": "El banco lo aclara"})
    assert again(order).held_at is None
    told = Event.objects.filter(order=order).last()
    assert told is not None
    assert told.data == {"kind": "payment_mismatch", "note": "El banco lo aclara"}


@pytest.mark.rule("SET-05")
def test_what_the_bank_said_is_written_down_once(desk: Client, settled: Order) -> None:
    payout = Payout.objects.get()
    page = reverse("admin:settlements_payout_changelist")
    chosen = {"action": "paid", "_selected_action": [payout.pk]}
    assert desk.post(page, {**chosen, "index": "0"}).status_code == 200
    desk.post(page, {**chosen, "apply": "1", "answer": "abonada"})
    payout = Payout.objects.get()
    assert (payout.state, payout.answer) == (PayoutState.PAID, "abonada")
    text = desk.post(page, {**chosen, "apply": "1", "answer": "otra vez"}, follow=True).content.decode()
    payout = Payout.objects.get()
    assert (payout.state, payout.answer) == (PayoutState.PAID, "abonada")
    assert "El banco ya contestó." in text
    for _ in range(2):
        desk.post(page, {**chosen, "action": "failed", "apply": "1", "answer": "cuenta cerrada"})
    payout = Payout.objects.get()
    assert (payout.state, payout.answer) == (PayoutState.FAILED, "cuenta cerrada")
    assert Entry.objects.filter(kind="payout_failed").count() == 1


def test_a_notice_that_was_given_up_is_sent_again(desk: Client, fresh: Placing) -> None:
    order = fresh()
    given_up, sent = Notice.objects.filter(order_id=order.id)
    now = timezone.now()
    Notice.objects.filter(id=given_up.id).update(due_at=None, given_up_at=now)
    Notice.objects.filter(id=sent.id).update(due_at=None, sent_at=now)
    page = reverse("admin:messaging_notice_changelist")
    assert list(desk.get(page, {"situation": "given_up"}).context["cl"].result_list) == [given_up]
    desk.post(page, {"action": "again", "_selected_action": [given_up.pk, sent.pk], "index": "0"})
    given_up.refresh_from_db()
    sent.refresh_from_db()
    assert (given_up.given_up_at, given_up.due_at is None, sent.due_at) == (None, False, None)


def test_the_page_of_an_order_tells_everything(desk: Client, settled: Order) -> None:
    text = desk.get(change(settled)).content.decode()
    goods = ("Jarrón azul", "Portes Norte", "https://portes.example/N-1", "revisar", "ana@cliente.example")
    assert [
        words for words in (*goods, "Cobrado al cliente", "Comisión", "Cobro al cliente") if words not in text
    ] == []
