"""¿Por qué he cobrado esto?: from a payout to its statement, each order, each posting, and a difference of nothing."""

import csv
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard import statement_views
from ledger.models import Posting
from ledger.services import adjust
from marketplace.models import Channel
from orders.models import CommissionRate, Order
from orders.states import State
from refunds import refunding
from sellers.models import Shop, Supplier, User
from settlements.models import Paper, PaperDownload, Statement, StatementLine
from settlements.services import answer_payouts
from tests.conftest import AT, OPERATOR, SELLER, again
from tests.dashboard.pages import browser, get, link, listed
from tests.orders.lives import brought_to, tick
from tests.refunds.test_refunding import part, wish
from tests.settlements.test_cycles import APRIL, MID_APRIL, NET

pytestmark = pytest.mark.django_db

STEPS = re.compile(r"<dt>([^<]*)(?:<small>([^<]*)</small>)?</dt><dd>([^<]*)</dd>")
DIFFERENCE = re.compile(r'<div class="proof( wrong)?"><dt>Diferencia</dt><dd>([^<]*)</dd>')


def steps(page: str) -> list[tuple[str, str]]:
    """The terms of the sum on a page, with their amounts."""
    return [(text, amount) for text, _how, amount in STEPS.findall(page)]


def difference(page: str) -> tuple[bool, str]:
    """Whether a page says that its sum is wrong, and by how much."""
    (found,) = DIFFERENCE.findall(page)
    return bool(found[0]), found[1]


@pytest.fixture
def settled(channel: Channel, shop: Shop) -> Statement:
    """A statement of three orders, one of them refunded in part before and one after it was received."""
    first, second, _third = brought_to(State.RECEIVED, channel, shop, 3)
    refunding.refund(
        second, wish(part(Order.objects.get(id=second), 2000)), by=SELLER, at=APRIL - timedelta(days=3)
    )
    tick("statements", APRIL)
    refunding.refund(
        first,
        wish(part(Order.objects.get(id=first), 1000), cover=True),
        by=OPERATOR,
        at=APRIL + timedelta(days=1),
    )
    return Statement.objects.get(cycle__closes_at=APRIL)


@pytest.mark.rule("SET-06")
def test_from_the_payout_to_the_order_to_the_posting(settled: Statement, alice: User) -> None:
    client = browser(alice)
    page = get(client, "/liquidaciones/")
    address = link(page, "<b>Hasta el 31 de marzo de 2026")
    assert address == f"/liquidaciones/{settled.id}/"
    page = get(client, address)
    assert steps(page) == [
        ("Saldo anterior", "0,00 €"),
        ("Pedidos recibidos", "252,00 €"),
        ("Comisión de los pedidos", "−30,24 €"),
        ("IVA de la comisión", "−6,36 €"),
        ("Reembolsos a clientes", "−20,00 €"),
        ("Comisión que vuelve por los reembolsos", "2,40 €"),
        ("IVA de la comisión que vuelve", "0,51 €"),
        ("Saldo", "198,31 €"),
        ("Pagado", "198,31 €"),
        ("Saldo anterior", "0,00 €"),
        ("Apuntes de estas líneas", "198,31 €"),
        ("Pasa a la siguiente liquidación", "0,00 €"),
        ("Pagado según el libro", "198,31 €"),
        ("Diferencia", "0,00 €"),
    ]
    assert settled.payout_cents == 3 * NET - (2000 - 240 - 51) == 19831
    assert difference(page) == (False, "0,00 €")
    first = Order.objects.order_by("id")[0]
    assert listed(page)[0] == first.reference
    address, _hash, anchor = link(page, f"<b>{first.reference}").partition("#")
    page = get(client, address)
    assert f'id="{anchor}"' in page
    postings = Posting.objects.filter(entry__order_id=first.id).values_list("id", flat=True)
    assert {int(found) for found in re.findall(r'id="apunte-(\d+)"', page)} == set(postings)


@pytest.mark.rule("SET-06")
def test_the_books_of_an_order_say_how_each_cent_was_worked_out(settled: Statement, alice: User) -> None:
    order = Order.objects.order_by("id")[0]
    page = get(browser(alice), f"/pedidos/{order.reference}/cuentas/")
    assert STEPS.findall(page) == [
        ("Cobrado al cliente", "", "84,00 €"),
        ("Devuelto al cliente", "", "−10,00 €"),
        ("Comisión", "12 % de 84,00 €", "−10,08 €"),
        ("IVA de la comisión", "21 % de 10,08 €", "−2,12 €"),
        ("Comisión que vuelve por los reembolsos", "", "1,20 €"),
        ("IVA de la comisión que vuelve", "", "0,26 €"),
        ("Reembolsos que cubre el operador", "", "8,54 €"),
        ("Según el pedido", "", "71,80 €"),
        ("Según el libro", "", "71,80 €"),
        ("Diferencia", "", "0,00 €"),
    ]
    assert "Política 1 de Tienda de pruebas, publicada el 1 de febrero de 2026" in page
    assert page.count("En la liquidación hasta el 31 de marzo de 2026") == 1


@pytest.mark.rule("SET-06")
def test_a_rate_with_dates_is_named_beside_what_it_came_to(channel: Channel, shop: Shop, alice: User) -> None:
    CommissionRate.objects.create(
        channel=channel, shop=shop, basis_points=500, from_day=AT.date() - timedelta(days=5)
    )
    (order_id,) = brought_to(State.RECEIVED, channel, shop)
    page = get(browser(alice), f"/pedidos/{Order.objects.get(id=order_id).reference}/cuentas/")
    assert ("Comisión", "5 % de 84,00 € (de esta tienda)", "−4,20 €") in STEPS.findall(page)
    assert difference(page) == (False, "0,00 €")


@pytest.mark.rule("SET-06")
def test_before_receipt_the_money_is_pending_and_not_yet_the_shops(
    channel: Channel, shop: Shop, alice: User
) -> None:
    (order_id,) = brought_to(State.SHIPPED, channel, shop)
    order = Order.objects.get(id=order_id)
    refunding.refund(order_id, wish(part(order, 2000)), by=SELLER, at=AT + timedelta(days=1))
    page = get(browser(alice), f"/pedidos/{order.reference}/cuentas/")
    assert "Lo que está pendiente de recibir" in page
    assert steps(page) == [
        ("Cobrado al cliente", "84,00 €"),
        ("Devuelto al cliente", "−20,00 €"),
        ("Según el pedido", "64,00 €"),
        ("Según el libro", "64,00 €"),
        ("Diferencia", "0,00 €"),
    ]


@pytest.mark.broken_books
@pytest.mark.rule("SET-06")
def test_a_line_that_is_lost_shows_as_a_difference(settled: Statement, alice: User) -> None:
    line = StatementLine.objects.filter(statement=settled).order_by("id")[2]
    assert line.orders_cents == 8400
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM settlements_statementline WHERE id = %s", [line.id])
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert difference(get(browser(alice), f"/liquidaciones/{settled.id}/")) == (True, "−71,80 €")


@pytest.mark.rule("SET-06")
def test_a_long_statement_is_proved_by_the_page_that_is_already_there(
    settled: Statement, alice: User, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement_views, "PROVED_AT_ONCE", 3)
    client, address = browser(alice), f"/liquidaciones/{settled.id}/"
    page = get(client, address)
    assert DIFFERENCE.findall(page) == []
    assert (link(page, "Comprobarlo con el libro"), f'hx-get="{address}prueba/"' in page) == (
        f"{address}prueba/",
        True,
    )
    part = get(client, f"{address}prueba/", **{"HX-Request": "true"})
    assert (difference(part), "<html" in part) == ((False, "0,00 €"), False)
    whole = get(client, f"{address}prueba/")
    assert (difference(whole), "De dónde sale" in whole) == ((False, "0,00 €"), True)
    assert browser(charlie).get(f"{address}prueba/").status_code == 404


@pytest.mark.rule("SET-06")
def test_the_file_has_every_posting_and_ends_in_nothing(
    settled: Statement, alice: User, channel: Channel
) -> None:
    adjust(settled.shop_id, channel.id, -500, "EUR", key="1", note="=1+1", at=APRIL + timedelta(days=2))
    brought_to(State.RECEIVED, channel, settled.shop)
    tick("statements", MID_APRIL)
    for one in Statement.objects.order_by("id"):
        answer = browser(alice).get(f"/liquidaciones/{one.id}.csv")
        assert answer["Content-Disposition"].startswith('attachment; filename="liquidacion-2026-')
        rows = list(csv.reader(StringIO(answer.getvalue().decode("utf-8-sig"))))
        head, opening, *body, balance, carried, paid, missing = rows
        assert {len(row) for row in rows} == {len(head)}
        assert (opening[1], balance[1], carried[1], paid[1], missing[1]) == (
            "Saldo anterior", "Saldo", "Pasa a la siguiente liquidación", "Pagado", "Diferencia",
        )  # fmt: skip
        assert (paid[9], missing[9]) == (f"{one.payout_cents / 100:.2f}", "0.00")
        entries = StatementLine.objects.filter(statement=one).values_list("entry_id", flat=True)
        wanted = set(Posting.objects.filter(entry__in=entries).values_list("id", flat=True))
        wanted |= set(Posting.objects.filter(entry__key=f"statement:{one.id}").values_list("id", flat=True))
        assert {int(row[5]) for row in body} == wanted
        assert len(body) == len(wanted) > 5
        assert {row[11] for row in body} <= {"", "'=1+1"}
    assert [row[11] for row in body if row[11]] == ["'=1+1"] * 2


def test_a_page_of_lines_costs_the_same_with_one_and_with_fifty(
    channel: Channel, shop: Shop, alice: User
) -> None:
    brought_to(State.RECEIVED, channel, shop)
    tick("statements", APRIL)
    brought_to(State.RECEIVED, channel, shop, 60)
    tick("statements", MID_APRIL)
    few, many = Statement.objects.order_by("id")
    client = browser(alice)
    counted = {}
    for one in (few, many):
        get(client, f"/liquidaciones/{one.id}/")
        with CaptureQueriesContext(connection) as seen:
            page = get(client, f"/liquidaciones/{one.id}/")
        counted[one.id] = len(seen), len(listed(page))
    assert (counted[few.id][1], counted[many.id][1]) == (1, 50)
    assert counted[few.id][0] == counted[many.id][0]
    second = link(page, "Siguientes")
    assert len(listed(get(client, second))) == 10
    first = link(get(client, second), "Anteriores")
    assert listed(get(client, first)) == listed(page)


@pytest.mark.rule("SET-05", "SET-06")
def test_what_the_bank_sent_back_is_followed_to_where_it_went(settled: Statement, alice: User) -> None:
    client = browser(alice)
    page = f"/liquidaciones/{settled.id}/"
    answer_payouts([settled.payout.id], paid=True, at=APRIL)
    assert "El banco devolvió" not in get(client, page)
    answer_payouts([settled.payout.id], paid=False, answer="AC04", at=APRIL + timedelta(days=2))
    shown = get(client, page)
    assert "Su importe está otra vez en tu saldo y entra en la próxima liquidación." in shown
    assert 'href="/tienda/cobro/"' in shown
    assert difference(shown) == (False, "0,00 €")
    tick("statements", MID_APRIL)
    later = Statement.objects.exclude(id=settled.id).get()
    assert f'<a class="link" href="/liquidaciones/{later.id}/">liquidación hasta' in get(client, page)
    back = get(client, f"/liquidaciones/{later.id}/")
    assert f'<a href="{page}"><b>Transferencia fallida</b></a>' in back
    assert difference(back) == (False, "0,00 €")


@pytest.mark.rule("DOC-04", "ROL-05")
def test_the_file_is_for_whoever_has_to_do_with_the_money_and_on_record(
    settled: Statement, alice: User, bob: User
) -> None:
    file = f"/liquidaciones/{settled.id}.csv"
    support = browser(bob)
    assert f'href="{file}"' not in get(support, f"/liquidaciones/{settled.id}/")
    assert support.get(file).status_code == 403
    assert not PaperDownload.objects.exists()
    answer = browser(alice).get(file)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
    given = PaperDownload.objects.get()
    assert (given.paper, given.subject_id, given.user_id) == (Paper.POSTINGS_CSV, settled.id, alice.id)


@pytest.mark.rule("ROL-01", "ROL-04")
def test_another_shop_a_supplier_and_a_stranger_see_nothing(
    settled: Statement, alice: User, charlie: User, norte: Supplier, nuria: User
) -> None:
    order = Order.objects.order_by("id")[0]
    addresses = [
        f"/liquidaciones/{settled.id}/", f"/liquidaciones/{settled.id}.csv",
        f"/pedidos/{order.reference}/cuentas/",
    ]  # fmt: skip
    assert [browser(alice).get(address).status_code for address in addresses] == [200, 200, 200]
    assert [browser(charlie).get(address).status_code for address in addresses] == [404, 404, 404]
    both = [*addresses, "/liquidaciones/", "/liquidaciones/retenido/"]
    assert {browser(nuria).get(address).status_code for address in both} == {404}
    assert listed(get(browser(charlie), "/liquidaciones/")) == []
    assert again(order).state == State.CLOSED


def test_a_statement_that_still_collects_is_not_shown(channel: Channel, shop: Shop, alice: User) -> None:
    brought_to(State.RECEIVED, channel, shop)
    assert "Ninguna liquidación todavía" in get(browser(alice), "/liquidaciones/")
    assert browser(alice).get("/liquidaciones/999999999999999999/").status_code == 404
