"""A shop asks for a carrier that is not in the list, and an operator grants it or says why not (SHP-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from marketplace.models import Carrier
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from orders.models import CarrierRequest, Granting
from orders.signals import carrier_requested, carrier_requests_answered
from sellers.desk import Actor, Right
from sellers.models import Shop

MOST_OPEN = 20
"""Requests that one shop may have waiting for an answer."""


@transaction.atomic
def ask_for_carrier(
    shop: Shop, name: str, website: str, *, order_reference: str = "", by: Actor, at: datetime
) -> CarrierRequest:
    """Ask the operators for a carrier, once; they are told (SHP-04).

    Raises MoveRefused: `not_allowed`; `carrier_listed`, `carrier_asked` when it is there or was asked for already;
    `carriers_wait` while too many wait for an answer.
    """
    if by.role == Role.SUPPLIER or not by.may(Right.WORK_ORDERS):
        raise MoveRefused(Refusal(0, Code.NOT_ALLOWED))
    _one_at_a_time(shop)
    if code := _needless(shop, name):
        raise MoveRefused(Refusal(0, code))
    asked = CarrierRequest.objects.create(
        shop=shop, name=name, website=website, order_reference=order_reference, asked_at=at, asked_by=by.label
    )
    carrier_requested.send(
        sender=CarrierRequest,
        told={"name": name, "website": website, "shop": shop.name, "by": by.label, "order": order_reference},
        at=at,
    )
    return asked


def _one_at_a_time(shop: Shop) -> None:
    Shop.objects.select_for_update(no_key=True).get(id=shop.id)


def _needless(shop: Shop, name: str) -> Code | None:
    """Why there is nothing to ask: it is there, it was asked for, or the operators are behind with answers."""
    if Carrier.objects.filter(name__iexact=name, active=True).exists():
        return Code.CARRIER_LISTED
    waiting = CarrierRequest.objects.filter(shop=shop, state=Granting.OPEN)
    if waiting.filter(name__iexact=name).exists():
        return Code.CARRIER_ASKED
    return Code.CARRIERS_WAIT if waiting.count() >= MOST_OPEN else None


@dataclass(frozen=True, slots=True)
class NewCarrier:
    """A carrier to be added to the list for a request: what sellers call it, and how its numbers are followed."""

    code: str
    name: str
    tracking_url: str = ""
    tracking_pattern: str = ""


@transaction.atomic
def grant_carrier(
    request_ids: Sequence[int], carrier: Carrier | NewCarrier, *, note: str = "", by: Actor, at: datetime
) -> Outcome[int]:
    """Give shops the carrier that they asked for: one of the list, switched on if it was off, or a new one (SHP-04).

    Answered already is refused as `wrong_state`, and then no carrier is made. Raises IntegrityError for a code that
    is taken.
    """
    open_rows, refused = _locked(request_ids)
    if not open_rows:
        return Outcome([], refused)
    if isinstance(carrier, NewCarrier):
        carrier = Carrier.objects.create(
            code=carrier.code,
            name=carrier.name,
            tracking_url=carrier.tracking_url,
            tracking_pattern=carrier.tracking_pattern,
        )
    elif not carrier.active:
        carrier.active = True
        carrier.save(update_fields=["active"])
    return _answer(open_rows, refused, Granting.GRANTED, carrier, note, by=by, at=at)


@transaction.atomic
def decline_carrier(request_ids: Sequence[int], *, note: str, by: Actor, at: datetime) -> Outcome[int]:
    """Say no, and why (SHP-04). Refused as `reason_needed` without a word, `wrong_state` when answered already."""
    if not note:
        return Outcome([], [Refusal(pk, Code.REASON_NEEDED) for pk in request_ids])
    open_rows, refused = _locked(request_ids)
    return _answer(open_rows, refused, Granting.DECLINED, None, note, by=by, at=at)


def _locked(request_ids: Sequence[int]) -> tuple[list[CarrierRequest], list[Refusal]]:
    rows = CarrierRequest.objects.select_for_update(of=("self",)).filter(id__in=request_ids).order_by("id")
    open_rows = [row for row in rows if row.state == Granting.OPEN]
    known = {row.id for row in open_rows}
    return open_rows, [Refusal(pk, Code.WRONG_STATE) for pk in request_ids if pk not in known]


def _answer(
    rows: Sequence[CarrierRequest],
    refused: Sequence[Refusal],
    state: Granting,
    carrier: Carrier | None,
    note: str,
    *,
    by: Actor,
    at: datetime,
) -> Outcome[int]:
    ids = [row.id for row in rows]
    CarrierRequest.objects.filter(id__in=ids).update(
        state=state, carrier=carrier, note=note, answered_at=at, answered_by=by.label
    )
    told = [
        (row.shop_id, {"name": row.name, "carrier": carrier.name if carrier else "", "note": note})
        for row in rows
    ]
    if told:
        carrier_requests_answered.send(sender=CarrierRequest, granted=carrier is not None, told=told, at=at)
    return Outcome(ids, refused)
