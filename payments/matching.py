"""What a bank or a provider says was paid, matched to the cent with what is to be paid, or refused (PAY-07)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace import bulk
from marketplace.models import Channel
from marketplace.money import format_money
from marketplace.refusals import Code
from orders import services as orders
from orders.models import Order
from orders.states import State
from payments import beforehand
from payments.models import Charge
from payments.states import AskState
from payments.verdicts import Fate, Verdict, refused
from sellers.desk import Actor


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment as it is told: for an order or for all of a commercial number, what it is called, when it was made."""

    line: int
    word: str
    cents: int
    reference: str
    paid_at: datetime
    currency: str = ""


@dataclass(slots=True)
class Paying:
    """Payments of one channel being matched and confirmed."""

    channel: Channel
    by: Actor
    at: datetime
    bound: dict[int, int] = field(default_factory=dict)

    def carry_out(self, lines: Sequence[Paid]) -> list[Verdict]:
        """Confirm payments in one transaction; each is answered, and one that does not fit changes nothing.

        Money for what has lapsed meanwhile is noted and goes back to the customer.
        """
        with transaction.atomic():
            named = _named(self.channel, {paid.word for paid in lines})
            locked = {
                order.id: order for order in orders.lock_orders({pk for ids in named.values() for pk in ids})
            }
            known = _charged(locked)
            taken = dict(self.bound)
            verdicts = []
            for paid in lines:
                rows = [locked[pk] for pk in named.get(paid.word, ())]
                verdict = _judge(paid, rows, known, taken)
                if verdict.fate == Fate.DONE:
                    taken |= dict.fromkeys(verdict.orders, paid.line)
                verdicts.append(verdict)
            return self._confirmed(lines, verdicts)

    def _confirmed(self, lines: Sequence[Paid], verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Confirm what fits, and say of each line what came of it."""
        pays = {
            pk: paid
            for paid, one in zip(lines, verdicts, strict=True)
            if one.fate == Fate.DONE
            for pk in one.orders
        }
        answer = beforehand.confirm_paid(
            {pk: paid.reference for pk, paid in pays.items()},
            paid_at={pk: paid.paid_at for pk, paid in pays.items()},
            by=self.by,
            at=self.at,
        )
        why = {refusal.id: refusal for refusal in answer.outcome.refused}
        told = []
        for paid, one in zip(lines, verdicts, strict=True):
            not_moved = [pk for pk in one.orders if pk in why] if one.fate == Fate.DONE else []
            if not not_moved:
                told.append(one)
            elif answer.returned.issuperset(not_moved):
                told.append(Verdict(one.line, one.word, Fate.RETURNED, one.cents, orders=one.orders))
            else:
                told.append(refused(paid, why[not_moved[0]].code, why[not_moved[0]].detail))
        return told


def _judge(
    paid: Paid, rows: Sequence[Order], known: dict[int, tuple[str, int]], taken: dict[int, int]
) -> Verdict:
    if not rows:
        return refused(paid, Code.UNKNOWN_ORDER)
    again = next((taken[order.id] for order in rows if order.id in taken), None)
    if again is not None:
        return refused(paid, Code.DUPLICATE, _("Está en la línea %(n)s.") % {"n": again})
    due = [order for order in rows if order.state == State.PENDING_PAYMENT]
    due = due or [order for order in rows if beforehand.can_be_paid(order)]
    if not due:
        return _settled(paid, rows, known)
    currency = due[0].currency
    if paid.currency not in ("", currency):
        words = _("El pedido es en %(one)s y el pago en %(other)s.")
        return refused(paid, Code.MISMATCH, words % {"one": currency, "other": paid.currency})
    expected = sum(order.total_cents for order in due)
    if paid.cents != expected:
        words = _("Hay que pagar %(total)s y se han pagado %(paid)s.")
        amounts = {"total": format_money(expected, currency), "paid": format_money(paid.cents, currency)}
        return refused(paid, Code.MISMATCH, words % amounts)
    return Verdict(paid.line, paid.word, Fate.DONE, paid.cents, orders=tuple(order.id for order in due))


def _settled(paid: Paid, rows: Sequence[Order], known: dict[int, tuple[str, int]]) -> Verdict:
    """A payment for orders that wait for none: it is known already, or it is one too many."""
    charges = [known[order.id] for order in rows if order.id in known]
    same = [cents for reference, cents in charges if reference == paid.reference]
    if same and sum(same) == paid.cents:
        return Verdict(paid.line, paid.word, Fate.HERE, paid.cents)
    if charges:
        words = _("Se pagó con la referencia %(name)s.") % {"name": charges[0][0]}
        return refused(paid, Code.DUPLICATE, words)
    return refused(paid, Code.WRONG_STATE)


def _charged(order_ids: Iterable[int]) -> dict[int, tuple[str, int]]:
    """What orders were charged, and under which reference."""
    rows = Charge.objects.filter(order_id__in=list(order_ids), state=AskState.SUCCEEDED)
    return {
        pk: (name, cents) for pk, name, cents in rows.values_list("order_id", "reference", "amount_cents")
    }


def _named(channel: Channel, words: set[str]) -> dict[str, list[int]]:
    """The orders that numbers name: an order's own, else all those of a commercial number."""
    wanted = [list(words), channel.id]
    rows = bulk.fetch(
        "SELECT reference, id FROM orders_order WHERE reference = ANY(%s::varchar[]) AND channel_id = %s",
        wanted,
    )
    named = {reference: [order_id] for reference, order_id in rows}
    rows = bulk.fetch(
        """
        SELECT b.commercial_id, array_agg(o.id ORDER BY o.id) FROM orders_basket b
          JOIN orders_order o ON o.basket_id = b.id
         WHERE b.commercial_id = ANY(%s::varchar[]) AND b.channel_id = %s GROUP BY 1
        """,
        wanted,
    )
    return {number: list(ids) for number, ids in rows} | named
