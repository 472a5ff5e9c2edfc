"""The seller's answer: accept line by line, refuse, or let the deadline act (ORD-02, ORD-04, ORD-05)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from marketplace import bulk, clocks, money
from marketplace.policy import Settings
from marketplace.refusals import Code, Outcome
from orders.models import Line, Order
from orders.services.move import Change, Channels, Refuse, _move, rules
from orders.signals import Moved
from orders.states import Decision, Verb
from sellers.desk import Actor


@dataclass(frozen=True, slots=True)
class Answer:
    """Which lines of an order are refused, and why; every other line is accepted."""

    refused: Mapping[int, str]


EVERYTHING = Answer({})


def accept(
    answers: Mapping[int, Answer] | Iterable[int], *, skip_locked: bool = False, by: Actor, at: datetime
) -> Outcome[Moved]:
    """Accept orders, all lines or some (ORD-05); what is refused is not charged and needs a reason.
    The handling clock starts (ORD-04).

    `answers` maps order ids to an `Answer`, or lists ids to accept whole. An answer that refuses every line is
    `nothing_chosen`: refusing the order is `refuse`.
    """
    wanted = dict(answers) if isinstance(answers, Mapping) else dict.fromkeys(answers, EVERYTHING)
    some = [order_id for order_id, answer in wanted.items() if answer.refused]
    lines = _lines_of(some) if some else {}
    channels = Channels()
    decided: list[tuple[int, str, str]] = []
    whole: list[int] = []

    def change(order: Order) -> Change:
        answer = wanted[order.id]
        if answer.refused:
            accepted, refused = _split(lines[order.id], answer)
            order.goods_cents = sum(line.goods_cents for line in accepted)
            order.shipping_cents = sum(line.shipping_cents for line in accepted)
            order.total_cents = order.goods_cents + order.shipping_cents
            decided.extend((line.id, Decision.ACCEPTED.value, "") for line in accepted)
            decided.extend((line.id, Decision.REFUSED.value, answer.refused[line.id]) for line in refused)
        else:
            refused = []
            whole.append(order.id)
        order.commission_cents, order.commission_vat_cents = commission(order, rules(order))
        order.accepted_at = at
        order.ship_by = clocks.deadline(at, rules(order).ship_within.span, channels.of(order).calendar)
        return Change(
            {
                "total_cents": order.total_cents,
                "refused": [
                    {"line": line.external_id, "title": line.title, "reason": answer.refused[line.id]}
                    for line in refused
                ],
            }
        )

    return _move(
        wanted,
        Verb.ACCEPT,
        change,
        fields=(*_ACCEPTED, "accepted_at", "ship_by"),
        also=lambda: _answer_lines(whole, Decision.ACCEPTED, "", decided),
        skip_locked=skip_locked,
        by=by,
        at=at,
    )


_ACCEPTED = ("goods_cents", "shipping_cents", "total_cents", "commission_cents", "commission_vat_cents")


def commission(order: Order, settings: Settings) -> tuple[int, int]:
    """What the marketplace keeps of an order, and the VAT on it, both in cents and rounded half up."""
    base = order.total_cents if settings.commission_on_shipping else order.goods_cents
    fee = money.rate(base, settings.commission_bp)
    return fee, money.rate(fee, settings.commission_vat_bp)


def _split(lines: list[Line], answer: Answer) -> tuple[list[Line], list[Line]]:
    unknown = set(answer.refused).difference(line.id for line in lines)
    if unknown:
        raise Refuse(Code.UNKNOWN_LINE)
    if not all(answer.refused.values()):
        raise Refuse(Code.REASON_NEEDED)
    accepted = [line for line in lines if line.id not in answer.refused]
    if not accepted:
        raise Refuse(Code.NOTHING_CHOSEN)
    return accepted, [line for line in lines if line.id in answer.refused]


def _lines_of(order_ids: Collection[int]) -> dict[int, list[Line]]:
    """Lines by order; their amounts never change, so they are read before the lock."""
    lines: dict[int, list[Line]] = defaultdict(list)
    for line in Line.objects.filter(order_id__in=order_ids).order_by("id"):
        lines[line.order_id].append(line)
    return lines


def _answer_lines(
    whole: Collection[int], decision: Decision, reason: str, single: list[tuple[int, str, str]]
) -> None:
    if whole:
        bulk.write(
            Line,
            "UPDATE orders_line SET decision = %s, refuse_reason = %s WHERE order_id = ANY(%s::bigint[])",
            [str(decision), reason, list(whole)],
        )
    bulk.update(Line, ("id", "decision", "refuse_reason"), single)


def refuse(order_ids: Iterable[int], *, reason: str, by: Actor, at: datetime) -> Outcome[Moved]:
    """Refuse whole orders (*Rechazado*): nothing is charged; a reason is needed (ORD-05)."""
    refused: list[int] = []

    def change(order: Order) -> Change:
        if not reason:
            raise Refuse(Code.REASON_NEEDED)
        refused.append(order.id)
        return Change({"reason": reason})

    return _move(
        order_ids,
        Verb.REFUSE,
        change,
        also=lambda: _answer_lines(refused, Decision.REFUSED, reason, []),
        by=by,
        at=at,
    )


def expire(order_ids: Iterable[int], *, skip_locked: bool = False, by: Actor, at: datetime) -> Outcome[Moved]:
    """Cancel orders that nobody accepted in time; nothing is charged (ORD-02)."""
    return _move(order_ids, Verb.EXPIRE, skip_locked=skip_locked, by=by, at=at)
