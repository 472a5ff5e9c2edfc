"""The orders list: tabs, search, filters, order, pages, in few reads, and deaf to nonsense."""

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard import queries
from marketplace.models import Channel
from marketplace.policy import Preset
from marketplace.services import open_channel
from orders import services
from orders.models import Order
from sellers.models import Shop, User
from tests.conftest import ANA, AT, JAR, PLATE, SELLER, anas, basket
from tests.dashboard.pages import DAY, HOUR, browser, furnished, get, link, listed, placed, shipped, tab_count

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice: User) -> Client:
    return browser(alice)


def many(channel: Channel, shop: Shop, count: int, prefix: str = "M") -> list[str]:
    """References of so many new orders, the newest first."""
    now = timezone.now()
    new = [
        basket(
            shop, JAR, at=now - HOUR - n * timedelta(minutes=1), number=f"{prefix}-{n:04}", customer=anas(n)
        )
        for n in range(count)
    ]
    return [moved.reference for moved in services.place(channel, new).moved]


TABS = {
    "Todos": None,
    "Por aceptar": {"expiring", "fresh"},
    "Débito": {"debit"},
    "Por enviar": {"late", "held", "to-ship"},
    "Enviados": {"late-arriving", "shipped"},
    "Entregados": {"delivered"},
    "Recibidos": {"received"},
    "Cerrados": set(),
    "No completados": {"refused"},
}


def test_each_tab_counts_and_shows_its_states(
    channel: Channel, shop: Shop, other_shop: Shop, client: Client
) -> None:
    mine = furnished(channel, shop)
    furnished(channel, other_shop, "Y")
    page = get(client, "/pedidos/")
    for tab, situations in TABS.items():
        wanted = set(mine.values()) if situations is None else {mine[name] for name in situations}
        assert tab_count(page, tab) == len(wanted), tab
        assert set(listed(get(client, link(page, f"{tab} <span>")))) == wanted, tab


@pytest.mark.rule("SHP-09")
@pytest.mark.parametrize(
    ("asked", "situations"),
    [
        ("plazo=retraso", {"late"}),
        ("plazo=entrega-tarde", {"late-arriving"}),
        ("plazo=espera", {"held"}),
        ("plazo=hoy", {"expiring"}),
        ("plazo=semana", {"expiring", "fresh", "to-ship"}),
        ("plazo=semana&estado=por-enviar", {"to-ship"}),
    ],
)
def test_filters_by_deadline(
    channel: Channel, shop: Shop, client: Client, asked: str, situations: set[str]
) -> None:
    mine = furnished(channel, shop)
    assert set(listed(get(client, f"/pedidos/?{asked}"))) == {mine[name] for name in situations}


def test_filters_by_day_of_the_site(channel: Channel, shop: Shop, client: Client) -> None:
    mine = furnished(channel, shop)
    day = timezone.localdate(Order.objects.get(reference=mine["late"]).placed_at)
    for written in (f"{day:%Y-%m-%d}", f"{day:%d/%m/%Y}"):
        assert listed(get(client, f"/pedidos/?desde={written}&hasta={written}")) == [mine["late"]]
    assert mine["late"] not in listed(get(client, f"/pedidos/?desde={day + DAY}"))
    assert mine["late"] not in listed(get(client, f"/pedidos/?hasta={day - DAY}"))


@pytest.mark.parametrize(
    "words",
    [
        "P-SEEK-A",
        "p-seek-a",
        "seek",
        "ANA@cliente.example",
        "JAR-AZUL",
        "jarr",
        "Soler",
        "zaragoza",
        "ana zarag",
        "7701 2345",
        "77012345",
    ],
)
def test_finds_by_number_customer_article_place_and_tracking(
    channel: Channel, shop: Shop, other_shop: Shop, client: Client, words: str
) -> None:
    now = timezone.now()
    new = basket(shop, JAR, at=now - 3 * HOUR, number="P-SEEK", customer=ANA)
    order = Order.objects.get(id=services.one(services.place(channel, [new])).order_id)
    shipped(order, tracking="77012345")
    other = services.Customer(name="Bruno Vila", email="bruno@correo.example", city="Palma")
    services.place(channel, [basket(shop, PLATE, at=now, number="P-ELSE", customer=other)])
    services.place(channel, [basket(other_shop, JAR, at=now, number="P-SEEK2", customer=ANA)])
    page = get(client, f"/pedidos/?buscar={words}")
    assert listed(page) == ["P-SEEK-A"]
    assert tab_count(page, "Todos") == 1
    assert tab_count(page, "Enviados") == 1


@pytest.mark.parametrize("words", ["%", "_", "100%", "'; --", "\\", "%00", "%ff", "x" * 5000])
def test_a_search_is_words_and_nothing_else(channel: Channel, shop: Shop, client: Client, words: str) -> None:
    furnished(channel, shop)
    address = f"/pedidos/?buscar={words}" if words.startswith("%0") or words == "%ff" else "/pedidos/"
    page = client.get(address) if "?" in address else client.get(address, {"buscar": words})
    assert page.status_code == 200
    assert len(listed(page.content.decode())) == (11 if words == "%00" else 0)


def test_sorts_by_what_is_to_be_shipped_or_accepted_first(
    channel: Channel, shop: Shop, client: Client
) -> None:
    mine = furnished(channel, shop)
    newest = listed(get(client, "/pedidos/"))
    placed_at = dict(Order.objects.values_list("reference", "placed_at"))
    assert newest == sorted(newest, key=lambda one: placed_at[one], reverse=True)
    for tab in ("", "&estado=por-enviar"):
        assert listed(get(client, f"/pedidos/?orden=envio{tab}"))[0] == mine["late"] or tab == ""
        rows = listed(get(client, f"/pedidos/?orden=envio{tab}"))
        assert [one for one in rows if one in (mine["late"], mine["held"], mine["to-ship"])] == rows[:3]
    assert listed(get(client, "/pedidos/?orden=aceptacion"))[:2] == [mine["expiring"], mine["fresh"]]
    assert listed(get(client, "/pedidos/?orden=aceptacion&estado=por-aceptar")) == [
        mine["expiring"],
        mine["fresh"],
    ]


@pytest.mark.parametrize(
    "asked", ["", "orden=aceptacion", "orden=aceptacion&estado=por-aceptar", "orden=envio"]
)
def test_pages_neither_skip_nor_repeat_while_orders_come_in(
    channel: Channel, shop: Shop, client: Client, asked: str
) -> None:
    before = set(many(channel, shop, 2 * queries.PAGE + 7))
    seen: list[str] = []
    address = f"/pedidos/?{asked}"
    pages = 0
    while address:
        page = get(client, address)
        pages += 1
        assert asked.partition("&")[0] in unescape(page)
        seen += listed(page)
        many(channel, shop, 1, prefix=f"NEW{pages}")
        address = link(page, "Siguientes")
        if pages == 2:
            back = listed(get(client, link(page, "Anteriores")))
            assert back == seen[: queries.PAGE]
    assert pages >= 3
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


def test_pages_part_orders_of_the_same_instant(channel: Channel, shop: Shop, client: Client) -> None:
    at = timezone.now() - HOUR
    new = [basket(shop, JAR, at=at, number=f"T-{n:03}", customer=anas(n)) for n in range(queries.PAGE + 5)]
    services.place(channel, new)
    first = get(client, "/pedidos/")
    second = get(client, link(first, "Siguientes"))
    assert len(listed(first)) == queries.PAGE
    assert len(listed(second)) == 5
    assert not set(listed(first)) & set(listed(second))
    assert link(first, "Anteriores") == ""
    assert link(second, "Siguientes") == ""
    assert listed(get(client, link(second, "Anteriores"))) == listed(first)


def test_a_link_keeps_all_of_it(channel: Channel, shop: Shop, client: Client) -> None:
    many(channel, shop, queries.PAGE + 1)
    page = get(
        client, "/pedidos/?estado=por-aceptar&buscar=ana&desde=2026-01-01&plazo=semana&orden=aceptacion"
    )
    onwards = link(page, "Siguientes")
    for part in (
        "estado=por-aceptar",
        "buscar=ana",
        "desde=2026-01-01",
        "plazo=semana",
        "orden=aceptacion",
        "despues=",
    ):
        assert part in onwards
    assert len(listed(get(client, onwards))) == 1
    tab = link(page, "Por enviar <span>")
    assert "buscar=ana" in tab
    assert "estado=por-enviar" in tab


NONSENSE = {
    "desde=ayer-noche": "Recibido desde: no se entiende “ayer-noche”",
    "hasta=2026-13-45": "Recibido hasta: no se entiende “2026-13-45”",
    "desde=0001-01-01": "Recibido desde: no se entiende “0001-01-01”",
    "hasta=9999-12-31": "Recibido hasta: no se entiende “9999-12-31”",
    "estado=<b>": "Estado: no se entiende “<b>”",
    "plazo=nunca": "Plazo: no se entiende “nunca”",
    "orden=-id": "Orden: no se entiende “-id”",
    "despues=x": "Página: no se entiende “x”",
    "despues=2026-01-01T00:00:00~1": "Página: no se entiende “2026-01-01T00:00:00~1”",
    "antes=2026-01-01T00:00:00Z~99999999999999999999": "Página: no se entiende “2026-01-01T00:00:00Z~9999",
    "antes=0001-01-01T00:00:00%2B14:00~1": "Página: no se entiende “0001-01-01T00:00:00+14:00~1”",
    "desde=1/2": "Recibido desde: no se entiende “1/2”",
    "plazo=%00hoy%00x": "Plazo: no se entiende “\ufffdhoy\ufffdx”",
}


@pytest.mark.parametrize("asked", NONSENSE)
def test_what_is_not_understood_is_named_and_left_out(
    channel: Channel, shop: Shop, client: Client, asked: str
) -> None:
    mine = furnished(channel, shop)
    page = get(client, f"/pedidos/?{asked}&utm=1")
    assert set(listed(page)) == set(mine.values())
    assert NONSENSE[asked] in unescape(page)
    assert "<b>”" not in page


def test_reads_as_much_for_one_row_as_for_fifty(channel: Channel, shop: Shop, client: Client) -> None:
    counted = []
    for count in (1, queries.PAGE):
        many(channel, shop, count, prefix=f"Q{count}")
        get(client, "/pedidos/")
        for asked in ("", "?estado=por-aceptar&buscar=ana&plazo=semana&orden=aceptacion"):
            with CaptureQueriesContext(connection) as ran:
                page = get(client, f"/pedidos/{asked}")
            assert len(listed(page)) == min(Order.objects.count(), queries.PAGE)
            counted.append(len(ran))
    assert counted == [7, 7, 7, 7]


def test_three_channels_cost_no_read_more_than_one(channel: Channel, shop: Shop, client: Client) -> None:
    """Each with its own way of trading, its own names of states and its own clocks."""
    counted = {}
    for preset in Preset:
        place = channel
        if preset != Preset.ACCEPT_FIRST:
            place = open_channel(f"otro-{preset.value[:4]}", preset.value, preset=preset, by="x", at=AT)
        many(place, shop, 15, prefix=f"Q{preset.value[:4]}")
        get(client, "/pedidos/")
        with CaptureQueriesContext(connection) as ran:
            page = get(client, "/pedidos/")
        counted[preset] = len(ran), len(listed(page))
    assert counted == {
        Preset.ACCEPT_FIRST: (7, 15),
        Preset.PREPAID: (7, 30),
        Preset.CASH_ON_DELIVERY: (7, 45),
    }
    assert "Pendiente de pago" in page
    assert "Por confirmar" in page


def test_reads_eight_times_at_most_when_nothing_is_known_yet(
    channel: Channel, shop: Shop, client: Client
) -> None:
    furnished(channel, shop)
    with CaptureQueriesContext(connection) as ran:
        get(client, "/pedidos/")
    assert len(ran) <= 8


def test_htmx_gets_the_list_from_the_same_address(channel: Channel, shop: Shop, client: Client) -> None:
    mine = furnished(channel, shop)
    whole = get(client, "/pedidos/?estado=por-aceptar")
    part = get(client, "/pedidos/?estado=por-aceptar", **{"HX-Request": "true"})
    assert "<html" in whole
    assert "<html" not in part
    assert part.lstrip().startswith('<div class="stack found" id="found"')
    assert listed(whole) == listed(part) == [mine["fresh"], mine["expiring"]]
    back = get(client, "/pedidos/", **{"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in back


def test_rows_offer_the_next_act_and_say_why_not(channel: Channel, shop: Shop, client: Client) -> None:
    mine = furnished(channel, shop)
    page = get(client, "/pedidos/")
    assert f'name="only" value="{mine["fresh"]}"' in page
    assert f"/pedidos/{mine['to-ship']}/?tab=envio#enviar" in page
    assert f"/pedidos/{mine['held']}/?tab=envio#enviar" not in page
    assert "Faltan existencias" in page
    services.place(channel, [basket(shop, at=timezone.now(), number="TWO")])
    assert link(get(client, "/pedidos/?buscar=two"), "Aceptar…") == "/pedidos/TWO-A/"


@pytest.mark.rule("ROL-01")
def test_a_stranger_sees_nothing_of_it(channel: Channel, shop: Shop, charlie: User) -> None:
    mine = furnished(channel, shop)
    stranger = browser(charlie)
    for asked in ("", "?buscar=X-", f"?buscar={mine['late']}", "?buscar=SE", "?plazo=retraso"):
        page = get(stranger, f"/pedidos/{asked}")
        assert listed(page) == []
        assert "Ana Soler" not in page
    assert stranger.get(f"/pedidos/{mine['late']}/").status_code == 404


def test_whoever_is_not_signed_in_signs_in_first(client: Client, shop: Shop) -> None:
    answer = Client().get("/pedidos/?estado=por-aceptar")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/cuenta/entrar/?next=/pedidos/%3Festado%3Dpor-aceptar"
    assert client.post("/pedidos/").status_code == 405


def test_says_when_nothing_fits(channel: Channel, shop: Shop, client: Client) -> None:
    assert "Aún no hay pedidos" in get(client, "/pedidos/")
    placed(channel, shop, "ONE", timezone.now())
    assert "Ningún pedido así" in get(client, "/pedidos/?buscar=nadie")
    assert SELLER.label not in get(client, "/pedidos/?buscar=nadie")
