"""The delivery note: what it says, how it prints, who may have it (DOC-01, DOC-04)."""

import base64
import io
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from django.test import Client
from django.utils import timezone
from PIL import Image
from pypdf import PdfReader

from marketplace.models import Channel
from marketplace.pdf import code128, draw
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import MoveRefused
from marketplace.services import publish_policy
from orders import documents, services
from orders.models import Download, Order
from payments import beforehand
from sellers.models import User
from tests.conftest import ANA, AT, CLOCK, JAR, PLATE, SELLER, Placing, again

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def text_of(pdf: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def language_of(pdf: bytes) -> str:
    return str(PdfReader(io.BytesIO(pdf)).root_object["/Lang"])


def codes_of(pdf: bytes) -> list[str]:
    image = pypdfium2.PdfDocument(pdf)[0].render(scale=3).to_pil()
    return [found.text for found in zxingcpp.read_barcodes(image)]


def partly_accepted(order: Order) -> Order:
    plate = order.lines.get(sku=PLATE[0])
    answer = services.Answer({plate.id: "Sin existencias"})
    services.one(services.accept({order.id: answer}, by=SELLER, at=order.placed_at + HOUR))
    return again(order)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.rule("DOC-01")
def test_names_what_was_accepted_and_no_price(place: Placing) -> None:
    order = partly_accepted(place(JAR, PLATE))
    (page,) = text_of(documents.delivery_note(order, at=order.placed_at + 2 * HOUR).pdf)
    names = ("Albarán", order.reference, "Cerámicas Alba", "Ana Soler", "Calle Mayor 14", "50001 Zaragoza")
    goods = ("JAR-AZUL", "Jarrón azul", "2 unidades en total", "Página 1 de 1", "3 de marzo de 2026")
    assert [words for words in names + goods if words not in page] == []
    for words in ("PLA-HONDO", "€", "33,00", "Pendiente de aceptación"):
        assert words not in page


@pytest.mark.rule("DOC-01")
def test_its_bar_code_reads_back_as_the_order(place: Placing) -> None:
    order = place(number="PED-2026-000123")
    assert codes_of(documents.delivery_note(order, at=order.placed_at).pdf) == [order.reference]


@pytest.mark.parametrize("number", ["1", "12", "123", "1234567", "A1B22C333D4444", "x" * 62, "P 77/a.b_c-D"])
def test_bar_codes_of_every_shape_of_number(number: str) -> None:
    bars = code128(number)
    assert bars is not None
    modules = "".join(
        "1" if any(start <= place < start + width for start, width in bars) else "0"
        for place in range(sum(bars[-1]))
    )
    row = bytes(0 if module == "1" else 255 for module in "0" * 20 + modules + "0" * 20 for _ in range(2))
    image = Image.frombytes("L", (len(row), 1), row).resize((len(row), 60))
    assert [found.text for found in zxingcpp.read_barcodes(image)] == [number]


def test_a_number_that_no_bar_code_can_write_prints_without_one(place: Placing) -> None:
    assert code128("PEDIDO-Ñ") is None
    order = place(number="PEDIDO-Ñ")
    pdf = documents.delivery_note(order, at=order.placed_at).pdf
    assert order.reference in text_of(pdf)[0]
    assert codes_of(pdf) == []


def test_before_acceptance_it_says_so(place: Placing) -> None:
    order = place()
    (page,) = text_of(documents.delivery_note(order, at=order.placed_at).pdf)
    assert "Pendiente de aceptación" in page
    assert "PLA-HONDO" in page
    assert "3 unidades en total" in page


def test_speaks_the_customers_language(place: Placing) -> None:
    order = place(customer=replace(ANA, language="en"))
    pdf = documents.delivery_note(order, at=order.placed_at).pdf
    assert language_of(pdf) == "en"
    spanish = documents.delivery_note(place(), at=order.placed_at).pdf
    assert language_of(spanish) == "es"


def test_a_long_order_breaks_over_pages_with_its_heads(place: Placing) -> None:
    articles = [(f"SKU-{n:03}", f"Artículo número {n}", 1, 100, 0) for n in range(200)]
    order = place(*articles)
    pages = text_of(documents.delivery_note(order, at=order.placed_at).pdf)
    assert len(pages) > 3
    for n, page in enumerate(pages, 1):
        assert f"Página {n} de {len(pages)}" in page
        assert order.reference in page
    whole = " ".join(pages)
    assert [sku for sku, *_ in articles if sku not in whole] == []
    assert all("artículo unidades" in page.lower() for page in pages if "SKU-" in page)


def test_odd_titles_stay_on_the_page(place: Placing) -> None:
    order = place(
        ("A" * 80, "Palabralarguísima" * 11, 1, 100, 0),
        ("RTL", "إبريق فخار أزرق", 2, 100, 0),
        ("EMOJI", "Taza 🎄🎁 «especial» <b>&amp;", 3, 100, 0),
        ("TAG", "{{ 7 * 7 }} <img src=file:///etc/passwd>", 1, 100, 0),
    )
    pdf = documents.delivery_note(order, at=order.placed_at).pdf
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    page = " ".join(document[0].get_textpage().get_text_bounded().split())
    assert "{{ 7 * 7 }} <img src=file:///etc/passwd>" in page
    assert "<b>&amp;" in page
    image = document[0].render(scale=2).to_pil().convert("L")
    margin = int(16 / 210 * image.width) - 4
    for left in (0, image.width - margin):
        assert image.crop((left, 0, left + margin, image.height)).getextrema() == (255, 255)


def test_prints_in_black_and_white(place: Placing) -> None:
    order = place()
    image = (
        pypdfium2.PdfDocument(documents.delivery_note(order, at=order.placed_at).pdf)[0]
        .render(scale=1)
        .to_pil()
    )
    red, green, blue = image.convert("RGB").split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()


def test_a_paper_fetches_nothing(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    Image.new("RGB", (40, 40), "black").save(picture)
    coded = base64.b64encode(picture.read_bytes()).decode()
    for address in (picture.as_uri(), f"data:image/png;base64,{coded}"):
        pdf = draw(
            f'<style>@import "{picture.as_uri()}";</style><img src="{address}" width="40" height="40">'
        )
        image = pypdfium2.PdfDocument(pdf)[0].render(scale=1).to_pil().convert("L")
        assert image.getextrema() == (255, 255)


def test_a_one_page_note_is_quick(place: Placing) -> None:
    order = place()
    documents.delivery_note(order, at=order.placed_at)
    started = time.perf_counter()
    documents.delivery_note(order, at=order.placed_at)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("end", ["refuse", "cancel", "expire"])
def test_what_is_not_delivered_has_none(end: str, place: Placing, alice: User) -> None:
    order = place(at=timezone.now() - timedelta(days=4 if end == "expire" else 1))
    at = timezone.now()
    if end == "expire":
        services.one(services.expire([order.id], by=CLOCK, at=at))
    else:
        services.one(getattr(services, end)([order.id], reason="Sin existencias", by=SELLER, at=at))
    with pytest.raises(MoveRefused):
        documents.delivery_note(again(order), at=at)
    answer = signed_in(alice).get(f"/pedidos/{order.reference}/albaran.pdf")
    assert answer.status_code == 409
    assert "no lleva albarán" in answer.content.decode()
    assert Download.objects.count() == 0


@pytest.mark.rule("DOC-04")
def test_each_download_is_checked_and_recorded(place: Placing, alice: User, bob: User, charlie: User) -> None:
    order = place(at=timezone.now() - HOUR)
    address = f"/pedidos/{order.reference}/albaran.pdf"
    for user in (alice, bob):
        answer = signed_in(user).get(address)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == f'inline; filename="{order.reference}.pdf"'
        assert answer["Cache-Control"] == "private, no-store"
        assert answer.content.startswith(b"%PDF-")
    assert signed_in(charlie).get(address).status_code == 404
    assert Client().get(address).status_code == 302
    assert signed_in(alice).post(address).status_code == 405
    kept = list(Download.objects.order_by("id").values_list("document", "by", "user_id", "role", "shop_id"))
    assert kept == [
        ("delivery_note", "Alicia Alba", alice.id, "seller", order.shop_id),
        ("delivery_note", "Bernardo Oliva", bob.id, "seller", order.shop_id),
    ]
    page = signed_in(alice).get(f"/pedidos/{order.reference}/?tab=documentos").content.decode()
    assert "Bernardo Oliva" in page


def test_without_the_libraries_the_page_says_what_to_type(
    place: Placing, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place(at=timezone.now() - HOUR)
    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    monkeypatch.setattr(
        "cffi.FFI.dlopen", lambda *_, **__: (_ for _ in ()).throw(OSError("libpango is missing"))
    )
    answer = signed_in(alice).get(f"/pedidos/{order.reference}/albaran.pdf")
    assert answer.status_code == 503
    assert "apt-get install -y libpango-1.0-0" in answer.content.decode()
    assert Download.objects.count() == 0


@pytest.mark.rule("ORD-07", "DOC-01")
def test_before_it_is_paid_there_is_none(channel: Channel, place: Placing, alice: User) -> None:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    channel.refresh_from_db()
    order = place(at=timezone.now() - HOUR)
    with pytest.raises(MoveRefused):
        documents.delivery_note(order, at=timezone.now())
    answer = signed_in(alice).get(f"/pedidos/{order.reference}/albaran.pdf")
    assert answer.status_code == 409
    assert "Tendrá albarán cuando esté pagado." in answer.content.decode()
    assert Download.objects.count() == 0
    beforehand.confirm({order.id: "pi_1"}, by=CLOCK, at=timezone.now())
    assert documents.delivery_note(again(order), at=timezone.now()).pdf


@pytest.mark.rule("PAY-06")
def test_says_what_the_courier_is_to_collect_until_it_is_collected(channel: Channel, place: Placing) -> None:
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    channel.refresh_from_db()
    order = partly_accepted(place(JAR, PLATE))
    (page,) = text_of(documents.delivery_note(order, at=order.placed_at + 2 * HOUR).pdf)
    assert "Contra reembolso: cobrar 70,00 € al entregar." in page.replace("\u00a0", " ")
    services.one(services.ship({order.id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=AT + 2 * HOUR))
    services.one(services.deliver([order.id], by=CLOCK, at=AT + 3 * HOUR))
    (page,) = text_of(documents.delivery_note(again(order), at=order.placed_at + 4 * HOUR).pdf)
    assert "Contra reembolso" not in page
