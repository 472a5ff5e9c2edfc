"""Everything that is told of returns, and of refunds that a shop's balance does not pay, made by the real services."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from marketplace.models import Channel
from marketplace.policy import Preset
from marketplace.reasons import Why
from orders import services
from orders.states import State
from refunds import refunding, return_verbs
from refunds.models import ReturnRequest
from refunds.refunding import Wish
from refunds.states import ReturnState
from sellers.models import Shop
from tests.conftest import ANA, AT, OPERATOR, SELLER, basket, sure
from tests.orders.lives import HOUR, STEPS, TO_SHIP, tick
from tests.refunds.giving_back import HOW, brought_back

INSTANT = timedelta(microseconds=1)


def give_back(channel: Channel, shop: Shop, language: str) -> None:
    """A return in every state; one that is late and then explained, one that nobody looked at in time."""
    buyer = replace(ANA, language=language)
    baskets = [
        basket(shop, number=f"{language}-V{n}", customer=buyer, at=AT) for n in range(len(ReturnState))
    ]
    ids = [move.order_id for move in services.place(channel, baskets).moved]
    TO_SHIP[Preset.ACCEPT_FIRST](ids)
    for step in STEPS[State.DELIVERED]:
        step(ids)
    for state, order_id in zip(ReturnState, ids, strict=True):
        brought_back(state, order_id)
    late, unseen = (ReturnRequest.objects.get(state=s) for s in (ReturnState.ACCEPTED, ReturnState.RECEIVED))
    at = max(sure(late.due_by), sure(unseen.due_by)) + INSTANT
    tick("returns", at)
    return_verbs.instruct(late.id, instructions=HOW, by=SELLER, at=at)


def ask_for_cover(order_id: int, at: datetime) -> None:
    """A shop that has been paid asks the operator to cover refunds: one is declined, another covered."""
    for n in range(2):
        wish = Wish(uuid.uuid4(), Why("damaged"), cover=True)
        asked = refunding.refund(order_id, wish, by=SELLER, at=at + n * HOUR)
        if n:
            refunding.cover(asked.id, by=OPERATOR, at=at + n * HOUR)
        else:
            refunding.decline(asked.id, answer="No", by=OPERATOR, at=at)
