"""Sending: once, whoever drains; later when the server is down; never when refused for good or muted."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.mail import mailers
from django.db import IntegrityError, connection, connections, transaction

from marketplace import outbox
from marketplace.refusals import Tally
from marketplace.services import open_channel
from messaging import sending
from messaging.models import Notice
from messaging.queries import next_notice
from messaging.services import muted, tell_shops
from orders import services
from orders.models import Order
from sellers.models import Shop
from tests.conftest import AT, SELLER, Placing, basket
from tests.conftest import row as row_of
from tests.messaging.conftest import Post, Server, drain

ROOT = Path(__file__).resolve().parents[2]
SECOND = timedelta(seconds=1)


def notice(shop: Shop, *, email: str = "pedidos@alba.example", **fields: Any) -> Notice:
    """A notice of a statement, due at AT."""
    payload = {
        "shop": shop.name, "channel_id": None, "closes_at": AT.isoformat(), "orders": 3,
        "payout_cents": 5984, "carried_cents": 0, "currency": "EUR",
    }  # fmt: skip
    wanted: dict[str, Any] = {"event": "statement_closed", "payload": payload, "due_at": AT, **fields}
    return Notice.objects.create(audience="seller", shop=shop, email=email, language="es", **wanted)


def stands(row: Notice) -> tuple[Any, ...]:
    """How a notice stands: due, sent, given up, tries, its last error."""
    row.refresh_from_db()
    assert (row.claimed_by, row.claimed_until) == (None, None)
    return row.due_at, row.sent_at, row.given_up_at, row.tries, row.last_error


def near(moment: Any) -> Any:
    """A moment of a run: its start, moved on by the little that it takes."""
    return pytest.approx(moment, abs=timedelta(seconds=5))


@pytest.mark.rule("NOT-01")
@pytest.mark.django_db
def test_what_is_undone_tells_nobody(place: Placing, server: Server) -> None:
    order = place()
    Notice.objects.all().delete()
    with transaction.atomic():
        assert services.accept([order.id], by=SELLER, at=AT).moved
        assert Notice.objects.count() == 1
        transaction.set_rollback(True)
    assert Order.objects.get().state == "pending_acceptance"
    assert Notice.objects.count() == 0
    assert (drain(AT).idle, server.received) == (True, [])


@pytest.mark.rule("NOT-01")
@pytest.mark.django_db
def test_a_notice_that_cannot_be_written_undoes_its_move(place: Placing) -> None:
    order = place()
    untouched = row_of(order)
    before = Notice.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE messaging_notice ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    with pytest.raises(IntegrityError, match="full_up"), transaction.atomic():
        services.cancel([order.id], reason="Roto", by=SELLER, at=AT)
    assert row_of(order) == untouched
    assert Notice.objects.count() == before


@pytest.mark.rule("NOT-01")
@pytest.mark.django_db
def test_a_task_delivered_twice_sends_once(shop: Shop, server: Server) -> None:
    row = notice(shop)
    assert (drain(AT).done, drain(AT).done) == (1, 0)
    assert server.ids == [f"<notice-{row.pk}@localhost>"]
    assert stands(row) == (None, near(AT), None, 1, "")
    assert next_notice() is None


@pytest.mark.django_db
def test_a_batch_goes_over_one_connection(shop: Shop, server: Server, monkeypatch: Any) -> None:
    monkeypatch.setattr(sending, "BATCH", 4)
    for n in range(10):
        notice(shop, email=f"a{n}@b.example")
    assert drain(AT).done == 10
    assert [str(mail["To"]) for mail in server.received] == [f"a{n}@b.example" for n in range(10)]
    assert server.connections == 3


@pytest.mark.rule("NOT-01")
@pytest.mark.django_db
def test_muted_notices_are_never_sent(shop: Shop, server: Server) -> None:
    payload = {
        "closes_at": AT.isoformat(),
        "orders": 1,
        "payout_cents": 1,
        "carried_cents": 0,
        "currency": "EUR",
    }
    with muted():
        assert tell_shops("statement_closed", [(shop.id, payload)], at=AT) == 1
    assert (Notice.objects.get().muted, next_notice()) == (True, None)
    assert drain(AT + timedelta(days=400)).idle
    assert server.received == []


@pytest.mark.rule("NOT-01")
@pytest.mark.django_db
def test_a_server_that_is_down_costs_nothing_but_the_wait(
    shop: Shop, post: Post, django_mail_patch_dns: None
) -> None:
    rows = [notice(shop), notice(shop, email="otra@alba.example")]
    at = AT
    waits = []
    for _attempt in range(6):
        tally = drain(at)
        assert (tally.done, tally.parked, dict(tally.refused)) == (0, 2, {})
        due_at, sent_at, given_up_at, tries, error = stands(rows[0])
        assert (sent_at, given_up_at) == (None, None)
        assert error.startswith("ConnectionRefusedError")
        assert drain(due_at - SECOND).idle
        waits.append(round((due_at - at).total_seconds()))
        at = due_at + SECOND
    assert waits == [10, 30, 60, 300, 300, 300]
    assert tries == sending.TRIES_WHILE_DOWN
    post.up()
    assert drain(at).done == 2
    assert post.server.ids == [f"<notice-{row.pk}@localhost>" for row in rows]
    assert [stands(row)[1] for row in rows] == [near(at), near(at)]


@pytest.mark.rule("NOT-01")
@pytest.mark.django_db
@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_what_is_refused_for_good_is_given_up_and_not_tried_again(
    command: str, shop: Shop, server: Server
) -> None:
    row, other = notice(shop, email="nadie@alba.example"), notice(shop)
    server.says[command, "nadie@alba.example"] = ["550 5.1.1 no such mailbox"]
    tally = drain(AT)
    assert (tally.done, tally.parked, dict(tally.refused)) == (1, 0, {"given_up": 1})
    assert stands(row) == (None, None, near(AT), 1, "550 5.1.1 no such mailbox")
    assert stands(other)[1] == near(AT)
    assert drain(AT + timedelta(days=30)).idle
    assert server.ids == [f"<notice-{other.pk}@localhost>"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "email", ["nadie", "a@b@c.example", "a b@c.example", "a@b.example\nBcc: x@y.example"]
)
def test_an_address_that_is_none_is_given_up(email: str, shop: Shop, server: Server) -> None:
    row = notice(shop, email=email)
    assert dict(drain(AT).refused) == {"given_up": 1}
    assert stands(row)[:3] == (None, None, near(AT))
    assert server.received == []


@pytest.mark.rule("NOT-01")
@pytest.mark.django_db
@pytest.mark.parametrize("command", ["RCPT", "DATA", "MAIL"])
def test_what_is_refused_for_now_is_tried_again(command: str, shop: Shop, server: Server) -> None:
    row = notice(shop)
    server.says[command, "*"] = ["451 4.7.1 greylisted"]
    assert drain(AT).parked == 1
    assert stands(row) == (near(AT + 10 * SECOND), None, None, 1, "451 4.7.1 greylisted")
    assert drain(AT + 20 * SECOND).done == 1
    assert server.ids == [f"<notice-{row.pk}@localhost>"]


@pytest.mark.django_db
def test_patience_ends_after_so_many_tries(shop: Shop, server: Server) -> None:
    row = notice(shop)
    server.says["RCPT", "*"] = ["450 busy"] * sending.MOST_TRIES
    at = AT
    for attempt in range(1, sending.MOST_TRIES):
        drain(at)
        due_at, _sent, given_up_at, tries, _error = stands(row)
        assert (given_up_at, tries) == (None, attempt)
        at = due_at
    assert dict(drain(at).refused) == {"given_up": 1}
    assert stands(row) == (None, None, near(at), sending.MOST_TRIES, "450 busy")
    assert at - AT > timedelta(hours=20)


@pytest.mark.django_db
@pytest.mark.parametrize("answer", ["530 5.7.0 authentication required", "553 sender not allowed"])
def test_a_server_that_takes_nothing_from_us_is_as_good_as_down(
    answer: str, shop: Shop, server: Server
) -> None:
    rows = [notice(shop), notice(shop)]
    server.says["MAIL", "*"] = [answer]
    tally = drain(AT)
    assert (tally.done, tally.parked, dict(tally.refused)) == (0, 2, {})
    assert [stands(row)[4] for row in rows] == [answer, answer]
    assert drain(AT + 20 * SECOND).done == 2


@pytest.mark.django_db
def test_a_server_that_hangs_up_is_called_again(shop: Shop, server: Server) -> None:
    first, second, third = (notice(shop) for _ in range(3))
    server.says["RCPT", "*"] = ["", "421 too many mails"]
    tally = drain(AT)
    assert (tally.done, tally.parked) == (2, 1)
    assert server.connections == 2
    assert stands(second)[:3] == (near(AT + 10 * SECOND), None, None)
    assert drain(AT + 20 * SECOND).done == 1
    assert server.ids == [f"<notice-{row.pk}@localhost>" for row in (first, third, second)]


@pytest.mark.rule("NOT-01")
@pytest.mark.django_db
def test_a_notice_that_cannot_be_written_out_never_blocks_the_others(shop: Shop, server: Server) -> None:
    broken = notice(shop, payload={"shop": "Alba"}, due_at=AT - SECOND)
    unknown = notice(shop, event="no_such_event", due_at=AT - SECOND)
    good = notice(shop)
    tally = drain(AT)
    assert (tally.done, tally.parked) == (1, 2)
    assert server.ids == [f"<notice-{good.pk}@localhost>"]
    assert stands(broken)[:4] == (near(AT + 10 * SECOND), None, None, 1)
    assert stands(broken)[4].startswith("UndefinedError: 'payout_cents' is undefined")
    assert stands(unknown)[4].startswith("TemplateNotFound")


@pytest.mark.django_db
def test_a_run_lets_go_of_the_rest_when_its_time_is_over(
    shop: Shop, server: Server, monkeypatch: Any
) -> None:
    rows = [notice(shop) for _ in range(3)]
    server.on_data = lambda message: monkeypatch.setattr(sending, "LONGEST_RUN", timedelta())
    assert drain(AT).done == 1
    assert [stands(row)[3] for row in rows] == [1, 0, 0]
    monkeypatch.setattr(sending, "LONGEST_RUN", timedelta(minutes=1))
    server.on_data = lambda message: None
    assert drain(AT).done == 2
    assert server.ids == [f"<notice-{row.pk}@localhost>" for row in rows]


@pytest.mark.rule("NOT-01")
@pytest.mark.django_db
def test_a_claim_lapses_and_whoever_held_it_comes_too_late(
    shop: Shop, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    row = notice(shop)
    slow = outbox.claim(Notice, due_by=AT, at=AT, count=10, lease=sending.LEASE)
    assert [held.pk for held in slow] == [row.pk]
    assert drain(AT + sending.LEASE - SECOND).idle
    assert drain(AT + sending.LEASE + SECOND).done == 1
    tally = Tally()
    sending.Run(mailers.default, at=AT, tally=tally).send(slow)
    assert (tally.idle, len(server.received)) == (True, 1)
    assert stands(row)[3] == 2


@pytest.fixture
def committed(own_database: str) -> Iterator[Shop]:
    """A shop of a database of the test's own, with 40 new orders: 80 notices."""
    channel = open_channel("tienda", "Tienda de pruebas", by="pruebas", at=AT)
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    services.place(channel, [basket(shop) for _ in range(40)])
    yield shop
    connections.close_all()


def _drain_in_thread(gate: threading.Barrier, done: list[int]) -> None:
    try:
        connections["default"].ensure_connection()
        gate.wait(timeout=10)
        done.append(drain(AT).done)
    finally:
        connections.close_all()


@pytest.mark.rule("NOT-01")
def test_two_workers_at_once_send_each_mail_once(committed: Shop, server: Server, monkeypatch: Any) -> None:
    monkeypatch.setattr(sending, "BATCH", 7)
    gate, done = threading.Barrier(3), list[int]()
    workers = [threading.Thread(target=_drain_in_thread, args=(gate, done)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert sum(done) == 80
    assert sum(n > 0 for n in done) > 1, "the workers did not share the work"
    assert sorted(server.ids) == sorted(f"<notice-{row.pk}@localhost>" for row in Notice.objects.all())
    assert Notice.objects.filter(sent_at=None).count() == 0


@pytest.mark.rule("NOT-01")
def test_killed_between_the_servers_answer_and_the_mark_it_is_sent_again_as_the_same_mail(
    committed: Shop, own_database: str, post: Post, server: Server
) -> None:
    first = Notice.objects.order_by("due_at", "id")[0]
    worker: subprocess.Popen[bytes]

    def kill(message: EmailMessage) -> None:
        worker.kill()
        worker.wait()

    server.on_data = kill
    worker = _worker(own_database, post)
    worker.wait(timeout=60)
    assert server.ids == [f"<notice-{first.pk}@localhost>"]
    first.refresh_from_db()
    assert (first.sent_at, first.message_id, first.claimed_by is None) == (None, server.ids[0], False)
    server.on_data = lambda message: None
    assert drain(AT + sending.LEASE + timedelta(minutes=1)).done == 80
    assert [server.ids.count(one) for one in dict.fromkeys(server.ids)] == [2] + [1] * 79
    again = [mail for mail in server.received if mail["Message-ID"] == server.ids[0]]
    assert [mail["To"] for mail in again] == [again[0]["To"]] * 2


def _worker(database: str, post: Post) -> "subprocess.Popen[bytes]":
    """A process of its own that sends what is due at AT."""
    env = dict(
        os.environ,
        DATABASE_URL=urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl(),
        TRASTIENDA_SMTP_URL=f"smtp://127.0.0.1:{post.port}",
    )
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", _SEND.format(at=AT.isoformat())],
        cwd=ROOT,
        env=env,
    )


_SEND = """
from datetime import datetime
from django.core.mail.utils import DNS_NAME
from marketplace.refusals import Tally
from messaging.tasks import send_notices
DNS_NAME._fqdn = "localhost"
send_notices(at=datetime.fromisoformat("{at}"), tally=Tally())
"""


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """The server of the tests tells every step; only what we log is of interest here."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
