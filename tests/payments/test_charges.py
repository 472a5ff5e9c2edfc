"""Asking the provider: once, whatever it answers and whenever."""

from datetime import datetime, timedelta

import pytest

from ledger.models import Account, Posting
from marketplace import outbox
from marketplace.models import Channel, Policy
from marketplace.refusals import Code
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import services
from orders.models import Order
from orders.states import HoldKind, State
from payments import services as payments
from payments.models import Charge, Payback, SandboxBook
from payments.states import AskState
from sellers.models import User
from tests.conftest import AT, OPERATOR, SELLER, Placing, again
from tests.orders.lives import tick

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def accepted(place: Placing, card: str) -> Order:
    order = place(card=card)
    services.accept([order.id], by=SELLER, at=AT)
    return order


def really_charged() -> list[tuple[int, int]]:
    """What the provider's own books say: (amount, how often it was asked) of each charge that it made."""
    return list(
        SandboxBook.objects.filter(kind="charge", status="succeeded").values_list(
            "amount_cents", "times_asked"
        )
    )


@pytest.mark.rule("PAY-01")
def test_at_once(place: Placing) -> None:
    order = accepted(place, "ok")
    assert again(order).state == State.DEBIT
    tick("charge", AT)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged() == [(8400, 1)]
    assert dict(Posting.objects.values_list("account", "amount_cents")) == {
        Account.PROVIDER: 8400,
        Account.PENDING: -8400,
    }


@pytest.mark.rule("PAY-02")
def test_sometimes_it_takes_minutes_and_is_asked_about_until_it_answers(place: Placing) -> None:
    order = accepted(place, "slow")
    tick("charge", AT)
    charge = Charge.objects.get()
    assert (charge.state, again(order).state) == (AskState.ASKED, State.DEBIT)
    assert charge.due_at is not None
    tick("charge", charge.due_at)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged() == [(8400, 1)]


@pytest.mark.rule("PAY-01")
def test_an_answer_lost_after_charging_is_asked_about_and_not_charged_again(place: Placing) -> None:
    order = accepted(place, "lost")
    tick("charge", AT)
    assert again(order).state == State.DEBIT
    due_at = Charge.objects.get().due_at
    assert due_at is not None
    tick("charge", due_at)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged() == [(8400, 1)]


@pytest.mark.rule("PAY-02")
def test_a_provider_that_is_down_is_asked_again_under_the_same_key(place: Placing) -> None:
    order = accepted(place, "down")
    moment: datetime | None = AT
    for _ in range(3):
        assert moment is not None
        tick("charge", moment)
        moment = Charge.objects.get().due_at
    assert again(order).state == State.AWAITING_SHIPMENT
    assert really_charged() == [(8400, 3)]
    assert SandboxBook.objects.count() == 1


@pytest.mark.rule("PAY-03")
def test_after_an_hour_the_operators_are_told_once(place: Placing, olga: User) -> None:
    accepted(place, "late")
    tick("charge", AT)
    assert tick("debits", AT + HOUR - SECOND).idle
    assert tick("debits", AT + HOUR).done == 1
    assert tick("debits", AT + HOUR).idle
    notice = Notice.objects.get(event="debit_stuck")
    assert (notice.email, notice.payload["amount_cents"]) == (olga.email, 8400)
    assert Charge.objects.get().alerted_at == AT + HOUR


@pytest.mark.rule("PAY-05")
def test_a_refused_debit_fails_the_order_and_nothing_is_owed(place: Placing) -> None:
    order = accepted(place, "refused")
    tick("charge", AT)
    assert again(order).state == State.FAILED
    assert not Posting.objects.exists()
    told = Notice.objects.filter(event="debit_failed").values_list("audience", flat=True)
    assert sorted(told) == ["customer", "seller"]


@pytest.mark.rule("PAY-05")
def test_a_policy_can_have_a_refused_debit_tried_again(channel: Channel, place: Placing) -> None:
    policy = Policy.objects.get(channel=channel)
    publish_policy(channel, policy.rules.model_copy(update={"debit_retries": 1}), by="x", at=AT)
    order = accepted(place, "refused")
    tick("charge", AT)
    assert again(order).state == State.DEBIT
    second = Charge.objects.get(attempt=2)
    assert second.due_at == AT + 4 * HOUR
    tick("charge", second.due_at)
    assert again(order).state == State.FAILED
    assert Charge.objects.count() == 2


def test_an_order_worth_nothing_goes_on_without_a_charge(place: Placing) -> None:
    order = place(("GRATIS", "Muestra", 1, 0, 0))
    services.accept([order.id], by=SELLER, at=AT)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert not Charge.objects.exists()
    assert not Posting.objects.exists()


@pytest.mark.rule("CAN-05")
def test_a_debit_cancelled_before_it_is_asked_is_void(place: Placing) -> None:
    order = accepted(place, "ok")
    services.cancel([order.id], reason="Fraude", by=OPERATOR, at=AT)
    assert tick("charge", AT + HOUR).idle
    assert Charge.objects.get().state == AskState.VOID
    assert not SandboxBook.objects.exists()


@pytest.mark.rule("CAN-05")
def test_a_charge_that_succeeds_after_the_cancellation_is_paid_back_by_itself(place: Placing) -> None:
    order = accepted(place, "late")
    tick("charge", AT)
    services.cancel([order.id], reason="Fraude", by=OPERATOR, at=AT + SECOND)
    tick("charge", AT + 3 * HOUR)
    after = again(order)
    assert (after.state, after.charged_cents, after.refunded_cents) == (State.CANCELLED, 8400, 8400)
    assert Payback.objects.get().due_at is not None
    tick("payback", AT + 3 * HOUR)  # the sandbox takes its two hours here too
    tick("payback", AT + 6 * HOUR)
    assert Payback.objects.get().state == AskState.SUCCEEDED
    sums: dict[str, int] = {}
    for account, cents in Posting.objects.values_list("account", "amount_cents"):
        sums[account] = sums.get(account, 0) + cents
    assert set(sums.values()) == {0}
    assert list(SandboxBook.objects.filter(kind="payback").values_list("amount_cents", "status")) == [
        (8400, "succeeded")
    ]


def test_a_refused_payback_is_shown_and_posts_nothing(place: Placing) -> None:
    order = accepted(place, "norefund")
    tick("charge", AT)
    services.cancel([order.id], reason="Fraude", by=OPERATOR, at=AT)
    tick("payback", AT)
    payback = Payback.objects.get()
    assert (payback.state, payback.message, payback.due_at) == (AskState.REFUSED, "card declined", None)
    due = Posting.objects.filter(account=Account.REFUND_DUE).values_list("amount_cents", flat=True)
    assert list(due) == [-8400]  # still owed to the customer


@pytest.mark.rule("CAN-05")
def test_a_refused_payback_is_told_and_asked_anew_once(place: Placing, olga: User) -> None:
    order = accepted(place, "norefund")
    tick("charge", AT)
    services.cancel([order.id], reason="Fraude", by=OPERATOR, at=AT)
    tick("payback", AT)
    refused = Payback.objects.get()
    notice = Notice.objects.get(event="payback_refused")
    assert (notice.email, notice.payload["amount_cents"]) == (olga.email, 8400)
    SandboxBook.objects.filter(kind="charge").update(card="ok")  # the customer's bank is back
    assert payments.pay_back_again([refused.id], at=AT + HOUR).moved == [refused.id]
    again_refused = payments.pay_back_again([refused.id], at=AT + HOUR).refused
    assert [refusal.code for refusal in again_refused] == [Code.WRONG_STATE]
    tick("payback", AT + HOUR)
    assert sorted(Payback.objects.values_list("state", flat=True)) == [AskState.REFUSED, AskState.SUCCEEDED]
    sums: dict[str, int] = {}
    for account, cents in Posting.objects.values_list("account", "amount_cents"):
        sums[account] = sums.get(account, 0) + cents
    assert set(sums.values()) == {0}


@pytest.mark.rule("PAY-03")
@pytest.mark.rule("PAY-05")
def test_a_second_try_keeps_its_time_and_its_alarm(channel: Channel, place: Placing, olga: User) -> None:
    policy = Policy.objects.get(channel=channel)
    publish_policy(channel, policy.rules.model_copy(update={"debit_retries": 1}), by="x", at=AT)
    order = accepted(place, "refused")
    tick("charge", AT)
    services.hold([order.id], HoldKind.STOCK, by=SELLER, at=AT + SECOND)
    services.release([order.id], HoldKind.STOCK, by=SELLER, at=AT + 2 * SECOND)
    second = Charge.objects.get(attempt=2)
    assert (second.due_at, second.alert_at) == (AT + 4 * HOUR, AT + 5 * HOUR)
    Charge.objects.filter(attempt=2).update(card="late")
    tick("charge", AT + 4 * HOUR)
    assert tick("debits", AT + 5 * HOUR).done == 1


@pytest.mark.rule("PAY-01")
def test_a_worker_that_comes_back_after_its_lease_does_nothing(place: Placing) -> None:
    order = accepted(place, "ok")
    (slow,) = outbox.claim(Charge, due_by=AT, at=AT, count=1, lease=timedelta(minutes=2))
    later = AT + timedelta(minutes=3)
    tick("charge", later)
    assert again(order).state == State.AWAITING_SHIPMENT
    payments.ask_charge(slow, at=later)
    assert really_charged() == [(8400, 1)]
    assert Posting.objects.count() == 2


def test_a_provider_that_breaks_gives_the_row_back_and_the_next_is_done(
    channel: Channel, place: Placing
) -> None:
    broken, fine = accepted(place, "ok"), accepted(place, "ok")
    Charge.objects.filter(order=broken).update(provider="nobody")
    tally = tick("charge", AT)
    assert (tally.done, tally.parked) == (1, 1)
    assert (again(broken).state, again(fine).state) == (State.DEBIT, State.AWAITING_SHIPMENT)
    charge = Charge.objects.get(order=broken)
    assert "nobody" in charge.last_error
    assert charge.due_at is not None
    assert charge.due_at > AT


def test_a_hold_between_claim_and_question_pauses_the_charge(place: Placing) -> None:
    order = accepted(place, "ok")
    (claimed,) = outbox.claim(Charge, due_by=AT, at=AT, count=1, lease=timedelta(minutes=2))
    services.hold([order.id], HoldKind.OPERATOR, by=OPERATOR, at=AT)
    payments.ask_charge(claimed, at=AT)
    assert not SandboxBook.objects.exists()
    services.release([order.id], HoldKind.OPERATOR, by=OPERATOR, at=AT + HOUR)
    tick("charge", AT + HOUR)
    assert again(order).state == State.AWAITING_SHIPMENT
