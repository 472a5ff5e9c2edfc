"""The returns of the demonstration's first shop: one in each state that a shop or a customer can meet."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from marketplace.models import Carrier
from marketplace.reasons import Why
from orders.models import Order
from refunds import return_ends, return_verbs, returns
from refunds.amounts import Part
from refunds.models import ReturnRequest
from refunds.refunding import Wish
from refunds.return_ends import Replacement
from sellers.desk import Actor

HOW = "Usa la caja en la que te llegó y déjala en cualquier oficina de Correos. El porte lo pagamos nosotros."
FLAW = "Tiene una marca en la base que no traía."

STORIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("changed-mind", "Es más oscuro de lo que esperaba. Está sin usar y en su caja.", ()),
    ("does-not-fit", "No cabe en el estante por dos centímetros.", ("accept", "send", "receive", "inspect")),
    ("changed-mind", "Me lo han regalado dos veces.", ("accept", "send", "receive")),
    ("does-not-fit", "", ("accept", "send")),
    ("changed-mind", "", ("accept",)),
    ("faulty", "Gotea por la base.", ("accept", "send", "receive", "inspect", "replace")),
    ("changed-mind", "No pega con el salón.", ("accept", "send", "receive", "inspect", "refund")),
    ("changed-mind", "Ya no lo quiero.", ("refuse",)),
)
"""Why each is given back, in whose words, and what has happened to it since."""

STEP = timedelta(hours=5)
LASTS = STEP * 7


class Story:
    """A return that is played step by step, the last a few hours ago."""

    def __init__(self, row: ReturnRequest, *, seller: Actor, customer: Actor) -> None:
        self.row, self.seller, self.customer = row, seller, customer
        part = row.lines.select_related("line").get()
        self.line, self.units = part.line, part.units
        self.doing: dict[str, Callable[[datetime], object]] = {
            "accept": self._accept,
            "refuse": self._refuse,
            "send": self._send,
            "receive": lambda at: return_verbs.receive(row.id, by=seller, at=at),
            "inspect": self._inspect,
            "replace": self._replace,
            "refund": self._refund,
        }

    def _accept(self, at: datetime) -> None:
        return_verbs.accept(self.row.id, instructions=HOW, by=self.seller, at=at)

    def _refuse(self, at: datetime) -> None:
        answer = "La pieza lleva tu nombre grabado y no podemos volver a venderla."
        return_verbs.refuse(self.row.id, reason=Why("made-to-order"), answer=answer, by=self.seller, at=at)

    def _send(self, at: datetime) -> None:
        return_verbs.send(
            self.row.id, carrier="Correos", tracking="PQ4F7K0710023450150003K", by=self.customer, at=at
        )

    def _inspect(self, at: datetime) -> None:
        good = max(self.units - 1, 1)
        flaws = {self.line.id: FLAW} if good < self.units else {}
        return_verbs.inspect(self.row.id, {self.line.id: good}, flaws, by=self.seller, at=at)

    def _replace(self, at: datetime) -> None:
        carrier = Carrier.objects.filter(active=True).order_by("id").first()
        parcel = Replacement(carrier, "Correos", "7700112233")
        return_ends.replace(self.row.id, parcel, by=self.seller, at=at)

    def _refund(self, at: datetime) -> None:
        good = self.row.lines.get().good or 0
        parts = (Part(self.line.id, good, good * self.line.unit_price_cents, 0),)
        wish = Wish(uuid.uuid5(uuid.NAMESPACE_OID, f"demo-{self.row.id}"), Why("returned"), parts)
        return_ends.refund(self.row.id, wish, by=self.seller, at=at)


def play(
    order: Order,
    story: tuple[str, str, tuple[str, ...]],
    *,
    seller: Actor,
    customer: Actor,
    at: datetime,
) -> bool:
    """Play a story on an order up to this moment; False where a return of it can no longer be asked for."""
    reason, text, steps = story
    asked_at = at - STEP * (len(steps) + 1)
    if returns.judge_return(order, by=customer, at=asked_at):
        return False
    line = order.lines.order_by("id")[0]
    units = {line.id: min(line.shipped_quantity, 2)}
    row = returns.ask_return(order.id, units, reason=reason, text=text, by=customer, at=asked_at)
    told = Story(row, seller=seller, customer=customer)
    for n, step in enumerate(steps, 1):
        told.doing[step](asked_at + STEP * n)
    return True
