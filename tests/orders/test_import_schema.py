"""The shape of a basket: what is published of it, and the words for what is wrong."""

import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from orders.intake.baskets import UnknownShop, UnknownSupplier, to_basket
from orders.intake.flaws import why
from orders.intake.schema import BasketIn, published
from tests.orders.intake_files import basket_in, line_in

DOCS = Path(__file__).resolve().parents[2] / "docs"


def flaw(**wishes: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        BasketIn.model_validate(basket_in(**wishes))
    return why(refused.value)


@pytest.mark.rule("API-04")
def test_the_published_schema_is_current() -> None:
    out = io.StringIO()
    call_command("import_orders", "--schema", stdout=out)
    assert out.getvalue() == published() == (DOCS / "intake.schema.json").read_text(encoding="utf-8")


def test_the_published_schema_judges_alike() -> None:
    validator = Draft202012Validator(json.loads(published()))
    Draft202012Validator.check_schema(validator.schema)
    assert validator.is_valid(basket_in(payments=None, shipping_price=3.5))
    for wishes in (
        {"lines": [line_in(quantity=0)]},
        {"lines": [line_in(unit_price="-1")]},
        {"placed": 1},
        {"currency": "euro"},
        {"customer": {"first_name": ""}},
        {"customer": {"first_name": "Ana", "email": "ana"}},
    ):
        assert not validator.is_valid(basket_in(**wishes))
        assert flaw(**wishes)


def test_the_example_of_the_page_is_in_order() -> None:
    page = (DOCS / "intake.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    for line in example.strip().splitlines():
        assert BasketIn.model_validate(json.loads(line)).lines


def test_amounts_are_read_as_they_are_written() -> None:
    lines = [line_in(1, unit_price=Decimal("19.99"), shipping_price=3), line_in(2, unit_price="0,07")]
    new = to_basket(BasketIn.model_validate(basket_in(lines=lines)), {"alba": 7})
    assert [(one.shop_id, one.unit_price_cents, one.shipping_cents) for one in new.lines] == [
        (7, 1999, 300),
        (7, 7, 400),
    ]
    assert (new.payments, new.shipping_cents, new.customer.name) == (None, 0, "Ana Soler")
    assert flaw(lines=[line_in(unit_price=19.99)]).startswith("lines.0.unit_price: no es un importe")


@pytest.mark.parametrize("letter", ["\u202a", "\u202e", "\u2066", "\u2069", "\0"])
def test_no_text_turns_the_direction_of_reading_around(letter: str) -> None:
    words = f"a{letter}b"
    validator = Draft202012Validator(json.loads(published()))
    for wishes in (
        {"lines": [line_in(title=words)]},
        {"lines": [line_in(shop_name=words)]},
        {"lines": [line_in(category=words)]},
        {"customer": {"first_name": words}},
        {"customer": {"first_name": "Ana", "last_name": words}},
        {"shipping_address": {"street": words, "city": "Z", "country": "ES"}},
    ):
        assert not validator.is_valid(basket_in(**wishes))
        assert "que inviertan el sentido de la lectura" in flaw(**wishes)
    joined = line_in(title="\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u05e9\u05dc\u05d5\u05dd")
    assert BasketIn.model_validate(basket_in(lines=[joined])).lines


def test_a_yen_has_no_decimals() -> None:
    lines = [line_in(unit_price="330", shipping_price="0")]
    new = to_basket(BasketIn.model_validate(basket_in(currency="JPY", lines=lines)), {"alba": 7})
    assert new.lines[0].unit_price_cents == 330
    assert flaw(currency="JPY") == (
        "lines.0.unit_price: el importe tiene más decimales que su moneda; "
        "lines.0.shipping_price: el importe tiene más decimales que su moneda"
    )


def test_an_unknown_shop_is_named() -> None:
    with pytest.raises(UnknownShop) as unknown:
        to_basket(BasketIn.model_validate(basket_in()), {})
    assert unknown.value.code == "alba"


@pytest.mark.rule("ROL-04")
def test_a_supplier_is_the_shops_own() -> None:
    basket = BasketIn.model_validate(basket_in(lines=[line_in(supplier="norte")]))
    known = {(7, "norte"): 3, (8, "norte"): 4}
    assert [line.supplier_id for line in to_basket(basket, {"alba": 7}, known).lines] == [3]
    with pytest.raises(UnknownSupplier) as unknown:
        to_basket(basket, {"alba": 9}, known)
    assert (unknown.value.code, unknown.value.shop) == ("norte", "alba")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"lines": [line_in(quantity=0)]}, "lines.0.quantity: debe ser al menos 1"),
    ({"lines": [line_in(quantity=True)]}, "lines.0.quantity: debe ser un número entero"),
    ({"lines": [line_in(quantity="1_0")]}, "lines.0.quantity: debe ser un número entero"),
    ({"lines": [line_in(quantity=Decimal("1E999999"))]}, "lines.0.quantity: debe ser un número entero"),
    ({"lines": [line_in(quantity=Decimal("1.5"))]}, "lines.0.quantity: debe ser un número entero"),
    (
        {"lines": [line_in(unit_price=True)]},
        "lines.0.unit_price: no es un importe: solo cifras y, si acaso, una coma o un punto decimal",
    ),
    ({"lines": [line_in(unit_price=10**400)]}, "lines.0.unit_price: el importe es demasiado grande"),
    ({"lines": [line_in(sku="x" * 81)]}, "lines.0.sku: pasa de 80 caracteres"),
    ({"lines": [line_in(title=" ")]}, "lines.0.title: no puede estar vacío"),
    ({"lines": [line_in(title=3)]}, "lines.0.title: debe ser un texto"),
    ({"lines": [3]}, "lines.0: debe ser un objeto con campos"),
    ({"lines": "no"}, "lines: debe ser una lista"),
    ({"placed_at": "2026-02-31T10:00:00Z"}, "placed_at: no es una fecha y hora que exista"),
    ({"placed_at": None}, "placed_at: debe ser una fecha y hora ISO 8601, por ejemplo 2026-03-01T10:00:00Z"),
    ({"commercial_id": "P\u202e1"}, "commercial_id: no puede llevar / \\ ? # % ni caracteres invisibles"),
    ({"currency": "eur"}, "currency: no tiene la forma debida"),
    (
        {"customer": {"first_name": "Ana", "email": "a@b"}},
        "customer.email: no parece una dirección de correo",
    ),
    (
        {"payments": [{"method": "card", "amount": 1, "card": "4" * 16}]},
        "payments.0.card: no tiene la forma debida",
    ),
    (
        {"customer": {}, "shipping_address": {}},
        "customer.first_name: falta; shipping_address.street: falta; shipping_address.city: falta; y 1 más",
    ),
]


@pytest.mark.parametrize(("wishes", "reason"), WRONG, ids=[case[1][:40] for case in WRONG])
def test_the_reason_says_where_and_what(wishes: dict[str, Any], reason: str) -> None:
    number = wishes.pop("commercial_id", "P-1")
    with translation.override("es"):
        with pytest.raises(ValidationError) as refused:
            BasketIn.model_validate({**basket_in(number), **wishes})
        assert why(refused.value) == reason


def test_no_lines_at_all() -> None:
    with pytest.raises(ValidationError) as refused:
        BasketIn.model_validate({**basket_in(), "lines": []})
    assert why(refused.value) == "lines: no puede estar vacío"


@pytest.mark.rule("ORD-13")
def test_what_does_not_travel_says_so_and_needs_no_address() -> None:
    link = "https://tienda.example/patron"
    bought = basket_in(lines=[line_in(kind="download", access=link)])
    del bought["shipping_address"]
    new = to_basket(BasketIn.model_validate(bought), {"alba": 7})
    assert [(one.kind, one.access) for one in new.lines] == [("download", link)]
    assert (new.customer.street, new.customer.country) == ("", "")
    bought["lines"].append(line_in(2))
    with pytest.raises(ValidationError) as refused:
        BasketIn.model_validate(bought)
    assert why(refused.value) == "shipping_address: falta"
    assert flaw(lines=[line_in(kind="ebook")]).startswith("lines.0.kind: debe ser una de estas: 'goods', ")
    assert flaw(lines=[line_in(access=link)]) == "lines.0.access: lo que se envía no lo lleva"
    assert flaw(lines=[line_in(kind="ticket", access="x" * 501)]).startswith("lines.0.access: pasa de 500")
