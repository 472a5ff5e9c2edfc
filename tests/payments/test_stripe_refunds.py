"""Money that goes back through Stripe: once, whatever the wire does; its own books say what was returned."""

from datetime import timedelta

import pytest

from messaging.models import Notice
from orders import services
from orders.models import Order
from payments import services as payments
from payments.models import Payback
from payments.states import AskState
from sellers.models import User
from tests.conftest import OPERATOR, SELLER, Placing, sure
from tests.orders.lives import tick
from tests.payments.conftest import NOW, balances, really_charged, really_returned
from tests.payments.stripe_proxy import FAULTS_AFTER, FAULTS_BEFORE, Fault, Wire

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stripe_channel")]

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FAULTS = (*FAULTS_BEFORE, *FAULTS_AFTER)


def accepted(place: Placing) -> Order:
    order = place(card="pm_card_visa", at=NOW)
    services.accept([order.id], by=SELLER, at=NOW)
    return order


def charged_then_cancelled(place: Placing) -> Order:
    order = accepted(place)
    tick("charge", NOW)
    services.cancel([order.id], reason="Fraude", by=OPERATOR, at=NOW)
    return order


@pytest.mark.rule("CAN-05")
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_all_that_was_charged_goes_back_once_whatever_the_wire_does(
    place: Placing, wire: Wire, fault: Fault | None
) -> None:
    charged_then_cancelled(place)
    if fault:
        wire.fail("refunds", fault)
    for seconds in (0, 30, 60):
        tick("payback", NOW + seconds * SECOND)
    payback = Payback.objects.get()
    assert payback.state == AskState.SUCCEEDED
    assert really_returned(wire) == [8400]
    assert wire.tries("refunds") == (2 if fault in FAULTS_BEFORE else 1)
    assert set(balances().values()) == {0}


@pytest.mark.rule("CAN-05")
def test_two_refunds_under_one_key_are_one(place: Placing, wire: Wire) -> None:
    charged_then_cancelled(place)
    payback = Payback.objects.get()
    desk = payments.desk_of(payback)
    asked = {"reference": sure(payback.charge).reference, "amount_cents": 8400, "currency": "EUR", "at": NOW}
    assert desk.pay_back(payback.key, **asked) == desk.pay_back(payback.key, **asked)  # type: ignore[arg-type]
    assert really_returned(wire) == [8400]


@pytest.mark.rule("CAN-05")
def test_a_refused_refund_is_told_and_asked_anew(place: Placing, wire: Wire, olga: User) -> None:
    charged_then_cancelled(place)
    wire.fail("refunds", Fault.IMPOSSIBLE)
    tick("payback", NOW)
    payback = Payback.objects.get()
    assert (payback.state, payback.message) == (AskState.REFUSED, "payment disputed")
    assert Notice.objects.get(event="payback_refused").email == olga.email
    assert payments.pay_back_again([payback.id], at=NOW + HOUR).moved == [payback.id]
    tick("payback", NOW + HOUR)
    assert really_returned(wire) == [8400]
    assert set(balances().values()) == {0}


@pytest.mark.rule("CAN-05")
def test_a_charge_that_is_found_after_the_cancellation_goes_back_by_itself(
    place: Placing, wire: Wire
) -> None:
    order = accepted(place)
    wire.fail("confirm", Fault.CUT)
    tick("charge", NOW)
    services.cancel([order.id], reason="Fraude", by=OPERATOR, at=NOW + SECOND)
    tick("charge", NOW + HOUR)
    tick("payback", NOW + HOUR)
    assert (really_charged(wire), really_returned(wire)) == ([8400], [8400])
    assert set(balances().values()) == {0}
