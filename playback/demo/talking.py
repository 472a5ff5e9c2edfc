"""What is said in the demonstration's first shop: conversations, notes, returns asked for, reviews, days of closing."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from email.message import EmailMessage

from django.utils import timezone

from marketplace.models import Channel
from marketplace.policy import Role
from marketplace.reasons import Why
from messaging import centre, conversing, noting, replying, shop_days, templating
from messaging.conversing import Words
from messaging.inbound import receiving
from messaging.models import Audience, Message, Notice
from messaging.recipients import SUPPLIER
from messaging.services import muted
from messaging.shop_days import Closing
from messaging.templating import Written
from orders import services
from orders.models import Order
from orders.states import State, Verb
from playback.demo import giving_back, words
from playback.demo.goods import TRADERS
from playback.demo.people import OWNER, People
from playback.demo.photos import photo
from playback.demo.words import Said, Talk
from quality import services as quality
from sellers.desk import Actor
from sellers.models import Membership, Supplier

_TOLD_OF_LATE = timedelta(hours=2)
_UNREAD = 3


def talk(people: People, channel: Channel, *, at: datetime) -> None:
    """Say everything that is said up to `at`; orders that are not there are not talked about."""
    told = Telling(people, channel, at=at)
    with muted():
        told.converse()
        told.note()
        told.ask_back()
        told.rate()
        told.keep_house()
        told.ask_workshop()
    told.read_notices()


class Telling:
    """The first shop's people and orders; each order is talked about once."""

    def __init__(self, people: People, channel: Channel, *, at: datetime) -> None:
        self.at, self.shop = at, people.shop(TRADERS[0])
        self.seller, self.operator, self.workshop = (
            people.seller(TRADERS[0]),
            people.operator,
            people.workshop,
        )
        mine = Order.objects.filter(shop=self.shop, channel=channel, incident_at=None, held_at=None)
        self._orders = mine.select_related("shop", "policy", "channel")
        assert channel.policy is not None
        self.rules, self._taken = channel.policy.rules, set[int]()

    def converse(self) -> None:
        for one in words.TALKS:
            order = None
            if one.state is not None:
                order = self._order(one.state, before=one.said[0].ago, language=one.language)
                if order is None:
                    continue
            self._converse(one, order)

    def note(self) -> None:
        for state, text, public in words.NOTES:
            if order := self._order(state, before=1):
                noting.add_note(order.id, text, public=public, by=self.seller, at=self._ago(1))

    def ask_back(self) -> None:
        """A return in each state; where an order is too old for one, the next is taken."""
        hours = giving_back.LASTS / timedelta(hours=1)
        for story in giving_back.STORIES:
            while (order := self._order(State.DELIVERED, before=hours)) is not None:
                by = _customer(order)
                if giving_back.play(order, story, seller=self.seller, customer=by, at=self._ago(1)):
                    break

    def rate(self) -> None:
        """Reviews of every score, one of them hidden by the operator."""
        for n, (stars, text) in enumerate((*words.REVIEWS, words.UNFIT)):
            order = self._order(State.CLOSED, before=24, language="es")
            if order is None:
                return
            when = self._ago(20 + 31 * (len(words.REVIEWS) - n))
            review = quality.write_review(order, stars, text, by=_customer(order), at=when)
        quality.hide([review.id], because=words.HIDDEN, by=self.operator, at=self._ago(4))

    def keep_house(self) -> None:
        """The days on which the shop will be closed, and a template of its own."""
        first = timezone.localdate(self.at) + timedelta(days=12)
        closing = Closing(first, first + timedelta(days=2), words.CLOSED_FOR)
        shop_days.publish(self.shop, closing, by=self.seller, at=self._ago(0.2))
        name, subject, body = words.TEMPLATE
        written = Written(name, body, "es", subject)
        templating.keep_template(self.shop, written, by=self.seller, at=self._ago(70))

    def ask_workshop(self) -> None:
        """The shop asks to cancel what its workshop makes, which is not its own to cancel."""
        made = Order.objects.filter(shop=self.shop, supplier=self._supplier(), parcels=0)
        for order in made.filter(state=State.AWAITING_SHIPMENT).order_by("id")[:1]:
            reason = Why("customer-asks", "Ha encargado dos por error.")
            services.ask(order.id, Verb.CANCEL, reason=reason, by=self.seller, at=self._ago(0.5))

    def read_notices(self) -> None:
        """The owner has read what the shop was told, but for the last."""
        member = Membership.objects.get(shop=self.shop, user__email=OWNER)
        newest = centre.told_to(member).order_by("-id").values_list("id", flat=True)[_UNREAD : _UNREAD + 1]
        for upto in newest:
            centre.see_all(member, upto=upto, at=self.at)

    def _ago(self, hours: float) -> datetime:
        return self.at - timedelta(hours=hours)

    def _order(self, state: State, *, before: float, language: str = "") -> Order | None:
        """The next order in a state that was there so many hours ago, and of which nothing was said yet."""
        rows = self._orders.filter(state=state, moved_at__lt=self._ago(before)).exclude(id__in=self._taken)
        rows = rows.filter(customer_language=language) if language else rows
        order = rows.order_by("-id").first()
        if order is not None:
            self._taken.add(order.id)
        return order

    def _converse(self, one: Talk, order: Order | None) -> None:
        messages = list(self._said(one, order))
        last = messages[-1]
        if one.read:
            conversing.read([last.thread_id], by=self.seller, at=last.written_at + timedelta(minutes=20))
        if one.needless:
            conversing.needs_no_answer(last.id, by=self.seller, at=last.written_at + timedelta(minutes=21))
        if one.astray:
            self._answer_by_mail(last.thread_id, one.astray)

    def _said(self, one: Talk, order: Order | None) -> Iterator[Message]:
        thread_id = 0
        for said in one.said:
            at, by = self._ago(said.ago), self._by(said, order)
            text = Words(said.text, files=photo(said.photo, self.rules) if said.photo else ())
            with nullcontext() if at > self.at - _TOLD_OF_LATE else muted():
                if thread_id:
                    message = conversing.write(thread_id, text, to=said.to, take_back=False, by=by, at=at)
                else:
                    supplier = self._supplier() if said.to == SUPPLIER else None
                    message = conversing.start(
                        self.shop, text, to=said.to, order=order, supplier=supplier, reason_code=one.reason,
                        subject=one.subject, take_back=False, by=by, at=at,
                    )  # fmt: skip
            thread_id = message.thread_id
            yield message

    def _by(self, said: Said, order: Order | None) -> Actor:
        if said.who == "customer":
            assert order is not None
            return _customer(order)
        return {"shop": self.seller, "operator": self.operator, "supplier": self.workshop}[said.who]

    def _supplier(self) -> Supplier:
        return Supplier.objects.get(shop=self.shop)

    def _answer_by_mail(self, thread_id: int, text: str) -> None:
        """The shop answers the mail that told it of a message, where that can be answered."""
        told = Notice.objects.filter(event="message", audience=Audience.SELLER, payload__thread=thread_id)
        if address := replying.reply_address(told.latest("id")):
            mail = EmailMessage()
            mail["To"], mail["Message-ID"] = address, f"<{thread_id}@correo.example>"
            mail.set_content(text)
            receiving.receive(mail.as_bytes(), source="mail", at=self._ago(2.5))


def _customer(order: Order) -> Actor:
    return Actor(Role.CUSTOMER, order.customer_name)
