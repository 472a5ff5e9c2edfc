"""Playing a history through the live services: each event at its moment, every timer in between at its own.

What was heard is written down with what became of it, in the transaction of its effect: a history played twice, or
again after it was killed, is heard once.
"""

import gzip
import json
import logging
import traceback
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.db import connection, transaction
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from marketplace import bulk
from marketplace.models import Carrier, Channel
from marketplace.policy import Role, StartsWith
from marketplace.reasons import Why
from marketplace.refusals import Code, MoveRefused, Outcome
from messaging.services import muted
from orders import services
from orders.intake.baskets import to_basket
from orders.intake.flaws import why
from orders.intake.schema import BasketIn
from orders.models import HeardEvent, Order
from orders.signals import Moved
from payments import beforehand
from playback.clockwork import Clockwork
from refunds import refunding
from refunds.amounts import Part
from refunds.queries import left_of
from sellers.desk import PLATFORM, Actor
from sellers.models import Shop

logger = logging.getLogger(__name__)

DONE = "done"
KEPT_ELSEWHERE = ("review.posted",)
"""Events of a history that no part of the product takes in yet; they are counted apart, not refused."""

IGNORED = "ignored"
_CHUNK = 1000
_ALL = 100
_moment: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


@dataclass(frozen=True, slots=True)
class Heard:
    """One line of the file: its number, its fingerprint, and the event, or why it cannot be read."""

    number: int
    fingerprint: uuid.UUID
    event: dict[str, Any] | None
    at: datetime | None
    flaw: str = ""


class Refusal(Exception):
    """The event is refused with this code: it wrote nothing, and stays only as heard."""

    def __init__(self, code: Code, detail: str = "") -> None:
        super().__init__(str(code))
        self.code, self.detail = code, detail


def open_history(path: Path) -> IO[bytes]:
    """Open a history, packed or plain, whatever its name says."""
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


class BrokenOff(Exception):
    """The file cannot be read any further; what stood before has been played."""


def _lines(file: Iterable[bytes], flaws: list[str]) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, up to where it can be read."""
    number = 0
    try:
        for number, line in enumerate(file, 1):
            yield number, line
    except (EOFError, OSError, zlib.error) as error:
        flaws.append(f"breaks off after line {number:,}: {error}")


def read(file: Iterable[bytes], flaws: list[str]) -> Iterator[Heard]:
    """Read a history line by line. The same line standing twice in a file is two events.

    Where the file cannot be read on, why is put into `flaws`.
    """
    seen: Counter[bytes] = Counter()
    for number, line in _lines(file, flaws):
        raw = line.strip()
        if not raw:
            continue
        digest = blake2b(raw, digest_size=16).digest()
        seen[digest] += 1
        if seen[digest] > 1:
            digest = blake2b(digest + str(seen[digest]).encode(), digest_size=16).digest()
        yield _parsed(number, uuid.UUID(bytes=digest), raw)


def _parsed(number: int, fingerprint: uuid.UUID, raw: bytes) -> Heard:
    try:
        event = json.loads(raw, parse_float=Decimal)
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise ValueError("not an event")
        at = _moment.validate_python(event.get("at")).astimezone(UTC)
    except (ValueError, OverflowError, RecursionError) as error:
        return Heard(number, fingerprint, None, None, f"{type(error).__name__}: {str(error)[:200]}")
    return Heard(number, fingerprint, event, at)


class Player:
    """Plays events into one channel on a virtual clock, or into several, each basket always into the same one.

    What was heard is kept under the first. Unknown shops are opened as they appear.
    """

    def __init__(self, channel: Channel, *beside: Channel) -> None:
        self.channel = channel
        self._channels = (channel, *beside)
        self.clock = Clockwork()
        self.heard = self.readable = 0
        self._shops: dict[str, int] = dict(Shop.objects.values_list("code", "id"))
        self._carriers = {carrier.code: carrier for carrier in Carrier.objects.all()}
        self._verbs: dict[str, Callable[[dict[str, Any], datetime], None]] = {
            "order.placed": self._placed,
            "order.accepted": self._accepted,
            "order.shipped": self._shipped,
            "order.delivered": self._delivered,
            "order.refunded": self._refunded,
        }

    def play(
        self, lines: Iterable[bytes], *, progress: Callable[[int, datetime], None] = lambda n, at: None
    ) -> None:
        """Play every event that was not heard before, running each timer at its due moment in between.

        Raises BrokenOff, with all that could be read played.
        """
        flaws: list[str] = []
        with connection.cursor() as cursor:
            # What a killed replay loses it plays again: its commits need not wait for the disk.
            cursor.execute("SET synchronous_commit = off")
        with self.clock.listening(), muted(), bulk.numbers_ahead():
            events = read(lines, flaws)
            while chunk := list(islice(events, _CHUNK)):
                known = set(
                    HeardEvent.objects.filter(
                        channel=self.channel, fingerprint__in=[heard.fingerprint for heard in chunk]
                    ).values_list("fingerprint", flat=True)
                )
                for heard in chunk:
                    self.readable += heard.event is not None
                    if heard.fingerprint not in known:
                        self._hear(heard)
                self.heard += len(chunk)
                progress(self.heard, self.clock.at)
        if flaws:
            raise BrokenOff(flaws[0])

    def run_on(self, until: datetime) -> None:
        """Let the clock run on, up to a moment or (NEVER) until nothing that is not held is due."""
        with self.clock.listening(), muted(), bulk.numbers_ahead():
            self.clock.run_to(until, inclusive=True)

    def _hear(self, heard: Heard) -> None:
        if heard.at is not None:
            self.clock.run_to(heard.at)
        try:
            with transaction.atomic(), bulk.gathered():
                self._write_down(heard, *self._judged(heard))
        except Exception:
            logger.exception("line %d failed and is set aside", heard.number)
            self._write_down(heard, Code.FAILED.value, traceback.format_exc()[-2000:])
        self.clock.settle_down()

    def _write_down(self, heard: Heard, code: str, detail: str) -> None:
        kind = str(heard.event["type"])[:40] if heard.event else "?"
        bulk.insert(
            HeardEvent,
            ("channel_id", "fingerprint", "kind", "at", "line_number", "outcome", "detail"),
            [(self.channel.id, heard.fingerprint, kind, heard.at, heard.number, code, detail)],
        )

    def _judged(self, heard: Heard) -> tuple[str, str]:
        if heard.event is None or heard.at is None:
            return Code.MALFORMED.value, heard.flaw
        kind = heard.event["type"]
        if kind in KEPT_ELSEWHERE:
            return IGNORED, ""
        verb = self._verbs.get(kind)
        if verb is None:
            return Code.UNKNOWN_EVENT.value, kind[:200]
        try:
            verb(heard.event, heard.at)
        except Refusal as refusal:
            return refusal.code.value, refusal.detail
        return DONE, ""

    def _placed(self, event: dict[str, Any], at: datetime) -> None:
        order = event.get("order")
        if not isinstance(order, dict):
            raise Refusal(Code.MALFORMED, "order")
        try:
            basket = BasketIn.model_validate(
                {**order, "commercial_id": event.get("commercial_id"), "placed_at": event["at"]}
            )
        except ValidationError as error:
            raise Refusal(Code.MALFORMED, why(error)) from error
        channel = self._channel_of(basket.commercial_id)
        if basket.currency != channel.currency:
            raise Refusal(Code.MALFORMED, f"currency {basket.currency}")
        self._open_shops(basket)
        self._heed(services.place(channel, [to_basket(basket, self._shops)], by=PLATFORM))

    def _channel_of(self, number: str) -> Channel:
        """Where a basket is sold: its number alone decides, so that a history played again goes the same ways."""
        return self._channels[zlib.crc32(number.encode()) % len(self._channels)]

    def _open_shops(self, basket: BasketIn) -> None:
        new = {line.shop: line for line in basket.lines if line.shop not in self._shops}
        for code, line in new.items():
            shop, _ = Shop.objects.get_or_create(
                code=code, defaults={"name": line.shop_name or code, "city": line.shop_city or ""}
            )
            self._shops[code] = shop.id

    def _order(self, event: dict[str, Any]) -> tuple[int, Actor]:
        number, code = event.get("commercial_id"), event.get("shop")
        if not isinstance(number, str) or not isinstance(code, str):
            raise Refusal(Code.MALFORMED, "commercial_id, shop")
        shop_id = self._shops.get(code)
        if shop_id is None:
            raise Refusal(Code.UNKNOWN_SHOP, code[:200])
        found = bulk.fetch(
            """
            SELECT o.id FROM orders_basket b JOIN orders_order o ON o.basket_id = b.id AND o.shop_id = %s
             WHERE b.channel_id = %s AND b.commercial_id = %s
            """,
            [shop_id, self._channel_of(number).id, number],
        )
        if not found:
            raise Refusal(Code.UNKNOWN_ORDER, number[:200])
        return found[0][0], Actor(Role.SELLER, code)

    @staticmethod
    def _heed(outcome: Outcome[Moved]) -> None:
        if outcome.refused:
            raise Refusal(outcome.refused[0].code, outcome.refused[0].detail)

    def _accepted(self, event: dict[str, Any], at: datetime) -> None:
        order_id, seller = self._order(event)
        number = str(event["commercial_id"])
        policy = self._channel_of(number).policy
        if policy and policy.rules.starts_with == StartsWith.PAYMENT:
            self._heed(beforehand.confirm({order_id: number}, by=PLATFORM, at=at))
        else:
            self._heed(services.accept([order_id], by=seller, at=at))

    def _shipped(self, event: dict[str, Any], at: datetime) -> None:
        order_id, seller = self._order(event)
        code, tracking = event.get("carrier") or "", event.get("tracking") or ""
        if not isinstance(code, str) or not isinstance(tracking, str) or len(code) > 80 or len(tracking) > 80:
            raise Refusal(Code.MALFORMED, "carrier, tracking")
        carrier = self._carriers.get(code)
        parcel = services.Parcel(carrier=carrier, carrier_name=code or "?", tracking=tracking)
        self._heed(services.ship({order_id: parcel}, by=seller, at=at))

    def _delivered(self, event: dict[str, Any], at: datetime) -> None:
        order_id, _ = self._order(event)
        self._heed(services.deliver([order_id], by=PLATFORM, at=at))

    def _refunded(self, event: dict[str, Any], at: datetime) -> None:
        """So many hundredths of what is left of each line; all of it with a hundred."""
        order_id, seller = self._order(event)
        share = event.get("share")
        if not isinstance(share, int) or not 0 < share <= _ALL:
            raise Refusal(Code.MALFORMED, "share")
        parts = None if share == _ALL else _share_of_left(order_id, share)
        operator = event.get("by") == Role.OPERATOR
        key = uuid.uuid5(uuid.NAMESPACE_OID, f"{order_id}/{at.isoformat()}")
        wish = refunding.Wish(key, Why("other", "historia"), parts, cover=operator)
        try:
            refunding.refund(order_id, wish, by=PLATFORM if operator else seller, at=at)
        except MoveRefused as refused:
            raise Refusal(refused.refusal.code, refused.refusal.detail) from refused


def _share_of_left(order_id: int, share: int) -> list[Part]:
    order = Order.objects.select_related("policy").get(id=order_id)
    return [
        Part(
            one.line_id,
            one.units,
            one.goods.left_cents * share // _ALL,
            one.shipping.left_cents * share // _ALL,
        )
        for one in left_of(order).values()
        if one.cents >= _ALL
    ]
