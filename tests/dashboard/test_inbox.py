"""The inbox: what each filter shows, pages by keyset, search in two languages, and what a stranger finds."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard import inbox_queries
from marketplace.models import Channel
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Message, Thread
from messaging.recipients import CUSTOMER, OPERATOR, SUPPLIER
from orders.models import Order
from sellers.desk import seller
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import OPERATOR as OLGA
from tests.conftest import SELLER, Placing, _member, _person
from tests.dashboard.pages import browser, get
from tests.dashboard.talking import HOUR, asks

ROW = re.compile(r'<li(?: class="is-new")?><div class="by">.*?<p class="gist"[^>]*>(.*?)</p>', re.DOTALL)


def rows(page: str) -> list[str]:
    """What was last said in each conversation of the list."""
    return [unescape(gist) for gist in ROW.findall(page)]


@pytest.fixture
def said(place: Placing, alice: User, norte: Supplier) -> dict[str, Order]:
    """Five conversations: one waits, one is late, one is with the operator, one with a supplier, one is answered."""
    orders = {name: place(served=[norte]) for name in ("waits", "late", "operator", "supplier", "answered")}
    long_ago = timezone.now() - timedelta(days=30)
    asks(orders["answered"], "contestada", at=long_ago)
    thread = Thread.objects.get(order=orders["answered"])
    at = long_ago + HOUR
    conversing.write(thread.id, Words("hecho"), to=CUSTOMER, take_back=False, by=SELLER, at=at)
    asks(orders["late"], "tarde", at=timezone.now() - timedelta(days=20))
    asks(orders["operator"], "al operador", by=SELLER, to=OPERATOR)
    conversing.start(
        orders["supplier"].shop,
        Words("al taller"),
        to=SUPPLIER,
        order=orders["supplier"],
        supplier=norte,
        take_back=False,
        by=SELLER,
        at=timezone.now() - HOUR / 2,
    )
    asks(orders["waits"], "espera", at=timezone.now() - HOUR / 4)
    Thread.objects.filter(order=orders["operator"]).update(
        assignee=Membership.objects.get(user=alice), reason_code="stock"
    )
    return orders


@pytest.mark.rule("MSG-01")
@pytest.mark.usefixtures("said")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["espera", "al taller", "al operador", "tarde", "hecho"]),
        ("ver=esperan", ["tarde", "espera"]),
        ("ver=retraso", ["tarde"]),
        ("ver=sin-leer", ["espera", "tarde", "hecho"]),
        ("ver=mias", ["al operador"]),
        ("de=cliente", ["espera", "tarde", "hecho"]),
        ("de=operador", ["al operador"]),
        ("de=proveedor", ["al taller"]),
        ("motivo=stock", ["al operador"]),
        ("motivo=delay", []),
        ("ver=esperan&de=operador", []),
    ],
)
def test_each_filter_shows_its_conversations(asked: str, found: list[str], alice: User) -> None:
    assert rows(get(browser(alice), f"/mensajes/?{asked}")) == found


@pytest.mark.rule("MSG-01", "ORD-03")
@pytest.mark.usefixtures("said")
def test_the_home_page_counts_what_waits_and_leads_to_it(alice: User) -> None:
    page = get(browser(alice), "/")
    assert '<strong>2</strong><a class="whole" href="/mensajes/?ver=esperan">Esperan respuesta</a>' in page
    assert '<a class="soft" href="/mensajes/?ver=retraso">1 con retraso</a>' in page
    assert '<strong>3</strong><a class="whole" href="/mensajes/?ver=sin-leer">Mensajes sin leer</a>' in page
    assert '<span class="n hot">2<span class="unseen"> esperan respuesta</span>' in page


@pytest.mark.usefixtures("said")
def test_nonsense_is_named_and_left_out(alice: User) -> None:
    asked = "/mensajes/?ver=todo&de=nadie&motivo=x%00&despues=ayer&antes=2~3&buscar=%00"
    page = get(browser(alice), asked)
    assert len(rows(page)) == 5
    assert page.count("no se entiende") == 5


@pytest.mark.rule("MSG-01")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("jarrones", ["El jarrón llegó roto"]),
        ("romper", []),
        ("broken", ["Two vases were broken"]),
        ("vase", ["Two vases were broken"]),
        ("jarrón -roto", []),
        ('"llegó roto"', ["El jarrón llegó roto"]),
        ("roto or vase", ["Two vases were broken", "El jarrón llegó roto"]),
        ("' ) & | ! :*", []),
        ("Ana Soler", ["Two vases were broken", "El jarrón llegó roto"]),
    ],
)
def test_words_are_found_in_both_languages(
    words: str, found: list[str], place: Placing, other_shop: Shop, channel: Channel, alice: User
) -> None:
    asks(place(), "El jarrón llegó roto")
    asks(place(), "Two vases were broken", at=timezone.now() - HOUR / 2)
    asks(place(shop=other_shop), "Un jarrón roto, a broken vase, Ana Soler")
    shown = rows(unescape(get(browser(alice), f"/mensajes/?buscar={words}")))
    assert shown == found or (words == "romper" and shown == ["El jarrón llegó roto"])


@pytest.mark.rule("MSG-01")
def test_a_conversation_is_found_by_its_order(place: Placing, alice: User) -> None:
    asks(order := place(), "Hola")
    asks(place(), "Adiós")
    assert rows(get(browser(alice), f"/mensajes/?buscar={order.reference}")) == ["Hola"]


@pytest.mark.rule("MSG-06")
def test_what_is_not_to_be_seen_yet_is_in_nobody_elses_inbox(place: Placing, alice: User, bob: User) -> None:
    order, client = place(), browser(alice)
    told = {"to": "cliente", "reason": "delay", "text": "Un secreto"}
    client.post(f"/pedidos/{order.reference}/mensajes/nueva/", told)
    assert rows(get(client, "/mensajes/")) == ["Un secreto"]
    assert rows(get(browser(bob), "/mensajes/")) == []
    assert rows(get(browser(bob), "/mensajes/?buscar=secreto")) == []


@pytest.mark.rule("ROL-01", "ROL-04")
@pytest.mark.usefixtures("said")
def test_a_stranger_finds_nothing_and_a_supplier_no_inbox(charlie: User, nuria: User) -> None:
    assert rows(get(browser(charlie), "/mensajes/")) == []
    assert rows(get(browser(charlie), "/mensajes/?buscar=espera")) == []
    assert browser(nuria).get("/mensajes/").status_code == 404
    page = get(browser(nuria), "/")
    assert "/mensajes/" not in page


def many(order: Order, count: int) -> None:
    """Conversations a minute apart, the first the newest; two in three wait."""
    now = timezone.now()
    threads = Thread.objects.bulk_create(
        Thread(
            shop=order.shop, channel=order.channel, order=order, subject=f"Asunto {n}", started_at=now,
            written_at=now - timedelta(minutes=n), messages_count=1, waiting=bool((n + 1) % 3), with_customer=True,
            answer_by=now + timedelta(minutes=n) if (n + 1) % 3 else None,
        )
        for n in range(count)
    )  # fmt: skip
    Message.objects.bulk_create(
        Message(
            shop=order.shop, thread=thread, role="customer", author="Ana", to_shop=True, body=f"n{n:03}",
            written_at=thread.written_at, visible_at=thread.written_at, answer_by=thread.answer_by,
        )
        for n, thread in enumerate(threads)
    )  # fmt: skip


@pytest.mark.rule("MSG-01")
@pytest.mark.parametrize(("tab", "wanted"), [("", 120), ("esperan", 80)])
def test_pages_follow_each_other_there_and_back(tab: str, wanted: int, place: Placing, alice: User) -> None:
    many(place(), 120)
    client, address, seen = browser(alice), f"/mensajes/?ver={tab}", list[list[str]]()
    while address:
        page = get(client, address)
        seen.append(rows(page))
        found = re.search(r'href="([^"]+)"[^>]*>Siguientes', page)
        address = unescape(found[1]) if found else ""
    told = [gist for one in seen for gist in one]
    assert told == sorted(told)
    assert (len(told), len(set(told))) == (wanted, wanted)
    back = re.search(r'href="([^"]+)"[^>]*>Anteriores', page)
    assert back
    assert rows(get(client, unescape(back[1]))) == seen[-2]


@pytest.mark.rule("MSG-01")
@pytest.mark.parametrize("asked", ["", "?ver=esperan", "?ver=sin-leer&de=cliente&buscar=n"])
def test_the_list_costs_the_same_however_long(asked: str, place: Placing, alice: User) -> None:
    order, client, costs = place(), browser(alice), []
    get(client, "/mensajes/")
    for count in (1, inbox_queries.PAGE):
        many(order, count)
        with CaptureQueriesContext(connection) as taken:
            get(client, f"/mensajes/{asked}")
        costs.append(len(taken))
    assert costs[0] == costs[1] <= 10, [query["sql"][:100] for query in taken]


@pytest.mark.rule("MSG-01")
@pytest.mark.usefixtures("said")
def test_htmx_gets_the_list_alone(alice: User) -> None:
    page = get(browser(alice), "/mensajes/?ver=esperan", **{"HX-Request": "true"})
    assert page.lstrip().startswith('<div class="stack found"')
    assert rows(page) == ["tarde", "espera"]


def test_nothing_to_read_is_said(shop: Shop, alice: User) -> None:
    reader = _member(_person("rita@alba.example", "Rita"), shop, Membership.Role.READER)
    assert "Aún no hay mensajes" in get(browser(reader), "/mensajes/")
    assert "Nada espera tu respuesta" in get(browser(alice), "/mensajes/?ver=esperan")
    assert "Ninguna conversación así" in get(browser(alice), "/mensajes/?buscar=nada")


def test_readers_may_look_and_not_take(place: Placing, shop: Shop, alice: User) -> None:
    asks(place(), by=OLGA)
    reader = _member(_person("rita@alba.example", "Rita"), shop, Membership.Role.READER)
    assert "Me la quedo" not in get(browser(reader), "/mensajes/")
    assert "Me la quedo" in get(browser(alice), "/mensajes/")


@pytest.mark.rule("MSG-01")
def test_a_search_reads_the_words_of_its_shop_alone(place: Placing, alice: User) -> None:
    many(place(), 3000)
    member = Membership.objects.get(user=alice)
    rows = inbox_queries.said(member, "jarrón", by=seller(member), at=timezone.now()).values("id")
    statement, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message")
        cursor.execute("SET LOCAL enable_seqscan = off")  # in a table this small reading it all is no dearer
        cursor.execute(f"EXPLAIN {statement}", params)
        told = " ".join(row[0] for row in cursor.fetchall())
    assert re.search(
        r"message_words_of_shop .*Index Cond: \(\(shop_id = '\d+'::bigint\) AND \(words @@", told
    ), told
