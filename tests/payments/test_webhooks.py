"""What Stripe tells us of its own accord: before, after, twice or never, the books come out the same."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.models import Posting
from marketplace import celery
from marketplace.models import Channel
from orders import services
from orders.models import Event, Order
from orders.states import State
from payments import webhooks
from payments.models import Charge, Payback, WebhookReceipt, WebhookRefusal
from payments.providers.stripe import KEY as OUR_KEY
from payments.states import AskState, Heard, TurnedAway
from sellers.models import User
from tests.conftest import OPERATOR, SELLER, Placing, again
from tests.orders.lives import tick
from tests.payments.conftest import (
    NOW,
    SECRET,
    authorise,
    event,
    intent,
    really_charged,
    really_returned,
    signature,
)
from tests.payments.stripe_proxy import Fault, Wire

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stripe_channel")]

SECOND = timedelta(seconds=1)
PAGE = "/pagos/stripe/tienda/"


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The timers that were asked for; no worker is there to hear the broker."""
    rung: list[str] = []
    monkeypatch.setattr(celery.app, "send_task", lambda task, args, **wishes: rung.extend(args))
    return rung


def knock(body: bytes, signed: str | None = None, page: str = PAGE) -> tuple[int, str]:
    """Send a webhook over HTTP, as a stranger with CSRF checks on; answers status and text."""
    signed = signature(body, at=timezone.now()) if signed is None else signed
    answer = Client(enforce_csrf_checks=True).post(
        page, body, content_type="application/json", headers={"Stripe-Signature": signed}
    )
    return answer.status_code, answer.content.decode()


def accepted(place: Placing, card: str = "pm_card_visa") -> Order:
    order = place(card=card, at=NOW)
    services.accept([order.id], by=SELLER, at=NOW)
    return order


def unanswered(place: Placing, wire: Wire) -> Order:
    """An order that was charged, and whose answer was cut off."""
    order = accepted(place)
    wire.fail("confirm", Fault.CUT)
    tick("charge", NOW)
    assert Charge.objects.get().state == AskState.ASKED
    return order


def about(wire: Wire, number: str = "evt_1") -> bytes:
    """The event of the only charge's intent, as it stands at Stripe."""
    return event(number, intent(wire, Charge.objects.get().reference))


def books() -> list[tuple[str, int]]:
    return sorted(Posting.objects.values_list("account", "amount_cents"))


def test_never(place: Placing, wire: Wire) -> None:
    order = unanswered(place, wire)
    tick("charge", NOW + 30 * SECOND)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert books() == [("pending", -8400), ("provider", 8400)]
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-02")
def test_before_we_know_the_answer_it_hurries_the_question(
    place: Placing, wire: Wire, bells: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    order = unanswered(place, wire)
    Charge.objects.update(due_at=timezone.now() + timedelta(hours=4))
    with django_capture_on_commit_callbacks(execute=True):
        assert knock(about(wire)) == (200, "hurried")
    assert bells == ["charge"]
    assert again(order).state == State.DEBIT  # the event alone moves nothing
    assert not Posting.objects.exists()
    tick("charge", timezone.now())
    assert again(order).state == State.AWAITING_SHIPMENT
    assert books() == [("pending", -8400), ("provider", 8400)]
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-02")
def test_before_anything_was_asked_it_is_nobodys(place: Placing, wire: Wire) -> None:
    token = authorise(wire, 8400)
    there = intent(wire, token)
    assert knock(event("evt_0", there, "payment_intent.amount_capturable_updated")) == (200, "nobody")
    order = accepted(place, token)
    assert knock(event("evt_1", there)) == (200, "nobody")
    assert again(order).state == State.DEBIT
    tick("charge", timezone.now())
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-02")
def test_after_and_twice_it_changes_nothing(place: Placing, wire: Wire, bells: list[str]) -> None:
    order = accepted(place)
    tick("charge", NOW)
    before = (books(), Event.objects.count(), Charge.objects.values().get())
    for _ in range(3):
        assert knock(about(wire)) == (200, "known")
    assert knock(about(wire, "evt_2")) == (200, "known")
    assert (books(), Event.objects.count(), Charge.objects.values().get()) == before
    assert again(order).state == State.AWAITING_SHIPMENT
    assert list(WebhookReceipt.objects.order_by("id").values_list("event_id", "heard", "times")) == [
        ("evt_1", "known", 3), ("evt_2", "known", 1),
    ]  # fmt: skip
    assert bells == []


@pytest.mark.rule("PAY-02")
def test_what_names_only_the_intent_is_known_by_it(place: Placing, wire: Wire) -> None:
    """A dispute, a charge of an older intent: no key of ours is on them."""
    unanswered(place, wire)
    thing = {"id": "dp_1", "object": "dispute", "payment_intent": Charge.objects.get().reference}
    assert knock(event("evt_1", thing, "charge.dispute.created")) == (200, "hurried")
    tick("charge", timezone.now())
    assert knock(event("evt_2", thing, "charge.dispute.closed")) == (200, "known")


@pytest.mark.rule("PAY-02")
def test_twice_before_hurries_once(place: Placing, wire: Wire) -> None:
    unanswered(place, wire)
    body = about(wire)
    assert knock(body) == (200, "hurried")
    late = timezone.now() + timedelta(hours=4)
    Charge.objects.update(due_at=late)
    assert knock(body) == (200, "known")
    assert Charge.objects.get().due_at == late
    assert WebhookReceipt.objects.values_list("heard", "times").get() == ("hurried", 2)


@pytest.mark.rule("PAY-01")
def test_what_an_event_says_of_money_is_not_believed(place: Placing, wire: Wire) -> None:
    """Signed and about our charge, but of an intent that has not been charged at all."""
    order = accepted(place)
    wire.fail("confirm", Fault.DOWN)
    tick("charge", NOW)
    there = intent(wire, Charge.objects.get().reference)
    lie = {**there, "status": "succeeded", "amount": 1, "amount_received": 1}
    assert knock(event("evt_1", lie)) == (200, "hurried")
    assert (again(order).state, books()) == (State.DEBIT, [])
    tick("charge", timezone.now())
    assert (again(order).state, books()) == (
        State.AWAITING_SHIPMENT,
        [("pending", -8400), ("provider", 8400)],
    )
    assert really_charged(wire) == [8400]


@pytest.mark.rule("PAY-05")
def test_news_of_a_failure_is_looked_up_too(place: Placing, wire: Wire) -> None:
    order = unanswered(place, wire)
    assert knock(event("evt_1", intent(wire, Charge.objects.get().reference), "payment_intent.payment_failed")) == (
        200, "hurried",
    )  # fmt: skip
    tick("charge", timezone.now())
    assert again(order).state == State.AWAITING_SHIPMENT


@pytest.mark.rule("CAN-05")
def test_news_of_a_refund_hurries_the_payback(
    place: Placing, wire: Wire, bells: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    order = accepted(place)
    tick("charge", NOW)
    services.cancel([order.id], reason="Fraude", by=OPERATOR, at=NOW)
    wire.fail("refunds", Fault.CUT)
    tick("payback", NOW)
    Payback.objects.update(due_at=timezone.now() + timedelta(hours=4))
    (refund,) = [one for one in wire.ask("GET", "/v1/refunds?limit=9")["data"] if one["metadata"]]
    with django_capture_on_commit_callbacks(execute=True):
        assert knock(event("evt_1", {**refund, "object": "refund"}, "refund.updated")) == (200, "hurried")
    assert bells == ["payback"]
    tick("payback", timezone.now())
    assert Payback.objects.get().state == AskState.SUCCEEDED
    assert knock(event("evt_2", {**refund, "object": "refund"}, "refund.updated")) == (200, "known")
    assert really_returned(wire) == [8400]


@pytest.mark.rule("PAY-02")
def test_an_event_that_stripe_itself_sent_and_signed(place: Placing, wire: Wire, settings: Any) -> None:
    told = settings.STRIPE_API + "/told"
    wire.ask("POST", "/_config/webhooks/ours", url=told, secret=SECRET)
    try:
        unanswered(place, wire)
        ours, subject = Charge.objects.get().reference, ""
        while subject != ours:  # it still tells of what other tests did a second ago
            signed, body = wire.events.get(timeout=10)
            subject = json.loads(body)["data"]["object"]["id"]
        assert knock(body, signed) == (200, "hurried")
        assert knock(body + b" ", signed) == (400, "signature")
    finally:
        wire.ask("POST", "/_config/webhooks/ours", url=told, secret=SECRET, **{"events[]": "none"})


def everything() -> dict[str, Any]:
    """All that a webhook could have touched."""
    return {
        "charges": list(Charge.objects.values()), "orders": list(Order.objects.values()),
        "receipts": list(WebhookReceipt.objects.values()), "books": books(), "events": Event.objects.count(),
    }  # fmt: skip


def _old(body: bytes) -> str:
    return signature(body, at=timezone.now() - webhooks.TOLERANCE - 2 * SECOND)


def _early(body: bytes) -> str:
    return signature(body, at=timezone.now() + webhooks.TOLERANCE + 5 * SECOND)


def _fresh(body: bytes) -> str:
    return signature(body, at=timezone.now())


def _restamped(body: bytes) -> str:
    """An old signature under a new time."""
    mark = _old(body).split(",")[1]
    return f"t={int(timezone.now().timestamp())},{mark}"


@pytest.mark.rule("PAY-02")
@pytest.mark.parametrize(
    ("signed", "status", "reason"),
    [
        (lambda body: "", 400, TurnedAway.SIGNATURE),
        (lambda body: "t=,v1=", 400, TurnedAway.SIGNATURE),
        (lambda body: "v1=" + "0" * 64, 400, TurnedAway.SIGNATURE),
        (lambda body: signature(body, at=timezone.now(), secret="whsec_of_another"), 400, TurnedAway.SIGNATURE),
        (lambda body: _fresh(body + b" "), 400, TurnedAway.SIGNATURE),
        (lambda body: _fresh(body).replace("v1=", "v0="), 400, TurnedAway.SIGNATURE),
        (_restamped, 400, TurnedAway.SIGNATURE),
        (_old, 400, TurnedAway.OLD),
        (_early, 400, TurnedAway.OLD),
    ],
)  # fmt: skip
def test_a_webhook_that_is_not_genuine_or_not_of_now_is_counted_and_nothing_else(
    place: Placing, wire: Wire, signed: Callable[[bytes], str], status: int, reason: TurnedAway
) -> None:
    unanswered(place, wire)
    body, before = about(wire), everything()
    for _ in range(3):
        assert knock(body, signed(body)) == (status, reason.value)
    assert everything() == before
    assert list(WebhookRefusal.objects.values_list("channel__code", "reason", "times")) == [
        ("tienda", reason, 3)
    ]


@pytest.mark.rule("PAY-02")
@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'{"id": "evt_1"}', b"\xff\xfe",
        b'{"id": "", "type": "x", "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "x", "data": {"object": []}}',
        b'{"id": "evt_\\u0000", "type": "x", "data": {"object": {}}}',
        b'{"id": "' + b"e" * 121 + b'", "type": "x", "data": {"object": {}}}',
        b"[" * 100_000,
    ],
    ids=lambda body: str(body[:24]),
)  # fmt: skip
def test_nonsense_that_is_signed_is_counted(body: bytes) -> None:
    try:
        body.decode()
        reason = TurnedAway.MALFORMED
    except UnicodeDecodeError:
        reason = TurnedAway.SIGNATURE
    assert knock(body) == (400, reason.value)
    assert WebhookRefusal.objects.values_list("reason", "times").get() == (reason, 1)
    assert not WebhookReceipt.objects.exists()


@pytest.mark.rule("PAY-02")
@pytest.mark.parametrize("page", ["/pagos/stripe/nadie/", "/pagos/stripe/otra/"])
def test_a_webhook_for_a_channel_that_expects_none(page: str) -> None:
    Channel.objects.create(code="otra", name="Otra")
    assert knock(event("evt_1", {"id": "pi_1"}), page=page) == (404, "no_channel")
    refusal = WebhookRefusal.objects.get()
    assert (refusal.channel, refusal.reason, refusal.times) == (None, "no_channel", 1)


@pytest.mark.rule("PAY-02")
@pytest.mark.parametrize(
    "thing",
    [
        {"id": "pi_stranger", "object": "payment_intent"},
        {"id": "ch_1", "object": "charge", "payment_intent": "pi_stranger"},
        {
            "id": "pi_1",
            "object": "payment_intent",
            "metadata": {OUR_KEY: "1b4e28ba-2fa1-11d2-883f-0016d3cca427"},
        },
        {"id": "pi_1", "object": "payment_intent", "metadata": {OUR_KEY: "no key"}},
        {"id": "cus_1", "object": "customer", "payment_intent": {"id": "pi_1"}, "metadata": None},
        {},
    ],
    ids=str,
)
def test_a_webhook_about_nobody_of_ours_leaves_a_receipt_and_nothing_else(
    place: Placing, wire: Wire, thing: dict[str, Any]
) -> None:
    unanswered(place, wire)
    before = everything()
    assert knock(event("evt_1", thing)) == (200, "nobody")
    assert everything() == {**before, "receipts": ANY}
    assert WebhookReceipt.objects.values_list("event_id", "heard").get() == ("evt_1", Heard.NOBODY)


@pytest.mark.rule("PAY-02")
def test_another_channels_charge_is_nobodys(place: Placing, wire: Wire, settings: Any) -> None:
    unanswered(place, wire)
    Channel.objects.create(code="otra", name="Otra", provider="stripe")
    settings.STRIPE_WEBHOOK_SECRETS = {"TIENDA": "whsec_x", "OTRA": SECRET}
    assert knock(about(wire), page="/pagos/stripe/otra/") == (200, "nobody")


@pytest.mark.rule("PAY-02")
def test_a_channel_without_secrets_believes_nobody(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = {}
    body = event("evt_1", {"id": "pi_1"})
    assert knock(body, signature(body, at=timezone.now(), secret="")) == (400, "signature")


def test_only_a_post_is_heard() -> None:
    assert Client().get(PAGE).status_code == 405
    assert not WebhookRefusal.objects.exists()


@pytest.mark.rule("PAY-02")
def test_operators_see_what_was_heard_and_what_was_turned_away(
    place: Placing, wire: Wire, olga: User
) -> None:
    unanswered(place, wire)
    knock(about(wire))
    knock(about(wire), "v1=0")
    desk = Client()
    desk.force_login(olga)
    seen = {
        "webhookreceipt": ("evt_1", "Se pregunta ahora"), "webhookrefusal": ("Firma falsa", "Tienda de pruebas"),
    }  # fmt: skip
    for room, words in seen.items():
        page = desk.get(reverse(f"admin:payments_{room}_changelist")).content.decode()
        assert [word for word in words if word not in page] == []
        assert desk.get(reverse(f"admin:payments_{room}_add")).status_code == 403
    receipt, refusal = WebhookReceipt.objects.get(), WebhookRefusal.objects.get()
    for one in (receipt, refusal):
        page = reverse(f"admin:payments_{one._meta.model_name}_change", args=[one.pk])
        assert desk.get(page).status_code == 200
    assert desk.get(reverse("admin:payments_webhookreceipt_changelist"), {"q": "evt_1"}).status_code == 200


def test_a_webhook_costs_the_same_however_many_charges_there_are(place: Placing, wire: Wire) -> None:
    unanswered(place, wire)
    body = about(wire)
    at: datetime = timezone.now()
    with connection.execute_wrapper(_no_scan):
        assert webhooks.receive("tienda", body, signature(body, at=at), at=at)[0] == Heard.HURRIED


def _no_scan(execute: Any, statement: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if statement.startswith("SELECT") and "payments_charge" in statement:
        with connection.connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {statement}", params)
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "Seq Scan on payments_charge" not in plan, plan
    return execute(statement, params, many, context)
