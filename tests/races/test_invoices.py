"""Two at one invoice: a customer asks in two windows, two of the shop hand it in, one takes theirs back meanwhile."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from marketplace.files import Checked
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from messaging import conversing, invoices
from messaging.models import Message
from orders import services
from orders.models import Order
from orders.states import State, Verb
from sellers.desk import Actor
from sellers.models import User
from tests.conftest import AT, CUSTOMER, SELLER, _person
from tests.files.samples import checked, pdf
from tests.orders.lives import HOUR, brought_to
from tests.races.arena import Ending, broken_invariants, take_the_lock_away
from tests.races.conftest import Ground
from tests.races.test_races import Race, breaks, either, holds, run
from tests.rounds import rounds, soaks

pytestmark = [*soaks, pytest.mark.rule("DOC-02")]

ROUNDS = rounds(20, 300)
THEN = AT + 2 * HOUR
WORDS = "Ana Soler\n12345678Z"

TORN = """
    SELECT o.id FROM orders_order o
      LEFT JOIN messaging_thread t ON t.order_id = o.id
      LEFT JOIN messaging_message m ON m.thread_id = t.id AND m.is_invoice
     GROUP BY o.id HAVING o.invoiced_at IS DISTINCT FROM max(m.written_at)
"""


def wanted(ground: Ground) -> list[int]:
    """So many charged orders whose customers asked for an invoice."""
    ids = brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS)
    Order.objects.filter(id__in=ids).update(wants_invoice=True)
    return ids


def colleagues() -> list[Actor]:
    people: list[User] = [_person(f"{name}@alba.example", name) for name in ("lola", "luis")]
    return [Actor(SELLER.role, str(one), one.id) for one in people]


def paper(pages: int = 1) -> bytes:
    """What the gate makes of a PDF: the bytes are the same whoever sends it."""
    content: bytes = checked("factura.pdf", pdf(pages)).content.read()
    return content


def handing(by: Actor, content: bytes, seconds: int = 0) -> Any:
    """One side that hands in a file; it has moved the order where the message is their own."""
    like = checked("factura.pdf", content)

    def act(number: int, order_id: int) -> Outcome[Any]:
        file = Checked(like.name, like.kind, like.content_type, like.size, like.sha256, BytesIO(content))
        order = Order.objects.select_related("shop", "policy", "channel").get(id=order_id)
        at = THEN + timedelta(seconds=seconds)
        message = invoices.hand_in_files(order, [file], by=by, at=at)
        own = message.user_id == by.user_id
        return Outcome([message]) if own else Outcome([], [Refusal(order_id, Code.DUPLICATE)])

    return act


def _asked_twice() -> Race:
    def ask(number: int, order_id: int) -> Outcome[Any]:
        return services.ask_invoice(order_id, WORDS, by=CUSTOMER, at=THEN)

    endings = either(Verb.INVOICE_ASKED, Verb.INVOICE_ASKED)
    return Race(State.AWAITING_SHIPMENT, ask, ask, lambda number: endings, "SELECT 0")


def _handed_in_twice() -> Race:
    lola, luis = colleagues()
    content = paper()
    endings = either(Verb.INVOICE_GIVEN, Verb.INVOICE_GIVEN)
    return Race(
        State.AWAITING_SHIPMENT,
        handing(lola, content),
        handing(luis, content),
        lambda number: endings,
        TORN,
    )


def test_a_customer_who_asks_in_two_windows_has_asked_once(ground: Ground) -> None:
    holds(run(_asked_twice(), brought_to(State.SHIPPED, ground.channel, ground.shop, ROUNDS)))


def test_control_two_askings_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = brought_to(State.SHIPPED, ground.channel, ground.shop, ROUNDS)
    take_the_lock_away(monkeypatch)
    breaks(run(_asked_twice(), ids))


def test_two_of_the_shop_who_hand_in_one_file_hand_it_in_once(ground: Ground) -> None:
    ids = wanted(ground)
    holds(run(_handed_in_twice(), ids))
    assert Message.objects.filter(is_invoice=True).count() == ROUNDS


def test_control_two_hand_it_in_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ids, contest = wanted(ground), _handed_in_twice()
    take_the_lock_away(monkeypatch)
    breaks(run(contest, ids))


def test_one_is_taken_back_while_another_is_handed_in(ground: Ground) -> None:
    """Neither waits for the other in a ring, and what is left says when it was handed in."""
    ids, (lola, luis) = wanted(ground), colleagues()
    first = {}
    for order_id in ids:
        first[order_id] = handing(lola, paper())(0, order_id).moved[0].id

    def take_back(number: int, order_id: int) -> Outcome[Any]:
        try:
            conversing.take_back(first[order_id], by=lola, at=THEN + timedelta(seconds=5))
        except MoveRefused as refused:
            return Outcome([], [refused.refusal])
        return Outcome([first[order_id]])

    histories: set[Ending] = {
        (True, True, ("invoice_taken_back", "invoice_given")),
        (True, True, ("invoice_given", "invoice_taken_back")),
    }
    contest = Race(
        State.AWAITING_SHIPMENT,
        take_back,
        handing(luis, paper(2), seconds=4),
        lambda number: histories,
        TORN,
    )
    verdict = run(contest, ids)
    assert (verdict.right, verdict.broken) == (ROUNDS, 0), verdict
    assert broken_invariants() == []
