"""When a parcel cannot be delivered: tried again, back to the shop, or on to another order (EXC-01, EXC-03, CAN-05)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from marketplace import bulk, clocks
from marketplace.addresses import postal_code_fits, telephone_fits
from marketplace.lettering import visible
from marketplace.reasons import Reasoned, why
from marketplace.refusals import Code, Outcome
from orders.models import Ending, Order, Shipment, Words
from orders.queries import folded
from orders.services.exceptions import end_exceptions, open_exceptions
from orders.services.move import Change, Channels, Refuse, _move, give_back, rules
from orders.services.receipt import count_receipt
from orders.signals import Moved
from orders.states import Verb
from sellers.desk import Actor

LONGEST_SAID = 300


def report_exception(
    order_ids: Iterable[int], *, reason: Reasoned, parcel: int | None = None, by: Actor, at: datetime
) -> Outcome[Moved]:
    """The carrier could not deliver, for a reason: receipt waits until it is tried again or comes back (EXC-01).

    `parcel` is the number of the one that it is about, the last where none is named.
    """
    given = why(reason)
    failed: list[Order] = []

    def change(order: Order) -> Change:
        if not given:
            raise Refuse(Code.REASON_NEEDED)
        if len(given.note) > LONGEST_SAID:
            raise Refuse(Code.TOO_LONG)
        if parcel is not None and not 0 < parcel <= order.parcels:
            raise Refuse(Code.MALFORMED)
        failed.append(order)
        return Change({"reason": given.kept})

    return _move(
        order_ids,
        Verb.REPORT_EXCEPTION,
        change,
        also=lambda: open_exceptions(failed, given, parcel, by=by, at=at),
        by=by,
        at=at,
    )


@dataclass(frozen=True, slots=True)
class Correction:
    """What is right instead of what an order says of where it goes and how to get there; None leaves it as it is."""

    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    customer_phone: str | None = None
    courier_note: str | None = None


CORRECTED = tuple(field.name for field in fields(Correction))
_LONGEST = {
    field.attname: field.max_length or 0
    for field in Order._meta.concrete_fields
    if field.attname in CORRECTED
}


def flaws_of(country: str, correction: Correction) -> list[str]:
    """The parts of a correction that cannot be right, by name; a street and a city are not taken away (EXC-03)."""
    given = {name: value for name in CORRECTED if (value := getattr(correction, name)) is not None}
    flawed = [name for name, value in given.items() if len(value) > _LONGEST[name] or visible(value) != value]
    flawed += [name for name in ("street", "city") if given.get(name) == ""]
    if "postal_code" in given and not postal_code_fits(country, given["postal_code"]):
        flawed.append("postal_code")
    if given.get("customer_phone") and not telephone_fits(country, given["customer_phone"]):
        flawed.append("customer_phone")
    return list(dict.fromkeys(flawed))


def retry(
    order_ids: Iterable[int],
    *,
    corrections: Mapping[int, Correction] | None = None,
    by: Actor,
    at: datetime,
) -> Outcome[Moved]:
    """Send it out once more, where the order says or where a correction says: the days to arrive, and until it counts
    as received, start again (SHP-07, EXC-03).

    What was corrected stays in the history as it was and as it is. Refused as `bad_address`, naming the parts that
    cannot be right.
    """
    channels = Channels()
    retried: list[Order] = []
    cities: dict[int, str] = {}

    def change(order: Order) -> Change:
        corrected = _correct(order, (corrections or {}).get(order.id))
        if "city" in corrected:
            cities[order.id] = order.city
        count_receipt(order, at, channels)
        span = rules(order).deliver_within.span
        order.deliver_by = clocks.deadline(at, span, channels.of(order).calendar)
        retried.append(order)
        return Change({"corrected": corrected} if corrected else {})

    def also() -> None:
        _end(retried, Ending.RETRIED, by=by, at=at)
        for order_id, city in cities.items():
            text = f" {folded(city)}"
            bulk.write(
                Words, "UPDATE orders_words SET text = text || %s WHERE order_id = %s", [text, order_id]
            )

    written = ("receive_at", "deliver_by", *(CORRECTED if corrections else ()))
    return _move(order_ids, Verb.RETRY, change, fields=written, also=also, by=by, at=at)


def _correct(order: Order, correction: Correction | None) -> dict[str, list[str]]:
    """Put right what is wrong; answers {column: [what it said, what it says]} of what has changed."""
    if correction is None:
        return {}
    if flawed := flaws_of(order.country, correction):
        raise Refuse(Code.BAD_ADDRESS, ", ".join(flawed))
    corrected: dict[str, list[str]] = {}
    for name in CORRECTED:
        was, now = getattr(order, name), getattr(correction, name)
        if now is not None and now != was:
            corrected[name] = [was, now]
            setattr(order, name, now)
    return corrected


def return_to_sender(order_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """The parcel is back at the shop: the order ends, and whoever paid is paid back everything (CAN-05)."""
    returned: list[Order] = []

    def change(order: Order) -> Change:
        returned.append(order)
        return Change({"refunded_cents": give_back(order)})

    return _move(
        order_ids,
        Verb.RETURN_TO_SENDER,
        change,
        fields=("refunded_cents",),
        also=lambda: _end(returned, Ending.RETURNED, by=by, at=at),
        by=by,
        at=at,
    )


def redirect(to: Mapping[int, str], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """The parcel goes on to another order's customer: this order ends as if it had come back, and whoever paid is paid
    back everything (EXC-04, CAN-05).

    `to` maps order ids to the number of the order that each goes to, for the shop's history. It is one half of a
    redirect: the other order is sent in the same transaction (`refunds.redirecting`).
    """
    left: list[Order] = []

    def change(order: Order) -> Change:
        left.append(order)
        return Change({"refunded_cents": give_back(order), "to_order": to[order.id]})

    def also() -> None:
        _end(left, Ending.REDIRECTED, by=by, at=at)
        bulk.write(
            Shipment,
            "UPDATE orders_shipment SET redirected_at = %s WHERE order_id = ANY(%s::bigint[])",
            [at, [order.id for order in left]],
        )

    return _move(to, Verb.REDIRECT, change, fields=("refunded_cents",), also=also, by=by, at=at)


def _end(orders: list[Order], how: Ending, *, by: Actor, at: datetime) -> None:
    end_exceptions([order.id for order in orders], how, by=by, at=at)
