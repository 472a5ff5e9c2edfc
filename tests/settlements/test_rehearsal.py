"""Rehearsing a settlement: the same code, and nothing stays; runs by hand and what they refuse (SET-01, SET-02)."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ledger.services import adjust
from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused, Tally
from marketplace.services import open_channel
from orders import services
from orders.models import Order
from orders.states import HoldKind, State
from sellers.models import Shop
from settlements import running
from settlements import services as settlements
from settlements.models import Cycle, Payout, Statement
from settlements.running import Run
from tests.conftest import AT, CLOCK, NO_DETAILS, OPERATOR, SELLER
from tests.incidents.claims import claimed
from tests.orders.lives import brought_to, tick
from tests.settlements.acting import refunded

APRIL = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
MID_APRIL = datetime(2026, 4, 15, 22, 0, tzinfo=UTC)
NET = 8400 - 1008 - 212


def whole_database() -> dict[str, Any]:
    """Every row of every table, as a print of each table."""
    with connection.cursor() as cursor:
        names = sorted(connection.introspection.table_names(cursor))
        prints = {}
        for name in names:
            cursor.execute(
                f'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{name}" t'
            )
            prints[name] = cursor.fetchone()
    return prints


def lived(channel: Channel, shop: Shop, other_shop: Shop) -> None:
    """Something of everything that a settlement takes or leaves out."""
    first, *_ = brought_to(State.RECEIVED, channel, shop, 2)
    tick("statements", APRIL)
    settlements.answer_payouts([Payout.objects.get().id], paid=False, answer="x", at=APRIL)
    free, held, disputed = brought_to(State.RECEIVED, channel, other_shop, 3)
    services.hold([held], HoldKind.OPERATOR, by=OPERATOR, at=APRIL)
    claimed(disputed, by=OPERATOR, at=APRIL)
    refunded(first, 2000, by=OPERATOR, at=APRIL + timedelta(days=1))
    adjust(other_shop.id, channel.id, -9000, "EUR", key="1", note="Etiquetas", at=APRIL)
    brought_to(State.SHIPPED, channel, shop, 1)
    assert Order.objects.get(id=free).state == State.RECEIVED


@pytest.fixture
def ground(own_database: str) -> tuple[Channel, Shop]:
    """A channel and a shop, committed."""
    channel = open_channel(
        "tienda",
        "Tienda de pruebas",
        changes=NO_DETAILS,
        by="pruebas",
        at=AT - timedelta(days=30),
    )
    return channel, Shop.objects.create(code="alba", name="Cerámicas Alba")


@pytest.mark.rule("SET-02")
def test_a_rehearsal_leaves_no_trace_in_any_table(ground: tuple[Channel, Shop]) -> None:
    other = Shop.objects.create(code="bruma", name="Bruma Textil")
    lived(*ground, other)
    before = whole_database()
    told = running.rehearse(ground[0], as_of=MID_APRIL, at=APRIL + timedelta(days=3))
    assert whole_database() == before
    assert [(one.shop, one.orders) for one in told.due] == [("Bruma Textil", 1), ("Cerámicas Alba", 1)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE l.locktype = 'advisory' AND d.datname = current_database()"
        )
        assert cursor.fetchone() == (0,)
    assert len(before) > 60


@pytest.mark.django_db
@pytest.mark.rule("SET-02")
def test_the_rehearsal_tells_what_the_run_then_does(channel: Channel, shop: Shop, other_shop: Shop) -> None:
    lived(channel, shop, other_shop)
    told = running.rehearse(channel, as_of=MID_APRIL, at=MID_APRIL)
    done = running.settle(channel, as_of=MID_APRIL, by=OPERATOR, at=MID_APRIL)
    assert (told.closings, told.tally) == (done.closings, done.tally)
    for due in told.due:
        made = Statement.objects.get(shop_id=due.shop_id, cycle__closes_at=MID_APRIL)
        names = [name for name in due._fields if name.endswith("_cents") and name != "last_cents"]
        assert {name: getattr(made, name) for name in names} == {name: getattr(due, name) for name in names}
        assert made.carried_why == due.carried_why
    assert Statement.objects.filter(cycle__closes_at=MID_APRIL).count() == len(told.due) == 2


@pytest.mark.django_db
@pytest.mark.rule("SET-02")
def test_it_says_why_what_is_left_out_and_the_difference(
    channel: Channel, shop: Shop, other_shop: Shop
) -> None:
    lived(channel, shop, other_shop)
    told = running.rehearse(channel, as_of=MID_APRIL, at=APRIL + timedelta(days=3))
    bruma, alba = told.due
    assert (bruma.orders_cents, bruma.adjustments_cents, bruma.payout_cents) == (8400, -9000, 0)
    assert (bruma.carried_cents, bruma.carried_why, bruma.last_cents) == (NET - 9000, "negative", None)
    # The parcel that is on its way by now counts as received by then.
    assert (alba.orders, alba.returned_cents, alba.refunds_cents) == (1, 2 * NET, -2000)
    assert (alba.last_cents, alba.difference_cents) == (2 * NET, NET - 2000 + 240 + 51)
    assert [(one.shop, one.by, one.orders, one.cents) for one in told.left_out] == [
        ("Bruma Textil", "incident", 1, 8400),
        ("Bruma Textil", "operator", 1, 8400),
    ]


def refused(run: Any, channel: Channel, *, as_of: datetime | None, at: datetime) -> Code:
    before = whole_database()
    with pytest.raises(MoveRefused) as error:
        run(channel, as_of=as_of, at=at, **({} if run is running.rehearse else {"by": OPERATOR}))
    assert whole_database() == before
    return error.value.refusal.code


@pytest.mark.django_db
@pytest.mark.rule("SET-01", "SET-02")
def test_what_cannot_be_settled_is_refused_with_its_reason(channel: Channel, shop: Shop) -> None:
    soon = APRIL + timedelta(days=1)
    for run in (running.settle, running.start, running.rehearse):
        assert refused(run, channel, as_of=None, at=APRIL) == Code.NOTHING_DUE
    for run in (running.settle, running.start):
        assert refused(run, channel, as_of=soon, at=APRIL) == Code.NOT_YET
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    for run in (running.settle, running.start, running.rehearse):
        assert refused(run, channel, as_of=APRIL, at=soon) == Code.SETTLED_SINCE
        assert refused(run, channel, as_of=AT, at=soon) == Code.SETTLED_SINCE


@pytest.mark.rule("SET-03")
def test_a_run_at_work_is_left_alone(ground: tuple[Channel, Shop]) -> None:
    """Another connection has the channel in hand."""
    brought_to(State.RECEIVED, ground[0], ground[1], 1)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [settlements._LOCK, ground[0].id])
        for run in (running.settle, running.start, running.rehearse):
            assert refused(run, ground[0], as_of=APRIL, at=APRIL) == Code.RUN_AT_WORK
        # A server lets go of what a closed connection held when it comes to it, which may be a moment later.
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [settlements._LOCK, ground[0].id])
    other.close()
    assert isinstance(running.settle(ground[0], by=OPERATOR, at=APRIL), Run)


@pytest.mark.django_db
@pytest.mark.rule("SET-01")
def test_by_hand_outside_of_the_calendar(channel: Channel, shop: Shop) -> None:
    early, late = brought_to(State.AWAITING_SHIPMENT, channel, shop, 2)
    moment = APRIL + timedelta(days=4)
    for order_id, off in ((early, timedelta()), (late, timedelta(hours=1))):
        services.ship(
            {order_id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=moment - timedelta(days=21) + off
        )
    run = running.settle(channel, as_of=moment, by=OPERATOR, at=moment + timedelta(days=2))
    assert (run.closings, run.tally.done) == ([moment], 1)
    assert Order.objects.get(id=early).state == State.CLOSED
    tick("statements", MID_APRIL)  # the calendar goes on
    assert Order.objects.get(id=late).state == State.CLOSED
    assert list(Cycle.objects.order_by("id").values_list("closes_at", flat=True)) == [moment, MID_APRIL]
    assert list(Payout.objects.values_list("amount_cents", flat=True)) == [NET, NET]


@pytest.mark.django_db
@pytest.mark.rule("SET-01", "SET-03")
def test_started_from_a_page_the_timer_closes_it(channel: Channel, shop: Shop) -> None:
    brought_to(State.RECEIVED, channel, shop, 1)
    cycle = running.start(channel, as_of=APRIL - timedelta(days=2), by=OPERATOR, at=APRIL - timedelta(days=1))
    assert (cycle.ended_at, cycle.asked_by, Statement.objects.count()) == (None, "Olga Operadora", 0)
    tally = tick("statements", APRIL - timedelta(days=1))
    assert (tally.done, Payout.objects.get().amount_cents) == (1, NET)


@pytest.mark.django_db
@pytest.mark.rule("SET-03")
def test_what_a_killed_run_left_comes_first(channel: Channel, shop: Shop) -> None:
    first, second = brought_to(State.RECEIVED, channel, shop, 2)
    cycle = Cycle.objects.create(channel=channel, closes_at=APRIL)
    settlements.collect(cycle, [first], by=CLOCK, at=APRIL)
    told = running.rehearse(channel, as_of=MID_APRIL, at=MID_APRIL)
    assert told.closings == [APRIL, MID_APRIL]
    assert [(one.payout_cents, one.last_cents) for one in told.due] == [(2 * NET, None)]
    done = running.settle(channel, as_of=MID_APRIL, by=OPERATOR, at=MID_APRIL)
    assert (done.closings, done.tally.done) == ([APRIL, MID_APRIL], 1)
    assert Order.objects.get(id=second).state == State.CLOSED
    assert Payout.objects.get().amount_cents == 2 * NET
    assert done.tally != Tally()


@pytest.mark.django_db
@pytest.mark.rule("SET-03")
def test_what_comes_late_for_a_closed_statement_of_a_killed_run_waits_for_the_next(
    channel: Channel, shop: Shop, other_shop: Shop
) -> None:
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    Cycle.objects.update(ended_at=None)  # killed between its last statement and its end
    for whose, key in ((shop, "late"), (other_shop, "other")):
        adjust(whose.id, channel.id, 300, "EUR", key=key, note="Tarde", at=APRIL - timedelta(hours=1))
    tick("statements", APRIL + timedelta(hours=1))
    assert Cycle.objects.get().ended_at is not None
    of_first = Statement.objects.filter(cycle__closes_at=APRIL).order_by("shop_id")
    assert [one.payout_cents for one in of_first] == [NET, 300]
    tick("statements", MID_APRIL)
    assert Statement.objects.get(cycle__closes_at=MID_APRIL).payout_cents == 300


@pytest.mark.django_db
@pytest.mark.rule("SET-03")
def test_a_channel_that_cannot_be_closed_stops_no_other(channel: Channel, shop: Shop) -> None:
    other = open_channel("otro", "Otro canal", by="pruebas", at=AT - timedelta(days=30))
    brought_to(State.RECEIVED, channel, shop, 1)
    brought_to(State.RECEIVED, other, shop, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN IF NEW.channel_id = {channel.id} THEN RAISE 'no'; END IF; RETURN NEW; END$$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON settlements_cycle"
            " FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()"
        )
    with pytest.raises(ExceptionGroup, match="did not close"):
        tick("statements", APRIL)
    assert list(Statement.objects.values_list("channel__code", "payout_cents")) == [("otro", NET)]


@pytest.mark.django_db
@pytest.mark.rule("SET-02")
def test_a_rehearsal_looks_a_year_ahead_and_no_further(channel: Channel, shop: Shop) -> None:
    brought_to(State.RECEIVED, channel, shop, 1)
    assert running.rehearse(channel, as_of=AT + timedelta(days=360), at=AT).due
    with pytest.raises(MoveRefused) as refused:
        running.rehearse(channel, as_of=datetime(9999, 12, 31, tzinfo=UTC), at=AT)
    assert refused.value.refusal.code == Code.TOO_FAR_AHEAD


@pytest.mark.django_db
@pytest.mark.rule("SET-01", "SET-02")
def test_the_command_rehearses_and_settles(channel: Channel, shop: Shop) -> None:
    brought_to(State.RECEIVED, channel, shop, 1)
    out = StringIO()
    call_command("settle", "--channel=tienda", "--rehearse", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["rehearsed"], told["settled"], told["due"][0]["payout_cents"]) == (True, 1, NET)
    assert not Cycle.objects.exists()
    out = StringIO()
    call_command("settle", "--rehearse", stdout=out)
    assert "Only a rehearsal: nothing was kept." in out.getvalue()
    assert "Cerámicas Alba" in out.getvalue()
    out = StringIO()
    call_command("settle", stdout=out)
    assert "orders settled: 1." in out.getvalue()
    assert Payout.objects.get().amount_cents == NET
    out = StringIO()
    call_command("settle", stdout=out)
    assert "nothing_due" in out.getvalue()
    for words in (
        ["--channel=nadie"],
        ["--as-of=ayer"],
        ["--as-of=2026-04-01T00:00"],
        ["--as-of=2020-01-01T00:00Z"],
    ):
        with pytest.raises(CommandError):
            call_command("settle", *words, stdout=StringIO())
    assert Cycle.objects.count() == 1
