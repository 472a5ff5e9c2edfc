"""The seller's answer: accept line by line, refuse, or let the deadline act (ORD-02, ORD-04, ORD-05)."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marketplace import bulk
from marketplace.reasons import Reasoned, Why, why
from marketplace.refusals import Code, Outcome
from orders.models import Line, Order
from orders.services.fees import FEE, Fees, charge_fee, priced
from orders.services.move import Change, Channels, Refuse, _move, promises, rules
from orders.services.parts import SERVED, in_a_line, parts_of, rewrite, served_by
from orders.services.shipping import lines_of
from orders.services.splitting import NO_STOCK, Splits, refused_words
from orders.signals import Moved
from orders.states import INSTANT, Decision, LineKind, Verb
from sellers.desk import Actor


@dataclass(frozen=True, slots=True)
class Answer:
    """Which lines of an order are refused, and why; every other line is accepted.

    `there_are` says how many units there are of a line when fewer than were bought: the rest is refused (ORD-06).
    """

    refused: Mapping[int, Reasoned]
    there_are: Mapping[int, int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return not self.refused and not self.there_are


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
    some = [order_id for order_id, answer in wanted.items() if not answer.whole]
    lines: dict[int, list[Line]] = {}
    channels, fees = Channels(), Fees(wanted)
    whole: list[int] = []
    splits = Splits()
    served: list[int] = []
    parts: list[tuple[object, ...]] = []

    def change(order: Order) -> Change:
        answer = wanted[order.id]
        told: list[dict[str, Any]] = []
        if answer.whole:
            whole.append(order.id)
            kept = None
        else:
            if not lines:
                lines.update(lines_of(some))
            by_suppliers = order.supplier_id is not None or order.shared
            told, left = _answered(order, lines[order.id], answer, splits)
            if by_suppliers:
                served.append(order.id)
                parts.extend(parts_of(order, left))
            kept = priced(left)
        charge_fee(order, fees.of(order, at=at, articles=kept))
        order.accepted_at = at
        promised = promises(
            rules(order),
            channels.of(order).calendar,
            ships=order.ships,
            confirms=order.to_confirm > 0,
            at=at,
        )
        order.ship_by = promised.get("ship_by")
        if order.cash_on_delivery:
            order.deliver_by = promised.get("deliver_by")
        return Change({"total_cents": order.total_cents, "refused": told})

    def write() -> None:
        accept_all_lines(whole)
        splits.write()
        rewrite(served, parts)

    return _move(
        wanted,
        Verb.ACCEPT,
        change,
        fields=(
            *_ACCEPTED,
            "accepted_at",
            "ship_by",
            "deliver_by",
            *((*SERVED, "items_text") if some else ()),
        ),
        also=write,
        skip_locked=skip_locked,
        by=by,
        at=at,
    )


def _answered(
    order: Order, lines: list[Line], answer: Answer, splits: Splits
) -> tuple[list[dict[str, Any]], list[Line]]:
    """Split the lines of an order as it was answered and count what is left of it; answers what was refused, and the
    lines that were accepted."""
    accepted, refused = _split(lines, answer)
    told = []
    for line in refused:
        reason = why(answer.refused[line.id])
        splits.refuse(line, line.quantity, reason, among=lines)
        told.append(refused_words(line, line.quantity, reason))
    for line in accepted:
        splits.accept(line)
    for line in accepted:
        missing = line.quantity - answer.there_are.get(line.id, line.quantity)
        if missing:
            splits.refuse(line, missing, NO_STOCK, among=lines)
            told.append(refused_words(line, missing, NO_STOCK))
    order.goods_cents = sum(line.goods_cents for line in accepted)
    order.shipping_cents = sum(line.shipping_cents for line in accepted)
    order.total_cents = order.goods_cents + order.shipping_cents
    order.ships, order.at_once, order.to_confirm = made_of(line.kind for line in accepted)
    order.supplier_id, order.shared = served_by(accepted)
    order.items_text = in_a_line(accepted)
    return told, accepted


type _Decided = tuple[int, str, str, str]
"""A line, its answer, and of a refusal the code and the note."""


def _refused(line: Line, reason: Why) -> _Decided:
    return line.id, Decision.REFUSED.value, reason.code, reason.note


_ACCEPTED = ("goods_cents", "shipping_cents", "total_cents", *FEE, "ships", "at_once", "to_confirm")


def made_of(kinds: Iterable[str]) -> tuple[bool, int, int]:
    """Of the kinds of some lines: whether any travels, how many are confirmed at once and how many by the shop."""
    counted = Counter(kinds)
    ships = counted.pop(LineKind.GOODS, 0) > 0
    at_once = sum(counted[kind] for kind in INSTANT)
    return ships, at_once, counted.total() - at_once


def _split(lines: list[Line], answer: Answer) -> tuple[list[Line], list[Line]]:
    unknown = set(answer.refused).difference(line.id for line in lines)
    if unknown:
        raise Refuse(Code.UNKNOWN_LINE)
    if not all(answer.refused.values()):
        raise Refuse(Code.REASON_NEEDED)
    accepted = [line for line in lines if line.id not in answer.refused]
    if not accepted:
        raise Refuse(Code.NOTHING_CHOSEN)
    quantities = {line.id: line.quantity for line in accepted}
    if not set(answer.there_are) <= set(quantities):
        raise Refuse(Code.UNKNOWN_LINE)
    if any(not 0 < units <= quantities[line_id] for line_id, units in answer.there_are.items()):
        raise Refuse(Code.TOO_MANY)
    return accepted, [line for line in lines if line.id in answer.refused]


def _lines_of(order_ids: Collection[int]) -> dict[int, list[Line]]:
    """Lines by order; their amounts never change, so they are read before the lock."""
    lines: dict[int, list[Line]] = defaultdict(list)
    for line in Line.objects.filter(order_id__in=order_ids).order_by("id"):
        lines[line.order_id].append(line)
    return lines


def _answer_lines(whole: Collection[int], decision: Decision, reason: Why, single: list[_Decided]) -> None:
    if whole:
        bulk.write(
            Line,
            "UPDATE orders_line SET decision = %s, refuse_code = %s, refuse_reason = %s "
            "WHERE order_id = ANY(%s::bigint[])",
            [str(decision), reason.code, reason.note, list(whole)],
        )
    bulk.update(Line, ("id", "decision", "refuse_code", "refuse_reason"), single)


def accept_all_lines(order_ids: Collection[int]) -> None:
    """Write every line of these orders down as accepted: where the customer pays first, nobody is asked."""
    _answer_lines(order_ids, Decision.ACCEPTED, Why(), [])


def refuse(
    order_ids: Iterable[int], *, reason: Reasoned | Mapping[int, Reasoned], by: Actor, at: datetime
) -> Outcome[Moved]:
    """Refuse whole orders (*Rechazado*): nothing is charged (ORD-05).

    A reason is needed: one for everything, or one for each line by its id.
    """
    wanted = list(order_ids)
    each = {key: why(one) for key, one in reason.items()} if isinstance(reason, Mapping) else {}
    alike = Why() if isinstance(reason, Mapping) else why(reason)
    lines = _lines_of(wanted) if each else {}
    whole: list[int] = []
    single: list[_Decided] = []
    served: list[int] = []

    def change(order: Order) -> Change:
        given = [each.get(line.id, alike) for line in lines[order.id]] if each else [alike]
        if not all(given):
            raise Refuse(Code.REASON_NEEDED)
        if each:
            single.extend(map(_refused, lines[order.id], given))
        else:
            whole.append(order.id)
        if order.supplier_id or order.shared:
            served.append(order.id)
        kept = [one.kept for one in dict.fromkeys(given)]
        return Change({"reason": kept[0] if len(kept) == 1 else kept})

    def write() -> None:
        _answer_lines(whole, Decision.REFUSED, alike, single)
        rewrite(served, [])

    return _move(
        wanted,
        Verb.REFUSE,
        change,
        also=write,
        by=by,
        at=at,
    )


def expire(order_ids: Iterable[int], *, skip_locked: bool = False, by: Actor, at: datetime) -> Outcome[Moved]:
    """Cancel orders that nobody accepted in time; nothing is charged (ORD-02)."""
    return _move(order_ids, Verb.EXPIRE, skip_locked=skip_locked, by=by, at=at)
