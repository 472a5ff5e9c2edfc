"""Orders out of JSON Lines files: what comes in, what is refused and where, what a second run changes."""

import io
import json
import os
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from marketplace.models import Channel
from orders.intake.files import Source, json_lines
from orders.models import Basket, Event, Hold, Line, Order
from orders.states import HoldKind
from sellers.models import Shop, Supplier
from tests.orders.intake_files import basket_in, bring, json_file, line_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path, channel: Channel, shop: Shop, other_shop: Shop) -> Path:
    return tmp_path / "pedidos.jsonl"


def everything() -> list[list[tuple[object, ...]]]:
    """Every row that an import may write."""
    return [
        list(model.objects.order_by("id").values_list()) for model in (Basket, Order, Line, Hold, Event, Shop)
    ]


@pytest.mark.rule("API-04")
def test_a_basket_becomes_an_order(file: Path) -> None:
    done = bring(json_file(file, basket_in(payments=[{"method": "card", "amount": 70}])))
    order = Order.objects.get()
    assert done.summary == {
        "lines": 1,
        "baskets": 1,
        "orders": 1,
        "already_there": 0,
        "shops": 0,
        "refused": {},
        "dry_run": False,
        "seconds": done.summary["seconds"],
    }
    assert (order.reference, order.customer_name, order.city) == ("P-1-A", "Ana Soler", "Zaragoza")
    assert (order.goods_cents, order.shipping_cents, order.held_at) == (6600, 400, None)
    assert order.placed_at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert list(Line.objects.values_list("external_id", "sku", "quantity")) == [("P-1-1", "JAR-1", 2)]


@pytest.mark.rule("ORD-14")
def test_a_basket_over_two_shops_is_an_order_each(file: Path) -> None:
    lines = [line_in(1), line_in(2, shop="bruma"), line_in(3)]
    assert bring(json_file(file, basket_in(lines=lines))).counts == (2, 0, 0)
    orders = Order.objects.order_by("reference").values_list("reference", "shop__code", "total_cents")
    assert list(orders) == [("P-1-A", "alba", 14000), ("P-1-B", "bruma", 7000)]
    assert Basket.objects.get().total_cents == 21000


@pytest.mark.rule("ORD-14")
def test_the_shipping_of_the_basket_is_spread_to_the_cent(file: Path) -> None:
    lines = [line_in(n, unit_price="0.01", quantity=1, shipping_price="0") for n in range(3)]
    bring(json_file(file, basket_in(lines=[*lines, line_in(4, shop="bruma")], shipping_price="9.99")))
    shares = list(Line.objects.order_by("id").values_list("shipping_cents", flat=True))
    assert sum(shares) == 999 + 400
    assert Basket.objects.get().total_cents == sum(Order.objects.values_list("total_cents", flat=True))


@pytest.mark.rule("ORD-15")
def test_running_it_twice_changes_nothing(file: Path) -> None:
    json_file(file, basket_in("P-1"), basket_in("P-2", lines=[line_in(), line_in(2, shop="bruma")]))
    assert bring(file).counts == (3, 0, 0)
    before = everything()
    assert bring(file).counts == (0, 2, 0)
    assert everything() == before


@pytest.mark.rule("ORD-15")
def test_a_basket_twice_in_a_file_is_one(file: Path) -> None:
    other = basket_in("P-1", lines=[line_in(shop="new")])
    done = bring(json_file(file, basket_in("P-1"), basket_in("P-1")), "--create-shops")
    assert done.counts == (1, 1, 0)
    assert bring(json_file(file, other), "--create-shops").counts == (0, 1, 0)
    assert not Shop.objects.filter(code="new").exists()


@pytest.mark.rule("PAY-07")
@pytest.mark.parametrize(
    ("payments", "held"),
    [
        (None, False),
        ([], True),
        ([{"method": "card", "amount": "70.00"}], False),
        ([{"method": "card", "amount": 60}, {"method": "gift", "amount": 9.99}], True),
        ([{"method": "card", "amount": 60.01}, {"method": "gift", "amount": 9.99}], False),
    ],
)
def test_what_was_paid_is_compared_when_it_is_told(file: Path, payments: object, held: bool) -> None:
    bring(json_file(file, basket_in(payments=payments)))
    kinds = list(Hold.objects.values_list("kind", flat=True))
    assert kinds == ([HoldKind.PAYMENT_MISMATCH] if held else [])


REFUSED: list[tuple[object, str, str, str]] = [
    (b'{"commercial_id": "P-1"', "", "malformed", "is not JSON (column 24: Expecting ',' delimiter)"),
    (b"hola", "", "malformed", "is not JSON (column 1: Expecting value)"),
    (b"[]", "", "malformed", "must be an object with fields"),
    (b'{"title": "\xe9"}', "", "malformed", "is not UTF-8 (byte 12)"),
    (b'{"a": Infinity}', "", "malformed", "“Infinity” is not a JSON number"),
    (b'{"a": NaN}', "", "malformed", "“NaN” is not a JSON number"),
    (b'{"a": 1, "b": {"c": 1, "c": 2}}', "", "malformed", "the field “c” is there twice"),
    (b'{"a": 1' + b"0" * 400 + b"}", "", "malformed", "contains a number beyond measure"),
    (b'{"a": 1' + b"0" * 9000 + b"}", "", "malformed", "contains a number beyond measure"),
    (b'{"a": 1e99999999999999999999999999}', "", "malformed", "contains a number beyond measure"),
    (b"[" * 200_000, "", "malformed", "the JSON is nested beyond measure"),
    (b'{"a": "' + b"x" * 1_000_000 + b'"}', "", "malformed", "the line is longer than 1 MB"),
    (
        basket_in("\x00"),
        "\\x00",
        "malformed",
        "commercial_id: cannot carry / \\ ? # % or invisible characters",
    ),
    (
        json.dumps(basket_in("\ud800")).encode(),
        "\\ud800",
        "malformed",
        "commercial_id: is not valid Unicode text",
    ),
    (
        basket_in(lines=[line_in(title="a\x00b")]),
        "P-1",
        "malformed",
        "lines.0.title: cannot contain null characters or ones that turn the reading direction around",
    ),
    (basket_in(lines=[line_in(quantity=0)]), "P-1", "malformed", "lines.0.quantity: must be at least 1"),
    (
        basket_in(lines=[line_in(quantity=100_001)]),
        "P-1",
        "malformed",
        "lines.0.quantity: must be at most 100000",
    ),
    (
        basket_in(lines=[line_in(unit_price="1e3")]),
        "P-1",
        "malformed",
        "lines.0.unit_price: not an amount: digits only, with a decimal point or comma if need be",
    ),
    (
        basket_in(lines=[line_in(unit_price=19.999)]),
        "P-1",
        "malformed",
        "lines.0.unit_price: the amount has more decimals than its currency",
    ),
    (
        basket_in(lines=[line_in(unit_price="-1")]),
        "P-1",
        "malformed",
        "lines.0.unit_price: the amount cannot be negative",
    ),
    (
        basket_in(lines=[line_in(unit_price="900000000", quantity=99_999)]),
        "P-1",
        "malformed",
        "the total is too large",
    ),
    (
        basket_in(lines=[line_in(external_id="7"), line_in(2, external_id="7")]),
        "P-1",
        "malformed",
        "lines.1.external_id: line 7 is there twice",
    ),
    (basket_in(placed="x"), "P-1", "malformed", "placed: there is no such field"),
    (basket_in(currency="USD"), "P-1", "malformed", "currency: this channel sells in EUR"),
    (
        basket_in(placed_at="2026-03-02T09:30:00"),
        "P-1",
        "malformed",
        "placed_at: has no time zone, such as Z or +02:00",
    ),
    (
        basket_in(placed_at=1_772_000_000),
        "P-1",
        "malformed",
        "placed_at: must be an ISO 8601 date and time, such as 2026-03-01T10:00:00Z",
    ),
    (basket_in(placed_at="2098-01-01T00:00:00Z"), "P-1", "too_early", "placed_at: is in the future"),
    (basket_in(lines=[line_in(shop="nadie")]), "P-1", "unknown_shop", "there is no shop “nadie”"),
    (
        basket_in(lines=[line_in(supplier="nadie")]),
        "P-1",
        "unknown_supplier",
        "shop “alba” has no supplier “nadie”",
    ),
]


@pytest.mark.rule("API-04")
@pytest.mark.parametrize(
    ("line", "number", "code", "reason"),
    REFUSED,
    ids=[f"{n}-{case[3][:30]}" for n, case in enumerate(REFUSED)],
)
def test_a_line_that_is_not_in_order_is_refused_alone(
    file: Path, line: object, number: str, code: str, reason: str
) -> None:
    done = bring(json_file(file, basket_in("A"), b"  ", line, basket_in("B")))
    assert done.report == [("3", number, code, reason)]
    assert (done.counts, done.summary["lines"]) == ((2, 0, 1), 4)
    assert list(Order.objects.order_by("id").values_list("reference", flat=True)) == ["A-A", "B-A"]


@pytest.mark.rule("ROL-04", "API-04")
def test_a_line_names_its_supplier(file: Path, norte: Supplier, other_shop: Shop) -> None:
    Supplier.objects.create(shop=other_shop, code="norte", name="Otro Norte")
    done = bring(json_file(file, basket_in(lines=[line_in(1, supplier="norte"), line_in(2)])))
    assert done.counts == (1, 0, 0)
    order = Order.objects.get()
    assert list(order.lines.order_by("id").values_list("supplier_id", flat=True)) == [norte.id, None]
    assert (order.supplier_id, order.shared) == (None, True)
    Supplier.objects.filter(id=norte.id).update(active=False)
    before = everything()
    again = bring(json_file(file, basket_in("P-2", lines=[line_in(supplier="norte")])))
    assert [row[2] for row in again.report] == ["unknown_supplier"]
    assert everything() == before


@pytest.mark.rule("API-04")
def test_a_basket_with_one_bad_line_leaves_nothing(file: Path) -> None:
    before = everything()
    lines = [line_in(1), line_in(2, shop="nueva"), line_in(3, quantity=-1)]
    assert bring(json_file(file, basket_in(lines=lines)), "--create-shops").counts == (0, 0, 1)
    half_known = basket_in(lines=[line_in(1), line_in(2, shop="nadie")])
    assert bring(json_file(file, half_known)).counts == (0, 0, 1)
    assert everything() == before


@pytest.mark.rule("API-04")
def test_unknown_shops_can_be_created(file: Path) -> None:
    lines = [line_in(shop="nueva", shop_name="La Nueva", shop_city="Soria"), line_in(2, shop="sola")]
    json_file(file, basket_in(lines=lines), basket_in("P-2", lines=[line_in(shop="sola")]))
    assert bring(file).report[0][3] == "there is no shop “nueva”"
    done = bring(file, "--create-shops", "--batch", "1")
    assert (done.counts, done.summary["shops"]) == ((3, 0, 0), 2)
    made = Shop.objects.filter(code__in=["nueva", "sola"]).order_by("code")
    assert list(made.values_list("name", "city")) == [("La Nueva", "Soria"), ("sola", "")]


@pytest.mark.rule("API-04")
def test_one_that_the_database_refuses_does_not_stop_its_batch(file: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_line ADD CONSTRAINT no_such_sku CHECK (sku <> 'MALO')")
    bad = basket_in("B", lines=[line_in(), line_in(2, sku="MALO", shop="nueva")])
    done = bring(json_file(file, basket_in("A"), bad, basket_in("C")), "--create-shops")
    assert done.counts == (2, 0, 1)
    [(line, number, code, reason)] = done.report
    assert (line, number, code) == ("2", "B", "failed")
    said = 'new row for relation "orders_line" violates check constraint "no_such_sku"'
    assert reason == f"IntegrityError: {said}"
    assert list(Basket.objects.order_by("id").values_list("commercial_id", flat=True)) == ["A", "C"]
    assert not Shop.objects.filter(code="nueva").exists()


def test_a_dry_run_writes_nothing(file: Path) -> None:
    before = everything()
    json_file(file, basket_in("A"), basket_in("B", lines=[line_in(shop="nueva")]), b"?")
    done = bring(file, "--dry-run", "--create-shops", "--batch", "1")
    assert (done.counts, done.summary["shops"], done.summary["dry_run"]) == ((2, 0, 1), 1, True)
    assert everything() == before


@pytest.mark.parametrize("name", ["pedidos.jsonl.gz", "pedidos.jsonl"])
def test_a_byte_order_mark_windows_lines_and_gzip(file: Path, name: str) -> None:
    first = b"\xef\xbb\xbf" + json.dumps(basket_in("A")).encode() + b"\r"
    path = json_file(file.with_name(name), first, b"\r", basket_in("B"))
    assert bring(path).counts == (2, 0, 0)


def test_a_gzip_cut_short_keeps_what_was_read(file: Path) -> None:
    path = json_file(
        file.with_suffix(".gz"), *(basket_in(f"P-{n}-{os.urandom(9).hex()}") for n in range(300))
    )
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(CommandError, match="damaged or cut off") as cut:
        bring(path)
    assert cut.value.returncode == 1
    made = Order.objects.count()
    assert 0 < made < 900


def test_standard_input(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = json.dumps(basket_in()).encode()
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(raw)))
    monkeypatch.setattr(sys, "stdin", stdin)
    out = io.StringIO()
    call_command("import_orders", "-", "--channel", "tienda", "--json", stdout=out)
    assert json.loads(out.getvalue())["orders"] == 1


def test_what_people_read_at_the_end(file: Path) -> None:
    json_file(file, basket_in("A"), *[b"?"] * 21, basket_in("B"))
    out = io.StringIO()
    call_command("import_orders", str(file), "--channel", "tienda", stdout=out)
    said = out.getvalue().splitlines()
    assert said[0] == "line 2: malformed: is not JSON (column 1: Expecting value)"
    assert [" ".join(line.split()) for line in said[20:]] == [
        "… and 1 more refused",
        "lines read 23",
        "baskets 23",
        "new orders 2",
        "already there 0",
        "shops created 0",
        "refused 21",
        "malformed: The data are malformed. 21",
    ]


def test_what_a_file_says_cannot_play_tricks_on_a_terminal(file: Path) -> None:
    json_file(file, basket_in("\x1b[31mB"), basket_in("C\u202e", lines=[line_in(shop="[red]")]))
    out = io.StringIO()
    call_command("import_orders", str(file), "--channel", "tienda", stdout=out)
    assert out.getvalue().splitlines()[0].startswith("line 1 · \\x1b[31mB: malformed: commercial_id: ")
    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()


def test_a_report_cell_is_never_a_formula(file: Path) -> None:
    done = bring(json_file(file, basket_in("=1+1", currency="USD")))
    assert done.report == [("1", "'=1+1", "malformed", "currency: this channel sells in EUR")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-existe.jsonl", "--channel", "tienda"], "Cannot open no-existe.jsonl"),
        (["pyproject.toml", "--channel", "otra"], "There is no channel “otra”"),
        (["pyproject.toml"], "--channel"),
        (["pyproject.toml", "--channel", "tienda", "--report", "/"], "Cannot open /"),
        (["pyproject.toml", "--channel", "tienda", "--report", "pyproject.toml"], "the file itself"),
    ],
)
def test_what_is_not_there_ends_with_two(channel: Channel, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words) as refused:
        call_command("import_orders", *arguments)
    assert refused.value.returncode == 2


def test_a_long_file_is_read_in_little_memory(tmp_path: Path) -> None:
    source = Source(str(json_file(tmp_path / "long.jsonl", *(basket_in(f"P-{n}") for n in range(5_000)))))
    tracemalloc.start()
    try:
        found = sum(len(one.lines) for one in json_lines(source))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        source.close()
    assert found == 5_000
    assert peak < 500_000
