"""Orders out of CSV files: an article a row, a basket whole or not at all, wherever its rows stand."""

from pathlib import Path

import pytest
from django.core.management import CommandError

from marketplace.models import Channel
from orders.intake.rows import BASKET_COLUMNS, LINE_COLUMNS, NEEDED_COLUMNS
from orders.intake.schema import MOST_LINES
from orders.models import Basket, Hold, Line, Order
from sellers.models import Shop
from tests.orders.intake_files import HEADER, bring, csv_file, csv_text, row_in


@pytest.fixture
def file(tmp_path: Path, channel: Channel, shop: Shop, other_shop: Shop) -> Path:
    return tmp_path / "pedidos.csv"


def numbers() -> list[str]:
    return list(Basket.objects.order_by("id").values_list("commercial_id", flat=True))


@pytest.mark.rule("API-04")
@pytest.mark.django_db
def test_the_rows_of_a_number_are_a_basket(file: Path) -> None:
    done = bring(
        csv_file(
            file,
            row_in("A", "X", payment_amount="140"),
            row_in("A", "Y", payment_amount="140", shop="bruma", line_external_id="77"),
            row_in("B", "Z", payment_amount="1"),
            row_in("C", "Z", title="Plato, hondo «azul»"),
        )
    )
    assert (done.counts, done.summary["lines"], done.summary["baskets"]) == ((4, 0, 0), 5, 3)
    lines = Line.objects.order_by("id").values_list("order__reference", "external_id", "sku", "goods_cents")
    assert list(lines) == [
        ("A-A", "A-1", "X", 6600),
        ("A-B", "77", "Y", 6600),
        ("B-A", "B-1", "Z", 6600),
        ("C-A", "C-1", "Z", 6600),
    ]
    assert list(Hold.objects.values_list("order__reference", flat=True)) == ["B-A"]
    assert bring(file).counts == (0, 3, 0)


@pytest.mark.rule("API-04")
@pytest.mark.django_db
def test_rows_that_stand_apart_are_one_basket(file: Path) -> None:
    rows = [row_in("A", "1"), row_in("B", "2"), row_in("A", "3"), row_in("C", "4"), row_in("A", "5")]
    assert bring(csv_file(file, *rows)).counts == (3, 0, 0)
    lines = Line.objects.filter(order__reference="A-A").order_by("id")
    assert list(lines.values_list("external_id", "sku")) == [("A-1", "1"), ("A-2", "3"), ("A-3", "5")]


@pytest.mark.rule("ORD-13")
@pytest.mark.django_db
def test_what_does_not_travel_needs_no_address_and_no_courier(file: Path) -> None:
    head = (
        "commercial_id,placed_at,currency,customer_first_name,street,city,country,shop,sku,title,unit_price"
    )
    start, paper = "2026-03-01T10:00:00Z,EUR,Ana", "Mayor 1,Zaragoza,ES"
    file.write_text(
        f"{head},kind,access,cash_on_delivery\n"
        f"A,{start},,,,alba,PAT,Patrón,9.50,download,https://tienda.example/p,\n"
        f"B,{start},,,,alba,JAR,Jarrón,33,,,\n"
        f"C,{start},{paper},alba,ENT,Entrada,12,ticket,,true\n"
        f"D,{start},{paper},alba,JAR,Jarrón,33,goods,,true\n",
        encoding="utf-8",
    )
    done = bring(file)
    assert [(number, code) for _lines, number, code, _why in done.report] == [
        ("B", "malformed"),
        ("C", "cash_for_digital"),
    ]
    assert list(Line.objects.order_by("id").values_list("order__reference", "kind", "access")) == [
        ("A-A", "download", "https://tienda.example/p"),
        ("D-A", "goods", ""),
    ]


@pytest.mark.django_db
def test_semicolons_decimal_commas_and_windows(file: Path) -> None:
    text = csv_text(row_in("A", unit_price="33,50", shipping_price="0,95"), delimiter=";")
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b";;;\r\n\r\n")
    assert bring(file).counts == (1, 0, 0)
    assert Order.objects.values_list("goods_cents", "shipping_cents").get() == (6700, 95)


@pytest.mark.django_db
def test_shipping_of_the_basket_is_spread(file: Path) -> None:
    charge = {"basket_shipping_price": "1.01", "shipping_price": ""}
    rows = [row_in("A", "1", **charge), row_in("A", "2", shop="bruma", **charge)]
    assert bring(csv_file(file, *rows)).counts == (2, 0, 0)
    assert sorted(Order.objects.values_list("shipping_cents", flat=True)) == [50, 51]


LONG = row_in("A", title="x" * 1_000_000)
REFUSED: list[tuple[dict[str, str] | str, str, str]] = [
    (
        row_in("A", unit_price="1.999"),
        "malformed",
        "line 4, unit_price: the amount has more decimals than its currency",
    ),
    (row_in("A", quantity="dos"), "malformed", "line 4, quantity: must be a whole number"),
    (row_in("A", sku=""), "malformed", "line 4, sku: is missing"),
    (
        row_in("A", currency="USD"),
        "malformed",
        "currency: line 2 says “EUR” and line 4 “USD”",
    ),
    (
        row_in("A", city="Huesca", customer_email="otra@cliente.example"),
        "malformed",
        "customer_email: line 2 says “ana@cliente.example” and line 4 “otra@cliente.example”; "
        "city: line 2 says “Zaragoza” and line 4 “Huesca”",
    ),
    (row_in("A", shop="nadie"), "unknown_shop", "there is no shop “nadie”"),
    (row_in("A", supplier="nadie"), "unknown_supplier", "shop “alba” has no supplier “nadie”"),
    ("A,solo,tres", "malformed", "line 4: has 3 cells and the header 21"),
    ('A,"sin cerrar', "malformed", "line 4: is not a row of CSV (unexpected end of data)"),
    ('"A",2"x,"y"z', "malformed", "line 4: is not a row of CSV (',' expected after '\"')"),
    (LONG, "malformed", "line 4: the line is longer than 1 MB"),
]


@pytest.mark.rule("API-04")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "code", "reason"), REFUSED, ids=[f"{n}-{case[2][:30]}" for n, case in enumerate(REFUSED)]
)
def test_a_bad_row_takes_its_whole_basket(
    file: Path, row: dict[str, str] | str, code: str, reason: str
) -> None:
    done = bring(csv_file(file, row_in("A", "1"), row_in("B"), row, row_in("C"), row_in("A", "9")))
    assert done.report == [("2 4 6", "A", code, reason)]
    assert (done.counts, numbers()) == ((2, 0, 1), ["B", "C"])


@pytest.mark.django_db
def test_what_is_not_utf_8_takes_its_whole_basket(file: Path) -> None:
    text = csv_text(row_in("A", "1", title="Jarra"), row_in("B", title="Jarra"), row_in("A", "2"))
    file.write_bytes(text.encode("latin-1"))
    done = bring(file)
    flaw = "line 4: is not UTF-8: save the file as “CSV UTF-8”"
    assert (done.report, numbers()) == ([("2 4", "A", "malformed", flaw)], ["B"])


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_a_file_in_another_encoding_is_told_to_be(file: Path, encoding: str) -> None:
    text = csv_text(row_in("A"))
    file.write_bytes((text if encoding != "latin-1" else text.replace("sku", "artículo", 1)).encode(encoding))
    with pytest.raises(CommandError, match="is not UTF-8: save the file as “CSV UTF-8”") as refused:
        bring(file)
    assert "\\x" not in str(refused.value)


@pytest.mark.rule("API-04")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        (row_in(""), "commercial_id: is missing"),
        ('"A,sin cerrar', "is not a row of CSV (unexpected end of data)"),
    ],
)
def test_a_row_of_no_basket_casts_doubt_on_its_neighbours(
    file: Path, row: dict[str, str] | str, flaw: str
) -> None:
    done = bring(csv_file(file, row_in("A"), row_in("B"), row, row_in("C"), row_in("C", "2"), row_in("D")))
    doubt = "line 4, next to it, cannot be read and may belong to it"
    assert sorted(done.report) == [
        ("3", "B", "malformed", doubt),
        ("4", "", "malformed", flaw),
        ("5 6", "C", "malformed", doubt),
    ]
    assert numbers() == ["A", "D"]


@pytest.mark.django_db
def test_a_basket_of_too_many_rows_names_them_all(file: Path) -> None:
    rows = [row_in("A", str(n)) for n in range(MOST_LINES + 2)]
    [(lines, number, code, reason)] = bring(csv_file(file, *rows)).report
    assert lines == " ".join(str(n) for n in range(2, MOST_LINES + 4))
    assert (number, code, reason) == ("A", "malformed", "lines: has more than 1000 items")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "is empty"),
        (
            HEADER.replace("title", "titel"),
            "columns that do not exist: titel; columns that are missing: title",
        ),
        (f"{HEADER},sku", "columns that are there twice: sku"),
        (f"shop,{HEADER.replace(',shop,', ',')}", "commercial_id must be the first column"),
    ],
)
def test_a_header_that_is_not_in_order_stops_the_import(file: Path, header: str, words: str) -> None:
    file.write_text(f"{header}\n" if header else "", encoding="utf-8")
    with pytest.raises(CommandError, match=words) as refused:
        bring(file)
    assert refused.value.returncode == 1


def test_every_column_is_documented() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "intake.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    told = {line.split("`")[1]: line.split("|")[2].strip() for line in rows}
    columns = {*BASKET_COLUMNS, *LINE_COLUMNS}
    assert columns - set(told) == set()
    assert {column for column in columns if told[column] == "yes"} == set(NEEDED_COLUMNS)
