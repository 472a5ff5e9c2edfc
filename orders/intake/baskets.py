"""A basket in the storefront's shape, said in the words of `orders.services.place` (API-04)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from marketplace import money
from orders.intake.schema import AddressIn, BasketIn, CustomerIn, LineIn, PaymentIn
from orders.services import Customer, NewBasket, NewLine


class UnknownShop(LookupError):
    """The basket names a shop that is not here; `code` is the shop's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UnknownSupplier(LookupError):
    """The basket names a supplier that the shop does not have; `code` is theirs, `shop` the shop's."""

    def __init__(self, code: str, shop: str) -> None:
        super().__init__(code)
        self.code, self.shop = code, shop


type SupplierIds = Mapping[tuple[int, str], int]
"""Keys of suppliers by their shop's key and their code."""


def to_basket(
    basket: BasketIn, shop_ids: Mapping[str, int], supplier_ids: SupplierIds = MappingProxyType({})
) -> NewBasket:
    """Say it in the words of `orders.services.place`; `shop_ids` are by code.

    Raises UnknownShop, UnknownSupplier.
    """
    currency = basket.currency
    return NewBasket(
        commercial_id=basket.commercial_id,
        currency=currency,
        placed_at=basket.placed_at,
        customer=_customer(basket.customer, basket.shipping_address),
        lines=tuple(
            _line(line, number, currency, shop_ids, supplier_ids)
            for line, number in zip(basket.lines, basket.line_ids(), strict=True)
        ),
        payments=None if basket.payments is None else tuple(_payment(p, currency) for p in basket.payments),
        shipping_cents=money.parse(basket.shipping_price, currency),
        promised_at=basket.estimated_delivery,
        cash_on_delivery=basket.cash_on_delivery,
    )


def _line(
    line: LineIn, number: str, currency: str, shop_ids: Mapping[str, int], supplier_ids: SupplierIds
) -> NewLine:
    shop_id = shop_ids.get(line.shop)
    if shop_id is None:
        raise UnknownShop(line.shop)
    supplier_id = supplier_ids.get((shop_id, line.supplier)) if line.supplier else None
    if line.supplier and supplier_id is None:
        raise UnknownSupplier(line.supplier, line.shop)
    return NewLine(
        external_id=number,
        shop_id=shop_id,
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        unit_price_cents=money.parse(line.unit_price, currency),
        shipping_cents=money.parse(line.shipping_price, currency),
        category=line.category,
        promised_ship_by=line.ship_by,
        kind=line.kind,
        access=line.access,
        supplier_id=supplier_id,
        tax_bp=line.tax_rate,
        shipping_tax_bp=line.tax_rate if line.shipping_tax_rate is None else line.shipping_tax_rate,
    )


def _payment(payment: PaymentIn, currency: str) -> dict[str, Any]:
    paid: dict[str, Any] = {"method": payment.method, "amount_cents": money.parse(payment.amount, currency)}
    if payment.card is not None:
        paid["card"] = payment.card
    return paid


def _customer(customer: CustomerIn, address: AddressIn | None) -> Customer:
    place = {name: getattr(address, name) for name in AddressIn.model_fields} if address else {}
    return Customer(
        name=f"{customer.first_name} {customer.last_name}".strip(),
        email=customer.email or "",
        language=customer.locale[:2].lower(),
        phone=customer.phone or "",
        external_id=customer.external_id,
        wants_invoice=customer.wants_invoice,
        **place,
    )
