"""The tab of an order's conversations: what was said, what waits and until when, the boxes to write in (MSG-01)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from django.utils.translation import gettext as _

from dashboard.kept_words import moment_words, what_is_left
from dashboard.order_acts import order_url
from dashboard.order_clocks import Running
from marketplace.models import Reason, ReasonKind
from marketplace.policy import Role
from messaging import answer_clock, conversing, templates
from messaging.assigning import colleagues
from messaging.composing import choices, likely, thread_choices
from messaging.conversations import Shown, about, waits
from messaging.drafts import Draft, draft_of
from messaging.filling import filled_form, picker
from messaging.forms import MessageForm, StartForm
from messaging.models import Attachment, CameBy, Message, Template, Thread
from messaging.thread_words import title_of, to_words, writer_words
from orders.forms import Attempt
from orders.models import Order
from sellers.access import DeskRequest
from sellers.desk import Right, who_has
from sellers.models import Membership

UNDO_S = int(conversing.TAKE_BACK.total_seconds())
_PREFETCH = ("Sec-Purpose", "Purpose", "X-Moz")
"""Where a browser says that it fetches a page which nobody looks at yet."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it stands in its conversation."""

    message: Message
    who: str
    to: str
    mine: bool
    new: bool = False
    came: str = ""
    read: str = ""
    clock: Running | None = None
    may_undo: bool = False
    may_let_be: bool = False
    files: Sequence[Attachment] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with its messages and, for who may write, its box."""

    thread: Thread
    title: str
    said: list[Said]
    form: MessageForm | None
    open: bool
    colleagues: list[Membership] = field(default_factory=list)
    picker: dict[str, Any] | None = None

    @property
    def new(self) -> int:
        return sum(one.new for one in self.said)


@dataclass(frozen=True)
class _Tab:
    """What every part of the tab asks about: who looks, at which order, what went wrong, what was taken back."""

    request: DeskRequest
    order: Order
    now: datetime
    attempt: Attempt | None
    draft: Draft | None
    shown: Shown
    may_write: bool

    @property
    def is_supplier(self) -> bool:
        return self.request.membership.supplier_id is not None

    @cached_property
    def offered(self) -> list[Template]:
        """The templates that the shop can choose from for this order (MSG-12)."""
        if not self.may_write or self.is_supplier:
            return []
        return templates.offered(self.request.shop, self.order)

    @property
    def template(self) -> Template | None:
        """The template that was chosen."""
        key = self.request.GET.get("plantilla", "")
        return templates.chosen(key, self.offered) if key else None

    def picker(self, carried: dict[str, str], anchor: str) -> dict[str, Any] | None:
        """The templates to choose from for one of the boxes of the tab, or the way to them: they are read when asked
        for."""
        if not self.may_write or self.is_supplier:
            return None
        asked = self.request.GET
        here = any(asked.get(name) == value for name, value in carried.items())
        if not here or "plantilla" not in asked:
            href = order_url(self.order, tab="mensajes", plantilla="elegir", **carried)
            return {"opens": f"{href}#{anchor}"}
        return picker(self.offered, asked["plantilla"], {"tab": "mensajes", **carried})

    @property
    def starts(self) -> bool:
        """Whether the box for a new conversation is open: asked for, sent with a flaw, taken back, or the only one."""
        if not self.may_write or self.is_supplier:
            return False
        if self.attempt is not None:
            return self.attempt.act == "start" or not self.shown.threads
        asked = self.request.GET
        taken_back = self.draft is not None and not self.draft.thread_id
        return asked.get("acto") == "escribir" or taken_back or not (self.shown.threads or asked.get("antes"))

    @property
    def wanted(self) -> int:
        """The conversation whose box is open because it was asked for."""
        if self.attempt is not None and isinstance(self.attempt.form, MessageForm):
            return self.attempt.form.thread_id
        if self.draft is not None and self.draft.thread_id:
            return self.draft.thread_id
        return _key(self.request, "hilo") or _key(self.request, "lleva")


def messages_part(request: DeskRequest, order: Order, told: dict[str, Any]) -> dict[str, Any]:
    """What the tab shows; who may answer and opens it has read it, a browser that fetches ahead has not."""
    now, by, member = told["now"], request.actor, request.membership
    tab = _Tab(
        request,
        order,
        now,
        told["attempt"],
        draft_of(request, order.id, now),
        about(order, member, before=_key(request, "antes"), by=by, at=now),
        member.supplier_id is not None or by.may(Right.ANSWER),
    )
    talks = [_conversation(tab, *one, first=n == 0) for n, one in enumerate(tab.shown.threads)]
    news = {one.message.thread_id for talk in talks for one in talk.said if one.new}
    if news and tab.may_write and not _is_fetched_ahead(request):
        conversing.read(sorted(news), by=by, at=now)
    older = tab.shown.older
    return {
        "talks": talks,
        "opens": _opens(tab, talks),
        "may_write": tab.may_write,
        "who_may": who_has(Right.ANSWER),
        "start": _start_form(tab) if tab.starts else None,
        "start_href": order_url(order, tab="mensajes", acto="escribir") + "#escribir",
        "sent": next((one for talk in talks for one in reversed(talk.said) if one.may_undo), None),
        "undo_s": UNDO_S,
        "longest": conversing.LONGEST,
        "older": order_url(order, tab="mensajes", antes=str(older)) if older else "",
        "newest": order_url(order, tab="mensajes") if request.GET.get("antes") else "",
        "here": order_url(order, tab="mensajes"),
        "undone": tab.draft is not None,
        "picker": tab.picker({"acto": "escribir"}, "escribir") if tab.starts else None,
    }


def _opens(tab: _Tab, talks: list[Conversation]) -> int:
    """The one conversation whose box is open: asked for, else the first that waits, else the only one."""
    asking = [talk.thread.id for talk in talks if any(one.clock for one in talk.said)]
    alone = [talks[0].thread.id] if len(talks) == 1 else []
    return tab.wanted or (0 if tab.starts else next(iter(asking + alone), 0))


def _key(request: DeskRequest, name: str) -> int:
    asked = request.GET.get(name, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0


def _is_fetched_ahead(request: DeskRequest) -> bool:
    said = " ".join(request.headers.get(name, "") for name in _PREFETCH)
    return "prefetch" in said or "prerender" in said or request.method == "HEAD"


def _conversation(tab: _Tab, thread: Thread, messages: list[Message], *, first: bool) -> Conversation:
    said = [_said(tab, one) for one in messages]
    asks, wanted = any(one.clock for one in said), thread.id == tab.wanted
    passes_on = tab.may_write and _key(tab.request, "lleva") == thread.id
    return Conversation(
        thread,
        title_of(thread),
        said,
        _reply_form(tab, thread, messages) if tab.may_write else None,
        open=first or asks or wanted or any(one.new for one in said),
        colleagues=colleagues(tab.request.shop.id) if passes_on else [],
        picker=tab.picker({"hilo": str(thread.id)}, f"hilo-{thread.id}")
        if thread.supplier_id is None
        else None,
    )


def _said(tab: _Tab, message: Message) -> Said:
    by, own = tab.request.actor, message.role == tab.request.actor.role
    asks = waits(message) and not tab.is_supplier
    return Said(
        message,
        writer_words(message),
        to_words(message),
        mine=own,
        new=message.to_shop and message.read_by_shop_at is None and not own and not tab.is_supplier,
        came=str(CameBy(message.came_by).label) if message.came_by != CameBy.PAGE else "",
        read=_read_words(tab, message) if own and not tab.is_supplier else "",
        clock=_clock(tab, message) if asks else None,
        may_undo=own and message.user_id == by.user_id and tab.now < message.visible_at,
        may_let_be=asks and tab.may_write and message.role == Role.CUSTOMER,
        files=tab.shown.files.get(message.id, ()),
    )


def _read_words(tab: _Tab, message: Message) -> str:
    """Who of those it is for has read a message of the shop."""
    zone = tab.order.channel.calendar.zone
    if message.to_customer and message.read_by_customer_at:
        when = moment_words(message.read_by_customer_at, tab.now, zone)
        return _("leído por el cliente %(when)s") % {"when": when}
    if message.to_operator and not message.to_customer and message.read_by_operator_at:
        when = moment_words(message.read_by_operator_at, tab.now, zone)
        return _("leído por el operador %(when)s") % {"when": when}
    return ""


def _clock(tab: _Tab, message: Message) -> Running:
    """Until when a message is to be answered, and why then (MSG-09)."""
    assert message.answer_by is not None
    calendar, now = tab.order.channel.calendar, tab.now
    ends = {"when": moment_words(message.answer_by, now, calendar.zone, ends=True)}
    if now > message.answer_by:
        says = _("Había que contestar como muy tarde %(when)s: cuenta como respuesta con retraso.") % ends
    else:
        says = (
            _("Hay que contestar como muy tarde %(when)s; después contará como respuesta con retraso.") % ends
        )
    why = partial(answer_clock.why, message, tab.order.policy.rules, calendar, tab.shown.days, now)
    left = what_is_left(message.answer_by, now, calendar.zone)
    return Running("answer_by", message.answer_by, left, says, why)


def _reply_form(tab: _Tab, thread: Thread, messages: list[Message]) -> MessageForm:
    sent = tab.attempt.form if tab.attempt is not None and tab.attempt.act == "reply" else None
    if isinstance(sent, MessageForm) and sent.thread_id == thread.id:
        return sent
    among = thread_choices(tab.request.membership, thread)
    initial = {"to": likely(among, messages)}
    if tab.draft is not None and tab.draft.thread_id == thread.id:
        initial = {"to": tab.draft.to, "text": tab.draft.text}
    if tab.wanted == thread.id and tab.template is not None:
        initial |= filled_form(tab.template, tab.order, among)
    return MessageForm(
        choices=among,
        rules=tab.order.policy.rules,
        thread_id=thread.id,
        owes=tab.order.owes_invoice,
        initial=initial,
    )


def _start_form(tab: _Tab) -> StartForm:
    if tab.attempt is not None and isinstance(tab.attempt.form, StartForm):
        return tab.attempt.form
    initial, draft = {}, tab.draft
    if draft is not None and not draft.thread_id:
        initial = {"to": draft.to, "text": draft.text, "reason": draft.reason, "subject": draft.subject}
    reasons = list(Reason.objects.filter(kind=ReasonKind.CONTACT, active=True))
    among = choices(tab.request.membership, order=tab.order)
    if tab.template is not None:
        initial |= filled_form(tab.template, tab.order, among)
    return StartForm(
        choices=among,
        rules=tab.order.policy.rules,
        reasons=reasons,
        owes=tab.order.owes_invoice,
        initial=initial,
    )
