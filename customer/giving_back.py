"""A return as its customer is told of it: how it stands, what is expected of them and until when (REF-09)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.models import ReasonKind
from marketplace.moments import when
from marketplace.money import format_money
from marketplace.reasons import Why, said
from messaging import attachments
from messaging.models import Attachment
from orders.models import Order
from refunds.models import ReturnLine, ReturnRequest
from refunds.return_ends import follow_url
from refunds.returning import judge
from refunds.states import RefundState, ReturnState
from sellers.desk import Actor

TITLES = {
    ReturnState.ASKED: gettext_lazy("Devolución pedida"),
    ReturnState.REFUSED: gettext_lazy("La tienda no acepta la devolución"),
    ReturnState.ACCEPTED: gettext_lazy("Devolución aceptada"),
    ReturnState.INSTRUCTED: gettext_lazy("Manda tu devolución"),
    ReturnState.SENT: gettext_lazy("Tu devolución va de camino"),
    ReturnState.RECEIVED: gettext_lazy("La tienda tiene tu devolución"),
    ReturnState.INSPECTED: gettext_lazy("Tu devolución está revisada"),
    ReturnState.REFUNDED: gettext_lazy("Devolución reembolsada"),
    ReturnState.REPLACED: gettext_lazy("Te mandan otro"),
    ReturnState.REJECTED: gettext_lazy("La tienda no admite lo que devolviste"),
    ReturnState.WITHDRAWN: gettext_lazy("Devolución retirada"),
    ReturnState.LAPSED: gettext_lazy("La devolución ha caducado"),
}

_SAYS = {
    ReturnState.ASKED: gettext_lazy(
        "La tienda te contesta como muy tarde %(when)s. No mandes nada hasta entonces."
    ),
    ReturnState.ACCEPTED: gettext_lazy(
        "La tienda te dirá cómo mandarla, como muy tarde %(when)s. Espera hasta entonces."
    ),
    ReturnState.INSTRUCTED: gettext_lazy("Mándala, y dilo aquí, como muy tarde %(when)s."),
    ReturnState.SENT: gettext_lazy("Guarda el resguardo hasta que la tienda la reciba."),
    ReturnState.RECEIVED: gettext_lazy("La tienda la revisa como muy tarde %(when)s."),
    ReturnState.INSPECTED: gettext_lazy(
        "La tienda te devuelve el dinero o te lo cambia como muy tarde %(when)s."
    ),
}
_LATE = gettext_lazy("La tienda va con retraso. El operador lo sabe.")
_ASKED_BEFORE = gettext_lazy("La tienda te contesta con un mensaje. No mandes nada hasta entonces.")


@dataclass(frozen=True, slots=True)
class Back:
    """A return with its words; `may_send` and `may_withdraw` tell what its customer can do now."""

    row: ReturnRequest
    lines: Sequence[ReturnLine]
    reason: str
    title: str
    says: str
    answer: str
    money: str
    follow: str
    files: Sequence[Attachment]
    may_send: bool
    may_withdraw: bool


def backs_of(order: Order, requests: Sequence[ReturnRequest], *, by: Actor, at: datetime) -> list[Back]:
    """The returns of an order as its customer reads them, the latest first."""
    letters = [one.instructions for one in requests if one.instructions is not None]
    files = attachments.of(letters) if letters else {}
    return [
        _back(order, one, files.get(one.instructions_id or 0, ()), by=by, at=at) for one in reversed(requests)
    ]


def _back(order: Order, row: ReturnRequest, files: Sequence[Attachment], *, by: Actor, at: datetime) -> Back:
    return Back(
        row=row,
        lines=list(row.lines.all()),
        reason=said(ReasonKind.RETURN, Why(row.reason_code)),
        title=str(TITLES[ReturnState(row.state)]),
        says=_says(order, row, at),
        answer=said(ReasonKind.NO_RETURN, Why(row.answer_code)) if row.answer_code else "",
        money=_money(row),
        follow=follow_url(row.new_carrier, row.new_tracking),
        files=files,
        may_send=judge(row, "send", by=by, at=at) is None,
        may_withdraw=judge(row, "withdraw", by=by, at=at) is None,
    )


def _says(order: Order, row: ReturnRequest, at: datetime) -> str:
    state = ReturnState(row.state)
    if state not in _SAYS:
        return ""
    if row.due_by is None:
        return str(_ASKED_BEFORE)
    if row.late_at is not None and state != ReturnState.SENT:
        return str(_LATE)
    zone = order.channel.calendar.zone
    return str(_SAYS[state]) % {"when": when(row.due_by, zone, at, since=True, ends=True)}


def _money(row: ReturnRequest) -> str:
    if row.refund is None or row.state != ReturnState.REFUNDED:
        return ""
    words = {"amount": format_money(row.refund.amount_cents, row.refund.currency)}
    if row.refund.state == RefundState.PAID:
        return _("Te hemos devuelto %(amount)s.") % words
    return _("Te devolvemos %(amount)s: están pedidos a tu medio de pago.") % words
