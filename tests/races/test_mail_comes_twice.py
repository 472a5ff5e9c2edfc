"""The same mail comes in by two doors at once, and one answer is sent on by two people at once: each is done once."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connections
from pytest_django import Settings

from marketplace.refusals import Code, MoveRefused
from messaging import astray, conversing, replying
from messaging.conversing import Words
from messaging.inbound import receiving
from messaging.models import Message, Notice
from messaging.recipients import CUSTOMER, SHOP
from orders import services
from orders.models import Order
from tests.conftest import ANA, AT, SELLER, basket
from tests.mail_in.conftest import ANA as WRITER
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = [*soaks, pytest.mark.rule("MSG-07")]

ROUNDS = rounds(20, 500)


def twice(act: Callable[[int], str]) -> Counter[str]:
    """Let two sides act at once, a round for each number; how they ended."""
    start, ends = Barrier(2, timeout=60), Counter[str]()

    def run() -> None:
        try:
            for number in range(ROUNDS):
                start.wait()
                ends[act(number)] += 1
        finally:
            connections.close_all()

    sides = [Thread(target=run) for _ in range(2)]
    for side in sides:
        side.start()
    for side in sides:
        side.join()
    return ends


@pytest.fixture
def order(ground: Ground) -> Order:
    moved = services.place(ground.channel, [basket(ground.shop, customer=ANA)]).moved
    return Order.objects.get(id=moved[0].order_id)


@pytest.fixture
def address(order: Order, settings: Settings) -> str:
    settings.MAIL_REPLY_DOMAIN = "respuestas.example"
    conversing.start(order.shop, Words("¿El jueves?"), to=CUSTOMER, order=order, by=SELLER, at=AT)
    return str(replying.reply_address(Notice.objects.get(event="message")))


def come(address: str) -> Callable[[int], str]:
    def act(number: int) -> str:
        mail = f"To: {address}\nMessage-ID: <{number}@x.example>\n\nVale".encode()
        try:
            return receiving.receive(mail, source="mail", at=AT).words()
        except IntegrityError:
            return "torn"

    return act


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MOST_AN_HOUR", 10 * ROUNDS)


@pytest.mark.usefixtures("patient")
def test_the_same_mail_at_once_is_one_message(address: str) -> None:
    assert twice(come(address)) == {"taken=1": ROUNDS, "known=1": ROUNDS}
    assert Message.objects.filter(role="customer").count() == ROUNDS


@pytest.mark.usefixtures("patient")
def test_control_the_same_mail_without_its_key(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have looked whether it is known before either writes; without the key each writes a message."""
    both_have_looked, known, down = Barrier(2, timeout=60), receiving._came_before, receiving._written_down

    def looking(*args: object) -> bool:
        found = known(*args)  # type: ignore[arg-type]
        both_have_looked.wait()
        return found

    def as_another(one: object, key: str, **wishes: object) -> int | None:
        from threading import get_ident

        return down(one, f"{get_ident()}{key}"[:64], **wishes)  # type: ignore[arg-type]

    monkeypatch.setattr(receiving, "_came_before", looking)
    monkeypatch.setattr(receiving, "_written_down", as_another)
    assert twice(come(address)) == {"taken=1": 2 * ROUNDS}
    assert Message.objects.filter(role="customer").count() == 2 * ROUNDS


@pytest.fixture
def strays(order: Order, address: str, patient: None) -> list[int]:
    asked = conversing.start(order.shop, Words("¿Cuándo?"), to=SHOP, order=order, by=WRITER, at=AT)
    sellers = replying.reply_address(Notice.objects.get(of_message=asked))
    act = come(str(sellers))
    assert {act(number) for number in range(ROUNDS)} == {"taken=1"}
    return list(Message.objects.filter(misdirected=True).order_by("id").values_list("id", flat=True))


def click(strays: list[int]) -> Callable[[int], str]:
    def act(number: int) -> str:
        try:
            astray.send_on(strays[number], by=SELLER, at=AT)
        except MoveRefused as refused:
            return str(refused.refusal.code)
        return "sent"

    return act


def test_two_clicks_at_once_send_it_on_once(strays: list[int]) -> None:
    assert twice(click(strays)) == {"sent": ROUNDS, Code.SENT_ALREADY: ROUNDS}


def test_control_two_clicks_without_the_lock(strays: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_looked, lookup = Barrier(2, timeout=60), astray.recipient_of

    def looking(thread: object) -> object:
        both_have_looked.wait()
        return lookup(thread)  # type: ignore[arg-type]

    monkeypatch.setattr(astray, "_lock", lambda thread_id: None)
    monkeypatch.setattr(astray, "recipient_of", looking)
    assert twice(click(strays)) == {"sent": 2 * ROUNDS}
