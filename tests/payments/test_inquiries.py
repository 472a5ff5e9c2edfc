"""A payment made beforehand that only the provider knows of: it is looked up, hurried by a webhook or not (ORD-07)."""

import uuid
from datetime import datetime, timedelta

import pytest

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.services import publish_policy
from orders import services
from orders.models import Hold
from orders.states import HoldKind, State
from payments import beforehand
from payments.models import Charge, Inquiry, Payback
from payments.providers.sandbox import Sandbox
from payments.queries import next_inquiry
from payments.states import Learned
from tests.conftest import AT, OPERATOR, Placing, again, row
from tests.orders.lives import HOUR, tick

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ORD-07")]

H72 = timedelta(hours=72)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def prepaid(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    return channel


def promised() -> tuple[uuid.UUID, str]:
    """A payment that a customer may make: our key for it, and what the storefront calls it."""
    key = uuid.uuid4()
    return key, f"pay_{key}"


def made(
    key: uuid.UUID, cents: int = 8400, *, card: str = "ok", currency: str = "EUR", at: datetime = AT
) -> None:
    """The customer pays at the provider's page."""
    Sandbox().charge(key, card=card, amount_cents=cents, currency=currency, at=at)


def learned() -> Inquiry:
    return Inquiry.objects.get()


def test_a_payment_that_the_provider_knows_confirms_its_order(place: Placing) -> None:
    key, name = promised()
    order = place(at=AT, card=name)
    tick("payments", AT)
    assert (again(order).state, learned().learned) == (State.PENDING_PAYMENT, Learned.NOTHING)
    made(key, at=AT + SECOND)
    tick("payments", AT + 20 * SECOND)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert Charge.objects.values_list("reference", "amount_cents", "state").get() == (name, 8400, "succeeded")
    assert (learned().learned, learned().amount_cents, learned().due_at) == (Learned.PAID, 8400, None)
    assert next_inquiry() is None
    assert tick("payments", AT + HOUR).idle


def test_it_is_asked_ever_more_rarely_and_a_last_time_when_it_should_be_paid(place: Placing) -> None:
    key, name = promised()
    order = place(at=AT, card=name)
    moments = []
    while (due := next_inquiry()) is not None:
        moments.append(due)
        tick("payments", due)
    assert (moments[0], moments[-1], len(moments) < 40) == (AT, AT + H72, True)
    assert (learned().learned, again(order).state) == (Learned.OVER, State.PENDING_PAYMENT)
    made(key, at=AT + H72)
    tick("lapse", AT + H72 + SECOND)
    assert (again(order).state, Charge.objects.exists()) == (State.CANCELLED, False)


def test_a_payment_made_at_the_last_moment_is_in_time(place: Placing) -> None:
    key, name = promised()
    order = place(at=AT, card=name)
    tick("payments", AT)
    made(key, at=AT + H72)
    tick("payments", AT + H72)
    tick("lapse", AT + H72 + SECOND)
    assert again(order).state == State.AWAITING_SHIPMENT


@pytest.mark.rule("PAY-07")
def test_another_amount_holds_the_order_with_both_figures(place: Placing) -> None:
    key, name = promised()
    order = place(at=AT, card=name)
    made(key, 8000)
    tick("payments", AT)
    assert (again(order).state, again(order).charged_cents, again(order).held_at) == (
        State.PENDING_PAYMENT,
        0,
        AT,
    )
    hold = Hold.objects.get(order=order)
    assert (hold.kind, hold.facts) == (HoldKind.PAYMENT_MISMATCH, {"paid_cents": 8000, "total_cents": 8400})
    assert (learned().learned, learned().amount_cents) == (Learned.DIFFERS, 8000)
    assert not Charge.objects.exists()
    assert next_inquiry() is None


def test_a_payment_that_will_never_be_made_is_an_order_that_failed(place: Placing) -> None:
    key, name = promised()
    order = place(at=AT, card=name)
    made(key, card="refused")
    tick("payments", AT)
    assert (again(order).state, learned().learned) == (State.FAILED, Learned.FAILED)
    assert order.events.latest("id").data["reason"] == "card declined"


def test_one_payment_of_two_baskets_pays_the_first(place: Placing) -> None:
    key, name = promised()
    one, other = place(at=AT, card=name), place(at=AT, card=name)
    made(key)
    before = row(other)
    tick("payments", AT)
    assert (again(one).state, row(other) == before) == (State.AWAITING_SHIPMENT, True)
    assert sorted(Inquiry.objects.values_list("learned", flat=True)) == [Learned.ELSEWHERE, Learned.PAID]


def test_nobody_asks_for_what_somebody_else_has_settled(place: Placing) -> None:
    _key, name = promised()
    order = place(at=AT, card=name)
    services.cancel([order.id], reason="no lo quiere", by=OPERATOR, at=AT)
    before = row(order)
    tick("payments", AT)
    assert (learned().learned, row(order) == before, next_inquiry()) == (Learned.SETTLED, True, None)


@pytest.mark.rule("CAN-05")
def test_money_for_what_was_cancelled_meanwhile_goes_back(place: Placing) -> None:
    key, name = promised()
    order = place(at=AT, card=name)
    made(key)
    services.cancel([order.id], reason="no lo quiere", by=OPERATOR, at=AT)
    tick("payments", AT)
    assert (again(order).state, again(order).refunded_cents) == (State.CANCELLED, 8400)
    assert (learned().learned, Payback.objects.get().amount_cents) == (Learned.RETURNED, 8400)


@pytest.mark.rule("PAY-07")
@pytest.mark.parametrize("ended", ["paid otherwise", "another amount, too late"])
def test_money_that_no_order_waits_for_is_shown_and_moves_nothing(place: Placing, ended: str) -> None:
    key, name = promised()
    order = place(at=AT, card=name)
    made(key, 8400 if ended != "another amount, too late" else 8000)
    if ended == "paid otherwise":
        beforehand.confirm({order.id: "TR-1"}, by=OPERATOR, at=AT)
    else:
        services.cancel([order.id], reason="no lo quiere", by=OPERATOR, at=AT)
    before = row(order)
    tick("payments", AT)
    assert (learned().learned, row(order) == before) == (Learned.UNPLACED, True)
    assert (learned().amount_cents, Payback.objects.exists()) == (
        8400 if "late" not in ended else 8000,
        False,
    )


def test_a_card_by_name_is_no_payment_to_ask_about(place: Placing) -> None:
    place(at=AT, card="ok")
    place(at=AT, card="")
    assert not Inquiry.objects.exists()
