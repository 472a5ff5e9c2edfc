"""What Stripe tells of a payment made at checkout: the names in it are heard, its money is looked up (ORD-07)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.services import publish_policy
from orders.models import Hold, Order
from orders.states import State
from payments.models import Charge, Inquiry, WebhookReceipt
from payments.states import Heard, Learned
from tests.conftest import AT, Placing, again, row
from tests.orders.lives import tick
from tests.payments.conftest import NOW, authorise, balances, event, intent
from tests.payments.stripe_proxy import Wire
from tests.payments.test_webhooks import bells, knock

__all__ = ["bells"]

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ORD-07")]

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def prepaid(stripe_channel: Channel) -> Channel:
    publish_policy(stripe_channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    return stripe_channel


def paid_at_checkout(wire: Wire, cents: int = 8400, *, of: str = "", **wishes: str) -> str:
    """A payment that the customer made at the storefront, which wrote into it whose it is; answers its id."""
    named = {"metadata[trastienda_order]": of} if of else {}
    return authorise(wire, cents, capture_method="automatic", **named, **wishes)


def about(wire: Wire, reference: str, number: str = "evt_1", **lies: object) -> bytes:
    return event(number, {**intent(wire, reference), **lies})


@pytest.mark.parametrize("by", ["order", "commercial number"])
def test_a_webhook_has_the_payment_that_it_names_looked_up(
    place: Placing, wire: Wire, bells: list[str], by: str,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    order = place(card="", at=NOW)
    reference = paid_at_checkout(wire, of=order.reference if by == "order" else str(order.basket))
    before = row(order)
    with django_capture_on_commit_callbacks(execute=True):
        assert knock(about(wire, reference)) == (200, Heard.HURRIED)
    assert (bells, row(order) == before) == (["payments"], True)  # the event alone moves nothing
    tick("payments", timezone.now())
    assert again(order).state == State.AWAITING_SHIPMENT
    assert Charge.objects.values_list("reference", "amount_cents").get() == (reference, 8400)
    assert balances() == {"provider": 8400, "pending": -8400}
    assert knock(about(wire, reference)) == (200, Heard.KNOWN)
    assert knock(about(wire, reference, "evt_2")) == (200, Heard.KNOWN)
    assert (Charge.objects.count(), Inquiry.objects.count()) == (1, 1)


@pytest.mark.rule("PAY-07")
def test_what_a_webhook_says_of_money_is_not_believed(place: Placing, wire: Wire) -> None:
    order = place(card="", at=NOW)
    reference = paid_at_checkout(wire, 100, of=order.reference)
    knock(about(wire, reference, amount=8400, amount_received=8400))
    tick("payments", timezone.now())
    assert (again(order).state, again(order).charged_cents) == (State.PENDING_PAYMENT, 0)
    assert Hold.objects.get().facts == {"paid_cents": 100, "total_cents": 8400}
    assert (Inquiry.objects.get().learned, balances()) == (Learned.DIFFERS, {})


def test_a_webhook_that_names_an_order_that_the_payment_does_not_changes_nothing(
    place: Placing, wire: Wire
) -> None:
    order, other = place(card="", at=NOW), place(card="", at=NOW)
    reference = paid_at_checkout(wire, of=other.reference)
    before = row(order)
    knock(about(wire, reference, metadata={"trastienda_order": order.reference}))
    tick("payments", timezone.now())
    assert (Inquiry.objects.get().learned, row(order) == before) == (Learned.ELSEWHERE, True)
    assert again(other).state == State.PENDING_PAYMENT


def test_a_webhook_that_never_comes_costs_only_time(place: Placing, wire: Wire) -> None:
    reference = paid_at_checkout(wire)
    order = place(card=reference, at=NOW)
    tick("payments", NOW)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert knock(about(wire, reference)) == (200, Heard.KNOWN)


def test_a_webhook_hurries_what_would_be_asked_about_later(
    place: Placing, wire: Wire, bells: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    reference = authorise(wire, 8400)
    order = place(card=reference, at=NOW)
    tick("payments", NOW)
    assert Inquiry.objects.get().due_at == NOW + timedelta(seconds=10)
    Inquiry.objects.update(due_at=timezone.now() + 4 * HOUR)
    wire.ask("POST", f"/v1/payment_intents/{reference}/capture")
    with django_capture_on_commit_callbacks(execute=True):
        assert knock(about(wire, reference)) == (200, Heard.HURRIED)
    tick("payments", timezone.now())
    assert (bells, again(order).state) == (["payments"], State.AWAITING_SHIPMENT)


@pytest.mark.parametrize("named", ["", "NADIE", "P\x00", "x" * 200])
def test_a_payment_of_nobody_here_leaves_nothing(place: Placing, wire: Wire, named: str) -> None:
    order = place(card="", at=NOW)
    before = row(order)
    lies: dict[str, Any] = {"metadata": {"trastienda_order": named}} if named else {}
    assert knock(about(wire, paid_at_checkout(wire), **lies)) == (200, Heard.NOBODY)
    assert (row(order) == before, Inquiry.objects.exists()) == (True, False)
    assert WebhookReceipt.objects.get().heard == Heard.NOBODY


def test_an_order_that_is_not_paid_beforehand_is_nobodys(
    place: Placing, wire: Wire, prepaid: Channel
) -> None:
    publish_policy(prepaid, PRESETS[Preset.ACCEPT_FIRST], by="x", at=AT + HOUR)
    prepaid.refresh_from_db()
    order: Order = place(card="", at=NOW)
    assert knock(about(wire, paid_at_checkout(wire, of=order.reference))) == (200, Heard.NOBODY)
    assert not Inquiry.objects.exists()
