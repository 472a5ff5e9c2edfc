"""The customer's own invoice as the order knows it: wanted, owed once charged, handed in, owed no more (DOC-02)."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset, Settings
from marketplace.policy_words import sentences
from marketplace.reasons import Why
from marketplace.refusals import Code
from marketplace.services import open_channel, publish_policy
from messaging.models import Notice
from orders import services
from orders.models import LONGEST_INVOICE_TO, OWES_INVOICE, Event, Order
from orders.services import Customer
from orders.states import State, Verb
from refunds import refunding
from refunds.amounts import Part
from refunds.refunding import Wish
from sellers.desk import Actor, Right
from sellers.models import Shop, Supplier
from tests.conftest import ANA, AT, CUSTOMER, OPERATOR, SELLER, Placing, actor_of, again
from tests.orders.acting import Untouched
from tests.orders.intake_files import basket_in, bring, csv_text, json_file, row_in
from tests.orders.lives import HOUR, STEPS, brought_to, tick

pytestmark = [pytest.mark.django_db, pytest.mark.rule("DOC-02")]

WANTS: Customer = replace(ANA, wants_invoice=True)
COMPANY = "Ana Soler, S. L.\nB58378431\nCalle Mayor 14, 50001 Zaragoza"
CHARGED = set(STEPS) - {State.RETURNED}
"""The states of orders that were charged, and of which something is still charged."""


def owed() -> set[int]:
    """The orders that owe an invoice: the condition of the lists and that of the order say the same."""
    found = set(Order.objects.filter(OWES_INVOICE).values_list("id", flat=True))
    assert found == {order.id for order in Order.objects.all() if order.owes_invoice}
    return found


def charged(order: Order) -> Order:
    services.one(services.accept([order.id], by=SELLER, at=AT + HOUR))
    tick("charge", AT + HOUR)
    return again(order)


@pytest.mark.parametrize("preset", [Preset.ACCEPT_FIRST, Preset.PREPAID, Preset.CASH_ON_DELIVERY])
def test_an_invoice_is_owed_of_what_was_charged_and_is_kept(preset: Preset, shop: Shop) -> None:
    """Every state of every way of trading, with an order that wants one and one that does not."""
    channel = open_channel(preset.value, "Tienda de pruebas", preset=preset, by="pruebas", at=AT)
    states = {
        Preset.ACCEPT_FIRST: [*STEPS, State.PENDING_ACCEPTANCE, State.DEBIT, State.REFUSED, State.FAILED],
        Preset.PREPAID: [State.PENDING_PAYMENT, State.AWAITING_SHIPMENT, State.CANCELLED, State.FAILED],
        Preset.CASH_ON_DELIVERY: [State.AWAITING_SHIPMENT, State.SHIPPED, State.DELIVERED, State.RETURNED],
    }[preset]
    expected = {State.DELIVERED} if preset == Preset.CASH_ON_DELIVERY else CHARGED
    for state in states:
        wants, _other = brought_to(state, channel, shop, 2)
        Order.objects.filter(id=wants).update(wants_invoice=True)
        assert owed() == ({wants} if state in expected else set()), state
        Order.objects.filter(id=wants).update(wants_invoice=False)


def test_what_went_back_needs_none_and_what_is_left_does(place: Placing) -> None:
    cancelled, partly = charged(place(customer=WANTS)), charged(place(customer=WANTS))
    assert owed() == {cancelled.id, partly.id}
    services.one(services.cancel([cancelled.id], reason="Roto", by=OPERATOR, at=AT + 2 * HOUR))
    assert owed() == {partly.id}
    services.ship({partly.id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=AT + 2 * HOUR)
    jar = partly.lines.get(sku="JAR-AZUL")
    wish = Wish(uuid.uuid4(), Why("damaged"), (Part(jar.id, 1, 1000, 0),), agreed="de acuerdo")
    refunding.refund(partly.id, wish, by=OPERATOR, at=AT + 3 * HOUR)
    assert again(partly).refunded_cents == 1000
    assert owed() == {partly.id}


def test_where_the_policy_says_always_nobody_has_to_ask(channel: Channel, shop: Shop, place: Placing) -> None:
    """An order keeps the version that it came under (ORD-10)."""
    before = charged(place())
    assert channel.policy is not None
    rules = channel.policy.rules.model_copy(update={"invoice_always": True})
    publish_policy(channel, rules, by="pruebas", at=AT)
    channel.refresh_from_db()
    assert "La factura de la tienda al cliente se entrega siempre." in sentences(rules, "EUR")
    after = charged(place())
    assert owed() == {after.id}
    assert not again(before).wants_invoice
    assert not PRESETS[Preset.ACCEPT_FIRST].invoice_always
    kept = Settings.model_validate(
        PRESETS[Preset.PREPAID].model_dump(exclude={"invoice_always"}), context={"kept": True}
    )
    assert not kept.invoice_always


def test_a_basket_says_it_in_either_kind_of_file(tmp_path: Path, channel: Channel, shop: Shop) -> None:
    wants = {"first_name": "Ana", "wants_invoice": True}
    bring(json_file(tmp_path / "a.jsonl", basket_in("A", customer=wants), basket_in("B")))
    header, *rows = csv_text(row_in("C"), row_in("D"), row_in("E")).splitlines()
    said = zip(rows, ("1", "false", ""), strict=True)
    table = tmp_path / "b.csv"
    table.write_text(
        "\n".join([f"{header},customer_wants_invoice", *(f"{line},{cell}" for line, cell in said)]), "utf-8"
    )
    bring(table)
    wanted = Order.objects.filter(wants_invoice=True).order_by("reference")
    assert list(wanted.values_list("reference", flat=True)) == ["A-A", "C-A"]
    assert Order.objects.count() == 5
    flawed = json.dumps(basket_in("F", customer={**wants, "wants_invoice": "quizás"})).encode()
    assert bring(json_file(tmp_path / "c.jsonl", flawed)).counts == (0, 0, 1)


def test_a_customer_asks_once_and_may_correct_whom_it_is_made_out_to(place: Placing) -> None:
    order = place()
    told = services.one(services.ask_invoice(order.id, COMPANY, by=CUSTOMER, at=AT + HOUR))
    assert told.data == {"invoice_to": COMPANY.splitlines(), "owed": False}
    order = charged(order)
    assert (order.wants_invoice, order.invoice_to, order.invoice_asked_at) == (True, COMPANY, AT + HOUR)
    assert owed() == {order.id}
    with Untouched(order):
        twice = services.ask_invoice(order.id, COMPANY, by=CUSTOMER, at=AT + 2 * HOUR)
    assert [refusal.code for refusal in twice.refused] == [Code.DUPLICATE]
    services.one(services.ask_invoice(order.id, "Ana Soler\n12345678Z", by=CUSTOMER, at=AT + 3 * HOUR))
    assert again(order).invoice_to == "Ana Soler\n12345678Z"
    events = Event.objects.filter(verb=Verb.INVOICE_ASKED).order_by("id")
    assert list(events.values_list("data", "before", "after")) == [
        ({}, "pending_acceptance", "pending_acceptance"),
        ({"anew": True}, "awaiting_shipment", "awaiting_shipment"),
    ]
    notices = Notice.objects.filter(event=Verb.INVOICE_ASKED).order_by("id")
    assert [(one.audience, one.payload["owed"], one.payload["invoice_to"][0]) for one in notices] == [
        ("seller", False, "Ana Soler, S. L."),
        ("seller", True, "Ana Soler"),
    ]


def test_a_wish_is_never_too_old(place: Placing) -> None:
    order = charged(place())
    services.one(services.ask_invoice(order.id, COMPANY, by=CUSTOMER, at=order.moved_at - HOUR / 2))
    assert again(order).invoice_asked_at == order.moved_at
    assert again(order).moved_at == order.moved_at


@pytest.mark.parametrize("state", [State.REFUSED, State.CANCELLED, State.FAILED, State.RETURNED])
def test_of_what_was_not_sold_none_is_asked_for(state: State, channel: Channel, shop: Shop) -> None:
    order = Order.objects.get(id=brought_to(state, channel, shop)[0])
    with Untouched(order):
        refused = services.ask_invoice(order.id, COMPANY, by=CUSTOMER, at=AT + timedelta(days=30)).refused
        given = services.hand_in_invoice(
            order.id, ["f.pdf"], also=list, by=SELLER, at=AT + timedelta(days=30)
        ).refused
    assert [one.code for one in refused] == [Code.WRONG_STATE]
    assert [one.code for one in given] == [Code.INVOICE_NOT_ASKED]
    Order.objects.filter(id=order.id).update(wants_invoice=True)
    code = services.judge_invoice(again(order), by=SELLER, at=AT + timedelta(days=30))
    assert code == Code.WRONG_STATE


def test_nobody_but_the_customer_asks_and_nobody_but_the_shop_hands_in(
    place: Placing, norte: Supplier
) -> None:
    order = charged(place(customer=WANTS, served=[norte, norte]))
    reader = Actor(SELLER.role, "Lola", rights=frozenset())
    packs = Actor(SELLER.role, "Luis", rights=frozenset({Right.WORK_ORDERS}))
    with Untouched(order):
        for by in (SELLER, OPERATOR, actor_of(norte)):
            [refusal] = services.ask_invoice(order.id, COMPANY, by=by, at=AT + 2 * HOUR).refused
            assert refusal.code == Code.NOT_ALLOWED
        for by in (CUSTOMER, OPERATOR, actor_of(norte), reader, packs):
            outcome = services.hand_in_invoice(order.id, ["f.pdf"], also=list, by=by, at=AT + 2 * HOUR)
            assert [refusal.code for refusal in outcome.refused] == [Code.NOT_ALLOWED]
    assert services.judge_invoice(order, by=SELLER, at=AT + 2 * HOUR) is None


def test_it_is_not_handed_in_before_the_charge_nor_asked_for_after_it_was(place: Placing) -> None:
    order = place(customer=WANTS)
    assert services.judge_invoice(order, by=SELLER, at=AT + HOUR / 2) == Code.NOT_DEBITED
    order = charged(order)
    services.one(services.hand_in_invoice(order.id, ["a.pdf"], also=list, by=SELLER, at=AT + 2 * HOUR))
    assert again(order).invoiced_at == AT + 2 * HOUR
    assert owed() == set()
    order = again(order)
    with Untouched(order):
        [refusal] = services.ask_invoice(order.id, COMPANY, by=CUSTOMER, at=AT + 3 * HOUR).refused
    assert refusal.code == Code.INVOICE_GIVEN
    services.one(services.cancel([order.id], reason="Roto", by=OPERATOR, at=AT + 3 * HOUR))
    assert services.judge_invoice(again(order), by=SELLER, at=AT + 4 * HOUR) is None
    assert len(COMPANY) < LONGEST_INVOICE_TO
