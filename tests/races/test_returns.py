"""Two at one return: two answers at once, taken back while it is received, refunded while it is replaced."""

import uuid
from typing import Any

import pytest

from marketplace.reasons import Why
from marketplace.refusals import MoveRefused, Outcome
from orders.models import Order
from orders.states import State, Verb
from refunds import return_ends, return_verbs, returning
from refunds.amounts import Part
from refunds.models import ReturnRequest
from refunds.refunding import Wish
from refunds.return_ends import Replacement
from refunds.states import ReturnState
from tests.conftest import CUSTOMER, OPERATOR, SELLER
from tests.orders.lives import HOUR, brought_to
from tests.races.arena import take_the_lock_away
from tests.races.conftest import Ground
from tests.races.test_races import Race, breaks, either, run
from tests.refunds.giving_back import ASKED_AT, USED, brought_back, line_of
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(30, 1000)

AT = ASKED_AT + 9 * HOUR
TORN = """
    SELECT o.id FROM orders_order o JOIN refunds_returnrequest r ON r.order_id = o.id
     WHERE (r.state IN ('accepted', 'instructed', 'sent', 'received', 'inspected')) <> (o.incident_at IS NOT NULL)
        OR (r.state = 'refunded') <> (o.refunded_cents > 0) OR (r.state = 'replaced') <> (r.new_carrier_name <> '')
        OR (r.state = 'refused') <> (r.answer_code <> '')
"""


def told(act: Any) -> Outcome[Any]:
    """What an act on one return came to, as a race counts it."""
    try:
        return Outcome([act()])
    except MoveRefused as refused:
        return Outcome([], [refused.refusal])


def standing(ground: Ground, state: ReturnState) -> tuple[list[int], dict[int, ReturnRequest]]:
    """So many delivered orders, each with a return in a state."""
    ids = brought_to(State.DELIVERED, ground.channel, ground.shop, ROUNDS)
    return ids, {order_id: brought_back(state, order_id) for order_id in ids}


@pytest.fixture
def answering(ground: Ground) -> tuple[Race, list[int]]:
    """One of the shop accepts while another refuses: the customer has one answer."""
    ids, found = standing(ground, ReturnState.ASKED)

    def accept(number: int, order_id: int) -> Outcome[Any]:
        return told(lambda: return_verbs.accept(found[order_id].id, by=SELLER, at=AT))

    def refuse(number: int, order_id: int) -> Outcome[Any]:
        return told(lambda: return_verbs.refuse(found[order_id].id, reason=USED, by=OPERATOR, at=AT))

    legal = either(Verb.RETURN_ACCEPTED, Verb.RETURN_REFUSED)
    return Race(State.DELIVERED, accept, refuse, lambda number: legal, TORN), ids


@pytest.fixture
def arriving(ground: Ground) -> tuple[Race, list[int]]:
    """The customer keeps it while the shop says that it has come."""
    ids, found = standing(ground, ReturnState.INSTRUCTED)

    def withdraw(number: int, order_id: int) -> Outcome[Any]:
        return told(lambda: return_verbs.withdraw(found[order_id].id, by=CUSTOMER, at=AT))

    def receive(number: int, order_id: int) -> Outcome[Any]:
        return told(lambda: return_verbs.receive(found[order_id].id, by=SELLER, at=AT))

    legal = either(Verb.RETURN_WITHDRAWN, Verb.RETURN_RECEIVED)
    return Race(State.DELIVERED, withdraw, receive, lambda number: legal, TORN), ids


@pytest.fixture
def ending(ground: Ground) -> tuple[Race, list[int]]:
    """One refunds while another sends a replacement: the customer has the money or the article, never both."""
    ids, found = standing(ground, ReturnState.INSPECTED)
    lines = {order_id: line_of(row) for order_id, row in found.items()}

    def refund(number: int, order_id: int) -> Outcome[Any]:
        wish = Wish(uuid.uuid4(), Why("returned"), (Part(lines[order_id], 1, 3300, 0),))
        return told(lambda: return_ends.refund(found[order_id].id, wish, by=SELLER, at=AT))

    def replace(number: int, order_id: int) -> Outcome[Any]:
        parcel = Replacement(carrier_name="SEUR", tracking="1")
        return told(lambda: return_ends.replace(found[order_id].id, parcel, by=OPERATOR, at=AT))

    paid = (Verb.REFUND.value, Verb.RETURN_REFUNDED.value)
    legal = {(True, False, paid), (False, True, (Verb.RETURN_REPLACED.value,))}
    return Race(State.DELIVERED, refund, replace, lambda number: legal, TORN), ids


@pytest.mark.rule("REF-09")
@pytest.mark.parametrize("contest", ["answering", "arriving", "ending"])
def test_one_of_two_has_it(contest: str, request: pytest.FixtureRequest) -> None:
    verdict = run(*request.getfixturevalue(contest))
    assert (verdict.right, verdict.broken) == (ROUNDS, 0), verdict
    assert verdict.winners["left"], verdict
    assert verdict.winners["right"], verdict


@pytest.mark.parametrize("contest", ["answering", "arriving"])
def test_control_without_the_lock(
    contest: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = request.getfixturevalue(contest)
    take_the_lock_away(monkeypatch)
    breaks(run(*prepared))


def test_control_refund_and_replace_decided_before_the_lock(
    ending: tuple[Race, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes no second look under the lock gives both."""
    monkeypatch.setattr(return_ends, "judge", lambda *args, **wishes: None)
    monkeypatch.setattr(returning, "judge", lambda *args, **wishes: None)
    verdict = run(*ending)
    assert verdict.right < ROUNDS, verdict
    assert Order.objects.filter(refunded_cents__gt=0).exists()
