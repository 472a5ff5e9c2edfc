"""Addresses of the list that nobody types, people who may not accept, and what the style sheets promise."""

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from markupsafe import escape

from dashboard import queries
from marketplace.models import Channel
from sellers.models import Shop, User
from tests.dashboard.pages import HOUR, browser, furnished, get, link, listed, placed

pytestmark = pytest.mark.django_db

CSS = Path(__file__).parents[2] / "static" / "css"


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("desde=999999999999/1/2026", "Recibido desde: no se entiende"),
        ("hasta=1/1/999999999999", "Recibido hasta: no se entiende"),
        ("despues=9999-12-31T23:59:59.999999-14:00~1", "Página: no se entiende"),
        ("antes=9999-12-31T23:59:59.999999-14:00~1", "Página: no se entiende"),
        ("despues=0001-01-01T00:00:00%2B14:00~1", "Página: no se entiende"),
    ],
)
def test_a_moment_out_of_all_time_is_named(question: str, named: str, shop: Shop, alice: User) -> None:
    assert named in get(browser(alice), f"/pedidos/?{question}")


def test_days_that_end_before_they_start_are_named_and_left_out(
    channel: Channel, shop: Shop, alice: User
) -> None:
    mine = furnished(channel, shop)
    page = get(browser(alice), "/pedidos/?desde=2026-03-02&hasta=2026-03-01&plazo=hoy")
    assert "Recibido desde 02/03/2026 hasta 01/03/2026: acaba antes de empezar; no se aplica" in page
    assert listed(page) == [mine["expiring"]]
    assert "desde=" not in link(page, "Por enviar <span>")


def test_a_field_and_its_chip_have_one_name(shop: Shop, alice: User) -> None:
    page = get(browser(alice), "/pedidos/?desde=2026-03-01&hasta=2026-03-02&plazo=hoy&orden=envio")
    for name in ("Recibido desde", "Recibido hasta", "Plazo", "Orden"):
        assert re.search(rf"<label for=\"id_\w+\">{name}</label>", page), name
        assert f'<span class="chip">{name} <b>' in page, name


def test_an_empty_list_says_which_and_offers_no_keys(channel: Channel, shop: Shop, alice: User) -> None:
    furnished(channel, shop)
    client = browser(alice)
    assert "<kbd>j</kbd>" in get(client, "/pedidos/")
    page = get(client, "/pedidos/?estado=cerrados")
    assert "Ningún pedido está en «Cerrados»." in page
    assert "<kbd>j</kbd>" not in page
    assert "Ningún pedido así" in get(client, "/pedidos/?estado=cerrados&buscar=nada")


def test_counts_stop_where_nobody_reads_them(
    channel: Channel, shop: Shop, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = furnished(channel, shop)
    monkeypatch.setattr(queries, "COUNTED", 2)
    page = get(browser(alice), "/pedidos/")
    assert len(listed(page)) == len(mine)
    assert "Todos <span>2+</span>" in page
    assert "Por aceptar <span>2</span>" in page
    assert "Por enviar <span>2+</span>" in page
    assert "Más de 2 pedidos" in page


@pytest.mark.parametrize("number", ["A&B", 'x"<i>', "ñ 1%", "a;b=c:d@e", "%(href)s", "#1?x"])
def test_a_row_leads_to_its_order_whatever_its_number(
    channel: Channel, shop: Shop, alice: User, number: str
) -> None:
    order = placed(channel, shop, number, timezone.now() - HOUR)
    client = browser(alice)
    page = get(client, "/pedidos/")
    assert listed(page) == [order.reference]
    assert link(page, f"<b>{escape(order.reference)}</b>") == reverse("order", args=[order.reference])
    assert f'name="only" value="{escape(order.reference)}"' in page


@pytest.mark.rule("ROL-01")
def test_who_may_not_accept_is_not_asked_to(channel: Channel, shop: Shop, alice: User, bob: User) -> None:
    furnished(channel, shop)
    owner, support = get(browser(alice), "/"), get(browser(bob), "/")
    assert link(owner, "Aceptar pedidos") == "/pedidos/?estado=por-aceptar"
    assert 'name="only"' in owner
    assert "Aceptar pedidos" not in support
    for page in (support, get(browser(bob), "/pedidos/")):
        assert 'name="only"' not in page
        assert "#enviar" not in page
        assert not link(page, "Aceptar…")


def test_the_style_sheets_keep_a_long_word_inside_and_a_refusal_red() -> None:
    def rule(sheet: str, selector: str) -> str:
        text = (CSS / sheet).read_text()
        return text.partition(f"  {selector} {{")[2].partition("}")[0]

    assert "max-inline-size: 100%" in rule("badge.css", ".chip")
    assert "overflow-wrap: anywhere" in rule("badge.css", ".chip b")
    assert "var(--late)" in rule("button.css", '.choice [value="refuse"]:checked + span')


def test_beyond_the_end_the_first_page_is_offered(channel: Channel, shop: Shop, alice: User) -> None:
    placed(channel, shop, "Z1", timezone.now() - HOUR)
    for beyond in ("despues=2000-01-01T00:00:00Z~1", "antes=2099-01-01T00:00:00Z~1"):
        page = get(browser(alice), f"/pedidos/?estado=por-aceptar&{beyond}")
        assert "Ningún pedido así" not in page
        assert link(page, "Ir a la primera página") == "/pedidos/?estado=por-aceptar"


@pytest.mark.parametrize("words", ["\u0301", " \u0301 \u0308", "%00"])
def test_a_search_without_a_letter_is_none(channel: Channel, shop: Shop, alice: User, words: str) -> None:
    order = placed(channel, shop, "Z1", timezone.now() - HOUR)
    page = get(browser(alice), f"/pedidos/?buscar={words}")
    assert listed(page) == [order.reference]
    assert 'class="chip"' not in page


def test_a_null_character_is_named_like_any_nonsense(shop: Shop, alice: User) -> None:
    assert "Estado: no se entiende “\ufffd”" in get(browser(alice), "/pedidos/?estado=%00")


def test_a_long_reference_is_cut_and_not_the_page() -> None:
    rule = (CSS / "orders_list.css").read_text().partition(".orders .number {")[2].partition("}")[0]
    assert "max-inline-size: 22ch" in rule
    assert "text-overflow: ellipsis" in rule


@pytest.mark.parametrize("sort", ["envio", "aceptacion"])
def test_by_deadline_the_pages_run_on_into_what_has_none(
    channel: Channel, shop: Shop, alice: User, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, client = furnished(channel, shop), browser(alice)
    whole = listed(get(client, f"/pedidos/?orden={sort}"))
    assert sorted(whole) == sorted(mine.values())
    first = {"envio": ["late", "held", "to-ship"], "aceptacion": ["expiring", "fresh"]}[sort]
    assert whole[: len(first)] == [mine[name] for name in first]
    for size in (1, 2, 4):
        monkeypatch.setattr(queries, "PAGE", size)
        pages, address = [], f"/pedidos/?orden={sort}"
        while address:
            with CaptureQueriesContext(connection) as ran:
                page = get(client, address)
            assert len(ran) <= 8
            pages.append((address, listed(page)))
            address, back = link(page, "Siguientes"), link(page, "Anteriores")
        assert [one for _address, rows in pages for one in rows] == whole
        for _address, rows in reversed(pages[:-1]):
            page = get(client, back)
            assert listed(page) == rows
            back = link(page, "Anteriores")
        assert back == ""
