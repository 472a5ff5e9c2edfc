"""Closing cycles: who is paid what, once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from ledger.models import Account, Balance, Posting
from ledger.services import adjust
from marketplace.models import Channel, Parked, Policy
from marketplace.refusals import Code, Tally
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import services
from orders.models import Order
from orders.states import HoldKind, State
from sellers.models import Shop
from settlements import queries
from settlements import services as settlements
from settlements.models import Cycle, Payout, Statement, StatementLine
from settlements.states import CarriedWhy, PayoutState
from tests.conftest import AT, CLOCK, OPERATOR, SELLER
from tests.incidents.claims import claimed
from tests.orders.lives import brought_to, tick

pytestmark = pytest.mark.django_db

APRIL = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
"""Midnight of the first of April there; orders of `lives` count as received on 24 March."""

MID_APRIL = datetime(2026, 4, 15, 22, 0, tzinfo=UTC)
NET = 8400 - 1008 - 212


@pytest.mark.rule("SET-01")
def test_the_calendar_is_the_channels_midnights(channel: Channel) -> None:
    assert queries.last_closing(channel, APRIL - timedelta(seconds=1)) == datetime(
        2026, 3, 15, 23, 0, tzinfo=UTC
    )
    assert queries.last_closing(channel, APRIL) == APRIL
    assert queries.next_closing() is None


@pytest.mark.rule("SET-01")
def test_a_statement_a_shop_takes_everything_received(channel: Channel, shop: Shop, other_shop: Shop) -> None:
    brought_to(State.RECEIVED, channel, shop, 3)
    brought_to(State.RECEIVED, channel, other_shop, 1)
    brought_to(State.AWAITING_SHIPMENT, channel, shop, 1)
    assert queries.next_closing() == APRIL
    tick("statements", APRIL)
    told = Statement.objects.order_by("shop__code").values_list(
        "shop__code",
        "orders_cents",
        "commission_cents",
        "commission_vat_cents",
        "payout_cents",
        "lines_count",
    )
    assert list(told) == [("alba", 25200, 3024, 636, 3 * NET, 3), ("bruma", 8400, 1008, 212, NET, 1)]
    assert list(Payout.objects.order_by("shop__code").values_list("amount_cents", "state")) == [
        (3 * NET, PayoutState.IN_TRANSIT),
        (NET, PayoutState.IN_TRANSIT),
    ]
    assert set(Balance.objects.values_list("payable_cents", flat=True)) == {0}
    assert Order.objects.filter(state=State.CLOSED).count() == 4
    assert Notice.objects.filter(event="statement_closed").count() == 2


@pytest.mark.rule("SET-01")
def test_what_is_held_is_not_settled_and_comes_with_the_next_cycle(channel: Channel, shop: Shop) -> None:
    free, held, disputed = brought_to(State.RECEIVED, channel, shop, 3)
    services.hold([held], HoldKind.OPERATOR, by=OPERATOR, at=APRIL - timedelta(days=1))
    claimed(disputed, by=OPERATOR, at=APRIL - timedelta(days=1))
    tick("statements", APRIL)
    assert list(StatementLine.objects.values_list("order_id", flat=True)) == [free]
    assert queries.next_closing() is None
    services.release([held], HoldKind.OPERATOR, by=OPERATOR, at=APRIL + timedelta(days=1))
    assert queries.next_closing() == MID_APRIL
    tick("statements", MID_APRIL)
    assert Order.objects.get(id=held).state == State.CLOSED
    assert Order.objects.get(id=disputed).state == State.RECEIVED


@pytest.mark.rule("SET-01")
def test_what_falls_due_after_the_closing_waits_for_the_next(channel: Channel, shop: Shop) -> None:
    ids = brought_to(State.AWAITING_SHIPMENT, channel, shop, 2)
    parcel = services.Parcel(carrier_name="SEUR")
    for order_id, late in zip(ids, (timedelta(), timedelta(microseconds=1)), strict=True):
        services.ship({order_id: parcel}, by=SELLER, at=APRIL - timedelta(days=21) + late)
    tick("receive", APRIL + timedelta(hours=3))
    tick("statements", APRIL + timedelta(hours=3))
    assert list(StatementLine.objects.values_list("order_id", flat=True)) == ids[:1]


@pytest.mark.rule("SET-01")
def test_a_late_clock_costs_a_shop_no_cycle(channel: Channel, shop: Shop) -> None:
    (order_id,) = brought_to(State.AWAITING_SHIPMENT, channel, shop, 1)
    due = APRIL - timedelta(seconds=30)
    parcel = services.Parcel(carrier_name="SEUR")
    services.ship({order_id: parcel}, by=SELLER, at=due - timedelta(days=21))
    tick("statements", APRIL + timedelta(minutes=5))  # nobody had counted it as received by then
    assert Order.objects.get(id=order_id).state == State.CLOSED
    assert Statement.objects.get().cycle.closes_at == APRIL


@pytest.mark.rule("SET-03")
def test_the_same_closing_twice_pays_once(channel: Channel, shop: Shop) -> None:
    brought_to(State.RECEIVED, channel, shop, 2)
    for _ in range(2):
        settlements.close_cycle(channel, APRIL, tally=Tally(), at=APRIL)
    assert Payout.objects.count() == Statement.objects.count() == Cycle.objects.count() == 1
    assert Payout.objects.get().amount_cents == 2 * NET


@pytest.mark.rule("SET-03")
def test_a_run_that_died_half_way_is_finished_by_the_next(channel: Channel, shop: Shop) -> None:
    first, second = brought_to(State.RECEIVED, channel, shop, 2)
    cycle = Cycle.objects.create(channel=channel, closes_at=APRIL)
    settlements.collect(cycle, [first], by=CLOCK, at=APRIL)
    assert Order.objects.get(id=second).state == State.RECEIVED
    tick("statements", APRIL + timedelta(hours=1))
    assert Payout.objects.get().amount_cents == 2 * NET
    cycle.refresh_from_db()
    assert cycle.ended_at == APRIL + timedelta(hours=1)


@pytest.mark.rule("SET-03")
def test_an_order_let_go_after_its_statement_closed_waits_for_the_next_cycle(
    channel: Channel, shop: Shop
) -> None:
    """A run dies between its last statement and the end of its cycle; nothing is parked for that."""
    first, second = brought_to(State.RECEIVED, channel, shop, 2)
    services.hold([second], HoldKind.OPERATOR, by=OPERATOR, at=APRIL - timedelta(days=1))
    cycle = Cycle.objects.create(channel=channel, closes_at=APRIL)
    settlements.collect(cycle, [first], by=CLOCK, at=APRIL)
    settlements.close_statements(cycle, list(Statement.objects.values_list("id", flat=True)), at=APRIL)
    services.release([second], HoldKind.OPERATOR, by=OPERATOR, at=APRIL)
    tick("statements", APRIL + timedelta(hours=1))
    assert not Parked.objects.exists()
    assert Order.objects.get(id=second).state == State.RECEIVED
    tick("statements", MID_APRIL)
    assert Order.objects.get(id=second).state == State.CLOSED
    assert list(Payout.objects.values_list("amount_cents", flat=True)) == [NET, NET]


@pytest.mark.rule("SET-01")
def test_a_receipt_that_fails_while_closing_is_counted(channel: Channel, shop: Shop) -> None:
    """A trigger of the test refuses one order's receipt: the run says that it set one aside."""
    good, bad = brought_to(State.SHIPPED, channel, shop, 2)
    brought_to(State.RECEIVED, channel, shop, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION pg_temp.no() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'a bad row'; END $$;
            CREATE TRIGGER no BEFORE UPDATE ON orders_order FOR EACH ROW WHEN (OLD.id = {bad})
                EXECUTE FUNCTION pg_temp.no()
            """
        )
    tally = tick("statements", APRIL)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER no ON orders_order")
    assert Parked.objects.get().subject_id == bad
    assert (tally.done, tally.parked) == (StatementLine.objects.count(), 1)
    assert Order.objects.get(id=good).state == State.CLOSED


@pytest.mark.rule("SET-08", "REF-04")
@pytest.mark.parametrize("spent_cents", [1_000, NET])
def test_what_was_spent_since_the_closing_is_not_paid_out_again(
    spent_cents: int, channel: Channel, shop: Shop
) -> None:
    """The run comes a moment after the closing; meanwhile the balance has paid for something else."""
    brought_to(State.RECEIVED, channel, shop, 1)
    soon = APRIL + timedelta(minutes=5)
    adjust(shop.id, channel.id, -spent_cents, "EUR", key="1", note="Reembolso", at=soon)
    tick("statements", soon)
    first = Statement.objects.get()
    assert (first.payout_cents, first.carried_cents) == (NET - spent_cents, spent_cents)
    assert first.carried_why == CarriedWhy.SPENT
    assert Balance.objects.get().payable_cents == 0
    tick("statements", MID_APRIL)
    second = Statement.objects.latest("id")
    assert (second.opening_cents, second.adjustments_cents) == (spent_cents, -spent_cents)
    assert (second.payout_cents, second.carried_cents) == (0, 0)


@pytest.mark.rule("SET-08")
def test_a_negative_balance_is_carried_over_never_paid_never_forgotten(channel: Channel, shop: Shop) -> None:
    adjust(shop.id, channel.id, -10_000, "EUR", key="1", note="Etiquetas", at=AT)
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    first = Statement.objects.get()
    assert (first.adjustments_cents, first.payout_cents, first.carried_cents) == (-10_000, 0, NET - 10_000)
    assert first.carried_why == CarriedWhy.NEGATIVE
    assert not Payout.objects.exists()
    assert Balance.objects.get().payable_cents == NET - 10_000
    adjust(shop.id, channel.id, 20_000, "EUR", key="2", note="Campaña", at=APRIL + timedelta(days=3))
    tick("statements", MID_APRIL)
    second = Statement.objects.latest("id")
    assert (second.opening_cents, second.payout_cents, second.carried_cents) == (
        NET - 10_000,
        NET + 10_000,
        0,
    )
    assert Balance.objects.get().payable_cents == 0


@pytest.mark.rule("SET-08")
def test_below_the_minimum_the_balance_waits(channel: Channel, shop: Shop) -> None:
    rules = Policy.objects.get(channel=channel).rules
    publish_policy(channel, rules.model_copy(update={"minimum_payout_cents": NET + 1}), by="x", at=AT)
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    assert Statement.objects.get().carried_cents == NET
    assert not Payout.objects.exists()
    assert queries.next_closing() is None


@pytest.mark.rule("SET-08")
def test_a_balance_that_rested_is_paid_without_new_orders_once_less_is_asked_for(
    channel: Channel, shop: Shop, other_shop: Shop
) -> None:
    rules = Policy.objects.get(channel=channel).rules
    publish_policy(channel, rules.model_copy(update={"minimum_payout_cents": 2 * NET}), by="x", at=AT)
    brought_to(State.RECEIVED, channel, shop, 1)
    adjust(other_shop.id, channel.id, -500, "EUR", key="1", note="Etiquetas", at=AT)
    tick("statements", APRIL)
    assert set(Statement.objects.values_list("shop__code", "carried_cents")) == {
        ("alba", NET),
        ("bruma", -500),
    }
    publish_policy(channel, rules.model_copy(update={"minimum_payout_cents": NET}), by="x", at=APRIL)
    assert queries.next_closing() == MID_APRIL
    tick("statements", MID_APRIL)
    last = Statement.objects.get(cycle__closes_at=MID_APRIL)
    assert (last.shop, last.opening_cents, last.lines_count, last.carried_cents) == (shop, NET, 0, 0)
    assert Payout.objects.get().amount_cents == last.payout_cents == NET
    assert queries.next_closing() is None
    tick("statements", MID_APRIL)
    assert Statement.objects.count() == 3


@pytest.mark.rule("SET-05")
def test_the_bank_says_paid_once(channel: Channel, shop: Shop) -> None:
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    payout = Payout.objects.get()
    assert settlements.answer_payouts([payout.id], paid=True, at=APRIL).moved == [payout.id]
    again = settlements.answer_payouts([payout.id], paid=True, at=APRIL)
    assert [refusal.code for refusal in again.refused] == [Code.ANSWERED]
    assert Payout.objects.get().state == PayoutState.PAID
    bank = Posting.objects.filter(account__in=[Account.BANK, Account.IN_TRANSIT]).values_list(
        "account", "amount_cents"
    )
    assert sorted(bank) == [("bank", -NET), ("in_transit", -NET), ("in_transit", NET)]


@pytest.mark.rule("SET-05")
def test_a_payout_that_failed_is_back_in_the_balance_and_in_the_next_statement(
    channel: Channel, shop: Shop
) -> None:
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    settlements.answer_payouts([Payout.objects.get().id], paid=False, answer="cuenta cerrada", at=APRIL)
    assert Balance.objects.get().payable_cents == NET
    assert queries.next_closing() == MID_APRIL
    tick("statements", MID_APRIL)
    assert Statement.objects.latest("id").payout_cents == NET
    assert sorted(Payout.objects.values_list("state", flat=True)) == [
        PayoutState.FAILED,
        PayoutState.IN_TRANSIT,
    ]


def test_queries_do_not_grow_with_the_orders(channel: Channel, shop: Shop) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for closes_at, many in ((APRIL, 1), (MID_APRIL, 40)):
        brought_to(State.RECEIVED, channel, shop, many)
        with CaptureQueriesContext(connection) as captured:
            settlements.close_cycle(channel, closes_at, tally=Tally(), at=closes_at)
        counts.append(len(captured))
    assert counts[0] == counts[1]
