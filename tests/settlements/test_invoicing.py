"""Invoices of commissions, credit notes, and the papers of a settlement (SET-05, DOC-04)."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pypdf
import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from ledger.services import adjust
from marketplace import invariants
from marketplace.models import Channel
from orders.models import Order
from orders.states import State
from sellers.models import Shop, User
from settlements import documents, invoicing, papers, payees
from settlements.models import Invoice, PaperDownload, Series, Statement
from tests.conftest import ALBA, AT, OPERATOR, told
from tests.orders.lives import brought_to, tick
from tests.refunds.test_refunding import not_paid_back
from tests.settlements.acting import refunded

pytestmark = [pytest.mark.django_db, pytest.mark.rule("SET-05")]
APRIL = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
MID_APRIL = datetime(2026, 4, 15, 22, 0, tzinfo=UTC)
NET = 8400 - 1008 - 212


@pytest.fixture
def issuer(channel: Channel) -> None:
    payees.keep_issuer(channel, replace(ALBA, legal_name="Mercado, S. A."), by=OPERATOR, at=AT)


def billed() -> list[tuple[Any, ...]]:
    return [
        (str(one), one.base_cents, one.vat_cents, str(one.refers_to) if one.refers_to else "")
        for one in Invoice.objects.select_related("series", "refers_to__series").order_by("id")
    ]


def lived(channel: Channel, shop: Shop, other_shop: Shop) -> None:
    first, _ = brought_to(State.RECEIVED, channel, shop, 2)
    brought_to(State.RECEIVED, channel, other_shop, 1)
    tick("statements", APRIL)
    tick("invoices", APRIL)
    adjust(shop.id, channel.id, 5000, "EUR", key="1", note="=HYPERLINK(1)", at=APRIL)
    refunded(first, 2000, by=OPERATOR, at=APRIL + timedelta(days=1))
    tick("statements", MID_APRIL)
    tick("invoices", MID_APRIL)


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split()).replace("\xa0", " ")


def test_a_long_statement_is_drawn_in_parts_and_reads_as_one(
    channel: Channel, shop: Shop, other_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line once, the pages counted through, and the words of one that is drawn at a stroke."""
    brought_to(State.RECEIVED, channel, shop, 7)
    tick("statements", APRIL)
    statement = papers.STATEMENTS.get()
    at_once = documents.statement_pdf(statement)
    monkeypatch.setattr(documents, "A_PART", 3)
    in_parts = documents.statement_pdf(statement)
    document = pypdf.PdfReader(io.BytesIO(in_parts))
    texts = [page.extract_text() for page in document.pages]
    assert [f"Página {n} de 3" in text.replace("\xa0", " ") for n, text in enumerate(texts, 1)] == [True] * 3
    whole = text_of(in_parts)
    references = Order.objects.values_list("reference", flat=True)
    assert [whole.count(reference) for reference in references] == [1] * 7
    assert document.metadata == pypdf.PdfReader(io.BytesIO(at_once)).metadata
    assert str(document.root_object["/Lang"]) == "es"


@pytest.mark.usefixtures("issuer")
def test_a_statement_is_billed_once_and_what_is_given_back_refers_to_it(
    channel: Channel, shop: Shop, other_shop: Shop
) -> None:
    lived(channel, shop, other_shop)
    assert billed() == [
        ("TIENDA-F2026-00001", 2016, 424, ""),
        ("TIENDA-F2026-00002", 1008, 212, ""),
        ("TIENDA-R2026-00001", -240, -51, "TIENDA-F2026-00001"),
    ]
    assert Invoice.objects.values_list("issued_on", flat=True)[0] == date(2026, 4, 16)
    before = list(Invoice.objects.values())
    tick("invoices", MID_APRIL + timedelta(days=1))
    assert invoicing.issue(list(Statement.objects.values_list("id", flat=True)), at=MID_APRIL) == 0
    assert list(Invoice.objects.values()) == before


@pytest.mark.usefixtures("issuer")
def test_a_refund_that_the_provider_refused_in_the_same_cycle_takes_no_number(
    channel: Channel, shop: Shop
) -> None:
    (order_id,) = brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    not_paid_back()
    later = APRIL + timedelta(days=1)
    adjust(shop.id, channel.id, 2000, "EUR", key="x", note="x", at=later)
    refunded(order_id, 1000, by=OPERATOR, at=later)
    tick("payback", later)
    tick("statements", MID_APRIL)
    tick("invoices", MID_APRIL)
    assert billed() == [("TIENDA-F2026-00001", 1008, 212, "")]
    assert not Statement.objects.filter(to_invoice=True).exists()


@pytest.mark.usefixtures("issuer")
@pytest.mark.parametrize(
    ("changes", "mention"),
    [
        ({"postal_code": "35001"}, "IGIC"),
        ({"postal_code": "51001"}, "artículos 3.Dos y 69.Uno"),
        ({"country": "FR", "postal_code": "75001", "tax_id": "40303265045"}, "Inversión del sujeto pasivo"),
        ({"country": "GB", "postal_code": "EC1", "tax_id": "GB1"}, "Operación no sujeta a IVA"),
        ({}, ""),
    ],
)
def test_vat_and_its_mention_by_the_sellers_seat(
    channel: Channel, shop: Shop, changes: dict[str, str], mention: str
) -> None:
    told(shop, replace(ALBA, legal_name="Alba Sur, S. L.", **changes))
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    tick("invoices", APRIL)
    (invoice,) = Invoice.objects.all()
    vat = 0 if mention else 212
    assert (invoice.base_cents, invoice.vat_cents) == (1008, vat)
    assert list(invoice.rates.values_list("vat_bp", "base_cents", "vat_cents")) == [
        (2100 if vat else 0, 1008, vat)
    ]
    assert Statement.objects.get().payout_cents == 8400 - 1008 - vat
    paper = text_of(documents.invoice_pdf(invoice))
    assert mention in paper
    assert ("Ley 37/1992" in paper) == bool(mention)
    for word in ("Mercado, S. A.", ALBA.tax_id, "Alba Sur, S. L.", "TIENDA-F2026-00001", "10,08 €"):
        assert word in paper
    assert ("21 %" in paper) == (not mention)


@pytest.mark.usefixtures("issuer")
def test_without_tax_data_the_invoice_waits_and_no_number_is_taken(channel: Channel, shop: Shop) -> None:
    nueva = Shop.objects.create(code="nueva", name="Nueva")
    brought_to(State.RECEIVED, channel, nueva, 1)
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    tick("invoices", APRIL)
    assert list(Invoice.objects.values_list("shop__code", "number")) == [("alba", 1)]
    told(nueva)
    tick("invoices", datetime(2027, 1, 1, tzinfo=UTC))
    assert [row[0] for row in billed()] == ["TIENDA-F2026-00001", "TIENDA-F2027-00001"]


def test_nothing_is_billed_before_the_operator_says_who_bills(channel: Channel, shop: Shop) -> None:
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    tick("invoices", APRIL)
    assert (Invoice.objects.count(), Series.objects.count(), Statement.objects.get().to_invoice) == (
        0,
        0,
        True,
    )


@pytest.mark.usefixtures("issuer")
@pytest.mark.broken_books
def test_a_missing_number_is_noticed_and_an_invoice_stays(
    channel: Channel, shop: Shop, other_shop: Shop
) -> None:
    lived(channel, shop, other_shop)
    with pytest.raises(DatabaseError), transaction.atomic():
        Invoice.objects.update(base_cents=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        Invoice.objects.all().delete()
    Series.objects.filter(code="TIENDA-F2026").update(last_number=3)
    assert [one.invariant.code for one in invariants.check_all(at=None) if one.failures] == ["I11"]


@pytest.mark.usefixtures("issuer")
def test_a_run_that_fails_gives_its_numbers_back(
    channel: Channel, shop: Shop, other_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought_to(State.RECEIVED, channel, shop, 1)
    tick("statements", APRIL)
    ids = list(Statement.objects.values_list("id", flat=True))
    with monkeypatch.context() as patch:
        patch.setattr(invoicing, "_COLUMNS", ("nothing",))
        with pytest.raises(Exception, match=r"."), transaction.atomic():
            invoicing.issue(ids, at=APRIL)
    assert not Series.objects.exists()
    assert invoicing.issue(ids, at=APRIL) == 1
    assert [row[0] for row in billed()] == ["TIENDA-F2026-00001"]


@pytest.mark.usefixtures("issuer")
@pytest.mark.rule("DOC-04")
def test_the_papers_say_the_cents_of_the_rows_and_are_on_record(
    client: Client, channel: Channel, alice: User, bob: User, charlie: User
) -> None:
    shop, other_shop = Shop.objects.get(code="alba"), Shop.objects.get(code="bruma")
    lived(channel, shop, other_shop)
    statement = Statement.objects.filter(shop=shop).latest("id")
    credit = Invoice.objects.get(kind="credit")
    pages = [
        reverse("statement_paper", args=[statement.id, "pdf"]),
        reverse("statement_paper", args=[statement.id, "csv"]),
        reverse("invoice_paper", args=[credit.id]),
    ]
    for who, status in ((bob, 403), (charlie, 404)):
        client.force_login(who)
        assert [client.get(page).status_code for page in pages] == [status] * 3
    assert not PaperDownload.objects.exists()
    client.force_login(alice)
    pdf, table, paper = (client.get(page) for page in pages)
    assert list(PaperDownload.objects.order_by("id").values_list("paper", "by", "shop__code")) == [
        ("statement_pdf", "Alicia Alba", "alba"),
        ("statement_csv", "Alicia Alba", "alba"),
        ("invoice", "Alicia Alba", "alba"),
    ]
    assert {answer["Cache-Control"] for answer in (pdf, table, paper)} == {"private, no-store"}
    said = text_of(pdf.content)
    for words in (
        "Reembolsos −20,00 €",
        "Comisión devuelta 2,40 €",
        "Ajustes 50,00 €",
        "Se transfiere 32,91 €",
    ):
        assert words in said
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert rows[2][2:] == ["-20.00", "2.40", "0.51", "-17.09", "EUR"]
    assert rows[1][:2] == ["Ajustes", "'=HYPERLINK(1)"]
    assert [next(row for row in rows if row[0] == "Se transfiere")[n] for n in (0, 5)] == [
        "Se transfiere",
        "32.91",
    ]
    corrected = text_of(paper.content)
    assert "Rectifica la factura TIENDA-F2026-00001" in corrected
    assert "−2,91 €" in corrected
