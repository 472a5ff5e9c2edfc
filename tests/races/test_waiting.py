"""Somebody has an order in hand when another comes for it: the second waits its turn, and looks again."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from marketplace import bulk, celery, outbox
from orders import services
from orders.models import Hold, Order
from orders.states import HoldKind, State
from payments import services as payments
from payments.models import Charge, Payback
from payments.states import AskState
from sellers.models import User
from settlements.models import Payout
from settlements.queries import next_closing_of
from tests.admin.test_many import choose, confirm, text
from tests.conftest import AT, OPERATOR, SELLER
from tests.orders.lives import HOUR, brought_to, placed, tick
from tests.races.arena import PATIENCE_S, broken_invariants
from tests.races.conftest import Ground

INSTANT = timedelta(microseconds=1)


def meanwhile(first: Callable[[], object], second: Callable[[], object]) -> None:
    """Do `first` in a transaction that is committed only when `second` waits for it, or has ended without."""
    done, ended = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                first()
                done.set()
                while not _somebody_waits() and not ended.wait(0.001):
                    pass
        finally:
            done.set()
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert done.wait(PATIENCE_S)
    try:
        second()
    finally:
        ended.set()
        thread.join()


def _somebody_waits() -> bool:
    return bool(
        bulk.fetch(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' "
            "AND transactionid = pg_current_xact_id()::xid"
        )
    )


@pytest.mark.rule("SET-01")
@pytest.mark.rule("SET-03")
def test_a_settlement_leaves_out_no_order_that_somebody_has_in_hand(ground: Ground) -> None:
    """The next cycle is half a month away, and what they do does not stop settlement; the run began before they did."""
    first, second = brought_to(State.RECEIVED, ground.channel, ground.shop, 2)
    closes_at = next_closing_of(ground.channel)
    assert closes_at is not None
    meanwhile(
        lambda: services.one(services.deliver([second], by=OPERATOR, at=closes_at + INSTANT)),
        lambda: tick("statements", closes_at),
    )
    assert set(Order.objects.filter(id__in=[first, second]).values_list("state", flat=True)) == {State.CLOSED}
    assert [payout.amount_cents for payout in Payout.objects.all()] == [2 * (8400 - 1008 - 212)]
    assert broken_invariants() == []


@pytest.mark.rule("ORD-06")
def test_a_presale_put_off_at_its_last_moment_does_not_end(ground: Ground) -> None:
    """The clock comes for a pre-sale whose date has come while the seller replaces it by a later one."""
    (order_id,) = placed(ground.channel, ground.shop, 1)
    until = AT + 24 * HOUR
    later = until + timedelta(days=7)
    services.one(services.hold([order_id], HoldKind.PRESALE, until=until, by=SELLER, at=AT + HOUR))

    def put_off() -> None:
        services.one(services.release([order_id], HoldKind.PRESALE, by=SELLER, at=until))
        services.one(services.hold([order_id], HoldKind.PRESALE, until=later, by=SELLER, at=until))

    meanwhile(put_off, lambda: tick("presale", until))
    assert list(Hold.objects.filter(released_at=None).values_list("until", flat=True)) == [later]
    assert Order.objects.get(id=order_id).held_at == until
    tick("presale", later)
    assert not Hold.objects.filter(released_at=None).exists()
    assert broken_invariants() == []


@pytest.mark.rule("CAN-05")
@pytest.mark.rule("ORD-11")
def test_an_answer_asked_for_before_a_cancellation_and_heard_after_it(ground: Ground) -> None:
    """The drain keeps the moment at which it began; the history of the order still never goes backwards."""
    (order_id,) = brought_to(State.DEBIT, ground.channel, ground.shop, 1)
    began, cancelled = AT + HOUR, AT + HOUR + timedelta(seconds=2)
    Charge.objects.update(card="lost")
    tick("charge", began)
    began += timedelta(seconds=30)
    cancelled += timedelta(seconds=30)
    (charge,) = outbox.claim(Charge, due_by=began, at=began, count=1, lease=timedelta(minutes=2))
    services.one(services.cancel([order_id], reason="El cliente lo pide", by=OPERATOR, at=cancelled))
    payments.ask_charge(charge, at=began)
    order = Order.objects.get(id=order_id)
    assert (order.state, order.charged_cents, order.refunded_cents) == (State.CANCELLED, 8400, 8400)
    assert [event.at for event in order.events.order_by("-id")[:2]] == [cancelled, cancelled]
    for seconds in (0, 30):  # this card's answer is lost the first time, here too
        tick("payback", cancelled + timedelta(seconds=seconds))
    assert Payback.objects.get().state == AskState.SUCCEEDED
    assert broken_invariants() == []


@pytest.mark.rule("ROL-02", "ORD-10")
def test_an_act_on_many_that_waits_for_another_leaves_what_the_other_moved(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was shown is compared under the lock: an order put on hold between the look and the act is not cancelled."""
    at = timezone.now() - HOUR
    monkeypatch.setattr(
        celery.app, "send_task", lambda *args, **wishes: None
    )  # no worker is there to hear it
    orders = placed(ground.channel, ground.shop, 2, at=at)
    desk = Client()
    desk.force_login(User.objects.create_superuser("olga@operador.example", "una-clave-larga"))
    asked = choose(desk, "cancel_many", [Order.objects.get(id=pk) for pk in orders])
    answers = []

    def put_on_hold() -> None:
        services.one(services.hold(orders[:1], HoldKind.OPERATOR, note="no", by=OPERATOR, at=timezone.now()))

    meanwhile(put_on_hold, lambda: answers.append(confirm(desk, asked, reason="customer-asks")))
    states = [Order.objects.get(id=pk).state for pk in orders]
    assert states == [State.PENDING_ACCEPTANCE, State.CANCELLED]
    assert "Ha cambiado desde que lo viste" in text(answers[0])
    assert broken_invariants() == []
