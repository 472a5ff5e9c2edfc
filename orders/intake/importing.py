"""The import: baskets that a file brought are checked and placed in batches, the others told of (API-04).

A basket comes in whole or not at all, and a batch is one transaction: an import that was cut off is simply
started again, and finds what it had done already there (ORD-15).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _
from pydantic import ValidationError

from marketplace.models import Channel
from marketplace.refusals import Code
from orders import services
from orders.intake.baskets import UnknownShop, UnknownSupplier, to_basket
from orders.intake.files import Flawed, Found, Unreadable
from orders.intake.flaws import why
from orders.intake.schema import BasketIn
from orders.models import Basket
from sellers.desk import Actor
from sellers.models import Shop, Supplier

BATCH = 400
_LINES_A_BASKET = 10


@dataclass(frozen=True, slots=True)
class Refused:
    """A basket that did not come in: its lines in the file, its number, and why. Safe to print."""

    lines: tuple[int, ...]
    commercial_id: str
    code: Code
    reason: str


@dataclass(slots=True)
class Result:
    """What an import did: baskets read, orders made, baskets already there, shops made, refusals by code."""

    baskets: int = 0
    orders: int = 0
    already_there: int = 0
    shops: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def bring_in(
    channel: Channel,
    found: Iterable[Found | Flawed],
    *,
    result: Result,
    refuse: Callable[[Refused], None],
    create_shops: bool = False,
    dry_run: bool = False,
    batch: int = BATCH,
    by: Actor,
    at: datetime,
) -> None:
    """Place every basket that can be placed, counted in `result`; `refuse` is told of the others, one by one.

    Unknown shops are refused, or created with `create_shops`. A dry run undoes each batch. Raises what the
    reader raises, and the database's error when the connection is gone; batches already placed stay.
    """
    intake = _Intake(channel, result, refuse, create_shops, dry_run, batch, by, at)
    try:
        for item in found:
            intake.take(item)
    except Unreadable:
        intake.flush()
        raise
    intake.flush()


type _Waiting = tuple[tuple[int, ...], BasketIn]


@dataclass(slots=True)
class _Intake:
    channel: Channel
    result: Result
    told: Callable[[Refused], None]
    create_shops: bool
    dry_run: bool
    batch: int
    by: Actor
    at: datetime
    shop_ids: dict[str, int] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    waiting: list[_Waiting] = field(default_factory=list)
    waiting_lines: int = 0

    def take(self, item: Found | Flawed) -> None:
        """Check a basket and let it wait for its batch."""
        self.result.baskets += 1
        if isinstance(item, Flawed):
            self.refuse(item.lines, item.commercial_id, Code.MALFORMED, item.reason)
            return
        try:
            basket = BasketIn.model_validate(item.data)
        except ValidationError as error:
            self.refuse(item.lines, _number_in(item.data), Code.MALFORMED, why(error, item.name))
            return
        if basket.currency != self.channel.currency:
            told = _("currency: este canal vende en {currency}").format(currency=self.channel.currency)
            self.refuse(item.lines, basket.commercial_id, Code.MALFORMED, told)
        elif basket.placed_at > self.at:
            told = _("placed_at: está en el futuro")
            self.refuse(item.lines, basket.commercial_id, Code.TOO_EARLY, told)
        else:
            self.waiting.append((item.lines, basket))
            self.waiting_lines += len(basket.lines)
            if len(self.waiting) >= self.batch or self.waiting_lines >= self.batch * _LINES_A_BASKET:
                self.flush()

    def flush(self) -> None:
        """Place the batch; when it fails as a whole, its baskets one by one."""
        waiting, self.waiting, self.waiting_lines = self.waiting, [], 0
        if not waiting:
            return
        try:
            self.place(waiting)
        except Exception:
            if not connection.is_usable():
                raise
            for lines, basket in waiting:
                self.place_alone(lines, basket)

    def place_alone(self, lines: tuple[int, ...], basket: BasketIn) -> None:
        try:
            self.place([(lines, basket)])
        except Exception as error:
            if not connection.is_usable():
                raise
            said = (str(error).splitlines() or [""])[0]
            self.refuse(lines, basket.commercial_id, Code.FAILED, f"{type(error).__name__}: {said}")

    def place(self, waiting: Sequence[_Waiting]) -> None:
        """Place baskets in one transaction; nothing is counted before it is committed."""
        refused: list[tuple[tuple[int, ...], str, Code, str]] = []
        with transaction.atomic():
            here = _already_there(self.channel, [basket.commercial_id for _lines, basket in waiting])
            fresh = [one for one in waiting if one[1].commercial_id not in here]
            shop_ids, made = self.shops([basket for _lines, basket in fresh])
            supplier_ids = _suppliers([basket for _lines, basket in fresh])
            placing = []
            for lines, basket in fresh:
                try:
                    placing.append((lines, to_basket(basket, shop_ids, supplier_ids)))
                except UnknownShop as unknown:
                    told = _("no existe la tienda «{code}»").format(code=unknown.code)
                    refused.append((lines, basket.commercial_id, Code.UNKNOWN_SHOP, told))
                except UnknownSupplier as unknown:
                    told = _("la tienda «{shop}» no tiene el proveedor «{code}»").format(
                        shop=unknown.shop, code=unknown.code
                    )
                    refused.append((lines, basket.commercial_id, Code.UNKNOWN_SUPPLIER, told))
            outcome = services.place(self.channel, [new for _lines, new in placing], by=self.by)
            if self.dry_run:
                transaction.set_rollback(True)
        self.shop_ids = self.shop_ids if self.dry_run else shop_ids
        self.made |= made
        self.result.shops = len(self.made)
        self.result.orders += len(outcome.moved)
        self.result.already_there += len(waiting) - len(fresh)
        for refusal in outcome.refused:
            if refusal.code == Code.DUPLICATE:
                self.result.already_there += 1
            else:
                lines, new = placing[refusal.id]
                refused.append((lines, new.commercial_id, refusal.code, refusal.text))
        for refusal_told in refused:
            self.refuse(*refusal_told)

    def shops(self, baskets: Sequence[BasketIn]) -> tuple[dict[str, int], set[str]]:
        """The shops that are known, by code, and those that were made for these baskets."""
        named = {line.shop: line for basket in baskets for line in reversed(basket.lines)}
        known = self.shop_ids | _ids_of(set(named) - set(self.shop_ids))
        missing = [line for code, line in named.items() if code not in known]
        if not missing or not self.create_shops:
            return known, set()
        Shop.objects.bulk_create(
            [
                Shop(code=one.shop, name=one.shop_name or one.shop, city=one.shop_city or "")
                for one in missing
            ],
            ignore_conflicts=True,
        )
        made = {line.shop for line in missing}
        return known | _ids_of(made), made

    def refuse(self, lines: tuple[int, ...], commercial_id: str, code: Code, reason: str) -> None:
        self.result.refused[str(code)] += 1
        self.told(Refused(lines, printable(commercial_id, 64), code, printable(reason, 500)))


def _already_there(channel: Channel, commercial_ids: Sequence[str]) -> set[str]:
    found = Basket.objects.filter(channel=channel, commercial_id__in=commercial_ids)
    return set(found.values_list("commercial_id", flat=True))


def _ids_of(codes: set[str]) -> dict[str, int]:
    return dict(Shop.objects.filter(code__in=codes).values_list("code", "id")) if codes else {}


def _suppliers(baskets: Sequence[BasketIn]) -> dict[tuple[int, str], int]:
    """The active suppliers that are named, by shop and code; nothing is read where none is."""
    codes = {line.supplier for basket in baskets for line in basket.lines if line.supplier}
    if not codes:
        return {}
    rows = Supplier.objects.filter(code__in=codes, active=True).values_list("shop_id", "code", "id")
    return {(shop_id, code): supplier_id for shop_id, code, supplier_id in rows}


def _number_in(data: object) -> str:
    """The commercial number of a basket that is otherwise not in order."""
    number = data.get("commercial_id") if isinstance(data, dict) else None
    return number if isinstance(number, str) else ""


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell


def printable(text: str, most: int) -> str:
    """What a file said, without the characters that would play tricks on a terminal."""
    shown = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text[: most + 1]
    )
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
