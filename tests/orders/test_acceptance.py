"""The seller's answer, and the deadline that answers for them."""

from datetime import timedelta

import pytest

from ledger.models import Entry
from marketplace.models import Channel, Parked
from marketplace.refusals import Code
from messaging.models import Notice
from orders import services
from orders.models import Event, Line
from orders.states import Decision, State
from payments.models import Charge
from sellers.models import Shop
from tests.conftest import AT, CLOCK, SELLER, Placing, again, row, sure
from tests.orders.lives import placed, tick

pytestmark = pytest.mark.django_db

INSTANT = timedelta(microseconds=1)
H72 = timedelta(hours=72)


@pytest.mark.rule("ORD-02")
def test_at_the_deadline_it_can_be_accepted_and_an_instant_later_not(place: Placing) -> None:
    in_time, late = place(), place()
    assert services.accept([in_time.id], by=SELLER, at=sure(in_time.accept_by)).moved
    before = row(late)
    outcome = services.accept([late.id], by=SELLER, at=sure(late.accept_by) + INSTANT)
    assert [refusal.code for refusal in outcome.refused] == [Code.DEADLINE_PASSED]
    assert row(late) == before
    assert not Charge.objects.filter(order=late).exists()


@pytest.mark.rule("ORD-02")
def test_after_72_hours_it_is_cancelled_nothing_is_charged_and_both_are_told(place: Placing) -> None:
    order = place()
    assert tick("expire", AT + H72).done == 0
    assert again(order).state == State.PENDING_ACCEPTANCE
    assert tick("expire", AT + H72 + INSTANT).done == 1
    assert again(order).state == State.CANCELLED
    assert not Charge.objects.exists()
    assert not Entry.objects.exists()
    told = Notice.objects.filter(event="expire").values_list("audience", flat=True)
    assert sorted(told) == ["customer", "seller"]


@pytest.mark.rule("ORD-02")
def test_72_hours_are_72_hours_when_the_clocks_change(channel: Channel, place: Placing) -> None:
    before_the_change = AT.replace(month=3, day=28)
    assert sure(place(at=before_the_change).accept_by) - before_the_change == H72


@pytest.mark.rule("ORD-04")
def test_accepting_starts_the_handling_clock_and_ends_the_auto_cancel(place: Placing) -> None:
    friday = AT.replace(day=6)
    order = place(at=friday)
    services.accept([order.id], by=SELLER, at=friday)
    # 48 hours of working days from Friday at 11:00 there: Friday 13 h, Monday 24 h, Tuesday 11 h.
    assert again(order).ship_by == friday + timedelta(days=4)
    assert tick("expire", friday + timedelta(days=9)).done == 0
    assert again(order).state == State.DEBIT


@pytest.mark.rule("ORD-05")
def test_a_refused_line_is_not_charged(place: Placing) -> None:
    order = place()
    jar, plate = Line.objects.filter(order=order).order_by("id")
    moved = services.accept(
        {order.id: services.Answer({plate.id: "Sin existencias"})}, by=SELLER, at=AT
    ).moved
    assert moved[0].data["refused"] == [
        {"line": plate.external_id, "title": plate.title, "units": 1, "reason": "Sin existencias"}
    ]
    after = again(order)
    assert (after.goods_cents, after.shipping_cents, after.total_cents) == (6600, 400, 7000)
    assert (after.commission_cents, after.commission_vat_cents) == (840, 176)
    assert after.items_text == f"{jar.title} ×{jar.quantity}"
    assert Charge.objects.get().amount_cents == 7000
    decisions = dict(Line.objects.values_list("sku", "decision"))
    assert decisions == {jar.sku: Decision.ACCEPTED, plate.sku: Decision.REFUSED}


@pytest.mark.rule("ORD-05")
@pytest.mark.parametrize(
    ("reasons", "code"),
    [
        ({"jar": "x", "plate": "y"}, Code.NOTHING_CHOSEN),
        ({"plate": ""}, Code.REASON_NEEDED),
        ({"stranger": "x"}, Code.UNKNOWN_LINE),
    ],
)
def test_an_answer_that_makes_no_sense_changes_nothing(
    reasons: dict[str, str], code: Code, place: Placing
) -> None:
    order, strangers = place(), place()
    jar, plate = Line.objects.filter(order=order).order_by("id")
    stranger = Line.objects.filter(order=strangers).earliest("id")
    ids = {"jar": jar.id, "plate": plate.id, "stranger": stranger.id}
    before, lines = row(order), list(Line.objects.order_by("id").values())
    answer = services.Answer({ids[name]: reason for name, reason in reasons.items()})
    outcome = services.accept({order.id: answer}, by=SELLER, at=AT)
    assert [refusal.code for refusal in outcome.refused] == [code]
    assert row(order) == before
    assert list(Line.objects.order_by("id").values()) == lines


@pytest.mark.rule("ORD-05")
def test_refusing_all_refuses_the_order_with_its_reason(place: Placing) -> None:
    order = place()
    assert services.refuse([order.id], reason="", by=SELLER, at=AT).refused[0].code == Code.REASON_NEEDED
    assert again(order).state == State.PENDING_ACCEPTANCE
    services.refuse([order.id], reason="Sin existencias", by=SELLER, at=AT)
    assert again(order).state == State.REFUSED
    assert set(Line.objects.values_list("decision", "refuse_reason")) == {
        (Decision.REFUSED, "Sin existencias")
    }
    assert Event.objects.latest("id").data == {"reason": "Sin existencias"}
    assert not Charge.objects.exists()


@pytest.mark.rule("ORD-11")
def test_a_click_and_a_job_over_many_write_the_same_history(channel: Channel, shop: Shop) -> None:
    ids = placed(channel, shop, 25)
    tick("expire", AT + H72 + INSTANT)
    told = set(Event.objects.filter(verb="expire").values_list("before", "after", "role", "by"))
    assert told == {(State.PENDING_ACCEPTANCE, State.CANCELLED, "platform", "platform")}
    assert Event.objects.filter(verb="expire").count() == len(ids)


def test_a_click_on_an_order_that_is_not_there_is_answered(place: Placing) -> None:
    order = place()
    outcome = services.accept([order.id, 10**12], by=SELLER, at=AT)
    assert [move.order_id for move in outcome.moved] == [order.id]
    assert [(refusal.id, refusal.code) for refusal in outcome.refused] == [(10**12, Code.UNKNOWN_ORDER)]


def test_an_event_older_than_the_last_one_is_out_of_order(place: Placing) -> None:
    order = place()
    before = row(order)
    outcome = services.accept([order.id], by=SELLER, at=AT - INSTANT)
    assert [refusal.code for refusal in outcome.refused] == [Code.OUT_OF_ORDER]
    assert row(order) == before


def test_one_bad_row_is_parked_and_never_stops_the_rest(
    channel: Channel, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history that cannot be written (a trigger of the test refuses it) sets one order aside, with its trace."""
    from django.db import connection

    good, bad = placed(channel, shop, 6), placed(channel, shop, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION pg_temp.no() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'a bad row'; END $$;
            CREATE TRIGGER no BEFORE UPDATE ON orders_order FOR EACH ROW WHEN (OLD.id = {bad[0]})
                EXECUTE FUNCTION pg_temp.no()
            """
        )
    at = AT + H72 + INSTANT
    tally = tick("expire", at)
    assert (tally.done, tally.parked) == (len(good), 1)
    parked = Parked.objects.get()
    assert parked.subject_id == bad[0]
    assert "a bad row" in parked.trace
    assert tick("expire", at).idle
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER no ON orders_order")
    assert tick("expire", parked.retry_at).done == 1
    assert not Parked.objects.exists()


def test_the_clock_cannot_be_cheated_by_expiring_early(place: Placing) -> None:
    order = place()
    before = row(order)
    outcome = services.expire([order.id], by=CLOCK, at=sure(order.accept_by))
    assert [refusal.code for refusal in outcome.refused] == [Code.TOO_EARLY]
    assert row(order) == before
